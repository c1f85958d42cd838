"""OpenStack's APIs as the port `Apis`: each question once, no retries, no discovery.

The anatomy says what to ask; the catalog, which a fresh login brings, says where. A list is read to
its end. An answer that cannot be read is `Failed`, a value. A file that the settings name and that
cannot be read is bad input.
"""

import errno
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from cryptography.x509 import load_der_x509_certificate
from keystoneauth1 import exceptions as keystone
from keystoneauth1.identity.base import BaseIdentityPlugin
from requests import RequestException, Response, Timeout

from stackward.adapters.openstack.answers import (
    Json,
    body_of,
    checked,
    one_thing,
    parsed,
    request_id_of,
    text,
    understood,
    words_of,
)
from stackward.adapters.openstack.files import UnusableSettings
from stackward.adapters.openstack.http import unusable_file
from stackward.adapters.openstack.lists import Query, read_list
from stackward.adapters.openstack.nova_answers import (
    once,
    to_hypervisor,
    to_migration,
    to_uptime,
)
from stackward.adapters.openstack.redirects import Elsewhere
from stackward.adapters.openstack.regions import (
    interface_of,
    interfaces_of,
    region_at,
    region_of,
)
from stackward.adapters.openstack.versions import NOT_ACCEPTABLE, newest_of, older
from stackward.adapters.openstack.which_cloud import identity_in
from stackward.adapters.openstack.whole_time import certificate_of, whole_time
from stackward.answers import ODD, one_of, text_or_none
from stackward.errors import NotUnderstood, StackwardError
from stackward.model.cloud_state import (
    Answered,
    Catalog,
    Endpoint,
    Failed,
    Failure,
    Heartbeat,
    LivesOnSource,
    Rpc,
    RpcAnswer,
)
from stackward.model.evacuation import EVACUATION, OPEN
from stackward.model.hypervisor import Hypervisor
from stackward.model.server import IN_DOWN_CELL
from stackward.wording import count_of

if TYPE_CHECKING:
    from openstack.connection import Connection

    from stackward.model.migration import Migration

Parsed = TypeVar("Parsed")

NOVA_SERVICES = "2.69"  # the first that shows what is in a cell that is down
NOVA_HYPERVISORS = "2.53"  # the first whose ids are those of placement
NOVA_MIGRATIONS = "2.59"  # the first that lists them page by page
NOVA_UPTIME = "2.88"  # the first at which `uptime` is an RPC call to that nova-compute
NOVA_UPTIME_BEFORE = "2.87"  # the last that has it at a path of its own
# From 3.49 on, cinder-api calls a scheduler over RPC for it, for the state of the backends.
CINDER_SERVICES = "3.48"

_PATHS = {
    "compute": ("/v2.1/os-services", NOVA_SERVICES, "services"),
    "block-storage": ("/v3/os-services", CINDER_SERVICES, "services"),
    "network": ("/v2.0/agents", None, "agents"),
}
_OUR_LIMITS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}  # nothing was sent
_LEAST_S = 0.001  # `requests` takes no time of nothing
_NO_SERVICE_LIST = _NOT_FOUND = 404
_BAD_REQUEST = 400
_BAD_GATEWAY = 502
# A 501 is Nova's word that a driver knows no uptime.
_NO_SUCH_CALL = {_BAD_REQUEST, _NOT_FOUND, 405, 410, 501}
_CLIENT_ERROR = 400
_SERVER_ERROR = 500
_UNAUTHORIZED = 401
_REFUSALS = {_UNAUTHORIZED, 403}
_VERSION_TYPE = {"block-storage": "volume"}


class OpenStackApis:
    """The APIs of one cloud; the login comes first."""

    def __init__(self, find: "Callable[[], Connection]") -> None:
        self._find = find
        self._auth: BaseIdentityPlugin | None = None  # of the latest login
        self._tokens: dict[str, BaseIdentityPlugin] = {}  # by the type of their one service
        self._newest: dict[str, tuple[int, int]] = {}  # version of a service, by its URL
        self._one_by_one = threading.Lock()

    @cached_property
    def _connection(self) -> "Connection":
        return self._find()

    def load(self) -> None:
        """Load the SDK and its settings, so that no question spends its time on that."""
        # The login reports what is wrong with the settings.
        with suppress(UnusableSettings):
            _ = self._connection.session.auth

    @property
    def login_url(self) -> str:
        """Return where a token is asked for; empty where that is not known."""
        try:
            return str(self._connection.config.get_auth_args().get("auth_url") or "")
        except UnusableSettings:
            return ""

    def log_in(self, *, within_s: float) -> tuple[Answered | Failed, Catalog | None]:
        """Ask for a fresh token, and for the catalog with it.

        Raises BadInput where it is not known which cloud is meant.
        """
        try:
            session = self._connection.session
        except UnusableSettings as error:
            return Failed(how=Failure.UNUSABLE, says=error.says or error.message), None
        session.timeout = within_s  # a login has no other way to get its limit
        began = time.monotonic()
        if not isinstance(session.auth, BaseIdentityPlugin):
            return Failed(how=Failure.REFUSED, says="the login is not one of Keystone's"), None
        config, access = self._connection.config, None
        self._auth, self._tokens = _fresh(session.auth), {}
        try:
            with _sorted_files(), whole_time(within_s):
                access = self._auth.get_access(session)
            with understood("Keystone", "POST /auth/tokens", ()):
                given = access.service_catalog.catalog
                novas = region_of(given, config.get_region_name("compute"))
                catalog = Catalog(
                    endpoints=tuple(_endpoints(given)),
                    region=region_of(given, config.get_region_name()),
                    interfaces=interfaces_of(config.get_interface()),
                    cloud=identity_in(given, novas, self.login_url).id,
                )
                checked(catalog)
        except (keystone.ClientException, Elsewhere) as error:
            return _failed_login(error), None
        except NotUnderstood as error:
            return _not_understood(error), None
        except Exception as error:
            if type(error) is not Exception:
                raise
            # keystoneauth has no class of its own for a password that is missing.
            return Failed(how=Failure.UNUSABLE, says=str(error)), None
        return Answered(took_s=time.monotonic() - began), catalog

    def ask(
        self, endpoint: Endpoint, path: str, *, version: str | None, within_s: float
    ) -> Answered | Failed:
        """Ask for a list, as a user would."""
        ends = time.monotonic() + within_s
        if isinstance(known := self._token_of(endpoint, within_s), Failed):
            return known
        began = time.monotonic()
        within_s = max(0.0, ends - began)
        method = "GET" if path else "HEAD"
        answer = self._send(method, endpoint, path, version=version, within_s=within_s)
        if isinstance(answer, Failed):
            return answer
        if path:
            try:
                with understood(endpoint.kind, f"GET {path}", [answer]):
                    body_of(answer)
            except NotUnderstood as error:
                return _not_understood(error)
        return Answered(took_s=time.monotonic() - began)

    def reach(self, url: str, *, within_s: float) -> Answered | Failed:
        """Ask for anything, without a token."""
        began = time.monotonic()
        answer = self._request("GET", url, {}, within_s=within_s)
        if isinstance(answer, Failed):
            return answer
        if answer.status_code >= _SERVER_ERROR:
            return _failed(answer)
        return Answered(took_s=time.monotonic() - began)

    def expiry(self, host: str, port: int, *, within_s: float) -> datetime | Failed:
        """Return until when a certificate is valid; `reach` finds out whether it is trusted."""
        try:
            with whole_time(within_s):
                shown = certificate_of(host, port)
        except OSError as error:
            return _no_answer(error)
        if not shown:
            return Failed(how=Failure.ERROR, says="it shows no certificate")
        return load_der_x509_certificate(shown).not_valid_after_utc

    def heartbeats(
        self, endpoint: Endpoint, kind: str, *, within_s: float
    ) -> Sequence[Heartbeat] | Failed:
        """Return the processes that report to an API."""
        path, version, name = _PATHS[kind]
        parse = _agent if kind == "network" else _service
        found = self._list(endpoint, path, name, parse, version=version, within_s=within_s)
        if isinstance(found, Failed):
            # Neutron without agents has no such list.
            return () if found.status == _NO_SERVICE_LIST and kind == "network" else found
        return once(found)

    def hypervisors(self, endpoint: Endpoint, *, within_s: float) -> Sequence[Hypervisor] | Failed:
        """Return all hypervisors."""
        return self._list(
            endpoint,
            "/v2.1/os-hypervisors/detail",
            "hypervisors",
            lambda one, _now: to_hypervisor(one),
            version=NOVA_HYPERVISORS,
            within_s=within_s,
        )

    def on_source(self, endpoint: Endpoint, *, within_s: float) -> Sequence[LivesOnSource] | Failed:
        """Return the servers that live on the source of their own open evacuation.

        A node that died and was evacuated has none: one list of servers for each such node.
        """
        until = time.monotonic() + within_s
        records: list[Migration] = []
        for status in OPEN:
            found = self._list(
                endpoint,
                "/v2.1/os-migrations",
                "migrations",
                lambda one, _now: to_migration(one),
                version=NOVA_MIGRATIONS,
                within_s=max(until - time.monotonic(), _LEAST_S),
                query=[("migration_type", EVACUATION), ("status", status)],
            )
            if isinstance(found, Failed):
                return found
            records += found
        lives: list[LivesOnSource] = []
        for host in dict.fromkeys(one.source for one in records):
            named = self._list(
                endpoint,
                "/v2.1/servers/detail",
                "servers",
                lambda one, _now: (str(one["id"]), str(one["name"])),
                version=NOVA_MIGRATIONS,
                within_s=max(until - time.monotonic(), _LEAST_S),
                query=[("all_tenants", "true"), ("host", host)],
            )
            if isinstance(named, Failed):
                return named
            here = dict(named)
            lives += [
                LivesOnSource(
                    server=one.server,
                    name=here[one.server],
                    host=host,
                    record=one.id,
                    status=one.status,
                )
                for one in records
                if one.source == host and one.server in here
            ]
        return tuple(lives)

    def uptime(self, endpoint: Endpoint, hypervisor: str, *, within_s: float) -> RpcAnswer:
        """Have Nova ask that nova-compute for its uptime, over RPC."""
        path, began = f"/v2.1/os-hypervisors/{quote(hypervisor, safe='')}", time.monotonic()
        answer: Response | Failed = self._send(
            "GET", endpoint, path, version=NOVA_UPTIME, within_s=within_s, exact=True
        )
        if isinstance(answer, Failed) and answer.how is Failure.TOO_OLD:
            answer = self._send(
                "GET",
                endpoint,
                f"{path}/uptime",
                version=NOVA_UPTIME_BEFORE,
                within_s=within_s,
            )
        took = time.monotonic() - began
        if isinstance(answer, Failed):
            return _uncalled(answer, took)
        try:
            with understood("Nova", f"GET {path}", [answer]):
                says = to_uptime(one_thing(body_of(answer)))
        except NotUnderstood as error:
            return _uncalled(_not_understood(error), took)
        return RpcAnswer(outcome=Rpc.ANSWERED if says else Rpc.EMPTY, took_s=took)

    def call(self, endpoint: Endpoint, path: str, *, answer: str, within_s: float) -> RpcAnswer:
        """Ask for what an API itself must ask of a process over RPC."""
        began = time.monotonic()
        came = self._send("GET", endpoint, path, version=None, within_s=within_s)
        took = time.monotonic() - began
        if isinstance(came, Failed):
            return _uncalled(came, took)
        try:
            with understood(endpoint.kind, f"GET {path}", [came]):
                down = _backends_down(one_thing(body_of(came))[answer])
        except NotUnderstood as error:
            return _uncalled(_not_understood(error), took)
        return RpcAnswer(outcome=Rpc.ANSWERED, took_s=took, down=down)

    def _list(  # noqa: PLR0913  # what a list has
        self,
        endpoint: Endpoint,
        path: str,
        name: str,
        parse: Callable[[Json, datetime], Parsed],
        *,
        version: str | None,
        within_s: float,
        query: Query = (),
    ) -> tuple[Parsed, ...] | Failed:
        """Read a list to its end, all its pages within one time."""
        until = time.monotonic() + within_s
        pages: list[Response] = []

        def fetch(place: Query) -> Json:
            left = until - time.monotonic()
            if left <= 0:
                says = f"no answer within {within_s:g} s, after {count_of(len(pages), 'page')}"
                raise _Unanswered(Failed(how=Failure.NO_ANSWER, says=says, is_late=True))
            words = f"?{urlencode(place)}" if place else ""
            answer = self._send("GET", endpoint, path + words, version=version, within_s=left)
            if isinstance(answer, Failed):
                # A list of which a part is missing is no list: only a first page may be missing.
                raise _Unanswered(replace(answer, status=None) if pages else answer)
            pages.append(answer)
            return body_of(answer)

        try:
            with understood(endpoint.kind, f"GET {path}", pages):
                found, now = read_list(fetch, name, query), _now_at(pages[-1])
                return tuple(parsed(lambda one: parse(one, now), one) for one in found)
        except _Unanswered as error:
            return error.failed
        except NotUnderstood as error:
            return _not_understood(error)

    def _token_of(self, endpoint: Endpoint, within_s: float) -> "BaseIdentityPlugin | Failed":
        """Return a token that no other service has seen.

        Services with one memcached know of each other which tokens are good (keystonemiddleware):
        one that cannot ask Keystone itself is not found by a token that another has asked about.
        """
        session = self._connection.session
        with self._one_by_one:
            if endpoint.kind not in self._tokens and self._auth:
                self._tokens[endpoint.kind] = _fresh(self._auth)
            found = self._tokens[endpoint.kind]
        try:
            with _sorted_files(), whole_time(within_s):
                found.get_access(session)
        except (keystone.ClientException, Elsewhere) as error:
            return _failed_login(error)
        return found

    def _send(  # noqa: PLR0913  # what a request has
        self,
        method: str,
        endpoint: Endpoint,
        path: str,
        *,
        version: str | None,
        within_s: float,
        exact: bool = False,
    ) -> Response | Failed:
        """Send a request; one that is refused for its version is sent at the newest that there is.

        With `exact` it is not: the answer has another form there.
        """
        ends = time.monotonic() + within_s
        auth = self._token_of(endpoint, within_s)
        if isinstance(auth, Failed):
            return auth
        url, newest = join(endpoint.url, path), self._newest.get(endpoint.url)
        if newest and version and exact and older(version, newest) != version:
            return Failed(
                how=Failure.TOO_OLD, says=f"its newest version is {newest[0]}.{newest[1]}"
            )
        while True:
            asked_at = older(version, newest) if version and newest else version
            headers = _headers(endpoint, asked_at)
            left_s = max(0.0, ends - time.monotonic())
            answer = self._request(method, url, headers, auth, within_s=left_s)
            if not isinstance(answer, Response):
                return answer
            if answer.status_code == NOT_ACCEPTABLE:
                known, newest = newest, newest_of(answer)
                if newest is not None and newest != known:
                    self._newest[endpoint.url] = newest
                    if not exact:
                        continue
                return replace(_failed(answer), how=Failure.TOO_OLD)
            return _failed(answer) if answer.status_code >= _CLIENT_ERROR else answer

    def _request(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        auth: BaseIdentityPlugin | None = None,
        *,
        within_s: float,
    ) -> Response | Failed:
        try:
            with whole_time(within_s):
                answer = self._connection.session.request(
                    url,
                    method,
                    headers=headers,
                    auth=auth,
                    authenticated=auth is not None,
                    redirect=False,
                    raise_exc=False,
                    allow_reauth=False,  # a token that is refused is what is looked for
                    timeout=max(within_s, _LEAST_S),
                )
        except Elsewhere as error:
            # Without a token it is an answer like others: it is not followed.
            return error.answer if auth is None else _failed_login(error)
        except (keystone.ClientException, RequestException) as error:
            return _no_answer(error)
        except OSError as error:
            if error.errno in _OUR_LIMITS:
                return _no_answer(error)
            raise unusable_file(error) from error
        if not isinstance(answer, Response):  # the SDK's own annotation is wider
            raise TypeError
        return answer


def _fresh(auth: BaseIdentityPlugin) -> BaseIdentityPlugin:
    """Return a login of its own, which waits for no other: also not for one that hangs."""
    own = copy(auth)
    own._lock = threading.Lock()  # noqa: SLF001  # a copy would share it
    own.invalidate()
    return own


def join(base: str, path: str) -> str:
    """Add a path to an endpoint, whose own path may have the version already."""
    parts = urlsplit(base)
    there = parts.path.rstrip("/")
    version, _, rest = path.lstrip("/").partition("/")
    if path and version in there.split("/"):
        path = f"/{rest}"
    where, _, query = path.partition("?")
    return urlunsplit((parts.scheme, parts.netloc, there + where, query, ""))


def shortly(error: BaseException) -> str:
    """Return the innermost words of an error of the transport: the others only wrap them."""
    said = [str(one) for one in _wrapped(error)]
    innermost = next(filter(None, reversed(said)), "")
    return innermost.rpartition(">: ")[2] or innermost


def _wrapped(error: BaseException) -> Iterator[BaseException]:
    """Return an error of the transport and what it wraps, the innermost last."""
    yield error
    for _ in range(10):
        inner = error.__cause__ or error.__context__ or getattr(error, "reason", None)
        arguments = [one for one in error.args if isinstance(one, BaseException)]
        deeper = inner if isinstance(inner, BaseException) else next(iter(arguments), None)
        if deeper is None:
            break
        error = deeper
        yield error


def _no_answer(error: BaseException) -> Failed:
    """Say that no answer came: no connection, or its time was over."""
    if any(getattr(one, "errno", None) in _OUR_LIMITS for one in _wrapped(error)):
        return Failed(how=Failure.NOT_ASKED, says=f"this machine: {shortly(error)}")
    late = (TimeoutError, Timeout, keystone.ConnectTimeout)
    is_late = any(isinstance(one, late) for one in _wrapped(error))
    return Failed(how=Failure.NO_ANSWER, says=shortly(error), is_late=is_late)


def _type(kind: str) -> str:
    return {"volumev3": "block-storage", "block-store": "block-storage"}.get(kind, kind)


def _endpoints(catalog: Sequence[Json]) -> Sequence[Endpoint]:
    return [
        Endpoint(
            kind=service["type"],
            region=region_at(one),
            interface=interface_of(one["interface"]),
            url=one["url"],
        )
        for service in catalog
        for one in service.get("endpoints") or ()
    ]


def _service(given: Json, now: datetime) -> Heartbeat:
    """Read an element of Nova's or Cinder's `GET /os-services`."""
    host = text(given["host"])
    if given["status"] == IN_DOWN_CELL:
        return Heartbeat(binary=given["binary"], host=host, name=host, is_up=False, is_known=False)
    return Heartbeat(
        binary=given["binary"],
        host=host.partition("@")[0],
        name=host,
        is_up=one_of(given["state"], "up", "down") == "up",
        is_enabled=one_of(given["status"], "enabled", "disabled") == "enabled",
        age_s=_age(given.get("updated_at"), now),
        reason=given.get("disabled_reason"),
        is_forced_down=bool(given.get("forced_down")),
        cluster=text_or_none(given.get("cluster")),
    )


def _agent(given: Json, now: datetime) -> Heartbeat:
    """Read an element of Neutron's `GET /agents`."""
    return Heartbeat(
        binary=given["binary"],
        host=given["host"],
        name=given["host"],
        is_up=given["alive"],
        is_enabled=given["admin_state_up"],
        age_s=_age(given.get("heartbeat_timestamp"), now),
    )


def _age(given: str | None, now: datetime) -> float | None:
    """Return the age of a heartbeat; if it is below 0, a clock is wrong, and that must be seen."""
    if not given:
        return None
    at = datetime.fromisoformat(given.replace(" ", "T"))
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (now - at).total_seconds()


def _now_at(answer: Response) -> datetime:
    """Return the time by the clock of the API, where its server gives it: uWSGI does not."""
    try:
        now = parsedate_to_datetime(answer.headers["Date"])
    except (LookupError, TypeError, ValueError):
        return datetime.now(UTC)
    return now if now.tzinfo else now.replace(tzinfo=UTC)


class _Unanswered(Exception):
    """A page of a list did not come."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.says)
        self.failed = failed


@contextmanager
def _sorted_files() -> Iterator[None]:
    """Say which file of the settings cannot be read, and sort what makes no sense to the SDK."""
    try:
        yield
    except (keystone.ClientException, StackwardError):
        raise
    except (*ODD, RequestException) as error:
        raise NotUnderstood(
            "Keystone answers a login in a form that OpenStack's own client does not understand",
            details=[f"{type(error).__name__}: {error}"],
            service="openstacksdk",
        ) from error
    except OSError as error:
        raise unusable_file(error) from error


def _headers(endpoint: Endpoint, version: str | None) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    if version:
        kind = _VERSION_TYPE.get(_type(endpoint.kind), _type(endpoint.kind))
        headers["OpenStack-API-Version"] = f"{kind} {version}"
    return headers


def _backends_down(pools: object) -> tuple[str, ...]:
    """Return the backends that their own drivers call down; other answers have no pools."""
    names = [
        text(one["name"]).partition("#")[0]
        for one in (pools if isinstance(pools, list) else ())
        if one.get("capabilities", {}).get("backend_state") == "down"
    ]
    return tuple(dict.fromkeys(names))


def _uncalled(failed: Failed, took_s: float) -> RpcAnswer:
    """Return what follows when an API gave no answer about a call over RPC."""
    says = f"{failed.status} {failed.says}" if failed.status else failed.says
    outcome = Rpc.NOT_ASKED if failed.how is Failure.NOT_ASKED else _outcome_of(failed)
    return RpcAnswer(outcome=outcome, took_s=took_s, why=says.strip(), status=failed.status)


def _outcome_of(failed: Failed) -> Rpc:
    """Return what it means for the called service: it has no fault in what its API cannot do."""
    match failed.how:
        case Failure.NO_ANSWER:  # a door that is shut says so at once
            return Rpc.SILENT if failed.is_late else Rpc.FAILED
        # A token that is not accepted is no missing right.
        case Failure.REFUSED if failed.status != _UNAUTHORIZED:
            return Rpc.FORBIDDEN
        case Failure.NOT_UNDERSTOOD:
            return Rpc.ODD
        case Failure.ERROR if _has_timed_out_there(failed):
            return Rpc.EMPTY
        case how if how is Failure.TOO_OLD or failed.status in _NO_SUCH_CALL:
            return Rpc.NO_SUCH_CALL
        case _:
            return Rpc.FAILED


def _has_timed_out_there(failed: Failed) -> bool:
    """Say whether an API made a call itself and got no answer.

    Cinder says so by a 502, and a proxy's has no request id. Nova names what it did not expect, or
    says by a 400 that the nova-compute is down.
    """
    is_cinders = failed.status == _BAD_GATEWAY and bool(failed.request_id)
    is_novas = failed.status == _BAD_REQUEST and "unavailable" in failed.says
    return is_cinders or is_novas or "MessagingTimeout" in failed.says


def _not_understood(error: NotUnderstood) -> Failed:
    return Failed(
        how=Failure.NOT_UNDERSTOOD,
        says="; ".join(error.details),
        request_id=error.request_id,
    )


def _failed(answer: Response) -> Failed:
    refused = answer.status_code in _REFUSALS
    return Failed(
        how=Failure.REFUSED if refused else Failure.ERROR,
        status=answer.status_code,
        says=words_of(answer),
        request_id=request_id_of(answer),
    )


def _failed_login(error: keystone.ClientException | Elsewhere) -> Failed:
    if isinstance(error, Elsewhere):
        return Failed(
            how=Failure.ERROR,
            status=error.answer.status_code,
            says=f"{error.message}; {error.hint}",
        )
    status = getattr(error, "http_status", None)
    if isinstance(error, keystone.ConnectFailure | keystone.ConnectTimeout):
        return _no_answer(error)
    how = Failure.REFUSED if status in _REFUSALS else Failure.ERROR
    return Failed(
        how=how,
        status=status if isinstance(status, int) else None,
        says=str(error),
        request_id=getattr(error, "request_id", None),
    )
