"""Where more has failed than one node."""

import pytest

from stackward.model.aggregate import Aggregate
from stackward.status.outage import Compute, all_down, find_outage


def computes(up: int, down: int, zone: str = "nova", *, prefix: str = "c") -> list[Compute]:
    """Return so many nodes; the first of those that are down is `<prefix>0`."""
    return [
        Compute(host=f"{prefix}{number}", zone=zone, is_up=number >= down)
        for number in range(up + down)
    ]


def aggregate(*hosts: str) -> Aggregate:
    return Aggregate(uuid="u", name="rack-1", hosts=hosts)


@pytest.mark.parametrize(
    ("known", "aggregates", "of"),
    [
        pytest.param(computes(2, 1), [], None, id="one of three: no outage"),
        pytest.param(computes(0, 1), [], None, id="one of one: it is the only node"),
        pytest.param(computes(1, 1), [], None, id="one of two: half is not more than half"),
        pytest.param(computes(0, 2), [], "the cloud", id="two of two"),
        pytest.param(computes(1, 2), [], "the cloud", id="two of three"),
        pytest.param(computes(2, 2), [], None, id="two of four"),
        pytest.param(
            computes(1, 3, "az1") + computes(9, 0, "az2", prefix="d"),
            [],
            "the zone `az1`",
            id="three of four of a zone",
        ),
        pytest.param(
            computes(0, 3, "az1") + computes(9, 0, "az2", prefix="d"),
            [],
            None,
            id="all of a zone of three: it is too small to be judged by itself",
        ),
        pytest.param(
            computes(9, 3),
            [aggregate("c0", "c1", "c2", "c9")],
            "the aggregate `rack-1`",
            id="three of four of an aggregate",
        ),
        pytest.param(
            computes(9, 3), [aggregate("c0", "c1", "c2")], None, id="an aggregate of three"
        ),
    ],
)
def test_what_is_an_outage(
    known: list[Compute], aggregates: list[Aggregate], of: str | None
) -> None:
    found = find_outage(known, aggregates, "c0")

    assert (found and found.of) == of


def test_the_node_to_be_fenced_counts_as_down_although_nova_calls_it_up() -> None:
    known = computes(2, 1)  # c0 is down

    assert find_outage(known, [], "c2") is not None
    assert all_down(known, "c2") == ("c0", "c2")


def test_a_node_that_a_run_keeps_off_is_meant_to_be_down() -> None:
    known = [*computes(2, 1), Compute(host="c9", zone="nova", is_up=False, is_kept_off=True)]

    assert find_outage(known, [], "c0") is None
    assert all_down(known, "c0") == ("c0",)
