"""`stackward run undo`, for each kind of run, on a cloud of fakes."""

import io
import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from platform import node

import pytest

from builders import a_flavor, a_server, an_id, wishing
from engine.fakes import FakeClock
from fakes.cloud import FakeCloud
from fakes.neutron import LAB_NET
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.store.listing import FILE, list_runs
from stackward.cli import main
from stackward.errors import StepFailed
from stackward.kinds import KINDS
from stackward.model.claim import read_claim
from stackward.model.instance_ha import HaHost
from stackward.model.inventory import Inventory
from stackward.model.run import Run
from stackward.model.wish import WISH
from stackward.plan import Plan
from stackward.plan.stored import from_mapping, to_mapping
from stackward.ports.world import World
from stackward.requests.undo_run import UndoRequest
from texts import folded

NODE = "compute-07"
DRAIN = ("node", "drain", NODE, "--reason", "bad DIMM", "--yes")
RETURN = ("node", "return", NODE, "--yes")


@dataclass
class Site:
    """A cloud, and the command line that is pointed at it."""

    state_dir: Path
    capsys: pytest.CaptureFixture[str]
    cloud: FakeCloud = field(default_factory=FakeCloud)
    on_wait: list[Callable[[], object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cloud.nova.add(a_server(name="db-01"), a_server("SHUTOFF", name="db-02"))
        self.shell = FakeShell(self.cloud)
        self.on_wait = [self.cloud.nova.pass_time]
        self.clock = FakeClock(on_wait=self.on_wait)  # one for all: the ids of runs sort by time

    @contextmanager
    def open_world(self, _known: Inventory, _os_cloud: str | None) -> Iterator[World]:
        yield replace(a_world(self.cloud, self.shell), clock=self.clock, acting=None)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return exit code, stdout and stderr, with the ids of runs made equal."""
        code = main(arguments, open_world=self.open_world)
        out, said = (re.sub(r"01[0-9A-Z]{12}", "01RUN", text) for text in self.capsys.readouterr())
        return code, out, said

    def well(self, *arguments: str) -> Run:
        """Carry out a command that must end well; return its run."""
        code, _, said = self.run(*arguments)
        assert code == 0, said
        return self.newest

    @property
    def newest(self) -> Run:
        return list_runs(self.state_dir / FILE, 1)[0]

    def drained(self, *flags: str) -> Run:
        run = self.well(*DRAIN, *flags)
        if "--keep-service" not in flags:
            self.cloud.nova.computes[NODE] = replace(self.cloud.nova.computes[NODE], is_up=False)
        return run

    def interrupted(self, *arguments: str, times: int = 1) -> Run:
        """Return the run of a command at which Ctrl-C is pressed once a server moves."""
        before, pressed = len(self.cloud.nova.migrations), list[int]()

        def press() -> None:
            if len(self.cloud.nova.migrations) > before and len(pressed) < times:
                pressed.append(1)
                handler = signal.getsignal(signal.SIGINT)
                assert callable(handler)
                handler(signal.SIGINT, None)

        self.on_wait.append(press)
        code, _, said = self.run(*arguments)
        self.on_wait.remove(press)
        assert code == 4, said
        return self.newest

    def half_drained(self) -> Run:
        """Return a drain that was stopped when one of two servers had moved."""
        return self.interrupted(*DRAIN, "--parallel", "1")

    def left_under_way(self) -> Run:
        """Return a drain that was left at once, with its moves under way."""
        self.on_wait.clear()  # no move ends meanwhile
        run = self.interrupted(*DRAIN, times=2)
        self.on_wait.append(self.cloud.nova.pass_time)
        return run

    @property
    def hosts(self) -> dict[str, str | None]:
        return {server.name: server.host for server in self.cloud.nova.known.values()}

    @property
    def is_in_service(self) -> bool:
        service = self.cloud.nova.computes[NODE]
        return service.is_enabled and service.is_up and not self.shell.files

    def undo(self, run: Run, *flags: str) -> tuple[int, str, str]:
        return self.run("run", "undo", run.id, *(flags or ("--yes",)))


HOME = {"db-01": NODE, "db-02": NODE}
AWAY = {"db-01": "compute-08", "db-02": "compute-08"}


@pytest.fixture
def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Site:
    (tmp_path / "inventory").write_text("compute-07\nctl\n")
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("STACKWARD_INVENTORY", str(tmp_path / "inventory"))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return Site(tmp_path, capsys)


# --- a drain ---


def test_a_drain_is_undone_under_one_approval(site: Site) -> None:
    drain = site.drained()

    code, out, said = site.undo(drain)

    assert (code, site.is_in_service, site.hosts) == (0, True, HOME), said
    assert "2 servers are home on `compute-07`" in out
    assert "no acceptance server" in out


def test_an_undo_shows_all_of_it_first_and_a_dry_run_changes_nothing(site: Site) -> None:
    drain = site.drained()

    code, out, said = site.undo(drain, "--dry-run")

    assert (code, site.is_in_service, site.hosts) == (0, False, AWAY), said
    assert "plan: undo run `01RUN`, drain `compute-07`" in out
    assert "1. start: start nova-compute on `compute-07`" in out
    assert "3. back to compute-07: 2 servers, 2 at once" in out
    assert "2 servers move back to `compute-07`" in out


def test_an_undo_is_kept_and_applied(site: Site, tmp_path: Path) -> None:
    drain = site.drained()
    site.undo(drain, "--dry-run", "--plan-out", str(tmp_path / "plan.json"))

    code, _, said = site.run("run", "apply", str(tmp_path / "plan.json"), "--yes")

    assert (code, site.is_in_service, site.hosts) == (0, True, HOME), said


def test_the_plan_of_an_undo_as_data(site: Site) -> None:
    drain = site.drained()

    code, out, _ = site.undo(drain, "--dry-run", "-f", "json", "--network", "lab-net")

    told = json.loads(out)
    assert (code, told["undoes"], told["request"]["network"]) == (0, "01RUN", "lab-net")


def test_the_acceptance_server_is_put_in_the_network_that_was_named(site: Site) -> None:
    site.undo(site.drained(), "--network", "lab-net", "--yes")

    assert [each.network for each in site.cloud.nova.built] == [LAB_NET.id]


def test_who_was_moved_on_or_deleted_since_is_left_and_named(site: Site) -> None:
    drain = site.drained()
    cloud = site.cloud
    cloud.nova.known[an_id("db-01")] = replace(cloud.nova.known[an_id("db-01")], host="compute-09")
    del cloud.nova.known[an_id("db-02")]

    code, _, said = site.undo(drain)

    assert (code, site.is_in_service, site.hosts) == (0, True, {"db-01": "compute-09"}), said
    assert (
        "`db-01` is left alone: it is on `compute-09`, and the run put it on `compute-08`" in said
    )
    assert "`db-02` is left alone: it was deleted" in said


def test_who_cannot_move_stays_and_is_named_with_what_to_do(site: Site) -> None:
    drain = site.drained()
    cloud = site.cloud
    cloud.nova.known[an_id("db-01")] = replace(cloud.nova.known[an_id("db-01")], status="ERROR")

    code, _, said = site.undo(drain)

    assert (code, site.hosts) == (0, {"db-01": "compute-08", "db-02": NODE}), said
    assert (
        "db-01 stays on `compute-08`: is in ERROR remedy: settle that, then plan again; "
        "or later `stackward node return compute-07 --bring-back --run 01RUN`"
    ) in folded(said)


def test_who_stayed_comes_home_by_the_way_that_was_told(site: Site) -> None:
    drain = site.drained()
    broken = replace(site.cloud.nova.known[an_id("db-01")], status="ERROR")
    site.cloud.nova.known[an_id("db-01")] = broken
    site.undo(drain)
    site.cloud.nova.known[an_id("db-01")] = replace(broken, status="ACTIVE")

    site.well(*RETURN, "--bring-back", "--run", drain.id)

    assert site.hosts == HOME


def test_a_node_that_was_returned_meanwhile_only_gets_its_servers_back(site: Site) -> None:
    drain = site.drained()
    site.well(*RETURN)

    code, _, said = site.undo(drain)

    assert (code, site.hosts, len(site.cloud.nova.built)) == (0, HOME, 1), said
    assert "`compute-07` is left as it is: it is in service already" in said


def test_a_cordon_that_is_anothers_by_now_is_left_and_so_are_the_servers(site: Site) -> None:
    drain = site.drained()
    site.cloud.nova.disable_service(site.cloud.nova.computes[NODE].id, "broken fan, Eve")
    site.shell.done.clear()

    code, _, said = site.undo(drain)

    assert (code, site.hosts, site.shell.done) == (3, AWAY, []), said
    assert "it is disabled, and no longer by this run: broken fan, Eve" in said
    assert "`db-01` stays on `compute-08`: `compute-07` is not in service" in said


def test_a_drain_that_stopped_half_way_is_undone_as_far_as_it_came(site: Site) -> None:
    drain = site.half_drained()
    assert site.hosts == {"db-01": "compute-08", "db-02": NODE}
    site.shell.done.clear()

    code, out, said = site.undo(drain)

    assert (code, site.is_in_service, site.hosts) == (0, True, HOME), said
    assert "1 server is home on `compute-07`" in out
    assert site.shell.done == []  # nova-compute was never stopped: it is not started
    assert "run `01RUN` is given up by that: it can be resumed no more" in said


def test_a_stopped_run_that_was_undone_cannot_be_resumed(site: Site) -> None:
    drain = site.half_drained()
    site.undo(drain)

    code, _, said = site.run("run", "resume", drain.id)

    assert (code, "is over" in said, site.hosts) == (3, True, HOME), said


def test_a_drain_that_only_cordoned_is_uncordoned(site: Site) -> None:
    drain = site.half_drained()
    site.cloud.nova.known.clear()

    code, _, said = site.undo(drain)

    assert (code, site.is_in_service, len(site.cloud.nova.built)) == (0, True, 1), said


def test_an_undo_that_failed_at_the_acceptance_server_can_be_tried_again(site: Site) -> None:
    drain = site.drained()
    site.cloud.nova.fault = "No valid host was found."
    failed, _, _ = site.undo(drain)
    site.cloud.nova.fault = None

    code, _, said = site.undo(drain)

    assert (failed, code, site.is_in_service, site.hosts) == (1, 0, True, HOME), said


def test_after_an_undo_that_failed_a_return_brings_home_whom_that_drain_moved(site: Site) -> None:
    drain = site.drained()
    site.cloud.nova.fault = "No valid host was found."
    site.undo(drain)
    site.cloud.nova.fault = None

    site.well(*RETURN, "--bring-back")

    assert (site.is_in_service, site.hosts) == (True, HOME)


def test_an_undo_that_was_interrupted_is_resumed(site: Site) -> None:
    drain = site.drained()
    stopped = site.interrupted("run", "undo", drain.id, "--yes", "--parallel", "1")

    again = refused(site, drain)
    site.well("run", "resume", stopped.id)

    assert "is being undone by run `01RUN`, which is stopped" in again
    assert site.hosts == HOME


# --- with what came to a drain since ---


@pytest.fixture
def guarded(site: Site) -> Site:
    """Return a site whose instance-HA service looks after the node."""
    site.cloud.catalog |= {"instance-ha"}
    site.cloud.masakari.guards[NODE] = HaHost(id="entry", segment="segment", host=NODE)
    return site


def is_told(site: Site) -> bool:
    return site.cloud.masakari.guards[NODE].is_in_maintenance


def test_the_instance_ha_service_is_told_of_the_end_by_the_undo_of_a_drain(guarded: Site) -> None:
    drain = guarded.drained()
    was_told = is_told(guarded)

    code, out, said = guarded.undo(drain)

    assert (code, was_told, is_told(guarded), guarded.hosts) == (0, True, False, HOME), said
    assert "the instance-HA service looks after `compute-07`" in out


def test_it_is_told_also_where_no_server_comes_home(guarded: Site) -> None:
    drain = guarded.drained()
    guarded.cloud.nova.known.clear()

    code, _, said = guarded.undo(drain)

    assert (code, guarded.is_in_service, is_told(guarded)) == (0, True, False), said


def test_it_is_told_of_the_end_of_a_drain_that_never_cordoned(
    guarded: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(guarded.cloud.nova, "disable_service", refuses)
        guarded.run(*DRAIN)

    code, _, said = guarded.undo(guarded.newest)

    assert (code, guarded.is_in_service, is_told(guarded)) == (0, True, False), said
    assert guarded.cloud.nova.built == []


def refuses(*_: object) -> str:
    raise StepFailed("could not change it", service="Nova", says="no")


def test_what_others_have_told_the_instance_ha_service_is_left(guarded: Site) -> None:
    entry = guarded.cloud.masakari.guards[NODE]
    guarded.cloud.masakari.guards[NODE] = replace(entry, is_in_maintenance=True)
    drain = guarded.drained()

    code, _, said = guarded.undo(drain)

    assert (code, guarded.is_in_service, is_told(guarded)) == (0, True, True), said


def test_the_undo_of_a_return_tells_the_instance_ha_service_again(guarded: Site) -> None:
    guarded.drained()
    returned = guarded.well(*RETURN)

    code, _, said = guarded.undo(returned)

    assert (code, is_told(guarded)) == (0, True), said


def test_what_an_owner_agreed_to_holds_for_the_way_home(site: Site) -> None:
    server = replace(a_server(name="db-09"), metadata=((WISH, "ask"),))
    site.cloud.nova.known = {server.id: server}
    drain = site.drained("--consent", f"{server.id}=CHG-77")

    code, _, said = site.undo(drain)

    assert (code, site.hosts) == (0, {"db-09": NODE}), said


def test_an_owner_who_wishes_to_be_asked_since_then_keeps_the_server_there(site: Site) -> None:
    drain = site.drained()
    moved = site.cloud.nova.known[an_id("db-01")]
    site.cloud.nova.add(replace(moved, metadata=((WISH, "ask"),)))

    code, _, said = site.undo(drain)

    assert (code, site.hosts) == (0, {"db-01": "compute-08", "db-02": NODE}), said
    assert "db-01 stays on `compute-08`: " in folded(said)


def test_an_owner_who_wishes_to_be_asked_since_then_agrees_by_the_undo_itself(site: Site) -> None:
    drain = site.drained()
    moved = site.cloud.nova.known[an_id("db-01")]
    site.cloud.nova.add(replace(moved, metadata=((WISH, "ask"),)))
    _, out, _ = site.undo(drain, "--dry-run")

    code, _, said = site.undo(drain, "--consent", f"{moved.id}=CHG-78", "--yes")
    _, records, _ = site.run("run", "audit", site.newest.id, "--export")

    assert f"get its owner's word and pass `--consent {moved.id}=REFERENCE`, then plan" in out
    assert (code, site.hosts) == (0, HOME), said
    assert "will be moved: its owner wrote `ask`, and has agreed to this move: CHG-78" in said
    assert '"reference": "CHG-78"' in records


def test_an_owner_agrees_where_a_return_is_undone(site: Site) -> None:
    site.drained()
    returned = site.well(*RETURN)
    new = wishing("ask", name="new")
    site.cloud.nova.add(new)
    blocked, _, why = site.undo(returned)

    code, _, said = site.undo(returned, "--consent", f"{new.id}=CHG-79", "--yes")

    assert (blocked, f"`--consent {new.id}=REFERENCE`" in why) == (3, True)
    assert (code, site.hosts) == (0, {**AWAY, "new": "compute-08"}), said


def test_a_server_is_left_where_it_is_by_an_undo_that_says_so(site: Site) -> None:
    drain = site.drained()

    code, _, said = site.undo(drain, "--leave-behind", an_id("db-02"), "--yes")

    assert (code, site.hosts) == (0, {"db-01": NODE, "db-02": "compute-08"}), said
    assert "`db-02` is left alone: `--leave-behind` was given" in said


def test_who_cannot_move_live_is_stopped_for_the_way_home_if_that_is_allowed(site: Site) -> None:
    drain = site.drained()
    moved = site.cloud.nova.known[an_id("db-01")]
    site.cloud.nova.add(replace(moved, flavor=a_flavor(pci_passthrough__alias="gpu:1")))
    _, out, _ = site.undo(drain, "--dry-run")

    code, _, said = site.undo(drain, "--allow-downtime", "--yes")

    assert "pass `--allow-downtime`, then plan again" in out
    assert (code, site.hosts) == (0, HOME), said
    assert site.cloud.nova.migrations[-1].kind == "migration"


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        pytest.param(
            ("--consent", "nonsense=CHG-1"),
            "`--consent nonsense=...` names no server that would move and whose",
            id="consent",
        ),
        pytest.param(
            ("--leave-behind", "nonsense"),
            "`--leave-behind nonsense` names no server of this plan",
            id="leave behind",
        ),
    ],
)
def test_an_id_that_matches_nothing_is_refused(
    site: Site, flags: tuple[str, ...], says: str
) -> None:
    drain = site.drained()

    code, _, said = site.undo(drain, *flags, "--yes")

    assert (code, says in said, site.hosts) == (3, True, AWAY), said


def test_an_undo_that_an_older_version_planned_is_still_understood() -> None:
    stored = to_mapping(Plan[World](title="undo", request=UndoRequest(run="01RUN")))
    for name in ("allow_downtime", "leave_behind", "consents"):
        del stored["request"][name]

    assert from_mapping(stored, KINDS).request == UndoRequest(run="01RUN")


def test_how_slow_moves_are_helped_is_said_for_the_undo_too(site: Site) -> None:
    drain = site.drained()
    flags = ("--timeout", "60", "--parallel", "3", "--when-slow", "stop-server")

    code, out, _ = site.undo(drain, "--dry-run", "-f", "json", *flags)

    told = json.loads(out)
    [back] = [stage for stage in told["stages"] if stage["name"].startswith("back to")]
    [live] = [move for move in back["moves"] if move["how"] == "live"]
    assert (code, back["at_once"], live["slow_after_s"]) == (0, 3, 60.0)
    assert live["instead"][0]["kind"] == "stop-server"


def test_a_server_that_was_stopped_for_its_move_and_left_so_is_named(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.cloud.nova.slow.add(an_id("db-01"))
    with monkeypatch.context() as patched:
        patched.setattr(site.cloud.nova, "cold_migrate", refuses)
        site.run(*DRAIN, "--timeout", "5", "--when-slow", "stop-server")

    code, _, said = site.undo(site.newest)

    assert (code, site.is_in_service) == (0, True), said
    assert (
        "`db-01` is left alone: its move was never proved, and it is SHUTOFF, stopped by the run, "
        "on `compute-07`"
    ) in said


# --- the others ---


def test_a_homecoming_is_undone_each_goes_back_to_where_it_was(site: Site) -> None:
    site.drained()
    site.cloud.nova.known[an_id("db-02")] = replace(
        site.cloud.nova.known[an_id("db-02")], host="compute-08"
    )
    homecoming = site.well(*RETURN, "--bring-back")
    assert (homecoming.title, site.hosts) == ("bring servers home to `compute-07`", HOME)

    code, _, said = site.undo(homecoming)

    assert (code, site.is_in_service, site.hosts) == (0, True, AWAY), said


def test_a_homecoming_from_a_node_that_is_out_of_service_now_cannot_be_undone(site: Site) -> None:
    site.drained()
    homecoming = site.well(*RETURN, "--bring-back")
    site.cloud.nova.disable_service(site.cloud.nova.computes["compute-08"].id, "new NICs")

    code, _, said = site.undo(homecoming)

    assert (code, site.hosts) == (3, HOME)
    assert "`db-01` stays on `compute-07`: `compute-08` is not in service" in said


def test_a_return_is_undone_by_a_drain_for_the_reason_it_was_out_for(site: Site) -> None:
    site.drained()
    returned = site.well(*RETURN)
    site.cloud.nova.add(a_server(name="new"))

    code, _, said = site.undo(returned)

    claim = read_claim(site.cloud.nova.computes[NODE].disabled_reason)
    assert (code, site.hosts | {"new": None}) == (0, AWAY | {"new": None}), said
    assert (site.hosts["new"], site.shell.units[NODE]) == ("compute-08", ("inactive", "masked"))
    assert claim is not None
    assert claim.reason == "bad DIMM"
    assert "every server that is on the node now leaves it" in said


def test_the_undo_of_a_return_leaves_a_service_running_that_was_running(site: Site) -> None:
    site.drained("--keep-service")
    returned = site.well(*RETURN)

    code, _, said = site.undo(returned)

    assert (code, "inactive" in site.shell.units.get(NODE, ("active",))) == (0, False), said


# --- on record ---


def test_an_undone_run_says_by_which_it_was_undone(site: Site) -> None:
    drain = site.drained()
    site.undo(drain)
    undo = site.newest

    _, _, shown = site.run("run", "show", drain.id)
    _, listed, _ = site.run("run", "list", "-f", "json")

    assert "; undone by run `01RUN`" in shown
    assert [each["Undone by"] for each in json.loads(listed)] == [None, "01RUN"]
    assert [each.undone_by for each in list_runs(site.state_dir / FILE, 9)] == [None, undo.id]


# --- bad input: clear words, and nothing changed ---


def refused(site: Site, run: Run) -> str:
    """Return what a refusal says; nothing was changed by it."""
    before, runs = (site.hosts, dict(site.cloud.nova.computes)), list_runs(site.state_dir / FILE, 9)
    site.shell.done.clear()

    code, _, said = site.undo(run)

    assert (code, site.shell.done, list_runs(site.state_dir / FILE, 9)) == (3, [], runs), said
    assert (site.hosts, site.cloud.nova.computes) == before
    return said


def test_a_run_that_was_undone_is_not_undone_again(site: Site) -> None:
    drain = site.drained()
    site.undo(drain)

    assert "was undone by run `01RUN` remedy: there is nothing to do" in folded(
        refused(site, drain)
    )


def test_an_undo_is_not_undone_in_turn(site: Site) -> None:
    site.undo(site.drained())

    said = refused(site, site.newest)

    assert "is itself an undo: it is not undone in turn remedy: do again what it undid" in folded(
        said
    )


def test_a_run_whose_servers_are_all_gone_has_nothing_left_to_undo(site: Site) -> None:
    drain = site.drained()
    site.well(*RETURN)
    site.cloud.nova.known.clear()

    said = refused(site, drain)

    assert "has left nothing that can be undone: " in said
    assert "`compute-07` is left as it is: it is in service already" in said
    assert "`db-01` is left alone: it was deleted; `db-02` is left alone: it was deleted" in said


def test_a_run_that_was_refused_has_nothing_to_undo(site: Site, tmp_path: Path) -> None:
    site.run(*DRAIN[:-1], "--dry-run", "--plan-out", str(tmp_path / "plan.json"))
    site.cloud.nova.add(a_server(name="db-03"))
    site.run("run", "apply", str(tmp_path / "plan.json"), "--yes")

    said = refused(site, site.newest)

    assert "it was refused, and has changed nothing" in said


def test_a_return_that_failed_and_was_taken_back_has_nothing_to_undo(site: Site) -> None:
    site.drained()
    site.cloud.nova.fault = "No valid host was found."
    site.run(*RETURN)

    said = refused(site, site.newest)

    assert "it has not brought `compute-07` into service" in said


def taken_up(site: Site, run: Run, worker: str) -> Run:
    journal = SqlJournal(open_database(url_of(site.state_dir)))
    taken = journal.take_up(run.id, worker, site.clock.now())
    journal.close()
    return taken


def test_a_run_that_goes_on_is_refused_with_how_to_end_it(site: Site) -> None:
    drain = taken_up(site, site.half_drained(), f"{node()}:1")  # a process that lives

    said = refused(site, drain)

    assert "is running: it cannot be undone while it goes on" in said
    assert "`stackward run cancel 01RUN` ends it; then undo it" in said


def test_a_run_whose_worker_has_died_is_to_be_ended_first(site: Site) -> None:
    drain = taken_up(site, site.half_drained(), f"{node()}:4194304")  # no such process

    said = refused(site, drain)

    assert f"has left something unfinished: its worker `{node()}:4194304` has died" in said


def test_a_run_that_left_a_move_under_way_is_to_be_ended_first(site: Site) -> None:
    drain = site.left_under_way()

    said = refused(site, drain)

    assert "has left something unfinished: " in said
    assert "`stackward run cancel 01RUN`, then `stackward run resume 01RUN`" in said


def test_the_advice_for_what_is_unfinished_helps(site: Site) -> None:
    drain = site.left_under_way()

    site.run("run", "cancel", drain.id)
    site.run("run", "resume", drain.id)
    code, _, said = site.undo(drain)

    assert (code, site.is_in_service, site.hosts) == (0, True, HOME), said


def test_a_run_that_does_not_exist_is_a_usage_error(site: Site) -> None:
    code, _, said = site.run("run", "undo", "01ZZ", "--yes")

    assert (code, "there is no run `01ZZ`" in said) == (2, True)


def test_without_a_terminal_and_without_yes_nothing_is_begun(site: Site) -> None:
    drain = site.drained()

    code, _, said = site.undo(drain, "--parallel", "1")

    assert (code, site.hosts) == (2, AWAY)
    assert "pass `--yes`" in said
