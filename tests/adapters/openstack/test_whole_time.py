"""Whatever an API does, a question to it ends with its time."""

import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import openstack  # noqa: TID251  # what is asked through
import pytest
from keystoneauth1.identity.generic import Password
from keystoneauth1.session import Session

import hanging
from late import late_s
from stackward.adapters.openstack.apis import OpenStackApis
from stackward.adapters.openstack.redirects import stay_on_host
from stackward.adapters.openstack.whole_time import MOST_BYTES, connected, keep_to_it, whole_time
from stackward.model.cloud_state import Failed, Failure

WITHIN_S = 0.5


def apis_at(url: str) -> OpenStackApis:
    auth = Password(
        auth_url=f"{url}/v3",
        username="admin",
        password="hush-hush-1",  # noqa: S106  # nobody's
        project_name="admin",
        user_domain_id="default",
        project_domain_id="default",
    )
    connection = openstack.connection.Connection(session=Session(auth=auth), region_name="R")
    stay_on_host(connection.session)
    keep_to_it(connection.session)
    return OpenStackApis(lambda: connection)


def of(behaves: Callable[[socket.socket], None]) -> Callable[[], AbstractContextManager[int]]:
    return lambda: hanging.server(behaves)


WAYS = {name: of(behaves) for name, behaves in hanging.HANGS.items()}
WAYS["is not connected to"] = hanging.full


@pytest.mark.parametrize("serve", WAYS.values(), ids=WAYS)
def test_a_login_ends_with_its_time(serve: Callable[[], AbstractContextManager[int]]) -> None:
    """With all of it: finding its versions, and redirections."""
    with serve() as port:
        apis, began = apis_at(f"http://127.0.0.1:{port}"), time.monotonic()

        answer, catalog = apis.log_in(within_s=WITHIN_S)

    assert time.monotonic() - began < WITHIN_S + late_s()
    assert catalog is None
    assert isinstance(answer, Failed)
    assert (answer.how, answer.is_late) == (Failure.NO_ANSWER, True), answer


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("serve", WAYS.values(), ids=WAYS)
def test_any_question_ends_with_its_time(
    serve: Callable[[], AbstractContextManager[int]], scheme: str
) -> None:
    with serve() as port:
        apis, began = apis_at(f"{scheme}://127.0.0.1:{port}"), time.monotonic()

        answer = apis.reach(f"{scheme}://127.0.0.1:{port}/", within_s=WITHIN_S)

    # What is sent to it is no TLS: that is told at once.
    assert not isinstance(answer, Failed) or answer.is_late or scheme == "https", answer
    assert time.monotonic() - began < WITHIN_S + late_s()


def test_a_certificate_that_is_not_shown_is_not_waited_for() -> None:
    with hanging.server(hanging.never_answers) as port:
        began = time.monotonic()

        answer = apis_at("http://127.0.0.1").expiry("127.0.0.1", port, within_s=WITHIN_S)

    assert isinstance(answer, Failed)
    assert time.monotonic() - began < WITHIN_S + late_s()


def test_an_answer_without_end_is_left() -> None:
    with hanging.server(hanging.without_end) as port:
        answer = apis_at(url := f"http://127.0.0.1:{port}").reach(url, within_s=60)

    assert isinstance(answer, Failed)
    assert answer.says == f"it answers without end: it was left after {MOST_BYTES >> 20} MiB"


def test_a_host_with_an_address_that_does_not_answer_is_reached_at_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each address has its part of the time, and all of them no more than the whole."""
    with hanging.full() as deaf, hanging.server(hanging.never_answers) as port:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", each))
            for each in (deaf, port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

        with whole_time(WITHIN_S), connected("api.example", 443) as reached:
            assert reached.getpeername()[1] == port


def test_the_time_is_that_of_the_innermost_question() -> None:
    with hanging.full() as deaf, whole_time(60):
        began = time.monotonic()
        with pytest.raises(TimeoutError), whole_time(WITHIN_S):
            connected("127.0.0.1", deaf)

    assert time.monotonic() - began < WITHIN_S + late_s()
