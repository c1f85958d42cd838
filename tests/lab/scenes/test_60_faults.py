"""Every declared fault is made, seen, found by name, mended and gone.

What is in one round is in force at the same time, each in another place. Meanwhile the lab is not
called well, one look of the check names what is broken and nothing beside it, and a drain that a
fault stands against is blocked. Once mended, the lab is as it was.
"""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from lab.drains import Ended
from lab.looks import check, findings, is_well
from lab.stage import Stage, scene
from real_lab import RealLab, until
from stackward.errors import ExitCode
from stackward.lab.faults import FAULTS
from stackward.lab.scene import Scene, looks
from texts import folded

STATES = ["ACTIVE", "SHUTOFF", "PAUSED", "ACTIVE", "ACTIVE", "ACTIVE"]  # of the load


@dataclass(frozen=True, kw_only=True)
class Made:
    """A fault, where it is made, and what the check may say of it."""

    fault: str
    target: str
    component: str | None = None  # None: the check has no word for it
    rules: frozenset[str] = frozenset()
    node: str | None = None  # where the component is


def _made(fault: str, target: str, component: str, *rules: str) -> Made:
    return Made(
        fault=fault, target=target, component=component, rules=frozenset(rules), node=target
    )


# Most of a fault's time is waiting for Nova, which can be done on several nodes at once.
ROUNDS: tuple[tuple[Made, ...], ...] = (
    (
        _made("node-power-loss", "c01", "machine", "node-unreachable"),
        _made("node-network-loss", "c02", "machine", "node-unreachable"),
    ),
    (
        _made("nova-compute-killed", "c02", "nova-compute", "unit-down", "heartbeat-lost"),
        _made("nova-compute-deaf", "c01", "nova-compute", "own-queue-unbound", "rpc-deaf"),
        _made("disk-full", "c03", "machine", "disk-full"),
    ),
    (
        _made("libvirtd-stopped", "c02", "libvirtd", "unit-down", "libvirt-silent"),
        Made(fault="domain-undefined", target="load-1"),
        Made(fault="base-image-deleted", target="load-6"),
    ),
    # The one node by itself: of three that are lost at once the check says that, and no more. What
    # shows at a next start or boot only is no ill of the cloud.
    (
        _made("node-hung", "c03", "machine", "node-unreachable"),
        Made(fault="disk-permission", target="load-5"),
        Made(fault="host-resumes-guests", target="c01"),
        Made(fault="reboot-hangs", target="c02"),
    ),
    (_made("rabbitmq-stopped", "ctl", "rabbitmq", "unit-down"),),
    (_made("mariadb-stopped", "ctl", "mariadb", "unit-down"),),
    (
        _made("wrong-keystone-password", "ctl", "nova-api", "list-failed"),
        Made(fault="bmc-wrong-node", target="c01"),
        Made(fault="bmc-lies-off", target="c02"),
    ),
)
# What no round makes: a day is short. The soak that makes it.
SOAKED = {
    "clock-shifted": "logs/test_clocks.py",
    "dbus-down": "diagnose/scenarios/dbus-down.toml",
    "disk-corrupt": "triage/test_triage.py",
    "binding-lost": "triage/test_triage.py",
    "guest-no-bootloader": "triage/test_triage.py",
    "guest-panic": "triage/test_triage.py",
    "allocation-orphan": "reconcile/test_reconcile.py",
    "allocation-double": "reconcile/test_reconcile.py",
    "domain-elsewhere": "reconcile/test_reconcile.py",
    "domain-of-deleted": "reconcile/test_reconcile.py",
    "attachment-one-sided": "volumes/test_volumes.py",
    "volume-stuck": "volumes/test_volumes.py",
    "memcached-stopped": "diagnose/scenarios/memcached-stopped.toml",
    "fernet-keys-missing": "diagnose/scenarios/fernet-keys-missing.toml",
    "mariadb-connections-full": "diagnose/scenarios/mariadb-connections-full.toml",
    "wrong-placement-password": "diagnose/scenarios/wrong-placement-password.toml",
    "method-raises": "diagnose/bugs.toml",
    "method-returns-nothing": "diagnose/bugs.toml",
    "method-loses-argument": "diagnose/bugs.toml",
    "target-dies-after-spawn": "evacuate/test_one_living_copy.py",
    "evacuation-lost": "evacuate/test_one_living_copy.py",
}
# It is over as soon as it is seen: no look falls into it.
PASSING = Made(fault="rabbitmq-restarted", target="ctl")
ROUND = {made.fault: number for number, round_ in enumerate(ROUNDS) for made in round_}

# All that a fault may write into on a node.
TOUCHED = (
    "find /etc/nova /etc/systemd /run/systemd/system -type f | sort | xargs md5sum;"
    " ls /var/lib; ls /var/tmp | grep -v systemd-private || true"
)


@dataclass(frozen=True, kw_only=True)
class Round:
    """What was told while some faults were in force."""

    shows: dict[str, bool]  # whether each was seen, by others' eyes
    told: dict[str, bool]  # whether `break` told how it shows
    status: int
    code: int
    findings: tuple[dict[str, Any], ...]
    first: str
    planned: Ended | None


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What was seen of all faults, and what they left."""

    rounds: tuple[Round, ...]
    passing: tuple[bool, bool]
    before: dict[str, Any]
    after: dict[str, Any]
    of_a_stopped_server: Any
    load: list[dict[str, str]]
    load_again: list[dict[str, str]]
    updated: tuple[list[str], list[str]]  # before and after it was asked for again
    states: list[str]
    volume_status: str
    in_group: list[str]


@scene(budget_s=540)
def faults(stage: Stage) -> Generator[Faults]:
    """Make all faults, each once, some side by side."""
    lab = stage.lab
    stage.all_in_service()
    load: list[dict[str, str]] = lab.read("load", "6")
    until(lambda: has_as_many_domains_as_servers(lab))
    lab.wait_until_all_is_old_enough()
    until(lambda: is_well(lab), within_s=240)
    stage.begins()
    servers = [lab.server(row["ID"]) for row in load]
    again = lab.read("load", "6")
    updated = [lab.server(row["ID"]).updated_at for row in load]
    [volume] = lab.cloud.compute.volume_attachments(load[3]["ID"])
    [group] = [
        each
        for each in lab.cloud.compute.server_groups(all_projects=True)
        if each.name == "load-apart"
    ]
    before = picture(lab)
    rounds = tuple(go_through(stage, round_) for round_ in ROUNDS)
    passing = make(lab, PASSING)
    lab.run("mend", PASSING.fault)
    yield Faults(
        rounds=rounds,
        passing=passing,
        before=before,
        after=picture(lab),
        of_a_stopped_server=lab.call("break", "domain-undefined", "load-2"),
        load=load,
        load_again=again,
        updated=([server.updated_at for server in servers], updated),
        states=[server.status for server in servers],
        volume_status=lab.cloud.block_storage.get_volume(volume.volume_id).status,
        in_group=list(group.member_ids),
    )
    stage.drains.remove(*(row["ID"] for row in load))


def has_as_many_domains_as_servers(lab: RealLab) -> bool:
    """Say whether what earlier scenes had is gone from libvirt too: Nova removes it in its time."""
    domains = [name for node in lab.spec.compute_nodes for name in lab.domains(node.name)]
    return len(domains) == len(list(lab.cloud.compute.servers(all_projects=True)))


def picture(lab: RealLab) -> dict[str, Any]:
    """Return all of the lab's state that a mended fault must leave as it was."""
    cloud = lab.cloud
    services = [*cloud.compute.services(), *cloud.block_storage.services()]
    servers = cloud.compute.servers(all_projects=True)
    nodes = [node.name for node in lab.spec.nodes]
    return {
        "services": sorted((it.binary, it.host, it.state, it.status) for it in services),
        "servers": sorted(
            (it.name, it.status, it.task_state, it.hypervisor_hostname) for it in servers
        ),
        "domains": [lab.domains(node.name) for node in lab.spec.compute_nodes],
        "nodes": [lab.on(node, f"systemctl --failed --no-legend; {TOUCHED}") for node in nodes],
        "faults": lab.read("status")["faults"],
    }


def make(lab: RealLab, made: Made) -> tuple[bool, bool]:
    """Make a fault; say whether it is seen, and whether it was told how it shows."""
    said = lab.run("break", made.fault, made.target)
    [kept] = [each for each in lab.read_whatever("status")["faults"] if each["fault"] == made.fault]
    place = Scene(lab.spec, kept["target"], kept["remembered"])
    return looks(FAULTS[made.fault].seen, place), FAULTS[made.fault].symptom in said


def go_through(stage: Stage, round_: tuple[Made, ...]) -> Round:
    """Make some faults at once, look, and mend them at once; the lab is well again after it."""
    lab = stage.lab
    with ThreadPoolExecutor(max_workers=len(round_)) as pool:
        seen = list(pool.map(lambda made: make(lab, made), round_))
        status = lab.call("status").returncode
        code, told = check(lab)
        of_a_guest = any(made.fault == "domain-undefined" for made in round_)
        planned = stage.drains.plan(stage.nodes[0])[0] if of_a_guest else None
        list(pool.map(lambda made: lab.run("mend", made.fault), round_))
    until(lambda: is_well(lab), within_s=240)
    names = [made.fault for made in round_]
    return Round(
        shows=dict(zip(names, (shows for shows, _ in seen), strict=True)),
        told=dict(zip(names, (told for _, told in seen), strict=True)),
        status=status,
        code=code,
        findings=tuple(findings(told)),
        first=told["components"][0]["name"],
        planned=planned,
    )


def test_every_fault_is_gone_through_once() -> None:
    assert sorted([*ROUND, PASSING.fault, *SOAKED]) == sorted(FAULTS)


@pytest.mark.parametrize("fault", ROUND)
def test_a_fault_shows_as_it_is_told(faults: Faults, fault: str) -> None:
    seen = faults.rounds[ROUND[fault]]

    assert (seen.shows[fault], seen.told[fault]) == (True, True)


def test_a_fault_that_passes_shows_too(faults: Faults) -> None:
    assert faults.passing == (True, True)


@pytest.mark.parametrize("number", range(len(ROUNDS)))
def test_a_lab_with_a_fault_is_not_called_well(faults: Faults, number: int) -> None:
    assert faults.rounds[number].status == ExitCode.DEGRADED


@pytest.mark.parametrize("number", range(len(ROUNDS)))
def test_what_is_broken_is_found_by_name_and_nothing_beside_it(faults: Faults, number: int) -> None:
    seen = faults.rounds[number]
    found = {(one["component"], one["node"] or one["component"]) for one in seen.findings}
    may_be = {
        (made.component, where): made.rules
        for made in ROUNDS[number]
        for where in (made.node, made.component)
        if made.component
    }

    assert seen.code in {6, 7}
    assert seen.first in {made.component for made in ROUNDS[number]}
    assert found <= set(may_be)
    assert all(
        one["rule"] in may_be[one["component"], one["node"] or one["component"]]
        for one in seen.findings
    )
    assert {
        made.fault for made in ROUNDS[number] if made.component and not is_found(made, seen)
    } == set()


def is_found(made: Made, seen: Round) -> bool:
    """Say whether a look has named what a fault has broken, where it is."""
    return any(
        one["component"] == made.component and one["node"] in {made.node, None}
        for one in seen.findings
    )


def test_a_server_whose_domain_is_gone_blocks_the_drain_and_is_named(faults: Faults) -> None:
    [planned] = [each.planned for each in faults.rounds if each.planned]

    assert planned.code == ExitCode.BLOCKED
    assert "load-1 Nova calls it ACTIVE, but libvirt" in folded(planned.said)


def test_all_is_mended_and_leaves_no_trace(faults: Faults) -> None:
    assert faults.after == faults.before


def test_a_fault_of_a_running_server_is_refused_for_a_stopped_one(faults: Faults) -> None:
    assert faults.of_a_stopped_server.returncode == ExitCode.USAGE
    assert "`load-2` is SHUTOFF" in faults.of_a_stopped_server.stderr


# --- the load ---


def test_the_load_is_a_mix_of_states(faults: Faults) -> None:
    assert faults.states == STATES
    assert faults.volume_status == "in-use"
    assert faults.in_group == [faults.load[4]["ID"]]


def test_loading_again_changes_nothing(faults: Faults) -> None:
    before, after = faults.updated

    assert faults.load_again == faults.load
    assert after == before
