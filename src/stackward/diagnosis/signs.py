"""What a user notices of a failure, as services log it: each is one declared entry."""

import re
from dataclasses import dataclass

from stackward.facts.failure import Signs
from stackward.logs.event import Event, Level

MOST_READ = 2048  # characters of a message: what follows says no more, and costs time


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Words of a log by which it is known that a user has noticed something."""

    form: re.Pattern[str]
    says: str  # what the user sees
    sample: str
    level: Level = Level.INFO  # from which level on
    is_plain: bool = False  # a user sees it for sure; False: it needs a user, and another event


SIGNS = (
    Sign(
        sample='"POST /v2.1/servers HTTP/1.1" status: 500 len: 368',
        form=re.compile(r"status: 5\d\d\b|\(HTTP/[\d.]+ 5\d\d\)|\" 5\d\d "),
        says="an API answered with an error of its own",
        is_plain=True,
    ),
    Sign(
        sample="Unexpected exception in API method: KeyError",
        form=re.compile(
            r"Unexpected exception in API method|Unexpected API Error|returned with HTTP 5\d\d|"
            r"HTTP exception thrown: (?:Unexpected|Internal)|Caught error: |"
            r"^(?:create|update|delete|index|show|\w+_router_interface) failed: No details"
        ),
        says="an API answered with an error of its own",
        is_plain=True,
    ),
    Sign(
        sample="Setting instance to ERROR state.",
        form=re.compile(
            r"(?:vm_state|[Ii]nstance|[Vv]olume|status|[Ss]napshot|[Bb]ackup)\b.{0,60} to "
            r"(?:the )?['\"]?(?:ERROR|error(?:_\w+)?)\b"
        ),
        says="a server or a volume was put into the state ERROR",
        is_plain=True,
    ),
    Sign(
        sample="Failed to compute_task_build_instances: No valid host was found.",
        form=re.compile(
            r"Failed to (?:schedule|compute_task_build_instances|build and run instance|"
            r"compute_task_migrate_server|compute_task_rebuild_instance|run task|create volume|"
            r"schedule_create)|No valid (?:host|backend)|"
            r"Build of instance \S+ (?:aborted|was re-scheduled)|Exceeded max(?:imum)? "
            r"(?:number of retries|scheduling attempts)|Error from last host|"
            r"Instance failed (?:network setup|to spawn|block device setup)|"
            r"Failed to allocate (?:the )?network|[Vv]olume \S+: create failed"
        ),
        says="a server or a volume could not be made",
        level=Level.WARNING,
    ),
    Sign(
        sample="Failed to attach volume 4f3c at /dev/vdb",
        form=re.compile(
            r"(?:Failed to|Error trying to|Cannot|Unable to) (?:attach|detach|delete|reboot|resize|"
            r"migrate|rebuild|start|stop|snapshot|extend|connect(?! to AMQP)|plug|unplug)\b|"
            r"[Mm]igration (?:operation has aborted|failed)|Error: \w+ .* (?:attach|detach)"
        ),
        says="something that a user had asked for was not done",
        level=Level.ERROR,
    ),
)  # fmt: skip

# It takes back what was noticed of a server before: it was made after all.
MADE = re.compile(r"^Took [\d.]+ seconds to (?:build|spawn)\b")
# A healthy cloud logs it of each server: it is looked for only where there is a sign to take back.
MADE_WORDS = ("seconds to build", "seconds to spawn")

# What gives a reason below the level of a warning; it counts where nothing graver does.
REASONS = re.compile(
    r"HTTP exception thrown|Filter \S+ returned 0 hosts|Filtering removed all hosts|"
    r"Got no allocation candidates|status: 5\d\d\b"
)
# What is looked for below the level of a warning: parts of what the forms above have.
WORDS = (
    "HTTP 5",
    "HTTP/1.0 5",
    "HTTP/1.1 5",
    'HTTP/1.0" 5',
    'HTTP/1.1" 5',
    "status: 5",
    "Unexpected exception in API method",
    "Unexpected API Error",
    "Caught error: ",
    "failed: No details",
    "to ERROR",
    "to error",
    "HTTP exception thrown",
    "returned 0 hosts",
    "Filtering removed all hosts",
    "Got no allocation candidates",
)


def sign_of(one: Event) -> Sign | None:
    """Return what a user notices by this event; None where that is nothing."""
    texts = (one.message, *(f"{each.exception}: {each.message}" for each in one.raised[-1:]))
    return next(
        (
            sign
            for sign in SIGNS
            if one.level >= sign.level
            and (sign.is_plain or one.user is not None)
            and any(sign.form.search(text[:MOST_READ]) for text in texts)
        ),
        None,
    )


def may_be_taken_back(one: Event) -> bool:
    """Say whether a user notices something by this event that a later one may take back."""
    return (one.server or one.request) is not None and sign_of(one) is not None


LOOKED_FOR = Signs(words=WORDS, made_good=MADE_WORDS, may_be_made_good=may_be_taken_back)
