"""The rules by which plans are judged: the shared ones, and those of each operation."""

import re
from pathlib import Path

from stackward.operations import every_rule

# The names that stored plans may hold; most are from before each rule had its subject in its name.
OLD = (Path(__file__).parent.parent / "stored/rules.txt").read_text().split()
NAMES = [each.name for each in every_rule()]


def test_no_two_rules_have_one_name_for_plans_are_compared_by_it() -> None:
    assert len(NAMES) == len(set(NAMES))


def test_no_name_that_stored_plans_may_hold_is_gone() -> None:
    """A rule may move to another file, and its words may become better: its name stays."""
    assert sorted(set(OLD) - set(NAMES)) == []


def test_a_new_rule_has_its_subject_before_its_name() -> None:
    new = [each for each in NAMES if each not in OLD]

    assert "reboot/stopped" in new
    assert [name for name in new if not re.fullmatch(r"[a-z]+/[a-z]+(-[a-z]+)*", name)] == []
