"""The script that is sent to nodes asks of root only what the shipped sudoers file allows."""

import ast
import re
import shutil
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "src/stackward/facts/on_node/gather.py"
SUDOERS = ROOT / "docs/examples/stackward.sudoers"
CONTAINERS = {"docker", "podman"}


class Noted:
    """Takes commands, and starts none."""

    def __init__(self) -> None:
        self.words: list[list[str]] = []

    def start(self, name: str, words: list[str]) -> None:
        """Note a command."""
        self.words.append(words)


@pytest.fixture
def gather(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load the script as an ordinary user would, on a node that has every program."""
    spec = spec_from_file_location("gather", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    return module


def allowed() -> set[str]:
    """Return the commands of the sudoers file, without their directories."""
    text = SUDOERS.read_text().replace("\\\n", "")
    [listed] = re.findall(r"Cmnd_Alias STACKWARD_LOOK =(.*)", text)
    commands = re.split(r"(?<!\\),", listed)
    return {re.sub(r"^\S*/", "", one.strip()).replace("\\,", ",") for one in commands}


def test_what_is_asked_of_root_is_what_the_shipped_sudoers_file_allows(gather: ModuleType) -> None:
    commands = Noted()

    gather.ask_all(commands, {"units": ["nova-compute.service"], "within_s": 5, "tables": True})

    asked = {" ".join(words[2:]) for words in commands.words if words[0] == "sudo"}
    assert asked - allowed() == set()


def test_an_ordinary_user_is_asked_for_nothing_but_that(gather: ModuleType) -> None:
    commands = Noted()

    gather.ask_all(commands, {"units": [], "within_s": 5})

    as_user = {words[0] for words in commands.words if words[0] != "sudo"}
    assert as_user == {"systemctl", "ss", "virsh", "timeout"}


def test_an_old_python_can_read_it() -> None:
    """Nodes have the python3 of their distribution; nothing is installed there."""
    ast.parse(SCRIPT.read_text(), feature_version=(3, 7))  # raises where it cannot


def test_it_opens_nothing_to_write() -> None:
    assert re.findall(r"open\([^)]*[\"'][wax+]", SCRIPT.read_text()) == []
