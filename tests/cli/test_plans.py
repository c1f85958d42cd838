"""What commands do with a plan."""

import json
from pathlib import Path

import pytest

from builders import a_node, a_server, asking
from stackward.cli import main
from stackward.cli.options import Output
from stackward.cli.plans import keep_plan, refuse_place, show_plan
from stackward.errors import BadInput
from stackward.kinds import KINDS
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.plan import from_json
from stackward.report.tables import Form

PLAN = plan_drain(a_node(a_server()), asking())


def test_json_holds_the_whole_plan(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(PLAN, Output(form=Form.JSON))

    shown = json.loads(capsys.readouterr().out)
    assert shown["request"]["reason"] == "bad DIMM"
    assert [stage["name"] for stage in shown["stages"]] == [
        "cordon",
        "move",
        "arrivals",
        "keep off",
    ]


def test_columns_are_those_of_the_moves(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(PLAN, Output(form=Form.VALUE, column=["Server", "How"]))

    assert capsys.readouterr().out == "db-01 live\n"


def test_a_kept_plan_is_the_plan(tmp_path: Path) -> None:
    keep_plan(PLAN, tmp_path / "plan.json")

    kept = from_json((tmp_path / "plan.json").read_text(), KINDS)
    assert (kept.title, len(kept.stages)) == (PLAN.title, 4)


@pytest.mark.parametrize(
    ("place", "says"),
    [
        pytest.param("none/plan.json", "cannot write `{}`: No such file or directory", id="none"),
        pytest.param("file/plan.json", "cannot write `{}`: Not a directory", id="below a file"),
        pytest.param("file", "`{}` is there already", id="an older plan"),
        pytest.param("", "`{}` is there already", id="a directory"),
        pytest.param("dangling", "`{}` is there already", id="a link to nowhere"),
    ],
)
def test_a_place_where_no_plan_can_be_kept_is_said_before_anything_is_planned(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: str,
    says: str,
) -> None:
    """Else the operator learns it after minutes of reading a large node, or of thought."""
    (tmp_path / "file").write_text("older")
    (tmp_path / "dangling").symlink_to("nowhere")
    monkeypatch.setenv("STACKWARD_INVENTORY", str(tmp_path / "no-inventory"))

    code = main(["node", "drain", "c01", "--reason", "x", "--plan-out", str(tmp_path / place)])

    assert code == 2
    assert capsys.readouterr().err.startswith(f"error: {says.format(tmp_path / place)}\n")


def test_asking_whether_a_plan_can_be_kept_leaves_nothing_behind(tmp_path: Path) -> None:
    refuse_place(tmp_path / "plan.json")

    assert list(tmp_path.iterdir()) == []


def test_an_older_plan_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("older")

    with pytest.raises(BadInput, match="is there already"):
        keep_plan(PLAN, path)

    assert path.read_text() == "older"
