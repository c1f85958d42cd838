"""In which order servers are brought up: waves by tier and priority; what names none comes last.

A tier is one of those that are listed in order. A server has the tier of its flavor, else that of
its project. Within a tier its priority decides, an integer, lower first.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.plan import Warned
from stackward.policy.rule import Rule

TIER, PRIORITY = "stackward:tier", "stackward:priority"
NONE = "none"

_WHOLE = re.compile(r"[+-]?\d{1,9}")

UNKNOWN_TIER = Rule(
    "start/unknown-tier",
    "its tier `{tier}` is not in `STACKWARD_TIERS`: it will be started last",
    "add the tier there, or correct the {where}",
    "Only tiers that are listed have an order.",
)
BAD_PRIORITY = Rule(
    "start/bad-priority",
    "has the priority `{given}`, which is no whole number: it will be started last in its tier",
    "set a whole number there, or `openstack server unset --property stackward:priority {id}`; "
    "lower comes first",
    "What is no number has no order.",
)
TAGS_UNREAD = Rule(
    "start/tags-unread",
    "whether its project has a tier cannot be read: {why}; it will be started last",
    "to give it its place in the order, make Keystone answer, then plan again",
    "A tier may be a tag of the project: `stackward:tier=NAME`.",
)

Tags = Mapping[str, tuple[str, ...] | Unread]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Servers that may be brought up together, and what they have in common."""

    tier: str
    priority: str
    servers: tuple[Server, ...]

    @property
    def name(self) -> str:
        """Return what its stage is called; a slash would be a part of a path."""
        return f"tier {self.tier}, priority {self.priority}".replace("/", "-")


def waves_of(servers: Iterable[Server], tags: Tags, tiers: Sequence[str]) -> tuple[Wave, ...]:
    """Return the servers in waves, in their order; `tags` are those of their projects."""
    found: dict[tuple[int, float], list[Server]] = {}
    for server in servers:
        tier, _ = _tier_of(server, tags)
        place = tiers.index(tier) if tier in tiers else len(tiers)
        priority = _priority_of(server)
        key = (place, float("inf") if priority is None else float(priority))
        found.setdefault(key, []).append(server)
    return tuple(
        Wave(
            tier=tiers[place] if place < len(tiers) else NONE,
            priority=NONE if priority == float("inf") else f"{priority:.0f}",
            servers=tuple(sorted(those, key=lambda one: (one.name, one.id))),
        )
        for (place, priority), those in sorted(found.items())
    )


def judge_wave(server: Server, tags: Tags, tiers: Sequence[str]) -> Iterator[Warned]:
    """Say what of its order cannot be followed."""
    tier, where = _tier_of(server, tags)
    told = tags.get(server.project, ())
    if tier is None and isinstance(told, Unread):
        yield TAGS_UNREAD.warns(server.label, server.id, why=told.why)
    elif tier is not None and tier not in tiers:
        yield UNKNOWN_TIER.warns(server.label, server.id, tier=tier, where=where)
    given = dict(server.metadata).get(PRIORITY)
    if given is not None and _priority_of(server) is None:
        yield BAD_PRIORITY.warns(server.label, server.id, given=given)


def _tier_of(server: Server, tags: Tags) -> tuple[str | None, str]:
    if (tier := server.flavor.spec(TIER)) is not None:
        return tier, f"extra spec `{TIER}` of the flavor `{server.flavor.name}`"
    told = tags.get(server.project, ())
    known = () if isinstance(told, Unread) else told
    own = (each.removeprefix(f"{TIER}=") for each in known if each.startswith(f"{TIER}="))
    return next(own, None), "tag of its project"


def _priority_of(server: Server) -> int | None:
    given = dict(server.metadata).get(PRIORITY, "").strip()
    return int(given) if _WHOLE.fullmatch(given) else None
