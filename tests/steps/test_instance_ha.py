"""The instance-HA service is told of maintenance, once, and of its end only if we began it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from builders import NOW, a_node, a_server, an_id, asking
from fakes.cloud import FakeCloud
from fakes.masakari import FakeMasakari
from fakes.world import a_world
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.checks.instance_ha import InstanceHaKnows
from stackward.facts.compute import read_compute_node
from stackward.facts.maintenance import read_told_ha
from stackward.model.instance_ha import HaHost
from stackward.model.maintenance import HA_OFF, HA_ON
from stackward.model.run import Approval, Run, RunState, Said, Settled
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.plan import Holds, NotApplicable, Refuted, Standing
from stackward.steps.instance_ha import TellInstanceHa

HOST = "compute-07"
ENTRY = HaHost(id=an_id("entry"), segment=an_id("segment"), host=HOST)
TELL = TellInstanceHa(host=HOST, is_in_maintenance=True)
KNOWS = InstanceHaKnows(host=HOST, is_in_maintenance=True)


def a_cloud(*, is_in_maintenance: bool = False) -> FakeCloud:
    guards = {HOST: replace(ENTRY, is_in_maintenance=is_in_maintenance)}
    return FakeCloud(
        masakari=FakeMasakari(guards=guards), catalog=frozenset({"compute", "instance-ha"})
    )


# --- the step and its proof ---


def test_it_is_told_of_maintenance_and_proved_to_know() -> None:
    world = a_world(a_cloud())

    before = (TELL.look(world, None).standing, KNOWS.ask(world))
    mark = TELL.mark(world)
    TELL.start(world)

    assert (before[0], isinstance(before[1], Refuted)) == (Standing.TODO, True)
    assert mark == {"was": ["looked after"]}
    assert TELL.look(world, mark).standing is Standing.DONE
    assert isinstance(KNOWS.ask(world), Holds)


def test_what_it_was_told_by_others_is_found_done() -> None:
    world = a_world(a_cloud(is_in_maintenance=True))

    assert TELL.look(world, None).standing is Standing.DONE


def test_a_cloud_without_it_has_nothing_to_be_told() -> None:
    world = a_world(FakeCloud())

    assert TELL.look(world, None).standing is Standing.DONE
    assert isinstance(KNOWS.ask(world), NotApplicable)


# --- the plan ---


def test_a_drain_tells_it_first_of_all_and_proves_that_it_knows() -> None:
    plan = plan_drain(a_node(a_server(), ha_hosts=(ENTRY,)), asking())

    assert plan.stages[0].moves[0].steps == (TELL,)
    assert plan.stages[1].name == "cordon"
    assert plan.verify[-1] == KNOWS


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"leave_behind": (an_id("db-01"),)}, id="a server stays"),
        pytest.param({"keep_service": True, "leave_behind": (an_id("db-01"),)}, id="same, kept up"),
    ],
)
def test_of_a_node_that_keeps_servers_it_is_not_told(asked: dict[str, object]) -> None:
    """They must be restarted elsewhere, should the node fail."""
    plan = plan_drain(a_node(a_server(), ha_hosts=(ENTRY,)), asking(**asked))

    assert HA_OFF not in [stage.name for stage in plan.stages]
    assert KNOWS not in plan.verify


def test_a_host_that_it_does_not_know_is_none_of_its_business() -> None:
    plan = plan_drain(a_node(a_server()), asking())

    assert plan.stages[0].name == "cordon"
    assert plan.warnings == ()


def test_the_entry_of_the_node_is_read() -> None:
    assert read_compute_node(a_world(a_cloud()), HOST).ha_hosts == (ENTRY,)


# --- whose word it was ---


def a_run(journal: SqlJournal, number: int) -> str:
    approval = Approval(by="ann", at=NOW, how="--yes")
    run = Run(id=f"01M{number}", title="x", plan="{}", approval=approval, holds=(HOST,))
    journal.add(run)
    journal.take_up(run.id, "one", NOW)
    return run.id


def told(journal: SqlJournal, number: int, stage: str, settled: Settled) -> None:
    """Add a run that tried to tell it, and what came of that."""
    run = a_run(journal, number)
    made = journal.intend(run, 1, f"{stage}/{HOST}/0", {"was": ["looked after"]}, NOW)
    journal.settle(run, 1, made, settled, NOW, said=Said(), saw={})
    journal.end(run, 1, RunState.FAILED, NOW, Said())


def died(journal: SqlJournal, number: int) -> None:
    """Add a run that died just when it told it."""
    run = a_run(journal, number)
    journal.intend(run, 1, f"{HA_OFF}/{HOST}/0", {"was": ["looked after"]}, NOW)


def found(journal: SqlJournal, number: int) -> None:
    """Add a run that found it told."""
    run = a_run(journal, number)
    journal.found_done(run, 1, f"{HA_OFF}/{HOST}/0", NOW, {})
    journal.end(run, 1, RunState.SUCCEEDED, NOW, Said())


off = partial(told, stage=HA_OFF)
on = partial(told, stage=HA_ON)


@pytest.mark.parametrize(
    ("runs", "is_ours"),
    [
        pytest.param([], False, id="no run"),
        pytest.param([partial(off, settled=Settled.DONE)], True, id="a drain told it"),
        pytest.param([died], True, id="a drain that died just then"),
        pytest.param([partial(off, settled=Settled.UNSENT)], False, id="it could not be told"),
        pytest.param([found], False, id="a drain found it told"),
        pytest.param([partial(off, settled=Settled.DONE), found], True, id="an earlier drain did"),
        pytest.param(
            [partial(off, settled=Settled.DONE), partial(on, settled=Settled.DONE)],
            False,
            id="a return, since",
        ),
        pytest.param(
            [partial(off, settled=Settled.DONE), partial(on, settled=Settled.LOST)],
            True,
            id="a return, since, that was given up just then",
        ),
    ],
)
def test_its_end_is_told_only_by_whom_it_was_begun(
    tmp_path: Path, runs: list[Callable[..., None]], *, is_ours: bool
) -> None:
    journal = SqlJournal(open_database(url_of(tmp_path)))
    for number, run in enumerate(runs):
        run(journal, number)

    told_by = read_told_ha(journal, "east", HOST)

    journal.close()
    assert (told_by is not None) is is_ours
