"""The subjects that follow `stackward`: each is a module here, imported when it is asked for.

`stackward --help` lists them from this table alone, so that it stays quick. To add one: write
`cli/<module>.py` with `app = subject("what it is about")`, and give it a line in SUBJECTS.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

from stackward.errors import Refused
from stackward.overriding import override

if TYPE_CHECKING:
    from typer._click import Command, Context, HelpFormatter


@dataclass(frozen=True, slots=True)
class Subject:
    """One word of the command line and where its commands are."""

    module: str
    summary: str
    extra: str | None = None  # the optional dependencies that it needs


SUBJECTS = {
    "cloud": Subject("stackward.cli.cloud", "The cloud as a whole."),
    "diagnose": Subject("stackward.cli.diagnose", "Which component is broken, and why."),
    "lab": Subject("stackward.cli.lab", "A disposable real cloud on this machine.", extra="lab"),
    "log": Subject("stackward.cli.log", "What the services of all nodes have logged."),
    "metrics": Subject("stackward.cli.metrics", "A health check as figures for Prometheus."),
    "node": Subject("stackward.cli.node", "The machines of the cloud."),
    "run": Subject("stackward.cli.run", "Runs: what was approved and carried out."),
    "server": Subject("stackward.cli.server", "The servers of the cloud, one at a time."),
    "volume": Subject("stackward.cli.volume", "The volumes of servers."),
    "worker": Subject("stackward.cli.worker", "A process that carries out what was queued."),
}


class Escaped(Exception):
    """What typer would settle by itself, and silently, on its way to `main`; see its cause."""


def subject(summary: str) -> typer.Typer:
    """Return an empty group of commands in the house's manner."""
    return typer.Typer(
        help=summary,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,  # `stackward` itself has it
    )


def example(*lines: str) -> str:
    r"""Return an epilog for a command's help; `\b` keeps typer from filling the lines."""
    return "\n".join(["\b", "Example:" if len(lines) == 1 else "Examples:"]) + "".join(
        f"\n  {line}" for line in lines
    )


def one_of(choices: type[StrEnum]) -> str:
    """Return what can be chosen, in words: "table, json or csv"."""
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else str(last)


def _not_installed(name: str, wanted: Subject, error: ModuleNotFoundError) -> Refused:
    is_ours = (error.name or "").startswith("stackward")
    return Refused(
        f"cannot use `stackward {name}`: the Python module `{error.name}` is missing",
        hint=f"install `stackward[{wanted.extra}]`" if wanted.extra and not is_ours else None,
    )


class _PlainArgument(TyperArgument):
    """An argument whose help reads NODE, [TARGET] or COMMAND..., without its Python type."""

    @override
    def _usage_display_name(self) -> str:
        repeated = f"{self.display_name_raw}{'' if self.nargs == 1 else '...'}"
        return repeated if self.required else f"[{repeated}]"

    @override
    def get_help_record(self, ctx: "Context") -> tuple[str, str]:
        span = _span(self.min, self.max)
        return self._rich_display_name(), f"{self.help or ''}{f'  [{span}]' if span else ''}"


class _Unasked(TyperOption):
    """An option that costs nothing where it is not given.

    typer imports pydantic, which takes as long as a whole `run list`, to check the default too.
    """

    @override
    def _get_number_range_help_str(self) -> str | None:
        return _span(self.min, self.max)

    @override
    def process_value(self, ctx: "Context", value: Any) -> Any:
        source = ctx.get_parameter_source(self.name or "")
        if source is None or source.name != "DEFAULT" or self.required:
            return super().process_value(ctx, value)
        usual = () if value is None and self.multiple else value
        return self.callback(ctx, self, usual) if self.callback else usual


def _span(least: float | None, most: float | None) -> str | None:
    """Return in words which numbers an option takes."""
    if least is None or most is None:  # no option has a highest number alone
        return None if least is None else f"at least {least}"
    return f"{least} to {most}"


def _plain(command: "Command") -> None:
    """Let options of a command, and of those below it, cost nothing, and its help be plain."""
    # Not `params` alone: `--help` is an option too.
    for each in command.get_params(typer.Context(command)):
        if type(each) is TyperOption:
            each.__class__ = _Unasked  # typer has no place where its class could be named
        elif type(each) is TyperArgument:
            each.__class__ = _PlainArgument
    for below in getattr(command, "commands", {}).values():
        _plain(below)


@cache  # to build them takes longer than many a command: one process may carry out many lines
def _commands_of(app: typer.Typer) -> "Command":
    command = typer.main.get_command(app)
    _plain(command)
    return command


class SubjectGroup(TyperGroup):
    """`stackward` itself."""

    @override
    def list_commands(self, ctx: "Context") -> list[str]:
        return sorted(SUBJECTS)

    @override
    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        if cmd_name not in SUBJECTS:
            return None
        wanted = SUBJECTS[cmd_name]
        try:
            module = import_module(wanted.module)
        except ModuleNotFoundError as error:
            raise _not_installed(cmd_name, wanted, error) from error
        command = _commands_of(module.app)
        command.name = cmd_name
        return command

    @override
    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        with formatter.section("Subjects"):
            formatter.write_dl([(name, SUBJECTS[name].summary) for name in self.list_commands(ctx)])

    @override
    def make_context(self, *given: Any, **options: Any) -> "Context":
        with _nothing_hidden():
            _plain(self)
            return super().make_context(*given, **options)

    @override
    def invoke(self, ctx: "Context") -> Any:
        with _nothing_hidden():
            return super().invoke(ctx)


@contextmanager
def _nothing_hidden() -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, BrokenPipeError) as error:
        raise Escaped from error
