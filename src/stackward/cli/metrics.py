"""`stackward metrics`: a health check as figures for Prometheus."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from stackward.cli.checking import RpcOption, TimeoutOption, open_probes
from stackward.cli.options import InventoryChoice, grouped
from stackward.cli.subjects import example, subject
from stackward.errors import BadInput, ExitCode

app = subject("A health check as figures for Prometheus.")


@app.command(
    epilog=example(
        "stackward metrics",
        "stackward metrics --textfile /var/lib/node-exporter/stackward.prom",
        "stackward metrics --listen 127.0.0.1:9809 --every 60",
    ),
)
@grouped
def metrics(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    textfile: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write them there, for node_exporter to collect."),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Serve them over HTTP, until Ctrl-C."),
    ] = None,
    every: Annotated[
        float,
        typer.Option(min=5, metavar="SECONDS", help="Between two looks of `--listen`."),
    ] = 60,
    rpc: RpcOption = True,
    timeout: TimeoutOption = 8,
    choice: InventoryChoice,
) -> int:
    """Look at the cloud and print findings and probe times as gauges.

    Ends with 0 once they are printed: let an alert rule decide which findings matter.
    """
    from stackward.app.figures import as_text, serve_figures, write_file
    from stackward.facts.cloud_state import CheckRequest
    from stackward.health.looking import check_cloud
    from stackward.report.figures import figures_of

    asked = CheckRequest(within_s=timeout, rpc=rpc)
    with open_probes(context, choice) as probes:
        if listen is not None:
            host, port = place_of(listen)
            serve_figures(probes, asked, host, port, every_s=every)
            return ExitCode.DONE
        health, _ = check_cloud(probes, asked)
    if textfile is not None:
        write_file(figures_of(health), textfile)
    else:
        sys.stdout.write(as_text(figures_of(health)))
    return ExitCode.DONE


def place_of(text: str) -> tuple[str, int]:
    """Read HOST:PORT.

    Raises BadInput where it is none.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise BadInput(f"`{text}` is no HOST:PORT", hint="for instance `--listen 127.0.0.1:9809`")
    return host.strip("[]"), int(port)
