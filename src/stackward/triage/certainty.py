"""How sure a cause is: the rules, declared. The first that holds is taken."""

from dataclasses import dataclass

from stackward.model.sureness import Sureness, SurenessRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a signature when it is judged."""

    decides: bool  # a fact that was seen now: while it is true, no start can succeed
    has_fact: bool  # a fact that was seen now
    has_words: bool  # words of the last attempt
    is_final: bool  # the guest wrote nothing after it, and goes no further
    is_consequence: bool


RULES: tuple[SurenessRule[Known], ...] = (
    SurenessRule(
        holds=lambda it: it.is_consequence,
        sureness=Sureness.POSSIBLE,
        says="it follows from something else",
        raises="its cause",
    ),
    SurenessRule(
        holds=lambda it: it.has_fact and it.has_words,
        sureness=Sureness.CERTAIN,
        says="it was seen just now, and the last attempt says the same",
        raises="",
    ),
    SurenessRule(
        holds=lambda it: it.decides,
        sureness=Sureness.CERTAIN,
        says="it was seen just now, and with it no start can succeed",
        raises="",
    ),
    SurenessRule(
        holds=lambda it: it.is_final,
        sureness=Sureness.CERTAIN,
        says="it is the last that the guest has written, and a guest goes no further then",
        raises="",
    ),
    SurenessRule(
        holds=lambda it: it.has_fact,
        sureness=Sureness.LIKELY,
        says="it was seen just now",
        raises="an attempt to start it: `stackward server reboot --hard`, and triage again",
    ),
    SurenessRule(
        holds=lambda it: it.has_words,
        sureness=Sureness.LIKELY,
        says="the last attempt says so",
        raises="the same seen on the node, or another attempt that says so",
    ),
    SurenessRule(
        holds=lambda it: True,  # noqa: ARG005  # of all that is left
        sureness=Sureness.POSSIBLE,
        says="its console says so, and does not show that the guest stopped there",
        raises="the screen of the guest: `openstack console url show`",
    ),
)
