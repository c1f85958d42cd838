"""Members of clusters on machines that the inventory does not name: not looked at, never ok."""

import json

import pytest

from fakes.nodes import NO_ROUTE
from fakes.site import Site
from stackward.model.health import Kept
from stackward.report.health import summary


def members(site: Site, *names: str) -> None:
    """Let RabbitMQ have these members, all running."""
    answer = site.told("ctl")["commands"]["rabbitmq cluster"]
    told = {"disk_nodes": names, "running_nodes": names}
    answer["out"] = json.dumps({**json.loads(answer["out"]), **told})


def unseen(site: Site, component: str) -> list[str]:
    """Return which members were not looked at."""
    return [gap.what for gap in site.look().gaps if gap.component == component]


def test_a_member_of_rabbitmq_whose_node_the_inventory_does_not_name_is_named() -> None:
    site = Site()
    members(site, "rabbit@ctl", "rabbit@ctl2.example.org")

    health = site.look()

    assert health.findings == ()
    [gap] = [gap for gap in health.gaps if gap.component == "rabbitmq"]
    assert (gap.what, gap.kind) == ("`rabbit@ctl2.example.org` of RabbitMQ", Kept.SPARED)
    assert summary(health).startswith("ok as far as asked")


@pytest.mark.parametrize("name", ["rabbit@c01", "rabbit@c01.example.org"])
def test_a_member_on_a_node_of_the_inventory_is_none(name: str) -> None:
    site = Site()
    members(site, "rabbit@ctl", name)

    assert unseen(site, "rabbitmq") == []


def test_while_a_node_has_not_told_its_name_it_may_be_the_member() -> None:
    site = Site()
    members(site, "rabbit@ctl", "rabbit@ctl2")
    site.nodes.told["c02"] = NO_ROUTE

    assert "`rabbit@ctl2` of RabbitMQ" not in unseen(site, "rabbitmq")


def galera(site: Site, size: int) -> None:
    """Let MariaDB be a member of so many."""
    facts = {
        "wsrep_on": "ON", "wsrep_ready": "ON", "wsrep_cluster_status": "Primary",
        "wsrep_cluster_size": str(size), "wsrep_local_state_comment": "Synced",
    }  # fmt: skip
    out = site.told("ctl")["commands"]["mariadb"]["out"].splitlines()
    kept = [line for line in out if line.partition("\t")[0] not in facts]
    lines = [*kept, *(f"{name}\t{value}" for name, value in facts.items())]
    site.command("ctl", "mariadb", 0, out="\n".join(lines) + "\n")


@pytest.mark.parametrize(("size", "members"), [(1, []), (3, ["2 members of Galera"])])
def test_members_of_galera_that_were_not_looked_at_are_counted(
    size: int, members: list[str]
) -> None:
    site = Site()
    galera(site, size)

    gaps = [gap for gap in site.look().gaps if gap.component == "mariadb"]

    assert [gap.what for gap in gaps] == members
    assert all(gap.kind is Kept.SPARED for gap in gaps)
