"""The bugs that a soak puts into services are drawn: the same ones each time, half kept apart."""

import json
from pathlib import Path

import pytest

from lab.bugs import WELL, Bug, Player, Run, counted, drawn, read_runs, sure_of_nothing
from stackward.lab.faults import FAULTS
from stackward.lab.method_faults import read_method

AT = "2026-11-28 23:00:05.100"
TRACEBACK = f"""\
{AT} 370 ERROR nova.api.openstack.wsgi [None req-cccc1111-2222-4333-8444-555566667777 u p - - - -] \
Unexpected exception in API method: KeyError: 'x'
{AT} 370 ERROR nova.api.openstack.wsgi Traceback (most recent call last):
{AT} 370 ERROR nova.api.openstack.wsgi   File "/usr/lib/python3/dist-packages/nova/compute/api.py"\
, line 2100, in create
{AT} 370 ERROR nova.api.openstack.wsgi     self.x["x"]
{AT} 370 ERROR nova.api.openstack.wsgi KeyError: 'x'
"""


def a_bug(method: str) -> Bug:
    return Bug(method=method, kind="method-raises", traffic="boot", is_kept_apart=True)


def a_run(folder: Path, name: str, log: str, bug: Bug | None) -> Run:
    file = folder / name / "ctl/nova/nova-api.log"
    file.parent.mkdir(parents=True)
    file.write_text(log)
    since = "2026-11-28T23:00:00.000000Z"
    return Run(folder=folder / name, traffic="boot", since=since, noticed="a 500", bug=bug)


def test_the_same_bugs_are_drawn_each_time() -> None:
    assert drawn() == drawn()


def test_every_other_bug_is_kept_apart() -> None:
    bugs = drawn()

    assert [bug.is_kept_apart for bug in bugs] == [bool(n % 2) for n in range(len(bugs))]
    assert len({bug.method for bug in bugs}) == len(bugs)


@pytest.mark.parametrize("bug", drawn(), ids=lambda one: one.method)
def test_each_bug_can_be_put_in_and_has_its_traffic(bug: Bug) -> None:
    assert read_method(bug.method).units
    assert bug.kind in FAULTS
    assert hasattr(Player, f"_{bug.traffic}")


def test_each_traffic_is_seen_without_a_bug_or_with_one() -> None:
    assert set(WELL) <= {bug.traffic for bug in drawn()}


def test_a_module_is_counted_where_it_is_the_first_cause(tmp_path: Path) -> None:
    right = a_run(tmp_path, "a", TRACEBACK, a_bug("nova.compute.api:API.create"))
    wrong = a_run(tmp_path, "b", TRACEBACK, a_bug("nova.virt.driver:D.x"))

    seen = counted([right, wrong])

    assert (seen.runs, seen.first, seen.among) == (2, 1, 1)
    assert [one.partition(":")[0] for one in seen.missed] == ["b"]
    assert right.has_errors
    assert list(sure_of_nothing([right])) != []


def test_a_log_without_errors_has_none_and_is_sure_of_nothing(tmp_path: Path) -> None:
    usual = TRACEBACK.replace("23:00:05", "22:59:05")
    run = a_run(tmp_path, "a", usual, None)

    assert not run.has_errors
    assert list(sure_of_nothing([run])) == []


def test_runs_that_were_kept_are_read_again(tmp_path: Path) -> None:
    bug = a_bug("nova.compute.api:API.create")
    run = a_run(tmp_path, "a", TRACEBACK, bug)
    kept = {"traffic": "boot", "since": run.since, "noticed": "a 500"}
    told = {"folder": str(run.folder), "bug": vars_of(bug), **kept}
    (tmp_path / "a.json").write_text(json.dumps(told))

    assert read_runs(tmp_path) == [run]


def vars_of(bug: Bug) -> dict[str, object]:
    return {"method": bug.method, "kind": bug.kind, "traffic": bug.traffic, "is_kept_apart": True}
