"""What we may ask of the devices that switch the nodes' power: BMCs, power strips."""

from typing import Protocol

from stackward.model.power import DeviceName, PowerDevice, PowerState


class PowerReader(Protocol):
    """The power of the nodes that the inventory names, by their names there; nothing is switched.

    A device may misbehave in every way; what it did is told by the error:

    - `Refused`: the inventory names no device for the node, or there is no login for it; the device
      does not let us in, or does not have the order. Nothing was changed.
    - `Unreachable`: it is not there, or it did not answer in time. No order was sent.
    - `NotUnderstood`: it answered, but did not say what was asked. Nothing is known by it.
    - `Uncertain`: an order was sent, and what came of it is not known. Read the state.
    - `StepFailed`: it took the order and says that it could not do it. Read the state.
    - `BadInput`: the file with the logins cannot be used.

    No login, and no word of one, is in any answer or error. `within_s` is for all of a call, with
    all feeds; else there is a usual limit.
    """

    def device(self, node: str, /) -> DeviceName | None:
        """Return what switches a node; None where the inventory names nothing. No call."""
        ...

    def state(self, node: str, /, *, within_s: float | None = None) -> PowerState:
        """Return whether a node has power, asked afresh.

        OFF only if the device says so, and of several feeds each. One that is on makes it ON, even
        if another does not answer. All else is an error: never take one for OFF. And OFF is only
        the word of a device: that it is this node's, and does not lie, is for others to prove.
        """
        ...

    def describe(self, node: str, /, *, within_s: float | None = None) -> PowerDevice:
        """Return all that the device says of itself and of its node; nothing is switched."""
        ...


class Power(PowerReader, Protocol):
    """The same, and the orders that switch it."""

    # --- changing: each asks once, never waits, and returns the request's id, if it has one ---

    def order_off(self, node: str, /, *, within_s: float | None = None) -> str | None:
        """Cut a node's power at once, without a shutdown; of several feeds each.

        Without an error the order was taken: it proves nothing, `state` is the answer. To cut the
        power of a node that is off is fine, whatever the device answers to that.
        """
        ...

    def order_on(self, node: str, /, *, within_s: float | None = None) -> str | None:
        """Give a node power again, by all feeds; that it boots is for others to see."""
        ...
