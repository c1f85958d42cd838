"""Read from the journal which nodes are being rebooted in place now, or were left in the middle."""

import json
from collections.abc import Mapping

from stackward.model.run import Run, RunState
from stackward.ports.journal import Journal
from stackward.requests.reboot_compute_node import RebootNodeRequest

_LATEST = 1000  # runs in which they are looked for


def read_rebooted(journal: Journal, cloud: str, *, but: str | None) -> Mapping[str, str]:
    """Return the hosts whose servers a reboot in place may have off now, each with that run.

    One that stopped midway counts until it is resumed or cancelled. One that waits for its turn
    has nothing off; `but` is the run that asks.
    """
    found: dict[str, str] = {}
    for run in journal.runs(limit=_LATEST, cloud=cloud):
        if run.id != but and not run.state.is_over and not _waits(run) and _is_in_place(run):
            found |= {host: run.id for host in run.holds if host not in found}
    return found


def _waits(run: Run) -> bool:
    return run.state is RunState.QUEUED and run.awaits_its_turn


def _is_in_place(run: Run) -> bool:
    asked = json.loads(run.plan)["request"]
    return asked["kind"] == RebootNodeRequest.kind and not asked.get("is_drained")
