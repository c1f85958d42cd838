"""The questions that processes are asked on their own nodes, and what came of them."""

from collections.abc import Mapping

from stackward.anatomy import RAFT, Anatomy
from stackward.answers import ODD
from stackward.facts.raft import read_member
from stackward.facts.services_on_node import NO_CONTAINER, TIMED_OUT, Said, kept_out
from stackward.model.blind import Blind
from stackward.model.raft import Member
from stackward.model.survey import Replied, Unseen

QUESTION = "question"  # begins the names of these commands in the script's answer

_ALARM = {-14, 142}  # ended by its own alarm: `-T` of Open vSwitch's tools
_NO_TOOL = {126, 127}


def as_asked(anatomy: Anatomy) -> list[dict[str, object]]:
    """Return all questions as the script on a node reads them."""
    return [
        {
            "name": f"{component.name} {number}",
            "ask": list(question.ask),
            "tool": question.program,
            "is_for_root": question.is_for_root,
            "container": question.container,
            "inside": list(question.inside or question.ask),
            "units": sorted(
                {question.only_with}
                if question.only_with
                else {each for one in component.flavours.values() for each in one.units}
            ),
        }
        for component in anatomy.components.values()
        for number, question in enumerate(component.questions)
    ]


def parse_answers(commands: Mapping[str, Said]) -> dict[tuple[str, int], Replied | Unseen]:
    """Return what was answered; a process that could not be asked is left out."""
    found = {}
    for name, said in commands.items():
        kind, _, asked = name.partition(" ")
        component, _, number = asked.rpartition(" ")
        if kind == QUESTION and number.isdigit() and (answer := _answer(said)) is not None:
            found[component, int(number)] = answer
    return found


def parse_members(
    answers: Mapping[tuple[str, int], Replied | Unseen], anatomy: Anatomy
) -> dict[tuple[str, int], Member | Unseen]:
    """Return what was read of the answers of members of clusters; one alone is no member."""
    return {
        (component.name, number): _member(answer.out)
        for component in anatomy.components.values()
        for number, question in enumerate(component.questions)
        if question.reads == RAFT
        and isinstance(answer := answers.get((component.name, number)), Replied)
        and answer.code == 0
    }


def _member(out: str) -> Member | Unseen:
    try:
        return read_member(out)
    except ODD:
        return Unseen("its answer is not understood", Blind.ODD)


def _answer(said: Said) -> Replied | Unseen | None:
    code = said["code"]
    # First: where there is no sudo, nothing was asked, and there is no code.
    if unseen := kept_out(said):
        return unseen
    if code is None or code in _ALARM or code in TIMED_OUT:
        return Unseen("no answer in time", Blind.SILENT)
    if code in _NO_TOOL or NO_CONTAINER.search(said["err"]):
        return None
    return Replied(out=said["out"], err=said["err"], code=code)
