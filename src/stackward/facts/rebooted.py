"""Read from the journal which nodes are being rebooted in place now, or were left in the middle."""

import json
from collections.abc import Mapping

from stackward.facts.who_ran import stops_of
from stackward.model.node_boot import NodeBoot
from stackward.model.run import Run, RunState
from stackward.model.who_ran import Listed
from stackward.ports.journal import Journal
from stackward.requests.reboot_compute_node import RebootNodeRequest

_LATEST = 1000  # runs in which they are looked for
_CHANGED_NOTHING = {RunState.REFUSED, RunState.NOT_BEGUN}


def read_rebooted(journal: Journal, cloud: str, *, but: str | None) -> Mapping[str, Run]:
    """Return the hosts whose servers a reboot in place may have off now, each with that run.

    One that is over counts too, unless it succeeded or a later one did: it may have left servers
    off. One that waits for its turn has nothing off; `but` is the run that asks.
    """
    found: dict[str, Run] = {}
    settled: set[str] = set()
    for run in journal.runs(limit=_LATEST, cloud=cloud):  # the newest first
        if run.id == but or run.state in _CHANGED_NOTHING or _waits(run) or not _is_in_place(run):
            continue
        if run.state is RunState.SUCCEEDED:
            settled.update(run.holds)
            continue
        for host in run.holds:
            known = found.get(host)
            if run.state.is_over:
                if known is None and host not in settled:
                    found[host] = run
            elif known is None or known.state.is_over:
                found[host] = run
    return found


def read_own_stops(journal: Journal, cloud: str, host: str) -> Listed | None:
    """Return what the journal has of the last reboot in place that has stopped servers of a host.

    It names no server by itself, as the list on the node does: its stops show which servers ran.
    None where no reboot here has stopped any.
    """
    for run in journal.runs(limit=_LATEST, cloud=cloud):  # the newest first
        if host not in run.holds or not _is_in_place(run):
            continue
        stops, has_all = stops_of(journal, run.id)
        if stops:
            at = run.began_at or run.approval.at
            boot = NodeBoot(id="", first_process=0, at=at)
            return Listed(run=run.id, user="", at=at, boot=boot, stops=stops, has_all_stops=has_all)
    return None


def _waits(run: Run) -> bool:
    return run.state is RunState.QUEUED and run.awaits_its_turn


def _is_in_place(run: Run) -> bool:
    asked = json.loads(run.plan)["request"]
    return asked["kind"] == RebootNodeRequest.kind and not asked.get("is_drained")
