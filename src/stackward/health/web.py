"""What each process that serves over HTTP answers where it listens itself, on its own node.

A load balancer shows the one that it chose. An answer of the application proves the process; one
of the server around it, in place of the application, proves that the application is not there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from stackward.health import symptoms
from stackward.health.gaps import no_right
from stackward.health.presence import Presence, processes_by
from stackward.model.cloud_state import NO_TIME, Failed, Failure
from stackward.model.health import Finding, Gap, Kept
from stackward.model.survey import Unseen, WebReply

HAPROXY = ("haproxy.service", "haproxy")
OF_THE_SERVER = "*"  # the path that is the web server's own
_FAILED, _NOT_LOADED = 500, 500
_BY_HAND = "DISABLED BY FILE"  # the health checks of OpenStack and Swift: taken out on purpose
_SHOWN = 120  # characters of an answer


class Came(StrEnum):
    """What a request over HTTP to a place came to."""

    PROVED = "proved"
    NOT_LOADED = "not loaded"  # the server runs, without its application
    ILL = "ill"  # the application answers that it failed
    SILENT = "silent"
    WAITING = "waiting"  # the web server answers, the application behind it not yet
    FOREIGN = "foreign"  # another site answers there
    UNHEARD = "unheard"  # no connection, no HTTP, or too little time


def came(replies: Iterable[WebReply]) -> Came:
    """Say what the answers of one place are worth: one for each path that the component may have.

    Where none is known to be its own, the first path decides: it is under the component's own name.
    """
    given = list(replies)
    asked = [one for one in given if one.path != OF_THE_SERVER]
    if any(_is_proof(one) for one in asked):
        return Came.PROVED
    if any(one.is_silent for one in asked or given):
        return Came.WAITING if any(one.status for one in given) else Came.SILENT
    # The server around it says nothing of it, unless it is silent itself.
    first = asked[0].status if asked else None
    if first is None:
        return Came.UNHEARD
    if first < _FAILED:
        return Came.FOREIGN
    if first == _NOT_LOADED and not asked[0].has_request_id:
        return Came.NOT_LOADED
    return Came.ILL


def _is_proof(one: WebReply) -> bool:
    is_answer = one.status is not None and (one.status < _FAILED or _BY_HAND in one.says)
    return one.is_own and is_answer


def places(here: Presence) -> dict[str, tuple[Came, list[WebReply]]]:
    """Return what each place came to where a component on a node was asked over HTTP."""
    there: dict[str, list[WebReply]] = {}
    for one in here.survey.web.get(here.component.name, ()):
        there.setdefault(one.place, []).append(one)
    return {place: (came(replies), replies) for place, replies in there.items()}


def has_answered(here: Presence) -> bool:
    """Say whether a process has itself answered over HTTP wherever it was asked."""
    found = [one for one, _ in places(here).values()]
    if not here.runs or not found or any(one is not Came.PROVED for one in found):
        return False
    return not _is_anybodys(here)


def gaps_of_web(here: Presence) -> Iterator[Gap]:
    """Name what was asked over HTTP and has proved nothing, and why."""
    if here.component.http is None or not here.runs or has_answered(here):
        return
    name, told = here.component.name, places(here)
    what = f"whether {name} answers over HTTP"
    if told and _is_anybodys(here) and not _had_no_time(told):
        says = "whether it or the load balancer was asked, only root sees"
        yield no_right(here.survey, what, name, says=says, is_proof=True)
    elif why := _why_not(told):
        kind = Kept.DEADLINE if why == NO_TIME else Kept.NO_QUESTION
        yield Gap(kind=kind, component=name, where=here.node, what=what, why=why, is_proof=True)


def _why_not(told: Mapping[str, tuple[Came, list[WebReply]]]) -> str:
    """Say why an answer has proved nothing; empty where a finding says that."""
    if not told:
        return "it was not seen where it listens"
    for place, (one, replies) in told.items():
        if one is Came.FOREIGN:
            return f"what answers at {place} is another site"
        if one is Came.UNHEARD and replies[0].says == NO_TIME:
            return NO_TIME
        if all(reply.path == OF_THE_SERVER for reply in replies):
            return f"at {place} only the web server around it was asked"
        if one is Came.UNHEARD:
            return f"at {place}: {_words(replies[0])}"
    return ""


def _had_no_time(told: Mapping[str, tuple[Came, list[WebReply]]]) -> bool:
    return all(one is Came.UNHEARD and replies[0].says == NO_TIME for one, replies in told.values())


def judge_web(here: Presence) -> Iterator[Finding]:
    """Judge what a process answered over HTTP; of one that does not run, that has been said."""
    http = here.component.http
    if http is None or not here.runs or _is_anybodys(here):
        return
    name, node, told = here.component.name, here.node, places(here)
    found: dict[Came, list[tuple[str, WebReply]]] = {}
    for place, (one, replies) in told.items():
        found.setdefault(one, []).append((place, replies[0]))
    for one, those in found.items():
        evidence = [f"`GET http://{place}{reply.path}`: {_words(reply)}" for place, reply in those]
        match one:
            case Came.SILENT:
                yield symptoms.PROCESS_SILENT.found(
                    name,
                    node,
                    evidence,
                    what=http.what,
                    restart=here.restart,
                    processes=processes_by(here.restart),
                    log=here.log,
                )
            case Came.WAITING:
                yield symptoms.APPLICATION_SILENT.found(
                    name, node, evidence, restart=here.restart, log=here.log
                )
            case Came.NOT_LOADED:
                yield symptoms.APPLICATION_NOT_LOADED.found(
                    name, node, evidence, restart=here.restart, log=here.log
                )
            case Came.ILL:
                says = f"it answers `{_words(those[0][1])}`"
                yield symptoms.PROCESS_ILL.found(
                    name, node, evidence, what=http.what, says=says, log=here.log
                )
            case _:
                pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The components whose own processes have shown why their APIs fail."""

    frozen: frozenset[str] = frozenset()  # none of them answers
    unloaded: frozenset[str] = frozenset()  # one at least has no application

    def explains(self, name: str, failed: Failed) -> bool:
        """Say whether what an API answered, or did not, is no other cause."""
        if failed.how is Failure.NO_ANSWER:
            return name in self.frozen
        is_bare = failed.status == _NOT_LOADED and not failed.request_id
        return name in self.unloaded and is_bare


def shown_by(present: Iterable[Presence]) -> Shown:
    """Return what the processes themselves have shown."""
    all_: dict[str, list[set[Came]]] = {}
    for here in present:
        if here.component.http and here.runs and not _is_anybodys(here):
            there = {one for one, _ in places(here).values()}
            all_.setdefault(here.component.name, []).append(there)
    return Shown(
        frozen=frozenset(
            name for name, those in all_.items() if all(one == {Came.SILENT} for one in those)
        ),
        unloaded=frozenset(
            name for name, those in all_.items() if any(Came.NOT_LOADED in one for one in those)
        ),
    )


def proof_of_web(name: str, present: Iterable[Presence]) -> str:
    """Say how many of a component's processes have answered; empty where none has."""
    own = [one for one in present if one.component.name == name]
    count = sum(1 for one in own if has_answered(one))
    return f"{count} of {len(own)} answer over HTTP" if count else ""


def _is_anybodys(here: Presence) -> bool:
    """Say whether it may be a load balancer that was asked, and answers for a process elsewhere.

    Then an answer proves nothing, and a silence accuses nobody.
    """
    return not here.survey.sees_owners and _has_balancer(here)


def _has_balancer(here: Presence) -> bool:
    units = here.survey.units
    return not isinstance(units, Unseen) and any(
        name in units and units[name].active == "active" for name in HAPROXY
    )


def _words(one: WebReply) -> str:
    says = " ".join(one.says.split())[:_SHOWN]
    return says if one.status is None else f"{one.status} {says}".strip()
