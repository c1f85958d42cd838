"""Containers: which engine a remedy names, what only helps, and what has just been started."""

import json

import pytest

from fakes.site import ANATOMY, Site
from stackward.health.presence import Presence
from stackward.model.cloud_state import NO_TIME
from stackward.model.health import Finding, Health, State
from stackward.model.survey import Survey, Unit, Unseen


def container(site: Site, name: str, how: tuple[str, str], engine: str = "docker") -> None:
    """Have a container on the node of its component, with its state and its status."""
    node = "ctl" if name.startswith("keystone") else "c01"
    names = [name] if engine == "podman" else name
    line = {"Id": "4f1c0e5b7d2a", "Names": names, "State": how[0], "Status": how[1]}
    site.command(node, f"containers of {engine}", 0, out=json.dumps(line))


def only(health: Health) -> Finding:
    [finding] = [one for one in health.findings if one.under is None]
    return finding


@pytest.mark.parametrize("engine", ["docker", "podman"])
@pytest.mark.parametrize(
    ("state", "status", "remedy"),
    [
        pytest.param("exited", "Exited (1) 3 minutes ago", "start neutron_l3_agent", id="exited"),
        pytest.param("created", "Created", "start neutron_l3_agent", id="never started"),
        pytest.param("paused", "Up 3 weeks (Paused)", "unpause neutron_l3_agent", id="paused"),
        pytest.param("running", "Up 3 weeks (unhealthy)", "inspect neutron_l3_agent", id="ill"),
    ],
)
def test_a_remedy_is_of_the_engine_and_of_the_state_of_its_container(
    engine: str, state: str, status: str, remedy: str
) -> None:
    """Docker refuses to start what is paused; on a node of Podman there is no `docker`."""
    site = Site()
    container(site, "neutron_l3_agent", (state, status), engine)

    finding = next(one for one in site.look().findings if one.rule.startswith("container-"))

    assert f"`{engine} {remedy}`" in finding.remedy
    assert {"docker": "podman", "podman": "docker"}[engine] not in finding.remedy


@pytest.mark.parametrize("engine", ["docker", "podman"])
@pytest.mark.parametrize(
    ("name", "command", "code"),
    [
        pytest.param("openvswitch_vswitchd", "question openvswitch 0", None, id="Open vSwitch"),
        pytest.param("nova_libvirt", "libvirt", 1, id="libvirt"),
    ],
)
def test_a_silent_process_is_started_anew_by_the_engine_of_its_container(
    engine: str, name: str, command: str, code: int | None
) -> None:
    site = Site()
    for unit in ("ovs-vswitchd.service", "ovsdb-server.service", "libvirtd.service",
                 "libvirtd.socket", "virtlogd.service", "virtlogd.socket"):  # fmt: skip
        gone = {"LoadState": "not-found", "ActiveState": "inactive", "UnitFileState": ""}
        blocks = site.told("c01")["commands"]["units"]["out"].splitlines()
        if f"Id={unit}" in blocks:
            site.unit("c01", unit, WantedBy="", RequiredBy="", TriggeredBy="", **gone)
    container(site, name, ("running", "Up 3 weeks"), engine)
    site.command("c01", command, code, err="no answer in time")

    found = [one for one in site.look().findings if one.rule.endswith("-silent")]

    assert [f"`{engine} restart {name}`" in one.remedy for one in found] == [True]
    assert {"docker": "podman", "podman": "docker"}[engine] not in found[0].remedy


@pytest.mark.parametrize(
    ("name", "node", "component"),
    [
        pytest.param("keystone_fernet", "ctl", "keystone", id="rotates the keys"),
        pytest.param("keystone_ssh", "ctl", "keystone", id="hands the keys on"),
        pytest.param("nova_ssh", "c01", "nova-compute", id="copies disks"),
    ],
)
def test_a_container_that_only_helps_leaves_its_component_degraded(
    name: str, node: str, component: str
) -> None:
    """Keystone was "broken" while it answered, and explained other faults."""
    site = Site()
    container(site, name, ("exited", "Exited (0) 3 weeks ago"))

    health = site.look()

    finding = only(health)
    assert (finding.rule, finding.where) == ("helper-container-down", f"{component} on {node}")
    assert finding.state is State.DEGRADED
    assert f"`docker start {name}`" in finding.remedy


def test_a_container_that_only_helps_explains_no_other_fault() -> None:
    site = Site()
    container(site, "keystone_fernet", ("exited", "Exited (0) 3 weeks ago"))
    site.stop("ctl", "nova-api.service")

    assert ("unit-down", None) in {(one.rule, one.under) for one in site.look().findings}


@pytest.mark.parametrize(
    ("status", "rules"),
    [
        pytest.param("Up Less than a second", [], id="just now"),
        pytest.param("Up 1 second", [], id="a second"),
        pytest.param("Up 5 seconds", [], id="Docker"),
        pytest.param("Up 5 seconds ago", [], id="Podman"),
        pytest.param("Up 19 seconds (health: starting)", [], id="with its health"),
        pytest.param("Up 20 seconds", ["connection-missing"], id="long enough"),
        pytest.param("Up About a minute", ["connection-missing"], id="a minute"),
        pytest.param("Up 5 minutes", ["connection-missing"], id="minutes"),
        pytest.param("Up 3 weeks", ["connection-missing"], id="weeks"),
        pytest.param("Up \u0665 seconds", ["connection-missing"], id="no figure of ours"),
    ],
)
def test_a_container_that_was_just_started_need_not_be_connected_yet(
    status: str, rules: list[str]
) -> None:
    site = Site()
    container(site, "neutron_l3_agent", ("running", status))

    found = [one.rule for one in site.look().findings if one.component == "neutron-l3-agent"]

    assert found == rules


@pytest.mark.parametrize(
    ("units", "restart"),
    [
        pytest.param(
            ("libvirtd.socket", "libvirtd.service"), "systemctl restart libvirtd", id="its service"
        ),
        pytest.param(
            ("libvirtd.socket",), "systemctl restart libvirtd.socket", id="a socket alone"
        ),
    ],
)
def test_a_socket_is_not_restarted_while_what_it_has_started_runs(
    units: tuple[str, ...], restart: str
) -> None:
    """It would be refused: the service is active."""
    there = {name: Unit(name=name) for name in units}
    unseen = Unseen("not asked")
    survey = Survey(node="c01", took_s=0.1, units=there, clock=unseen, kernel_errors=unseen)
    here = Presence(component=ANATOMY["libvirtd"], survey=survey, units=tuple(there.values()))

    assert here.restart == restart


@pytest.mark.parametrize("engine", ["docker", "podman"])
@pytest.mark.parametrize(
    ("code", "err", "rules"),
    [
        pytest.param(None, "no answer in time", ["engine-silent"], id="it hangs"),
        pytest.param(124, "", ["engine-silent"], id="timeout has ended it"),
        pytest.param(None, NO_TIME, [], id="it was not asked"),
        pytest.param(1, "sudo: a password is required", [], id="we may not ask it"),
    ],
)
def test_an_engine_that_hangs_is_found_and_never_taken_for_one_without_containers(
    engine: str, code: int | None, err: str, rules: list[str]
) -> None:
    site = Site()
    site.command("c01", f"containers of {engine}", code, err=err)
    site.told("c01")["contained"] = {engine: ["beam.smp", "haproxy"]}

    health = site.look()

    assert [one.rule for one in health.findings] == rules
    assert all(one.where == "machine on c01" for one in health.findings)
    assert all(
        one.evidence == ("in its containers run `beam.smp`, `haproxy`",) for one in health.findings
    )
    assert f"what runs under {engine}" in {gap.what for gap in health.gaps}
