"""Every declared fault is made, seen, mended and gone, and leaves the lab as it was."""

from typing import Any

import pytest

from real_lab import RealLab
from stackward.errors import ExitCode
from stackward.lab.faults import FAULTS, Target
from stackward.lab.scene import Scene, looks

TARGETS = {
    Target.NODE: "c01",
    Target.COMPUTE: "c02",
    Target.CONTROLLER: "ctl",
    Target.SERVER: "load-1",
}

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
    return lab


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_shows_and_once_mended_leaves_no_trace(loaded: RealLab, name: str) -> None:
    fault = FAULTS[name]
    target = TARGETS[fault.target]
    before = picture(loaded)

    said = loaded.run("break", name, target)
    [made] = loaded.read_whatever("status")["faults"]
    is_seen = looks(fault.seen, Scene(loaded.spec, made["target"], made["remembered"]))
    loaded.run("mend", name)

    assert (made["fault"], is_seen) == (name, True)
    assert fault.symptom in said
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
