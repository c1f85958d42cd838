"""Of which cloud a plan is: a decision that no run may be carried out against."""

from dataclasses import replace
from typing import Any

from stackward.errors import OtherCloud, Refused
from stackward.model.cloud import CLOUD, CloudIdentity, KnownCloud, known_cloud
from stackward.plan.plan import Plan

_LOG_IN = "log in to that cloud: `--os-cloud NAME`, or its OS_* variables; or plan again for this"
_BY_URL = "log in by the URL of the plan, if that is this cloud too; otherwise plan again"


def of_cloud(plan: Plan[Any], cloud: CloudIdentity) -> Plan[Any]:
    """Return the plan as one of this cloud."""
    return replace(
        plan,
        decisions={**plan.decisions, CLOUD: cloud.id},
        facts={**plan.facts, CLOUD: cloud.name},
    )


def cloud_of(plan: Plan[Any]) -> KnownCloud:
    """Return what the plan says of its cloud."""
    return known_cloud(plan.decisions, plan.facts)


def refuse_unsaid(plan: Plan[Any]) -> None:
    """Refuse a plan that does not say of which cloud it is."""
    if cloud_of(plan) == KnownCloud():
        raise Refused(
            "the plan does not say of which cloud it is: an older version of Stackward made it",
            hint="plan again with `--plan-out`",
        )


def left_to_operators(plan: Plan[Any], cloud: CloudIdentity) -> str | None:
    """Say why no worker of this cloud takes a run of the plan; None: workers take it."""
    match cloud.is_meant(cloud_of(plan)):
        case None:
            return "its plan is of an older version, which did not write down of which cloud it is"
        case False:
            return f"it is of the cloud {cloud_of(plan)}"
        case _:
            return None


def refuse_another(what: str, known: KnownCloud, cloud: CloudIdentity) -> bool:
    """Refuse a plan of another cloud than ours; say whether the plan names its cloud at all.

    A plan of an older version knows its cloud by its URL alone: by another URL of the same cloud
    it cannot be compared, and is refused too.
    """
    is_ours = cloud.is_meant(known)
    if is_ours is False:
        by_url = "it was planned by an older version, which knew clouds by this URL alone"
        details = [f"that one is {known.id}; this one {cloud.id}" if known.id else by_url]
        raise OtherCloud(
            f"{what} belongs to the cloud {known}, but this login is for the cloud `{cloud.name}`",
            details=details,
            hint=_LOG_IN if known.id else _BY_URL,
        )
    return is_ours is not None
