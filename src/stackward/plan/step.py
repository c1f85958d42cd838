"""A step: one small change that can say how far it is.

The engine starts a step only if it is *todo*, so a crash at any line is harmless. What was started
is found by looking at the world; our own memory (the mark) only says where to look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from stackward.model.values import Json, Mark
from stackward.ports.world import W_contra


class Standing(StrEnum):
    """The state of a step, as the world shows it."""

    TODO = "todo"  # nothing of it has started
    UNDERWAY = "underway"
    DONE = "done"  # proved
    FAILED = "failed"  # it ended, and not well
    FOREIGN = "foreign"  # somebody else acts on the same thing: stop, and say who
    UNKNOWN = "unknown"  # what must be read for the proof cannot be read: never taken for done


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a step has come; what the world does not show is None."""

    fraction: float | None = None  # 0 to 1
    remaining_bytes: int | None = None


GIVEN_UP = "given up"
"""In `saw`: the step has failed because it was told to end, and what it is about is as before."""

SET_ASIDE = "set aside"
"""In `saw`: why nothing more is done for the thing of a step that holds up no other by that."""


REDEFINED = "definition changes"
"""In `saw`: the lines by which libvirt's definition of a guest differs from the one of before."""


CUT_OFF = "cut off"
"""In `saw`: why the guest of a server did not end by itself, and was ended."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a step: its state, and what the operator should read about it."""

    standing: Standing
    reason: str | None = field(default=None, kw_only=True)  # in our words: why failed, whose act
    service: str | None = field(default=None, kw_only=True)  # who said so: "Nova"
    says: str | None = field(default=None, kw_only=True)  # in the service's own words
    request_id: str | None = field(default=None, kw_only=True)
    remedy: str | None = field(default=None, kw_only=True)  # what to do about it
    progress: Progress | None = field(default=None, kw_only=True)
    saw: Mapping[str, Json] = field(default_factory=dict, kw_only=True)  # evidence, journaled
    is_over: bool = field(default=False, kw_only=True)  # nobody works on it any more
    # Of what was taken away: a run that is resumed after it stopped for that does it again.
    is_repeated: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        if self.standing in _MUST_SAY_WHY and not (self.reason or self.says):
            message = f"a look that finds {self.standing} must say why"
            raise ValueError(message)


_MUST_SAY_WHY = {Standing.FAILED, Standing.FOREIGN, Standing.UNKNOWN}


class Step(Protocol[W_contra]):
    """One small repeatable change: a frozen dataclass whose fields survive JSON.

    `kind`, the names of the fields and their meaning are a stored format: a running plan must
    survive an upgrade of our own software. A field with the metadata `VOLATILE` is no decision.
    No field holds a secret: a step holds the *name* of a credential.
    """

    kind: ClassVar[str]

    @property
    def summary(self) -> str:
        """Say what it does, as an order: "live-migrate `web-3` off `compute-07`"."""
        ...

    @property
    def undo(self) -> str:
        """Say how its effect is taken back, or why that cannot be."""
        ...

    def mark(self, world: W_contra, /) -> Mark:
        """Note what is newest now; the engine stores it before it calls `start`."""
        ...

    def look(self, world: W_contra, mark: Mark | None, /) -> Look:
        """Return the state of the step, counting only what is newer than `mark`.

        Without a mark we have not started it: it is todo, done already, foreign or unknown.
        """
        ...

    def start(self, world: W_contra, /) -> str | None:
        """Ask the world for the change, once; never wait for it, never repeat it.

        Returns the id by which the service knows the request, if it gave it one. Raises `Uncertain`
        if the answer was lost, or if the service says that it is already busy with it: the engine
        looks again. Raises `Unreachable` if nothing was sent, `StepFailed` or `Refused` if the
        world said no.
        """
        ...


@runtime_checkable
class Traced(Protocol[W_contra]):
    """A step that can report what has become of its thing, if a fresh plan leaves it out."""

    def trace(self, world: W_contra, /) -> Mapping[str, Json]:
        """Return it as evidence for the journal: for example who deleted it, or where it is."""
        ...


@runtime_checkable
class FromHost(Protocol):
    """A step by which a server leaves a host."""

    @property
    def source(self) -> str:
        """Return the host that it leaves, as Nova calls it."""
        ...


@runtime_checkable
class Prompt(Protocol):
    """A step whose effect is there once its order is answered: it is looked at right then."""

    is_prompt: ClassVar[bool]


@runtime_checkable
class Waiting(Protocol):
    """A step that starts nothing: it waits for what comes by itself, perhaps for long."""

    only_waits: ClassVar[bool]


@runtime_checkable
class Lasting(Protocol[W_contra]):
    """A step whose effect must last as long as the run that has done it, such as a cordon."""

    def lost(self, world: W_contra, /) -> Look | None:
        """Say who has taken it away since it was done, and the way on; None where it lasts."""
        ...


@runtime_checkable
class Lifting(Protocol):
    """A step that may take back what a lasting step of the same run has done."""

    @property
    def lifts(self) -> str | None:
        """Return the kind of that lasting step; None where it takes back another run's."""
        ...


@runtime_checkable
class Examined(Protocol[W_contra]):
    """A step that can find out whether its change is stuck for good, by a closer look."""

    def examine(self, world: W_contra, mark: Mark | None, quiet_s: float, /) -> Look | None:
        """Say why it will never end; None where it may go on.

        Asked where looks have found it underway, and all the same, for `quiet_s` seconds.
        """
        ...
