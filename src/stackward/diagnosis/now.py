"""Logs with one look at the cloud: what is broken now is the cause of what the logs show of it.

1. A finding of the look that nothing explains is a cause; what the look put under it, followed.
2. A cause by the logs in the same place is the same one: it shows since when, and where in code.
3. A cause by the logs in a component that needs what is broken, and is not before it, followed too;
   but not an error of its code, such as a TypeError.
4. A component that has answered works now: what the logs have of it is past. An error of its code
   may not be past: only the same request would show that.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from stackward.anatomy import Anatomy
from stackward.diagnosis.accused import short
from stackward.diagnosis.asked import Asked
from stackward.diagnosis.cause import Aside, Cause, Diagnosis, Link, LookTold, Seen
from stackward.diagnosis.certainty import RULES_NOW, KnownNow
from stackward.diagnosis.components import DEPTH, USUAL_DEPTH
from stackward.diagnosis.episodes import CLOCKS_S
from stackward.diagnosis.lately import shortly_before
from stackward.diagnosis.unit_lives import Change
from stackward.health.causes import SOFT, Place, is_lacking, needed
from stackward.model.changes import Changes
from stackward.model.health import ComponentHealth, Finding, Health, State
from stackward.model.sureness import Sureness, first_that_holds
from stackward.wording import count_of

_AT_ONCE = timedelta(seconds=1)  # in which systemd ends what is stopped together
_LAST_WORDS = timedelta(seconds=60)  # before its end, in which a process says why
_MOST_LINKS = 3  # of what followed, in the chain down to the cause
# What no other component brings about: the code itself is wrong.
_OF_CODE = frozenset(
    {
        "AssertionError", "AttributeError", "ImportError", "IndexError", "KeyError",
        "ModuleNotFoundError", "NameError", "NotImplementedError", "RecursionError",
        "SyntaxError", "TypeError", "UnboundLocalError", "ValueError", "ZeroDivisionError",
    }
)  # fmt: skip
# They are about a unit that does not run.
_DOWN = frozenset({"unit-down", "trigger-down", "socket-down", "unit-ended", "gate-shut"})


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What is compared with the causes that logs show."""

    health: Health
    anatomy: Anatomy
    asked: Asked
    ends: Mapping[Place, Change] = field(default_factory=dict)  # units that have not come back
    changed: Mapping[str, Changes] = field(default_factory=dict)  # on each node, lately
    nodes: frozenset[str] = frozenset()  # none: of all
    only: frozenset[str] = frozenset()  # components; none: of all
    needs: dict[Place, set[Place]] = field(default_factory=dict)

    def needed(self, place: Place) -> set[Place]:
        """Return what a component needs; each is found once."""
        if place not in self.needs:
            self.needs[place] = needed(place, self.anatomy)
        return self.needs[place]

    def health_of(self, component: str) -> ComponentHealth | None:
        """Return how a component is, as the look has it."""
        return next((one for one in self.health.components if one.name == component), None)


@dataclass(frozen=True, kw_only=True)
class _Root:
    """What the look found not well and nothing explains, in one place."""

    place: Place
    findings: tuple[Finding, ...]  # the worst first
    under: tuple[Finding, ...]  # what is explained by it
    logged: tuple[Cause, ...]  # causes by the logs that are the same
    followed: tuple[Cause, ...]  # causes by the logs that it explains
    ended: Change | None  # when its unit ended, where the journal says it

    @property
    def state(self) -> State:
        return self.findings[0].state

    @property
    def at(self) -> datetime | None:
        """Return when it began, where that is known: the journal knows it better than its log."""
        if self.ended is not None:
            return self.ended.at
        return min((one.at for one in self.logged), default=None)


def beside(found: Diagnosis, told: Beside) -> Diagnosis:
    """Join what logs show with what a look saw."""
    roots = _in_rank(_joined(found.causes, told), told)
    merged = {id(one) for root in roots for one in (*root.logged, *root.followed)}
    others = [_as_it_is_now(one, told) for one in found.causes if id(one) not in merged]
    live = [_cause(root, told, found) for root in roots]
    wanted = [one for one in live if _is_wanted(one, told)]
    causes = [_with_changes(one, told) for one in _ordered(wanted, others, told)]
    first = causes[0] if causes else None
    is_kept = first is None or first.is_now is not True or _has_first(roots, found)
    return replace(
        found,
        causes=causes,
        consequences=[
            *(each for root in roots for each in _followed(root, told)),
            *(found.consequences if is_kept else ()),
        ],
        ruled_out=[*found.ruled_out, *(() if is_kept else found.consequences)],
        unknown=[*_unknown(roots, told), *found.unknown],
        look=_look(told.health),
    )


def _has_first(roots: Sequence[_Root], found: Diagnosis) -> bool:
    """Say whether what is broken now is, or explains, the first cause that logs show."""
    logged = found.causes[:1]
    return any(one is each for root in roots for one in logged for each in _own(root))


def _own(root: _Root) -> tuple[Cause, ...]:
    return (*root.logged, *root.followed)


# --- what is broken now -------------------------------------------------------------------------


def _joined(logged: Sequence[Cause], told: Beside) -> list[_Root]:
    """Return what the look found, with what the logs show of the same."""
    grouped: dict[Place, list[Finding]] = {}
    for one in told.health.findings:
        if one.under is None and one.state in {State.BROKEN, State.DEGRADED}:
            grouped.setdefault((one.component, one.node), []).append(one)
    left = list(logged)
    made: list[_Root] = []
    for place, findings in grouped.items():
        findings.sort(key=lambda one: one.state.rank)
        is_down = any(one.rule in _DOWN for one in findings)
        end = told.ends.get(place) if is_down else None
        same = [one for one in left if _is_at(one, place) and _lasted_to(one, end)]
        left = [one for one in left if not any(one is each for each in same)]
        made.append(
            _Root(
                place=place,
                findings=tuple(findings),
                under=tuple(_under(findings, told.health.findings)),
                logged=tuple(same),
                followed=(),
                ended=end,
            )
        )
    joined: list[_Root] = []
    for root in made:
        those = [one for one in left if _explains(root, one, told)]
        left = [one for one in left if not any(one is each for each in those)]
        joined.append(replace(root, followed=tuple(those)))
    return joined


def _is_at(cause: Cause, place: Place) -> bool:
    component, node = place
    return cause.component == component and (None in {node, cause.node} or cause.node == node)


def _lasted_to(cause: Cause, end: Change | None) -> bool:
    """Say whether it may have to do with the end of a unit; what was over before has not."""
    last = cause.until or cause.at
    return end is None or last >= end.at - _LAST_WORDS


def _under(causes: Sequence[Finding], findings: Iterable[Finding]) -> Iterator[Finding]:
    rules = {one.rule for one in causes}
    names = {causes[0].where, causes[0].component}
    for one in findings:
        if one.under in names and (one.by is None or one.by in rules):
            yield one


def _explains(root: _Root, cause: Cause, told: Beside) -> bool:
    """Say whether what is broken explains a cause that logs show: not what was before it."""
    if root.state is not State.BROKEN:
        return False
    began = root.at
    if began is not None and cause.at < began - _AT_ONCE:
        return False
    if any(_is_at(cause, (one.component, one.node)) for one in root.under):
        return True
    if cause.accuses in {root.place[0], *(one.component for one in root.under)}:
        return True
    if root.place[0] in SOFT or short(cause.exception or "") in _OF_CODE:
        return False
    whole = told.health_of(root.place[0])
    is_whole = whole is not None and whole.state is State.BROKEN
    places = told.needed((cause.component, cause.node))
    return is_lacking(root.findings[0], cause.component, places, is_whole=is_whole)


def _in_rank(roots: Sequence[_Root], told: Beside) -> list[_Root]:
    """Order what is broken: the worst, then what was first.

    Where the clocks cannot show it, it is what was changed shortly before, then the deeper
    component.
    """

    def order(one: _Root) -> tuple[int, bool, datetime]:
        return one.state.rank, one.at is None, one.at or told.health.read_at

    def depth(one: _Root) -> tuple[bool, int]:
        component, node = one.place
        at = one.at or told.health.read_at
        is_changed = bool(shortly_before(component, node, at, told.changed, told.anatomy))
        return not is_changed, -DEPTH.get(component, USUAL_DEPTH)

    ordered: list[_Root] = []
    left = sorted(roots, key=order)
    while left:
        first = left[0]
        tied = [one for one in left if order(one)[:2] == order(first)[:2] and _is_tied(first, one)]
        next_ = min(tied, key=depth)
        ordered.append(next_)
        left = [one for one in left if one is not next_]
    return ordered


def _is_tied(first: _Root, second: _Root) -> bool:
    """Say whether clocks cannot show which of two was first; on one node it is one clock."""
    if first.at is None or second.at is None or first is second:
        return True
    if first.place[1] == second.place[1]:
        return first.at == second.at
    return second.at - first.at < timedelta(seconds=CLOCKS_S)


def _cause(root: _Root, told: Beside, found: Diagnosis) -> Cause:
    finding = root.findings[0]
    component, node = root.place
    rule = first_that_holds(
        RULES_NOW,
        KnownNow(
            state=root.state,
            is_asked_of_now=told.asked is Asked.NOW,
            has_logged=bool(
                root.logged or root.followed or (root.ended and told.asked is not Asked.STORY)
            ),
            needs_are_well=_needs_are_well(root.place, told),
        ),
    )
    best = next((one for one in root.logged if one.place is not None), None)
    best = best or next(iter(root.logged), None)
    at = root.at or told.health.read_at
    where = node or _only_node(component, told)
    own_events = (root.ended.event,) if root.ended else ()
    logged = tuple(event for one in root.logged for event in one.evidence)
    return Cause(
        component=component,
        node=where,
        place=best.place if best else None,
        exception=best.exception if best else None,
        at=at,
        sureness=rule.sureness,
        says=f"{component} {finding.reason}" if finding.reason else f"{component} is not well",
        because=(*_because(root), *(best.because if best else ()), rule.says),
        raises=rule.raises,
        chain=tuple(_chain(root, told, at, found)),
        evidence=tuple(dict.fromkeys((*own_events, *logged)))[:5],
        known_as=best.known_as if best else None,
        until=None,
        is_now=True,
        seen=tuple(
            Seen(finding=one.rule, says=one.reason, signs=one.evidence) for one in root.findings
        ),
        ends_it=finding.remedy or None,
    )


def _only_node(component: str, told: Beside) -> str | None:
    one = told.health_of(component)
    return one.nodes[0] if one and len(one.nodes) == 1 else None


def _needs_are_well(place: Place, told: Beside) -> bool:
    """Say whether nothing that it needs is ill, or was hidden from the look."""
    for name, node in told.needed(place):
        one = told.health_of(name)
        if one is None:
            continue
        if one.state is State.UNKNOWN:
            return False
        if any(each.node in {None, node} or node is None for each in one.findings):
            return False
    return True


def _because(root: _Root) -> Iterator[str]:
    rules = dict.fromkeys(one.rule for one in root.findings)
    yield f"a look found it so: {', '.join(rules)}"
    if root.ended is not None:
        yield f"its unit {root.ended.unit} has {root.ended.life.value}, and was not started since"


def _chain(root: _Root, told: Beside, at: datetime, found: Diagnosis) -> Iterator[Link]:
    """Return the way from what was noticed down to what is broken."""
    first = next(iter(_own(root)), None)
    if first is not None:
        yield from (one for one in first.chain[:1] if one in found.noticed)
    affected: dict[str, Finding] = {}
    for one in sorted(root.under, key=lambda one: DEPTH.get(one.component, USUAL_DEPTH)):
        affected.setdefault(one.component, one)
    for one in list(affected.values())[:_MOST_LINKS]:
        yield Link(component=one.component, node=one.node, at=told.health.read_at, says=one.reason)
    component, node = root.place
    yield Link(component=component, node=node, at=at, says=root.findings[0].reason)


# --- what logs alone show -----------------------------------------------------------------------


def _as_it_is_now(cause: Cause, told: Beside) -> Cause:
    """Say of a cause by the logs whether it is past."""
    one = told.health_of(cause.component)
    if one is None or one.state is not State.OK:
        return cause
    if cause.place is not None and cause.exception is not None:
        says = "it answers now; whether its code fails again, only the same request shows"
        return replace(cause, because=(*cause.because, says))
    says = (
        f"it is past: it answers now ({one.proof})" if one.proof else ("it is past: it answers now")
    )
    return replace(cause, is_now=False, because=(*cause.because, says))


def _with_changes(cause: Cause, told: Beside) -> Cause:
    """Add what was changed of it shortly before it began."""
    before = shortly_before(cause.component, cause.node, cause.at, told.changed, told.anatomy)
    if not before:
        return cause
    return replace(cause, because=(*cause.because[:-1], *before, *cause.because[-1:]))


def _is_wanted(cause: Cause, told: Beside) -> bool:
    if told.only and cause.component not in told.only:
        return False
    nodes = {cause.node, *(one.node for one in cause.chain)}
    return not told.nodes or None in nodes or bool(told.nodes & nodes)


def _ordered(live: Sequence[Cause], others: Sequence[Cause], told: Beside) -> list[Cause]:
    """Put what is broken now first, unless it has nothing to do with what was asked for."""
    past = [one for one in others if one.is_now is False]
    still = [one for one in others if one.is_now is not False]
    if told.asked is Asked.NOW:
        sure = [one for one in live if one.sureness is not Sureness.POSSIBLE]
        rest = [one for one in live if one.sureness is Sureness.POSSIBLE]
        grave = [one for one in still if one.sureness is not Sureness.POSSIBLE]
        mild = [one for one in still if one.sureness is Sureness.POSSIBLE]
        return [*sure, *grave, *rest, *mild, *past]
    near = [one for one in live if one.sureness is not Sureness.POSSIBLE]
    far = [one for one in live if one.sureness is Sureness.POSSIBLE]
    return [*near, *others, *far]


def _followed(root: _Root, told: Beside) -> Iterator[Aside]:
    component, node = root.place
    where = f"{component} on {node}" if node else component
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for one in root.under:
        kinds.setdefault((one.component, one.rule), []).append(one)
    for (name, _), those in kinds.items():
        nodes = sorted({one.node for one in those if one.node})
        yield Aside(
            component=name,
            nodes=tuple(nodes),
            count=len(those),
            first=told.health.read_at,
            says=those[0].reason,
            why=f"a look found it not well, and {where} explains that",
        )
    for cause in root.followed:
        yield Aside(
            component=cause.component,
            nodes=(cause.node,) if cause.node else (),
            count=len(cause.evidence),
            first=cause.at,
            says=cause.says,
            why=_why_followed(cause, root, where),
        )


def _why_followed(cause: Cause, root: _Root, where: str) -> str:
    if cause.accuses is None:
        return f"it needs {where}, which is broken"
    if cause.accuses == root.place[0]:
        return f"it accuses {where}, which is broken"
    return f"it accuses {cause.accuses}, and {where} explains that"


def _unknown(roots: Sequence[_Root], told: Beside) -> Iterator[str]:
    for root in roots:
        if root.at is None:
            where = root.findings[0].where
            yield f"when {where} began to be not well: no log of that time shows it"
    if told.health.is_blind:
        yield "how the cloud is now: neither a node nor an API was reached"
    for one in told.changed.values():
        if one.packages is None:
            yield f"which packages of {one.node} were changed lately"
        if one.unread:
            count = count_of(len(one.unread), "place")
            yield f"what was changed lately on {one.node}: {count} may not be read"
    for name in _hidden(told.health):
        yield f"how {name} is now: it could not be looked at"


def _hidden(health: Health) -> list[str]:
    return [one.name for one in health.components if one.state is State.UNKNOWN]


def _look(health: Health) -> LookTold:
    def those(state: State) -> tuple[str, ...]:
        return tuple(one.name for one in health.components if one.state is state)

    gaps: Mapping[str, None] = dict.fromkeys(
        f"{gap.component} ({gap.where}): {gap.says}" for gap in health.unknown
    )
    return LookTold(
        at=health.read_at,
        took_s=health.took_s,
        state=health.state,
        is_blind=health.is_blind,
        answered=those(State.OK),
        not_proved=those(State.NOT_PROVED),
        not_seen=tuple(gaps),
    )
