"""What is switched off although it belongs on its node is a finding; what was meant is a note."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from fakes.apis import beat, no_answer
from fakes.site import ANATOMY, Site
from stackward.health.belonging import ENOUGH, WEIGHTS, Sign
from stackward.model.cloud_state import Failed
from stackward.model.health import Finding, Health, State
from stackward.model.maintenance import MAINTENANCE

COMPUTE, CONDUCTOR, BROKER = (
    "nova-compute.service",
    "nova-conductor.service",
    "rabbitmq-server.service",
)
CLAIM = "stackward 01J9 by ada on bastion since 2026-11-25T10:44:04Z: bad DIMM"
FOUND = {"switched-off", "switched-off-here"}


def switch_off(
    site: Site,
    node: str,
    unit: str,
    *,
    masked: bool = True,
    installed: bool = True,
) -> None:
    """Stop a unit and mask it, or disable it; its links stay under a mask."""
    site.stop(node, unit)
    state = "masked" if masked else "disabled"
    site.unit(node, unit, LoadState="masked" if masked else "loaded", UnitFileState=state)
    if not masked:
        site.unit(node, unit, WantedBy="", RequiredBy="", TriggeredBy="")
    if installed:
        site.told(node).setdefault("installed", []).append(unit)


def close(site: Site, ports: tuple[int, ...]) -> None:
    """End what listens on some ports of the controller, and all connections there."""
    sockets = site.told("ctl")["sockets"]
    kept = [
        line
        for line in sockets["out"].splitlines()
        if not any(f":{port} " in " ".join(line.split()[3:4]) + " " for port in ports)
    ]
    sockets["out"] = "\n".join(kept)
    for node in site.nodes.told:
        for port in ports:
            site.cut(node, port)


def found(health: Health) -> list[Finding]:
    return [one for one in health.findings if one.rule in FOUND]


def where(health: Health) -> list[str]:
    return [one.where for one in found(health)]


MASKED = [
    ("ctl", "cinder-api.service", "cinder-api"),
    ("ctl", "cinder-scheduler.service", "cinder-scheduler"),
    ("ctl", "cinder-volume.service", "cinder-volume"),
    ("ctl", "dbus.service", "dbus"),
    ("ctl", "glance-api.service", "glance-api"),
    ("ctl", "keystone.service", "keystone"),
    ("ctl", "mariadb.service", "mariadb"),
    ("ctl", "memcached.service", "memcached"),
    ("ctl", "neutron-api.service", "neutron-api"),
    ("ctl", "neutron-ovn-maintenance-worker.service", "neutron-periodic-workers"),
    ("ctl", "neutron-rpc-server.service", "neutron-rpc-server"),
    ("ctl", "nova-api.service", "nova-api"),
    ("ctl", CONDUCTOR, "nova-conductor"),
    ("ctl", "nova-scheduler.service", "nova-scheduler"),
    ("ctl", "ovn-northd.service", "ovn-northd"),
    ("ctl", "ovn-ovsdb-server-nb.service", "ovn-databases"),
    ("ctl", "ovn-ovsdb-server-sb.service", "ovn-databases"),
    ("ctl", "placement-api.service", "placement-api"),
    ("ctl", BROKER, "rabbitmq"),
    ("ctl", "systemd-logind.service", "logind"),
    ("c01", "dbus.service", "dbus"),
    ("c01", "systemd-logind.service", "logind"),
    ("c01", "polkit.service", "polkit"),
    ("c01", "libvirtd.service", "libvirtd"),
    ("c01", COMPUTE, "nova-compute"),
    ("c01", "ovn-controller.service", "ovn-controller"),
    ("c01", "ovs-vswitchd.service", "openvswitch"),
    ("c01", "ovsdb-server.service", "openvswitch"),
    ("c01", "virtlogd.service", "virtlogd"),
]


@pytest.mark.parametrize(("node", "unit", "component"), MASKED, ids=[one[1] for one in MASKED])
def test_each_unit_that_was_stopped_and_masked_is_found_by_its_component(
    node: str, unit: str, component: str
) -> None:
    """Seen: "the cloud is ok", exit 0, with a service that was stopped and masked."""
    site = Site()
    switch_off(site, node, unit)
    close(site, ANATOMY[component].ports)
    answers = {"keystone": "identity", "glance-api": "image", "nova-api": "compute"}
    if component == "keystone":
        site.apis.login = no_answer()
    elif kind := answers.get(component):
        site.apis.lists[kind] = no_answer()

    health = site.look()

    assert where(health) == [f"{component} on {node}"]
    assert health.components[0].name == component
    assert health.state in {State.BROKEN, State.DEGRADED}


NEEDED = [
    pytest.param("ctl", BROKER, "rabbitmq", id="the only RabbitMQ"),
    pytest.param("ctl", "memcached.service", "memcached", id="memcached, which Keystone needs"),
    pytest.param("ctl", "mariadb.service", "mariadb", id="the only MariaDB"),
    pytest.param("ctl", "ovn-northd.service", "ovn-northd", id="the only northd"),
    pytest.param("ctl", CONDUCTOR, "nova-conductor", id="in Nova's list"),
    pytest.param("c01", COMPUTE, "nova-compute", id="in Nova's list, on a compute node"),
    pytest.param("c01", "ovn-controller.service", "ovn-controller", id="in Neutron's list"),
    pytest.param("ctl", "cinder-volume.service", "cinder-volume", id="in Cinder's list"),
]


@pytest.mark.parametrize(("node", "unit", "component"), NEEDED)
def test_what_was_stopped_and_disabled_is_found_where_something_else_says_that_it_belongs(
    node: str, unit: str, component: str
) -> None:
    site = Site()
    switch_off(site, node, unit, masked=False)
    close(site, ANATOMY[component].ports)

    assert where(site.look()) == [f"{component} on {node}"]


def test_a_polkit_that_the_message_bus_starts_when_it_is_needed_need_not_run() -> None:
    """Seen: stopped, and started by the bus with the next connection to libvirt."""
    site = Site()
    gone = {"ActiveState": "inactive", "SubState": "dead"}
    site.unit("c01", "polkit.service", **gone)
    site.told("c01")["installed"] = ["polkit.service"]
    site.command("c01", "question polkit 0", None)

    health = site.look()

    assert health.findings == ()
    assert "polkit" in {one.name for one in health.components if one.state is State.OK}


def remove(site: Site) -> None:
    """Remove its package: a mask, links, its queue and its record stay."""
    switch_off(site, "ctl", CONDUCTOR, installed=False)


def mask_in_vain(site: Site) -> None:
    units = site.told("c01")["commands"]["units"]
    units["out"] += (
        "\nId=cinder-volume.service\nLoadState=masked\nActiveState=inactive\nSubState=dead\n"
        "UnitFileState=masked\n"
    )


def install(site: Site) -> None:
    """Have what nobody uses: installed with others of its project, and disabled."""
    units = site.told("ctl")["commands"]["units"]
    units["out"] += (
        "\nId=cinder-backup.service\nLoadState=loaded\nActiveState=inactive\nSubState=dead\n"
        "UnitFileState=disabled\n"
    )


def mask_and_disable(site: Site) -> None:
    install(site)
    site.unit("ctl", "cinder-backup.service", LoadState="masked", UnitFileState="masked")
    site.told("ctl")["installed"] = ["cinder-backup.service"]


def move_database(site: Site) -> None:
    """Have the database elsewhere, outside of the inventory; what was installed here is off."""
    switch_off(site, "ctl", "mariadb.service", masked=False)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(mask_in_vain, id="a mask of what was never there"),
        pytest.param(install, id="installed, and never used"),
        pytest.param(mask_and_disable, id="masked, and disabled as well"),
        pytest.param(move_database, id="its work is done outside of the inventory"),
    ],
)
def test_what_nothing_but_a_trace_speaks_for_is_no_finding(given: Callable[[Site], None]) -> None:
    site = Site()
    given(site)

    assert site.look().findings == ()


def test_what_was_removed_is_not_to_be_started_again() -> None:
    """Its record, its links and the mask of its package are left: another finding names those."""
    site = Site()
    remove(site)
    site.silence("nova-conductor", "ctl")

    health = site.look()

    assert found(health) == []
    assert "heartbeat-lost" in {one.rule for one in health.findings}


def drain(site: Site, node: str, unit: str = COMPUTE) -> None:
    switch_off(site, node, unit)
    site.silence("nova-compute", node, is_enabled=False, reason=CLAIM)
    site.cut(node, 5672)


def test_what_a_drain_has_masked_is_on_purpose() -> None:
    site = Site()
    drain(site, "c01")

    health = site.look()

    assert health.findings == ()
    assert "`nova-compute.service` is masked" in {note.says for note in health.notes}


@pytest.mark.parametrize(
    ("node", "unit"),
    [
        pytest.param("c01", "libvirtd.service", id="another unit of that node"),
        pytest.param("c02", COMPUTE, id="that unit of another node"),
    ],
)
def test_a_claim_explains_its_own_unit_on_its_own_node_only(node: str, unit: str) -> None:
    site = Site()
    drain(site, "c01")
    switch_off(site, node, unit)

    assert [one.node for one in found(site.look())] == [node]


def test_a_node_whose_record_was_enabled_again_is_not_in_maintenance() -> None:
    site = Site()
    switch_off(site, "c01", COMPUTE)
    site.told("c01")["paths"].append(MAINTENANCE)

    assert where(site.look()) == ["nova-compute on c01"]


def test_the_mark_on_a_node_explains_where_nova_cannot_be_asked() -> None:
    site = Site()
    switch_off(site, "c01", COMPUTE)
    site.cut("c01", 5672)
    site.told("c01")["paths"].append(MAINTENANCE)
    site.apis.login = Failed(how=no_answer().how, says="Connection refused")

    assert found(site.look()) == []


def test_what_somebody_disabled_with_a_reason_is_on_purpose() -> None:
    site = Site()
    switch_off(site, "c01", COMPUTE)
    site.silence("nova-compute", "c01", is_enabled=False, reason="new disk")
    site.cut("c01", 5672)

    assert found(site.look()) == []


def test_what_libvirt_had_nova_disable_is_not_on_purpose() -> None:
    site = Site()
    switch_off(site, "c01", COMPUTE)
    site.silence("nova-compute", "c01", is_enabled=False, reason="AUTO: no libvirt")

    assert where(site.look()) == ["nova-compute on c01"]


def test_where_others_do_its_work_the_cloud_is_degraded_and_not_broken() -> None:
    site = Site()
    site.nodes.told["ctl2"] = json.loads(json.dumps(site.told("ctl")))
    site.told("ctl2")["hostname"] = "ctl2"
    switch_off(site, "ctl2", "memcached.service")

    [one] = found(site.look())

    assert (one.rule, one.state, one.where) == (
        "switched-off-here", State.DEGRADED, "memcached on ctl2",
    )  # fmt: skip


def test_of_a_node_that_is_looked_at_alone_the_mask_is_found_too() -> None:
    site = Site()
    switch_off(site, "ctl", BROKER)

    assert where(site.look(only="ctl")) == ["rabbitmq on ctl"]


def test_a_nova_compute_that_is_switched_off_is_not_called_over_rpc() -> None:
    site = Site()
    switch_off(site, "c01", COMPUTE)

    site.look()

    assert site.apis.called == ["c02"]


def test_the_remedy_begins_with_a_look_and_unmasks_what_is_masked_only() -> None:
    masked, disabled = Site(), Site()
    switch_off(masked, "ctl", CONDUCTOR)
    switch_off(disabled, "ctl", CONDUCTOR, masked=False)

    [one], [other] = found(masked.look()), found(disabled.look())

    assert one.remedy.startswith("look first who switched it off")
    back = "to start it again: `systemctl unmask"
    assert (back in one.remedy, back in other.remedy) == (True, False)
    assert one.reason == (
        "`nova-conductor.service` is stopped and masked, but it belongs here: its API has "
        "nova-conductor of `ctl`, which is up"
    )


@pytest.mark.parametrize(
    ("consumers", "kind", "command"),
    [
        pytest.param(
            0, "classic", "rabbitmqctl delete_queue --if-unused conductor.ctl", id="classic"
        ),
        pytest.param(0, "quorum", "rabbitmqctl delete_queue conductor.ctl", id="quorum"),
        pytest.param(1, "classic", None, id="somebody reads it"),
    ],
)
def test_who_retires_a_service_is_told_of_the_queue_that_it_has_left(
    consumers: int, kind: str, command: str | None
) -> None:
    """Seen on a lab: disabled and without a record, it was found on, by its queue."""
    site = Site()
    switch_off(site, "ctl", CONDUCTOR)
    queues = site.told("ctl")["commands"]["rabbitmq queues"]
    kept = [each for each in queues["out"].splitlines() if not each.startswith("conductor.ctl\t")]
    queues["out"] = "\n".join([*kept, f"conductor.ctl\t0\t{consumers}\t{kind}"]) + "\n"

    [one] = found(site.look())

    said = re.findall("`(rabbitmqctl [^`]*)`", one.remedy)
    assert said == ([command] if command else [])
    assert one.remedy.index("to start it again") < one.remedy.find("delete_queue") or not command


def test_no_trace_that_a_removed_service_leaves_is_enough_alone() -> None:
    left = {Sign.WANTED, Sign.QUEUE, Sign.SITE, Sign.PROJECT}

    assert max(WEIGHTS[sign] for sign in left) < ENOUGH
    assert set(WEIGHTS) == set(Sign)


# --- what runs, and would not start again -------------------------------------------------------


def runs(**facts: str) -> Callable[[Site], None]:
    return lambda site: site.unit("c01", COMPUTE, **{"WantedBy": "", **facts})


def wanted_by(other: str, **facts: str) -> Callable[[Site], None]:
    """Have another unit want it, which was asked about afterwards."""

    def given(site: Site) -> None:
        site.unit("c01", COMPUTE, UnitFileState="static", WantedBy=other)
        told = {"Id": other, "LoadState": "loaded", "ActiveState": "active", **facts}
        out = "".join(f"{name}={value}\n" for name, value in told.items())
        site.command("c01", "wanting units", 0, out=out)

    return given


@pytest.mark.parametrize(
    ("given", "rule", "cure"),
    [
        pytest.param(
            runs(UnitFileState="disabled"), "not-at-boot", "systemctl enable", id="disabled"
        ),
        pytest.param(
            runs(UnitFileState="static"), "not-at-boot", "add-wants", id="static, unwanted"
        ),
        pytest.param(
            runs(UnitFileState="generated"), "not-at-boot", "systemctl enable", id="init script"
        ),
        pytest.param(
            runs(UnitFileState="enabled-runtime", WantedBy="multi-user.target"),
            "not-at-boot",
            "until then only",
            id="enabled until the reboot",
        ),
        pytest.param(
            wanted_by("ovn-host.service", UnitFileState="disabled"),
            "not-at-boot",
            "list-dependencies",
            id="wanted by what is disabled",
        ),
        pytest.param(
            wanted_by("ovn-host.service", UnitFileState="masked", LoadState="masked"),
            "not-at-boot",
            "list-dependencies",
            id="wanted by what is masked",
        ),
        pytest.param(
            wanted_by("ovn-host.socket", UnitFileState="disabled"),
            "not-at-boot",
            "list-dependencies",
            id="started by a socket that is disabled",
        ),
        pytest.param(
            runs(LoadState="masked", UnitFileState="masked", WantedBy="multi-user.target"),
            "masked-but-runs",
            "systemctl unmask",
            id="masked while it runs",
        ),
        pytest.param(
            wanted_by("ovn-host.service", UnitFileState="enabled"),
            "",
            "",
            id="wanted by what is enabled",
        ),
        pytest.param(
            runs(UnitFileState="static", WantedBy="who.service"),
            "",
            "",
            id="by nobody that is known",
        ),
        pytest.param(
            runs(UnitFileState="generated", WantedBy="multi-user.target"),
            "",
            "",
            id="init script, on",
        ),
        pytest.param(
            runs(UnitFileState="disabled", TriggeredBy="virtlogd.socket"),
            "",
            "",
            id="by an enabled socket",
        ),
        pytest.param(
            wanted_by("nova-compute.socket", UnitFileState="disabled", WantedBy=COMPUTE),
            "not-at-boot",
            "list-dependencies",
            id="by a disabled socket that nothing but it wants",
        ),
    ],
)
def test_what_runs_and_would_not_start_at_boot(
    given: Callable[[Site], None], rule: str, cure: str
) -> None:
    site = Site()
    given(site)

    told = [one for one in site.look().findings if one.component == "nova-compute"]

    assert [one.rule for one in told] == ([rule] if rule else [])
    assert all(cure in one.remedy and one.state is State.DEGRADED for one in told)


def kolla(policy: str | None, **keeper: str) -> Callable[[Site], None]:
    """Have a container, its restart policy, and the unit that Kolla may have made for it."""

    def given(site: Site) -> None:
        line = {"ID": "4f1c0e5b7d2a", "Names": "neutron_metadata_agent", "State": "running",
                "Status": "Up 3 weeks"}  # fmt: skip
        site.command("c01", "containers of docker", 0, out=json.dumps(line))
        if policy is not None:
            site.command(
                "c01", "policies of docker", 1, out=f"/neutron_metadata_agent {policy}\n",
                err="Error: No such container: nova_api\n",
            )  # fmt: skip
        if keeper:
            told = {"Id": "kolla-neutron_metadata_agent-container.service", "LoadState": "loaded",
                    "ActiveState": "active", **keeper}  # fmt: skip
            units = site.told("c01")["commands"]["units"]
            units["out"] += "\n" + "".join(f"{name}={value}\n" for name, value in told.items())

    return given


@pytest.mark.parametrize(
    ("given", "cure"),
    [
        pytest.param(kolla("no"), "update --restart unless-stopped", id="nobody starts it"),
        pytest.param(kolla(""), "update --restart unless-stopped", id="no policy at all"),
        pytest.param(
            kolla("no", UnitFileState="disabled"), "systemctl enable kolla-", id="its unit is off"
        ),
        pytest.param(kolla("no", UnitFileState="enabled"), None, id="its unit starts it"),
        pytest.param(kolla("unless-stopped"), None, id="its engine starts it"),
        pytest.param(kolla("always"), None, id="always"),
        pytest.param(kolla(None), None, id="not told"),
    ],
)
def test_a_container_that_nobody_would_start_again(
    given: Callable[[Site], None], cure: str | None
) -> None:
    site = Site()
    given(site)

    told: list[Any] = [
        one for one in site.look().findings if one.component == "neutron-metadata-agent"
    ]

    assert [one.rule for one in told] == ([] if cure is None else ["not-at-boot"])
    assert all(cure in one.remedy for one in told)


def test_the_units_that_stand_in_for_one_another_are_declared() -> None:
    one_of = {one.name for one in ANATOMY.components.values() if one.is_one_of}

    assert one_of == {"dbus", "chrony", "mariadb", "libvirtd", "neutron-api"}


def test_an_init_script_is_known_to_be_installed_by_its_package_alone() -> None:
    """Seen: its unit is made anew at each boot, and a small image is without /usr/share/doc."""
    site = Site()
    worker = "neutron-ovn-maintenance-worker.service"
    switch_off(site, "ctl", worker, installed=False)
    site.told("ctl")["paths"].append(f"/var/lib/dpkg/info/{worker[:-8]}.md5sums")

    assert where(site.look()) == ["neutron-periodic-workers on ctl"]


AGENTS = ("neutron-l3-agent", "neutron-dhcp-agent")


def agents_of_old(site: Site) -> None:
    """Mask the agents that OVN has replaced; their links stay."""
    for name in AGENTS:
        unit = f"{name}.service"
        units = site.told("ctl")["commands"]["units"]
        if f"Id={unit}" not in units["out"].splitlines():
            units["out"] += f"\n\nId={unit}\nLoadState=\nUnitFileState=\nWantedBy=\n"
            units["out"] += "ActiveState=\nSubState=\n"
        site.unit("ctl", unit, WantedBy="multi-user.target")
        switch_off(site, "ctl", unit)


def test_an_agent_that_ovn_has_replaced_does_not_belong_any_more() -> None:
    """A migration to OVN masks them, and leaves their links: the cloud was "broken" for ever."""
    site = Site()
    agents_of_old(site)

    assert found(site.look()) == []


def test_an_agent_that_neutron_still_has_belongs_beside_ovn_too() -> None:
    site = Site()
    agents_of_old(site)
    reports = site.apis.reports["network"]
    assert not isinstance(reports, Failed)
    reports.append(beat("neutron-dhcp-agent", "ctl", is_up=False))

    assert where(site.look()) == ["neutron-dhcp-agent on ctl"]


def test_what_nobody_needs_is_not_missed_because_nobody_runs_it() -> None:
    """A link that stays under a mask was enough by itself, where no other ran it."""
    site = Site()
    unit = "keepalived.service"
    units = site.told("ctl")["commands"]["units"]
    units["out"] += (
        f"\n\nId={unit}\nLoadState=masked\nUnitFileState=masked\nWantedBy=multi-user.target\n"
        "ActiveState=inactive\nSubState=dead\n"
    )
    site.told("ctl").setdefault("installed", []).append(unit)

    assert found(site.look()) == []


@pytest.mark.parametrize(("active", "sub"), [("activating", "auto-restart"), ("failed", "failed")])
def test_what_was_masked_while_it_ran_and_has_fallen_is_found(active: str, sub: str) -> None:
    """Seen: of one that waits to be started again nothing was said but a note that it is masked."""
    site = Site()
    states = {"ActiveState": active, "SubState": sub, "LoadState": "masked"}
    site.unit("ctl", "neutron-rpc-server.service", **states, UnitFileState="masked")

    [found] = [one for one in site.look().findings if one.under is None]

    assert (found.rule, found.where) == ("masked-and-fallen", "neutron-rpc-server on ctl")
    assert f"{active} ({sub})" in found.reason
    assert "`systemctl unmask neutron-rpc-server.service`" in found.remedy


@pytest.mark.parametrize("active", ["activating", "deactivating"])
def test_what_is_disabled_and_neither_runs_nor_rests_is_found(active: str) -> None:
    site = Site()
    states = {"ActiveState": active, "SubState": "stop-sigterm", "UnitFileState": "disabled"}
    site.unit("ctl", "neutron-rpc-server.service", **states, WantedBy="", RequiredBy="")

    found = [one for one in site.look().findings if one.component == "neutron-rpc-server"]

    assert [one.rule for one in found]
