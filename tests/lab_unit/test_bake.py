"""Bake tasks are done in their order, side by side where they may be."""

import threading
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import pytest

from lab_builders import a_lab
from stackward.errors import StepFailed
from stackward.lab.bake import Task, cloud_key, in_order, tasks, units_script
from stackward.lab.command import run


def a_task(name: str, *after: str) -> Task:
    return Task(name, after, "true")


def done_in_order(*given: Task) -> list[str]:
    done: list[str] = []
    in_order(given, lambda task: done.append(task.name))
    return done


def position(names: Iterable[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def test_a_task_is_done_after_all_that_it_comes_after() -> None:
    done = position(
        done_in_order(
            a_task("last", "left", "right"),
            a_task("left", "first"),
            a_task("right", "first"),
            a_task("first"),
        )
    )

    assert done["first"] < min(done["left"], done["right"])
    assert max(done["left"], done["right"]) < done["last"]


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        pytest.param("nova-api", ("3", "1"), id="nova-api: two hung calls leave one that answers"),
        pytest.param("neutron-api", ("1", "1"), id="neutron-api"),
        pytest.param("keystone", ("1", "4"), id="all others"),
    ],
)
def test_how_many_workers_an_api_has_is_fixed(
    tmp_path: Path, service: str, expected: tuple[str, str]
) -> None:
    """They were respawned under load, which took the CPU that the load needed."""
    ini = tmp_path / service / f"{service}-uwsgi.ini"
    ini.parent.mkdir()
    ini.write_text("[uwsgi]\nprocesses = 32\nthreads = 1\ncheaper = 2\ncheaper-initial = 2\n")
    script = (files("stackward.lab") / "bake/control.sh").read_text()
    loop = script[script.index("for ini in") : script.index("# At boot")]

    run(["sh", "-eu", "-c", loop.replace("/etc/", f"{tmp_path}/")])

    settings = dict(line.split(" = ") for line in ini.read_text().splitlines()[1:])
    assert (settings["processes"], settings["threads"]) == expected
    assert not [name for name in settings if name.startswith("cheaper")]


def test_each_is_done_once() -> None:
    assert sorted(done_in_order(a_task("a"), a_task("b"), a_task("c", "a"))) == ["a", "b", "c"]


def test_tasks_that_do_not_wait_for_each_other_are_done_at_the_same_time() -> None:
    """Each waits for the other one: done one after the other, they would never end."""
    together = threading.Barrier(2)

    def meet(_: Task) -> None:
        together.wait(10)

    in_order((a_task("a"), a_task("b")), meet)

    assert not together.broken


@pytest.mark.parametrize(
    "given",
    [
        pytest.param((a_task("a", "b"), a_task("b", "a")), id="each other"),
        pytest.param((a_task("a", "a"),), id="itself"),
        pytest.param((a_task("a", "none"),), id="one that is not there"),
    ],
)
def test_tasks_that_wait_for_ever_are_named(given: tuple[Task, ...]) -> None:
    names = ", ".join(task.name for task in given)

    with pytest.raises(StepFailed) as failed:
        done_in_order(a_task("free"), *given)

    assert failed.value.message == f"these bake tasks wait for each other: {names}"


def test_the_first_error_ends_it_and_nothing_is_begun_after_it() -> None:
    done: list[str] = []

    def do(task: Task) -> None:
        if task.name == "fails":
            raise StepFailed("no")
        done.append(task.name)

    with pytest.raises(StepFailed, match="no"):
        in_order((a_task("first"), a_task("fails", "first"), a_task("after", "fails")), do)

    assert done == ["first"]


def test_what_runs_when_another_fails_is_waited_for() -> None:
    ended = threading.Event()
    failed = threading.Event()

    def do(task: Task) -> None:
        if task.name == "fails":
            failed.set()
            raise StepFailed("no")
        failed.wait(10)
        ended.set()

    with pytest.raises(StepFailed):
        in_order((a_task("runs"), a_task("fails")), do)

    assert ended.is_set()


def test_the_declared_tasks_come_after_tasks_that_exist_and_end() -> None:
    declared = tasks()

    assert sorted(done_in_order(*declared)) == sorted(task.name for task in declared)


@pytest.mark.parametrize("task", tasks(), ids=lambda task: task.name)
def test_every_declared_task_does_something_and_is_filled(task: Task) -> None:
    assert task.script.strip()
    assert "@{" not in task.script


def test_a_lab_of_more_computes_or_another_release_is_another_bake() -> None:
    keys = {cloud_key(lab) for lab in (a_lab(), a_lab(computes=3), a_lab(release="forky"))}

    assert len(keys) == 3


def test_labs_of_one_kind_share_a_bake_whatever_their_names() -> None:
    other = a_lab(name="two", number=2, network="10.77.2.0/24", profile="scale")

    assert cloud_key(other) == cloud_key(a_lab())


def test_units_are_handed_over_apart_from_those_that_never_start() -> None:
    script = units_script(("one", "two.timer"))

    assert script.startswith("set -- one two.timer -- apt-daily.timer ")
