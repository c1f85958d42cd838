"""Of what xdist tells nothing is left out that is shown, counted or waited for."""

from typing import Any

import pytest

from told import is_needed, tell_less


class Interactor:
    """What xdist tells by, in a process that runs tests."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def sendevent(self, name: str, **told: Any) -> None:  # noqa: ANN401  # of any event
        self.sent.append((name, told))


def report(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # any field
    return {"when": "setup", "duration": 0.001, "outcome": "passed", "sections": [], **changes}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"when": "call"}, id="how the test ended"),
        pytest.param({"when": "teardown"}, id="what it cost"),
        pytest.param({"outcome": "failed"}, id="what could not be made for it"),
        pytest.param({"outcome": "skipped"}, id="that it is skipped"),
        pytest.param({"duration": 0.01}, id="what took long to be made"),
        pytest.param({"sections": [("Captured log", "it")]}, id="what was written meanwhile"),
    ],
)
def test_each_report_that_is_shown_or_counted_is_told(changes: dict[str, Any]) -> None:
    assert is_needed("testreport", {"data": report(**changes)})


def test_only_the_begin_the_end_and_a_quick_setup_are_not() -> None:
    interactor = Interactor()
    tell_less(interactor)

    for name in ("logstart", "runtest_protocol_complete", "logfinish", "workerfinished"):
        interactor.sendevent(name, of="it")
    interactor.sendevent("testreport", data=report())

    assert interactor.sent == [
        ("runtest_protocol_complete", {"of": "it"}),
        ("workerfinished", {"of": "it"}),
    ]


def test_the_process_that_runs_this_tells_less(pytestconfig: pytest.Config) -> None:
    """Where xdist calls its own part otherwise, all would be told again, and nobody would know."""
    own = [
        plugin for plugin in pytestconfig.pluginmanager.get_plugins() if "sendevent" in vars(plugin)
    ]

    is_one_of_several = hasattr(pytestconfig, "workerinput") and pytestconfig.get_verbosity() <= 0
    assert len(own) == int(is_one_of_several)
