"""What is asked of a repair of disagreements."""

from dataclasses import dataclass
from typing import ClassVar

from stackward.model.orphan import MIN_AGE_S
from stackward.settings import RECONCILE_WAIT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "reconcile-cloud"

    classes: tuple[str, ...]  # those whose cases are repaired
    host: str | None = None  # only what touches this host, as Nova calls it
    wait_s: float = RECONCILE_WAIT_S  # between the two looks of the plan
    # In a plan: the cases that two looks have seen, by their words. What is new since is not in it.
    cases: tuple[str, ...] | None = None
    hosts: tuple[str, ...] = ()  # same: those that they touch
    kill_domain: tuple[str, ...] = ()  # NODE/ID: this guest there is ended, its disk stays
    remove: tuple[str, ...] = ()  # KIND or KIND/ID: what is left, and is removed
    min_age_s: float = MIN_AGE_S  # that must be left at least so long
    # In a plan: what is left of these, by its words. What is new since is not in it.
    orphans: tuple[str, ...] | None = None
