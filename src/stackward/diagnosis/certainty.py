"""How sure a cause is: the rules, declared. The first that holds is taken."""

from dataclasses import dataclass

from stackward.diagnosis.witnesses import Weight
from stackward.model.health import State
from stackward.model.sureness import Sureness, SurenessRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a cause when it is judged."""

    weight: Weight
    has_traceback: bool
    has_code: bool
    is_noticed: bool  # a sign of what the user noticed names the same request or thing
    is_followed: bool  # a sign came soon after it, and names neither
    accusers: int  # components that accuse it
    is_handled: bool  # its exception may have been expected, and another one came of it
    is_asked: bool  # only one request or server was asked for, and it is of that
    rank: int  # 0 for the first cause


RULES: tuple[SurenessRule[Known], ...] = (
    SurenessRule(
        holds=lambda it: it.rank > 0 and not it.is_noticed,
        sureness=Sureness.POSSIBLE,
        says="other errors were before it",
        raises="whether it comes again once the first cause is repaired",
    ),
    SurenessRule(
        holds=lambda it: it.weight is Weight.USUAL,
        sureness=Sureness.POSSIBLE,
        says="the same was logged before that time too",
        raises="an error that was not there before",
    ),
    SurenessRule(
        holds=lambda it: (
            it.rank == 0
            and it.weight is Weight.OWN
            and it.has_traceback
            and it.has_code
            and it.is_noticed
            and not it.is_handled
        ),
        sureness=Sureness.CERTAIN,
        says="it is the first error of its own, its traceback shows the code, and what the user "
        "noticed has the same request or thing",
        raises="",
    ),
    SurenessRule(
        holds=lambda it: it.weight is Weight.OWN and it.is_noticed and it.is_handled,
        sureness=Sureness.LIKELY,
        says="what the user noticed has the same request or thing; another exception came of it, "
        "and it may have been expected",
        raises="which of its exceptions comes again",
    ),
    SurenessRule(
        holds=lambda it: it.weight is Weight.OWN and it.is_noticed,
        sureness=Sureness.LIKELY,
        says="what the user noticed has the same request or thing",
        raises="a traceback of it",
    ),
    SurenessRule(
        holds=lambda it: (
            it.weight <= Weight.NO_CODE and (it.has_traceback or it.accusers > 0) and it.is_followed
        ),
        sureness=Sureness.LIKELY,
        says="what the user noticed came soon after it",
        raises="a request or a thing that both have; give it by `--request` or `--server`",
    ),
    SurenessRule(
        holds=lambda it: it.weight <= Weight.AWAY and it.accusers > 1 and it.is_followed,
        sureness=Sureness.LIKELY,
        says="several components accuse it, and what the user noticed came soon after",
        raises="an error in its own log",
    ),
    SurenessRule(
        holds=lambda it: it.weight is Weight.AWAY and it.accusers > 0 and it.is_noticed,
        sureness=Sureness.LIKELY,
        says="it is accused by what served the request that the user noticed",
        raises="an error in its own log",
    ),
    SurenessRule(
        holds=lambda it: it.weight is Weight.ACCUSED and (it.is_noticed or it.is_followed),
        sureness=Sureness.LIKELY,
        says="it is accused, its own log has an entry about it at that time, and a user noticed it",
        raises="an error in its own log",
    ),
    SurenessRule(
        holds=lambda it: (
            it.is_asked
            and it.rank == 0
            and it.weight is Weight.OWN
            and it.has_traceback
            and it.has_code
            and not it.is_handled
        ),
        sureness=Sureness.LIKELY,
        says="it is the first error of its own in what was asked for, and its traceback shows the "
        "code",
        raises="a log that shows what the user noticed",
    ),
    SurenessRule(
        holds=lambda it: it.weight >= Weight.WARNS,
        sureness=Sureness.POSSIBLE,
        says="nothing graver than this was logged",
        raises="logs at the level DEBUG",
    ),
    SurenessRule(
        holds=lambda it: it.is_asked,
        sureness=Sureness.POSSIBLE,
        says="it is of what was asked for, and nothing shows that a user noticed it",
        raises="the same request again, with logs at the level DEBUG",
    ),
    SurenessRule(
        holds=lambda it: True,  # noqa: ARG005  # of all that is left
        sureness=Sureness.POSSIBLE,
        says="nothing shows that a user noticed it",
        raises="the request or the server that failed, by `--request` or `--server`",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNow:
    """What is known of a component that a look found not well."""

    state: State
    is_asked_of_now: bool  # False: an earlier time, or another request, was asked for
    has_logged: bool  # the logs that were asked for mention it too
    needs_are_well: bool  # all that it needs was looked at, and nothing was found


RULES_NOW: tuple[SurenessRule[KnownNow], ...] = (
    SurenessRule(
        holds=lambda it: not it.is_asked_of_now and not it.has_logged,
        sureness=Sureness.POSSIBLE,
        says="it is not well now, and nothing shows that this has to do with what was asked for",
        raises="what its own log has of that time or request",
    ),
    SurenessRule(
        holds=lambda it: it.state is not State.BROKEN,
        sureness=Sureness.POSSIBLE,
        says="it is not well now, and still works",
        raises="something that fails by it",
    ),
    SurenessRule(
        holds=lambda it: not it.needs_are_well,
        sureness=Sureness.LIKELY,
        says="it is broken now, and nothing that is known explains that; but not all that it needs "
        "is known to be well",
        raises="a look at all that it needs",
    ),
    SurenessRule(
        holds=lambda it: True,  # noqa: ARG005  # of all that is left
        sureness=Sureness.CERTAIN,
        says="it is broken now, and all that it needs is well",
        raises="",
    ),
)
