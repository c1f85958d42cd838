"""The rules by which plans are judged: the shared ones, and those of each operation."""

import re

from stackward.operations import every_rule
from stackward.policy import worries


def test_no_two_rules_have_one_name_for_plans_are_compared_by_it() -> None:
    names = [each.name for each in every_rule()]

    assert len(names) == len(set(names))


def test_a_rule_of_one_operation_has_its_subject_before_its_name() -> None:
    shared = {each.name for each in worries.ALL}

    own = [each.name for each in every_rule() if each.name not in shared]

    assert "reboot/stopped" in own
    assert [name for name in own if not re.fullmatch(r"[a-z]+/[a-z]+(-[a-z]+)*", name)] == []
