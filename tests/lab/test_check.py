"""A check of a real cloud: each fault is found by name, and a cloud that is well has no finding.

Given a lab; when a fault is put into it; then one look names the component that was broken first,
and nothing beside it.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from real_lab import STACKWARD, RealLab, until
from stackward.lab.client import environment

CHECK_S = 60
PATIENT = ("--timeout", "20")  # what is told is tested here; elsewhere, how soon
LOAD_S = 300
LOOKS = 10


def check(lab: RealLab, *words: str) -> tuple[int, dict[str, Any]]:
    """Look once, and return the exit code and the whole answer."""
    ended = subprocess.run(
        [STACKWARD, *(words or ("cloud", "check")), *PATIENT, "-f", "json"],
        env={**os.environ, **environment(lab.spec)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=CHECK_S,
        check=False,
    )
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def findings(told: dict[str, Any], *, explained: bool = False) -> list[dict[str, Any]]:
    """Return the findings that nothing else explains, or all; the worst component's first."""
    return [
        finding
        for component in told["components"]
        for finding in component["findings"]
        if explained or finding["under"] is None
    ]


def is_well(lab: RealLab) -> bool:
    """Say whether a look has no finding."""
    return check(lab)[0] == 0


@pytest.fixture
def well(lab: RealLab) -> Iterator[RealLab]:
    """Given a lab that is well, before and after."""
    until(lambda: is_well(lab), within_s=240)
    yield lab
    until(lambda: is_well(lab), within_s=240)


# What each fault is: its target, the component that must come first, and the rules that may be
# said beside it. Faults of servers touch no service.
FAULTS = [
    pytest.param(
        "node-power-loss",
        "c01",
        "machine",
        {"node-unreachable"},
        id="power",
        marks=pytest.mark.soak,
    ),
    pytest.param(
        "node-network-loss",
        "c01",
        "machine",
        {"node-unreachable"},
        id="network",
        marks=pytest.mark.soak,
    ),
    pytest.param(
        "nova-compute-killed",
        "c01",
        "nova-compute",
        {"unit-down", "heartbeat-lost"},
        id="killed",
        marks=pytest.mark.soak,
    ),
    pytest.param(
        "nova-compute-deaf",
        "c01",
        "nova-compute",
        {"own-queue-unbound", "rpc-deaf"},
        id="deaf",
        marks=pytest.mark.soak,
    ),
    pytest.param("rabbitmq-stopped", "ctl", "rabbitmq", {"unit-down"}, id="RabbitMQ"),
    pytest.param(
        "mariadb-stopped", "ctl", "mariadb", {"unit-down"}, id="MariaDB", marks=pytest.mark.soak
    ),
    pytest.param(
        "libvirtd-stopped",
        "c01",
        "libvirtd",
        {"unit-down", "libvirt-silent"},
        id="libvirt",
        marks=pytest.mark.soak,
    ),
    pytest.param(
        "wrong-keystone-password",
        "ctl",
        "nova-api",
        {"list-failed"},
        id="password",
    ),
    pytest.param("disk-full", "c01", "machine", {"disk-full"}, id="disk"),
]


@pytest.mark.parametrize(("fault", "target", "component", "rules"), FAULTS)
def test_a_fault_is_found_by_name_and_nothing_beside_it(
    well: RealLab, fault: str, target: str, component: str, rules: set[str]
) -> None:
    well.run("break", fault, target)
    try:
        code, told = check(well)
    finally:
        well.run("mend", fault, target)

    found = findings(told)
    assert code in {6, 7}
    assert told["components"][0]["name"] == component
    assert {one["rule"] for one in found} <= rules
    assert {one["component"] for one in found} == {component}
    assert {one["node"] for one in found} <= {target, None}


@pytest.mark.soak
@pytest.mark.parametrize("component", ["nova-conductor", "cinder-volume", "neutron-rpc-server"])
def test_a_service_that_hears_nothing_is_found_while_it_still_reports(
    well: RealLab, component: str
) -> None:
    well.on("ctl", f"systemctl kill -s STOP {component}")
    try:
        code, told = check(well)
    finally:
        well.on("ctl", f"systemctl kill -s CONT {component}")

    [found] = findings(told)
    assert code == 7
    assert (found["rule"], found["component"], found["node"]) == ("rpc-deaf", component, "ctl")


def test_a_cloud_that_is_well_has_no_finding_ten_times_in_a_row(well: RealLab) -> None:
    """The first look comes as soon as `lab up` is done, the second while servers are built."""
    well.run("down")
    well.run("up")
    looks = [check(well)]
    with being_loaded(well):
        looks.append(check(well))
    looks += [check(well) for _ in range(LOOKS - len(looks))]

    assert [(code, findings(told)) for code, told in looks] == [(0, [])] * LOOKS


@contextmanager
def being_loaded(lab: RealLab) -> Iterator[None]:
    """Have servers built on a lab meanwhile; they are removed at the end."""
    loading = subprocess.Popen(
        [STACKWARD, "lab", "load", "4", "--name", lab.name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: any(one.status == "BUILD" for one in loaded(lab)))
        yield
        assert loading.poll() is None, "the load was there before the look had ended"
    finally:
        assert loading.wait(LOAD_S) == 0
        for one in loaded(lab):
            lab.cloud.compute.delete_server(one.id)
        until(lambda: not loaded(lab))


def loaded(lab: RealLab) -> list[Any]:
    """Return the servers of the load."""
    return list(lab.cloud.compute.servers(all_projects=True, name="^load-"))


@pytest.mark.parametrize(
    ("component", "count"),
    [
        ("nova-compute", 2),
        ("nova-conductor", 1),
        ("nova-scheduler", 1),
        ("cinder-scheduler", 1),
        ("cinder-volume", 1),
        ("neutron-rpc-server", 1),
    ],
)
def test_services_are_proved_to_answer(seen: dict[str, Any], component: str, count: int) -> None:
    [one] = [one for one in seen["components"] if one["name"] == component]
    assert one["shown_by"].startswith(f"{count} of {count} answer over RPC")


@pytest.fixture(scope="module")
def seen(lab: RealLab) -> dict[str, Any]:
    """Given one look at a lab that is well."""
    until(lambda: is_well(lab), within_s=240)
    return check(lab)[1]


# What nothing here can prove, each with why it cannot.
NOT_PROVED = {
    "the clock": "shared with the host of this container",
    "the kernel log": "shared with the host of this container",
    "neutron-periodic-workers": "nothing can be asked of it",
    # virtlogd is started by the first guest of a node.
    "virtlogd": "it has just been started, or it starts when it is needed",
}


def test_what_is_not_proved_on_a_healthy_lab_is_exactly_what_cannot_be(well: RealLab) -> None:
    well.wait_until_all_is_old_enough()

    _, told = check(well)

    found = {one["what"]: one["why"] for one in told["not_proved"]}
    assert found.items() <= NOT_PROVED.items()
    assert found.keys() >= NOT_PROVED.keys() - {"virtlogd"}
    assert told["unknown"] == []


def test_one_node_is_looked_at_alone(well: RealLab) -> None:
    code, told = check(well, "node", "check", "c01")

    assert code == 0
    assert {node for one in told["components"] for node in one["nodes"]} == {"c01"}
