"""How sure a cause is: the rules, declared. The first that holds is taken."""

from collections.abc import Callable
from dataclasses import dataclass

from stackward.triage.verdict import Sureness


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a signature when it is judged."""

    decides: bool  # a fact that was seen now: while it is so, no start can succeed
    has_fact: bool  # a fact that was seen now
    has_words: bool  # words of the last attempt
    is_final: bool  # the guest wrote nothing after it, and goes no further
    is_consequence: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of how sure a cause is."""

    holds: Callable[[Known], bool]
    sureness: Sureness
    says: str  # why
    raises: str  # what would make it surer


RULES = (
    Rule(
        holds=lambda it: it.is_consequence,
        sureness=Sureness.POSSIBLE,
        says="it follows from something else",
        raises="its cause",
    ),
    Rule(
        holds=lambda it: it.has_fact and it.has_words,
        sureness=Sureness.CERTAIN,
        says="it was seen just now, and the last attempt says the same",
        raises="",
    ),
    Rule(
        holds=lambda it: it.decides,
        sureness=Sureness.CERTAIN,
        says="it was seen just now, and with it no start can succeed",
        raises="",
    ),
    Rule(
        holds=lambda it: it.is_final,
        sureness=Sureness.CERTAIN,
        says="it is the last that the guest has written, and a guest goes no further then",
        raises="",
    ),
    Rule(
        holds=lambda it: it.has_fact,
        sureness=Sureness.LIKELY,
        says="it was seen just now",
        raises="an attempt to start it: `stackward server reboot --hard`, and triage again",
    ),
    Rule(
        holds=lambda it: it.has_words,
        sureness=Sureness.LIKELY,
        says="the last attempt says so",
        raises="the same seen on the node, or another attempt that says so",
    ),
    Rule(
        holds=lambda it: True,  # noqa: ARG005  # of all that is left
        sureness=Sureness.POSSIBLE,
        says="its console says so, and does not show that the guest stopped there",
        raises="the screen of the guest: `openstack console url show`",
    ),
)


def judged(known: Known) -> Rule:
    """Return the first rule that holds."""
    return next(rule for rule in RULES if rule.holds(known))
