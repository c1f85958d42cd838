"""Calls to OpenStack's APIs through openstacksdk, their failures sorted by what can be done.

Every call names its microversion: an answer means the same on each cloud, or is refused. What is
read is parsed with checks: JSON leaves this module only as a value that a parse has made of it.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from keystoneauth1 import exceptions as keystone
from keystoneauth1.adapter import Adapter
from requests import Response
from requests import exceptions as transport
from urllib3 import exceptions as sockets

from stackward.adapters.openstack.answers import (
    Json,
    body_of,
    is_own,
    is_page,
    one_thing,
    parsed,
    request_id_of,
    understood,
    words_of,
)
from stackward.adapters.openstack.lists import Query, read_list
from stackward.adapters.openstack.patience import AGAIN, NOT_DONE, Patience, seconds_of
from stackward.adapters.openstack.redirects import REDIRECTS, target_of
from stackward.adapters.openstack.versions import NOT_ACCEPTABLE, Versions
from stackward.answers import ODD
from stackward.errors import (
    BadInput,
    NotInCatalog,
    NotUnderstood,
    Refused,
    StackwardError,
    StepFailed,
    Uncertain,
    Unreachable,
)
from stackward.ports.haste import confirm_order
from stackward.wording import count_of

Parsed = TypeVar("Parsed")
Opened = TypeVar("Opened")

FILES = (
    "see `cacert`, `cert` and `key` in its entry in clouds.yaml, or OS_CACERT, OS_CERT, OS_KEY and "
    "REQUESTS_CA_BUNDLE"
)
ADMINISTRATOR = "use a login that is an administrator's"
NO_SUCH_SERVICE = (
    "`openstack catalog list` shows what this login has; a login scoped to the system has no "
    "endpoint with a project's id in it: use one scoped to a project (`project_name` in "
    "clouds.yaml)"
)
_NOUNS = {
    "Keystone": "identity service",
    "Nova": "compute service",
    "placement": "placement service",
    "Neutron": "network service",
    "Cinder": "volume service",
    "Glance": "image service",
    "Masakari": "instance-HA service",
}
_NOT_FOUND = 404
_CONFLICT = 409


class Api:
    """One service's API; it is opened when it is first asked."""

    def __init__(
        self,
        find: Callable[[], Adapter],
        *,
        service: str,
        patience: Patience,
        version: str | None = None,
        oldest: str | None = None,
    ) -> None:
        self._find = find
        self._service = service
        self._patience = patience
        self._version = version
        self._versions = Versions(service, oldest)
        self._opening = threading.Lock()  # moves ask from threads of their own
        self._opened: Adapter | None = None

    # --- reading ---

    def read(
        self,
        path: str,
        parse: Callable[[Json], Parsed],
        query: Query = (),
        *,
        version: str | None = None,
    ) -> Parsed:
        """Read one thing; what is not there is an error."""
        found = self.find(path, parse, query, version=version)
        if found is None:
            raise StackwardError(f"{self._service} has no `{path}`", service=self._service)
        return found

    def find(
        self,
        path: str,
        parse: Callable[[Json], Parsed],
        query: Query = (),
        *,
        version: str | None = None,
    ) -> Parsed | None:
        """Read one thing; None where there is no such thing."""
        answer = self._get(path, query, version)
        if answer is None:
            return None
        with understood(self._service, f"GET {path}", [answer]):
            return parsed(parse, one_thing(body_of(answer)))

    def ask(
        self, path: str, body: Mapping[str, object], parse: Callable[[Json], Parsed]
    ) -> Parsed | None:
        """Read what a POST answers that changes nothing; None where there is nothing to read."""
        answer = self._send("POST", path, body=body)
        if answer.status_code in {_NOT_FOUND, _CONFLICT}:
            return None
        self._accept(answer, f"read `{path}`")
        with understood(self._service, f"POST {path}", [answer]):
            return parsed(parse, one_thing(body_of(answer)))

    def every(  # noqa: PLR0913  # what a list has
        self,
        path: str,
        name: str,
        parse: Callable[[Json], Parsed],
        query: Query = (),
        *,
        version: str | None = None,
        marker: str | None = None,
        at_most: int | None = None,
        missing_ok: Callable[[], bool] = lambda: False,
    ) -> tuple[Parsed, ...]:
        """Read a list to its end, each element parsed; see `read_list`.

        Where the service has no such list, `missing_ok` says whether that is an empty one.
        """
        pages: list[Response] = []

        def fetch(place: Query) -> Json:
            answer = self._get(path, place, version)
            if answer is None:
                if not pages and missing_ok():
                    return {name: []}
                raise Unreachable(
                    f"{self._service} has no `{path}`"
                    if not pages
                    else f"could not read `{path}` to its end: {self._service} has only its first "
                    f"{count_of(len(pages), 'page')}",
                    service=self._service,
                )
            pages.append(answer)
            return body_of(answer)

        with understood(self._service, f"GET {path}", pages):
            found = read_list(fetch, name, query, marker=marker, at_most=at_most)
            return tuple(parsed(parse, one) for one in found)

    def open(self) -> None:
        """Find the service."""
        self._adapter()

    def offers(self, version: str) -> bool:
        """Say whether the service has a microversion, as far as is known."""
        self._adapter()
        return self._versions.has(version)

    # --- changing ---

    def change(  # noqa: PLR0913  # what an order has
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        right: str = ADMINISTRATOR,
        version: str | None = None,
        at_least: str | None = None,
    ) -> str | None:
        """Ask for a change, once; return the id of the request, if the service gave it one.

        A DELETE has no body: Neutron refuses one. `right` says how a login gets what it takes.
        A service that is older than `at_least` is not asked: the order means something else there.
        """
        answer = self._send(method, path, body=body, version=version, at_least=at_least)
        told: dict[str, Any] = {"service": self._service, "request_id": request_id_of(answer)}
        if answer.status_code == _CONFLICT:
            # Nova answers so to a second request while the first is in progress.
            raise Uncertain(
                f"{self._service} is busy with `{path}` already, or it is in no state for it",
                says=words_of(answer),
                **told,
            )
        self._accept(answer, f"change `{path}`", changes=True, right=right)
        if is_page(answer):
            raise Uncertain(
                f"a page of HTML came for an order to {self._service}: it may not have got it",
                says=words_of(answer),
                **told,
            )
        return request_id_of(answer)

    # --- the way there ---

    def _adapter(self) -> Adapter:
        with self._opening:
            if self._opened is None:
                self._opened = patiently(self._patience, self._service, self._open)
            return self._opened

    def _open(self) -> Adapter:
        with sorted_failures(self._service):
            adapter = self._find()
            _ = adapter.request  # without an endpoint it is a placeholder, which says so only now
            if self._version is not None:
                # Without its list of versions the first refusal of one says which it has.
                with suppress(keystone.DiscoveryFailure):
                    found = adapter.get_endpoint_data()
                    self._versions.offers_up_to(found.max_microversion if found else None)
        return adapter

    def _get(self, path: str, query: Query, version: str | None) -> Response | None:
        answer = self._send("GET", path, query=query, version=version)
        if answer.status_code == _NOT_FOUND and is_own(answer):
            return None
        self._accept(answer, f"read `{path}`")
        return answer

    def _send(  # noqa: PLR0913  # what a request has
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: Mapping[str, object] | None = None,
        version: str | None = None,
        at_least: str | None = None,
    ) -> Response:
        """Send a request; a reading one again while the service asks for patience.

        Only the engine sends an order again: it has looked before, and knows that it still may do
        it.
        """
        adapter, is_order = self._adapter(), method != "GET"
        if is_order:
            confirm_order()
        waiting, what = self._patience.begin(), f"{method} {path}"
        while True:
            if at_least is not None and not self._versions.has(at_least):
                raise self._versions.lacks(at_least)
            asked_at = self._versions.pick(version or self._version)
            try:
                answer = self._once(adapter, method, path, query, body, asked_at)
            except Unreachable as error:
                if is_order or not _may_pass(error.__cause__):
                    raise
                if not waiting.waits(self._service, what, error.message, error.after_s):
                    raise
                continue
            if answer.status_code == NOT_ACCEPTABLE and self._versions.learns(answer):
                continue
            if is_order or answer.status_code not in AGAIN:
                return answer
            why = f"it answers {answer.status_code}"
            if not waiting.waits(self._service, what, why, answer.headers.get("Retry-After")):
                return answer

    def _once(  # noqa: PLR0913, PLR0917  # what a request has
        self,
        adapter: Adapter,
        method: str,
        path: str,
        query: Query,
        body: Mapping[str, object] | None,
        version: str | None,
    ) -> Response:
        given: dict[str, Any] = {"json": dict(body)} if body is not None else {}
        given |= {"params": list(query), "microversion": version, "raise_exc": False}
        given |= {"connect_retries": 0, "status_code_retries": 0, "redirect": False}
        with sorted_failures(self._service, changes=method != "GET"):
            answer = adapter.request(path, method, **given)
            if answer.status_code in REDIRECTS:
                # The query is in it already, and must not be sent twice.
                answer = adapter.request(target_of(answer).partition("?")[0], method, **given)
        if not isinstance(answer, Response):  # the SDK's own annotation is wider
            raise TypeError
        return answer

    def _accept(
        self, answer: Response, what: str, *, changes: bool = False, right: str = ADMINISTRATOR
    ) -> None:
        code = answer.status_code
        if 200 <= code < 300:  # noqa: PLR2004  # HTTP's own line
            return
        told: dict[str, Any] = {
            "service": self._service,
            "says": words_of(answer),
            "request_id": request_id_of(answer),
        }
        if code in {401, 403}:
            raise Refused(f"not allowed to {what}", **told, hint=right)
        if code == NOT_ACCEPTABLE:
            raise Refused(
                f"{self._service} is older or newer than Stackward knows: it does not have the "
                f"version that is asked for to {what}",
                **told,
            )
        if code in NOT_DONE:
            limited = Unreachable(
                f"could not {what}: {self._service} answers {code}, which limits the rate of calls",
                **told,
                hint="wait, then try again; the limit is set in the proxy or load balancer "
                "in front of the API",
            )
            now = self._patience.clock.now()
            limited.after_s = seconds_of(answer.headers.get("Retry-After"), now)
            raise limited
        if changes:
            # A gateway may answer for a service that goes on with the work.
            kind = Uncertain if code >= 500 else StepFailed  # noqa: PLR2004  # HTTP's own line
            raise kind(f"could not {what}: {self._service} answered {code}", **told)
        raise Unreachable(f"could not {what}: {self._service} answered {code}", **told)


def patiently(patience: Patience, service: str, ask: Callable[[], Opened]) -> Opened:
    """Ask, and again where the login or the way to a service failed for once: nothing was sent."""
    waiting = patience.begin()
    while True:
        try:
            return ask()
        except Unreachable as error:
            if not _may_pass(error.__cause__):
                raise
            if not waiting.waits(service, "on the way to it", error.message, error.after_s):
                raise


@contextmanager
def sorted_failures(service: str, *, changes: bool = False) -> Iterator[None]:
    """Sort what the SDK raises: for a call, the login before it, the versions of a service."""
    try:
        yield
    except StackwardError:
        raise
    except keystone.ConnectionError as error:
        raise _no_answer(service, error, changes=changes) from error
    except keystone.ClientException as error:
        raise _not_even_sent(service, error) from error
    except (*ODD, transport.RequestException) as error:
        if changes:
            raise _no_answer(service, error, changes=True) from error
        raise NotUnderstood(
            f"{service} answers in a form that OpenStack's own client does not understand",
            details=[f"{type(error).__name__}: {error}"],
            service="openstacksdk",
            hint="look at the proxy or load balancer in front of its API",
        ) from error
    except OSError as error:  # a file that the settings name: nothing was sent
        raise unusable_file(error) from error
    except Exception as error:  # what the SDK itself raises
        if type(error).__module__.partition(".")[0] != "openstack":
            raise
        raise _of_the_sdk(service, error) from error


def unusable_file(error: OSError) -> BadInput:
    """Return what is said of a certificate or a key that cannot be read."""
    return BadInput(
        "the settings of the cloud cannot be used: a certificate or a key cannot be read",
        service="openstacksdk",
        says=str(error),
        hint=FILES,
    )


def _of_the_sdk(service: str, error: Exception) -> StackwardError:
    if type(error).__name__ == "ServiceDisabledException":
        return NotInCatalog(
            f"the catalog has no {_NOUNS.get(service, service)}",
            service="openstacksdk",
            says=str(error),
            hint=NO_SUCH_SERVICE,
        )
    return Unreachable(f"{service} cannot be asked", service="openstacksdk", says=str(error))


def _may_pass(error: BaseException | None) -> bool:
    """Say whether a failure is worth another try: a connection, or an API that is busy."""
    if isinstance(error, keystone.HttpError):
        return error.http_status in AGAIN
    # A call that used all of its time is not asked again: the next would wait as long.
    is_late = isinstance(error, keystone.ConnectTimeout)
    return isinstance(error, keystone.ConnectionError) and not is_late


def _no_answer(service: str, error: Exception, *, changes: bool) -> StackwardError:
    says = str(error)
    if changes and not _was_refused(error):
        return Uncertain(
            f"the answer of {service} was lost: it may do what it was asked",
            service=service,
            says=says,
        )
    return Unreachable(
        f"{service} does not answer",
        details=[says],
        hint="see whether its API runs; `openstack catalog list` shows where it should be",
    )


def _not_even_sent(service: str, error: keystone.ClientException) -> StackwardError:
    says, request_id = str(error), getattr(error, "request_id", None)
    if isinstance(error, keystone.Unauthorized):
        return Refused(
            "the cloud does not accept the credentials",
            service="Keystone",
            says=says,
            request_id=request_id,
            hint="check the entry in clouds.yaml, or the OS_* variables",
        )
    if isinstance(error, keystone.EndpointNotFound):
        return NotInCatalog(
            f"the catalog has no {_NOUNS.get(service, service)}",
            service="openstacksdk",
            says=says,
            hint=NO_SUCH_SERVICE,
        )
    unasked = Unreachable(
        f"{service} cannot be asked",
        service="openstacksdk",
        says=says,
        request_id=request_id,
    )
    unasked.after_s = getattr(error, "retry_after", None) or None
    return unasked


def _was_refused(error: BaseException | None) -> bool:
    """Say whether there was no connection, so that nothing can have been sent."""
    while error is not None:
        if isinstance(error, transport.ConnectTimeout | sockets.NewConnectionError):
            return True
        inner = next((one for one in error.args if isinstance(one, BaseException)), None)
        reason = getattr(error, "reason", None)
        if isinstance(reason, BaseException):
            inner = reason
        error = inner or error.__cause__ or error.__context__
    return False
