"""Every declared fault is made, seen, mended and gone, and leaves the lab as it was."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import pytest

from real_lab import RealLab, until
from stackward.errors import ExitCode
from stackward.lab.faults import FAULTS
from stackward.lab.scene import Scene, looks

Row: TypeAlias = tuple[tuple[str, str], ...]
Rows: TypeAlias = tuple[Row, ...]

# What is in one test is made and mended side by side, what is in one row of it one after another.
# Most of a fault's time is waiting for Nova, which can be done on two nodes at once.
SIDE_BY_SIDE = (
    ((("node-power-loss", "c01"),), (("node-network-loss", "c02"),)),
    ((("nova-compute-killed", "c02"),), (("nova-compute-deaf", "c01"), ("disk-full", "c01"))),
    (
        (("libvirtd-stopped", "c02"),),
        (("domain-undefined", "load-1"), ("base-image-deleted", "load-1")),
    ),
    ((("rabbitmq-stopped", "ctl"), ("rabbitmq-restarted", "ctl")),),
    ((("node-hung", "c01"),), (("bmc-wrong-node", "c02"), ("bmc-lies-off", "c02"))),
    ((("mariadb-stopped", "ctl"), ("wrong-keystone-password", "ctl")),),
)

# All that a fault may write into on a node.
TOUCHED = (
    "find /etc/nova /etc/systemd /run/systemd/system -type f | sort | xargs md5sum;"
    " ls /var/lib; ls /var/tmp | grep -v systemd-private || true"
)


def picture(lab: RealLab) -> dict[str, Any]:
    """Return all of the lab's state that a mended fault must leave as it was."""
    cloud = lab.cloud
    services = [*cloud.compute.services(), *cloud.block_storage.services()]
    servers = cloud.compute.servers(all_projects=True)
    nodes = [node.name for node in lab.spec.nodes]
    return {
        "services": sorted((it.binary, it.host, it.state, it.status) for it in services),
        "servers": sorted(
            (it.name, it.status, it.task_state, it.hypervisor_hostname) for it in servers
        ),
        "domains": [lab.domains(node.name) for node in lab.spec.compute_nodes],
        "nodes": [lab.on(node, f"systemctl --failed --no-legend; {TOUCHED}") for node in nodes],
        "faults": lab.read("status")["faults"],
    }


@pytest.fixture(scope="module")
def loaded(lab: RealLab) -> RealLab:
    """Given a lab with servers of all kinds and without a fault."""
    lab.run("load", "6")
    until(lambda: has_as_many_domains_as_servers(lab))
    return lab


def has_as_many_domains_as_servers(lab: RealLab) -> bool:
    """Say whether what earlier tests had is gone from libvirt too: Nova removes it in its time."""
    domains = [name for node in lab.spec.compute_nodes for name in lab.domains(node.name)]
    return len(domains) == len(list(lab.cloud.compute.servers(all_projects=True)))


def names(rows: Rows) -> list[str]:
    """Return the names of the faults in some rows."""
    return [name for row in rows for name, _ in row]


def go_through(lab: RealLab, row: Row) -> list[tuple[str, bool, bool]]:
    """Make and mend faults; of each: whether it is seen while it is in force, and was told so."""
    seen = []
    for name, target in row:
        said = lab.run("break", name, target)
        faults = lab.read_whatever("status")["faults"]
        [made] = [fault for fault in faults if fault["fault"] == name]
        scene = Scene(lab.spec, made["target"], made["remembered"])
        seen.append((name, looks(FAULTS[name].seen, scene), FAULTS[name].symptom in said))
        lab.run("mend", name)
    return seen


def test_every_fault_is_gone_through_once() -> None:
    assert sorted(name for rows in SIDE_BY_SIDE for name in names(rows)) == sorted(FAULTS)


@pytest.mark.parametrize("rows", SIDE_BY_SIDE, ids=lambda rows: ", ".join(names(rows)))
def test_a_fault_shows_and_once_mended_leaves_no_trace(loaded: RealLab, rows: Rows) -> None:
    before = picture(loaded)

    with ThreadPoolExecutor(max_workers=len(rows)) as pool:
        seen = [it for row in pool.map(lambda row: go_through(loaded, row), rows) for it in row]

    assert seen == [(name, True, True) for name in names(rows)]
    assert picture(loaded) == before


def test_a_lab_with_a_fault_is_not_called_well(loaded: RealLab) -> None:
    loaded.run("break", "disk-full", "c01")
    code = loaded.call("status").returncode
    loaded.run("mend", "disk-full")

    assert code == ExitCode.DEGRADED


def test_a_fault_of_a_running_server_is_refused_for_a_stopped_one(loaded: RealLab) -> None:
    refused = loaded.call("break", "domain-undefined", "load-2")

    assert refused.returncode == ExitCode.USAGE
    assert "`load-2` is SHUTOFF" in refused.stderr
