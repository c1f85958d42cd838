"""`stackward server`: the servers of the cloud, one at a time."""

from typing import TYPE_CHECKING, Annotated

import typer

from stackward.cli.options import (
    Approving,
    InventoryChoice,
    Output,
    Planning,
    Starting,
    grouped,
)
from stackward.cli.outside import settings_here
from stackward.cli.show import refuse_columns, write
from stackward.cli.subjects import example, subject
from stackward.cli.triaging import triaged
from stackward.cli.width import width_here
from stackward.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackward.triage.verdict import Verdict

app = subject("The servers of the cloud, one at a time.")


@app.command(
    epilog=example(
        "stackward server reboot web-1 --dry-run",
        "stackward server reboot web-1",
        "stackward server reboot web-1 --hard",
    ),
)
@grouped
def reboot(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    server: Annotated[
        str, typer.Argument(metavar="SERVER", help="Its name or id, of any project.")
    ],
    hard: Annotated[
        bool, typer.Option("--hard", help="Switch it off and on, without a shutdown of its guest.")
    ] = False,
    delete_attachments: Annotated[
        list[str] | None,
        typer.Option(
            "--delete-attachment",
            metavar="ID",
            help="Nova may delete this attachment of Cinder's, or of this volume; repeatable.",
        ),
    ] = None,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Reboot a server where it is, and prove that it was rebooted.

    The plan is shown first; it is carried out once it is approved. Nova deletes each attachment
    that only itself or only Cinder knows: such a reboot is refused until each of them is named. A
    server that was stopped is refused: `--hard` would start it. A reboot cannot be undone.
    """
    from stackward.cli.carrying import carry_out
    from stackward.requests.reboot_server import RebootRequest

    asked = RebootRequest(
        server=server,
        is_hard=hard,
        delete_attachments=tuple(dict.fromkeys(delete_attachments or ())),
    )
    carry_out(context, asked, planning=planning, approving=approving, choice=choice, output=output)


@app.command(
    epilog=example(
        "stackward server start web-1 --dry-run",
        "stackward server start web-1 db-1 --parallel 4",
    ),
)
@grouped
def start(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    servers: Annotated[
        list[str],
        typer.Argument(metavar="SERVER", help="Their names or ids, of any project."),
    ],
    starting: Starting,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Start servers that are off, and prove that they run.

    They start in waves, by the tier of their flavor or project and by their priority; a wave begins
    once the one before it is proved to run. What cannot be started is set aside with its reason,
    and holds up no other. The plan is shown first. A start cannot be undone.
    """
    from stackward.cli.carrying import carry_out
    from stackward.requests.start_servers import StartRequest

    asked = StartRequest(
        servers=tuple(dict.fromkeys(servers)),
        tiers=settings_here().tiers,
        at_once=starting.parallel,
        within_s=float(starting.wave_timeout),
    )
    carry_out(context, asked, planning=planning, approving=approving, choice=choice, output=output)


@app.command(
    epilog=example(
        "stackward server triage web-1",
        "stackward server triage SERVER_ID OTHER_ID -f json",
    ),
)
@grouped
def triage(
    context: typer.Context,
    *,
    servers: Annotated[
        list[str],
        typer.Argument(metavar="SERVER", help="Their names or ids, of any project."),
    ],
    choice: InventoryChoice,
    output: Output,
) -> int:
    """Find why servers do not boot; nothing is changed.

    Reads Nova's fault and actions, the logs of the last attempt, libvirt's domain and what of it is
    there (disks, volumes, bridges, devices), Neutron's ports, Cinder's volumes, and the console.
    Ends with 0 if nothing was found, 7 with a cause that is certain or likely. Ends with 6 if the
    cause is unknown or only possible, if a running server would not boot again, or if something
    could not be read.
    """
    from stackward.report.triage import COLUMNS, render_triage

    refuse_columns(COLUMNS, output)
    verdicts = triaged(context, choice, tuple(dict.fromkeys(servers)))
    write(render_triage(verdicts, output.form, output.columns, width_here()), output.form)
    return _ended(verdicts)


def _ended(verdicts: "Sequence[Verdict]") -> ExitCode:
    return max(map(_end_of, verdicts))


def _end_of(one: "Verdict") -> ExitCode:
    from stackward.model.sureness import Sureness
    from stackward.triage.verdict import Boots

    if one.boots in {Boots.NO, Boots.UNKNOWN}:
        is_known = any(each.sureness is not Sureness.POSSIBLE for each in one.causes)
        return ExitCode.BROKEN if is_known else ExitCode.DEGRADED
    return ExitCode.DEGRADED if one.causes or not one.is_whole else ExitCode.DONE
