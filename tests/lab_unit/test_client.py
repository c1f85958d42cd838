"""What the lab's cloud says in the SDK's words is said in ours, and nothing else is changed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from keystoneauth1.exceptions import ConnectFailure, ServiceUnavailable
from openstack.exceptions import BadRequestException, SDKException

from stackward.errors import ExitCode, StackwardError, StepFailed, Unreachable
from stackward.lab.client import Translated


class Compute:
    """Nova in the SDK, failing with `error`."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.version = error, "2.95"

    def get_server(self, server_id: str, *, brief: bool = False) -> tuple[str, bool]:
        if self.error:
            raise self.error
        return server_id, brief

    def servers(self) -> Iterator[str]:
        yield "load-1"
        if self.error:
            raise self.error


class Connection:
    """A connection that finds Nova, or cannot log in."""

    def __init__(self, compute: Compute, login: Exception | None = None) -> None:
        self._compute, self.login = compute, login

    @property
    def compute(self) -> Compute:
        if self.login:
            raise self.login
        return self._compute


def a_cloud(error: Exception | None = None, login: Exception | None = None) -> Any:  # noqa: ANN401  # as the real
    return Translated(Connection(Compute(error), login), "the cloud")


REFUSED = BadRequestException("400: Client Error", details="no such flavor", http_status=400)


def test_what_goes_well_is_as_the_sdk_has_it() -> None:
    cloud = a_cloud()

    assert cloud.compute.get_server("an-id", brief=True) == ("an-id", True)
    assert list(cloud.compute.servers()) == ["load-1"]
    assert cloud.compute.version == "2.95"


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda cloud: cloud.compute.get_server("an-id"), id="at once"),
        pytest.param(lambda cloud: list(cloud.compute.servers()), id="in the middle of a list"),
    ],
)
@pytest.mark.parametrize(
    ("error", "kind", "says", "exit_code"),
    [
        (REFUSED, StepFailed, "no such flavor", ExitCode.STOPPED),
        (SDKException("too much"), StepFailed, "too much", ExitCode.STOPPED),
        (ConnectFailure("refused"), Unreachable, "refused", ExitCode.UNSEEN),
    ],
    ids=["refused by Nova", "the SDK's own", "no answer"],
)
def test_an_error_of_the_sdk_is_said_in_our_words(
    ask: Callable[[Any], object],
    error: Exception,
    kind: type[StackwardError],
    says: str,
    exit_code: ExitCode,
) -> None:
    with pytest.raises(kind) as failed:
        ask(a_cloud(error))

    assert (failed.value.says, failed.value.exit_code) == (says, exit_code)
    assert "Nova" in failed.value.message
    assert failed.value.hint is not None


def test_a_login_that_is_refused_is_said_in_our_words_too() -> None:
    with pytest.raises(StepFailed) as failed:
        a_cloud(login=ServiceUnavailable("try later")).compute.get_server("an-id")

    assert failed.value.message == "`compute` was asked of the cloud and not done"


def test_an_error_that_is_not_the_clouds_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        a_cloud(ZeroDivisionError()).compute.get_server("an-id")
