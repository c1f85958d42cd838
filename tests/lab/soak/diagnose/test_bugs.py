"""A bug in one function of a service, one at a time: its module is named by the logs alone.

`lab/bugs.py` says how. Of the drawn bugs every other one is kept apart: no rule was made by it.
"""

from collections.abc import Mapping

import pytest

from lab.bugs import WELL, Player, Run, counted, drawn, sure_of_nothing
from lab.looks import has_no_finding
from real_lab import RealLab, until

TOP_1, TOP_3 = 0.6, 0.7  # of those that log an ERROR
FALSE_ALARMS = 0.1  # of the runs in which nobody noticed anything


@pytest.fixture(scope="module")
def runs(lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Run]]:
    """Given each bug, played once, and some traffic without one."""
    until(lambda: has_no_finding(lab), within_s=240)
    bugs = drawn()
    player = Player(lab, tmp_path_factory.mktemp("bugs"))
    found: dict[str, list[Run]] = {"well": [], "apart": [], "known": [], "unnoticed": []}
    try:
        player.prepare(1 + sum(bug.traffic == "attach" for bug in bugs))
        for number, traffic in enumerate(WELL):
            found["well"].append(player.play(None, traffic, f"well-{number}"))
        for number, bug in enumerate(bugs):
            run = player.play(bug, bug.traffic, f"bug-{number}")
            if not run.noticed:
                found["unnoticed"].append(run)
            elif run.has_errors:
                found["apart" if bug.is_kept_apart else "known"].append(run)
    finally:
        player.clean_up()
    until(lambda: has_no_finding(lab), within_s=240)
    return found


def test_the_bugs_are_met(runs: Mapping[str, list[Run]]) -> None:
    assert len(runs["apart"]) + len(runs["known"]) >= 2 * len(drawn()) / 3


@pytest.mark.parametrize("which", ["apart", "known"])
def test_the_module_of_a_bug_is_named(runs: Mapping[str, list[Run]], which: str) -> None:
    seen = counted(runs[which])

    assert seen.first >= TOP_1 * seen.runs, seen.missed
    assert seen.among >= TOP_3 * seen.runs, seen.missed


def test_without_a_bug_nothing_is_sure(runs: Mapping[str, list[Run]]) -> None:
    assert list(sure_of_nothing(runs["well"])) == []


def test_what_nobody_noticed_is_rarely_sure(runs: Mapping[str, list[Run]]) -> None:
    unnoticed = [*runs["well"], *runs["unnoticed"]]
    wrong = [run for run in unnoticed if any(sure_of_nothing([run]))]

    assert len(wrong) <= FALSE_ALARMS * len(unnoticed), list(sure_of_nothing(wrong))
