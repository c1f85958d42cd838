"""The last of a lab's day: purged, it leaves nothing on this machine.

Where the lab is given, or kept, another one is made for it and purged.
"""

import os
from collections.abc import Generator
from dataclasses import dataclass

from lab.stage import Stage, scene
from left_behind import left_behind
from real_lab import OF_ITS_OWN, RealLab


@dataclass(frozen=True, kw_only=True)
class End:
    """What a purged lab has left."""

    left: list[str]
    folder_is_there: bool


@scene(budget_s=20)
def end(stage: Stage) -> Generator[End]:
    """Purge the lab."""
    lab = stage.lab
    if os.environ.get("STACKWARD_TEST_LAB") or os.environ.get("STACKWARD_TEST_KEEP"):
        lab = RealLab(OF_ITS_OWN)
        lab.run("up")
    spec = lab.spec
    stage.begins()
    lab.run("down", "--purge")
    yield End(left=left_behind(spec), folder_is_there=spec.folder.exists())


def test_a_purged_lab_leaves_nothing_on_the_host_or_the_disk(end: End) -> None:
    assert end.left == []
    assert not end.folder_is_there
