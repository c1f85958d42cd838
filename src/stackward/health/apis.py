"""How the APIs are: login, lists as a user asks for them, endpoints, certificates."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from stackward.anatomy import REPORTED_TO, Anatomy, Component
from stackward.health import symptoms
from stackward.health.gaps import ADMIN
from stackward.health.presence import log_of
from stackward.health.web import Shown
from stackward.model.cloud_state import (
    Answered,
    Catalog,
    CloudState,
    Endpoint,
    Failed,
    Failure,
)
from stackward.model.health import Finding, Gap, Kept
from stackward.wording import in_utc

SLOW_S = 5.0
EXPIRES_SOON_DAYS = 30
NOTHING_SHOWN = Shown()
_KEYSTONE, _NOVA_API = "keystone", "nova-api"
_UNAUTHORIZED = 401
_OWN_FAULT = {Failure.NO_ANSWER, Failure.ERROR, Failure.NOT_UNDERSTOOD}
_TOO_MANY = 429


def judge_doors(
    state: CloudState, anatomy: Anatomy, running: Collection[str] = (), shown: Shown = NOTHING_SHOWN
) -> Iterator[Finding]:
    """Judge all that the APIs answered; `running` are the components seen on nodes.

    Of one whose own processes have `shown` why it fails, that is the finding.
    """
    login = state.login
    is_failed = isinstance(login, Failed) and login.how is not Failure.NOT_ASKED
    if isinstance(login, Failed) and is_failed and not shown.explains(_KEYSTONE, login):
        yield _judge_login(state, login, anatomy)
    yield from _judge_unasked(state, anatomy, running)
    for name, answer in state.probes.items():
        if not (isinstance(answer, Failed) and shown.explains(name, answer)):
            yield from _judge_probe(anatomy[name], answer)
    yield from _judge_other_lists(state, anatomy, shown)
    yield from _judge_endpoints(state, anatomy, shown)
    for place, until in state.certificates.items():
        if isinstance(until, datetime):
            yield from _judge_certificate(state, anatomy, place, until)


def _judge_login(state: CloudState, failed: Failed, anatomy: Anatomy) -> Finding:
    says = _says(failed)
    match failed.how:
        case Failure.NO_ANSWER:
            return symptoms.LOGIN_UNANSWERED.found(_KEYSTONE, state.keystone_on, says=says)
        case Failure.REFUSED:
            return symptoms.CREDENTIALS.found(_KEYSTONE, None, says=says)
        case Failure.UNUSABLE:
            return symptoms.LOGIN_UNUSABLE.found(_KEYSTONE, None, says=says)
        case Failure.NOT_UNDERSTOOD:
            return symptoms.API_ODD.found(_KEYSTONE, None, what="answer to a login", says=says)
        case Failure.ERROR if failed.status == _TOO_MANY:
            return symptoms.RATE_LIMITED.found(_KEYSTONE, None, what="login", says=says)
        case Failure.ERROR | Failure.TOO_OLD | Failure.NOT_ASKED:  # the last two are no login's
            log = log_of(anatomy[_KEYSTONE])
            return symptoms.LOGIN_FAILED.found(_KEYSTONE, state.keystone_on, says=says, log=log)


def _judge_unasked(
    state: CloudState, anatomy: Anatomy, running: Collection[str]
) -> Iterator[Finding]:
    """Name each API that was not asked because no endpoint of it is ours."""
    if state.catalog is None:
        return
    for component in unasked(state, anatomy, running):
        yield symptoms.NO_ENDPOINT.found(
            component.name,
            None,
            region=state.catalog.region,
            meant=_named(state.catalog.interfaces),
            there=_elsewhere(state.catalog, component),
        )
    known = (one for one in anatomy.components.values() if one.catalog)
    if not any(state.catalog.endpoint(one.catalog_types) for one in known):
        yield symptoms.NO_API.found(_KEYSTONE, None)


def unasked(state: CloudState, anatomy: Anatomy, running: Collection[str]) -> Iterator[Component]:
    """Return the components whose API the look wanted to ask, but which have no endpoint of ours.

    A component that is not in the catalog, and that no node runs, is not a part of this cloud.
    """
    if state.catalog is None:
        return
    # What only another region has belongs to that, unless a node here runs it.
    here = state.catalog.region
    known = {one.kind for one in state.catalog.endpoints if one.region == here}
    for component in anatomy.components.values():
        if component.catalog is None or (state.only and component.catalog not in REPORTED_TO):
            continue
        kinds = component.catalog_types
        is_here = component.name in running or bool(known & set(kinds))
        if is_here and state.catalog.endpoint(kinds) is None:
            yield component


def _elsewhere(catalog: Catalog, component: Component) -> str:
    """Say where the catalog does have a component."""
    places: dict[str, list[str]] = {}
    for one in catalog.endpoints:
        if one.kind in component.catalog_types:
            places.setdefault(one.region, []).append(one.interface)
    said = (f"{_named(dict.fromkeys(those))} in `{where}`" for where, those in places.items())
    return ", ".join(said) or "none anywhere"


def _named(words: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in words)


def _judge_probe(component: Component, answer: Answered | Failed) -> Iterator[Finding]:
    what, name = component.probe.shows, component.name
    if isinstance(answer, Answered):
        if answer.took_s > SLOW_S:
            yield symptoms.LIST_SLOW.found(name, None, what=what, took=f"{answer.took_s:.1f}")
        return
    says = _says(answer)
    match answer.how:
        case Failure.NO_ANSWER:
            yield _list_unanswered(component, what, answer)
        case Failure.REFUSED if answer.status == _UNAUTHORIZED:
            yield symptoms.TOKEN_UNKNOWN.found(name, None, says=says)
        case Failure.ERROR | Failure.NOT_UNDERSTOOD:
            yield _list_failed(component, what, answer)
        case Failure.REFUSED | Failure.TOO_OLD | Failure.NOT_ASKED | Failure.UNUSABLE:
            return  # our limit, not its fault: it is named among what was not seen


def _judge_other_lists(state: CloudState, anatomy: Anatomy, shown: Shown) -> Iterator[Finding]:
    """Judge the lists that the check itself needs.

    Some of an API's workers may still answer: a list of users that arrived is no excuse.
    """
    lists = [(name, "list of its services", one) for name, one in state.heartbeats_unread.items()]
    if state.hypervisors_unread:
        lists.append((_NOVA_API, "list of its hypervisors", state.hypervisors_unread))
    elif state.on_source_unread:  # who may not read the one may not read the other
        lists.append((_NOVA_API, "list of its evacuations", state.on_source_unread))
    for name, what, failed in lists:
        probed = state.probes.get(name)
        has_failed = isinstance(probed, Failed) and probed.how in _OWN_FAULT
        if has_failed or shown.explains(name, failed):
            continue  # that has been said
        if failed.how is Failure.NO_ANSWER:
            yield _list_unanswered(anatomy[name], what, failed)
        elif failed.how in {Failure.ERROR, Failure.NOT_UNDERSTOOD}:
            yield _list_failed(anatomy[name], what, failed)


def _list_unanswered(component: Component, what: str, failed: Failed) -> Finding:
    return symptoms.LIST_UNANSWERED.found(
        component.name, None, what=what, says=_says(failed), kind=component.catalog
    )


def _list_failed(component: Component, what: str, failed: Failed) -> Finding:
    if failed.how is Failure.NOT_UNDERSTOOD:
        return symptoms.API_ODD.found(component.name, None, what=what, says=_says(failed))
    if failed.status == _TOO_MANY:
        return symptoms.RATE_LIMITED.found(component.name, None, what=what, says=_says(failed))
    return symptoms.LIST_FAILED.found(
        component.name,
        None,
        what=what,
        status=failed.status,
        says=_says(failed),
        log=log_of(component),
        request=f"`{failed.request_id}`" if failed.request_id else "the time of this check",
    )


def _judge_endpoints(state: CloudState, anatomy: Anatomy, shown: Shown) -> Iterator[Finding]:
    if state.catalog is None:
        return
    by_url: dict[str, list[Endpoint]] = {}
    for endpoint in state.catalog.endpoints:
        by_url.setdefault(endpoint.url, []).append(endpoint)
    for url, failed in state.reached.items():
        if not isinstance(failed, Failed) or failed.how is Failure.NOT_ASKED:
            continue
        first = by_url[url][0]
        component = of_kind(anatomy, first.kind)
        probed = state.probes.get(component.name) if component else None
        if isinstance(probed, Failed) and probed.how is failed.how and _is_ours(state, by_url[url]):
            continue  # its list has said so
        if component and shown.explains(component.name, failed):
            continue
        symptom = symptoms.ENDPOINT_FAILED if failed.status else symptoms.ENDPOINT_UNANSWERED
        yield symptom.found(
            component.name if component else first.kind,
            None,
            interfaces=", ".join(dict.fromkeys(one.interface for one in by_url[url])),
            region=first.region or "no region",
            url=url,
            status=failed.status,
            says=failed.says,
        )


def _is_ours(state: CloudState, endpoints: list[Endpoint]) -> bool:
    """Say whether the lists were asked for at one of these."""
    catalog = state.catalog
    return catalog is not None and any(map(catalog.uses, endpoints))


def of_kind(anatomy: Anatomy, kind: str) -> Component | None:
    """Return the component that a type of the catalog means; a few have more than one."""
    official = {"volumev3": "block-storage", "block-store": "block-storage"}.get(kind, kind)
    return anatomy.of_catalog(official)


def _judge_certificate(
    state: CloudState, anatomy: Anatomy, place: str, until: datetime
) -> Iterator[Finding]:
    days = (until - state.read_at).days
    if days >= EXPIRES_SOON_DAYS:
        return
    symptom = symptoms.CERTIFICATE_EXPIRES if days >= 0 else symptoms.CERTIFICATE_EXPIRED
    for name in _behind(state, anatomy, place):
        yield symptom.found(name, None, place=place, days=days, until=in_utc(until))


def _behind(state: CloudState, anatomy: Anatomy, place: str) -> list[str]:
    """Return what is reached at a host and port, by the names of the components."""
    names = [
        component.name if component else endpoint.kind
        for endpoint in (state.catalog.endpoints if state.catalog else ())
        if _place(endpoint.url) == place
        for component in [of_kind(anatomy, endpoint.kind)]
    ]
    return list(dict.fromkeys(names))


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 443}"


def _says(failed: Failed) -> str:
    said = " ".join(failed.says.split())[:300]
    request = f" ({failed.request_id})" if failed.request_id else ""
    return f'"{said}"{request}'


_HOW = {
    Failure.NO_ANSWER: Kept.DEADLINE,
    Failure.REFUSED: Kept.RIGHTS,
    Failure.ERROR: Kept.SPARED,  # that is a finding
    Failure.NOT_UNDERSTOOD: Kept.SPARED,  # that too
    Failure.TOO_OLD: Kept.NO_QUESTION,  # our limit, not its fault
    Failure.NOT_ASKED: Kept.DEADLINE,
    Failure.UNUSABLE: Kept.SPARED,  # that is a finding, on the login
}


def gaps_of_doors(
    state: CloudState, anatomy: Anatomy, running: Collection[str] = ()
) -> Iterator[Gap]:
    """Name what the APIs did not report."""
    for component in unasked(state, anatomy, running):
        yield Gap(
            kind=Kept.SPARED,
            component=component.name,
            where=component.name,
            what="everything that its API would show",
            why="it has no endpoint for us",
        )
    if isinstance(state.login, Failed):
        is_asked = state.login.how is not Failure.NOT_ASKED
        yield Gap(
            kind=Kept.SPARED if is_asked else Kept.DEADLINE,
            component=_KEYSTONE,
            where="the APIs",
            what="everything that the APIs would show",
            why="there is no login" if is_asked else state.login.says,
        )
    for name, answer in state.probes.items():
        if isinstance(answer, Failed) and _is_limit(answer):
            yield _gap_of(name, f"the {anatomy[name].probe.shows}", answer)
    for name, failed in state.heartbeats_unread.items():
        gap = _gap_of(name, f"the heartbeats of {anatomy[name].service}", failed)
        # That it was asked and has not answered is a finding.
        silent = failed.how is Failure.NO_ANSWER
        yield replace(gap, kind=Kept.SPARED, why="its API did not answer") if silent else gap
    if state.on_source_unread and _is_limit(state.on_source_unread):
        what = "which servers live on the source of their own evacuation"
        yield _gap_of(_NOVA_API, what, state.on_source_unread)
    for name, failed in _not_reached(state, anatomy):
        yield _gap_of(name, "whether its endpoints answer", failed)
    for place, until in state.certificates.items():
        if isinstance(until, Failed):
            names = _behind(state, anatomy, place)
            yield _gap_of(names[0] if names else _KEYSTONE, f"the certificate of {place}", until)


def _not_reached(state: CloudState, anatomy: Anatomy) -> Iterator[tuple[str, Failed]]:
    """Return the endpoints that no time was left for, by the names of the components."""
    for endpoint in state.catalog.endpoints if state.catalog else ():
        one = state.reached.get(endpoint.url)
        if isinstance(one, Failed) and one.how is Failure.NOT_ASKED:
            component = of_kind(anatomy, endpoint.kind)
            yield component.name if component else endpoint.kind, one


def _is_limit(failed: Failed) -> bool:
    """Say whether it is our own limit, and no fault of the API."""
    if failed.how is Failure.REFUSED:
        return failed.status != _UNAUTHORIZED
    return failed.how in {Failure.TOO_OLD, Failure.NOT_ASKED}


def _gap_of(name: str, what: str, failed: Failed) -> Gap:
    kind = _HOW[failed.how]
    why = {
        Failure.REFUSED: f"this login may not ask for it: {_says(failed)}",
        Failure.TOO_OLD: f"it is older than Stackward knows: {failed.says}",
    }.get(failed.how, failed.says)
    cure = ADMIN if kind is Kept.RIGHTS else ""
    return Gap(kind=kind, component=name, where=name, what=what, why=why, cure=cure)
