"""What a run may ask of how its cloud is: the look and the judgement of `cloud check`."""

from collections.abc import Collection, Sequence
from typing import Protocol

from stackward.model.health import Unwell


class HealthCheck(Protocol):
    """Looks once, and judges; changes nothing. What it could not see is no "well"."""

    def of_cloud(self, *, but: Collection[str]) -> Sequence[Unwell]:
        """Return why the cloud is not well, the first cause first; none: it is well.

        What is so of the hosts in `but`, and what follows from that, does not count.
        """
        ...

    def of_node(self, node: str, /) -> Sequence[Unwell]:
        """Return why a node is not well; none: it is."""
        ...
