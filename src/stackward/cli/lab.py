"""`stackward lab`: a disposable real cloud on this machine."""

import os
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stackward.cli.options import Output, grouped
from stackward.cli.show import (
    refuse_columns,
    say_next,
    show,
    write,
)
from stackward.cli.subjects import example, subject
from stackward.errors import BadInput
from stackward.report.tables import Form, Table, render_records

if TYPE_CHECKING:
    from stackward.lab.claims import Claims
    from stackward.lab.spec import Lab

app = subject("A disposable real cloud on this machine.")
power_app = subject("The power of a node, through its BMC.")
cache_app = subject("What was built once for all labs of this machine.")
app.add_typer(power_app, name="power")
app.add_typer(cache_app, name="cache")

NameOption = Annotated[
    str, typer.Option("--name", metavar="NAME", envvar="STACKWARD_LAB", help="Which lab.")
]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        help="Where root file systems are kept; by default STACKWARD_CACHE_DIR/lab.",
    ),
]
MirrorOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="The Debian mirror to build from; by default that of this machine's apt sources.",
    ),
]
NodeArgument = Annotated[str, typer.Argument(metavar="NODE", help="Such as c01.")]
FaultArgument = Annotated[str, typer.Argument(metavar="FAULT", help="See `stackward lab faults`.")]
TargetArgument = Annotated[
    str | None, typer.Argument(metavar="TARGET", help="A node, or a server's name or id.")
]


def _claims(cache: Path | None = None) -> "Claims":
    from stackward.lab.claims import Claims
    from stackward.settings import read_settings

    settings = read_settings(os.environ, is_root=os.geteuid() == 0)
    return Claims(settings.state_dir / "labs", _whole(cache) or settings.cache_dir / "lab")


def _whole(cache: Path | None) -> Path | None:
    return None if cache is None else Path.cwd() / cache


def _lab(name: str) -> "Lab":
    from stackward.lab.host import require_root

    require_root()
    return _claims().get(name)


@app.command(
    epilog=example(
        "stackward lab up --install",
        "stackward lab up --name two --computes 3 --shared-instances",
        "stackward lab up --name big --profile scale --fake-computes 20",
    )
)
def up(  # noqa: PLR0913, PLR0917  # one parameter for each option
    name: NameOption = "lab",
    profile: Annotated[
        str | None, typer.Option(metavar="PROFILE", help="small or scale; a new lab is small.")
    ] = None,
    computes: Annotated[
        int | None,
        typer.Option(metavar="N", help="Compute nodes with real guests; a new lab has 2."),
    ] = None,
    fake_computes: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="With the profile scale: fake nova-computes; a new lab has 3."
        ),
    ] = None,
    shared_instances: Annotated[
        bool,
        typer.Option("--shared-instances", help="The compute nodes share /var/lib/nova/instances."),
    ] = False,
    release: Annotated[
        str | None, typer.Option(metavar="NAME", help="Debian's release; a new lab has trixie.")
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(metavar="CIDR", help="The nodes' network; a new lab has a free 10.77.x.0/24."),
    ] = None,
    cache: CacheOption = None,
    mirror: MirrorOption = None,
    install: Annotated[
        bool, typer.Option("--install", help="Install missing packages with apt.")
    ] = False,
) -> None:
    """Build what is missing, start the lab, and prove that it works.

    On a lab that runs it changes nothing; after a failure or a kill it finishes the work.
    What is not said of a lab that is there stays as it is; what is said must be so.
    """
    from stackward.lab.claims import Asked
    from stackward.lab.cloud import bring_up
    from stackward.report.progress import Phases

    asked = Asked(
        name=name,
        profile=profile,
        computes=computes,
        fake_computes=fake_computes,
        shared_instances=shared_instances or None,
        release=release,
        network=network,
        cache=_whole(cache),
    )
    with Phases() as progress:
        lab = bring_up(_claims(), asked, progress, mirror=mirror, install=install)
    sys.stderr.write(f"the lab `{lab.name}` is up\n")
    say_next(
        f'`eval "$(stackward lab openrc --name {lab.name})"` sets OS_CLOUD and '
        "STACKWARD_INVENTORY for it"
    )


@app.command(epilog=example("stackward lab down", "stackward lab down --purge"))
def down(
    name: NameOption = "lab",
    purge: Annotated[bool, typer.Option("--purge", help="Remove its disks too.")] = False,
) -> None:
    """Stop a lab and leave nothing of it running or mounted."""
    from stackward.lab import cloud
    from stackward.lab.host import require_root
    from stackward.report.progress import Phases

    require_root()
    claims = _claims()
    with Phases() as progress:
        if purge:
            with progress.phase(f"remove the lab `{name}`"):
                cloud.purge(claims, name)
            return
        lab = claims.get(name)
        with claims.changing(lab), progress.phase(f"shut the lab `{name}` down"):
            cloud.shut_down(lab)


@app.command(epilog=example("stackward lab reset"))
def reset(name: NameOption = "lab", mirror: MirrorOption = None) -> None:
    """Put a lab back to its first state; what was done in it is gone."""
    from stackward.lab import cloud
    from stackward.report.progress import Phases

    lab = _lab(name)
    with _claims().changing(lab), Phases() as progress:
        cloud.reset(lab, progress, mirror)


@app.command("list", epilog=example("stackward lab list -f json"))
@grouped
def list_labs(
    *,
    output: Output,
) -> None:
    """List the labs of this machine."""
    from stackward.lab.host import require_root
    from stackward.lab.machine import Machine

    require_root()
    rows = tuple(
        (
            lab.name,
            lab.profile,
            lab.network,
            tuple(node.name for node in lab.nodes),
            sum(Machine(lab, node).is_on() for node in lab.nodes),
        )
        for lab in _claims().all()
    )
    columns = ("Name", "Profile", "Network", "Nodes", "Nodes on")
    show(Table(columns=columns, rows=rows, gives_way=("Nodes on", "Profile")), output)


@app.command(epilog=example("stackward lab status", "stackward lab status -f json"))
@grouped
def status(
    *,
    name: NameOption = "lab",
    output: Output,
) -> None:
    """Show the state of a lab, its faults, and its stand-ins.

    As `value` or `csv`, or with columns named: its nodes as rows.
    The exit code is 0 when all is well, 6 when something is not, 7 when the cloud does not work.
    """
    from stackward.lab.shown import nodes_table, status_record, status_text
    from stackward.lab.status import read_status

    seen = read_status(_lab(name))
    if output.is_of_rows:
        show(nodes_table(seen), output)
    elif output.form is Form.TABLE:
        sys.stdout.write(status_text(seen))
    else:
        write(render_records(status_record(seen), output.form), output.form)
    raise typer.Exit(seen.exit_code)


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog=example("stackward lab ssh c01", "stackward lab ssh --name lab ctl systemctl --failed"),
)
def ssh(
    node: NodeArgument,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="By default a shell.")
    ] = None,
    name: NameOption = "lab",
) -> None:
    """Log in to a node as root, or run a command there.

    Options come before the node. All that follows it is the command.
    """
    from stackward.lab.ssh import hand_over, ssh_command

    if command and command[0] == "--":  # what ends the options is no part of the command
        command = command[1:]
    elif command and command[0].startswith("-"):
        raise BadInput(
            f"`{command[0]}` comes after the node, so it would be a part of the command",
            hint=f"options come before the node: `stackward lab ssh [OPTIONS] {node} [COMMAND...]`",
        )
    lab = _lab(name)
    # One word is a line for the node's shell, as with ssh itself; several are one command.
    quoted = command if command is None or len(command) == 1 else [shlex.join(command)]
    hand_over(ssh_command(lab, lab.node(node).name, quoted or [], terminal=not command))


@app.command(
    epilog=example("stackward lab console load-1", "stackward lab console load-1 --attach")
)
def console(
    server: Annotated[str, typer.Argument(metavar="SERVER", help="Its name or id.")],
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
    attach: Annotated[bool, typer.Option("--attach", help="Type into it; Ctrl-] leaves.")] = False,
    name: NameOption = "lab",
) -> None:
    """Show what a server has written to its console."""
    from stackward.lab.consoles import attach_command, console_output
    from stackward.lab.ssh import hand_over

    lab = _lab(name)
    if attach:
        hand_over(attach_command(lab, server))
    for text in console_output(lab, server, follow=follow):
        sys.stdout.write(text)
        sys.stdout.flush()


class Order(StrEnum):
    """What can be asked of a power switch."""

    ON = "on"
    OFF = "off"
    RESET = "reset"
    STATUS = "status"


def _power(order: Order, node: str, name: str, *, clean: bool = False) -> None:
    from stackward.lab.power import apply

    sys.stdout.write(apply(_lab(name), node, order.value, clean=clean) + "\n")


@power_app.command("on", epilog=example("stackward lab power on c02"))
def power_on(node: NodeArgument, name: NameOption = "lab") -> None:
    """Boot a node."""
    _power(Order.ON, node, name)


@power_app.command("off", epilog=example("stackward lab power off c02"))
def power_off(
    node: NodeArgument,
    clean: Annotated[
        bool, typer.Option("--clean", help="Press the button instead of cutting the power.")
    ] = False,
    name: NameOption = "lab",
) -> None:
    """Cut a node's power: when this returns it is dead."""
    _power(Order.OFF, node, name, clean=clean)


@power_app.command("reset", epilog=example("stackward lab power reset c02"))
def power_reset(node: NodeArgument, name: NameOption = "lab") -> None:
    """Cut a node's power and boot it again."""
    _power(Order.RESET, node, name)


@power_app.command("status", epilog=example("stackward lab power status c02"))
def power_status(node: NodeArgument, name: NameOption = "lab") -> None:
    """Show whether a node has power, as its BMC says."""
    _power(Order.STATUS, node, name)


@app.command(epilog=example('eval "$(stackward lab openrc)"', "stackward lab openrc --demo"))
def openrc(
    demo: Annotated[
        bool, typer.Option("--demo", help="For the user `demo`, who is no administrator.")
    ] = False,
    name: NameOption = "lab",
) -> None:
    """Print the lines that point your shell's clients at a lab."""
    from stackward.lab.client import environment

    for variable, value in environment(_lab(name), demo=demo).items():
        sys.stdout.write(f"export {variable}={shlex.quote(value)}\n")


@app.command(
    "exec",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog=example(
        "stackward lab exec openstack server list", "stackward lab exec stackward node list"
    ),
)
def exec_command(
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND", help="A program and its arguments.")
    ],
    name: NameOption = "lab",
) -> None:
    """Run a command of this machine with the lab's environment."""
    from stackward.lab.client import environment
    from stackward.lab.command import path_with_own_programs
    from stackward.lab.ssh import hand_over

    lab = _lab(name)
    try:
        hand_over(
            command, {**os.environ, **environment(lab), "PATH": path_with_own_programs(os.environ)}
        )
    except FileNotFoundError:
        raise BadInput(f"there is no program `{command[0]}` on this machine") from None
    except PermissionError:
        raise BadInput(f"`{command[0]}` is no program that can be run") from None


@app.command(epilog=example("stackward lab load 6", "stackward lab load 10 --node c01"))
@grouped
def load(  # one for each flag
    *,
    count: Annotated[int, typer.Argument(metavar="N", min=1, max=200, help="How many servers.")],
    node: Annotated[
        str | None,
        typer.Option(metavar="NODE", help="All on this node; by default on all in turn."),
    ] = None,
    after_loss: Annotated[
        bool,
        typer.Option("--after-loss", help="Only have its owner stop load-10: its node was lost."),
    ] = False,
    name: NameOption = "lab",
    output: Output,
) -> None:
    """Fill a lab with servers of the project `demo`.

    The first five: running, stopped, paused, with a volume, in an anti-affinity group.
    The seventh to the tenth are for the loss of a node: with a priority, of a tier, switched off by
    its own guest, and one to be stopped. Its owner does that by `--after-loss`.
    The eleventh has an ephemeral disk.
    The rest just run.
    Servers that are there from an earlier call are kept.
    """
    from stackward.lab.load import fill, stop_after_loss
    from stackward.report.progress import Phases
    from stackward.wording import count_of

    columns = ("Name", "ID", "Node", "Kind")
    refuse_columns(columns, output)
    lab = _lab(name)
    if after_loss:
        loaded = [stop_after_loss(lab)]
    else:
        with Phases() as progress, progress.phase(count_of(count, "server")):
            loaded = fill(lab, count, node, progress.tell)
    show(
        Table(
            columns=columns,
            rows=tuple(
                (server.name, server.id, server.node, server.kind.value) for server in loaded
            ),
            gives_way=("Node",),
        ),
        output,
    )


ExtraArgument = Annotated[str, typer.Argument(metavar="SERVICE", help="Such as masakari.")]


@app.command(epilog=example("stackward lab add masakari"))
def add(service: ExtraArgument, name: NameOption = "lab") -> None:
    """Start one more service, and put it into the catalog."""
    from stackward.lab.extras import add as add_extra
    from stackward.lab.extras import extra_named
    from stackward.report.progress import Phases

    lab, extra = _lab(name), extra_named(service)
    with Phases() as progress, progress.phase(f"start {extra.name}"):
        add_extra(lab, extra)
    sys.stdout.write(f"{extra.name} is in the catalog as `{extra.catalog_type}`\n")


@app.command(epilog=example("stackward lab drop masakari"))
def drop(service: ExtraArgument, name: NameOption = "lab") -> None:
    """Take such a service out of the catalog again, and stop it."""
    from stackward.lab.extras import extra_named, remove

    lab, extra = _lab(name), extra_named(service)
    remove(lab, extra)
    sys.stdout.write(f"{extra.name} is out of the catalog\n")


@app.command(epilog=example("stackward lab faults", "stackward lab faults -f json"))
@grouped
def faults(
    *,
    output: Output,
) -> None:
    """List the faults that can be put into a lab."""
    from stackward.lab.faults import ALL

    show(
        Table(
            columns=("Name", "Target", "What is done", "Symptom"),
            rows=tuple(
                (fault.name, fault.target.value, fault.what, fault.symptom) for fault in ALL
            ),
        ),
        output,
    )


@app.command(
    "break",
    epilog=example(
        "stackward lab break node-power-loss c02",
        "stackward lab break domain-undefined load-1",
        "stackward lab break method-raises nova.compute.api:API.attach_volume",
    ),
)
def break_command(
    fault: FaultArgument, target: TargetArgument = None, name: NameOption = "lab"
) -> None:
    """Put a fault into a lab and wait until its symptom is seen."""
    from stackward.lab.faults import FAULTS, break_lab, named
    from stackward.report.progress import Phases

    lab = _lab(name)
    with Phases() as progress, progress.phase(f"{named(fault).name}: wait for the symptom"):
        hit = break_lab(lab, fault, target)
    sys.stdout.write(f"{fault} on {hit}: {FAULTS[fault].symptom}\n")


@app.command(epilog=example("stackward lab mend node-power-loss c02"))
def mend(fault: FaultArgument, target: TargetArgument = None, name: NameOption = "lab") -> None:
    """Remove a fault and wait until its symptom is gone.

    The fault of a server that was deleted since went with it, and is struck off the record.
    """
    from stackward.lab.faults import mend_lab, named
    from stackward.report.progress import Phases

    lab = _lab(name)
    with Phases() as progress, progress.phase(f"{named(fault).name}: wait until it is gone"):
        mended = mend_lab(lab, fault, target)
    how = "gone with its server, which was deleted" if mended.went_with_its_server else "gone"
    sys.stdout.write(f"{fault} on {mended.target}: {how}\n")
    if mended.stays:
        sys.stderr.write(f"{mended.stays}\n")


@cache_app.command("list", epilog=example("stackward lab cache list"))
@grouped
def cache_list(
    *,
    cache: CacheOption = None,
    output: Output,
) -> None:
    """List what the cache holds."""
    from stackward.lab.images import Cache, size_mib

    rows = tuple((layer.name, size_mib(layer)) for layer in Cache(_claims(cache).cache).layers())
    show(Table(columns=("Layer", "MiB"), rows=rows), output)


@cache_app.command("clear", epilog=example("stackward lab cache clear"))
def cache_clear(cache: CacheOption = None) -> None:
    """Remove from the cache what no lab uses."""
    from stackward.lab.cloud import clear_cache
    from stackward.lab.host import require_root

    require_root()
    removed, kept = clear_cache(_claims(cache))
    for name in removed:
        sys.stdout.write(f"removed {name}\n")
    for name in kept:
        sys.stderr.write(f"kept {name}: a lab uses it\n")
