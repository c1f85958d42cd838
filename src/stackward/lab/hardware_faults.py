"""Faults of a node's hardware, made from outside: its BMC misbehaves, or the node is frozen."""

from stackward.lab.bmc import (
    Fault,
    FaultKind,
    PowerState,
    ResetType,
    break_bmc,
    mend_bmc,
    power_state,
    read_fault,
    reset,
    shown_node,
)
from stackward.lab.bmcs import bmc_of, password_of
from stackward.lab.scene import Scene
from stackward.lab.spec import Node


def swap_cable(scene: Scene) -> None:
    """Have the node's BMC show and switch another node, of the same kind if there is one."""
    break_bmc(bmc_of(scene.lab, scene.node), Fault(FaultKind.WRONG_NODE, node=_other(scene).name))


def shows_another(scene: Scene) -> bool:
    """Say whether the node's BMC shows the other node."""
    return _shown(scene) == _other(scene).name


def shows_its_own(scene: Scene) -> bool:
    """Say whether the node's BMC shows its node."""
    return _shown(scene) == scene.target


def _shown(scene: Scene) -> str:
    return shown_node(bmc_of(scene.lab, scene.node), password_of(scene.lab))


def _other(scene: Scene) -> Node:
    nodes = [node for node in scene.lab.nodes if node.name != scene.target]
    return next((node for node in nodes if node.role == scene.node.role), nodes[0])


def have_it_lie(scene: Scene) -> None:
    """Have the node's BMC say Off after an order to cut the power, and cut nothing."""
    break_bmc(bmc_of(scene.lab, scene.node), Fault(FaultKind.LIES_OFF))


def lies(scene: Scene) -> bool:
    """Say whether a living node is Off to its BMC, after an order to cut its power.

    Only a BMC that has the fault gets that order: one without it would carry the order out.
    """
    bmc, password = bmc_of(scene.lab, scene.node), password_of(scene.lab)
    if read_fault(bmc) != Fault(FaultKind.LIES_OFF):
        return False
    reset(bmc, password, ResetType.FORCE_OFF)
    said = power_state(bmc, password)
    reset(bmc, password, ResetType.ON)  # to a fence it must say On, until that has ordered Off
    return said is PowerState.OFF and scene.machine.is_on()


def mend(scene: Scene) -> None:
    """Take the fault of the node's BMC away."""
    mend_bmc(bmc_of(scene.lab, scene.node))


def tells_the_truth(scene: Scene) -> bool:
    """Say whether the node's BMC has no fault, and says of the power what is so."""
    bmc = bmc_of(scene.lab, scene.node)
    said = power_state(bmc, password_of(scene.lab))
    return read_fault(bmc) is None and (said is PowerState.ON) == scene.machine.is_on()


def stand_still(scene: Scene) -> None:
    """Stop every process of the node where it is, as a kernel that hangs does."""
    scene.machine.cgroup.freeze()


def stands_still(scene: Scene) -> bool:
    """Say whether the node is frozen, and Nova has noticed."""
    return scene.machine.cgroup.is_frozen() and not scene.is_up(scene.target)


def go_on(scene: Scene) -> None:
    """Let the node go on."""
    scene.machine.cgroup.thaw()
