"""Whether a node is alive, known for what it is, and nobody else's."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from stackward.model.claim import read_claim
from stackward.model.maintenance import ReturningNode
from stackward.model.node import ComputeNode
from stackward.model.run import RunState
from stackward.model.unread import Hindrance, Unread
from stackward.model.values import Json
from stackward.plan import Blocked, Verdict
from stackward.policy.rule import Rule
from stackward.ports.libvirt import INSTALL_VIRSH, NO_VIRSH, SEE_LIBVIRT
from stackward.ports.login import way_to
from stackward.wording import in_utc

NODE_DOWN = Rule(
    "node-down",
    "its nova-compute is down, although the machine answers",
    "repair nova-compute there (`systemctl status nova-compute`), then plan again",
    "A drain needs the node's nova-compute: it sends the servers away.",
)
NODE_DEAD = Rule(
    "node-dead",
    "its nova-compute is down and the machine cannot be asked ({why})",
    "{way}; if it is dead, fence it and evacuate its servers; otherwise repair it; then plan again",
    "Servers of a node that may be dead never move without a fence: two copies could run.",
)
FORCED_DOWN = Rule(
    "forced-down",
    "its service was forced down",
    "`openstack compute service set --up {host} nova-compute`, once it is certain what runs there",
    "The mark means that the node is fenced: its servers may already run elsewhere.",
)
CLAIMED = Rule(
    "claimed",
    "it is disabled already: {text}",
    "ask the person who disabled it, then "
    "`openstack compute service set --enable {host} nova-compute` and plan again",
    "The disabled reason is a claim. Stackward never takes over the claim of somebody else.",
)
RUN_UNFINISHED = Rule(
    "run-unfinished",
    "run `{run}` of {operator} has it, and is {state}",
    "`stackward run resume {run}` continues that run",
    "Only one run at a time may have a node, and that run can still end what it started.",
)
RUN_GOES_ON = Rule(
    "run-goes-on",
    "it is held by run `{run}` of {operator}, which still goes on",
    "`stackward run watch {run}` follows it to its end; then plan again",
    "Only one run at a time may have a node.",
)
IDENTITY_REMEMBERED = Rule(
    "identity-remembered",
    "it does not answer now; when it last did, at {at}, its name was that of Nova's host `{host}`",
    "see on its console that its host name is still that one; then write Nova's name into its "
    "entry in the inventory, or its address in Nova (`host_ip`) as its `ansible_host`",
    "That name may be out of date: the machine may have been replaced.",
)
DOMAINS_UNREAD = Rule(
    "domains-unread",
    "its guests cannot be read: {why}",
    f"{SEE_LIBVIRT}; then plan again",
    "Before anything moves, the guests of libvirt are compared with the servers of Nova.",
)
DOMAINS_UNREACHED = Rule(
    "domains-unreached",
    "Nova hears from it, but its guests cannot be read: {why}",
    "{way}; then plan again",
    "Before anything moves, the guests of libvirt are compared with the servers of Nova.",
)
VIRSH_MISSING = Rule(
    "virsh-missing",
    f"its guests cannot be read: {NO_VIRSH}",
    f"{INSTALL_VIRSH}; then plan again",
    "Before anything moves, the guests of libvirt are compared with the servers of Nova. Stackward "
    "asks with `virsh --readonly`, which needs no rights.",
)
STUCK = Rule(
    "stuck",
    "is stuck ({state}): {reason}",
    "{remedy}; then plan again",
    "A stuck move never ends by itself; see the stuck states.",
)


KNOWN_BY = "known by what it said of itself at"


class Identified(Protocol):
    """A compute node, and when it last said who it is, where it says nothing now."""

    @property
    def name(self) -> str:
        """Return what the inventory calls the machine."""
        ...

    @property
    def host(self) -> str:
        """Return what Nova calls its service."""
        ...

    @property
    def identified_at(self) -> datetime | None:
        """Return when it last said so; None where it says so now, or its name is the same."""
        ...


def judge_identity(node: Identified) -> Iterator[Verdict]:
    """Say by what old word a node is known that cannot be asked now."""
    if node.identified_at:
        at = in_utc(node.identified_at)
        yield IDENTITY_REMEMBERED.warns(node.name, host=node.host, at=at)


def identity_told(node: ComputeNode | ReturningNode) -> dict[str, Json]:
    """Return the fact of a plan that says so: one that is blocked shows facts, and no warning."""
    if node.identified_at is None:
        return {}
    return {KNOWN_BY: node.identified_at.isoformat(timespec="seconds")}


def booted_told(booted: datetime | Unread) -> dict[str, Json]:
    """Return the fact of a plan that says since when the node runs; None where nobody knows."""
    return {"booted": None if isinstance(booted, Unread) else booted.isoformat(timespec="seconds")}


def judge_service(node: ComputeNode) -> Iterator[Verdict]:
    """Ask whether the node is alive and nobody else's."""
    service = node.service
    yield from judge_identity(node)
    if node.is_in_maintenance:
        return  # its service is kept off; what it runs nevertheless is for the proofs to find
    if service.is_forced_down:
        yield FORCED_DOWN.blocks(node.name, host=node.host)
    else:
        yield from _judge_life(node)
    if claim := node.claim:
        goes_on = node.claiming_run is RunState.RUNNING
        rule = RUN_GOES_ON if goes_on else RUN_UNFINISHED
        yield rule.blocks(
            node.name, run=claim.run, operator=claim.operator, state=node.claiming_run
        )
    elif not service.is_enabled and read_claim(service.disabled_reason) is None:
        text = service.disabled_reason or "without a reason"
        yield CLAIMED.blocks(node.name, host=node.host, text=text)


def _judge_life(node: ComputeNode) -> Iterator[Blocked]:
    """Separate a machine that may be dead from one that answers but does not show its guests."""
    unread = node.domains if isinstance(node.domains, Unread) else None
    if not node.service.is_up and unread and unread.may_be_dead:
        yield NODE_DEAD.blocks(node.name, why=unread.why, way=way_to(unread))
        return
    if not node.service.is_up:
        yield NODE_DOWN.blocks(node.name)
    if unread and unread.may_be_dead:
        yield DOMAINS_UNREACHED.blocks(node.name, why=unread.why, way=way_to(unread))
    elif unread:
        lacks = unread.by is Hindrance.LACKING
        rule = VIRSH_MISSING if lacks else DOMAINS_UNREAD
        yield rule.blocks(node.name, why=unread.why)
