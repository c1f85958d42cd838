"""What the README tells somebody to type is what the program takes."""

import re
import tomllib
from pathlib import Path

import pytest

from stackward.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = sorted(
    {
        found.strip()
        for line in README.splitlines()
        for found in re.findall(r"(?:^|`|\$\()(stackward [a-z][^`#)|]*)", line)
    }
)


def test_the_readme_shows_commands() -> None:
    assert {"stackward cloud check", "stackward node list"} <= set(COMMANDS)
    assert len(COMMANDS) > 12


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme_is_there_with_its_flags(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = line.split()[1:]
    command = words[: 1 if words[0] in {"diagnose", "metrics", "worker"} else 2]

    assert main([*command, "--help"]) == 0

    told = capsys.readouterr().out
    assert [word for word in words if word.startswith("--") and word not in told] == []


def test_what_a_copy_button_copies_can_be_pasted() -> None:
    """A prompt before a command would be copied with it: `$: command not found`."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]

    assert [
        page.name
        for page in pages
        if re.search(r"^ *[$#] stackward ", page.read_text(), re.MULTILINE)
    ] == []


@pytest.mark.parametrize("page", ["README.md", "docs/guides/install.md"])
def test_a_fresh_machine_is_told_all_that_it_lacks(page: str) -> None:
    text = (ROOT / page).read_text()
    [installed] = re.findall(r"sudo apt install ([^#\n]*)", text)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    by_ci = re.findall(r"^if lacks .*packages\+=\((make|python3-venv)\)", ci(), re.MULTILINE)

    assert set(installed.split()) == {*by_ci, "git", "openssh-client"}
    assert len(by_ci) == 2
    assert f"Python {project['requires-python'].removeprefix('>=')} or newer" in text


def ci() -> str:
    return (ROOT / ".ci/run").read_text()


@pytest.mark.parametrize("page", ["README.md", "docs/guides/install.md"])
def test_the_clone_is_said_before_what_is_done_in_it(page: str) -> None:
    """No address is named: whoever reads it there knows it, and it can move."""
    text = (ROOT / page).read_text()

    assert "git clone ADDRESS stackward" in text
    assert text.index("git clone") < text.index("make .venv/.ready")


def test_the_start_page_links_to_how_it_is_installed() -> None:
    assert "(guides/install.md)" in (ROOT / "docs/index.md").read_text()
