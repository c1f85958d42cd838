"""What we may ask of the devices that switch the nodes' power: BMCs, power strips."""

from typing import Protocol

from stackward.model.power import DeviceName, PowerDevice, PowerState


class PowerReader(Protocol):
    """The power of the nodes that the inventory names, by their names there; nothing is switched.

    A device may misbehave in every way; the error says what it did:

    - `Refused`: the inventory names no device for the node, or there is no login for it. Or the
      device refuses the login, or does not have the order. Nothing was changed.
    - `Unreachable`: it is not there, or it did not answer in time. No order was sent.
    - `NotUnderstood`: it answered, but did not say what was asked. Nothing is known by it.
    - `Uncertain`: an order was sent, and what came of it is not known. Read the state.
    - `StepFailed`: it took the order and says that it could not do it. Read the state.
    - `BadInput`: the file with the logins cannot be used.

    No login, and no word of one, is in any answer or error. `within_s` is for all of a call, with
    all feeds; None: there is a usual limit.
    """

    def device(self, node: str, /) -> DeviceName | None:
        """Return what switches a node; None where the inventory names nothing. No call."""
        ...

    def state(self, node: str, /, *, within_s: float | None = None) -> PowerState:
        """Ask the device now, and return whether a node has power.

        OFF only if the device says so; with several feeds, only if each feed says so. One feed that
        is on makes it ON, even if another does not answer. Everything else is an error: never take
        an error for OFF. OFF is only the word of a device. Others must prove that it is the device
        of this node, and that its word is true.
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

        Without an error, the order was taken. That proves nothing: `state` is the answer. To cut
        the power of a node that is off is no error, even if the device answers with one.
        """
        ...

    def order_on(self, node: str, /, *, within_s: float | None = None) -> str | None:
        """Give a node power again, by all feeds; that it boots is for others to see."""
        ...
