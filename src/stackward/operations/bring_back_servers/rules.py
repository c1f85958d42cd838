"""What stands against a homecoming alone."""

from stackward.policy.rule import Worry

HOME_CLOSED = Worry(
    "home-closed",
    "is not in service: no server can come home",
    "`stackward node return {thing}`, then plan again",
    "Placement offers a disabled node to nobody, and a node that is down takes no server.",
)
