"""What a lab's cloud lacks before it is ready for use."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from lab_builders import a_lab
from stackward.lab.ready import what_is_missing


def a_cloud(
    *up: str,
    chassis: Collection[str] = ("c01", "c02"),
    disabled: Mapping[str, str] = MappingProxyType({}),
    kept_from: Collection[str] = (),
    reported: str | None = "2026-11-27T08:45:28.000000",
    heard: str | None = "2026-11-27 08:45:29",
) -> Any:  # noqa: ANN401  # as the SDK's
    """Return a cloud in which these nova-computes are up; those disabled have a reason."""
    services = [
        SimpleNamespace(
            host=name,
            state="up" if name in up else "down",
            status="disabled" if name in disabled else "enabled",
            disabled_reason=disabled.get(name),
            updated_at=reported,
        )
        for name in ("c01", "c02")
    ]
    return SimpleNamespace(
        compute=SimpleNamespace(
            services=lambda **_: services,
            hypervisors=lambda **_: [
                SimpleNamespace(name=each.host, state=each.state) for each in services
            ],
        ),
        placement=SimpleNamespace(
            resource_providers=lambda **_: [SimpleNamespace(name=name) for name in kept_from]
        ),
        network=SimpleNamespace(
            agents=lambda: [
                SimpleNamespace(host=name, is_alive=True, last_heartbeat_at=heard)
                for name in chassis
            ]
        ),
    )


@pytest.mark.parametrize(
    ("cloud", "kept_off", "lacks"),
    [
        pytest.param(a_cloud("c01", "c02"), [], [], id="all are up: nothing"),
        pytest.param(
            a_cloud("c02"), [], ["nova-compute on c01 is not up"], id="one is not up: is waited for"
        ),
        pytest.param(a_cloud("c02"), ["c01"], [], id="it is in maintenance: is not waited for"),
        pytest.param(
            a_cloud("c01"),
            ["c01"],
            ["nova-compute on c02 is not up"],
            id="another one is in maintenance: is waited for",
        ),
        pytest.param(
            a_cloud("c02", chassis=["c02"]),
            ["c01"],
            ["OVN has no living chassis on c01"],
            id="in maintenance without its chassis: that is waited for",
        ),
        pytest.param(
            a_cloud("c01", "c02", disabled={"c02": "AUTO: Connection to libvirt lost: 1"}),
            [],
            ["Nova has disabled nova-compute on c02: AUTO: Connection to libvirt lost: 1"],
            id="Nova has disabled one by itself: that Nova enables it is waited for",
        ),
        pytest.param(
            a_cloud("c01", "c02", disabled={"c02": "a bad DIMM"}, kept_from=["c02"]),
            [],
            [],
            id="an operator has disabled one: is not waited for",
        ),
        pytest.param(
            a_cloud("c01", "c02", kept_from=["c02"]),
            [],
            ["placement keeps servers off c02"],
            id="enabled, and placement does not know yet: is waited for",
        ),
        pytest.param(a_cloud(), ["c01", "c02"], [], id="all are in maintenance: nothing"),
    ],
)
def test_what_the_cloud_lacks(cloud: object, kept_off: list[str], lacks: list[str]) -> None:
    assert what_is_missing(a_lab(), cloud, kept_off) == lacks


@pytest.mark.parametrize(
    ("cloud", "lacks"),
    [
        pytest.param(a_cloud("c01", "c02"), [], id="both have reported since"),
        pytest.param(
            a_cloud("c01", "c02", reported="2026-11-27T08:45:20.000000"),
            ["nova-compute on c01 is not up", "nova-compute on c02 is not up"],
            id="the report is of a process that ended with its node",
        ),
        pytest.param(
            a_cloud("c01", "c02", reported=None),
            ["nova-compute on c01 is not up", "nova-compute on c02 is not up"],
            id="it has never reported",
        ),
        pytest.param(
            a_cloud("c01", "c02", heard="2026-11-27 08:45:19"),
            ["OVN has no living chassis on c01", "OVN has no living chassis on c02"],
            id="so is the chassis",
        ),
    ],
)
def test_what_reported_before_its_node_was_booted_is_not_up(
    cloud: object, lacks: list[str]
) -> None:
    """A server was sent to a nova-compute that had not started yet, and ended in ERROR."""
    boot = datetime(2026, 11, 27, 8, 45, 20, tzinfo=UTC)

    assert what_is_missing(a_lab(), cloud, (), {"c01": boot, "c02": boot}) == lacks
