"""Whether the lab's cloud is ready for use, asked of the cloud itself."""

import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from stackward.errors import StepFailed, Unreachable
from stackward.lab.client import connect
from stackward.lab.machine import Machine
from stackward.lab.spec import Lab
from stackward.lab.ssh import on_node
from stackward.lab.waiting import wait_until
from stackward.model.maintenance import MAINTENANCE
from stackward.model.placement import DISABLED
from stackward.model.service import BY_ITSELF

APIS = {
    "keystone": 5000,
    "placement": 8778,
    "glance": 9292,
    "nova-api": 8774,
    "neutron-api": 9696,
    "cinder-api": 8776,
}
BOOT_S = 120
SERVICES_S = 240
FAKE_S = 6  # a nova-compute takes 3 s of CPU to start; they share two cores with all else


def answers(lab: Lab, port: int) -> bool:
    """Say whether an HTTP service answers at all, be it with an error of its own."""
    try:
        urllib.request.urlopen(f"http://{lab.control.address}:{port}/", timeout=10).close()
    except urllib.error.HTTPError as answer:
        return answer.code < 500 or answer.code == 503  # noqa: PLR2004  # glance: 300; 503: unpaste
    except OSError:
        return False
    return True


def wait_for_nodes(lab: Lab) -> None:
    """Wait until every node answers by SSH.

    Raises StepFailed naming those that do not.
    """
    machines = [Machine(lab, node) for node in lab.nodes]
    wait_until(lambda: all(m.answers_ssh() for m in machines), within_s=BOOT_S, every_s=0.2)
    silent = [machine for machine in machines if not machine.answers_ssh()]
    if silent:
        raise StepFailed(
            "nodes do not answer by SSH: " + ", ".join(f"`{m.name}`" for m in silent),
            hint=f"their consoles: {' '.join(str(machine.console) for machine in silent)}",
        )


def wait_for_apis(lab: Lab) -> None:
    """Wait until every API answers.

    Raises StepFailed naming those that do not.
    """
    wait_until(
        lambda: all(answers(lab, port) for port in APIS.values()), within_s=SERVICES_S, every_s=0.3
    )
    silent = [name for name, port in APIS.items() if not answers(lab, port)]
    if silent:
        raise StepFailed(
            "services do not answer: " + ", ".join(silent),
            hint="`stackward lab ssh ctl systemctl --failed` shows more",
        )


def in_maintenance(lab: Lab) -> list[str]:
    """Return the compute nodes whose nova-compute a drain keeps off: it is not waited for."""
    asked = f"test -e {MAINTENANCE} && echo yes || true"
    return [node.name for node in lab.compute_nodes if on_node(lab, node.name, asked).strip()]


def wait_for_computes(lab: Lab, kept_off: Collection[str] = ()) -> None:
    """Wait until every compute node is up in Nova, mapped to its cell, and a chassis of OVN.

    Of those that are kept off on purpose only the chassis is waited for.
    Raises StepFailed with what is missing.
    """
    cloud, booted = connect(lab), boots(lab)
    missing: list[str] = []

    def all_there() -> bool:
        missing[:] = tolerant(lambda: what_is_missing(lab, cloud, kept_off, booted))
        return not missing

    within_s = SERVICES_S + FAKE_S * len(fake_hosts(lab))
    if not wait_until(all_there, within_s=within_s, every_s=0.4):
        raise StepFailed(
            "the cloud is not complete",
            details=missing,
            hint="`stackward lab status` shows the nodes and the faults that are in force",
        )


def boots(lab: Lab) -> dict[str, datetime]:
    """Return when the node of each of Nova's hosts was booted, by this machine's clock."""
    asked = "systemctl show --timestamp=unix -P UserspaceTimestamp"
    nodes = {
        node.name: datetime.fromtimestamp(int(on_node(lab, node.name, asked).strip("@\n")), UTC)
        for node in lab.nodes
        if node.role != "control"
    }
    fakes = [nodes[node.name] for node in lab.nodes if node.role == "fake"]
    return nodes | {host: max(fakes) for host in fake_hosts(lab)}


def has_reported(at: str | None, booted: datetime | None) -> bool:
    """Say whether a report, in UTC as the APIs write it, is of a process of this boot.

    Nova and Neutron call a service up by the report of a process that ended with its node, for as
    long as they wait for the next one. A server that is sent there ends in ERROR, without a fault.
    """
    if booted is None:
        return True
    return at is not None and datetime.fromisoformat(at).replace(tzinfo=UTC) > booted


def in_service(lab: Lab) -> list[str]:
    """Return the compute nodes that take servers: those up and not disabled on purpose."""
    services = connect(lab).compute.services(binary="nova-compute")
    takes = {each.host for each in services if (each.state, each.status) == ("up", "enabled")}
    return [node.name for node in lab.compute_nodes if node.name in takes]


def what_is_missing(
    lab: Lab,
    cloud: Any,  # noqa: ANN401  # the SDK's own
    kept_off: Collection[str] = (),
    booted: Mapping[str, datetime] = MappingProxyType({}),
) -> list[str]:
    """Return what the cloud does not have yet, in words; `booted`: when each node booted."""
    names = {node.name for node in lab.compute_nodes} - {*kept_off}
    names |= set(fake_hosts(lab))
    up = {
        service.host: service
        for service in cloud.compute.services(binary="nova-compute")
        if service.state == "up" and has_reported(service.updated_at, booted.get(service.host))
    }
    lacks = [f"nova-compute on {name} is not up" for name in sorted(names - up.keys())]
    if lacks:
        return lacks
    lacks = [
        f"Nova has disabled nova-compute on {name}: {up[name].disabled_reason}"
        for name in sorted(names)
        if (up[name].disabled_reason or "").startswith(BY_ITSELF)
    ]
    # Nova changes the trait after the service: until then the scheduler finds no valid host there.
    kept_from = {each.name for each in cloud.placement.resource_providers(required=DISABLED)}
    enabled = {name for name in names if up[name].status == "enabled"}
    lacks += [f"placement keeps servers off {name}" for name in sorted(enabled & kept_from)]
    # Without details: these would ask every nova-compute for its uptime, and wait for a silent one.
    mapped = {
        hypervisor.name
        for hypervisor in cloud.compute.hypervisors(details=False)
        if hypervisor.state == "up"
    }
    lacks += [f"the hypervisor {name} is not up" for name in sorted(names - mapped)]
    chassis = {
        agent.host
        for agent in cloud.network.agents()
        if agent.is_alive and has_reported(agent.last_heartbeat_at, booted.get(agent.host))
    }
    real = {node.name for node in lab.compute_nodes}
    return lacks + [f"OVN has no living chassis on {name}" for name in sorted(real - chassis)]


def fake_hosts(lab: Lab) -> list[str]:
    """Return the host names of the lab's fake computes."""
    has_any = any(node.role == "fake" for node in lab.nodes)
    return [f"fake{number}" for number in range(1, lab.fake_computes + 1)] if has_any else []


def tolerant(ask: Callable[[], list[str]]) -> list[str]:
    """Return what `ask` says, or the error's words while services are still starting."""
    try:
        return ask()
    except (StepFailed, Unreachable) as error:
        return [f"{error.message}: {error.says}"]
