"""The lab's day: one lab with three compute nodes, and scenes that are played in it in turn.

A scene is a file `tests/lab/scenes/test_NN_*.py` with one generator, declared by `@scene`. It makes
the state that it needs, unless that is there; calls `stage.begins()`; does one thing, once; yields
what was seen, as a frozen record; and mends what it did. The tests of the file only ask the record.
So any scene can be played alone: `make lab-test SCENE=30`.
"""

import json
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from lab.drains import Drains, leave_none_behind
from real_lab import RealLab, until

Record = TypeVar("Record")
LATER_S = 100  # the most that a scene of a later family may take


@dataclass(kw_only=True)
class Spent:
    """How long the parts of a scene took, in seconds."""

    setup: float = 0.0
    body: float = 0.0
    tests: float = 0.0
    mending: float = 0.0

    @property
    def whole(self) -> float:
        """All of it."""
        return self.setup + self.body + self.tests + self.mending


@dataclass(frozen=True)
class Scene:
    """A declared scene: what it is called, and how long it may take."""

    name: str
    module: str
    says: str
    budget_s: int
    is_later: bool  # its family came after the first day: not counted in the 45 minutes
    spent: Spent = field(default_factory=Spent)


SCENES: dict[str, Scene] = {}  # by the names of their modules


@dataclass
class Stage:
    """The lab in which a scene is played, with the journal of its day."""

    lab: RealLab
    _body: float | None = None

    @property
    def folder(self) -> Path:
        """Where the journal of the lab's day is: it is gone with the lab."""
        place = self.lab.folder / "day"
        place.mkdir(exist_ok=True)
        return place

    @property
    def nodes(self) -> tuple[str, str, str]:
        """Its compute nodes."""
        first, second, third = (node.name for node in self.lab.spec.compute_nodes)
        return first, second, third

    @property
    def drains(self) -> Drains:
        """The product's own commands, with the journal of the day."""
        return Drains(self.lab, self.folder)

    def begins(self) -> None:
        """Say that the state is there, and that what the scene is about begins."""
        self._body = time.monotonic()

    # --- states that scenes need ---

    def all_in_service(self) -> None:
        """Have every compute node in service: what is drained is returned by the product."""
        drains = self.drains
        for node in self.nodes:
            if not drains.is_in_service(node):
                ended = drains.call("node", "return", node, "--yes")
                assert ended.returncode == 0, ended.stderr
        for node in self.nodes:
            until(lambda node=node: drains.is_in_service(node))  # type: ignore[misc]

    def remembers(self, name: str, found: dict[str, str] | None = None) -> dict[str, str]:
        """Keep what one scene leaves for another, or return it; empty where nothing is kept."""
        place = self.folder / f"{name}.json"
        if found is not None:
            place.write_text(json.dumps(found))
        kept: dict[str, str] = json.loads(place.read_text()) if place.exists() else {}
        return kept

    def servers_called(self, begins: str) -> dict[str, str]:
        """Return the ids of all projects' servers whose names begin so, by their names."""
        found = self.lab.cloud.compute.servers(all_projects=True, name=f"^{begins}")
        return {server.name: server.id for server in found}


def scene(
    *, budget_s: int, is_later: bool = False
) -> Callable[[Callable[[Stage], Generator[Record]]], Callable[[RealLab], Iterator[Record]]]:
    """Declare a scene: a fixture of its module, played once for all its tests.

    `budget_s` is how long it may take in all, on a machine with nothing else to do.
    """

    def declare(
        play: Callable[[Stage], Generator[Record]],
    ) -> Callable[[RealLab], Iterator[Record]]:
        said = " ".join((play.__doc__ or "").split())
        declared = Scene(play.__name__, play.__module__, said, budget_s, is_later)
        SCENES[play.__module__] = declared

        @pytest.fixture(scope="module", name=play.__name__)
        def played(lab: RealLab) -> Iterator[Record]:
            stage = Stage(lab)
            with playing(declared, stage, play) as record:
                yield record

        return played

    return declare


@contextmanager
def playing(
    declared: Scene, stage: Stage, play: Callable[[Stage], Generator[Record]]
) -> Iterator[Record]:
    """Play a scene, and note how long its parts took; it is mended whatever its tests say."""
    spent, began, acting = declared.spent, time.monotonic(), play(stage)
    try:
        record = next(acting)
    except BaseException:
        leave_none_behind()
        raise
    finally:
        ended = time.monotonic()
        spent.setup = (stage._body or ended) - began  # noqa: SLF001  # the stage's own clock
        spent.body = ended - began - spent.setup
    try:
        yield record
    finally:
        mending = time.monotonic()
        spent.tests = mending - ended
        try:
            assert next(acting, None) is None, f"{declared.name} yields twice"
        finally:
            leave_none_behind()
            spent.mending = time.monotonic() - mending
