"""Workers of two clouds beside each other, and one whose cloud cannot be reached."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from engine.fakes import FakeClock, House
from engine.killed import Watch
from stackward.engine import Brakes, approve, carry_out_taken
from stackward.engine.worker import Rhythm, WorkerConfig, work, worker_named
from stackward.errors import BadInput, Unreachable
from stackward.model.cloud import CloudIdentity
from stackward.model.run import Approval, Run, RunState, Said
from stackward.plan import of_cloud

EAST = CloudIdentity(id="nova-1 East", name="https://east.example:5000 East")
WEST = CloudIdentity(id="nova-1 West", name="https://west.example:5000 West")
SHORT = Rhythm(look_s=0.02, beat_s=0.1)
pytestmark = pytest.mark.journal_by_hand  # nobody carries the steps out here
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@dataclass
class Site:
    """A database, and what workers did with it."""

    house: House
    carried: list[tuple[str, str]] = field(default_factory=list)  # a run, and the worker
    said: list[str] = field(default_factory=list)

    def queue(self, cloud: CloudIdentity, node: str = "c01") -> Run:
        plan = replace(of_cloud(self.house.plan(), cloud), holds=(node,))
        approval = Approval(by="ann", at=self.house.clock.now(), how="--yes")
        return approve(plan, approval, self.house.journal, for_workers=True)

    def config(self, name: str, cloud: CloudIdentity, brakes: Brakes, **more: Any) -> WorkerConfig:
        clock = more.pop("clock", self.house.clock)
        journal = self.house.journal

        def carry(run: Run) -> Run:
            self.carried.append((run.id, name))
            return journal.end(run.id, run.epoch, RunState.SUCCEEDED, clock.now(), Said())

        me = replace(worker_named(name, "here", clock), cloud=cloud.id)
        usual: dict[str, Any] = {
            "why_not": lambda _: None,
            "reach": lambda: cloud,
            "rhythm": SHORT,
        }
        return WorkerConfig(
            me=me,
            journal=journal,
            clock=clock,
            cloud=cloud,
            carry=carry,
            brakes=brakes,
            say=self.said.append,
            **{**usual, **more},
        )


@pytest.fixture
def site(tmp_path: Path, database: str) -> Iterator[Site]:
    site = Site(House(tmp_path, clock=Watch(), database=database))
    yield site
    site.house.close()


def test_workers_of_two_clouds_share_a_database_and_each_takes_its_own(site: Site) -> None:
    """A node of the same name is in both clouds, and both runs have theirs at the same time."""
    runs = {
        cloud.id: [site.queue(cloud, node).id for node in ("c01", "c02")] for cloud in (EAST, WEST)
    }
    brakes = Brakes()

    def stop_when_all_are_over() -> None:
        while not all(run.state.is_over for run in site.house.journal.runs(limit=9)):
            site.house.clock.wait(0.05)
        brakes.press()

    with ThreadPoolExecutor(3) as pool:
        working = [
            pool.submit(work, site.config("east", EAST, brakes)),
            pool.submit(work, site.config("west", WEST, brakes)),
        ]
        stop_when_all_are_over()
        for each in working:
            each.result(timeout=60)

    expected = [(run, "east") for run in runs[EAST.id]] + [(run, "west") for run in runs[WEST.id]]
    assert sorted(site.carried) == sorted(expected)


def unreachable() -> CloudIdentity:
    raise Unreachable("Keystone does not answer")


def unusable() -> CloudIdentity:
    raise BadInput("the settings of the cloud `east` cannot be used")


@ON_SQLITE
@pytest.mark.parametrize(
    ("reach", "says"),
    [
        pytest.param(unreachable, "starts no runs: Keystone does not answer", id="no answer"),
        pytest.param(unusable, "starts no runs: the settings of the cloud", id="settings"),
        pytest.param(
            lambda: WEST,
            f"starts no runs: its login leads to `{WEST.name}` by now",
            id="another cloud by now",
        ),
    ],
)
def test_a_worker_that_does_not_reach_its_cloud_takes_nothing(
    site: Site, reach: Callable[[], CloudIdentity], says: str
) -> None:
    run = site.queue(EAST)
    brakes = Brakes()
    looks: list[int] = []

    def look() -> None:
        looks.append(1)
        if any(line.startswith("starts no runs") for line in site.said) or len(looks) > 500:
            brakes.press()

    clock = FakeClock(on_wait=[look, lambda: site.house.clock.wait(0.01)])

    work(site.config("one", EAST, brakes, reach=reach, clock=clock))

    left = site.house.journal.run(run.id)
    assert (left.state, left.epoch, site.carried) == (RunState.QUEUED, 0, [])
    assert [line for line in site.said if line.startswith(says)]


@ON_SQLITE
def test_a_worker_goes_on_to_beat_while_its_cloud_does_not_answer(site: Site) -> None:
    """The login may take longer than others wait before they take a worker for dead."""
    site.queue(EAST)
    brakes, answers = Brakes(), threading.Event()
    beats: list[int] = []

    def look() -> None:
        beats.extend(one.beats for one in site.house.journal.workers())
        if beats and beats[-1] >= 3:
            brakes.press()
            answers.set()

    def hang() -> CloudIdentity:
        answers.wait(timeout=60)
        return EAST

    work(site.config("one", EAST, brakes, reach=hang, clock=FakeClock(on_wait=[look])))

    assert max(beats) >= 3
    assert site.carried == []


@ON_SQLITE
def test_a_run_that_was_found_to_be_of_another_cloud_is_left_to_others(site: Site) -> None:
    """Its login may lead elsewhere just after it was looked at."""
    run = site.queue(EAST)
    brakes = Brakes()

    def carry(taken: Run) -> Run:
        brakes.press()
        context = replace(site.house.context(), cloud=WEST)
        return carry_out_taken(taken, context, brakes)

    config = replace(site.config("one", EAST, brakes), carry=carry)

    work(config)

    left = site.house.journal.run(run.id)
    assert left.state is RunState.QUEUED
    assert isinstance(left.ending.reason, str)
    elsewhere = f"belongs to the cloud `{EAST.name}`, but this login is for the cloud `{WEST.name}`"
    assert elsewhere in left.ending.reason
