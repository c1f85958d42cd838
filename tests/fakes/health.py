"""How a cloud of fakes is found to be: well, but for what a test says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from stackward.model.health import Unwell


@dataclass
class FakeHealth:
    """Answers as `cloud check` and `node check` would."""

    ill: dict[str, Unwell] = field(default_factory=dict)  # by node; "": of no node
    asked_but: list[frozenset[str]] = field(default_factory=list)

    def of_cloud(self, *, but: Collection[str]) -> Sequence[Unwell]:
        self.asked_but.append(frozenset(but))
        return [each for node, each in self.ill.items() if node not in but]

    def of_node(self, node: str, /) -> Sequence[Unwell]:
        return [each for name, each in self.ill.items() if name == node]
