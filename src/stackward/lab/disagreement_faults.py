"""Faults by which witnesses disagree: placement, and libvirt of another node."""

import shlex
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from stackward.errors import StepFailed
from stackward.lab.scene import Scene

_PLACEMENT = "placement 1.36"  # generations of consumers, and no kinds of them
_HELD = {"VCPU": 1, "MEMORY_MB": 64}
_FILE = "/run/lab-domain.xml"
_NOVA = "http://openstack.org/xmlns/libvirt/nova/1.1"


# --- allocations ---


def hold_for_nobody(scene: Scene) -> None:
    """Let a consumer that is no server hold allocations on the node."""
    account = _account(scene, _nobody(scene))
    _hold(scene, _nobody(scene), account, {_provider(scene, scene.target): {"resources": _HELD}})


def is_held_for_nobody(scene: Scene) -> bool:
    """Say whether it holds them."""
    return bool(_account(scene, _nobody(scene))["allocations"])


def let_nobody_go(scene: Scene) -> None:
    """Take them away again."""
    _drop(scene, _nobody(scene), keep=())


def hold_twice(scene: Scene) -> None:
    """Let the server hold allocations on a second node too."""
    account = _account(scene, scene.target)
    held = {one: {"resources": each["resources"]} for one, each in account["allocations"].items()}
    held[_provider(scene, _other_host(scene))] = {"resources": _HELD}
    _hold(scene, scene.target, account, held)


def is_held_twice(scene: Scene) -> bool:
    """Say whether it holds allocations on several nodes."""
    return len(_account(scene, scene.target)["allocations"]) > 1


def hold_once(scene: Scene) -> None:
    """Let it hold only those of its own node."""
    host = scene.server().hypervisor_hostname
    _drop(scene, scene.target, keep=(_provider(scene, host),))


def is_held_once(scene: Scene) -> bool:
    """Say whether it holds allocations on one node."""
    return not is_held_twice(scene)


def is_free_of_nobody(scene: Scene) -> bool:
    """Say whether the consumer that is no server holds nothing."""
    return not is_held_for_nobody(scene)


# --- guests ---


def define_elsewhere(scene: Scene) -> None:
    """Define the server's guest on another node, switched off, as a lost move leaves it."""
    server = scene.server()
    xml = scene.on(server.hypervisor_hostname, f"virsh dumpxml --inactive {scene.target}")
    _define(scene, _other_host(scene), xml)


def is_defined_elsewhere(scene: Scene) -> bool:
    """Say whether another node has a guest of it."""
    return _has(scene, _other_host(scene), scene.target)


def undefine_elsewhere(scene: Scene) -> None:
    """Take the definition away there; nothing of it ever ran."""
    _undefine(scene, _other_host(scene), scene.target)


def is_only_at_home(scene: Scene) -> bool:
    """Say whether no other node has a guest of it."""
    return not is_defined_elsewhere(scene)


def define_for_nobody(scene: Scene) -> None:
    """Define a guest of a server that Nova does not have: its node was down as it was deleted."""
    nobody = _nobody(scene)
    xml = "".join(
        (
            f"<domain type='qemu'><name>instance-{nobody[:8]}</name><uuid>{nobody}</uuid>",
            f"<metadata><nova:instance xmlns:nova='{_NOVA}'/></metadata>",
            "<memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>",
        )
    )
    _define(scene, scene.target, xml)


def is_defined_for_nobody(scene: Scene) -> bool:
    """Say whether the node has that guest."""
    return _has(scene, scene.target, _nobody(scene))


def undefine_for_nobody(scene: Scene) -> None:
    """Take its definition away; it never ran."""
    _undefine(scene, scene.target, _nobody(scene))


def has_only_servers(scene: Scene) -> bool:
    """Say whether that guest is gone."""
    return not is_defined_for_nobody(scene)


# --- what they share ---


def _nobody(scene: Scene) -> str:
    """Return the id of a server that never was; each node has its own."""
    return str(uuid5(NAMESPACE_DNS, f"nobody.{scene.target}"))


def _other_host(scene: Scene) -> str:
    host = scene.server().hypervisor_hostname
    return next(one.name for one in scene.lab.compute_nodes if one.name != host)


def _provider(scene: Scene, host: str) -> str:
    [found] = scene.cloud.placement.resource_providers(name=host)
    return str(found.id)


def _account(scene: Scene, consumer: str) -> dict[str, Any]:
    answer = scene.cloud.placement.get(
        f"/allocations/{consumer}", headers={"OpenStack-API-Version": _PLACEMENT}
    )
    found: dict[str, Any] = answer.json()
    return found


def _hold(
    scene: Scene, consumer: str, account: dict[str, Any], allocations: dict[str, Any]
) -> None:
    project = scene.cloud.current_project_id
    answer = scene.cloud.placement.put(
        f"/allocations/{consumer}",
        json={
            "allocations": allocations,
            "project_id": account.get("project_id") or project,
            "user_id": account.get("user_id") or scene.cloud.current_user_id,
            "consumer_generation": account.get("consumer_generation"),
        },
        headers={"OpenStack-API-Version": _PLACEMENT},
    )
    if not answer.ok:
        raise StepFailed("placement refuses the allocations", says=answer.text)


def _drop(scene: Scene, consumer: str, *, keep: tuple[str, ...]) -> None:
    account = _account(scene, consumer)
    if not set(account["allocations"]) - {*keep}:
        return
    kept = {
        one: {"resources": each["resources"]}
        for one, each in account["allocations"].items()
        if one in keep
    }
    _hold(scene, consumer, account, kept)


def _define(scene: Scene, node: str, xml: str) -> None:
    scene.on(node, f"printf %s {shlex.quote(xml)} > {_FILE}; virsh define {_FILE}; rm -f {_FILE}")


def _has(scene: Scene, node: str, server: str) -> bool:
    return scene.holds(node, f"virsh list --all --uuid | grep -qx {server}")


def _undefine(scene: Scene, node: str, server: str) -> None:
    scene.on(node, f"! virsh list --all --uuid | grep -qx {server} || virsh undefine {server}")
