"""The devices that switch the power of nodes; a node may have several feeds, each with a device."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from stackward.errors import Refused, StackwardError, Uncertain, Unreachable
from stackward.model.hardware import Hardware
from stackward.model.power import DeviceName, PowerDevice, PowerReturns, PowerState
from stackward.wording import count_of

USUAL_S = 20.0  # some BMCs take 10 s for an answer while their node boots

Answered = TypeVar("Answered")


class Feed(Protocol):
    """One device that switches one node; `within_s` is for all of a call."""

    @property
    def name(self) -> DeviceName:
        """Return what it is and where."""
        ...

    def state(self, within_s: float, /) -> PowerState:
        """Say whether the node has power by this feed."""
        ...

    def describe(self, within_s: float, /) -> PowerDevice:
        """Say all that it says of itself and of its node."""
        ...

    def order_off(self, within_s: float, /) -> None:
        """Cut the power at once."""
        ...

    def order_on(self, within_s: float, /) -> None:
        """Give power."""
        ...


@dataclass(frozen=True, slots=True)
class Later:
    """A feed that is opened once it is asked: what speaks to it takes long to load."""

    name: DeviceName
    open: Callable[[], Feed]

    def state(self, within_s: float, /) -> PowerState:
        """Open it, then ask."""
        return self.open().state(within_s)

    def describe(self, within_s: float, /) -> PowerDevice:
        """Open it, then ask."""
        return self.open().describe(within_s)

    def order_off(self, within_s: float, /) -> None:
        """Open it, then order."""
        self.open().order_off(within_s)

    def order_on(self, within_s: float, /) -> None:
        """Open it, then order."""
        self.open().order_on(within_s)


class Devices:
    """The port `Power` over the feeds of each node."""

    def __init__(self, feeds: Mapping[str, Sequence[Feed]]) -> None:
        self._feeds = feeds

    def device(self, node: str, /) -> DeviceName | None:
        """Return what switches a node."""
        feeds = self._feeds.get(node, ())
        if not feeds:
            return None
        return DeviceName(
            how=feeds[0].name.how, at=tuple(place for feed in feeds for place in feed.name.at)
        )

    def state(self, node: str, /, *, within_s: float | None = None) -> PowerState:
        """Return whether a node has power, by any of its feeds."""
        states, errors = self._ask(node, within_s, lambda feed, left_s: feed.state(left_s))
        if PowerState.ON in states:
            return PowerState.ON
        if errors:
            raise errors[0]
        return PowerState.OFF

    def describe(self, node: str, /, *, within_s: float | None = None) -> PowerDevice:
        """Return what all feeds say together."""
        told, errors = self._ask(node, within_s, lambda feed, left_s: feed.describe(left_s))
        if errors:
            raise errors[0]
        name = self.device(node)
        if name is None:
            raise _no_device(node)
        return replace(_as_one(told), name=name)

    def order_off(self, node: str, /, *, within_s: float | None = None) -> None:
        """Cut the power of each feed."""
        self._order(node, within_s, "off", lambda feed, left_s: feed.order_off(left_s))

    def order_on(self, node: str, /, *, within_s: float | None = None) -> None:
        """Give power by each feed."""
        self._order(node, within_s, "on", lambda feed, left_s: feed.order_on(left_s))

    def _order(
        self,
        node: str,
        within_s: float | None,
        order: str,
        give: Callable[[Feed, float], None],
    ) -> None:
        """Order it of every feed, also where one before it fails."""
        taken, errors = self._ask(node, within_s, give)
        if not errors:
            return
        if not taken:
            raise next((each for each in errors if isinstance(each, Uncertain)), errors[0])
        raise errors[0].as_kind(
            Uncertain,
            f"of {count_of(len(taken) + len(errors), 'feed')} of `{node}` {len(taken)} took the "
            f"order `{order}`: {errors[0].message}",
        )

    def _ask(
        self, node: str, within_s: float | None, ask: Callable[[Feed, float], Answered]
    ) -> tuple[list[Answered], list[StackwardError]]:
        feeds = self._feeds.get(node, ())
        if not feeds:
            raise _no_device(node)
        until = time.monotonic() + (USUAL_S if within_s is None else within_s)
        answers: list[Answered] = []
        errors: list[StackwardError] = []
        for feed in feeds:
            left_s = until - time.monotonic()
            try:
                if left_s <= 0:
                    errors.append(Unreachable(f"no time was left to ask {feed.name.text}"))
                else:
                    answers.append(ask(feed, left_s))
            except StackwardError as error:
                errors.append(error)
        return answers, errors


def _no_device(node: str) -> Refused:
    return Refused(
        f"the inventory names no device that switches the power of `{node}`",
        hint="give it `bmc_url`, or `fence_agent` and `fence_options`",
    )


def _as_one(told: Sequence[PowerDevice]) -> PowerDevice:
    """Return what several feeds say together: what holds for one only does not hold."""
    first, *others = told
    if not others:
        return first
    offs = {each.can_force_off for each in told}
    returns = {each.power_returns for each in told}
    return replace(
        first,
        state=PowerState.ON if any(each.state is PowerState.ON for each in told) else first.state,
        hardware=next((each.hardware for each in told if each.hardware), Hardware()),
        reset_types=tuple(
            each for each in first.reset_types if all(each in other.reset_types for other in others)
        ),
        can_force_off=False if False in offs else None if None in offs else True,
        power_returns=returns.pop() if len(returns) == 1 else PowerReturns.UNTOLD,
    )
