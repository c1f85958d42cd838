"""What can go wrong, sorted by what the caller can do about it.

StackwardError          it did not work; nothing more is known
├── BadInput            a flag, a setting or a file given cannot be understood: correct it
├── Refused             the request cannot be granted as asked: report it, change nothing
│   ├── StalePlan       facts changed since approval: plan again
│   ├── Locked          another run holds the node: says which
│   ├── NotInCatalog    the cloud has no such service for this login
│   └── OtherCloud      this login leads to another cloud: log in to the one that is named
├── PartlySeen      it is in no place that could be read; other places could not be read
├── Superseded      another worker has taken over the run: this one starts nothing more
├── StepFailed          a step failed: the run stops here and can be resumed
├── Unreachable         transport: safe to repeat, the change was not sent
│   └── NotUnderstood   an answer came, and its shape is not known: it proves nothing
└── Uncertain           transport: the change may have taken effect: look before repeating
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar, TypeVar

from stackward.masking import masked


class ExitCode(IntEnum):
    """How a command ended. Scripts depend on these numbers: they never change their meaning."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    BLOCKED = 3
    STOPPED = 4
    UNVERIFIED = 5
    DEGRADED = 6
    BROKEN = 7
    UNSEEN = 8
    INTERRUPTED = 130  # what a shell reports for SIGINT
    OUTPUT_CLOSED = 141  # what a shell reports for SIGPIPE

    @property
    def meaning(self) -> str:
        """Say in one line what a script may conclude."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.DONE: "done; of a look: no findings",
    ExitCode.FAILED: "failed",
    ExitCode.USAGE: "a flag, a setting or a file cannot be understood",
    ExitCode.BLOCKED: "blocked: the request was refused and nothing was changed",
    ExitCode.STOPPED: "stopped before its end: the run can be resumed",
    ExitCode.UNVERIFIED: "unverified: it may be done, but that could not be proved",
    ExitCode.DEGRADED: "looked: it works, but some of it does not, or could not be looked at",
    ExitCode.BROKEN: "looked: it does not work",
    ExitCode.UNSEEN: "could not look: no answer from where the answer would be",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
    ExitCode.OUTPUT_CLOSED: "the reader of the output went away, as in `| head`",
}


Kind = TypeVar("Kind", bound="StackwardError")


class StackwardError(Exception):
    """It did not work; nothing more is known.

    The fields are the parts of the text that the operator reads. `message` says what could not be
    done, to what, in lower case and without a full stop.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    usual_stand: ClassVar[str | None] = None

    def __init__(  # noqa: PLR0913  # one keyword for each part of the message
        self,
        message: str,
        *,
        details: Sequence[str] = (),
        service: str | None = None,
        says: str | None = None,
        request_id: str | None = None,
        stands: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(masked(message))
        self.message = masked(message)
        self.details = tuple(
            map(masked, details)
        )  # everything knowable is said at once: one line per thing
        self.service = service  # who said it: "Nova"
        self.says = masked(says) if says else says  # in the service's own words
        if self.says:
            self.add_note(self.says)  # so that a traceback has them too
        self.request_id = request_id  # operators search the logs for it
        self.stands = stands or self.usual_stand  # how things are now
        self.hint = hint  # the way on

    def as_kind(self, kind: type[Kind], message: str, *, details: Sequence[str] = ()) -> Kind:
        """Return an error of another kind: who said it, in what words, and the way on are kept."""
        return kind(
            message,
            details=details,
            service=self.service,
            says=self.says,
            request_id=self.request_id,
            hint=self.hint,
        )


class BadInput(StackwardError):
    """A flag, a setting or a file given cannot be understood: correct it."""

    exit_code = ExitCode.USAGE


class Refused(StackwardError):
    """The request cannot be granted as asked; nothing was changed."""

    exit_code = ExitCode.BLOCKED
    usual_stand = "nothing was changed"


class StalePlan(Refused):
    """Facts changed since the plan was approved: plan again."""


class NotInCatalog(Refused):
    """The cloud has no such service, or shows none to this login."""


class Locked(Refused):
    """Another run holds what this one needs; the message says which."""


class OtherCloud(Refused):
    """What was planned for one cloud is asked of another; the message names both."""


class PartlySeen(StackwardError):
    """It is in no place that could be read; not all could be: make the others readable."""

    exit_code = ExitCode.DEGRADED


class Superseded(StackwardError):
    """Another worker has taken over the run: this one starts nothing more."""

    exit_code = ExitCode.STOPPED


class StepFailed(StackwardError):
    """A step failed: the run stops here and can be resumed."""

    exit_code = ExitCode.STOPPED


class Unreachable(StackwardError):
    """No answer, and the change was not sent: safe to repeat."""

    exit_code = ExitCode.UNSEEN
    after_s: float | None = None  # where the service says when to come back


class NotStarted(Unreachable):
    """The question could not start on this machine: nothing was sent, and nobody was silent."""


class NotUnderstood(Unreachable):
    """An answer came whose shape is not known: it proves nothing; safe to ask again."""


class Uncertain(StackwardError):
    """The change may have taken effect: look before repeating."""

    exit_code = ExitCode.UNVERIFIED
