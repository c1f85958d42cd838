"""Ask the checks of a plan until they hold, or until waiting for that makes no sense."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from stackward.engine.aside import aside
from stackward.engine.step import NO_ANSWER, StepContext
from stackward.errors import StackwardError
from stackward.plan import Check, Finding, Holds, NotApplicable, Unverified


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of one check."""

    FOUND: ClassVar[str] = "found otherwise"

    what: str
    text: str
    holds: bool
    remedy: str | None = None
    passes: bool = False
    read: str | None = None  # by what it holds

    @property
    def lines(self) -> tuple[str, ...]:
        """Say it, and what to do."""
        return (self.text, f"remedy: {self.remedy}") if self.remedy else (self.text,)


def prove(
    checks: Sequence[Check[Any]], context: StepContext, beat: Callable[[], None]
) -> list[Proof]:
    """Ask every check; what does not hold yet is asked again for a while."""
    clock, pace = context.ledger.clock, context.pace
    until = clock.monotonic() + pace.verify_s
    proofs = aside(lambda: [_asked(check, context.world) for check in checks], pace.beat_s, beat)
    while not all(proof.holds for proof in proofs) and clock.monotonic() < until:
        beat()
        clock.wait(pace.poll_s)
        proofs = aside(partial(_asked_again, checks, proofs, context.world), pace.beat_s, beat)
    return proofs


def _asked_again(
    checks: Sequence[Check[Any]],
    proofs: Sequence[Proof],
    world: Any,  # noqa: ANN401  # same
) -> list[Proof]:
    return [
        proof if proof.holds else _asked(check, world)
        for check, proof in zip(checks, proofs, strict=True)
    ]


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
        return Proof("unverified", text, holds=False, remedy=error.hint)


def _proof(check: Check[Any], world: Any) -> Proof:  # noqa: ANN401  # same
    match check.ask(world):
        case Holds(read):
            return Proof("proved", check.summary, holds=True, read=read)
        case NotApplicable(thing, reason):
            text = f"{check.summary}: not applicable to `{thing}`: {reason}"
            return Proof("not applicable", text, holds=True)
        case Finding(thing, reason, remedy, passes):
            text = f"`{thing}` {reason}"
            return Proof(Proof.FOUND, text, holds=False, remedy=remedy, passes=passes)
        case Unverified(thing, reason, remedy):
            return Proof("unverified", f"`{thing}`: {reason}", holds=False, remedy=remedy)
