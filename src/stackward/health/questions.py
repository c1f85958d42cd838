"""What processes answer to the questions that only they can answer, on their own nodes.

A process that is frozen still runs for systemd, keeps its sockets, and answers nothing.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum

from stackward.anatomy import Component, Question
from stackward.health import symptoms
from stackward.health.gaps import gap_of
from stackward.health.presence import Presence, processes_by
from stackward.health.processes import Present
from stackward.model.blind import Blind
from stackward.model.health import Finding, Gap, Kept
from stackward.model.survey import Replied, Unseen

_LOOPBACK = ("127.", "::1", "[::1]", "::ffff:127.", "[::ffff:127.")
_SHOWN = 120  # characters of an answer
_LOGGED = re.compile(r"(?m)^[0-9T:.-]+Z\|\d+\|.*$")  # a line of Open vSwitch's own log


class Outcome(StrEnum):
    """What a question to a process came to."""

    PROVED = "proved"
    RESERVE = "reserve"  # it is well, and waits to replace another
    REFUTED = "refuted"  # it answers, and says that it is not well
    OFF_BUS = "off the bus"  # it runs, and who asks the message bus for it does not find it
    SILENT = "silent"
    REFUSED = "refused"  # we have no right to ask
    NO_TIME = "no time"  # none was left to ask it
    NOT_ASKED = "not asked"  # there is no tool for it
    ABSENT = "absent"  # nobody listens, and nobody need
    NO_WAY = "no way"  # who it is asked by way of does not answer: that is the finding
    NOT_UNDERSTOOD = "not understood"


_ILL = {Outcome.SILENT, Outcome.REFUTED, Outcome.OFF_BUS}
_UNHEARD = {Blind.REFUSED: Outcome.REFUSED, Blind.NOT_ASKED: Outcome.NO_TIME}


def outcome(question: Question, answer: Replied | Unseen | None) -> Outcome:
    """Say what an answer is worth."""
    match answer:
        case None:
            return Outcome.NOT_ASKED
        case Unseen(kind=kind):
            return _UNHEARD.get(kind, Outcome.SILENT)
        case Replied():
            return _of_reply(question, answer)


def _of_reply(question: Question, answer: Replied) -> Outcome:
    ways: tuple[tuple[str | None, Outcome], ...] = (
        (question.expects, Outcome.PROVED),
        (question.reserve, Outcome.RESERVE),
        (question.refutes, Outcome.REFUTED),
    )
    if answer.code != 0:
        ways = (
            (question.refutes, Outcome.REFUTED),
            (question.absent, Outcome.ABSENT),
            (question.has_none, Outcome.PROVED),  # only the running process can say that
            (question.off_bus, Outcome.OFF_BUS),
        )
    return next((came for words, came in ways if _has(words, answer)), Outcome.NOT_UNDERSTOOD)


def _has(words: str | None, answer: Replied) -> bool:
    """Say whether words are in an answer; a tool that fails may write them as its error."""
    said = answer.out if answer.code == 0 else f"{answer.out}\n{answer.err}"
    return words is not None and re.search(words, said, re.MULTILINE) is not None


def answers(here: Presence) -> Iterator[tuple[Question, Outcome, Replied | Unseen | None]]:
    """Return each question to a component on a node, with what came of it.

    One that is only for nodes with a certain unit is none on others.
    """
    units = {unit.name for unit in here.units}
    for number, question in enumerate(here.component.questions):
        if question.only_with and question.only_with not in units:
            continue
        key = (here.component.name, number)
        answer = here.survey.answers.get(key)
        is_odd = isinstance(here.survey.members.get(key), Unseen)
        came = Outcome.NOT_UNDERSTOOD if is_odd else outcome(question, answer)
        if came in _BY_THE_WAY and question.by_way_of and not _is_open(here, question.by_way_of):
            came = Outcome.NO_WAY
        yield question, came, answer


_BY_THE_WAY = {Outcome.SILENT, Outcome.OFF_BUS, Outcome.NOT_UNDERSTOOD}


def _is_open(here: Presence, way: str) -> bool:
    """Say whether the component that a question goes by way of has answered by itself."""
    answer = here.survey.answers.get((way, 0))
    return isinstance(answer, Replied) and answer.code == 0


def judge_answers(here: Presence) -> Iterator[Finding]:
    """Judge what was asked of a component; one that does not run has its finding already.

    A process may be asked several things. Only its first bad answer is reported.
    """
    if not here.runs:
        return
    name, node = here.component.name, here.node
    told = list(answers(here))
    ill = {question.unit for question, came, _ in told if came in _ILL}
    said: set[str] = set()
    for question, came, answer in told:
        # What is odd in the answer of an ill process is no second finding.
        if question.unit in (said if came in _ILL else ill | said):
            continue
        if question.unit and (came in _ILL or came is Outcome.NOT_UNDERSTOOD):
            said.add(question.unit)
        if came is Outcome.SILENT:
            yield symptoms.PROCESS_SILENT.found(
                name,
                node,
                [f"`{' '.join(question.ask)}` was given up"],
                what=question.what,
                restart=restart_for(here, question),
                processes=processes_by(restart_for(here, question)),
                log=here.log,
            )
        elif came is Outcome.REFUTED:
            yield symptoms.PROCESS_ILL.found(
                name, node, what=question.what, says=_words(answer), log=here.log
            )
        elif came is Outcome.OFF_BUS:
            restart = restart_for(here, question)
            unit = restart.rpartition(" ")[2]
            yield symptoms.OFF_THE_BUS.found(
                name, node, [_words(answer)], unit=unit, restart=restart, log=here.log
            )
        elif came is Outcome.NOT_UNDERSTOOD:
            asked = f"`{' '.join(question.ask)}`"
            yield symptoms.ANSWER_ODD.found(name, node, [_words(answer)], what=asked)


def restart_for(here: Presence, question: Question) -> str:
    """Return what restarts exactly the process that is silent; a component may have several."""
    if here.is_in_container and question.container:
        return f"{here.engine} restart {question.container}"
    if question.unit and not here.is_in_container:
        return f"systemctl restart {question.unit.removesuffix('.service')}"
    return here.restart


def judge_one_of_all(
    component: Component, present: Present, *, has_seen_all: bool
) -> Iterator[Finding]:
    """Judge what exactly one process of the cloud must be, such as the active one.

    That none is so can be said only by who `has_seen_all` nodes of the cloud.
    """
    own = [one for (name, _), one in present.items() if name == component.name and one.runs]
    for number, question in enumerate(component.questions):
        if not question.one_of_all:
            continue
        for those, is_whole in _deployments(component, own, present):
            is_seen = has_seen_all and is_whole
            yield from _judge_one_of(component, number, those, has_seen_all=is_seen)


def _judge_one_of(
    component: Component, number: int, those: Sequence[Presence], *, has_seen_all: bool
) -> Iterator[Finding]:
    question = component.questions[number]
    told = [outcome(question, one.survey.answers.get((component.name, number))) for one in those]
    if any(one not in {Outcome.PROVED, Outcome.RESERVE} for one in told):
        return  # one that was not heard may be it; one that is ill has its finding
    count = told.count(Outcome.PROVED)
    if count > 1 or (count == 0 and has_seen_all):
        says = [
            f"`{one.node}`: {_words(one.survey.answers[component.name, number])}" for one in those
        ]
        yield symptoms.NOT_ONE_ACTIVE.found(
            component.name, None, says, count=count or "none", of=len(those)
        )


def _deployments(
    component: Component, own: Sequence[Presence], present: Present
) -> list[tuple[list[Presence], bool]]:
    """Return which processes work on the same, each with whether these are all that do.

    An inventory may have more than one deployment. On the nodes of one deployment, some process is
    connected to the same address of what they depend on. If a node shows no such connection, its
    process belongs to the others if these are one deployment. Otherwise it may belong to any.
    """
    ports = {
        port
        for (name, _), one in present.items()
        if name in component.depends_on
        for port in one.component.ports
    }
    found: list[tuple[set[str], list[Presence]]] = []
    bare: list[Presence] = []
    for one in own:
        ends = _ends_at(ports, one)
        if not ends:
            bare.append(one)
            continue
        same = [each for each in found if each[0] & ends]
        found = [each for each in found if not each[0] & ends]
        found.append((ends.union(*(each[0] for each in same)),
                      [*(each for _, those in same for each in those), one]))  # fmt: skip
    if len(found) <= 1:
        return [(list(own), True)] if own else []
    return [(those, not bare) for _, those in found]


def _ends_at(ports: Collection[int], here: Presence) -> set[str]:
    """Return the addresses at which these ports are spoken to, from a node or on it."""
    ends = {one.far for one in here.survey.links if one.far_port in ports}
    ends |= {one.near for one in here.survey.links if one.near_port in ports}
    return {one for one in ends if not is_loopback(one)}


def is_loopback(address: str) -> bool:
    """Say whether an address is that of each machine for itself."""
    return address.startswith(_LOOPBACK)


def gaps_of_answers(here: Presence) -> Iterator[Gap]:
    """Name what might not be asked, had no tool to be asked with, or nobody who listens for it."""
    name = here.component.name
    for question, came, answer in answers(here) if here.runs else ():
        if came in {Outcome.REFUSED, Outcome.NO_TIME} and isinstance(answer, Unseen):
            yield gap_of(here.survey, f"{name}: {question.what}", answer, name)
        elif came is Outcome.NOT_ASKED:
            no_tool = Unseen(f"there is no `{question.tool}` on the node", Blind.USELESS)
            yield gap_of(here.survey, f"{name}: {question.what}", no_tool, name)
        elif came is Outcome.ABSENT:
            nobody = Unseen(f"nobody listens: {question.without}", Blind.USELESS)
            yield gap_of(here.survey, f"{name}: {question.what}", nobody, name)
        elif came is Outcome.NO_WAY:
            yield Gap(
                kind=Kept.SPARED,
                component=name,
                where=here.node,
                what=f"{name}: {question.what}",
                why=f"{question.by_way_of}, by way of which it is asked, does not answer",
            )


def proof_of_answers(component: Component, present: Present) -> str:
    """Say how many of a component's processes have answered; empty where none has."""
    own = [one for (name, _), one in present.items() if name == component.name]
    count = sum(1 for one in own if has_answered(one))
    return f"{count} of {len(own)} answer when asked" if count else ""


def has_answered(here: Presence) -> bool:
    """Say whether a component on a node has answered all that it had to be asked."""
    came = [one for _, one, _ in answers(here)]
    return bool(came) and all(one in {Outcome.PROVED, Outcome.RESERVE} for one in came)


def _words(answer: Replied | Unseen | None) -> str:
    match answer:
        case Unseen(why=why):
            return why
        case Replied(out=out, err=err):
            said = " ".join((out.strip() or _LOGGED.sub("", err).strip() or err.strip()).split())
            return f"it answers `{said[:_SHOWN]}`" if said else "it answers nothing"
        case None:
            return "it was not asked"
