"""The command line: parse, call `app`, render. No decisions.

Here is the one place where an error becomes text on stderr and an exit code.
"""

import gc
import io
import os
import select
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from stackward.cli.subjects import Escaped, SubjectGroup
from stackward.errors import BadInput, ExitCode, Refused, StackwardError
from stackward.masking import learn_from, masked
from stackward.report.colour import painted
from stackward.report.errors import render_error
from stackward.report.text import ESCAPED, terminal_width

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from stackward.model.inventory import Inventory
    from stackward.ports.log_source import LogSource
    from stackward.ports.probes import Probes
    from stackward.ports.together import Together
    from stackward.ports.world import World

    OpenLogs = Callable[[Inventory], AbstractContextManager[tuple[LogSource, Together]]]
    OpenProbes = Callable[[Inventory, str | None], AbstractContextManager[Probes]]
    OpenWorld = Callable[[Inventory, str | None], AbstractContextManager[World]]

_NEW_BEFORE_COLLECTING = 20_000  # objects; 700 is usual

app = typer.Typer(
    cls=SubjectGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 100},
    epilog="Every command has its own `--help`, with an example.",
)


class Chosen:
    """The options that come before the subject; commands find them as `context.obj`."""

    def __init__(self) -> None:
        self.os_cloud: str | None = None
        self.debug = False
        self.said: set[str] = set()  # warnings; each is shown once
        self.open_world: OpenWorld | None = None  # None: as `app` connects
        self.open_probes: OpenProbes | None = None  # same
        self.open_logs: OpenLogs | None = None  # same


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"stackward {version('stackward')}")
        raise typer.Exit


@app.callback()
def stackward(
    context: typer.Context,
    os_cloud: Annotated[
        str | None,
        typer.Option(envvar="OS_CLOUD", metavar="NAME", help="The cloud, as named in clouds.yaml."),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where in the program an error arose.")
    ] = False,
    version: Annotated[  # noqa: ARG001  # its callback has answered and left by now
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and leave."
        ),
    ] = False,
) -> None:
    """Day-2 operations for OpenStack clouds."""
    chosen = context.find_object(Chosen)
    if chosen is not None:
        chosen.os_cloud, chosen.debug = os_cloud, debug


def main(
    arguments: Sequence[str] | None = None,
    *,
    open_world: "OpenWorld | None" = None,
    open_probes: "OpenProbes | None" = None,
    open_logs: "OpenLogs | None" = None,
) -> int:
    """Run one command line, on another world than the real one if given; return its exit code.

    Without arguments it is the whole process: its line is carried out, and it ends.
    """
    if arguments is not None:
        return _run(arguments, open_world, open_probes, open_logs)
    # What a command loads stays: to look through all of it for garbage, at the usual pace and at
    # the end, takes 60 ms and then 100 to 300 more.
    gc.set_threshold(_NEW_BEFORE_COLLECTING)
    ended = _run(sys.argv[1:], open_world, open_probes, open_logs)
    gc.freeze()
    return ended


def _run(
    given: Sequence[str],
    open_world: "OpenWorld | None",
    open_probes: "OpenProbes | None",
    open_logs: "OpenLogs | None",
) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPED)  # not every terminal knows every letter
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    learn_from({name: one for name, one in os.environ.items() if name.startswith("OS_")})
    chosen = Chosen()
    chosen.open_world = open_world
    chosen.open_probes = open_probes
    chosen.open_logs = open_logs
    given = list(given)
    try:
        _refuse_other_bytes(given)
        ended = typer.main.get_command(app).main(
            given, prog_name="stackward", standalone_mode=False, obj=chosen
        )
        sys.stdout.flush()
    except Escaped as escaped:
        return _leave(escaped.__cause__ or escaped, chosen)
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001  # the last door: all is said
        return _leave(error, chosen)
    return ended if isinstance(ended, int) else ExitCode.DONE


def _refuse_other_bytes(given: Sequence[str]) -> None:
    """Refuse words that the terminal sent in another encoding: they could be kept nowhere."""
    for word in given:
        if any("\ud800" <= letter <= "\udfff" for letter in word):
            raise BadInput(
                f"`{word}` is no text in this terminal's encoding: {sys.getfilesystemencoding()}",
                hint="set `LC_ALL` to what your terminal sends, such as `C.UTF-8`",
            )


def _leave(error: BaseException, chosen: Chosen) -> int:
    if isinstance(error, BrokenPipeError) and _output_is_closed():
        # Python flushes once more at its exit: let that go nowhere, not into a second complaint.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OUTPUT_CLOSED
    if chosen.debug:
        sys.stderr.write(masked("".join(traceback.format_exception(error))))
    if isinstance(error, KeyboardInterrupt):
        sys.stderr.write("\ninterrupted\n")
        return ExitCode.INTERRUPTED
    said = _in_words(error)
    sys.stderr.write(painted(render_error(said, terminal_width(sys.stderr)), sys.stderr))
    return said.exit_code


def _output_is_closed() -> bool:
    """Say whether it is our own output that has no reader; a service's connection breaks too."""
    watched = select.poll()
    watched.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in watched.poll(0))


def _in_words(error: BaseException) -> StackwardError:
    match error:
        case StackwardError():
            return error
        case typer.TyperException():
            return _usage(error)
        case typer.Abort():
            return Refused("not confirmed")
        case _:
            return StackwardError(
                f"this is a defect of Stackward: {type(error).__name__}: {error}",
                hint="run it again as `stackward --debug ...` to see where, and report that",
            )


def _usage(error: typer.TyperException) -> BadInput:
    """Put typer's complaint into the house's form."""
    from stackward.wording import perhaps

    near = getattr(error, "possibilities", None)
    said = error.message if near else error.format_message()
    said = said.rstrip(".").replace("'", "`").replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "stackward"
    look = f"`{command} --help` says what there is"
    for option in ("--os-cloud", "--debug"):
        if f"no such option: {option}" in said.lower():
            look = f"`{option}` comes first: `stackward {option} ...`, then the rest"
    return BadInput(
        said[:1].lower() + said[1:],
        hint=f"{perhaps(near)}; {look}" if near else look,
    )
