"""What fell and came back: whether it stays up, or only looks so between two falls."""

import pytest

from fakes.site import Site
from stackward.model.cloud_state import Rpc, RpcAnswer

COMPUTE = "nova-compute.service"


def started(site: Site, seconds_ago: float, restarts: int) -> None:
    """Let a nova-compute have been started again by systemd."""
    at = int((site.told("c01")["monotonic"] - seconds_ago) * 1e6)
    site.unit("c01", COMPUTE, NRestarts=str(restarts), ActiveEnterTimestampMonotonic=str(at))


@pytest.mark.parametrize(
    ("restarts", "up_s", "answers", "expected"),
    [
        pytest.param(5, 240, True, "note", id="five falls, up for 4 minutes, answers"),
        pytest.param(3, 8, True, "finding", id="three falls, up for 8 s"),
        pytest.param(3, 8, False, "finding", id="three falls, up for 8 s, not asked"),
        pytest.param(1, 5, True, "note", id="killed and started again just now"),
        pytest.param(2, 30, False, "note", id="two falls"),
        pytest.param(
            5, 240, False, "finding", id="five falls, up for 4 minutes, nothing proves it"
        ),
        pytest.param(5, 500, False, "note", id="five falls, up for 8 minutes"),
        pytest.param(90, 59, True, "finding", id="it answers between two falls"),
        pytest.param(90, 61, True, "note", id="it has settled"),
        pytest.param(5, 7200, True, "", id="hours ago"),
        pytest.param(0, 30, True, "", id="somebody started it"),
    ],
)
def test_whether_it_stays_up(restarts: int, up_s: float, expected: str, *, answers: bool) -> None:
    site = Site()
    started(site, up_s, restarts)
    if not answers:
        site.apis.rpc["c01"] = RpcAnswer(outcome=Rpc.NOT_ASKED, why="spared")

    health = site.look()

    found = [one for one in health.findings if one.rule == "unit-restarting"]
    noted = [one for one in health.notes if "compute.service` has fallen" in one.says]
    assert (bool(found), bool(noted)) == (expected == "finding", expected == "note")


@pytest.mark.parametrize(
    ("sub", "restarts", "rule"),
    [
        pytest.param("start", 1, "unit-starting", id="killed once, and on its way"),
        pytest.param("auto-restart", 0, "unit-starting", id="its first fall"),
        pytest.param("start", 3, "unit-restarting", id="on its way for the fourth time"),
        pytest.param("auto-restart", 9, "unit-restarting", id="falls again and again"),
    ],
)
def test_one_that_is_started_again_is_not_called_falling_before_it_fell_often(
    sub: str, restarts: int, rule: str
) -> None:
    """Seen: killed once, it was "broken: does not stay up: 1 restarts" while it started."""
    site = Site()
    site.unit("c01", COMPUTE, ActiveState="activating", SubState=sub, NRestarts=str(restarts))

    found = [one.rule for one in site.look().findings if one.rule.startswith("unit-")]

    assert found == [rule]


def test_the_note_says_how_often_and_when() -> None:
    site = Site()
    started(site, 240, 5)

    [note] = [one for one in site.look().notes if "compute.service` has fallen" in one.says]

    assert note.says == (
        "`nova-compute.service` has fallen 5 times; systemd started it again 4 min ago"
    )
