"""Exit codes and what each kind of error promises."""

import pytest

from stackward import errors
from stackward.errors import ExitCode, StackwardError


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        pytest.param(errors.StackwardError, 1, id="failed"),
        pytest.param(errors.BadInput, 2, id="bad input: usage"),
        pytest.param(errors.Refused, 3, id="refused: blocked"),
        pytest.param(errors.StalePlan, 3, id="stale plan: blocked"),
        pytest.param(errors.Locked, 3, id="locked: blocked"),
        pytest.param(errors.PartlySeen, 6, id="partly seen: some could not be looked at"),
        pytest.param(errors.StepFailed, 4, id="step failed: stopped midway"),
        pytest.param(errors.Uncertain, 5, id="uncertain: unverified"),
        pytest.param(errors.Unreachable, 8, id="unreachable: could not look"),
    ],
)
def test_each_kind_of_error_has_its_exit_code(kind: type[StackwardError], code: int) -> None:
    assert kind("x").exit_code == code


@pytest.mark.parametrize("code", list(ExitCode), ids=lambda code: code.name)
def test_every_exit_code_says_what_it_means(code: ExitCode) -> None:
    assert code.meaning


def test_a_refusal_says_that_nothing_was_changed() -> None:
    assert errors.Refused("x").stands == "nothing was changed"
    assert errors.Refused("x", stands="the lab still runs").stands == "the lab still runs"


def test_an_error_of_another_kind_keeps_who_said_what_and_the_way_on() -> None:
    first = errors.Unreachable("no", service="Nova", says="503", request_id="req-1", hint="wait")

    other = first.as_kind(errors.Uncertain, "one of two was answered", details=["the second"])

    assert isinstance(other, errors.Uncertain)
    assert (other.message, other.details) == ("one of two was answered", ("the second",))
    assert (other.service, other.says, other.request_id, other.hint) == (
        "Nova",
        "503",
        "req-1",
        "wait",
    )
