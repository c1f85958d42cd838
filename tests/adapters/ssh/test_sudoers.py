"""The shipped sudoers file and the one command that is a shell's, tried on this machine."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from stackward.adapters.ssh import Ssh
from stackward.model.inventory import Inventory, Node
from stackward.model.maintenance import DROP_IN, DROP_IN_TEXT
from stackward.ports.root import FILL_DROP_IN

SHIPPED = Path(__file__).parents[3] / "docs/examples/stackward.sudoers"
WORDS = FILL_DROP_IN[2].split(" ")
PLACES = f"{os.environ['PATH']}:/usr/sbin"


@pytest.fixture
def shell() -> Iterator[Ssh]:
    opened = Ssh(Inventory(source="here", nodes=(Node(name="here", address="", is_local=True),)))
    yield opened
    opened.close()


@pytest.mark.skipif(shutil.which("visudo", path=PLACES) is None, reason="there is no visudo here")
def test_visudo_takes_the_shipped_file(shell: Ssh) -> None:
    visudo = shutil.which("visudo", path=PLACES) or ""

    checked = shell.run("here", [visudo, "-cf", str(SHIPPED)])

    assert checked.code == 0, checked.out + checked.err


@pytest.mark.parametrize("kept", range(1, len(WORDS)))
def test_the_words_of_the_drop_in_cannot_be_cut_to_another_command(shell: Ssh, kept: int) -> None:
    """Sudo compares the words joined by blanks: a shell that got fewer of them must do nothing."""
    ended = shell.run("here", ["sh", "-n", "-c", " ".join(WORDS[:kept])])

    assert ended.code != 0


def test_the_shell_writes_the_drop_in_as_it_is_meant(shell: Ssh, tmp_path: Path) -> None:
    script = FILL_DROP_IN[2].replace(DROP_IN, str(tmp_path / "drop-in"))

    shell.run("here", ["sh", "-c", script])

    assert (tmp_path / "drop-in").read_text() == DROP_IN_TEXT
