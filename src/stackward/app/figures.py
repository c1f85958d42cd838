"""The figures of a look, for Prometheus."""

from stackward.adapters.metrics import Served, as_text, write_file
from stackward.facts.cloud_state import CheckRequest
from stackward.health.looking import check_cloud
from stackward.ports.lookout import Lookout
from stackward.report.figures import figures_of

__all__ = ["as_text", "serve_figures", "write_file"]


def serve_figures(  # noqa: PLR0913  # what it serves, where and how often
    lookout: Lookout,
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
            began = lookout.clock.monotonic()
            health, state = check_cloud(lookout, asked, state)
            served.show(figures_of(health))
            done += 1
            lookout.clock.wait(max(1.0, every_s - (lookout.clock.monotonic() - began)))
    finally:
        served.close()
