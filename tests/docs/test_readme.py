"""What the README tells somebody to type is what the program takes."""

import re
from pathlib import Path

import pytest

from stackward.cli import main

README = (Path(__file__).parents[2] / "README.md").read_text()
COMMANDS = sorted(
    {
        found.strip()
        for line in README.splitlines()
        for found in re.findall(r"(?:^[$#] |`|\$\()(stackward [a-z][^`#)|]*)", line)
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
    command = words[: 1 if words[0] in {"metrics", "worker"} else 2]

    assert main([*command, "--help"]) == 0

    told = capsys.readouterr().out
    assert [word for word in words if word.startswith("--") and word not in told] == []
