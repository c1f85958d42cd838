"""An evacuation that goes on, behind more records of the same server than are looked through."""

from dataclasses import replace
from pathlib import Path

from builders import an_id
from dying import NODE
from operations.test_killed import with_one_that_died
from operations.test_power_again import ASKED
from stackward.model.migration import Migration
from stackward.operations import plan_request
from stackward.status.evacuated import RECENT

DB = an_id("db-01")


def test_one_that_is_accepted_blocks_however_many_records_are_newer(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)
    going = Migration(
        id=1,
        uuid=an_id("going"),
        server=DB,
        kind="evacuation",
        status="accepted",
        source=NODE,
        target="compute-08",
    )
    site.cloud.nova.migrations.append(going)
    site.cloud.nova.left_alone.add(going.id)
    for number in range(2, RECENT + 3):
        newer = replace(
            going,
            id=number,
            uuid=an_id(f"newer-{number}"),
            kind="live-migration",
            status="failed",
        )
        site.cloud.nova.migrations.append(newer)

    plan = plan_request(site.world(), site.journal, ASKED)

    [blocker] = plan.blockers
    assert blocker.worry == "evacuate/rebuilding"
    assert "record 1, accepted, to `compute-08`" in blocker.reason
    site.close()
