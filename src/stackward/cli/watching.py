"""`cloud check --watch`: the same look again and again; live on a terminal, else a line each."""

import sys
from typing import TYPE_CHECKING

from rich.live import Live
from rich.text import Text

from stackward.cli.checking import ended, keep_seen
from stackward.report.health import changes, screen_of, summary
from stackward.report.times import local

if TYPE_CHECKING:
    from stackward.errors import ExitCode
    from stackward.facts.cloud_state import CheckRequest
    from stackward.model.cloud_state import CloudState
    from stackward.model.health import Health
    from stackward.ports.probes import Probes


def watch_cloud(
    probes: "Probes",
    asked: "CheckRequest",
    *,
    every_s: float,
    looks: int | None = None,
    strict: bool = False,
) -> "ExitCode":
    """Look until Ctrl-C, or so many times; return how the last look would have ended."""
    from stackward.health.looking import check_cloud

    health: Health | None = None
    state: CloudState | None = None
    live = Live(auto_refresh=False) if sys.stdout.isatty() else None
    done, is_kept = 0, True
    try:
        if live:
            live.start()
        while True:
            began, before = probes.clock.monotonic(), health
            health, state = check_cloud(probes, asked, state)
            if live:
                picture = "\n".join(screen_of(health, *live.console.size))
                live.update(Text(picture, no_wrap=True, overflow="ellipsis"), refresh=True)
            else:
                _tell(health, before)
            is_kept = is_kept and keep_seen(probes, state)  # why it cannot be is said once
            done += 1
            if done == looks:
                break
            probes.clock.wait(max(1.0, every_s - (probes.clock.monotonic() - began)))
    except KeyboardInterrupt:
        if health is None:
            raise
    finally:
        if live:
            live.stop()
    return ended(health, strict=strict)


def _tell(health: "Health", before: "Health | None") -> None:
    """Write what has come and what has gone; a log keeps what a screen forgets."""
    at = local(health.read_at)
    for line in [*changes(before, health), summary(health)]:
        sys.stdout.write(f"{at} {line}\n")
    sys.stdout.flush()
