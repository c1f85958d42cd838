"""Every kind of step, check and request that a stored plan may hold."""

from typing import Any

from stackward import checks, requests, steps
from stackward.plan import Kinds, Plan, from_json

KINDS = Kinds(steps=steps.KINDS, checks=checks.KINDS, requests=requests.KINDS)


def read_plan(text: str) -> Plan[Any]:
    """Read a stored plan; refuse what this version does not understand."""
    return from_json(text, KINDS)
