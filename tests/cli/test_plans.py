"""What commands do with a plan."""

import json
from pathlib import Path

import pytest

from builders import a_node, a_server, asking
from stackward.cli.plans import keep_plan, show_plan
from stackward.errors import BadInput
from stackward.plan import from_json
from stackward.report.tables import Form
from stackward.runbooks.drain_compute_node import plan_drain
from stackward.runbooks.kinds import KINDS

PLAN = plan_drain(a_node(a_server()), asking())


def test_json_holds_the_whole_plan(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(PLAN, Form.JSON, None)

    shown = json.loads(capsys.readouterr().out)
    assert shown["request"]["reason"] == "bad DIMM"
    assert [stage["name"] for stage in shown["stages"]] == [
        "cordon",
        "move",
        "arrivals",
        "keep off",
    ]


def test_columns_are_those_of_the_moves(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(PLAN, Form.VALUE, ["Server", "How"])

    assert capsys.readouterr().out == "db-01 live\n"


def test_a_kept_plan_is_the_plan(tmp_path: Path) -> None:
    keep_plan(PLAN, tmp_path / "plan.json")

    kept = from_json((tmp_path / "plan.json").read_text(), KINDS)
    assert (kept.title, len(kept.stages)) == (PLAN.title, 4)


def test_an_older_plan_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("older")

    with pytest.raises(BadInput, match="is there already"):
        keep_plan(PLAN, path)

    assert path.read_text() == "older"
