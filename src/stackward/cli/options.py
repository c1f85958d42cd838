"""Groups of options that commands share: a dataclass each, whose fields are the flags.

A command takes a group as one parameter; `grouped` lets typer see the fields in its place. The
order of the fields is that of `--help`. Nobody compares or prints a group, so it has no methods for
that: every command would make them at its start.
"""

from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache, wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from stackward.cli.subjects import one_of
from stackward.cli.width import keep_wide
from stackward.errors import BadInput
from stackward.report.tables import Form

if TYPE_CHECKING:
    from stackward.model.wish import Consent
    from stackward.requests.how_to_move import HowToMove

Ended = TypeVar("Ended")


def grouped(command: Callable[..., Ended]) -> Callable[..., Ended]:
    """Return the command with the fields of its groups as parameters of its own, for typer."""
    hints = command.__annotations__  # as they are: a hint in quotes would need a look into modules
    groups: dict[str, type[Any]] = {
        name: each for name, each in hints.items() if isinstance(each, type) and is_dataclass(each)
    }
    flat = [
        flag
        for one in signature(command).parameters.values()
        for flag in (
            _flags_of(groups[one.name])  # type: ignore[arg-type]  # a class has a hash
            if one.name in groups
            else [one.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[one.name])]
        )
    ]

    @wraps(command)
    def as_typer_calls_it(**given: Any) -> Ended:  # noqa: ANN401 # flags of any type
        made = {
            name: group(**{one.name: given.pop(one.name) for one in fields(group)})
            for name, group in groups.items()
        }
        return command(**given, **made)

    as_typer_calls_it.__signature__ = signature(command).replace(parameters=flat)  # type: ignore[attr-defined]  # read by `inspect`
    as_typer_calls_it.__annotations__ = {one.name: one.annotation for one in flat}
    return as_typer_calls_it


@cache
def _flags_of(group: type[Any]) -> Sequence[Parameter]:
    return [
        Parameter(
            one.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if one.default is MISSING else one.default,
            annotation=one.type,
        )
        for one in fields(group)
    ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Output:
    """How a command prints its data."""

    form: Annotated[
        Form,
        typer.Option("-f", "--format", metavar="FORMAT", help=f"How to print it: {one_of(Form)}."),
    ] = Form.TABLE
    column: Annotated[
        list[str] | None,
        typer.Option("-c", "--column", metavar="NAME", help="Only this column; may be repeated."),
    ] = None
    wide: Annotated[
        bool,
        typer.Option(
            "--wide",
            callback=keep_wide,
            help="Show all columns, and break no line for the terminal.",
        ),
    ] = False

    @property
    def columns(self) -> Sequence[str]:
        """Return the columns that were named; none: all of them."""
        return self.column or ()

    @property
    def is_of_rows(self) -> bool:
        """Say whether rows alone are asked for, of what is more than a table."""
        return bool(self.column) or self.form in {Form.VALUE, Form.CSV}


class Reader(StrEnum):
    """What reads the inventory."""

    ANSIBLE = "ansible"
    STACKWARD = "stackward"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class InventoryChoice:
    """Which inventory names the nodes, and what reads it."""

    inventory: Annotated[
        Path | None,
        typer.Option(
            "--inventory",
            metavar="PATH",
            help="An Ansible inventory, INI or YAML; by default STACKWARD_INVENTORY.",
        ),
    ] = None
    inventory_reader: Annotated[
        Reader | None,
        typer.Option(
            "--inventory-reader",
            metavar="READER",
            help="What reads the inventory: stackward, or ansible, which runs `ansible-inventory` "
            "and can read folders, scripts and plugins; by default STACKWARD_INVENTORY_READER.",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class DryRun:
    """Whether a plan is only shown."""

    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the whole plan; change nothing.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Planning(DryRun):
    """What becomes of a plan before it is approved."""

    plan_out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the plan there, if it could be approved."),
    ] = None


AT = (
    "Have a worker begin it then, or within an hour: 01:00 is the next such time; also "
    "2026-11-28T01:00, each with @ZONE if it is not of the zone of this machine."
)
WINDOW = (
    "Have a worker begin it in the next such window, such as 01:00-05:00. From its end on nothing "
    "more is started, and the run stops; one that is not begun by then never is."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Approving:
    """How a plan is approved, and who carries it out."""

    yes: Annotated[bool, typer.Option("--yes", help="Approve the plan without being asked.")] = (
        False
    )
    queue: Annotated[
        bool, typer.Option("--queue", help="Once approved, leave it to the workers.")
    ] = False
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help=AT)] = None
    window: Annotated[str | None, typer.Option("--window", metavar="WINDOW", help=WINDOW)] = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Movers:
    """Which servers move, and by whose leave."""

    allow_downtime: Annotated[
        bool, typer.Option("--allow-downtime", help="Stop running servers that cannot move live.")
    ] = False
    leave_behind: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="This server stays; may be repeated.")
    ] = None
    consent: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=REFERENCE",
            help="The owner of this server, who wishes to be asked, agrees; may be repeated.",
        ),
    ] = None


class WhenSlow(StrEnum):
    """What to do about a live migration that takes too long."""

    WAIT = "wait"
    FORCE_COMPLETE = "force-complete"
    ABORT = "abort"
    STOP_SERVER = "stop-server"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Pace:
    """How fast servers move, and what is done about slow ones."""

    parallel: Annotated[int, typer.Option(min=1, metavar="N", help="Moves at a time.")] = 2
    timeout: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="After which a move counts as slow.")
    ] = 1800
    when_slow: Annotated[
        WhenSlow,
        typer.Option(
            metavar="ACTION",
            help=f"What to do about a slow live migration: {one_of(WhenSlow)}.",
        ),
    ] = WhenSlow.WAIT


StartsAtOnce = Annotated[
    int, typer.Option(min=1, metavar="N", help="Servers that start at a time.")
]
StartAnyway = Annotated[
    list[str] | None,
    typer.Option(metavar="ID", help="Start it even if witnesses disagree; may be repeated."),
]
WaveTimeout = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="SECONDS",
        help="In which a server must be proved to run; if not, it is set aside.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Starting:
    """How fast servers are brought up."""

    parallel: StartsAtOnce = 2
    wave_timeout: WaveTimeout = 300


HOW_SERVERS_MOVE = tuple(one.name for group in (Movers, Pace) for one in fields(group))


def how_to_move(movers: Movers, pace: Pace) -> "HowToMove":
    """Return how servers move, as a request has it."""
    from stackward.requests.how_to_move import HowToMove

    return HowToMove(
        allow_downtime=movers.allow_downtime,
        leave_behind=tuple(movers.leave_behind or ()),
        consents=consents_in(movers.consent or ()),
        at_once=pace.parallel,
        slow_after_s=float(pace.timeout),
        when_slow=pace.when_slow.value,
    )


def consents_in(words: Sequence[str]) -> "tuple[Consent, ...]":
    """Return what owners agreed to, by the words of `--consent`."""
    from stackward.model.wish import Consent

    consents: dict[str, Consent] = {}
    for word in words:
        server, _, reference = (part.strip() for part in word.partition("="))
        if not (server and reference):
            raise BadInput(
                f"`--consent {word}` is not a server's id and a reference",
                hint="write `--consent ID=REFERENCE`, such as the number of a ticket",
            )
        if server in consents:
            raise BadInput(f"`--consent` was given twice for the server `{server}`")
        consents[server] = Consent(server=server, reference=reference)
    return tuple(consents.values())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ManyNodes:
    """Which nodes besides those named one by one, and how many of them at a time."""

    group: Annotated[
        str | None, typer.Option(metavar="GROUP", help="All nodes of this group, as a chain.")
    ] = None
    aggregate: Annotated[
        str | None,
        typer.Option(metavar="AGGREGATE", help="All nodes of this host aggregate, as a chain."),
    ] = None
    at_once: Annotated[
        int | None,
        typer.Option(min=1, max=50, metavar="N", help="Nodes at a time, as a chain; by default 1."),
    ] = None
    canary: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="So many nodes go first; the others follow only if they have ended well.",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Acceptance:
    """What the acceptance server of a node that returns is made of, besides its image."""

    flavor: Annotated[
        str | None,
        typer.Option(metavar="NAME_OR_ID", help="For the same; by default the smallest that fits."),
    ] = None
    network: Annotated[
        str | None,
        typer.Option(metavar="NAME_OR_ID", help="For the same; by default it has no port."),
    ] = None
