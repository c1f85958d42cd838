"""What a drain costs the cloud: calls of its APIs, counted."""

import pytest

from builders import a_server
from cli.test_drain import DRAIN, Site
from cli.test_drain import site as site  # noqa: PLC0414  # a fixture

# Asked once for each look at all moves together, or once in a while for people to see.
SHARED = {"newest migrations", "remaining bytes"}


def calls_of(site: Site, status: str, count: int) -> int:
    """Drain a node of so many servers; return the calls, but for those that all share."""
    site.cloud.nova.known.clear()
    site.cloud.nova.add(
        *(a_server(status, name=f"web-{n}", host="compute-07") for n in range(count))
    )
    for host in site.cloud.nova.hosts:
        site.cloud.nova.computes[host] = type(site.cloud)().nova.computes[host]
    site.cloud.calls.clear()

    code, _, err = site.run(*DRAIN, "--yes", "--keep-service")

    assert code == 0, err
    return sum(n for what, n in site.cloud.calls.items() if what not in SHARED)


@pytest.mark.parametrize(
    ("status", "calls"),
    [pytest.param("ACTIVE", 31, id="live"), pytest.param("SHUTOFF", 43, id="cold")],
)
def test_each_server_costs_the_same_number_of_calls(site: Site, status: str, calls: int) -> None:
    """With one port and no volume; docs/concepts/what-proved-means.md states the numbers."""
    few, more, many = (calls_of(site, status, count) for count in (4, 8, 16))

    assert (more - few, many - more) == (4 * calls, 8 * calls)
