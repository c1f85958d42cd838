"""Look at a whole cloud: all nodes side by side, and at the same time its APIs.

One deadline is over all of it. Each question has its own limit within that. One that could not
start in time is reported as not asked, and proves nothing against anybody.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeAlias, TypeVar
from urllib.parse import urlsplit

from stackward.anatomy import REPORTED_TO, Anatomy
from stackward.errors import BadInput, Refused
from stackward.facts.survey import survey_node
from stackward.model.blind import Blind
from stackward.model.cloud_state import (
    NO_TIME,
    Answered,
    Catalog,
    CloudState,
    Endpoint,
    Failed,
    Failure,
    Heartbeat,
    LivesOnSource,
)
from stackward.model.hypervisor import Hypervisor
from stackward.model.identity import (
    Directory,
    Hosts,
    Itself,
    Machine,
    Match,
    are_all_ironic,
    decide,
)
from stackward.model.raft import Member
from stackward.model.service import NOVA_COMPUTE
from stackward.model.survey import Survey, Unseen
from stackward.model.unread import Unread
from stackward.ports.apis import Apis
from stackward.ports.deadline import Deadline, is_fair
from stackward.ports.machines import ask_together, find_machine, machine_of
from stackward.ports.probes import Probes
from stackward.ports.together import Round

USUAL_S = 8.0  # for one question
WHOLE_S = 10.0  # for all of a look, at this number of nodes:
NODES = 50
SEARCHING = 0.4  # of the whole: what finding a node that is asked for by another name takes at most
JUDGING = 0.05  # of the whole: what reading, judging and printing take
REMEMBERING_S = 1.0  # how long to wait for the journal once all else is known
TOLD_S = 0.3  # between the end of a question and the end of the wait for it
MOST_AT_ONCE = 200  # nodes: an ssh each
NOVA, HYPERVISORS, HEARTBEATS = "compute", "hypervisors", "heartbeats"
ON_SOURCE = "on source"
_APIS, _NODE = "apis", "node"
_LOGIN = (_APIS, "login")
_MEMORY = "memory"

_Question: TypeAlias = tuple[str, str]  # what is asked, and of what
_Told = TypeVar("_Told")
_Answer: TypeAlias = (
    Answered
    | Failed
    | datetime
    | Sequence[Heartbeat]
    | Sequence[Hypervisor]
    | Sequence[LivesOnSource]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """What the operator asked for."""

    only: str | None = None  # one node
    within_s: float = USUAL_S  # for each question, within the whole
    interfaces: tuple[str, ...] = ("public", "internal", "admin")
    tables: bool = False
    rpc: bool = True


@dataclass(frozen=True, slots=True)
class _Puts:
    """Which questions of a look have been put, each with how much time.

    A missing answer counts only where there was a fair time for it. A question that was not put is
    reported as not asked.
    """

    deadline: Deadline
    most_s: float  # the limit of each
    given: dict[_Question, float] = field(default_factory=dict)

    def put(self, question: _Question, ask: Callable[[float], _Told]) -> _Told | None:
        """Put a question, if any time is left for it; an answer counts, also a late one."""
        within_s = self.deadline.within(self.most_s)
        if not within_s:
            return None
        self.given[question] = within_s
        return ask(within_s)

    def unheard(self, question: _Question) -> Failed:
        """Say what it means that no answer came."""
        if is_fair(self.given.get(question, 0.0), self.most_s):
            says = f"no answer within {round(self.given[question], 1):g} s"
            return Failed(how=Failure.NO_ANSWER, says=says, is_late=True)
        return Failed(how=Failure.NOT_ASKED, says=NO_TIME)

    def judged(self, question: _Question, answer: _Told | None) -> _Told | Failed:
        """Return an answer; that its time is over counts only if it had enough."""
        is_late = isinstance(answer, Failed) and answer.is_late
        if answer is None or (is_late and not is_fair(self.given[question], self.most_s)):
            return self.unheard(question)
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """What came of the login, and the questions to the APIs that could start after it."""

    login: Answered | Failed
    login_at: str = ""  # the host of Keystone's URL
    catalog: Catalog | None = None
    questions: tuple[_Question, ...] = ()
    answers: Round[_Question, _Answer] | None = None
    memory: Round[str, Mapping[str, Itself] | Unread] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApisSeen:
    """What the APIs answered."""

    login: Answered | Failed
    login_at: str = ""
    catalog: Catalog | None = None
    probes: Mapping[str, Answered | Failed] = field(default_factory=dict)
    reached: Mapping[str, Answered | Failed] = field(default_factory=dict)
    certificates: Mapping[str, datetime | Failed] = field(default_factory=dict)
    heartbeats: tuple[Heartbeat, ...] = ()
    heartbeats_unread: Mapping[str, Failed] = field(default_factory=dict)
    hypervisors: tuple[Hypervisor, ...] = ()
    hypervisors_unread: Failed | None = None
    on_source: tuple[LivesOnSource, ...] = ()
    on_source_unread: Failed | None = None


def node_called(probes: Probes, word: str, by: Deadline) -> str:
    """Return the node that has this name in the inventory or in Nova, as far as is known by then.

    Raises BadInput where the inventory names none. Raises Refused where two may be meant, where
    Nova did not answer, or where it is not reached by ssh.
    """
    if word in probes.nodes:
        return word
    ask = ask_together(probes.shell, probes.together, by)
    match = find_machine(probes.shell, Machine(host=word, addresses=(word,)), ask=ask)
    known: Machine | Failed | None = None
    if match.node is None and not match.doubtful:
        known = _machine_in_nova(probes, word, by)
    if isinstance(known, Machine):
        match = find_machine(probes.shell, known, ask=ask)
    if match.doubtful:
        raise Refused(
            f"cannot determine which machine `{word}` is: {match.why}",
            says=_silent(probes, match.doubtful),
            hint=_AS_INVENTORY,
        )
    if match.node is None and isinstance(known, Failed):
        raise Refused(
            f"cannot determine which machine `{word}` is: the inventory does not name it, and "
            "Nova did not say whether it has such a host",
            service="Nova",
            says=known.says,
            hint=_AS_INVENTORY,
        )
    if match.node is None:
        raise BadInput(
            f"the inventory does not name `{word}`",
            hint="`stackward node list` shows what is in it",
        )
    if match.node in probes.left_out:
        raise Refused(
            f"cannot check `{match.node}`: Ansible reaches it by "
            f"`{probes.left_out[match.node]}`, and Stackward uses ssh",
            hint="if it has ssh, set `ansible_connection` to `ssh` in the inventory",
        )
    return match.node


_AS_INVENTORY = "name it as the inventory does: `stackward node list`"


def _silent(probes: Probes, nodes: Sequence[str]) -> str | None:
    """Say which of these have not reported what they call themselves."""
    said = probes.shell.directory().said
    silent = ", ".join(f"`{each}`" for each in nodes if each not in said)
    return f"no word in time of what it calls itself: {silent}" if silent else None


def _machine_in_nova(probes: Probes, word: str, by: Deadline) -> Machine | Failed | None:
    """Return the compute node that has this name in Nova: its hypervisor has further names of it.

    If Nova did not answer by then, that does not mean that it knows of none.
    """
    late = Failed(how=Failure.NOT_ASKED, says=NO_TIME)
    if not by.left_s():
        return late
    ask = {("called", word): partial(_hypervisors_of, probes.apis, by)}
    found = probes.together.ask(ask, within_s=by.left_s())[("called", word)]
    if found is None:
        return Failed(how=Failure.NO_ANSWER, says="no answer in time", is_late=True)
    if isinstance(found, Failed):
        return found
    called = Hosts(one.host for one in found).called(word)
    own = [one for one in found if one.host in called]
    return machine_of(own[0]) if len(own) == 1 else None


def _hypervisors_of(apis: Apis, by: Deadline) -> Sequence[Hypervisor] | Failed:
    login, catalog = apis.log_in(within_s=by.left_s())
    endpoint = catalog.endpoint((NOVA,)) if catalog else None
    if isinstance(login, Failed):
        return login
    if endpoint is None:
        return ()
    if not by.left_s():
        return Failed(how=Failure.NOT_ASKED, says=NO_TIME)
    return apis.hypervisors(endpoint, within_s=by.left_s())


def time_for(nodes: int, within_s: float = USUAL_S) -> float:
    """Return how long a look at this number of nodes takes at most, also if all of them hang.

    If there are more than `NODES`, each adds its part of one more turn: only a limited number is
    asked at a time. A longer limit for each question makes the whole longer in proportion.
    """
    turns = 1 + max(0, nodes - NODES) / MOST_AT_ONCE
    return WHOLE_S * turns * max(1.0, within_s / USUAL_S)


class Look:
    """A look that is in progress; `state` gives what is known of it by now."""

    def __init__(
        self, probes: Probes, anatomy: Anatomy, asked: CheckRequest, by: Deadline | None = None
    ) -> None:
        self._probes, self._anatomy, self._asked = probes, anatomy, asked
        self._names = (asked.only,) if asked.only else probes.nodes
        self._began, self._read_at = probes.clock.monotonic(), probes.clock.now()
        whole_s = time_for(len(self._names), asked.within_s)
        self.takes_s = by.left_s() if by else whole_s
        self.deadline = Deadline.after(probes.clock, self.takes_s - whole_s * JUDGING)
        self._puts = _Puts(self.deadline.sooner(TOLD_S), asked.within_s)
        # The login comes first: it must not wait until a node has been asked.
        questions: dict[str, Callable[[], Survey | Unseen | LoggedIn]] = {
            _APIS: partial(_log_in, probes, anatomy, asked, self._puts)
        }
        questions |= {
            f"node {name}": partial(_survey, probes, anatomy, name, asked, self._puts)
            for name in self._names
        }
        self._round = probes.together.begin(questions, at_once=MOST_AT_ONCE + 1)
        self._logged_in: LoggedIn | None = None

    @property
    def is_over(self) -> bool:
        """Say whether all was answered when `state` was last given."""
        known = self._logged_in
        return self._round.is_over and (
            known is None or known.answers is None or known.answers.is_over
        )

    @property
    def catalog(self) -> Catalog | None:
        """Return where the APIs are, once a login has shown it."""
        return self._logged_in.catalog if self._logged_in else None

    def state(self, *, by: Deadline) -> tuple[CloudState, Mapping[str, str] | None]:
        """Wait until all is answered, or until then, and return what is known.

        With it comes the id of each machine's hypervisor; None while Nova has not reported them.
        """
        told = self._round.told(within_s=by.left_s())
        known = told.get(_APIS)
        self._logged_in = known if isinstance(known, LoggedIn) else None
        answers: Mapping[_Question, _Answer] = {}
        if self._logged_in and self._logged_in.answers:
            answers = self._logged_in.answers.told(within_s=by.left_s())
        state, own = self._made_of(told, answers, self._remembered(by))
        asked = set(self._logged_in.questions) if self._logged_in else set()
        needed = {(HYPERVISORS, NOVA), (HEARTBEATS, NOVA)} & asked
        return state, own if self._logged_in and needed <= answers.keys() else None

    def _remembered(self, by: Deadline) -> Mapping[str, Itself] | Unread:
        """Return what nodes once said of themselves; without a login, of no cloud."""
        if self._logged_in is None or self._logged_in.memory is None:
            return {}
        # A journal on a server that does not answer must not make a look longer.
        told = self._logged_in.memory.told(within_s=by.within(REMEMBERING_S))
        return told.get(_MEMORY, Unread(NO_TIME))

    def _made_of(
        self,
        told: Mapping[str, Survey | Unseen | LoggedIn],
        answers: Mapping[_Question, _Answer],
        remembered: Mapping[str, Itself] | Unread,
    ) -> tuple[CloudState, Mapping[str, str]]:
        found = {name: told.get(f"node {name}") for name in self._names}
        surveys = {
            name: one if isinstance(one, Survey | Unseen) else _unseen(self._puts, name)
            for name, one in found.items()
        }
        apis = _seen(self._logged_in, answers, self._anatomy, self._puts)
        once = {} if isinstance(remembered, Unread) else remembered
        directory = _directory(self._probes, surveys, once)
        matches = _matches(directory, apis)
        bare_metal = bare_metal_hosts(apis.hypervisors)
        at = Machine(host=apis.login_at, addresses=(apis.login_at,))
        state = CloudState(
            read_at=self._read_at,
            left_out={} if self._asked.only else self._probes.left_out,
            logins=self._probes.logins,
            took_s=self._probes.clock.monotonic() - self._began,
            surveys=surveys,
            login=apis.login,
            catalog=apis.catalog,
            probes=apis.probes,
            reached=apis.reached,
            certificates=apis.certificates,
            heartbeats=apis.heartbeats,
            heartbeats_unread=apis.heartbeats_unread,
            nodes={host: match.node for host, match in matches.items()},
            bare_metal=bare_metal,
            other_drivers=_other_drivers(apis.hypervisors),
            hypervisors_unread=apis.hypervisors_unread,
            on_source=apis.on_source,
            on_source_unread=apis.on_source_unread,
            unnamed={host: match.why for host, match in matches.items() if match.node is None},
            identified_at={host: match.seen_at for host, match in matches.items() if match.seen_at},
            unremembered=remembered.why if isinstance(remembered, Unread) else None,
            keystone_on=_match(directory, at).node if apis.login_at else None,
            members_at=_members_at(directory, surveys),
            only=self._asked.only,
        )
        computes = {one.host for one in apis.heartbeats if one.binary == NOVA_COMPUTE}
        own = {one.host: one.id for one in apis.hypervisors if one.host in computes - bare_metal}
        return state, own


def _directory(
    probes: Probes, surveys: Mapping[str, Survey | Unseen], remembered: Mapping[str, Itself]
) -> Directory:
    """Return the nodes by all their known names; what they have just said comes first."""
    said = {name: one.itself for name, one in surveys.items() if isinstance(one, Survey)}
    known = probes.shell.directory()
    return known.with_said({**remembered, **known.said, **said})


def _matches(directory: Directory, apis: ApisSeen) -> dict[str, Match]:
    """Return the node of each host that something reports from; nobody is asked again."""
    own: dict[str, list[Hypervisor]] = {}
    for one in apis.hypervisors:
        own.setdefault(one.host, []).append(one)
    bare_metal = bare_metal_hosts(apis.hypervisors)
    found = {}
    for host in dict.fromkeys(one.host for one in apis.heartbeats):
        machine = Machine(host=host)
        if len(own.get(host, ())) == 1 and host not in bare_metal:
            machine = machine_of(own[host][0])
        found[host] = _match(directory, machine)
    return found


def _members_at(directory: Directory, surveys: Mapping[str, Survey | Unseen]) -> dict[str, str]:
    """Return the nodes of all addresses by which members of clusters know each other."""
    told = [
        member
        for survey in surveys.values()
        if isinstance(survey, Survey)
        for member in survey.members.values()
        if isinstance(member, Member)
    ]
    hosts = dict.fromkeys(peer.host for member in told for peer in member.peers if peer.host)
    found = {host: _match(directory, Machine(host=host, addresses=(host,))).node for host in hosts}
    return {host: node for host, node in found.items() if node is not None}


def _match(directory: Directory, machine: Machine) -> Match:
    return decide(machine, directory.candidates(machine), directory.said)


def bare_metal_hosts(hypervisors: Iterable[Hypervisor]) -> frozenset[str]:
    """Return the hosts that are no machines: all of their hypervisors are Ironic's."""
    kinds: dict[str, set[str]] = {}
    for one in hypervisors:
        kinds.setdefault(one.host, set()).add(one.kind)
    return frozenset(host for host, those in kinds.items() if are_all_ironic(those))


def _other_drivers(hypervisors: Iterable[Hypervisor]) -> frozenset[str]:
    """Return the hosts of which libvirt runs no guests."""
    known = list(hypervisors)
    with_domains = {one.host for one in known if one.has_domains}
    return frozenset(one.host for one in known) - with_domains


def _survey(
    probes: Probes, anatomy: Anatomy, node: str, asked: CheckRequest, puts: _Puts
) -> Survey | Unseen:
    if node in probes.unknown:
        return Unseen(probes.unknown[node], Blind.UNKNOWN)
    if not puts.deadline.allows(asked.within_s):  # an ssh and a python do not start for nothing
        return Unseen(NO_TIME, Blind.NOT_ASKED)
    survey = puts.put(
        (_NODE, node),
        lambda within_s: survey_node(
            probes.shell, probes.clock, anatomy, node, within_s=within_s, tables=asked.tables
        ),
    )
    return survey or _unseen(puts, node)


def _unseen(puts: _Puts, node: str) -> Unseen:
    failed = puts.unheard((_NODE, node))
    kind = Blind.NOT_ASKED if failed.how is Failure.NOT_ASKED else Blind.SILENT
    return Unseen(failed.says, kind)


def _log_in(probes: Probes, anatomy: Anatomy, asked: CheckRequest, puts: _Puts) -> LoggedIn:
    """Log in, and begin what needs no more than that."""
    came = puts.put(_LOGIN, lambda within_s: probes.apis.log_in(within_s=within_s))
    told, catalog = came or (puts.unheard(_LOGIN), None)
    login: Answered | Failed = puts.judged(_LOGIN, told)
    login_at = urlsplit(probes.apis.login_url).hostname or ""
    if catalog is None or not puts.deadline.left_s():
        return LoggedIn(login=login, login_at=login_at)
    questions = dict(_questions(probes, anatomy, asked, catalog, puts))
    return LoggedIn(
        login=login,
        login_at=login_at,
        catalog=catalog,
        questions=tuple(questions),
        answers=probes.together.begin(questions),
        memory=probes.together.begin({_MEMORY: partial(probes.remember, catalog.cloud)}),
    )


def _seen(
    known: LoggedIn | None,
    told: Mapping[_Question, _Answer],
    anatomy: Anatomy,
    puts: _Puts,
) -> ApisSeen:
    """Sort what the APIs have answered; an answer that has not come by now is late."""
    if known is None:
        return ApisSeen(login=puts.unheard(_LOGIN))
    if known.answers is None:
        return ApisSeen(login=known.login, login_at=known.login_at)
    answers = {key: told[key] if key in told else puts.unheard(key) for key in known.questions}
    lists = {name: one for (what, name), one in answers.items() if what == HEARTBEATS}
    return ApisSeen(
        login=known.login,
        login_at=known.login_at,
        catalog=known.catalog,
        probes=_picked(answers, "probe"),
        reached=_picked(answers, "reach"),
        certificates={
            name: one
            for (what, name), one in answers.items()
            if what == "certificate" and isinstance(one, datetime | Failed)
        },
        heartbeats=tuple(
            one
            for found in lists.values()
            if isinstance(found, Sequence)
            for one in found
            if isinstance(one, Heartbeat)
        ),
        heartbeats_unread={
            component.name: one
            for kind, one in lists.items()
            if isinstance(one, Failed) and (component := anatomy.of_catalog(kind))
        },
        hypervisors=_hypervisors(answers.get((HYPERVISORS, NOVA))),
        hypervisors_unread=_failed(answers.get((HYPERVISORS, NOVA))),
        on_source=_on_source(answers.get((ON_SOURCE, NOVA))),
        on_source_unread=_failed(answers.get((ON_SOURCE, NOVA))),
    )


def _questions(
    probes: Probes, anatomy: Anatomy, asked: CheckRequest, catalog: Catalog, puts: _Puts
) -> Iterable[tuple[_Question, Callable[[], _Answer]]]:
    """Return every question to the APIs, by what it is about."""
    for question, put in _all_questions(probes.apis, anatomy, asked, catalog):
        yield question, partial(_in_time, puts, question, put)


def _in_time(puts: _Puts, question: _Question, ask: Callable[..., _Answer]) -> _Answer:
    return puts.judged(question, puts.put(question, lambda within_s: ask(within_s=within_s)))


def _all_questions(
    apis: Apis, anatomy: Anatomy, asked: CheckRequest, catalog: Catalog
) -> Iterable[tuple[_Question, Callable[..., _Answer]]]:
    for component in anatomy.components.values():
        endpoint = catalog.endpoint(component.catalog_types)
        if endpoint is None or component.catalog is None:
            continue
        probe = component.probe
        if probe.kind in {"list", "account"} and not asked.only:
            yield (
                ("probe", component.name),
                partial(apis.ask, endpoint, probe.path, version=probe.version),
            )
        if component.catalog in REPORTED_TO:
            yield (
                (HEARTBEATS, component.catalog),
                partial(apis.heartbeats, endpoint, component.catalog),
            )
        if component.catalog == NOVA:
            yield (HYPERVISORS, NOVA), partial(apis.hypervisors, endpoint)
            yield (ON_SOURCE, NOVA), partial(apis.on_source, endpoint)
    if asked.only:
        return
    chosen = [one for one in catalog.endpoints if one.interface in asked.interfaces]
    for url in dict.fromkeys(one.url for one in chosen):
        yield ("reach", url), partial(apis.reach, url)
    for place in dict.fromkeys(filter(None, map(secured_place, chosen))):
        host, _, port = place.rpartition(":")
        yield ("certificate", place), partial(apis.expiry, host, int(port))


def secured_place(endpoint: Endpoint) -> str | None:
    """Return the host and port that show a certificate; None where nothing is secured."""
    parts = urlsplit(endpoint.url)
    if parts.scheme != "https" or not parts.hostname:
        return None
    return f"{parts.hostname}:{parts.port or 443}"


def _picked(answers: Mapping[tuple[str, str], _Answer], what: str) -> dict[str, Answered | Failed]:
    return {
        name: one
        for (kind, name), one in answers.items()
        if kind == what and isinstance(one, Answered | Failed)
    }


def _hypervisors(given: _Answer | None) -> tuple[Hypervisor, ...]:
    if not isinstance(given, Sequence):
        return ()
    return tuple(one for one in given if isinstance(one, Hypervisor))


def _on_source(given: _Answer | None) -> tuple[LivesOnSource, ...]:
    if not isinstance(given, Sequence):
        return ()
    return tuple(one for one in given if isinstance(one, LivesOnSource))


def _failed(given: _Answer | None) -> Failed | None:
    return given if isinstance(given, Failed) else None
