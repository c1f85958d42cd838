"""A drain that was given up while its worker was frozen: the next one does what it left undone.

The worker believes that it is on another machine, as one that nobody can see: there only its signs
of life tell whether it goes on. Thawed at the end, it starts nothing more.
"""

import os
import signal
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.deaths import SCRIPT, is_frozen
from lab.drains import Drains, Ended, Going, drains_in, new
from real_lab import STACKWARD, RealLab, until
from stackward.adapters.store.listing import FILE
from stackward.errors import ExitCode

ELSEWHERE = ["unshare", "--uts", "sh", "-c", 'hostname elsewhere; exec "$@"', "sh"]
WHY = "its machine burned"
Records = dict[str, dict[int, tuple[str, str]]]


@dataclass(frozen=True, kw_only=True)
class GivenUp:
    """What was seen of a drain that was given up, and of the one after it."""

    node: str
    moves: dict[str, list[tuple[str, str]]]  # of its servers, by both
    early: Ended  # to give it up while its worker may live
    first: str  # its state then
    again: Ended
    claims: tuple[str, str]  # on the node: after the second drain, and once the first was thawed
    events: tuple[int, int]  # of the first run, the same
    thawed: Ended


@pytest.fixture(scope="module")
def servers(lab: RealLab, nodes: tuple[str, str, str]) -> Iterator[tuple[str, str]]:
    """Given two servers that run."""
    drains = Drains(lab, Path())
    drains.remove_left_over("given-up-")
    one, two = (drains.boot(f"given-up-{n}", nodes[0]) for n in (1, 2))
    drains.wait_for_guests([one, two])
    yield one, two
    drains.remove(one, two)


@pytest.fixture(scope="module", params=["in the middle", "before nova-compute is kept off"])
def given_up(
    request: pytest.FixtureRequest,
    lab: RealLab,
    servers: tuple[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[GivenUp]:
    """Given a drain that was frozen and given up, and another one of the same node."""
    node = lab.server(servers[0]).hypervisor_hostname
    with drains_in(lab, tmp_path_factory.mktemp("given-up")) as drains:
        records = drains.records(drains.servers_on(node))
        planned, plan = drains.plan(node, "--parallel", "1")
        assert planned.code == 0, planned.said
        going = (
            frozen_in_the_middle(drains, plan, records)
            if request.param == "in the middle"
            else frozen_at(drains, plan, "before-stop")
        )
        run = drains.run["ID"]
        try:
            yield given_up_and_drained_again(drains, going, run, node, records)
        finally:
            going.process.kill()


def given_up_and_drained_again(
    drains: Drains, going: Going, run: str, node: str, records: Records
) -> GivenUp:
    """Give a frozen drain up, drain its node again, and thaw the first one."""
    early = give_up(drains, run)
    until(lambda: give_up(drains, run).code == 0, within_s=120)
    first = drains.run["State"]
    until(lambda: not any(drains.lab.server(each).task_state for each in records))

    again = drains.drain(node)
    claim, events = claim_on(drains, node), count_events(drains, run)
    going.process.send_signal(signal.SIGCONT)
    thawed = going.ended()
    return GivenUp(
        node=node,
        moves=new(records, drains.records(records)),
        early=early,
        first=first,
        again=again,
        claims=(claim, claim_on(drains, node)),
        events=(events, count_events(drains, run)),
        thawed=thawed,
    )


def frozen_in_the_middle(drains: Drains, plan: Path, servers: Iterable[str]) -> Going:
    """Begin a drain, and freeze it once its first server moves and the journal is at rest."""
    going = drains.start([*ELSEWHERE, STACKWARD, "run", "apply", str(plan), "--yes"])
    until(lambda: any(drains.lab.server(one).task_state == "migrating" for one in servers))
    until(lambda: freeze(going, drains.folder / FILE), within_s=60)
    return going


def freeze(going: Going, journal: Path) -> bool:
    """Freeze a process, and say whether the journal can be written to; else it goes on."""
    going.process.send_signal(signal.SIGSTOP)
    until(lambda: is_frozen(going), within_s=5)
    database = sqlite3.connect(journal, timeout=0, isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        database.execute("ROLLBACK")
    except sqlite3.OperationalError:
        going.process.send_signal(signal.SIGCONT)
        return False
    finally:
        database.close()
    return True


def frozen_at(drains: Drains, plan: Path, point: str) -> Going:
    """Begin a drain that freezes itself at a point."""
    going = drains.start([*ELSEWHERE, sys.executable, SCRIPT, str(plan), point, "freezes"])
    until(lambda: is_frozen(going), within_s=240)
    return going


def give_up(drains: Drains, run: str) -> Ended:
    ended = drains.call("run", "cancel", run, "--give-up", WHY)
    return Ended(code=ended.returncode, said=ended.stdout + ended.stderr)


def claim_on(drains: Drains, node: str) -> str:
    return str(drains.service(node).disabled_reason)


def count_events(drains: Drains, run: str) -> int:
    shown = drains.call("run", "show", run, "--events", "-f", "value", "-c", "At").stdout
    return len(shown.splitlines())


def test_it_is_not_given_up_while_its_worker_may_still_look(given_up: GivenUp) -> None:
    assert given_up.early.code not in {0, ExitCode.FAILED}, given_up.early.said
    assert "is being carried out by `elsewhere:" in given_up.early.said
    assert given_up.first == "cancelled"


def test_the_next_drain_does_what_is_left_and_proves_all(
    given_up: GivenUp, lab: RealLab, servers: tuple[str, str]
) -> None:
    drains = Drains(lab, Path(os.devnull))

    assert given_up.again.code == 0, given_up.again.said
    assert {lab.server(each).hypervisor_hostname for each in servers} & {given_up.node} == (set())
    ours = [given_up.moves[each] for each in servers if each in given_up.moves]
    assert ours
    assert all(moves == [("live-migration", "completed")] for moves in ours)
    assert drains.unit(given_up.node) == ("inactive", "masked")


def test_the_worker_that_is_thawed_then_writes_nothing(given_up: GivenUp) -> None:
    assert "Superseded" in given_up.thawed.said or given_up.thawed.code == ExitCode.STOPPED, (
        given_up.thawed.said
    )
    assert given_up.claims[0] == given_up.claims[1]
    assert given_up.events[0] == given_up.events[1]
