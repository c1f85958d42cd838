"""`node drain` of several nodes: whole commands, on a cloud of fakes."""

import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from typing_extensions import override

from builders import a_server, an_id
from cli.test_drain import Site
from fakes.world import a_world
from stackward.adapters.store import tables
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.store.rows import stamp
from stackward.model.aggregate import Aggregate
from stackward.model.inventory import Inventory
from stackward.model.run import Run, RunState
from stackward.ports.world import World
from texts import folded

NODES = ("compute-07", "compute-08")
DRAIN = ("node", "drain", *NODES, "--reason", "firmware")


@dataclass
class SharedClock:
    """Time that passes by waiting, for several runs of one process: each has a real moment."""

    site: Site
    passed: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    def wait(self, seconds: float) -> None:
        time.sleep(0.003)  # noqa: TID251  # the other runs of the process get their turn
        with self.lock:
            self.passed += seconds / 2
            for each in self.site.on_wait:
                each()


class Cloud(Site):
    """Three nodes, the first two of them with servers."""

    @contextmanager
    @override
    def open_world(self, _known: Inventory, _os_cloud: str | None) -> Iterator[World]:
        yield replace(a_world(self.cloud, self.shell), clock=SharedClock(self), acting=None)

    @property
    def journal(self) -> SqlJournal:
        return SqlJournal(open_database(url_of(self.state_dir)))

    @property
    def is_untouched_by_runs(self) -> bool:
        return not self.journal.runs(limit=9) and self.is_untouched_by_anybody

    @property
    def is_untouched_by_anybody(self) -> bool:
        return all(each.is_enabled for each in self.cloud.nova.computes.values())

    @property
    def chain(self) -> Run:
        *_, first = [each for each in self.journal.runs(limit=50) if each.is_chain]
        return first

    def children(self) -> dict[str, str]:
        return {each.item: each.state.value for each in self.journal.children(self.chain.id)}


@pytest.fixture
def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cloud:
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("STACKWARD_INVENTORY", str(tmp_path / "inventory"))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    (tmp_path / "inventory").write_text(
        "[rack]\ncompute-07\ncompute-08\n[rest]\ncompute-09\n[empty]\n"
    )
    site = Cloud(tmp_path, capsys)
    site.cloud.nova.add(a_server("SHUTOFF", name="web-01", host="compute-08"))
    return site


def rows(site: Cloud, *words: str) -> list[dict[str, object]]:
    code, out, err = site.run(*words, "-f", "json")
    assert code == 0, err
    found: list[dict[str, object]] = json.loads(out)
    return found


def test_several_nodes_are_emptied_one_after_the_other(site: Cloud) -> None:
    code, out, err = site.run(*DRAIN, "--yes")

    assert code == 0, err
    assert site.children() == dict.fromkeys(NODES, "succeeded")
    assert set(site.hosts.values()) == {"compute-09"}
    assert "drain 2 nodes: compute-07, compute-08: succeeded" in out
    assert "`stackward run undo" in err


def test_the_plan_of_a_chain_shows_each_plan_as_of_now(site: Cloud) -> None:
    code, out, _ = site.run(*DRAIN, "--dry-run", "--canary", "1")

    shown = folded(out)
    assert code == 0
    assert "1. canary: drain `compute-07`" in shown
    assert "2. items: drain `compute-08`" in shown
    assert "as of now, plan: drain `compute-07`" in shown
    assert "as of now, plan: drain `compute-08`" in shown
    assert "planned again just before its turn" in shown


def failing(site: Cloud) -> str:
    """Let the move of the server of the second node fail, as long as that is not mended."""
    [server] = [each.id for each in site.cloud.nova.known.values() if each.name == "web-01"]
    site.cloud.nova.failures[server] = "no disk"
    return server


def test_a_chain_ends_as_its_first_run_that_did_not_end_well_and_is_resumed(site: Cloud) -> None:
    server = failing(site)
    code, _, err = site.run(*DRAIN, "--yes")
    assert (code, site.chain.state) == (4, RunState.STOPPED), err
    assert site.children() == {"compute-07": "succeeded", "compute-08": "stopped"}
    del site.cloud.nova.failures[server]

    code, _, err = site.run("run", "resume", site.chain.id)

    assert code == 0, err
    assert site.children() == dict.fromkeys(NODES, "succeeded")
    assert set(site.hosts.values()) == {"compute-09"}


def test_a_chain_shows_what_is_done_and_what_is_left_and_why(site: Cloud) -> None:
    failing(site)
    site.run("node", "drain", "compute-08", "compute-07", "--reason", "firmware", "--yes")

    shown = rows(site, "run", "show", site.chain.id)
    events, _, _ = site.run("run", "show", site.chain.id, "--events")

    assert [(row["Item"], row["State"]) for row in shown] == [
        ("compute-08", "stopped"),
        ("compute-07", "left"),
    ]
    assert (shown[0]["Run"], shown[1]["Run"]) == ("01RUN", None)
    assert "is stopped: " in str(shown[0]["Says"])
    assert events == 0


def test_the_list_of_runs_says_which_are_of_a_chain(site: Cloud) -> None:
    site.run(*DRAIN, "--yes")

    listed = rows(site, "run", "list")

    assert [row["Chain"] for row in listed] == ["01RUN", "01RUN", None]


def test_an_undo_of_a_chain_undoes_its_runs_the_last_first(site: Cloud) -> None:
    before = site.hosts
    site.run(*DRAIN, "--yes")

    chain = site.chain.id

    code, out, err = site.run("run", "undo", chain, "--yes")

    assert code == 0, err
    undoing = site.journal.run(chain).undone_by
    assert undoing is not None
    assert [each.item for each in site.journal.children(undoing)] == [*reversed(NODES)]
    assert site.hosts == before
    assert "succeeded" in out


def test_a_chain_that_was_undone_is_not_undone_again(site: Cloud) -> None:
    site.run(*DRAIN, "--yes")
    chain = site.chain
    assert site.run("run", "undo", chain.id, "--yes")[0] == 0

    code, _, err = site.run("run", "undo", chain.id, "--yes")

    assert (code, "was undone by run" in folded(err)) == (3, True)


def test_left_to_the_workers_each_run_is_taken_up_by_one(site: Cloud) -> None:
    assert site.run(*DRAIN, "--yes", "--queue")[0] == 0

    code, _, err = site.run("worker", "--once", "--name", "w1", "--at-once", "1")

    assert (code, site.chain.state) == (0, RunState.SUCCEEDED), err
    assert site.children() == dict.fromkeys(NODES, "succeeded")
    assert {each.worker for each in site.journal.runs(limit=9)} == {"w1"}


def test_a_node_that_another_run_has_is_named_before_anything_is_done(site: Cloud) -> None:
    site.run("node", "drain", "compute-08", "--reason", "tested", "--yes", "--queue")

    code, out, _ = site.run(*DRAIN, "--dry-run")

    assert code == 0
    assert "held by another run now: `01RUN`, drain `compute-08` (queued)" in folded(out)


def test_what_is_still_to_come_is_listed(site: Cloud) -> None:
    site.run(*DRAIN, "--yes", "--queue")

    listed = rows(site, "node", "list", "--maintenance")

    assert [(row["Node"], row["Disabled by"], row["Run"]) for row in listed] == [
        ("compute-07", "nobody yet", "01RUN"),
        ("compute-08", "nobody yet", "01RUN"),
    ]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--group", "rack"), id="a group"),
        pytest.param(("--aggregate", "row-1"), id="an aggregate"),
    ],
)
def test_all_nodes_of_a_group_or_an_aggregate_are_a_chain(
    site: Cloud, words: tuple[str, ...]
) -> None:
    site.cloud.nova.zones = (Aggregate(uuid=an_id("row"), name="row-1", hosts=NODES),)

    code, out, _ = site.run("node", "drain", *words, "--reason", "firmware", "--dry-run")

    assert (code, "plan: drain 2 nodes: compute-07, compute-08" in out) == (0, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param((), "no node is named", id="no node"),
        pytest.param(("compute-07", "--group", "rack"), "in more than one way", id="two ways"),
        pytest.param(("compute-07", "compute-07"), "`compute-07` is named twice", id="twice"),
        pytest.param(("--group", "empty"), "is in a group `empty`", id="an empty group"),
        pytest.param(("--aggregate", "none"), "there is no aggregate `none`", id="no aggregate"),
        pytest.param(("--aggregate", "bare"), "`bare` has no node", id="an empty aggregate"),
        pytest.param((*NODES, "--canary", "2"), "leaves none of 2 nodes", id="all canaries"),
        pytest.param(("compute-07", "compute-77"), "compute-77", id="one that is not there"),
    ],
)
def test_what_names_no_nodes_is_refused_with_a_hint(
    site: Cloud, words: tuple[str, ...], says: str
) -> None:
    site.cloud.nova.zones = (Aggregate(uuid=an_id("bare"), name="bare", hosts=()),)

    code, _, err = site.run("node", "drain", *words, "--reason", "firmware", "--yes")

    assert (code, says in folded(err), "hint:" in err) == (2, True, True), err
    assert site.is_untouched_by_runs


def test_two_names_of_one_node_are_one_node(site: Cloud) -> None:
    code, _, err = site.run("node", "drain", "compute-07", "compute-07.", "--reason", "f", "--yes")

    assert code in {2, 3}
    assert site.is_untouched_by_runs, err


def test_room_is_judged_for_all_nodes_together(site: Cloud) -> None:
    """Each could be emptied by itself: onto the other one."""
    nova = site.cloud.nova
    nova.computes["compute-09"] = replace(nova.computes["compute-09"], is_enabled=False)
    assert site.run("node", "drain", "compute-07", "--reason", "f", "--dry-run")[0] == 0

    code, out, err = site.run(*DRAIN, "--dry-run")

    assert (code, "no-room" in out) == (3, True), err
    assert "db-01" in out


def test_one_node_is_the_run_that_it_always_was(site: Cloud) -> None:
    assert site.run("node", "drain", "compute-07", "--reason", "f", "--yes")[0] == 0

    [run] = site.journal.runs(limit=9)
    assert (run.is_chain, run.holds, run.title) == (False, ("compute-07",), "drain `compute-07`")


def test_a_chain_is_kept_in_a_file_and_applied(site: Cloud) -> None:
    place = str(site.state_dir / "chain.plan")
    assert site.run(*DRAIN, "--dry-run", "--plan-out", place)[0] == 0

    code, _, err = site.run("run", "apply", place, "--yes")

    assert (code, site.children()) == (0, dict.fromkeys(NODES, "succeeded")), err


def test_a_stored_chain_that_was_edited_by_hand_is_refused(site: Cloud) -> None:
    place = site.state_dir / "chain.plan"
    assert site.run(*DRAIN, "--dry-run", "--plan-out", str(place))[0] == 0
    stored = json.loads(place.read_text())
    stored["stages"][0]["moves"][1]["steps"][0]["asked"]["node"] = "compute-09"
    place.write_text(json.dumps(stored))

    code, _, err = site.run("run", "apply", str(place), "--yes")

    assert (code, "the plan is stale" in folded(err)) == (3, True), err
    assert [each.is_chain for each in site.journal.runs(limit=9)] == [True]


def test_a_chain_is_shown_as_data(site: Cloud) -> None:
    code, out, _ = site.run(*DRAIN, "--dry-run", "-f", "json")

    shown = json.loads(out)
    plans = shown["facts"]["plans as of now"]
    assert (code, [each["title"] for each in plans]) == (
        0,
        ["drain `compute-07`", "drain `compute-08`"],
    )
    assert shown["request"]["kind"] == "chain"


def with_something_new(site: Cloud) -> None:
    """Stop a chain before its second node, where an owner has locked a server by then."""
    nova = site.cloud.nova
    asked: list[str] = []
    [server] = [each.id for each in nova.known.values() if each.name == "web-01"]

    def wish() -> None:
        moved = {each.name: each.host for each in nova.known.values()}
        if moved["db-01"] != "compute-07" and not asked:
            asked.append(server)
            nova.known[server] = replace(nova.known[server], locked_reason="mine", is_locked=True)

    site.on_wait.append(wish)
    site.run(*DRAIN, "--yes")


def test_resumed_a_chain_shows_what_is_new_and_goes_on_with_an_approval_of_it(
    site: Cloud,
) -> None:
    with_something_new(site)
    assert site.children() == {"compute-07": "succeeded"}, site.chain.ending

    unasked, _, asks = site.run("run", "resume", site.chain.id)
    code, _, err = site.run("run", "resume", site.chain.id, "--yes")

    assert (unasked, "cannot ask whether to drain `compute-08`" in folded(asks)) == (2, True), asks
    assert "not approved with chain `01RUN`" in folded(asks)
    assert "--dry-run" not in asks
    assert (code, site.children()) == (0, dict.fromkeys(NODES, "succeeded")), err
    told = [each.what for each in site.journal.events(site.chain.id)]
    assert told.count("approved more") == 1


def child_of(site: Cloud, item: str) -> str:
    *_, newest = [each for each in site.journal.children(site.chain.id) if each.item == item]
    return newest.id


def test_a_run_that_was_resumed_by_itself_is_shown_as_done_and_undone_with_its_chain(
    site: Cloud,
) -> None:
    before, server = site.hosts, failing(site)
    site.run(*DRAIN, "--yes")
    chain = site.chain.id
    del site.cloud.nova.failures[server]
    assert site.run("run", "resume", child_of(site, "compute-08"))[0] == 0

    shown = rows(site, "run", "show", chain)
    code, _, err = site.run("run", "undo", chain, "--yes")

    assert [row["State"] for row in shown] == ["done", "done"]
    assert (code, site.is_untouched_by_anybody) == (0, True), err
    assert site.hosts["web-01"] == before["web-01"]
    assert {each.item for each in site.journal.children(undoer_of(site, chain))} == {*NODES}


def undoer_of(site: Cloud, chain: str) -> str:
    undoer = site.journal.run(chain).undone_by
    assert undoer is not None
    return undoer


def test_a_run_that_is_undone_already_is_left_out_of_the_undo_of_its_chain(site: Cloud) -> None:
    before = site.hosts
    site.run(*DRAIN, "--yes")
    chain = site.chain.id
    assert site.run("run", "undo", child_of(site, "compute-08"), "--yes")[0] == 0

    code, out, err = site.run("run", "undo", chain, "--yes")

    assert (code, site.hosts) == (0, before), err
    assert [each.item for each in site.journal.children(undoer_of(site, chain))] == ["compute-07"]
    assert "undid it already" in folded(out)


def test_the_undo_of_a_chain_names_what_it_leaves_and_how_to_go_on_with_it(site: Cloud) -> None:
    failing(site)
    site.run(*DRAIN, "--yes")
    chain, left = site.chain.id, child_of(site, "compute-08")

    code, plan, _ = site.run("run", "undo", chain, "--dry-run")
    ended, out, err = site.run("run", "undo", chain, "--yes")

    assert (code, ended) == (0, 0), err
    for said in (folded(plan), folded(out)):
        assert "not undone:" in said
        assert "it is stopped; `compute-08` is still cordoned by it" in said
        assert "run resume 01RUN` finishes it, `stackward run undo 01RUN` undoes it" in said
    assert site.journal.run(left).state is RunState.STOPPED


def test_the_undo_of_a_chain_names_the_nodes_that_it_never_began_with(site: Cloud) -> None:
    failing(site)
    site.run("node", "drain", "compute-08", "compute-07", "--reason", "firmware", "--yes")
    assert [each.item for each in site.journal.children(site.chain.id)] == ["compute-08"]

    _, plan, _ = site.run("run", "undo", site.chain.id, "--dry-run")

    assert "`compute-07`: the chain changed nothing there" in folded(plan)


def test_the_undo_of_a_chain_is_not_said_to_be_undone_in_turn(site: Cloud) -> None:
    site.run(*DRAIN, "--yes")
    chain = site.chain.id

    _, _, err = site.run("run", "undo", chain, "--yes")
    code, _, refused = site.run("run", "undo", undoer_of(site, chain), "--yes")

    assert "undoes it" not in err
    assert (code, "is itself an undo" in folded(refused)) == (3, True)


def missed(site: Cloud) -> str:
    """Let the window of a chain pass; no worker has written that down."""
    site.run(*DRAIN, "--yes", "--window", "01:00-02:00@UTC")
    past = stamp(datetime(2025, 1, 1, 1, tzinfo=UTC))
    with open_database(url_of(site.state_dir)).begin() as changed:
        of_all = {"due_at": past, "due_by": past, "until": past}
        changed.execute(update(tables.runs).values(of_all))
    return site.chain.id


def test_a_chain_that_missed_its_window_is_not_to_come_though_no_worker_wrote_that_down(
    site: Cloud,
) -> None:
    chain = missed(site)

    listed = rows(site, "node", "list", "--maintenance")
    _, plan, _ = site.run("node", "drain", "compute-08", "--reason", "x", "--dry-run")
    code, _, watched = site.run("run", "watch", chain)
    _, _, shown = site.run("run", "show", chain)

    assert (listed, "waiting for the same node" in plan) == ([], False)
    assert (code, "none is alive" in folded(watched)) == (3, False), watched
    assert "not begun (it was not begun in time: its turn passed at" in folded(shown)
