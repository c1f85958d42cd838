"""What a return keeps of a power-on tells a later fence whose device it is."""

from pathlib import Path

from dying import NODE
from operations.test_killed import with_one_evacuated
from stackward.facts.power_history import has_cut, read_switched_on
from stackward.requests.return_compute_node import ReturnRequest


def test_a_power_on_that_was_seen_as_a_boot_is_found_with_its_device(tmp_path: Path) -> None:
    site = with_one_evacuated(tmp_path)
    here = site.cloud.identity().id
    before = read_switched_on(site.journal, here, NODE)

    site.well(ReturnRequest(node=NODE, discard_old_disks=True))

    found = read_switched_on(site.journal, here, NODE)
    assert before is None
    assert found is not None
    assert found.device == f"Redfish at bmc-{NODE}"
    site.close()


def test_a_fence_that_found_the_node_off_has_not_cut_its_power(tmp_path: Path) -> None:
    site = with_one_evacuated(tmp_path)

    assert not has_cut(site.journal, site.cloud.identity().id, NODE, but=None)
    site.close()
