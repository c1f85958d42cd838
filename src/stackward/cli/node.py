"""`stackward node`: the machines of the cloud."""

import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from stackward.cli.checking import (
    RpcOption,
    StrictOption,
    TablesOption,
    TimeoutOption,
    check_once,
    open_probes,
)
from stackward.cli.options import (
    HOW_SERVERS_MOVE,
    Acceptance,
    Approving,
    InventoryChoice,
    ManyNodes,
    Movers,
    Output,
    Pace,
    Planning,
    StartAnyway,
    Starting,
    StartsAtOnce,
    WaveTimeout,
    grouped,
    how_to_move,
)
from stackward.cli.outside import (
    inventory_here,
    open_world,
    settings_here,
)
from stackward.cli.reconciling import (
    KillOption,
    RepairOption,
    reconcile_here,
    refuse_without_repair,
    repair_here,
)
from stackward.cli.show import show
from stackward.cli.subjects import example, subject
from stackward.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackward.plan import Request
    from stackward.ports.journal import Journal
    from stackward.ports.world import World

app = subject("The machines of the cloud.")

KillGuests = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        help="Fence it although it lives: N guests there lose their power.",
    ),
]
ConfirmedOff = Annotated[
    str | None,
    typer.Option(
        metavar="REFERENCE",
        help="Somebody has seen at the machine that this device switches it; REFERENCE is a ticket "
        "or a mail. Only if nothing else shows it.",
    ),
]
ConfirmedDead = Annotated[
    str | None,
    typer.Option(
        "--confirmed-off",
        metavar="REFERENCE",
        help="Somebody has seen at the machine that this device switches it or, without a device, "
        "that it has no power; REFERENCE is a ticket or a mail. Only if nothing else shows it.",
    ),
]
AcceptOutage = Annotated[
    str | None,
    typer.Option(
        metavar="NODES",
        help="Fence it although most nodes are down: the names of all of them, with commas.",
    ),
]
_NODE = typer.Argument(metavar="NODE", help="As the inventory or Nova calls it.")
NodeArgument = Annotated[str, _NODE]
NodeArguments = Annotated[list[str] | None, _NODE]


@app.command(
    "list",
    epilog=example(
        "stackward node list --group compute",
        "stackward node list --maintenance",
        "stackward node list -f value -c Name",
    ),
)
@grouped
def list_nodes(  # one for each flag
    context: typer.Context,
    *,
    choice: InventoryChoice,
    group: Annotated[
        str | None, typer.Option(metavar="GROUP", help="Only the nodes of this group.")
    ] = None,
    maintenance: Annotated[
        bool,
        typer.Option("--maintenance", help="The compute nodes that Nova has disabled, and why."),
    ] = False,
    output: Output,
) -> None:
    """List the nodes of the inventory, or those out of service."""
    from stackward.app.listing import nodes_to_come
    from stackward.app.probes import memory_of
    from stackward.facts.compute import read_maintenance
    from stackward.model.unread import Unread
    from stackward.report.inventory import (
        identities_of,
        maintenance_table,
        nodes_in,
        nodes_table,
    )
    from stackward.report.text import printable

    known = inventory_here(context, choice)
    nodes_in(known, group)  # before the cloud is asked
    if not maintenance:
        show(nodes_table(known, group), output)
        return
    with open_world(context, choice) as world:
        cloud = world.cloud.identity().id
        once = memory_of(settings_here())(cloud)
        found = read_maintenance(world, None if isinstance(once, Unread) else once)
    if isinstance(once, Unread):
        sys.stderr.write(f"warning: the database of runs was not read: {printable(once.why)}\n")
    for line in identities_of(found):
        sys.stderr.write(f"note: {line}\n")
    to_come = {} if isinstance(once, Unread) else nodes_to_come(settings_here(), cloud)
    show(maintenance_table(found, known, group, to_come), output)


@app.command(
    epilog=example(
        'stackward node drain compute-07 --reason "bad DIMM"',
        'stackward node drain compute-07 --reason "bad DIMM" --dry-run',
        "stackward node drain compute-07 --reason test --dry-run --plan-out plan.json",
        "stackward node drain compute-07 compute-08 --reason firmware --dry-run",
        "stackward node drain --group rack-4 --reason firmware --canary 1 --at-once 2",
    ),
)
@grouped
def drain(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    nodes: NodeArguments = None,
    many: ManyNodes,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Shown to everyone as Nova's disabled reason.")
    ],
    planning: Planning,
    approving: Approving,
    movers: Movers,
    projects: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID_OR_NAME", help="Move only servers of this project; may be repeated."
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="NODE", help="Move all servers to this node.")
    ] = None,
    pace: Pace,
    keep_service: Annotated[
        bool, typer.Option("--keep-service", help="Leave nova-compute running afterwards.")
    ] = False,
    no_mask: Annotated[
        bool,
        typer.Option("--no-mask", help="Stop nova-compute without masking it, for Ansible's sake."),
    ] = False,
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Move all servers off living nodes; keep these out of service.

    A node is cordoned, every server is moved off it, and its service is kept stopped. The plan is
    shown first; it is carried out once it is approved, and each move and the end are proved. What
    an earlier run has left undone on the node is done; where nothing is, the end is only proved
    again.

    Several nodes are a chain: one approval, a run for each node, planned again just before its
    turn. It stops at the first that does not end well, and wherever more than was approved would
    be needed.
    """
    from stackward.cli.carrying import carry_out
    from stackward.cli.many import asked_of_nodes
    from stackward.facts.projects import read_projects
    from stackward.requests.drain_compute_node import DrainRequest

    def asked_of(world: "World", _: object, node: str) -> tuple[DrainRequest]:
        asked = DrainRequest(
            node=node,
            reason=reason,
            how=how,
            projects=read_projects(world, projects or (), node),
            target=target,
            keep_service=keep_service,
            with_mask=not no_mask,
        )
        return (asked,)

    how = how_to_move(movers, pace)
    asked = asked_of_nodes(context, "drain", nodes or (), many, choice, asked_of)
    carry_out(context, asked, planning=planning, approving=approving, choice=choice, output=output)


@app.command(
    "return",
    epilog=example(
        "stackward node return compute-07 --dry-run",
        "stackward node return compute-07 --network internal --bring-back",
        "stackward node return --group rack-4 --bring-back --canary 1 --at-once 2",
    ),
)
@grouped
def return_(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    nodes: NodeArguments = None,
    many: ManyNodes,
    bring_back: Annotated[
        bool,
        typer.Option("--bring-back", help="Then move back the servers that its drain moved away."),
    ] = False,
    run: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="The drain to undo; default: the run whose claim the node has. Required if the "
            "run is in the database of another machine.",
        ),
    ] = None,
    discard_old_disks: Annotated[
        bool,
        typer.Option(
            "--discard-old-disks",
            help="After an evacuation: let its nova-compute destroy the old guests and disks of "
            "the servers that left the node.",
        ),
    ] = False,
    boot_timeout: Annotated[
        float,
        typer.Option(
            min=1, metavar="SECONDS", help="After a fence: how long the node may take to answer."
        ),
    ] = 600,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="NAME_OR_ID",
            help="Of the acceptance server; default: the smallest public image.",
        ),
    ] = None,
    acceptance: Acceptance,
    movers: Movers,
    pace: Pace,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Put drained or evacuated nodes back into service.

    Stackward starts nova-compute, checks what it needs, uncordons the node, and boots and removes
    one acceptance server there. If that fails, the node is cordoned again.

    A node that was fenced is switched on first. When its nova-compute starts, it destroys the old
    guests and disks of evacuated servers. The plan names them, and checks that no living disk is
    among them. nova-compute is started until no evacuation is open; then Nova may use it again.

    With `--bring-back`, a second run follows under the same approval. The flags
    `--allow-downtime`, `--leave-behind`, `--consent`, `--parallel`, `--timeout` and `--when-slow`
    say which servers move in it, and how.

    Several nodes are a chain, as several nodes of a drain are.
    """
    from stackward.cli.carrying import carry_out
    from stackward.cli.many import asked_of_nodes
    from stackward.operations.return_compute_node.and_back import return_and_back
    from stackward.requests.return_compute_node import ReturnRequest
    from stackward.wording import count_of

    if not bring_back:
        _refuse_how_servers_move(context)
    how = how_to_move(movers, pace) if bring_back else None
    if run is not None and (count := len(nodes or ())) != 1:
        given = count_of(count, "node was", "nodes were")
        raise BadInput(
            f"`--run ID` is the drain of one node, but {given} given",
            hint="name only the node that this run drained, or leave `--run` out",
        )

    def asked_of(world: "World", journal: "Journal", node: str) -> "Sequence[Request]":
        asked = ReturnRequest(
            node=node,
            image=image,
            flavor=acceptance.flavor,
            network=acceptance.network,
            run=run,
            discard_old_disks=discard_old_disks,
            boot_within_s=boot_timeout,
        )
        return return_and_back(world, journal, asked, how) if how else (asked,)

    what = "return and bring back" if bring_back else "return"
    asked = asked_of_nodes(context, what, nodes or (), many, choice, asked_of)
    carry_out(context, asked, planning=planning, approving=approving, choice=choice, output=output)


def _given(context: typer.Context, names: Iterable[str]) -> list[str]:
    """Return those flags that were written, as they are written."""
    return [
        f"`--{name.replace('_', '-')}`"
        for name in names
        if (source := context.get_parameter_source(name)) and source.name != "DEFAULT"
    ]


def _refuse_how_servers_move(context: typer.Context) -> None:
    """Refuse flags that would be passed over: without `--bring-back` no server moves."""
    given = _given(context, HOW_SERVERS_MOVE)
    if given:
        raise BadInput(
            f"{', '.join(given)}: only servers that are brought back move",
            hint="add `--bring-back`, or leave that out",
        )


@app.command(
    epilog=example(
        "stackward node fence compute-07 --dry-run",
        "stackward node fence compute-07",
        "stackward node fence compute-07 --kill-guests 12",
        "stackward node fence compute-07 --confirmed-off INC-4711",
        "stackward node fence --check",
        "stackward node fence compute-07 --check",
    ),
)
@grouped
def fence(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    node: Annotated[
        str | None,
        typer.Argument(
            metavar="NODE",
            help="Its name in the inventory or in Nova; `--check` without it: all nodes.",
        ),
    ] = None,
    kill_guests: KillGuests = None,
    confirmed_off: ConfirmedOff = None,
    accept_outage: AcceptOutage = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Switch nothing: ask the devices and the nodes."),
    ] = False,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", min=1, metavar="SECONDS", help="Of `--check`, for each device and node."
        ),
    ] = 20,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> int | None:
    """Cut the power of a dead compute node, and prove it is dead.

    The device that the inventory names cuts its power. Then three things are proved: the device
    says Off, twice; it is this node's device; the node is silent. The plan is shown first. A living
    node is refused: drain it. A fence moves no server and cannot be undone: switch the node on
    again, then `stackward node return` it.

    `--check` switches nothing. It asks whether a fence would work and would be proved. It checks
    the login, the orders of the device, whose power it switches, and what its node does when power
    returns. Exit codes: 0 (it would work), 6 (not all of it is known), 7 (it would not), 8
    (no device answered).
    """
    from stackward.cli.carrying import carry_out
    from stackward.requests.fence_compute_node import FenceRequest

    if check:
        from stackward.cli.power_check import check_power_of

        _refuse_besides_check(context)
        return check_power_of(context, node, timeout=timeout, choice=choice, output=output)
    if node is None:
        raise BadInput("no node is named", hint="only `--check` asks the devices of all nodes")
    _refuse_later(context, "a fence")
    asked = FenceRequest(
        node=node,
        kill_guests=kill_guests,
        confirmed_off=(confirmed_off or "").strip() or None,
        accept_outage=_named(accept_outage),
    )
    carry_out(context, asked, planning=planning, approving=approving, choice=choice, output=output)
    return None


Ids = Annotated[
    list[str] | None,
    typer.Option(metavar="ID", help="Only this server; may be repeated."),
]


@app.command(
    "evacuate",
    epilog=example(
        "stackward node evacuate compute-07 --reason 'its board burned' --dry-run",
        "stackward node evacuate compute-07 --reason INC-4711 --to compute-12",
        "stackward node evacuate compute-07 --reason INC-4711 --accept-data-loss ID",
        "stackward node evacuate c07 --reason INC-4711 --confirmed-off INC-4711",
    ),
)
@grouped
def evacuate(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    node: NodeArgument,
    *,
    reason: Annotated[
        str,
        typer.Option(metavar="WHY", help="Reason, shown to everyone as Nova's disabled reason."),
    ],
    to: Annotated[
        str | None, typer.Option("--to", "--target", metavar="NODE", help="All servers go there.")
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, metavar="N", help="Servers at a time.")] = 4,
    only: Ids = None,
    leave_behind: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="This server stays; may be repeated.")
    ] = None,
    with_stopped: Annotated[
        bool,
        typer.Option(
            "--with-stopped",
            help="Bring along, last, what was off: Nova boots it for seconds before it stops it.",
        ),
    ] = False,
    accept_data_loss: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Give up what is on the local disk of this server: it gets a new one, made of "
            "its image; may be repeated.",
        ),
    ] = None,
    reset_state: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Call this server active first: it is in ERROR, PAUSED, SUSPENDED or RESCUE, or "
            "Nova was at work on it; may be repeated.",
        ),
    ] = None,
    kill_domain: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NODE/ID",
            help="End the guest of this server that a move has left on that node: power cut; the "
            "disk stays; may be repeated.",
        ),
    ] = None,
    start: StartAnyway = None,
    leave_off: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Evacuate it, and leave it off; may be repeated."),
    ] = None,
    start_parallel: StartsAtOnce = 2,
    wave_timeout: WaveTimeout = 300,
    consent: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=REFERENCE",
            help="The owner of this server, who wishes to be asked, agrees; may be repeated.",
        ),
    ] = None,
    kill_guests: KillGuests = None,
    confirmed_off: ConfirmedDead = None,
    accept_outage: AcceptOutage = None,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Bring the servers of a dead compute node up elsewhere.

    The node is claimed and fenced, and proved dead, as by `stackward node fence`. Then Nova builds
    each of its servers on another node and leaves it stopped there. Each is proved: where it is,
    that it is nowhere else, and that it has the disk that the plan has promised. A server whose
    disk no other node sees is refused, unless `--accept-data-loss` names it. Then those that ran
    before the loss are started, in waves, by tier and priority, each proved to run; what its owner
    had stopped stays off. The plan is shown first.
    """
    from stackward.cli.carrying import carry_out
    from stackward.cli.options import consents_in
    from stackward.requests.evacuate_compute_node import EvacuateRequest
    from stackward.requests.how_to_move import HowToMove

    _refuse_later(context, "an evacuation")
    asked = EvacuateRequest(
        node=node,
        reason=reason,
        how=HowToMove(
            leave_behind=tuple(leave_behind or ()),
            consents=consents_in(consent or ()),
            at_once=parallel,
        ),
        target=to,
        only=tuple(only or ()),
        with_stopped=with_stopped,
        accept_data_loss=tuple(accept_data_loss or ()),
        reset_state=tuple(reset_state or ()),
        kill_domain=tuple(kill_domain or ()),
        start=tuple(start or ()),
        leave_off=tuple(leave_off or ()),
        tiers=settings_here().tiers,
        starts_at_once=start_parallel,
        within_s=float(wave_timeout),
        kill_guests=kill_guests,
        confirmed_off=(confirmed_off or "").strip() or None,
        accept_outage=_named(accept_outage),
    )
    carry_out(context, asked, planning=planning, approving=approving, choice=choice, output=output)


def _named(words: str | None) -> tuple[str, ...]:
    return tuple(each.strip() for each in (words or "").split(",") if each.strip())


def _refuse_later(context: typer.Context, what: str) -> None:
    """Refuse to leave to workers, or to a later time, what depends on the present state."""
    if given := _given(context, ("queue", "at", "window")):
        raise BadInput(
            f"{', '.join(given)}: {what} is carried out while somebody watches it",
            stands="nothing was changed",
            hint=f"leave {', '.join(given)} out",
        )


def _refuse_besides_check(context: typer.Context) -> None:
    """Refuse flags of a fence that would be passed over."""
    given = _given(
        context,
        (
            "kill_guests",
            "confirmed_off",
            "accept_outage",
            "plan_out",
            "yes",
            "queue",
            "at",
            "window",
        ),
    )
    if given:
        raise BadInput(
            f"{', '.join(given)}: `--check` switches nothing", hint="leave one of them out"
        )


class GateVerb(StrEnum):
    """What is done to a gate."""

    INSTALL = "install"
    REMOVE = "remove"
    OPEN = "open"


@app.command(
    epilog=example(
        "stackward node gate install compute-07",
        "stackward node gate open compute-07",
        "stackward node gate remove compute-07 --dry-run",
    ),
)
@grouped
def gate(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    verb: Annotated[GateVerb, typer.Argument(metavar="VERB", help="install, remove or open.")],
    node: NodeArgument,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Keep nova-compute stopped after a crash, until you start it.

    At its start nova-compute removes the guests and disks of servers that were evacuated from its
    node. `install` puts a gate before it. After a planned reboot (a shutdown, and a boot within 15
    minutes) it starts by itself; after a crash or a loss of power it waits for `node return`, or
    for `open`, which starts it. `remove` takes the gate away. Refused where a container runs
    nova-compute, and where an instance-HA service looks after the node.
    """
    from stackward.cli.carrying import carry_out
    from stackward.requests.change_boot_gate import GateRequest

    to = {GateVerb.INSTALL: "installed", GateVerb.REMOVE: "removed", GateVerb.OPEN: "open"}
    asked = GateRequest(node=node, to=to[verb])
    carry_out(context, asked, planning=planning, approving=approving, choice=choice, output=output)


@app.command(
    epilog=example(
        "stackward node recover compute-07 --dry-run",
        "stackward node recover compute-07 --parallel 4",
    ),
)
@grouped
def recover(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    node: NodeArgument,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Bring up only this server; may be repeated."),
    ] = None,
    start: StartAnyway = None,
    leave_off: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="This server stays as it is; may be repeated."),
    ] = None,
    starting: Starting,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Start the servers that ran on a node before it was lost.

    The node must be back, and work. Nova, libvirt's logs and our own looks show which servers ran.
    Servers that were off stay off. If the witnesses differ, the server is named and left off.
    Servers start in waves, by tier and priority; each wave is proved to run before the next starts.
    The plan is shown first. A recovery cannot be undone.
    """
    from stackward.cli.carrying import carry_out
    from stackward.cli.triaging import explaining
    from stackward.requests.recover_compute_node import RecoverRequest

    asked = RecoverRequest(
        node=node,
        only=tuple(only or ()),
        start=tuple(start or ()),
        leave_off=tuple(leave_off or ()),
        tiers=settings_here().tiers,
        at_once=starting.parallel,
        within_s=float(starting.wave_timeout),
    )
    carry_out(
        context,
        asked,
        planning=planning,
        approving=approving,
        choice=choice,
        output=output,
        explain=explaining(context, choice),
    )


@app.command(
    epilog=example(
        "stackward node reboot compute-07 --in-place --dry-run",
        "stackward node reboot compute-07 --drain --network internal",
        "stackward node reboot --group rack-4 --in-place --canary 1",
    ),
)
@grouped
def reboot(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    nodes: NodeArguments = None,
    many: ManyNodes,
    drain: Annotated[
        bool,
        typer.Option(
            "--drain", help="Its servers move away first, and come home once it has returned."
        ),
    ] = False,
    in_place: Annotated[
        bool,
        typer.Option(
            "--in-place", help="Its servers stay there: stopped before, and started again after it."
        ),
    ] = False,
    if_needed: Annotated[
        bool,
        typer.Option(
            "--if-needed",
            help="Pass over nodes that run the chosen kernel and no replaced file, and do not ask "
            "for a reboot.",
        ),
    ] = False,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Shown to everyone as Nova's disabled reason.")
    ] = "reboot",
    consent: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=REFERENCE",
            help="The owner of this server, who wishes to be asked, agrees; may be repeated.",
        ),
    ] = None,
    timeout: Annotated[
        int,
        typer.Option(min=1, metavar="SECONDS", help="In which the node must have booted."),
    ] = 900,
    allow_downtime: Annotated[
        bool,
        typer.Option(
            "--allow-downtime", help="Of `--drain`: stop running servers that cannot move live."
        ),
    ] = False,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="NAME_OR_ID",
            help="With `--drain`: image of the acceptance server; default: smallest public one.",
        ),
    ] = None,
    acceptance: Acceptance,
    starting: Starting,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Reboot compute nodes, drained first or in place.

    `--drain`: the node is drained, rebooted and returned to service, and its servers come home;
    four runs under one approval, and nobody else gets the node in between.
    `--in-place`: the node is cordoned, and who runs on it is written down there. The servers that
    run are stopped, from the last tier to the first; the node reboots, which is proved by another
    boot; once it works, it is uncordoned, and exactly these servers are started again, in waves.
    What was off stays off. The plan is shown first. A reboot cannot be undone.

    Several nodes are a chain, as several nodes of a drain are. Nodes at the same time (`--at-once`)
    are of one failure domain, by the inventory, else of one availability zone. In place, no two
    nodes with members of one anti-affinity group are down at once.
    """
    from stackward.cli.carrying import carry_out
    from stackward.cli.many import asked_of_nodes
    from stackward.cli.options import consents_in
    from stackward.operations.reboot_compute_node.after_drain import drained_and_back
    from stackward.requests.drain_compute_node import DrainRequest
    from stackward.requests.how_to_move import HowToMove
    from stackward.requests.reboot_compute_node import RebootNodeRequest
    from stackward.requests.return_compute_node import ReturnRequest

    if drain == in_place:
        raise BadInput(
            "it is not said what becomes of the servers on the node"
            if not drain
            else "`--drain` and `--in-place` are two ways",
            hint="pass `--drain`: they move away, and come home; or `--in-place`: they are "
            "stopped there, and started again",
        )
    _refuse_of_the_other_way(context, drain=drain)
    consents = consents_in(consent or ())
    how = HowToMove(allow_downtime=allow_downtime, consents=consents, at_once=starting.parallel)

    def asked_of(world: "World", _journal: "Journal", node: str) -> "Sequence[Request]":
        if if_needed and not _needs_reboot(world, node):
            return ()
        asked = RebootNodeRequest(
            node=node,
            reason=reason,
            consents=() if drain else consents,
            tiers=settings_here().tiers,
            at_once=starting.parallel,
            within_s=float(starting.wave_timeout),
            boot_within_s=float(timeout),
            is_drained=drain,
            nodes_at_once=many.at_once or 1,
        )
        if in_place:
            return (asked,)
        returned = ReturnRequest(
            node=node, image=image, flavor=acceptance.flavor, network=acceptance.network
        )
        drained = DrainRequest(node=node, reason=reason, how=how, away_at_once=asked.nodes_at_once)
        return drained_and_back(drained, asked, returned)

    asked = asked_of_nodes(context, "reboot", nodes or (), many, choice, asked_of, needs_well=True)
    carry_out(context, asked, planning=planning, approving=approving, choice=choice, output=output)


def _needs_reboot(world: "World", node: str) -> bool:
    """Say on stderr whether a node needs a reboot, and why; one that may need it is rebooted."""
    from stackward.facts.named import find_node
    from stackward.facts.reboot_need import read_reboot_need
    from stackward.model.unread import Unread
    from stackward.report.text import printable

    name = find_node(world, world.nova.services(), node).match.node
    needs = read_reboot_need(world.shell, name) if name else ()
    why = [each.why if isinstance(each, Unread) else each for each in needs]
    is_needed = bool(needs) or name is None
    said = "is rebooted" if is_needed else "is passed over: it needs no reboot"
    sys.stderr.write(
        printable(f"note: `{node}` {said}{': ' if why else ''}{'; '.join(why)}") + "\n"
    )
    return is_needed


def _refuse_of_the_other_way(context: typer.Context, *, drain: bool) -> None:
    """Refuse flags of a reboot that would be passed over."""
    others = ("wave_timeout",) if drain else ("allow_downtime", "image", "flavor", "network")
    if given := _given(context, others):
        way = "--in-place" if drain else "--drain"
        raise BadInput(
            f"{', '.join(given)}: only `{way}` needs that", hint=f"leave it out, or pass `{way}`"
        )


@app.command(
    epilog=example(
        "stackward node reconcile compute-07",
        "stackward node reconcile compute-07 -f json",
        "stackward node reconcile compute-07 --repair allocation-double --dry-run",
    ),
)
@grouped
def reconcile(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    node: NodeArgument,
    repair: RepairOption = None,
    kill_domain: KillOption = None,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> int:
    """Compare what Nova, libvirt and others know of a node's servers.

    The others are placement, Neutron and Cinder. It shows where they disagree, and what to do. All
    nodes are asked, as by `cloud reconcile`: a server of this node may be on another too. Only
    cases of this node are shown. Without `--repair` nothing is changed.

    Exit codes: 0 (all agree), 6 (they disagree, or part of it could not be read), 7 (a server runs
    on two nodes), 8 (Nova cannot be asked).

    `--repair` makes a plan of the cases of a class, which is shown first and carried out once it is
    approved; what cannot be proved by the other witnesses is left alone. It ends as a run does, and
    with 3 where nothing can be repaired. A guest is ended only where `--kill-domain` names it.
    """
    if repair is None:
        refuse_without_repair(planning, approving, kill_domain, orphans=False)
        return reconcile_here(context, choice, output, node)
    return repair_here(
        context,
        repair,
        kill_domain=kill_domain,
        node=node,
        planning=planning,
        approving=approving,
        choice=choice,
        output=output,
    )


@app.command(
    epilog=example("stackward node check compute-07", "stackward node check ctl -f json"),
)
@grouped
def check(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    node: NodeArgument,
    rpc: RpcOption = True,
    tables: TablesOption = False,
    strict: StrictOption = False,
    timeout: TimeoutOption = 8,
    choice: InventoryChoice,
    output: Output,
) -> int:
    """Say what is well on a node, what is not, why, and what to do.

    The node is looked at, and the APIs are asked what they hear from it. Nothing is changed. Ends
    with 0 (well as far as asked), 6 (degraded, or part of it could not be looked at), 7 (broken)
    or 8 (nothing was reached).
    """
    from stackward.facts.cloud_state import CheckRequest
    from stackward.health.looking import check_node

    with open_probes(context, choice) as probes:
        asked = CheckRequest(within_s=timeout, tables=tables, rpc=rpc)
        return check_once(probes, lambda: check_node(probes, node, asked), output, strict=strict)
