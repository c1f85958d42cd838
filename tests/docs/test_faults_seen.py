"""The page of faults is the record of a run on a real lab, and that record is whole."""

import sys
from pathlib import Path
from typing import Any

import pytest

from lab.mutants import (
    FIRST,
    Fault,
    Mutant,
    Running,
    Setting,
    Word,
    is_touched,
    mutants_of,
    stores,
    units_of,
)
from stackward.anatomy import Anatomy, read_anatomy, to_anatomy
from stackward.lab.declared import declared

sys.path.append(str(Path(__file__).parents[2] / "docs"))
import faults_seen

HEAD, ROWS = faults_seen.read_record()
OTHER_SETTINGS = tuple(faults_seen.SETTINGS)


def running() -> list[Running]:
    """Return what ran on the lab's nodes when the record was made, of the anatomy or not."""
    return [Running(**{**each, "sockets": tuple(each["sockets"])}) for each in HEAD["running"]]


# What a record must have of each unit; the other faults of the table are tried by the soak.
RECORDED = {Fault.FROZEN, Fault.MASKED, Fault.TAKES_NO_WRITES}


def table(anatomy: Anatomy) -> list[Mutant]:
    """Return all mutants, as the anatomy of today makes them of what ran there."""
    units = [mutant for one in running() for mutant in mutants_of(one, anatomy)]
    return [*units, *stores("ctl")]


def expected(anatomy: Anatomy) -> list[Mutant]:
    """Return those that the record must have, on each kind of node."""
    return [one for one in table(anatomy) if one.fault in RECORDED and one.node in FIRST]


def keys(setting: str) -> set[tuple[str, str, str, str]]:
    """Return what was tried in a setting."""
    return {
        (row["node"], row["component"], row["unit"], row["fault"])
        for row in ROWS
        if row["setting"] == setting
    }


def test_each_unit_of_the_anatomy_was_made_ill_on_each_kind_of_node() -> None:
    """If this fails, a component is new: `tests/lab/mutation.py` says how a record is made."""
    missing = {mutant.key for mutant in expected(read_anatomy())} - keys(faults_seen.AS_IT_IS)

    assert missing == set()


@pytest.mark.parametrize("setting", OTHER_SETTINGS)
def test_the_frozen_ones_were_tried_in_the_other_settings_too(setting: str) -> None:
    frozen = {
        mutant.key
        for mutant in expected(read_anatomy())
        if mutant.fault is Fault.FROZEN and is_touched(mutant, Setting(setting))
    }

    assert frozen - keys(setting) == set()


def test_a_new_component_without_a_run_is_missed() -> None:
    new = """
[journal]
is = "keeps what units say"
service = "foundation"
restore = 1
upgrade = 0
probe = { kind = "unit", shows = "its unit" }
[journal.debian]
units = ["systemd-journald.service"]
packages = []
configuration = []
logs = []
user = "root"
command = "true"
"""
    missing = {mutant.key for mutant in expected(to_anatomy([new]))} - keys(faults_seen.AS_IT_IS)

    assert ("ctl", "journal", "systemd-journald.service", "frozen") in missing


def test_the_record_is_of_the_nodes_and_the_units_that_a_lab_has() -> None:
    there = {(one.node, one.unit) for one in running()}
    for role, nodes in {"control": ["ctl"], "compute": ["c01", "c02"]}.items():
        started = {f"{name}.service" for name in declared().roles[role].start if "." not in name}
        known = started & set(units_of(read_anatomy()))
        assert known
        assert {(node, unit) for node in nodes for unit in known} - there == set()


def test_no_fault_is_called_ok() -> None:
    wrong = [row for row in ROWS if row["setting"] == faults_seen.AS_IT_IS and row["unexpected"]]

    assert [(row["node"], row["unit"], row["fault"], row["unexpected"]) for row in wrong] == []


def test_what_is_not_called_ill_is_declared_with_its_reason() -> None:
    less = {one.key for one in table(read_anatomy()) if one.expected != Word.FOUND}

    own = [row for row in ROWS if row["setting"] == faults_seen.AS_IT_IS and not row["found"]]

    assert own
    for row in own:
        key = (row["node"], row["component"], row["unit"], row["fault"])
        assert row["why"], key
        assert key in less or row["fault"] == Fault.DISABLED, key


def test_what_other_settings_hide_is_on_the_page() -> None:
    page = faults_seen.page("")
    lines: list[dict[str, Any]] = [
        row for row in ROWS if row["setting"] in OTHER_SETTINGS and faults_seen.is_missed(row)
    ]

    assert lines
    for row in lines:
        line = f"| {row['component']} | `{row['unit']}` | {row['fault']} | {row['node']} "
        assert line in page
