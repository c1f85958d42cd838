"""A node that comes back after its servers were brought up elsewhere: what its start destroys."""

from dataclasses import replace

import pytest

from builders import a_server, an_id
from operations.return_compute_node.test_plan import CLAIM, disabled, drained
from stackward.model.boot_gate import BootGate
from stackward.model.disk_seen import DiskSeen
from stackward.model.evacuation import OpenEvacuation, most_of_one
from stackward.model.hardware import Hardware
from stackward.model.maintenance import ReturningNode
from stackward.model.migration import Migration
from stackward.model.power import DeviceName, PowerDevice, PowerState
from stackward.model.unread import Hindrance, Unread
from stackward.operations.return_compute_node.plan import plan_return
from stackward.plan import Plan
from stackward.ports.world import World
from stackward.requests.return_compute_node import ReturnRequest

ASKED = ReturnRequest(node="compute-07")
DISCARDING = ReturnRequest(node="compute-07", discard_old_disks=True)
SILENT = Unread("no route", Hindrance.WAY)
SEEN = DiskSeen(path="/var/lib/nova/instances/db-01", is_writable=True, disks=(("disk", ""),))
GATED = BootGate(has_script=True, has_drop_in=True, is_as_shipped=True, is_asked=True)


def one_open(
    number: int = 1,
    *,
    status: str = "done",
    lives_on: str | None = "compute-08",
    disk: DiskSeen | Unread | None = SEEN,
    is_heard: bool = True,
) -> OpenEvacuation:
    record = Migration(
        id=number,
        uuid=an_id(f"record-{number}"),
        server=an_id("db-01"),
        kind="evacuation",
        status=status,
        source="compute-07",
        target="compute-08",
    )
    server = replace(a_server(name="db-01"), host=lives_on) if lives_on else None
    return OpenEvacuation(
        record=record, server=server, asks="compute-08", is_heard=is_heard, disk=disk
    )


def evacuated(**changes: object) -> ReturningNode:
    """Return a node that has power again, whose nova-compute is off and forced down."""
    changes = {
        "service": disabled(CLAIM, is_forced_down=True),
        "evacuations": (one_open(),),
        "has_device": True,
        **changes,
    }
    return drained(**changes)


def without_power(**changes: object) -> ReturningNode:
    device = PowerDevice(
        name=DeviceName(how="Redfish", at=("bmc",)), state=PowerState.OFF, hardware=Hardware()
    )
    return evacuated(**{"marks": SILENT, "gate": SILENT, "device": device, **changes})


def blockers(node: ReturningNode, asked: ReturnRequest = DISCARDING) -> list[str]:
    return [each.worry for each in plan_return(node, asked).blockers]


def stages(plan: Plan[World]) -> list[str]:
    return [stage.name for stage in plan.stages]


@pytest.mark.parametrize(
    ("node", "asked", "expected"),
    [
        pytest.param(evacuated(), DISCARDING, [], id="agreed to: may return"),
        pytest.param(evacuated(), ASKED, ["return/old-copies"], id="not agreed to: blocks"),
        pytest.param(
            evacuated(evacuations=(one_open(status="accepted"),)),
            ASKED,
            ["return/old-copies"],
            id="a record that nobody carried out is acted on too: blocks",
        ),
        pytest.param(
            evacuated(gate=GATED, has_cut=True),
            ASKED,
            [],
            id="behind a gate, cut by our fence: needs no word",
        ),
        pytest.param(
            evacuated(gate=GATED, has_cut=True),
            DISCARDING,
            ["return/needless-discard"],
            id="behind a gate, cut by our fence: a word is too much",
        ),
        pytest.param(
            evacuated(gate=GATED),
            ASKED,
            ["return/old-copies"],
            id="behind a gate, and who cut its power is not known: blocks",
        ),
        pytest.param(
            evacuated(evacuations=()),
            DISCARDING,
            ["return/needless-discard"],
            id="fenced, and nothing was evacuated: a word is too much",
        ),
        pytest.param(drained(), DISCARDING, ["return/needless-discard"], id="drained: same"),
        pytest.param(
            evacuated(evacuations=(one_open(lives_on="compute-07", status="pre-migrating"),)),
            ASKED,
            ["return/still-here"],
            id="its evacuation was not carried out: it is still there: blocks",
        ),
        pytest.param(
            drained(evacuations=(one_open(lives_on="compute-07"),)),
            ASKED,
            ["evacuation/lives-on-source"],
            id="it came back before the record was settled: blocks",
        ),
        pytest.param(
            evacuated(evacuations=(one_open(disk=DiskSeen()),)),
            DISCARDING,
            ["return/disk-unseen"],
            id="the destination does not see its directory: blocks",
        ),
        pytest.param(
            evacuated(evacuations=(one_open(1, disk=DiskSeen()), one_open(2))),
            DISCARDING,
            ["return/disk-unseen"],
            id="nor does that of an older record: blocks",
        ),
        pytest.param(
            evacuated(evacuations=(one_open(disk=DiskSeen(), is_heard=False),)),
            DISCARDING,
            [],
            id="the nova-compute of the destination is down: Nova keeps the disk",
        ),
        pytest.param(
            evacuated(evacuations=(one_open(disk=DiskSeen(unread="it hangs")),)),
            DISCARDING,
            ["return/disk-unread"],
            id="what the destination sees is not known: blocks",
        ),
        pytest.param(
            evacuated(evacuations=(one_open(disk=None),)),
            DISCARDING,
            [],
            id="its guests are none: nothing of them is looked at",
        ),
        pytest.param(
            evacuated(evacuations=(one_open(lives_on=None),)),
            DISCARDING,
            [],
            id="it was deleted since: what is left of it goes",
        ),
        pytest.param(
            evacuated(evacuations=Unread("500")),
            ASKED,
            ["return/evacuations-unread"],
            id="its records are not known: blocks",
        ),
        pytest.param(without_power(), DISCARDING, [], id="without power: it is switched on"),
        pytest.param(
            without_power(device=Unread("its BMC does not answer")),
            DISCARDING,
            ["return/device-unread"],
            id="silent, and its device too: blocks",
        ),
        pytest.param(
            without_power(
                device=PowerDevice(
                    name=DeviceName(how="Redfish", at=("bmc",)),
                    state=PowerState.ON,
                    hardware=Hardware(),
                )
            ),
            DISCARDING,
            ["node-silent"],
            id="silent, and it has power: blocks",
        ),
        pytest.param(
            without_power(device=None), DISCARDING, [], id="nothing switches it: a person does"
        ),
        pytest.param(
            drained(marks=SILENT),
            ASKED,
            ["node-silent"],
            id="drained and silent, and nothing switches it: blocks",
        ),
    ],
)
def test_who_may_return_after_an_evacuation(
    node: ReturningNode, asked: ReturnRequest, expected: list[str]
) -> None:
    assert blockers(node, asked) == expected


def test_it_has_power_and_no_old_guest_before_nova_compute_starts_and_is_called_up_last() -> None:
    plan = plan_return(without_power(), DISCARDING)

    assert stages(plan) == [
        *("power on", "old guests", "start", "settle", "call up", "accept"),
    ]
    assert [each.kind for each in plan.stages[4].needs] == ["evacuations-settled"]


def test_nova_compute_is_started_as_often_as_one_server_has_records() -> None:
    twice = (one_open(1, status="pre-migrating"), one_open(2))
    plan = plan_return(evacuated(evacuations=twice), DISCARDING)

    [settle] = [stage for stage in plan.stages if stage.name == "settle"]
    kinds = [step.kind for step in settle.moves[0].steps]
    assert (most_of_one(twice), kinds) == (2, ["stop-for-records", "bring-up"] * 2)


def test_the_plan_names_each_record_with_its_server_and_what_is_seen_of_its_disk() -> None:
    plan = plan_return(evacuated(), DISCARDING)

    told = (
        "`db-01`, record 1 (done) to `compute-08`: it is ACTIVE on `compute-08`; `compute-08` "
        "sees /var/lib/nova/instances/db-01"
    )
    assert plan.facts["open evacuations"] == [told]


def test_a_node_that_was_only_drained_is_returned_as_ever() -> None:
    assert stages(plan_return(drained(), ASKED)) == ["start", "accept"]
