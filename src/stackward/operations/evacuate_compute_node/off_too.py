"""Whether another node that cannot be read is dead as well: by the proof that the first one needs.

What has no power runs no guest. Its device must say so, be known for its own, and nothing of the
node may answer. Its power is never cut here: it was fenced before.
"""

from dataclasses import dataclass

from stackward.errors import StackwardError
from stackward.facts.fence import read_fence
from stackward.facts.power_history import read_fenced
from stackward.model.unread import Unread
from stackward.policy.fence import identified
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.fence_compute_node import FenceRequest
from stackward.status.fence import FenceFacts
from stackward.status.life import Life
from stackward.status.power_device import Whose

_PROVED = {Whose.IDENTITY, Whose.BOOT}


@dataclass(frozen=True, slots=True, kw_only=True)
class OffToo:
    """Another node that has no power, and by what that is known."""

    fence: FenceFacts
    whose: Whose
    run: str | None  # of ours, which has fenced it

    @property
    def words(self) -> str:
        """Say how it is known."""
        by = f", and run `{self.run}` has fenced it" if self.run else ""
        return f"its device says Off{by}; nothing of it answers"


def read_off_too(world: World, journal: Journal, host: str) -> OffToo | Unread:
    """Return the proof that a node has no power; or why there is none."""
    asked = FenceRequest(node=host)
    try:
        fence = read_fence(world, journal, asked, world.acting.run if world.acting else None)
        if fence.life is not Life.DEAD:
            return Unread(f"it is {fence.life.value}")
        whose = identified(fence, asked).whose
        run = read_fenced(journal, world.cloud.identity().id, host)
    except StackwardError as error:
        return Unread.of(error)
    if whose is Whose.ANOTHERS or not (whose in _PROVED or run):
        return Unread("its device says Off, and nothing proves that this device is its own")
    return OffToo(fence=fence, whose=whose, run=run)
