"""The figures of a look, for Prometheus."""

from stackward.adapters.metrics import Served, as_text, write_file
from stackward.facts.cloud_state import CheckRequest
from stackward.health.looking import check_cloud
from stackward.ports.probes import Probes
from stackward.report.figures import figures_of

__all__ = ["as_text", "serve_figures", "write_file"]


def serve_figures(  # noqa: PLR0913  # what it serves, where and how often
    probes: Probes,
    asked: CheckRequest,
    host: str,
    port: int,
    *,
    every_s: float,
    looks: int | None = None,
) -> None:
    """Look again and again, and serve the figures of the latest look over HTTP."""
    served = Served(host, port)
    state, done = None, 0
    try:
        while looks is None or done < looks:
            began = probes.clock.monotonic()
            health, state = check_cloud(probes, asked, state)
            served.show(figures_of(health))
            done += 1
            probes.clock.wait(max(1.0, every_s - (probes.clock.monotonic() - began)))
    finally:
        served.close()
