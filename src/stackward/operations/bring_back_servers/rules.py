"""Whether servers can leave the node where a drain has put them, and what lets them come home."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stackward.model.node import ComputeNode
from stackward.plan import Blocked, Verdict
from stackward.policy.maintenance import SETTLE, claimed_elsewhere
from stackward.policy.node import judge_service
from stackward.policy.rule import Rule
from stackward.policy.wishes import WISH_ASK, WISH_LEAVE

HOME_CLOSED = Rule(
    "home-closed",
    "is not in service: no server can come home",
    "`stackward node return {thing}`, then plan again",
    "Placement offers a disabled node to nobody, and a node that is down takes no server.",
)


def judge_source(source: ComputeNode) -> Iterator[Verdict]:
    """Ask whether servers can leave the node on which a drain has put them.

    It may be in maintenance itself: what the run that is over has left there may go if it is alive.
    """
    if source.claim and source.claiming_run is None:
        yield claimed_elsewhere(source.claim, source.name)
    if source.is_in_maintenance:
        source = replace(source, service=replace(source.service, is_enabled=True))
    yield from judge_service(source)


def advice_for(server: str, against: Sequence[Blocked]) -> str:
    """Say what lets a server come home; the remedies themselves are those of a drain."""
    advice = dict.fromkeys(_advice(server, each) for each in against)
    return "; ".join(sorted(advice, key=lambda each: each == SETTLE))


def _advice(server: str, blocked: Blocked) -> str:
    if blocked.worry in {WISH_ASK.name, WISH_LEAVE.name}:
        return f"get its owner's word and pass `--consent {server}=REFERENCE`"
    return "pass `--allow-downtime`" if "`--allow-downtime`" in blocked.remedy else SETTLE
