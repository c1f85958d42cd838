"""One disagreement between witnesses, as a look has found it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stackward.model.testimony import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A thing of which the witnesses do not say the same."""

    name: str  # of its class, which is stored
    thing: str  # its name, for people
    thing_id: str  # of a server, a consumer of placement, a volume, a record
    hosts: tuple[str, ...]  # those that it touches, as Nova calls them
    says: str  # what is so, in one sentence
    server: str | None = None  # the id of the server that it is about
    place: str = ""  # which of this class and thing: a host, a port, a volume
    witnesses: Mapping[Source, str] = field(default_factory=dict)  # what each says, in words
    remedy: str = ""  # where that of its class does not fit

    @property
    def word(self) -> str:
        """Return what a plan calls it by, in one word for each part."""
        return " ".join(filter(None, (self.name, self.thing_id, self.place)))

    @property
    def key(self) -> tuple[str, str, str, tuple[str, ...]]:
        """Return what makes two cases of two looks the same case."""
        return (self.name, self.thing_id, self.place, self.hosts)
