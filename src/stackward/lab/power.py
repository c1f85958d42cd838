"""Power orders for a node, given through its BMC as fencing gives them."""

from stackward.lab.bmc import PowerState, ResetType, power_state, reset
from stackward.lab.bmcs import bmc_of, password_of
from stackward.lab.spec import Lab


def apply(lab: Lab, node: str, order: str, *, clean: bool = False) -> str:
    """Give an order, `on`, `off`, `reset` or `status`, and return the state afterwards.

    Raises Unreachable when the BMC does not answer, StepFailed when the order has no effect.
    """
    bmc, password = bmc_of(lab, lab.node(node)), password_of(lab)
    state = power_state(bmc, password)
    match order:
        case "on" if state is PowerState.OFF:
            reset(bmc, password, ResetType.ON)
        case "off" if state is PowerState.ON:
            reset(bmc, password, ResetType.GRACEFUL_SHUTDOWN if clean else ResetType.FORCE_OFF)
        case "reset":
            reset(bmc, password, ResetType.FORCE_RESTART)
    return power_state(bmc, password).lower()
