"""The door: what is printed where, and the exit code."""

import sys
from collections.abc import Callable, Iterator

import pytest
import typer
from typer.core import TyperGroup

from stackward.cli import app, main
from stackward.cli.subjects import SUBJECTS, Subject, subject
from stackward.errors import ExitCode, Refused


class Printed:
    """What a command printed and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def ran(capsys: pytest.CaptureFixture[str]) -> Callable[..., Printed]:
    def run(*arguments: str) -> Printed:
        code = main(arguments)
        return Printed(code, *capsys.readouterr())

    return run


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Add a subject whose one command fails in the given way."""

    def add(error: BaseException) -> None:
        app = subject("For this test.")

        @app.callback()
        def hold() -> None: ...

        @app.command("now")
        def now() -> None:
            raise error

        module = type(sys)("stackward_failing")
        module.app = app  # type: ignore[attr-defined]  # a module made here
        monkeypatch.setitem(sys.modules, "stackward_failing", module)
        monkeypatch.setitem(SUBJECTS, "fail", Subject("stackward_failing", "For this test."))

    return add


def commands_below(command: object, *words: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each command's words with all that its options are called."""
    context = typer.Context(command)  # type: ignore[arg-type]  # whatever typer made
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            yield from commands_below(command.get_command(context, name), *words, name)
    else:
        options = {name for each in context.command.params for name in each.opts}
        yield " ".join(words), frozenset(options)


COMMANDS = dict(commands_below(typer.main.get_command(app)))


def test_every_command_is_walked_through() -> None:
    assert {"node list", "run show", "lab cache list"} < COMMANDS.keys()


@pytest.mark.parametrize("command", [name for name, has in COMMANDS.items() if "-f" in has])
def test_a_command_that_prints_rows_prints_the_columns_that_are_named(command: str) -> None:
    assert {"-f", "--format", "-c", "--column"} <= COMMANDS[command]


def test_version(ran: Callable[..., Printed]) -> None:
    printed = ran("--version")

    assert (printed.code, printed.out, printed.err) == (0, "stackward 0.1.0\n", "")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            [], "error: missing command\n\nhint: `stackward --help` says what there is\n", id="none"
        ),
        pytest.param(
            ["nod"],
            "error: no such command `nod`\n\nhint: `stackward --help` says what there is\n",
            id="no such subject",
        ),
        pytest.param(
            ["node", "list", "--zzz"],
            "error: no such option: --zzz\n\n"
            "hint: `stackward node list --help` says what there is\n",
            id="no such option",
        ),
        pytest.param(
            ["node", "list", "--groupp", "x"],
            "error: no such option: --groupp\n\n"
            "hint: perhaps `--group`; `stackward node list --help` says what there is\n",
            id="a slip in an option",
        ),
        pytest.param(
            ["node", "list", "-f", "xml"],
            "error: invalid value for `-f` / `--format`: `xml` is not one of `table`, `json`, "
            "`yaml`, `value`, `csv`\n\nhint: `stackward node list --help` says what there is\n",
            id="no such form",
        ),
    ],
)
def test_a_command_line_that_cannot_be_understood(
    arguments: list[str], expected: str, ran: Callable[..., Printed]
) -> None:
    printed = ran(*arguments)

    assert (printed.code, printed.out, printed.err) == (2, "", expected)


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        pytest.param(
            Refused("no", hint="try"), 3, "error: no\nnothing was changed\n\nhint: try\n", id="ours"
        ),
        pytest.param(typer.Exit(6), 6, "", id="an exit code of its own"),
        pytest.param(typer.Abort(), 3, "error: not confirmed\nnothing was changed\n", id="no"),
        pytest.param(KeyboardInterrupt(), 130, "\ninterrupted\n", id="Ctrl-C"),
        pytest.param(
            KeyError("x"),
            1,
            "error: this is a defect of Stackward: KeyError: 'x'\n\n"
            "hint: run it again as `stackward --debug ...` to see where, and report that\n",
            id="a defect",
        ),
    ],
)
def test_how_each_end_is_told(
    error: BaseException,
    code: int,
    expected: str,
    ran: Callable[..., Printed],
    failing: Callable[[BaseException], None],
) -> None:
    failing(error)

    printed = ran("fail", "now")

    assert (printed.code, printed.out, printed.err) == (code, "", expected)


def test_debug_shows_where_an_error_arose(
    ran: Callable[..., Printed], failing: Callable[[BaseException], None]
) -> None:
    failing(KeyError("x"))

    printed = ran("--debug", "fail", "now")

    assert "Traceback (most recent call last)" in printed.err
    assert "in now" in printed.err


def test_a_service_that_hangs_up_is_not_taken_for_the_reader_of_our_output(
    capfd: pytest.CaptureFixture[str], failing: Callable[[BaseException], None]
) -> None:
    failing(BrokenPipeError("the service went away"))

    code = main(["fail", "now"])

    assert code == 1
    assert "BrokenPipeError: the service went away" in capfd.readouterr().err


def test_a_subject_that_is_not_installed_says_what_to_install(
    ran: Callable[..., Printed], monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = Subject("no_such_module", "For this test.", extra="lab")
    monkeypatch.setitem(SUBJECTS, "lacking", lacking)

    printed = ran("lacking")

    assert (printed.code, printed.err) == (
        3,
        (
            "error: cannot use `stackward lacking`: the Python module `no_such_module` is missing\n"
            "nothing was changed\n\nhint: install `stackward[lab]`\n"
        ),
    )


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_subject_is_listed(name: str, ran: Callable[..., Printed]) -> None:
    assert f"  {name}" in ran("--help").out


def test_an_option_of_the_whole_program_given_too_late_says_where_it_goes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["node", "list", "--os-cloud", "x"])

    assert code == ExitCode.USAGE
    assert "hint: `--os-cloud` comes first" in capsys.readouterr().err
