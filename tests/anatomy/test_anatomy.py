"""The anatomy is complete: whatever reads it finds what it needs, for every component."""

from collections.abc import Iterator

import pytest

from stackward.anatomy import FLAVOURS, PRIORITIES, Component, Deployed, read_anatomy, to_anatomy
from stackward.errors import BadInput

ALL = list(read_anatomy().components.values())
DEPLOYED = [
    pytest.param(deployed, id=f"{one.name}, {flavour}")
    for one in ALL
    for flavour, deployed in one.flavours.items()
]
PROBES_OF_ITS_OWN = {"mariadb", "rabbitmq", "memcached", "libvirt"}
NAMED = {
    "keystone", "glance-api", "placement-api", "nova-api", "nova-conductor", "nova-scheduler",
    "nova-compute", "nova-novncproxy", "nova-metadata", "neutron-api", "neutron-rpc-server",
    "neutron-l3-agent", "neutron-dhcp-agent", "neutron-ovn-metadata-agent", "ovn-controller",
    "ovn-northd", "cinder-api", "cinder-scheduler", "cinder-volume", "cinder-backup", "swift-proxy",
    "swift-account", "swift-container", "swift-object", "horizon", "mariadb", "rabbitmq",
    "memcached", "haproxy", "keepalived", "libvirtd", "virtlogd", "openvswitch", "dbus", "chrony",
}  # fmt: skip


def test_no_component_of_a_cloud_is_missing() -> None:
    assert NAMED - {one.name for one in ALL} == set()


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_what_a_component_needs_exists(one: Component) -> None:
    assert {*one.depends_on, *one.rests_on, *one.holds} <= set(read_anatomy().components)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_every_component_has_a_priority_of_the_chapter(one: Component) -> None:
    assert one.restore in PRIORITIES


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_every_component_has_a_probe_that_can_be_carried_out(one: Component) -> None:
    can = {
        "list": bool(one.catalog and one.probe.path),
        "account": bool(one.catalog),
        "heartbeat": bool(one.heartbeat),
        "rpc": bool(one.heartbeat and one.topic),
        "consumer": bool(one.topic),
        "port": True,
        "unit": True,
        "node": True,
    } | dict.fromkeys(PROBES_OF_ITS_OWN, True)

    assert can[one.probe.kind]
    assert one.probe.shows


def test_nothing_depends_on_itself_in_the_end() -> None:
    assert [one.name for one in ALL if one.name in set(below(one))] == []


def below(one: Component) -> Iterator[str]:
    seen: set[str] = set()
    ahead = [*one.depends_on, *one.rests_on]
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            yield name
            needed = read_anatomy()[name]
            ahead += [*needed.depends_on, *needed.rests_on]


def test_every_component_rests_on_its_machine() -> None:
    assert [one.name for one in ALL if "machine" not in {*one.rests_on, one.name}] == []


@pytest.mark.parametrize("deployed", DEPLOYED)
def test_every_way_of_deploying_it_says_what_runs_and_where_it_writes(deployed: Deployed) -> None:
    assert deployed.units or deployed.containers or deployed.sites
    assert deployed.logs
    assert deployed.configuration
    assert deployed.user
    assert deployed.command


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_each_flavour_runs_a_cloud(flavour: str) -> None:
    """What a cloud cannot do without is deployed in each way; Kolla has no Swift any more."""
    needed = {"keystone", "glance-api", "placement-api", "nova-api", "nova-compute", "mariadb"}

    assert needed <= {one.name for one in ALL if flavour in one.flavours}


def test_components_come_in_the_order_of_a_restore() -> None:
    assert [one.restore for one in ALL] == sorted(one.restore for one in ALL)


def test_a_new_component_is_an_entry() -> None:
    anatomy = to_anatomy(
        [
            """
            [barbican-api]
            is = "keeps secrets"
            service = "barbican"
            depends_on = ["keystone"]
            restore = 21
            upgrade = 4
            ports = [9311]
            catalog = "key-manager"
            probe = { kind = "list", path = "/v1/secrets?limit=1", shows = "list of secrets" }
            [barbican-api.debian]
            units = ["barbican-api.service"]
            packages = ["barbican-api"]
            configuration = ["/etc/barbican/barbican.conf"]
            logs = ["/var/log/barbican/barbican-api.log"]
            user = "barbican"
            command = "/etc/init.d/barbican-api systemd-start"
            """
        ]
    )

    assert anatomy["barbican-api"].flavours["debian"].units == ("barbican-api.service",)


def test_an_unknown_component_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="there is no component `nova`"):
        _ = read_anatomy()["nova"]
