"""Read which nodes are in a host aggregate."""

from collections.abc import Sequence

from stackward.errors import BadInput
from stackward.ports.nova import Nova


def read_hosts_of(nova: Nova, aggregate: str) -> Sequence[str]:
    """Return the hosts of an aggregate, by its name or UUID; refuse one that has none."""
    known = nova.aggregates()
    found = [each for each in known if aggregate in {each.name, each.uuid}]
    if not found:
        names = ", ".join(f"`{name}`" for name in sorted({each.name for each in known}))
        raise BadInput(
            f"there is no aggregate `{aggregate}`",
            hint=f"the aggregates are {names}" if names else "this cloud has none",
        )
    hosts = sorted({host for each in found for host in each.hosts})
    if not hosts:
        raise BadInput(
            f"the aggregate `{aggregate}` has no node",
            hint="name the nodes, or an aggregate that has some",
        )
    return hosts
