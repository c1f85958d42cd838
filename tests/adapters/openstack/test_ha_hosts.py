"""The entries of a host in the instance-HA service: by the one rule of what is the same machine."""

import pytest

from builders import an_id
from fakes.clock import FakeClock
from fakes.cloud import FakeCloud
from http_cloud import HttpCloud
from stackward.adapters.openstack import OpenStackCloud
from stackward.errors import StackwardError
from stackward.model.instance_ha import HaHost

A, B = "c01.site-a.example", "c01.site-b.example"


def ha_hosts(host: str, *names: str) -> list[str]:
    """Return the entries of a host, among those of these names."""
    cloud = FakeCloud(catalog=frozenset({"compute", "instance-ha"}))
    cloud.masakari.guards = {name: HaHost(id=an_id(name), segment="s", host=name) for name in names}
    found = OpenStackCloud(HttpCloud(cloud).connection(), FakeClock()).masakari.ha_hosts(host)
    return [entry.host for entry in found]


@pytest.mark.parametrize(
    ("host", "names", "expected"),
    [
        pytest.param("c01", ("c01", "c02"), ["c01"], id="by its name"),
        pytest.param("c01", (A, "c02"), [A], id="by the one whole name that begins so"),
        pytest.param(A, (B,), [], id="another site's is not it"),
        pytest.param("c01", ("c01", A), ["c01"], id="its very name comes first"),
    ],
)
def test_the_entries_of_a_host(host: str, names: tuple[str, ...], expected: list[str]) -> None:
    assert ha_hosts(host, *names) == expected


def test_entries_of_two_machines_are_not_taken_for_one() -> None:
    """To tell the wrong one of a maintenance would leave its servers without a guard."""
    with pytest.raises(StackwardError, match=f"several hosts for `c01`: `{A}`, `{B}`"):
        ha_hosts("c01", A, B)
