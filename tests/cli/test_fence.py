"""`stackward node fence`, on a cloud of fakes: a dead node, a living one, a wrong device."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from typing_extensions import override

from builders import a_service
from cli import test_return
from cli.test_return import NODE
from engine.fakes import FakeClock
from fakes.power import FakeDevice, FakePower
from fakes.world import a_world
from stackward.adapters.store.listing import FILE, list_runs
from stackward.app.journal import open_journal
from stackward.cli.outside import settings_here
from stackward.model.hardware import Hardware
from stackward.model.inventory import Inventory
from stackward.model.observation import Observation
from stackward.model.power import PowerState
from stackward.ports.world import World
from texts import folded

FENCE = ("node", "fence", NODE)
MACS = "52:54:00:00:00:07"
ITS_OWN = Hardware.of(macs=[MACS])


@dataclass
class Site(test_return.Site):
    """The same with devices that switch its nodes."""

    power: FakePower = field(default_factory=FakePower)

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        self.power.shell = self.shell
        self.power.devices[NODE] = FakeDevice(hardware=ITS_OWN)
        self.power.devices["compute-08"] = FakeDevice()

    @override
    @contextmanager
    def open_world(self, _known: Inventory, _os_cloud: str | None) -> Iterator[World]:
        clock = FakeClock(on_wait=[self.cloud.nova.pass_time])
        world = a_world(self.cloud, self.shell, power=self.power)
        yield replace(world, clock=clock, acting=None)

    def seen_well(self, node: str = NODE, macs: str = MACS) -> "Site":
        """Let a look have seen a node while it was well."""
        with open_journal(settings_here()) as journal:
            journal.observe(
                [
                    Observation(
                        cloud=self.cloud.identity().id,
                        node=node,
                        subject="machine",
                        value={"host": node, "uuid": "", "serial": "", "macs": [macs]},
                        source="node",
                        at=FakeClock().now(),
                    )
                ]
            )
        return self

    def lose(self, *nodes: str) -> "Site":
        """Let nodes lose their network and their heartbeat; they keep their power."""
        for node in nodes:
            self.shell.silent.add(node)
            self.cloud.nova.computes[node] = replace(self.cloud.nova.computes[node], is_up=False)
        return self

    def die(self) -> "Site":
        """Let the node lose its power: its nova-compute reports no more, forced down or not."""
        self.power.devices[NODE].state = PowerState.OFF
        self.cloud.nova.unheard.add(NODE)
        return self.lose(NODE)

    @property
    def ordered(self) -> list[tuple[str, str]]:
        return self.power.ordered


@pytest.fixture
def site(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Site:
    plain = test_return.site.__wrapped__(tmp_path, monkeypatch, capsys)  # type: ignore[attr-defined]  # the fixture
    return Site(plain.state_dir, capsys)


def test_a_node_without_power_is_proved_dead_without_an_order(site: Site) -> None:
    code, out, said = site.seen_well().die().run(*FENCE, "--yes")

    assert (code, site.ordered) == (0, []), said
    assert "run `01RUN`, fence `compute-07`: succeeded" in out
    proved = folded(out)
    assert "proved: the device of `compute-07` says Off, twice, 5 s apart" in proved
    assert "the device that says Off is that of `compute-07`" in proved
    assert "nothing of `compute-07` answers: not 22/tcp, not ping, no heartbeat" in proved
    assert "run undo" not in said


def test_a_node_that_is_cut_off_loses_its_power(site: Site) -> None:
    code, _, said = site.seen_well().lose(NODE).run(*FENCE, "--yes")

    assert (code, site.ordered) == (0, [(NODE, "off")]), said
    assert "look first at its network and its console" in folded(said)


def test_a_dry_run_shows_the_proofs_and_changes_nothing(site: Site) -> None:
    code, out, said = site.seen_well().lose(NODE).run(*FENCE, "--dry-run")

    assert (code, site.ordered) == (0, []), said
    assert "plan: fence `compute-07`" in out
    assert "Redfish at bmc-compute-07" in out
    assert "cut off" in out
    assert "nothing of `compute-07` answers" in folded(out)


def test_the_plan_as_json_has_what_each_source_says(site: Site) -> None:
    code, out, _ = site.seen_well().die().run(*FENCE, "--dry-run", "-f", "json")

    shown = json.loads(out)
    assert code == 0
    assert shown["facts"]["it is"] == "dead"
    assert shown["facts"]["signs"].startswith("heartbeat no, RPC no, ssh no, ping no, power no")


@pytest.mark.parametrize(
    ("binary", "code"),
    [("nova-consoleauth", 0), ("nova-cells", 0), ("nova-scheduler", 3), ("nova-conductor", 3)],
)
def test_a_row_that_an_upgrade_has_left_hinders_no_fence(
    site: Site, binary: str, code: int
) -> None:
    """Any dead kind refused it: a cloud of Rocky or older had no fence, and no evacuation."""
    site.seen_well().die()
    site.cloud.nova.has_conductor = binary != "nova-conductor"
    site.cloud.nova.rows = [a_service("ctl", binary=binary, is_up=False)]

    assert site.run(*FENCE, "--dry-run")[0] == code


def test_a_living_node_is_refused_and_a_drain_is_named_first(site: Site) -> None:
    code, _, said = site.seen_well().run(*FENCE, "--yes")

    assert (code, site.ordered) == (3, [])
    shown = folded(said)
    assert shown.index("stackward node drain compute-07") < shown.index("--kill-guests 1")


def test_a_living_node_loses_its_power_once_its_guests_are_counted(site: Site) -> None:
    code, out, said = site.seen_well().run(*FENCE, "--kill-guests", "1", "--yes")

    assert (code, site.ordered) == (0, [(NODE, "off")]), said
    assert site.shell.units[NODE] == ("inactive", "masked")
    assert "succeeded" in out


def test_another_number_of_guests_is_refused(site: Site) -> None:
    code, _, said = site.seen_well().run(*FENCE, "--kill-guests", "2", "--yes")

    assert (code, site.ordered) == (3, [])
    assert "`--kill-guests 1`" in folded(said)


def test_the_device_of_another_machine_gets_no_order(site: Site) -> None:
    site.power.devices[NODE].hardware = Hardware.of(macs=["52:54:00:00:00:08"])
    site.seen_well().seen_well("compute-08", "52:54:00:00:00:08").lose(NODE)

    code, _, said = site.run(*FENCE, "--confirmed-off", "INC-1", "--yes")

    assert (code, site.ordered) == (3, [])
    assert "its device is that of another machine, `compute-08`" in folded(said)


def test_a_node_that_answers_while_its_device_says_off_is_refused_whatever_is_passed(
    site: Site,
) -> None:
    site.power.devices[NODE].state = PowerState.OFF

    code, _, said = site.seen_well().run(
        *FENCE, "--confirmed-off", "INC-1", "--kill-guests", "1", "--yes"
    )

    assert (code, site.ordered) == (3, [])
    assert "its device says Off, but it answers" in folded(said)


def test_a_device_that_says_off_and_cuts_nothing_fails_the_proof(site: Site) -> None:
    site.power.devices[NODE].lies_off = True

    code, out, said = site.seen_well().run(*FENCE, "--kill-guests", "1", "--yes")

    assert code == 1, said
    assert "its device says Off, and compute-07 takes connections at 22/tcp" in folded(out + said)
    assert "do not evacuate it" in folded(out + said)


def test_a_device_of_which_nothing_is_known_needs_a_persons_word(site: Site) -> None:
    code, _, said = site.die().run(*FENCE, "--yes")
    assert (code, "--confirmed-off REFERENCE" in folded(said)) == (3, True)

    code, out, said = site.run(*FENCE, "--confirmed-off", "INC-4711", "--yes")

    assert code == 0, said
    assert "is that of `compute-07`, by a person's word: INC-4711" in folded(out)


def test_what_was_heard_before_the_order_and_falls_silent_proves_whose_device_it_is(
    site: Site,
) -> None:
    site.power.devices[NODE].hardware = Hardware()

    code, out, said = site.run(*FENCE, "--kill-guests", "1", "--yes")

    assert code == 0, said
    assert "the device that says Off is that of `compute-07`" in folded(out)


def test_a_wrong_device_of_which_nothing_is_known_is_found_out_by_the_node_that_lives(
    site: Site,
) -> None:
    site.power.devices[NODE] = FakeDevice(switches="compute-09")

    code, out, said = site.run(*FENCE, "--kill-guests", "1", "--yes")

    assert code == 1
    assert "do not evacuate it: its servers may run" in folded(out + said)


def test_most_nodes_silent_at_once_is_refused_until_each_is_named(site: Site) -> None:
    site.seen_well().lose(NODE, "compute-08")

    code, _, said = site.run(*FENCE, "--yes")
    assert (code, site.ordered) == (3, [])
    assert "--accept-outage compute-07,compute-08" in folded(said)

    code, _, said = site.run(*FENCE, "--accept-outage", "compute-07, compute-08", "--yes")
    assert (code, site.ordered) == (0, [(NODE, "off")]), said


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param({"is_deaf": True}, "does not answer", id="deaf"),
        pytest.param({"is_vague": True}, "does not say whether it is on", id="vague"),
        pytest.param({"refuses_login": True}, "does not let `ops` in", id="wrong password"),
        pytest.param({"reset_types": ("On",)}, "cannot cut the power at once", id="no ForceOff"),
    ],
)
def test_a_device_that_misbehaves_before_the_order_blocks(
    site: Site, wrong: dict[str, object], says: str
) -> None:
    site.seen_well().lose(NODE)
    site.power.devices[NODE] = replace(site.power.devices[NODE], **wrong)  # type: ignore[arg-type]  # its fields

    code, _, said = site.run(*FENCE, "--yes")

    assert (code, site.ordered, says in folded(said)) == (3, [], True), said


def test_a_device_that_takes_the_order_and_carries_nothing_out_stops_the_run(site: Site) -> None:
    site.seen_well().lose(NODE)
    site.power.devices[NODE].is_stuck = True

    code, _, said = site.run(*FENCE, "--yes")

    assert (code, site.ordered) == (4, [(NODE, "off")]), said
    assert "no sign of it was ever seen" in folded(said)


def test_a_lost_answer_is_looked_at_and_not_ordered_again(site: Site) -> None:
    site.seen_well().lose(NODE)
    site.power.devices[NODE].loses_answers = True

    code, _, said = site.run(*FENCE, "--yes")

    assert (code, site.ordered) == (0, [(NODE, "off")]), said


def test_a_node_without_a_device_is_refused(site: Site) -> None:
    del site.power.devices[NODE]

    code, _, said = site.seen_well().lose(NODE).run(*FENCE, "--yes")

    assert (code, "the inventory names no device" in folded(said)) == (3, True)


LATER = [("--queue",), ("--at", "01:00"), ("--window", "01:00-05:00")]


@pytest.mark.parametrize("later", LATER, ids=" ".join)
def test_a_fence_is_not_left_to_workers(site: Site, later: tuple[str, ...]) -> None:
    code, _, said = site.seen_well().die().run(*FENCE, *later, "--yes")

    assert (code, "while somebody watches it" in folded(said)) == (2, True)
    assert list_runs(site.state_dir / FILE, 9) == []


@pytest.mark.parametrize("later", LATER, ids=" ".join)
def test_a_plan_of_a_fence_is_not_left_to_workers_either(
    site: Site, tmp_path: Path, later: tuple[str, ...]
) -> None:
    plan = tmp_path / "plan.json"
    site.seen_well().lose(NODE).run(*FENCE, "--dry-run", "--plan-out", str(plan))

    code, _, said = site.run("run", "apply", str(plan), "--yes", *later)

    assert (code, "it cannot wait for a worker or a time" in folded(said)) == (2, True), said
    assert list_runs(site.state_dir / FILE, 9) == []


@pytest.mark.parametrize("later", LATER, ids=" ".join)
def test_a_fence_that_has_stopped_is_not_left_to_workers_either(
    site: Site, later: tuple[str, ...]
) -> None:
    site.power.devices[NODE].is_stuck = True
    ended, *_ = site.seen_well().lose(NODE).run(*FENCE, "--yes")
    [stopped] = list_runs(site.state_dir / FILE, 9)

    code, _, said = site.run("run", "resume", stopped.id, *later)

    assert (ended, code, "it cannot wait for a worker or a time" in folded(said)) == (4, 2, True)


def test_a_fence_is_not_undone(site: Site) -> None:
    site.seen_well().lose(NODE).run(*FENCE, "--yes")
    [run] = list_runs(site.state_dir / FILE, 9)

    code, out, said = site.run("run", "undo", run.id, "--dry-run")

    assert (code, "no run takes that back" in folded(out)) == (3, True), out + said


def test_an_unknown_node_is_bad_input(site: Site) -> None:
    code, _, said = site.run("node", "fence", "compute-70", "--yes")

    assert (code, "there is no compute node `compute-70`" in folded(said)) == (2, True)


def test_without_a_node_nothing_is_fenced(site: Site) -> None:
    code, _, said = site.run("node", "fence", "--yes")

    assert (code, "no node is named" in folded(said)) == (2, True)


@pytest.mark.parametrize("flags", [("--yes",), ("--kill-guests", "1"), ("--confirmed-off", "T")])
def test_a_flag_of_a_fence_beside_check_is_refused(site: Site, flags: tuple[str, ...]) -> None:
    code, _, said = site.run(*FENCE, "--check", *flags)

    assert (code, f"`{flags[0]}`: `--check` switches nothing" in folded(said)) == (2, True)


def test_nothing_is_fenced_while_no_conductor_reports(site: Site) -> None:
    """Heartbeats come through it: nodes that are well fall silent too."""
    site.seen_well().lose(NODE).cloud.nova.has_conductor = False

    code, _, said = site.run(*FENCE, "--yes")

    assert (code, site.ordered) == (3, [])
    assert "no nova-conductor on another node reports to Nova" in folded(said)
