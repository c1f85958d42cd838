"""What somebody has stopped by a signal: systemd calls it active, and it answers nobody."""

import pytest

from fakes.site import Site
from stackward.model.health import State

SWIFT = "swift-object.service", "swift-object-replicator.service"
UNIT = """

Id={unit}
LoadState=loaded
ActiveState={active}
SubState={sub}
UnitFileState=enabled
Type=simple
ActiveEnterTimestampMonotonic=1000000
"""


def with_swift(site: Site, active: str = "active", sub: str = "running") -> None:
    """Have a server of objects that answers, and its replicator, on c01."""
    units = site.told("c01")["commands"]["units"]
    units["out"] += UNIT.format(unit=SWIFT[0], active="active", sub="running")
    units["out"] += UNIT.format(unit=SWIFT[1], active=active, sub=sub)
    came = {"status": 200, "is_own": True, "has_request_id": False, "says": ""}
    place = {"address": "10.77.1.11", "port": 6200, "path": "/healthcheck", "came": came}
    site.told("c01")["web"].append({"name": "swift-object", **place})
    listens = 'LISTEN 0 128 10.77.1.11:6200 0.0.0.0:* users:(("swift",pid=4242,fd=3))\n'
    site.told("c01")["sockets"]["out"] += "\n" + listens
    site.told("c01")["owners"]["4242"] = f"0::/system.slice/{SWIFT[0]}"


def test_a_swift_that_works_has_no_finding() -> None:
    site = Site()
    with_swift(site)

    assert site.look().findings == ()


@pytest.mark.parametrize("active", ["inactive", "failed"])
def test_a_daemon_of_swift_that_was_stopped_is_found_though_its_server_answers(active: str) -> None:
    site = Site()
    with_swift(site, active=active, sub="dead")

    [found] = site.look().findings

    assert (found.rule, found.where) == ("unit-down", "swift-object on c01")
    assert SWIFT[1] in found.reason


def test_a_daemon_of_swift_that_is_frozen_is_found_though_its_server_answers() -> None:
    """Nothing can be asked of a replicator."""
    site = Site()
    with_swift(site)
    site.told("c01")["stopped"] = [SWIFT[1]]

    [found] = site.look().findings

    assert (found.rule, found.where, found.state) == (
        "process-stopped", "swift-object on c01", State.BROKEN,
    )  # fmt: skip
    assert "`systemctl kill --signal=CONT swift-object-replicator`" in found.remedy


@pytest.mark.parametrize(
    ("unit", "component"),
    [
        ("nova-conductor", "nova-conductor"),
        ("neutron-ovn-maintenance-worker", "neutron-periodic-workers"),
    ],
)
def test_what_is_frozen_is_found_where_nothing_can_be_asked_of_it(
    unit: str, component: str
) -> None:
    """RPC pings are off, as in most clouds, and its last report is fresh."""
    site = Site()
    site.told("ctl")["stopped"] = [f"{unit}.service"]

    [found] = site.look().findings

    assert (found.rule, found.where) == ("process-stopped", f"{component} on ctl")


def test_a_frozen_sshd_is_found_by_a_connection_that_was_there_before() -> None:
    site = Site()
    site.told("c01")["stopped"] = ["ssh.service"]

    assert [(one.rule, one.where) for one in site.look().findings] == [
        ("process-stopped", "machine on c01")
    ]


def test_one_that_answers_nobody_is_found_once() -> None:
    site = Site()
    site.told("ctl")["stopped"] = ["memcached.service"]
    site.told("ctl")["memcached"] = {"error": "no answer in time"}

    assert [one.rule for one in site.look().findings] == ["memcached-silent"]
