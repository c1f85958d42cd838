"""What a terminal of a given size shows of a look."""

from dataclasses import replace

import pytest

from fakes.nodes import NO_ROUTE
from fakes.site import Site
from stackward.model.health import Finding, Health, State
from stackward.report.health import changes, lines_of, render_health, screen_of, summary
from stackward.report.tables import Form

SIZES = [(80, 24), (120, 40), (60, 10), (200, 60), (40, 6)]


def with_a_dead_node() -> Health:
    """Given a look at a cloud of which one node does not answer."""
    site = Site()
    site.nodes.told["c01"] = NO_ROUTE
    return site.look()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_screen_is_never_higher_than_the_terminal_and_ends_with_how_it_is(
    width: int, height: int
) -> None:
    health = with_a_dead_node()

    screen = screen_of(health, width, height)

    assert len(screen) < height
    assert " ".join(" ".join(screen).split()).endswith(summary(health))


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60)])
def test_what_is_wrong_is_on_the_screen_with_its_remedy(width: int, height: int) -> None:
    health = with_a_dead_node()
    [worst, *_] = health.findings

    said = "\n".join(screen_of(health, width, height))

    assert f"[{worst.rule}]" in said
    assert "  remedy  " in said


def test_a_low_terminal_counts_the_components_that_are_well() -> None:
    health = with_a_dead_node()
    well = [one.name for one in health.components if one.state is State.OK]

    low, high = screen_of(health, 80, 24), screen_of(health, 80, 200)

    assert f"and {len(well)} more: ok" in low
    assert [name for name in well if any(line.startswith(f"{name} ") for line in low)] == []
    assert all(any(line.startswith(f"{name} ") for line in high) for name in well)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_row_is_cut_and_what_shows_a_state_goes_on_below_itself(width: int) -> None:
    """Seen at 80x24: the row of a component ended with an ellipsis."""
    health = with_a_dead_node()
    proofs = [one.proof for one in health.components if one.proof]

    screen = screen_of(health, width, 200)

    said = " ".join(" ".join(screen).split())
    assert [line for line in screen if len(line) > width] == []
    assert [proof for proof in proofs if proof not in said] == []
    assert any(len(proof) > 40 for proof in proofs)


def test_what_has_no_place_is_counted() -> None:
    screen = screen_of(with_a_dead_node(), 80, 12)

    [told] = [line for line in screen if line.startswith("... ")]
    assert "more lines" in told


def test_of_two_disks_of_a_node_each_comes_and_goes_by_itself() -> None:
    site = Site()
    [root, *_] = site.told("c01")["filesystems"]
    before = site.look()
    full = [{**root, "type": "ext4", "mount": f"/srv/{name}", "free": 0} for name in ("a", "b")]
    site.told("c01")["filesystems"] += full
    both = site.look()
    site.told("c01")["filesystems"].remove(full[1])
    one = site.look()

    assert len(list(changes(before, both))) == 2
    assert list(changes(both, one)) == ["gone: node c01 [disk-full]"]


def affected(*reasons: str) -> list[str]:
    """Return the lines of what a finding affects: one on each of some nodes."""
    cause = Finding(
        rule="all",
        state=State.UNKNOWN,
        component="machine",
        node=None,
        reason="all of them",
        remedy="look",
    )
    under = (
        replace(cause, rule="one", node=f"c{at}", reason=reason, under="machine", by="all")
        for at, reason in enumerate(reasons)
    )
    health = with_a_dead_node()
    first = replace(health.components[0], findings=(cause, *under))
    return list(lines_of(replace(health, components=(first,))))


def test_what_is_so_of_several_nodes_for_one_cause_is_said_once() -> None:
    """Seen with four nodes whose host keys were not known: the same sentence four times."""
    assert "          - node c0, c1: no key [one]" in affected("no key", "no key")


def test_where_the_reasons_differ_the_first_is_said_with_its_node() -> None:
    lines = affected("no key of 10.0.0.1", "no key of 10.0.0.2")

    assert "          - node c0, c1 [one]; of c0: no key of 10.0.0.1" in lines
    assert "  affects 2 other findings:" in lines


def test_a_column_that_says_nothing_is_not_shown_on_a_terminal() -> None:
    health = with_a_dead_node()
    alone = replace(health, components=(replace(health.components[0], under=None),))

    shown, piped = (render_health(alone, Form.TABLE, width=width) for width in (120, None))

    assert ("Caused by" in shown, "Caused by" in piped) == (False, True)
