"""A node loses its power: its servers are brought up elsewhere, each on the disk that was promised.

One has a volume and no other disk, one has a disk that no other node sees and is given up. The
guests tell which disk they have, and how often it was booted. Before, the device of the node is
cabled to another one, and nothing is done.
"""

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial

from lab.evacuations import bring_back, last_tick, mark_of, on_a_volume, power_of
from lab.stage import Stage, scene
from real_lab import until
from stackward.lab import proof
from stackward.lab.guest import Tick


@dataclass(frozen=True, kw_only=True)
class Dead:
    """What was refused, what was done, and what the guests tell."""

    node: str
    wrong_code: int
    wrong_said: str
    code: int
    said: str
    run: str
    hosts: dict[str, str]
    statuses: dict[str, str]
    before: dict[str, Tick]
    after: dict[str, Tick]
    records: dict[str, list[tuple[str, str]]]
    power: str  # of the node, at the end
    forced_down: bool


@scene(budget_s=100, is_later=True)
def dead(stage: Stage) -> Generator[Dead]:
    """Evacuate a node that lost its power: one server with a volume, one whose disk is given up."""
    lab, drains, node = stage.lab, stage.drains, stage.nodes[2]
    stage.all_in_service()
    drains.remove_left_over("dead-")
    servers = {
        "volume": on_a_volume(lab, "dead-volume", node),
        "blank": drains.boot("dead-blank", node),
    }
    for each in servers.values():
        proof.wait_active(lab.cloud, each)
    looked = drains.call("node", "check", node)  # by that the machine is known later
    assert looked.returncode == 0, looked.stdout
    # It falls silent first: so Nova calls it down in the time that the guests take to boot.
    lab.on(node, "systemctl stop nova-compute")
    before = {what: until(partial(last_tick, lab, node, each)) for what, each in servers.items()}
    stage.begins()

    lab.run("power", "off", node)
    lab.run("break", "bmc-wrong-node", node)
    only = [word for each in servers.values() for word in ("--only", each)]
    given_up = ["--accept-data-loss", servers["blank"]]
    asked = ("node", "evacuate", node, "--reason", "tested", *given_up, *only)
    wrong = drains.call(*asked, "--yes")
    lab.run("mend", "bmc-wrong-node", node)
    until(lambda: lab.compute_state(node) == "down")
    ended = drains.call(*asked, "--yes")
    service = drains.service(node)
    yield Dead(
        node=node,
        wrong_code=wrong.returncode,
        wrong_said=wrong.stdout + wrong.stderr,
        code=ended.returncode,
        said=ended.stdout + ended.stderr,
        run=str(drains.run["State"]),
        hosts={what: lab.server(each).hypervisor_hostname for what, each in servers.items()},
        statuses={what: lab.server(each).status for what, each in servers.items()},
        before=before,
        after={what: lab.tick(each) for what, each in servers.items()},
        records={what: [*drains.migrations(each).values()] for what, each in servers.items()},
        power=power_of(lab, node),
        forced_down=service.is_forced_down,
    )
    bring_back(drains, node)
    drains.remove(*servers.values())


def test_while_its_device_is_that_of_another_node_nothing_is_done(dead: Dead) -> None:
    assert dead.wrong_code == 3, dead.wrong_said
    assert "another machine" in " ".join(dead.wrong_said.split())
    assert {each for records in dead.records.values() for each in records} == {
        ("evacuation", "done")
    }


def test_each_is_elsewhere_and_runs(dead: Dead) -> None:
    assert (dead.code, dead.run) == (0, "succeeded"), dead.said
    assert dead.node not in dead.hosts.values()
    assert set(dead.statuses.values()) == {"ACTIVE"}
    assert (dead.power, dead.forced_down) == ("off", True)


def test_what_was_promised_its_own_disk_has_it(dead: Dead) -> None:
    before, after = dead.before["volume"], dead.after["volume"]

    assert mark_of(after) == mark_of(before)
    # Nova boots it too, for some seconds, before it stops it: that may be too short to be counted.
    assert after.boots - before.boots in {1, 2}


def test_what_was_given_up_has_a_new_disk(dead: Dead) -> None:
    assert mark_of(dead.after["blank"]) != mark_of(dead.before["blank"])
