"""Operations are found by their kind, each in its folder."""

import ast
from pathlib import Path
from pkgutil import iter_modules

import pytest

from stackward import operations, requests
from stackward.operations import operation
from stackward.report.account import OUTCOME

PLACE = Path(operations.__file__).parent
FEWER_THAN = 120  # lines of a plan: it is read in one sitting
FOLDERS = [each.name for each in iter_modules(operations.__path__)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_found_by_the_kind_of_its_request(folder: str) -> None:
    found = operation(folder.replace("_", "-"))

    assert found.kind.replace("-", "_") == folder
    assert requests.KINDS[found.kind] is found.request


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_says_what_takes_back_what_it_did(folder: str) -> None:
    """One that cannot be taken back answers with a blocker that says why."""
    assert operation(folder.replace("_", "-")).undo is not None


@pytest.mark.parametrize("folder", FOLDERS)
def test_its_account_has_columns_that_the_report_knows(folder: str) -> None:
    columns = operation(folder.replace("_", "-")).columns

    assert set(columns.outcome) <= set(OUTCOME)
    # A chain moves no server itself: `report/chains.py` has the rows of its items.
    servers = {"Server", "ID", "How", "State"} if folder != "chain" else set()
    assert servers <= set(columns.outcome)
    assert set(columns.gives_way) <= {*columns.names}


def test_a_reboot_shows_no_node_to_which_a_server_went() -> None:
    assert "To" in operation("drain-compute-node").columns.outcome
    assert "To" not in operation("reboot-server").columns.outcome


def test_whatever_may_be_asked_for_has_a_folder() -> None:
    assert sorted(kind.replace("-", "_") for kind in requests.KINDS) == sorted(FOLDERS)


def test_a_drain_is_among_them() -> None:
    assert "drain_compute_node" in FOLDERS


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_plan_is_read_in_one_sitting(folder: str) -> None:
    """What does not fit is a file of its own in the folder, named by its subject."""
    assert len((PLACE / folder / "plan.py").read_text().splitlines()) < FEWER_THAN


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_plan_is_made_of_facts_alone(folder: str) -> None:
    """It gets no port: neither the world, nor the journal, nor anything that reads them."""
    tree = ast.parse((PLACE / folder / "plan.py").read_text())
    given = {
        each.arg: ast.unparse(each.annotation or ast.Constant(value=None))
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for each in (*node.args.args, *node.args.kwonlyargs)
    }
    imported = {
        f"{node.module}.{each.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for each in node.names
    }

    assert {name for name, kind in given.items() if kind in {"World", "Journal"}} == set()
    assert {
        name for name in imported if name.startswith("stackward.facts.") or ".read_" in name
    } == set()


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_has_its_plans_and_its_remedies_tested_in_a_folder_of_the_same_name(
    folder: str,
) -> None:
    tests = {each.name for each in (Path(__file__).parent / folder).glob("test_*.py")}

    assert {"test_plan.py", "test_remedies.py"} <= tests
