"""`stackward node return`, from a drain to its servers back home, on a cloud of fakes."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from builders import a_server, an_id, wishing
from engine.fakes import FakeClock
from fakes.cloud import FakeCloud
from fakes.neutron import LAB_NET
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.adapters.store.listing import FILE, list_runs
from stackward.cli import main
from stackward.kinds import KINDS
from stackward.model.instance_ha import HaHost
from stackward.model.inventory import Inventory
from stackward.model.wish import WISH
from stackward.plan import Plan
from stackward.plan.stored import from_json, from_mapping, to_mapping
from stackward.ports.world import World
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.how_to_move import HowToMove
from texts import folded

NODE = "compute-07"
RETURN = ("node", "return", NODE)


@dataclass
class Site:
    """A cloud, and the command line that is pointed at it."""

    state_dir: Path
    capsys: pytest.CaptureFixture[str]
    cloud: FakeCloud = field(default_factory=FakeCloud)

    def __post_init__(self) -> None:
        self.cloud.nova.add(a_server(name="db-01"), a_server("SHUTOFF", name="db-02"))
        self.shell = FakeShell(self.cloud)

    @contextmanager
    def open_world(self, _known: Inventory, _os_cloud: str | None) -> Iterator[World]:
        clock = FakeClock(on_wait=[self.cloud.nova.pass_time])
        self.shell.clock = clock
        yield replace(a_world(self.cloud, self.shell), clock=clock, acting=None)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return exit code, stdout and stderr, with the ids of runs made equal."""
        code = main(arguments, open_world=self.open_world)
        captured = self.capsys.readouterr()
        out, said = (re.sub(r"01[0-9A-Z]{12}", "01RUN", text) for text in captured)
        return code, out, said

    def drained(self, *flags: str) -> "Site":
        code, _, said = self.run("node", "drain", NODE, "--reason", "bad DIMM", "--yes", *flags)
        assert code == 0, said
        self.cloud.nova.computes[NODE] = replace(self.cloud.nova.computes[NODE], is_up=False)
        return self

    @property
    def hosts(self) -> dict[str, str | None]:
        return {server.name: server.host for server in self.cloud.nova.known.values()}

    @property
    def is_in_service(self) -> bool:
        service = self.cloud.nova.computes[NODE]
        return service.is_enabled and service.is_up and not self.shell.files


@pytest.fixture
def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Site:
    (tmp_path / "inventory").write_text("compute-07\nctl\n")
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("STACKWARD_INVENTORY", str(tmp_path / "inventory"))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return Site(tmp_path, capsys)


def test_a_drained_node_comes_back_and_is_proved(site: Site) -> None:
    code, out, said = site.drained().run(*RETURN, "--yes")

    assert (code, site.is_in_service) == (0, True), said
    assert "`compute-07` is in service: enabled, up, and offered by placement" in out
    assert [each.host for each in site.cloud.nova.built] == [NODE]
    assert site.hosts == {"db-01": "compute-08", "db-02": "compute-08"}


def test_the_instance_ha_service_is_told_of_a_drain_and_of_its_end(site: Site) -> None:
    """Told once the node serves: by then nothing is left to be returned."""
    guard = HaHost(id="entry", segment="segment", host="compute-07")
    site.cloud.catalog |= {"instance-ha"}
    site.cloud.masakari.guards["compute-07"] = guard

    site.drained()
    told = site.cloud.masakari.guards["compute-07"].is_in_maintenance
    code, out, err = site.run("node", "return", "compute-07", "--yes")

    assert (code, told, site.cloud.masakari.guards["compute-07"]) == (0, True, guard), err
    assert "the instance-HA service looks after `compute-07`" in out


def test_the_acceptance_server_is_put_in_the_network_that_was_named(site: Site) -> None:
    site.drained().run(*RETURN, "--network", "lab-net", "--yes")

    assert [each.network for each in site.cloud.nova.built] == [LAB_NET.id]


def test_a_dry_run_shows_who_would_come_home_and_changes_nothing(site: Site) -> None:
    code, out, _ = site.drained().run(*RETURN, "--dry-run")

    assert (code, site.cloud.nova.built, site.is_in_service) == (0, [], False)
    assert "moved away by run `01RUN`, and home with `--bring-back`: db-01, db-02" in out
    assert "networking will not be proved remedy: name a network with `--network`" in folded(out)


def test_the_servers_of_the_drain_come_home(site: Site) -> None:
    site.drained().cloud.nova.add(a_server(name="stranger", host="compute-08"))

    code, _, said = site.run(*RETURN, "--bring-back", "--yes")

    assert code == 0, said
    assert site.hosts == {"db-01": NODE, "db-02": NODE, "stranger": "compute-08"}


def test_who_was_moved_by_others_or_deleted_is_left_alone_and_named(site: Site) -> None:
    cloud = site.drained().cloud
    cloud.nova.known[an_id("db-01")] = replace(cloud.nova.known[an_id("db-01")], host="compute-09")
    del cloud.nova.known[an_id("db-02")]

    code, _, said = site.run(*RETURN, "--bring-back", "--yes")

    assert (code, site.hosts) == (0, {"db-01": "compute-09"}), said
    assert (
        "`db-01` is left alone: it is on `compute-09`, and the drain put it on `compute-08`"
    ) in said
    assert "`db-02` is left alone: it was deleted" in said


def test_who_cannot_move_stays_away_and_keeps_nobody_else_away(site: Site) -> None:
    cloud = site.drained().cloud
    cloud.nova.known[an_id("db-01")] = replace(cloud.nova.known[an_id("db-01")], status="ERROR")

    code, _, said = site.run(*RETURN, "--bring-back", "--yes")

    assert code == 0, said
    assert site.hosts == {"db-01": "compute-08", "db-02": NODE}
    assert "db-01 stays on `compute-08`: is in ERROR" in folded(said)


def test_servers_come_home_to_a_node_that_was_returned_before(site: Site) -> None:
    site.drained().run(*RETURN, "--yes")

    code, _, said = site.run(*RETURN, "--bring-back", "--yes")

    assert (code, set(site.hosts.values())) == (0, {NODE}), said
    assert len(site.cloud.nova.built) == 1


def test_a_dry_run_for_a_node_that_was_returned_before_shows_who_would_come_home(
    site: Site,
) -> None:
    site.drained().run(*RETURN, "--yes")

    code, out, said = site.run(*RETURN, "--bring-back", "--dry-run")

    assert (code, set(site.hosts.values())) == (0, {"compute-08"}), said
    assert "2 servers move to `compute-07`" in out


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param([], {"at_once": 2, "slow_after_s": 1800.0, "on_slow": []}, id="unless said"),
        pytest.param(["--parallel", "5"], {"at_once": 5}, id="parallel"),
        pytest.param(["--timeout", "60"], {"slow_after_s": 60.0}, id="timeout"),
        pytest.param(["--when-slow", "abort"], {"on_slow": ["abort-migration"]}, id="abort"),
        pytest.param(
            ["--when-slow", "force-complete"], {"on_slow": ["force-complete"]}, id="force"
        ),
    ],
)
def test_how_servers_come_home_is_said_as_for_a_drain(
    site: Site, flags: list[str], expected: dict[str, object]
) -> None:
    site.drained().run(*RETURN, "--yes")

    _, out, _ = site.run(*RETURN, "--bring-back", "--dry-run", "-f", "json", *flags)

    [stage] = json.loads(out)["stages"]
    live = next(move for move in stage["moves"] if move["how"] == "live")
    planned = {
        "at_once": stage["at_once"],
        "slow_after_s": live["slow_after_s"],
        "on_slow": [step["kind"] for step in live["on_slow"]],
    }
    assert planned | expected == planned


def test_the_limits_hold_for_servers_that_come_home_right_after_a_return(site: Site) -> None:
    """It is said of the second of two runs."""
    site.drained()

    code, _, said = site.run(
        *RETURN, "--bring-back", "--yes", "--parallel", "1", "--when-slow", "abort"
    )

    [kept] = [each.plan for each in list_runs(site.state_dir / FILE, 9) if "home" in each.title]
    asked = from_json(kept, KINDS).request
    assert (code, set(site.hosts.values())) == (0, {NODE}), said
    assert isinstance(asked, BringBackRequest)
    assert (asked.how.at_once, asked.how.when_slow) == (1, "abort")


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(["--parallel", "2"], id="also where it is the usual value"),
        pytest.param(["--timeout", "60"], id="timeout"),
        pytest.param(["--when-slow", "abort"], id="when slow"),
        pytest.param(["--allow-downtime"], id="downtime"),
        pytest.param(["--leave-behind", "x"], id="leave behind"),
        pytest.param(["--consent", "x=y"], id="consent"),
    ],
)
def test_how_servers_move_is_refused_where_none_is_brought_back(
    site: Site, flags: list[str]
) -> None:
    code, out, said = site.drained().run(*RETURN, "--yes", *flags)

    assert (code, out, site.is_in_service) == (2, "", False)
    assert said == (
        f"error: `{flags[0]}`: only servers that are brought back move\n\n"
        "hint: add `--bring-back`, or leave that out\n"
    )


def test_a_homecoming_that_an_older_version_planned_is_still_understood() -> None:
    """It stored no `when_slow`: what is slow is waited for; the same of what was added since."""
    stored = to_mapping(Plan[World](title="home", request=BringBackRequest(node=NODE, run="01RUN")))
    for name in ("when_slow", "allow_downtime", "leave_behind", "consents"):
        del stored["request"][name]

    read = from_mapping(stored, KINDS).request

    assert read == BringBackRequest(node=NODE, run="01RUN", how=HowToMove(when_slow="wait"))


def test_the_consent_of_an_owner_holds_for_the_way_home(site: Site) -> None:
    server = wishing("ask", name="db-09")
    site.cloud.nova.known = {server.id: server}
    site.drained("--consent", f"{server.id}=CHG-77")

    code, _, said = site.run(*RETURN, "--bring-back", "--yes")

    assert (code, site.hosts["db-09"]) == (0, NODE), said


def test_an_owner_who_wishes_to_be_asked_since_then_is_not_passed_over(site: Site) -> None:
    site.drained()
    moved = next(one for one in site.cloud.nova.known.values() if one.name == "db-01")
    site.cloud.nova.add(replace(moved, metadata=((WISH, "ask"),)))

    code, _, said = site.run(*RETURN, "--bring-back", "--yes")

    assert (code, site.hosts) == (0, {"db-01": "compute-08", "db-02": NODE}), said
    assert "its owner wishes to be asked first" in said
    assert f"get its owner's word and pass `--consent {moved.id}=REFERENCE`, then `stackw" in said


def test_a_run_that_moved_nobody_is_not_said_to_be_taken_back(site: Site) -> None:
    """Its undo would be refused: there is nothing to undo."""
    site.drained().run(*RETURN, "--yes")
    site.cloud.nova.add(
        *(replace(one, metadata=((WISH, "ask"),)) for one in site.cloud.nova.known.values())
    )

    code, _, said = site.run(*RETURN, "--bring-back", "--yes")

    assert (code, set(site.hosts.values())) == (0, {"compute-08"}), said
    assert "undoes it" not in said


def test_their_consent_to_the_way_home_is_given_with_it(site: Site) -> None:
    site.drained()
    moved = next(one for one in site.cloud.nova.known.values() if one.name == "db-01")
    site.cloud.nova.add(replace(moved, metadata=((WISH, "ask"),)))

    code, _, said = site.run(*RETURN, "--bring-back", "--consent", f"{moved.id}=CHG-78", "--yes")

    assert (code, site.hosts) == (0, {"db-01": NODE, "db-02": NODE}), said


def test_a_return_is_queued_with_the_homecoming_that_follows_it(site: Site) -> None:
    site.drained().shell.done.clear()

    code, _, said = site.run(*RETURN, "--bring-back", "--queue", "--yes")

    queued = list_runs(site.state_dir / FILE, 1)[0]
    assert (code, site.shell.done) == (0, []), said
    assert (queued.title, queued.is_chain) == (
        "return and bring back 1 node: compute-07",
        True,
    )


def test_a_return_and_its_homecoming_are_two_runs_of_one_item(site: Site) -> None:
    site.drained()

    code, _, said = site.run(*RETURN, "--bring-back", "--yes")

    runs = list_runs(site.state_dir / FILE, 9)
    [chain] = [each for each in runs if each.is_chain]
    returned, back = sorted((each for each in runs if each.chain), key=lambda each: each.part)
    assert code == 0, said
    assert [(each.chain, each.item, each.part) for each in (returned, back)] == [
        (chain.id, NODE, 0),
        (chain.id, NODE, 1),
    ]
    assert (returned.title, back.title) == (
        "return `compute-07` to service",
        "bring servers home to `compute-07`",
    )


def test_the_plan_of_both_shows_who_would_come_home_once_the_node_serves(site: Site) -> None:
    code, out, said = site.drained().run(*RETURN, "--bring-back", "--dry-run")

    assert (code, site.cloud.nova.built, site.is_in_service) == (0, [], False), said
    assert "as of now, plan: bring servers home to `compute-07`" in out
    assert "2 servers move to `compute-07`" in out


def test_an_undo_of_both_takes_the_servers_away_again_and_then_the_node_out(site: Site) -> None:
    site.drained()
    site.run(*RETURN, "--bring-back", "--yes")
    [chain] = [each for each in list_runs(site.state_dir / FILE, 9) if each.is_chain]

    code, _, said = site.run("run", "undo", chain.id, "--yes")

    assert (code, set(site.hosts.values()), site.is_in_service) == (0, {"compute-08"}, False), said


def test_several_nodes_are_returned_as_a_chain(site: Site) -> None:
    code, out, _ = site.drained().run("node", "return", "compute-07", "compute-08", "--dry-run")

    assert code == 3  # the second is in service
    assert "plan: return 2 nodes: compute-07, compute-08" in out
    assert "is in service: it is enabled" in folded(out)


def test_the_drain_of_one_node_is_not_named_for_several(site: Site) -> None:
    code, _, said = site.run("node", "return", NODE, "compute-08", "--run", "01X", "--yes")

    assert (code, "`--run ID` is the drain of one node" in said) == (2, True)


def test_servers_are_queued_to_come_home_once_their_node_serves(site: Site) -> None:
    site.drained().run(*RETURN, "--yes")

    code, _, said = site.run(*RETURN, "--bring-back", "--queue", "--yes")

    queued = list_runs(site.state_dir / FILE, 1)[0]
    assert (code, queued.title) == (0, "bring servers home to `compute-07`"), said
    assert queued.state == "queued"


def test_a_consent_that_is_meant_for_nobody_is_found_before_anything_is_done(site: Site) -> None:
    code, _, said = site.drained().run(*RETURN, "--bring-back", "--consent", "x=CHG-1", "--yes")

    assert (code, site.is_in_service) == (3, False), said
    assert "`--consent x=...` names no server that would move" in said


def test_a_node_on_which_no_server_boots_is_cordoned_again_with_the_finding(site: Site) -> None:
    site.drained().cloud.nova.fault = "No valid host was found."

    code, _, said = site.run(*RETURN, "--bring-back", "--yes")

    service = site.cloud.nova.computes[NODE]
    assert (code, service.is_enabled) == (1, False), said
    assert "No valid host was found." in said
    assert "its return failed at the acceptance server" in str(service.disabled_reason)
    assert site.hosts == {"db-01": "compute-08", "db-02": "compute-08"}


def test_a_return_that_failed_can_be_tried_again(site: Site) -> None:
    site.drained().cloud.nova.fault = "No valid host was found."
    site.run(*RETURN, "--yes")
    site.cloud.nova.fault = None

    code, _, said = site.run(*RETURN, "--bring-back", "--yes")

    assert (code, set(site.hosts.values()), site.is_in_service) == (0, {NODE}, True), said


def test_a_nova_compute_that_does_not_stay_up_is_not_uncordoned(site: Site) -> None:
    site.drained().shell.not_starting.add(NODE)

    code, _, said = site.run(*RETURN, "--yes")

    assert (code, site.cloud.nova.computes[NODE].is_enabled) == (4, False)
    assert "nova-compute does not stay up" in said


def test_a_libvirt_that_does_not_answer_keeps_the_node_cordoned(site: Site) -> None:
    site.drained().shell.libvirt_down.add(NODE)

    code, _, said = site.run(*RETURN, "--yes")

    assert (code, site.cloud.nova.computes[NODE].is_enabled, site.cloud.nova.built) == (
        4,
        False,
        [],
    )
    assert "stage `accept` was not begun" in said


# --- bad input: a clear error, and nothing changed ---


def test_a_node_that_was_never_drained_is_refused(site: Site) -> None:
    code, _, said = site.run(*RETURN, "--yes")

    assert (code, site.cloud.nova.built, site.shell.done) == (3, [], [])
    assert "is in service: it is enabled" in said


def test_a_claim_of_somebody_else_is_refused_with_its_text(site: Site) -> None:
    site.cloud.nova.disable_service(site.cloud.nova.computes[NODE].id, "broken fan, Eve")

    code, _, said = site.run(*RETURN, "--yes")

    assert (code, site.shell.done) == (3, [])
    assert "is disabled, and not by Stackward: broken fan, Eve" in said


ELSEWHERE = "stackward 01EVE by eve on bastion-2 since 2026-11-22T03:00:00Z: broken fan"


def test_a_node_that_another_machines_run_has_is_refused_with_whom_to_ask(site: Site) -> None:
    site.cloud.nova.disable_service(site.cloud.nova.computes[NODE].id, ELSEWHERE)

    code, _, said = site.run(*RETURN, "--yes")

    assert (code, site.shell.done, site.cloud.nova.computes[NODE].is_enabled) == (3, [], False)
    assert "run `01EVE` of eve on bastion-2 has it since 2026-11-22 03:00:00 UTC" in said
    assert "`stackward node return compute-07 --run 01EVE`" in said


def test_naming_the_run_that_another_machine_has_returns_the_node(site: Site) -> None:
    site.cloud.nova.disable_service(site.cloud.nova.computes[NODE].id, ELSEWHERE)

    code, _, said = site.run(*RETURN, "--run", "01EVE", "--yes")

    assert (code, site.is_in_service, len(site.cloud.nova.built)) == (0, True, 1), said


def test_a_silent_node_is_refused(site: Site) -> None:
    site.drained().shell.silent.add(NODE)
    site.shell.done.clear()

    code, _, said = site.run(*RETURN, "--yes")

    assert (code, site.shell.done) == (3, [])
    assert "does not answer: cannot log in to `compute-07`: No route to host" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["node", "return", "nosuch"], "there is no compute node `nosuch`", id="node"),
        pytest.param(["node", "return", "ctl"], "`ctl`", id="a controller"),
        pytest.param([*RETURN, "--image", "x"], "there is no image `x`", id="image"),
        pytest.param([*RETURN, "--flavor", "x"], "there is no flavor `x`", id="flavor"),
        pytest.param([*RETURN, "--network", "x"], "there is no network `x`", id="network"),
        pytest.param([*RETURN, "--run", "01ZZ"], "there is no run `01ZZ`", id="run"),
    ],
)
def test_what_names_nothing_is_a_usage_error(site: Site, arguments: list[str], says: str) -> None:
    site.drained().shell.done.clear()

    code, _, said = site.run(*arguments, "--yes")

    assert (code, site.shell.done) == (2, [])
    assert says in said


def test_a_run_that_is_no_drain_of_the_node_brings_nothing_back(site: Site) -> None:
    site.drained().run(*RETURN, "--yes")
    _, out, _ = site.run("run", "list", "-f", "json")
    assert json.loads(out)

    code, _, said = site.run("node", "return", "compute-08", "--bring-back", "--yes")

    assert (code, "no drain of the node is known here" in said) == (3, True), said


def test_a_missing_right_blocks_a_return_before_anything_is_changed(site: Site) -> None:
    site.drained()
    before = list(site.shell.done)
    site.shell.refused[NODE] = "sudo: a password is required"

    code, out, err = site.run(*RETURN, "--yes")

    assert (code, site.shell.done) == (3, before)
    assert "to run a command of the plan as root, of STACKWARD_RETURN (" in out + err
    assert "ops ALL=(root) NOPASSWD: /usr/bin/rm -f /etc/stackward/maintenance" in out + err
