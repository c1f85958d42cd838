"""Devices that switch the power of the fake nodes, and that may misbehave."""

from dataclasses import dataclass, field, replace

from fakes.shell import FakeShell
from stackward.errors import NotUnderstood, Refused, StepFailed, Uncertain, Unreachable
from stackward.model import boot_gate
from stackward.model.hardware import Hardware
from stackward.model.power import DeviceName, PowerDevice, PowerReturns, PowerState

RESETS = ("On", "ForceOff", "GracefulShutdown")


@dataclass
class FakeDevice:
    """A device, the power that it switches, and what is wrong with it."""

    state: PowerState = PowerState.ON
    hardware: Hardware = field(default_factory=Hardware)
    reset_types: tuple[str, ...] = RESETS
    power_returns: PowerReturns = PowerReturns.AS_BEFORE
    switches: str | None = None  # another node than the inventory thinks
    is_deaf: bool = False  # it does not answer
    is_vague: bool = False  # it answers, and does not say whether there is power
    refuses_login: bool = False
    is_stuck: bool = False  # it takes orders and carries none out
    lies_off: bool = False  # it says Off once it took that order, and cuts nothing
    loses_answers: bool = False  # it carries orders out; its answer is lost
    fails: bool = False  # it says that it could not carry an order out


@dataclass
class FakePower:
    """The port `Power`: a node without power is silent on the shell, if there is one."""

    shell: FakeShell | None = None
    devices: dict[str, FakeDevice] = field(default_factory=dict)
    ordered: list[tuple[str, str]] = field(default_factory=list)  # each node, "off" or "on"

    def device(self, node: str, /) -> DeviceName | None:
        return DeviceName(how="Redfish", at=(f"bmc-{node}",)) if node in self.devices else None

    def state(self, node: str, /, *, within_s: float | None = None) -> PowerState:
        device = self._asked(node)
        if device.is_vague:
            raise NotUnderstood(f"the BMC of `{node}` does not say whether it is on")
        return device.state

    def describe(self, node: str, /, *, within_s: float | None = None) -> PowerDevice:
        device = self._asked(node)
        return PowerDevice(
            name=DeviceName(how="Redfish", at=(f"bmc-{node}",)),
            state=self.state(node),
            hardware=device.hardware,
            reset_types=device.reset_types,
            can_force_off="ForceOff" in device.reset_types,
            power_returns=device.power_returns,
        )

    def order_off(self, node: str, /, *, within_s: float | None = None) -> None:
        self._order(node, PowerState.OFF)

    def order_on(self, node: str, /, *, within_s: float | None = None) -> None:
        self._order(node, PowerState.ON)

    def _asked(self, node: str) -> FakeDevice:
        if node not in self.devices:
            raise Refused(f"the inventory names no device that switches the power of `{node}`")
        device = self.devices[node]
        if device.is_deaf:
            raise Unreachable(f"the BMC of `{node}` does not answer")
        if device.refuses_login:
            raise Refused(f"the BMC of `{node}` does not let `ops` in", says="401")
        return device

    def _order(self, node: str, state: PowerState) -> None:
        device = self._asked(node)
        if state is PowerState.OFF and "ForceOff" not in device.reset_types:
            raise Refused(f"the BMC of `{node}` does not have the order ForceOff")
        self.ordered.append((node, state.value))
        if device.fails:
            raise StepFailed(f"the BMC of `{node}` failed (500)")
        if device.lies_off:
            device.state = state
        elif not device.is_stuck:
            device.state = state
            self._switch(device.switches or node, state)
        if device.loses_answers:
            raise Uncertain(f"the BMC of `{node}` did not answer to the order `{state}`")

    def _switch(self, node: str, state: PowerState) -> None:
        if self.shell is not None and state is PowerState.OFF:
            self.shell.silent.add(node)
            computes = self.shell.cloud.nova.computes
            self.shell.cloud.nova.unheard.add(node)
            if node in computes:  # heard no more; Nova says so a minute later
                computes[node] = replace(computes[node], is_up=False)
        elif self.shell is not None:
            self._boot(self.shell, node)

    def _boot(self, shell: FakeShell, node: str) -> None:
        """Let it boot: its nova-compute starts by itself, unless something keeps it off."""
        shell.silent.discard(node)
        if node not in shell.cloud.nova.computes:
            return
        shell.booted = shell.clock.now() if shell.clock else shell.booted
        shell.files.pop((node, boot_gate.OPENED), None)
        _, enabled = shell.units.get(node, ("active", "enabled"))
        shell.units[node] = ("inactive", enabled)
        shell.run(node, ["systemctl", "start", "nova-compute"])
