"""A rule by which plans are judged: its name, and the words of its verdict.

The words are next to the code that finds it. The reference page is made from all of them
(`operations.every_rule`). `name` is stable: plans are compared by it.
"""

from dataclasses import dataclass

from stackward.masking import masked
from stackward.plan import Blocked, Warned


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule's words; `{...}` is filled in where a verdict is made."""

    name: str
    reason: str
    remedy: str
    why: str

    def blocks(self, thing: str, thing_id: str = "", **words: object) -> Blocked:
        """Return the verdict that refuses approval."""
        reason, remedy = self._filled(thing, thing_id, words)
        return Blocked(thing, reason, remedy, thing_id, self.name)

    def warns(self, thing: str, thing_id: str = "", **words: object) -> Warned:
        """Return the verdict that is approved along with the plan."""
        reason, remedy = self._filled(thing, thing_id, words)
        return Warned(thing, reason, remedy, thing_id, self.name)

    def _filled(self, thing: str, thing_id: str, words: dict[str, object]) -> tuple[str, str]:
        said = {"thing": thing, "id": thing_id, **words}
        return masked(self.reason.format(**said)), masked(self.remedy.format(**said))
