"""What a process that runs tests tells the one that has started it: no more than that shows.

Of each test xdist tells six times: that it begins, three reports, that it has ended, and that the
next may come. Ten thousand times that took seconds, in both processes.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

SLOW_S = 0.005  # a step of a test that took less is not among the slowest


@pytest.hookimpl
def pytest_configure(config: pytest.Config) -> None:
    """Have a process that runs tests tell only what is needed; another tells nobody."""
    if hasattr(config, "workerinput") and config.get_verbosity() <= 0:
        for plugin in config.pluginmanager.get_plugins():
            if type(plugin).__name__ == "WorkerInteractor":
                tell_less(plugin)


def tell_less(interactor: Any) -> None:  # noqa: ANN401  # xdist ships no types
    """Leave out of what xdist tells what is not needed."""
    send: Callable[..., None] = interactor.sendevent

    def sendevent(name: str, **told: Any) -> None:  # noqa: ANN401  # of any event
        if is_needed(name, told):
            send(name, **told)

    interactor.sendevent = sendevent


def is_needed(name: str, told: Mapping[str, Any]) -> bool:
    """Say whether an event is shown, counted or waited for."""
    if name == "testreport":
        data = told["data"]
        is_quick = data["when"] == "setup" and data["duration"] < SLOW_S
        return not (is_quick and data["outcome"] == "passed" and not data["sections"])
    return name not in {"logstart", "logfinish"}
