"""A dead node that no device switches: a person says that it has no power, and nothing contradicts.

Every witness is asked when it is planned, and again before each request; a sign of life ends it.
"""

from collections.abc import Iterable, Iterator
from typing import TypedDict

from stackward.model.run import Settled
from stackward.model.witness import Sign
from stackward.operations.evacuate_compute_node import rules
from stackward.plan import Verdict
from stackward.policy.fence import (
    UNNEEDED,
    identified,
    judge_fence,
    signs_in_words,
)
from stackward.ports.journal import Journal
from stackward.requests.fence_compute_node import FenceRequest
from stackward.status.fence import FenceFacts
from stackward.status.power_device import Whose
from stackward.status.silence import SIGN_OF_LIFE


def rests_on_word(fence: FenceFacts, asked: FenceRequest) -> bool:
    """Say whether a person's word replaces its device: it has none, and the word was given."""
    return fence.is_named and fence.device is None and bool(asked.confirmed_off)


def whose_word(fence: FenceFacts, asked: FenceRequest) -> Whose:
    """Say by what it is known to have no power."""
    return Whose.PERSON if rests_on_word(fence, asked) else identified(fence, asked).whose


def judge_death(fence: FenceFacts, asked: FenceRequest) -> Iterator[Verdict]:
    """Ask whether it is dead: as a fence does; without a device, by the word and all witnesses."""
    if not rests_on_word(fence, asked):
        yield from judge_fence(fence, asked)
        return
    yield from judge_fence(fence, asked, needs_device=False)
    if asked.kill_guests is not None:
        yield UNNEEDED.blocks(fence.name, flag="--kill-guests", why="nothing cuts its power")
    judged = rules.BY_WORD.warns if is_silent(fence) else rules.NOT_SILENT.blocks
    yield judged(fence.name, reference=asked.confirmed_off, signs=signs_in_words(fence))


def judge_locks(
    fence: FenceFacts, asked: FenceRequest, locked: Iterable[tuple[str, str]]
) -> Iterator[Verdict]:
    """Refuse all of it while any disk of the node is open: by a word alone, that is a sign of life.

    A server that is left behind has its guest on the node as well.
    """
    if not rests_on_word(fence, asked):
        return
    for server, host in locked:
        signs = f"somebody has a disk of `{server}` open, as `{host}` sees it"
        yield rules.NOT_SILENT.blocks(fence.name, reference=asked.confirmed_off, signs=signs)
        return


class Witnessed(TypedDict, total=False):
    """What a step needs to ask every witness; nothing if a device shows the power."""

    word: str | None
    addresses: tuple[str, ...]
    peers: tuple[str, ...]


def witnesses_of(fence: FenceFacts, asked: FenceRequest) -> Witnessed:
    """Return the witnesses that the steps ask before each request, if no device shows the power."""
    if not rests_on_word(fence, asked):
        return {}
    return {"word": asked.confirmed_off, "addresses": fence.addresses, "peers": fence.peers}


def is_silent(fence: FenceFacts) -> bool:
    """Say whether it was called, nothing answered, and neither Nova nor Neutron hears from it."""
    signs = fence.signs
    return signs.is_silent_now and signs.heartbeat is Sign.NO and signs.agent is not Sign.YES


def sign_of_life(journal: Journal, run: str) -> str | None:
    """Return the sign of life that a run has seen before a request or a stage, if there was one.

    It counts permanently: a node that answers once and is silent again is cut off, not dead.
    """
    failed = (one for one in journal.attempts(run) if one.settled is Settled.FAILED)
    said = (
        *(one.said.reason or "" for one in failed),
        *(str(one.says.get("reason") or "") for one in journal.events(run)),
    )
    return next((reason for reason in said if SIGN_OF_LIFE in reason), None)
