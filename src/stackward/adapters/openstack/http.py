"""Calls to OpenStack's APIs through openstacksdk, their failures sorted by what can be done.

Every call names its microversion: an answer means the same on each cloud, or is refused.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from keystoneauth1 import exceptions as keystone
from keystoneauth1.adapter import Adapter
from requests import Response
from requests import exceptions as transport
from urllib3 import exceptions as sockets

from stackward.errors import Refused, StackwardError, StepFailed, Uncertain, Unreachable

Json = dict[str, Any]
Query = Sequence[tuple[str, str]]

ADMINISTRATOR = "use a login that is an administrator's"
_NOT_FOUND = 404
_CONFLICT = 409
_NOT_ACCEPTABLE = 406
_RETRIES = 2  # of a reading call whose connection was refused; half a second, then one


class Api:
    """One service's API."""

    def __init__(self, adapter: Adapter, *, service: str, version: str | None) -> None:
        self._adapter = adapter
        self._service = service
        self._version = version

    def get(self, path: str, query: Query = (), *, version: str | None = None) -> Json:
        """Read; what is not there is an error."""
        found = self.find(path, query, version=version)
        if found is None:
            raise StackwardError(f"{self._service} has no `{path}`", service=self._service)
        return found

    def find(self, path: str, query: Query = (), *, version: str | None = None) -> Json | None:
        """Read; None where there is no such thing."""
        answer = self._send("GET", path, query=query, version=version)
        if answer.status_code == _NOT_FOUND:
            return None
        self._accept(answer, f"read `{path}`")
        return _body(answer)

    def pages(
        self,
        path: str,
        query: Query,
        name: str,
        *,
        marker: str = "id",
        version: str | None = None,
    ) -> list[Json]:
        """Read a list to its end, page by page."""
        gathered: list[Json] = []
        while True:
            after = [("marker", str(gathered[-1][marker]))] if gathered else []
            page = self.get(path, [*query, *after], version=version)
            gathered += page[name]
            if not page[name] or not page.get(f"{name}_links"):
                return gathered

    def numbered(self, path: str, name: str, size: int) -> list[Json]:
        """Read a list to its end where pages do not say whether another follows."""
        gathered: list[Json] = []
        while True:
            after = [("marker", str(gathered[-1]["uuid"]))] if gathered else []
            page = self.get(path, [("limit", str(size)), *after])[name]
            gathered += page
            if len(page) < size:
                return gathered

    def change(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        right: str = ADMINISTRATOR,
    ) -> str | None:
        """Ask for a change, once; return the id of the request, if the service gave it one.

        A DELETE has no body: Neutron refuses one. `right` says how a login gets what it takes.
        """
        answer = self._send(method, path, body=body, changes=True)
        if answer.status_code == _CONFLICT:
            # Nova answers so to a second request while the first is under way.
            raise Uncertain(
                f"{self._service} is busy with `{path}` already, or it is in no state for it",
                service=self._service,
                says=words_of(answer),
                request_id=request_id_of(answer),
            )
        self._accept(answer, f"change `{path}`", changes=True, right=right)
        return request_id_of(answer)

    def _send(  # noqa: PLR0913  # what a request has
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: Mapping[str, object] | None = None,
        version: str | None = None,
        changes: bool = False,
    ) -> Response:
        given: dict[str, Any] = {"json": dict(body)} if body is not None else {}
        try:
            answer = self._adapter.request(
                path,
                method,
                params=list(query),
                microversion=version or self._version,
                raise_exc=False,
                connect_retries=0 if changes else _RETRIES,
                status_code_retries=0,
                **given,
            )
        except keystone.ConnectFailure as error:
            raise _no_answer(self._service, error, changes=changes) from error
        except keystone.ClientException as error:
            raise _not_even_sent(self._service, error) from error
        if not isinstance(answer, Response):  # the SDK's own annotation is wider
            raise TypeError
        return answer

    def _accept(
        self, answer: Response, what: str, *, changes: bool = False, right: str = ADMINISTRATOR
    ) -> None:
        if answer.ok:
            return
        told: dict[str, Any] = {
            "service": self._service,
            "says": words_of(answer),
            "request_id": request_id_of(answer),
        }
        code = answer.status_code
        if code in {401, 403}:
            raise Refused(f"not allowed to {what}", **told, hint=right)
        if code == _NOT_ACCEPTABLE:
            raise Refused(
                f"{self._service} is too old: it does not know version {self._version}", **told
            )
        if changes:
            # A gateway may answer for a service that goes on with the work.
            kind = Uncertain if code >= 500 else StepFailed  # noqa: PLR2004  # HTTP's own line
            raise kind(f"could not {what}: {self._service} answered {code}", **told)
        raise Unreachable(f"could not {what}: {self._service} answered {code}", **told)


@contextmanager
def sorted_failures(service: str) -> Iterator[None]:
    """Sort the failures of what the SDK asks by itself: the login, the versions of a service."""
    try:
        yield
    except keystone.ConnectFailure as error:
        raise _no_answer(service, error, changes=False) from error
    except keystone.ClientException as error:
        raise _not_even_sent(service, error) from error


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
    return Unreachable(
        f"{service} cannot be asked",
        service="openstacksdk",
        says=says,
        request_id=request_id,
    )


def _was_refused(error: BaseException | None) -> bool:
    """Say whether no connection came about, so that nothing can have been sent."""
    while error is not None:
        if isinstance(error, transport.ConnectTimeout | sockets.NewConnectionError):
            return True
        inner = next((one for one in error.args if isinstance(one, BaseException)), None)
        reason = getattr(error, "reason", None)
        if isinstance(reason, BaseException):
            inner = reason
        error = inner or error.__cause__ or error.__context__
    return False


def _body(answer: Response) -> Json:
    body = answer.json()
    return body if isinstance(body, dict) else {}


def request_id_of(answer: Response) -> str | None:
    """Return the id under which the service logs the request."""
    return answer.headers.get("x-openstack-request-id")


def words_of(answer: Response) -> str:
    """Return the service's own words: each service has its own shape for them."""
    try:
        body = answer.json()
    except ValueError:
        return (answer.text or answer.reason or "").strip()[:500]
    if isinstance(body, dict):
        if errors := body.get("errors"):  # placement
            return str(errors[0].get("detail") or errors[0].get("title") or errors[0])
        for (
            inner
        ) in body.values():  # Nova {"badRequest": {"message"}}, Neutron {"NeutronError": {}}
            if isinstance(inner, dict) and "message" in inner:
                return str(inner["message"])
        if isinstance(said := body.get("message"), str):  # what stands before a service: WebOb
            return " ".join(re.sub(r"<[^>]*>", " ", said).split())[:500]
    return str(body)[:500]
