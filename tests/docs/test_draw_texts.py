"""The texts that a fresh reader is shown are drawn from each kind, and the same each time."""

from collections import Counter

import pytest

from docs.draw_texts import COUNT, KINDS, draw


def test_a_hundred_texts_are_drawn_and_none_twice() -> None:
    assert len(set(draw())) == COUNT == 100


def test_each_kind_has_its_share() -> None:
    kinds = Counter(each.kind for each in draw())

    assert kinds.keys() == KINDS.keys()
    assert max(kinds.values()) - min(kinds.values()) <= 1


def test_a_seed_draws_the_same_texts_again_and_another_seed_others() -> None:
    assert draw(7) == draw(7)
    assert draw(7) != draw(8)


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_more_texts_of_a_kind_than_are_drawn(kind: str) -> None:
    texts = list(KINDS[kind]())

    assert len(texts) > COUNT // len(KINDS)
    assert [each for each in texts if each.kind != kind or not each.text.strip()] == []


def test_a_text_that_consists_of_values_is_not_drawn() -> None:
    names = {each.name for kind in KINDS.values() for each in kind()}

    assert "stale-record" not in names
    assert "locked" in names


def test_a_warning_is_no_blocker_and_a_blocker_no_warning() -> None:
    warned = {each.name for each in KINDS["warning"]()}
    refused = {each.name for each in KINDS["blocker"]()}

    assert {"locked", "disk-copied"} <= warned
    assert {"busy", "evacuate/living-copy"} <= refused
    assert warned & refused == set()
