"""`stackward server`: the servers of the cloud, one at a time."""

from typing import Annotated

import typer

from stackward.cli.options import Approving, InventoryChoice, Output, Planning, grouped
from stackward.cli.subjects import example, subject

app = subject("The servers of the cloud, one at a time.")


@app.callback()
def _subject() -> None:
    """Keep the verb, although there is only one as yet."""


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
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Reboot a server where it is, and prove that it was rebooted.

    The plan is shown first; it is carried out once it is approved. It names the volumes that Nova
    or Cinder would forget by the reboot. A server that was stopped is refused: `--hard` would start
    it. A reboot cannot be undone.
    """
    from stackward.cli.carrying import carry_out
    from stackward.requests.reboot_server import RebootRequest

    asked = RebootRequest(server=server, is_hard=hard)
    carry_out(context, asked, planning=planning, approving=approving, choice=choice, output=output)
