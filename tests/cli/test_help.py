"""What `--help` says of every command: in the words of the field, and in 80 columns."""

import re
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

from stackward.cli import app, main
from stackward.cli.cloud import Interface
from stackward.cli.options import Reader, WhenSlow
from stackward.cli.subjects import one_of
from stackward.report.tables import Form

OF_PYTHON = re.compile(r"[<{}]|\[\[|\b(?:str|int|path|list|range)>|<=|>=|\.\.\.\.")
METAVAR = re.compile(r"[A-Z][A-Z_]*(?:[=:/][A-Z]+)?")


def below(words: tuple[str, ...], command: object) -> Iterator[tuple[tuple[str, ...], object]]:
    """Return a command, and each below it, with its words."""
    yield words, command
    if isinstance(command, TyperGroup):
        context = typer.Context(command)
        for name in command.list_commands(context):
            yield from below((*words, name), command.get_command(context, name))


COMMANDS = {" ".join(words): one for words, one in below((), typer.main.get_command(app))}


@pytest.fixture(params=COMMANDS, ids=lambda name: name or "stackward")
def command(request: pytest.FixtureRequest) -> str:
    """Each command in turn."""
    return str(request.param)


def help_of(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> str:
    """Return what `--help` prints on a terminal of that width."""
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main([*command.split(), "--help"]) == 0
    return capsys.readouterr().out


def test_no_type_of_python_is_shown(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It said: {NODE} [[COMMAND]...]..., --reason <str>, and x>=1."""
    assert OF_PYTHON.findall(help_of(command, capsys, monkeypatch, 80)) == []


@pytest.mark.parametrize("columns", [80, 60])
def test_no_line_is_wider_than_the_terminal(
    columns: int, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said, _, examples = help_of(command, capsys, monkeypatch, columns).partition("\n  Example")

    too_wide = [line for line in said.splitlines() if len(line) > columns]
    # An example is there to be copied, so it is not broken: it fits the usual terminal.
    too_wide += [line for line in examples.splitlines() if len(line) > 80]
    assert too_wide == []


def test_each_value_has_a_name_in_capitals(command: str) -> None:
    parameters = COMMANDS[command].params  # type: ignore[attr-defined]  # typer's own click
    named = {
        each.opts[0]: each.metavar
        for each in parameters
        if isinstance(each, TyperArgument) or (isinstance(each, TyperOption) and not each.is_flag)
    }

    assert {name: one for name, one in named.items() if not METAVAR.fullmatch(one or "")} == {}


def test_each_parameter_is_explained(command: str) -> None:
    parameters = COMMANDS[command].params  # type: ignore[attr-defined]  # as above

    assert [each.opts[0] for each in parameters if not each.help] == []


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("node drain", "stackward node drain [OPTIONS] [NODE...]"),
        ("run apply", "stackward run apply [OPTIONS] FILE"),
        ("lab break", "stackward lab break [OPTIONS] FAULT [TARGET]"),
        ("lab ssh", "stackward lab ssh [OPTIONS] NODE [COMMAND...]"),
        ("lab exec", "stackward lab exec [OPTIONS] COMMAND..."),
    ],
)
def test_the_first_line_reads_as_that_of_other_tools(
    command: str,
    usage: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = help_of(command, capsys, monkeypatch, 80)

    assert said.splitlines()[0] == f"Usage: {usage}"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("run list", f"How to print it: {one_of(Form)}."),
        ("node drain", f"What to do about a slow live migration: {one_of(WhenSlow)}."),
        ("cloud check", f"Try only endpoints of this interface: {one_of(Interface)};"),
        ("cloud check", f"What reads the inventory: {Reader.STACKWARD}, or {Reader.ANSIBLE},"),
        ("run list", "The latest N. [default: 20; at least 1]"),
        ("worker", "Runs at a time. [default: 2; 1 to 20]"),
        ("lab load", "N How many servers. [1 to 200]"),
        ("lab ssh", "COMMAND By default a shell."),
    ],
)
def test_what_can_be_chosen_is_said_in_words(
    command: str, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = " ".join(help_of(command, capsys, monkeypatch, 80).split())

    assert words in said
