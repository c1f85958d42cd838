"""Ask the checks of a plan until they are true, or until it makes no sense to wait longer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from stackward.engine.aside import aside
from stackward.engine.pace import Pace
from stackward.engine.step import NO_ANSWER, StepContext
from stackward.errors import StackwardError
from stackward.plan import Check, Holds, NotApplicable, Refuted, Unverified


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of one check."""

    FOUND: ClassVar[str] = "found otherwise"
    UNREAD: ClassVar[str] = "unverified"

    what: str
    text: str
    holds: bool
    remedy: str | None = None
    passes: bool = False
    read: str | None = None  # by what it holds
    asked: int = 1  # times

    @property
    def is_late(self) -> bool:
        """Say whether it did not answer in time, and may do so in a while."""
        return self.what == self.UNREAD and self.passes

    def with_count(self, took_s: float) -> "Proof":
        """Return it with how often it was asked in which time."""
        return replace(self, text=f"{self.text} (asked {self.asked} times in {took_s:.0f} s)")

    @property
    def lines(self) -> tuple[str, ...]:
        """Say it, and what to do."""
        return (self.text, f"remedy: {self.remedy}") if self.remedy else (self.text,)


def prove(
    checks: Sequence[Check[Any]], context: StepContext, beat: Callable[[], None]
) -> list[Proof]:
    """Ask every check; ask again for a while what is not true yet.

    A check that did not answer in time is asked for as long as any world that does not answer; its
    text says how often.
    """
    clock, pace = context.ledger.clock, context.pace
    began = clock.monotonic()
    proofs = aside(lambda: [_asked(check, context.world) for check in checks], pace.beat_s, beat)
    while again := [
        at for at, one in enumerate(proofs) if _is_worth(one, clock.monotonic() - began, pace)
    ]:
        beat()
        is_late = all(proofs[at].is_late for at in again)
        clock.wait(pace.look_again_s if is_late else pace.poll_s)
        asked = aside(partial(_asked_again, checks, again, context.world), pace.beat_s, beat)
        for at, one in zip(again, asked, strict=True):
            proofs[at] = replace(one, asked=proofs[at].asked + 1)
    took_s = clock.monotonic() - began
    return [one.with_count(took_s) if one.is_late else one for one in proofs]


def _is_worth(one: Proof, waited_s: float, pace: Pace) -> bool:
    """Say whether a check that is not true is asked again."""
    if one.holds:
        return False
    return waited_s < (pace.patience_s if one.is_late else pace.verify_s)


def _asked_again(
    checks: Sequence[Check[Any]],
    which: Sequence[int],
    world: Any,  # noqa: ANN401  # same
) -> list[Proof]:
    return [_asked(checks[at], world) for at in which]


def ask(
    check: Check[Any], context: StepContext, patience_s: float, beat: Callable[[], None]
) -> Proof:
    """Ask one check; wait for a world that does not answer, and for what passes by itself."""
    clock = context.ledger.clock
    until = clock.monotonic() + patience_s
    while True:
        try:
            proof = aside(partial(_proof, check, context.world), context.pace.beat_s, beat)
            if not proof.passes or clock.monotonic() >= until:
                return proof
        except NO_ANSWER:
            if clock.monotonic() >= until:
                raise
        beat()
        clock.wait(context.pace.poll_s)


def ask_all(checks: Sequence[Check[Any]], world: Any) -> list[Proof]:  # noqa: ANN401  # as the checks need it
    """Ask every check once, outside of any run."""
    return [_asked(check, world) for check in checks]


def _asked(check: Check[Any], world: Any) -> Proof:  # noqa: ANN401  # same
    try:
        return _proof(check, world)
    except StackwardError as error:
        says = f": {error.says}" if error.says else ""
        text = f"{check.summary}: {error.message}{says}"
        return Proof(Proof.UNREAD, text, holds=False, remedy=error.hint)


def _proof(check: Check[Any], world: Any) -> Proof:  # noqa: ANN401  # same
    match check.ask(world):
        case Holds(read):
            return Proof("proved", check.summary, holds=True, read=read)
        case NotApplicable(thing, reason):
            text = f"{check.summary}: not applicable to `{thing}`: {reason}"
            return Proof("not applicable", text, holds=True)
        case Refuted(thing, reason, remedy, passes):
            text = f"`{thing}` {reason}"
            return Proof(Proof.FOUND, text, holds=False, remedy=remedy, passes=passes)
        case Unverified(thing, reason, remedy, passes):
            text = f"`{thing}`: {reason}"
            return Proof(Proof.UNREAD, text, holds=False, remedy=remedy, passes=passes)
