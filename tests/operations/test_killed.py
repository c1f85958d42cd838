"""Every operation, its worker killed at every write and change: taken up again, each thing is once.

What is done twice shows in what Nova was asked, in the servers that were built, and in how often
nova-compute was started; what is forgotten, in where the servers and the node are.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from builders import a_flavor, a_server, a_service, an_id, asking
from dying import NODE, Site, of_cloud
from fakes.cloud import FakeCloud
from fakes.power import FakeDevice
from killing import Fate, killed
from stackward import requests
from stackward.model import boot_gate
from stackward.model.boot_gate import BootGate
from stackward.model.hardware import Hardware
from stackward.model.identity import Known
from stackward.model.instance_ha import HaHost
from stackward.model.observation import Observation
from stackward.model.run import Run, RunState
from stackward.model.server import ServerAction
from stackward.model.volume import Attachment, Volume
from stackward.plan import Request
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.change_boot_gate import GateRequest
from stackward.requests.evacuate_compute_node import EvacuateRequest
from stackward.requests.fence_compute_node import FenceRequest
from stackward.requests.reattach_volumes import ReattachRequest
from stackward.requests.reboot_compute_node import RebootNodeRequest
from stackward.requests.reboot_server import RebootRequest
from stackward.requests.reconcile_cloud import ReconcileRequest
from stackward.requests.recover_compute_node import RecoverRequest
from stackward.requests.return_compute_node import ReturnRequest
from stackward.requests.start_servers import StartRequest
from stackward.requests.undo_run import UndoRequest

BOOTED = datetime(2025, 12, 31, 23, 50, tzinfo=UTC)  # before the time of a site
STOPPED_AT = "2025-12-31T23:51:00.000000"
MADE_AT = "2025-12-31T20:00:00.000000"
AWAY = {"db-01": "compute-08", "db-02": "compute-08"}
HOME = {"db-01": NODE, "db-02": NODE}
STALE = "left-by-a-move"
LIVE, COLD = ["live-migration"], ["migrate", "confirmResize"]
STOPPED = ["live-migration", "live_migration_cancel", "stop", "migrate", "confirmResize", "start"]

OUT = {"in service": False, "claimed": True, "unit": ("inactive", "masked"), "guarded": False}
IN = {"in service": True, "claimed": False, "unit": ("active", "enabled"), "guarded": True}
UNTOUCHED = {**IN, "unit": None}
GATE = BootGate(has_script=True, has_drop_in=True, is_as_shipped=True, is_asked=True, is_open=True)


def with_two(place: Path) -> Site:
    """Given a node with two servers, one that runs and one that is off; an HA service guards it."""
    cloud = FakeCloud(catalog=frozenset({"compute", "instance-ha"}))
    cloud.nova.add(a_server(name="db-01"), a_server("SHUTOFF", name="db-02"))
    cloud.masakari.guards[NODE] = HaHost(id="entry", segment="segment", host=NODE)
    return Site(place, cloud)


def with_three_that_disagree(place: Path) -> Site:
    """Given that placement has a server on two nodes and what is no server; a binding is left."""
    site = with_two(place)
    placement = site.cloud.placement
    placement.leftovers = {one: {an_id("compute-08")} for one in (an_id("db-01"), an_id("nobody"))}
    placement.kinds[an_id("nobody")] = "INSTANCE"
    port = site.cloud.nova.known[an_id("db-02")].ports[0].id
    site.cloud.neutron.bound[port] = ((NODE, "ACTIVE"), ("compute-09", "INACTIVE"))
    return site


def with_a_stale_guest(place: Path) -> Site:
    """Given that a server runs, and another node still runs a guest of it."""
    site = with_two(place)
    site.shell.domains["compute-08", an_id("db-01")] = "shut off"
    return site


def with_two_guests_that_run(place: Path) -> Site:
    """Given that two nodes run a guest of one server."""
    site = with_two(place)
    site.shell.domains["compute-08", an_id("db-01")] = "running"
    return site


def with_a_guest_of_one_deleted(place: Path) -> Site:
    """Given that a node still runs the guest of a server that was deleted while it was down."""
    site, gone = with_two(place), an_id("gone")
    site.shell.domains["compute-08", gone] = "running"
    deletion = ServerAction(action="delete", request_id="req-d", user="eve", started=MADE_AT)
    site.cloud.nova.actions = {gone: [deletion]}
    return site


LOST = "compute-99"
LEFT_PORT, LEFT_VOLUME = an_id("port-left"), an_id("volume-left")


def with_what_is_left(place: Path) -> Site:
    """Given what is left of a server that was deleted, of what never was one, and of a node."""
    site = with_two(place)
    cloud, gone = site.cloud, an_id("gone")
    names = (*cloud.nova.hosts, "ctl")  # all that live, and not the node that is gone
    site.shell.inventory = tuple(Known(name=each, address=each) for each in names)
    deletion = ServerAction(action="delete", request_id="req-d", user="eve", started=MADE_AT)
    cloud.nova.actions = {gone: [deletion], an_id("nobody"): [deletion]}
    cloud.nova.computes[LOST] = a_service(LOST, is_up=False, updated=MADE_AT)
    cloud.neutron.agents = {LOST: ("OVN Controller agent", "OVN Metadata agent")}
    cloud.neutron.silent_agents = {LOST}
    cloud.neutron.leftovers = {LEFT_PORT: gone}
    cloud.cinder.volumes = {
        LEFT_VOLUME: Volume(
            id=LEFT_VOLUME, attached=((gone, NODE),), attachment_ids=("a-left",), updated=MADE_AT
        )
    }
    cloud.placement.leftovers = {an_id("nobody"): {an_id("compute-08")}}
    cloud.placement.unlisted = {LOST}  # its provider is there still
    return site


VOLUMES = {name: an_id(name) for name in ("detaching", "elsewhere", "reserved", "lost", "missing")}


def with_volumes_that_are_apart(place: Path) -> Site:
    """Given a server whose volumes are each attached otherwise than they should be."""
    site = with_two(place)
    cinder, db = site.cloud.cinder, an_id("db-01")
    detaching, elsewhere, reserved, lost, missing = VOLUMES.values()
    known = site.cloud.nova.known[db]
    site.cloud.nova.known[db] = replace(known, volume_ids=(detaching, elsewhere, missing))
    site.cloud.nova.consoles[db] = "Linux version 6.12\n\ndb-01 login: "
    site.shell.serials[db] = (detaching, elsewhere)
    cinder.volumes = {
        detaching: Volume(id=detaching, status="detaching"),
        elsewhere: Volume(id=elsewhere),
        reserved: Volume(id=reserved, status="reserved"),
        lost: Volume(id=lost, status="attaching"),
        missing: Volume(id=missing),
    }
    cinder.hosts[elsewhere] = "compute-08"
    cinder.reserved.append(Attachment(id="a3", volume=reserved, server=db, status="reserved"))
    return site


def with_a_volume_that_only_nova_has(place: Path) -> Site:
    """Given a server of whose second volume Cinder has no attachment, and its guest no disk."""
    site = with_two(place)
    db, whole, dangling = an_id("db-01"), VOLUMES["elsewhere"], VOLUMES["missing"]
    site.cloud.nova.known[db] = replace(site.cloud.nova.known[db], volume_ids=(whole, dangling))
    site.cloud.nova.dangling = {dangling}
    site.cloud.nova.consoles[db] = "Linux version 6.12\n\ndb-01 login: "
    site.shell.serials[db] = (whole,)
    site.cloud.cinder.volumes = {
        whole: Volume(id=whole),
        dangling: Volume(id=dangling, status="available"),
    }
    return site


def with_a_slow_one(place: Path) -> Site:
    """Given a node with one server, whose live migration never ends."""
    cloud = FakeCloud()
    cloud.nova.add(a_server())
    cloud.nova.slow.add(an_id("db-01"))
    return Site(place, cloud)


def with_one_to_fence(place: Path) -> Site:
    """Given a node that lives, with two servers, whose device says which machine it is."""
    site = with_two(place)
    hardware = Hardware.of(macs=["52:54:00:00:00:07"])
    site.power.devices[NODE] = FakeDevice(hardware=hardware)
    seen = Observation(
        cloud=site.cloud.identity().id,
        node=NODE,
        subject="machine",
        value={"host": NODE, "uuid": "", "serial": "", "macs": [*hardware.macs]},
        source="node",
        at=site.clock.now(),
    )
    site.journal.observe([seen])
    return site


def with_one_that_crashed(place: Path) -> Site:
    """Given a node that waits at its boot gate."""
    site = Site(place, FakeCloud())
    site.well(GateRequest(node=NODE, to="installed"))
    del site.shell.files[NODE, boot_gate.OPENED]
    site.shell.units[NODE] = ("inactive", "enabled")
    return site


def with_one_that_died(place: Path) -> Site:
    """Given that node without power: nothing of it answers, and Nova does not hear from it."""
    site = with_one_to_fence(place)
    site.power.order_off(NODE)
    site.power.ordered.clear()
    return site


def with_one_that_ran(place: Path) -> Site:
    """Given the same, and what Nova tells of its servers: an owner has stopped one of them.

    The other has a volume, of which Cinder has an attachment too many.
    """
    site = with_one_that_died(place)
    made = ServerAction(action="create", request_id="req-made", user="eve", started=MADE_AT)
    stop = replace(made, action="stop", request_id="req-stop", started=STOPPED_AT)
    db = site.cloud.nova.known[an_id("db-01")]
    site.cloud.nova.known[db.id] = replace(db, volume_ids=("v1",))
    site.cloud.cinder.volumes["v1"] = Volume(id="v1", backend="ctl@nfs#x")
    site.cloud.cinder.left[STALE] = ("v1", NODE)
    site.cloud.nova.actions[an_id("db-01")] = [made]
    site.cloud.nova.actions[an_id("db-02")] = [made, stop]
    return site


def with_one_evacuated(place: Path) -> Site:
    """Given that its servers were brought up elsewhere since; of one an older record is left.

    What libvirt has of them is on its disk still.
    """
    site = with_one_that_died(place)
    site.well(EvacuateRequest(node=NODE, reason="its board burned", with_stopped=True))
    for name in ("db-01", "db-02"):
        site.shell.domains[NODE, an_id(name)] = "shut off"
    nova = site.cloud.nova
    older = replace(nova.migrations[0], id=90, uuid=an_id("older"), status="pre-migrating")
    nova.migrations.insert(0, older)
    nova.left_alone.add(older.id)
    return site


def with_one_in_error(place: Path) -> Site:
    """Given a node with one server, whose guest runs, and which Nova has in ERROR."""
    cloud = FakeCloud()
    cloud.nova.add(a_server("ERROR"))
    return Site(place, cloud)


def with_three_that_are_off(place: Path) -> Site:
    """Given a node that has lost its power: Nova has stopped two, and an owner the third, before.

    One of the two has a tier, so they are in two waves.
    """
    cloud = FakeCloud()
    tiered = a_flavor(stackward__tier="database")
    cloud.nova.add(
        a_server("SHUTOFF", name="db-01", flavor=tiered),
        a_server("SHUTOFF", name="db-02"),
        a_server("SHUTOFF", name="db-03"),
    )
    made = ServerAction(action="create", request_id="req-made", user="eve", started=MADE_AT)
    stops = {"db-01": (None, STOPPED_AT), "db-02": (None, STOPPED_AT), "db-03": ("eve", MADE_AT)}
    for name, (user, at) in stops.items():
        stop = replace(made, action="stop", request_id=f"req-{name}", user=user, started=at)
        cloud.nova.actions[an_id(name)] = [made, stop]
    site = Site(place, cloud)
    site.shell.booted = BOOTED
    return site


def with_one_that_is_lost(place: Path) -> Site:
    """Given the same, and one that Nova still calls ACTIVE, and that libvirt does not have."""
    site = with_three_that_are_off(place)
    site.cloud.nova.add(a_server(name="db-04"))
    made = ServerAction(action="create", request_id="req-made", user="eve", started=MADE_AT)
    site.cloud.nova.actions[an_id("db-04")] = [made]
    site.shell.lost.add(an_id("db-04"))
    return site


def with_one_that_comes_up(place: Path) -> Site:
    """Given a node that has booted, and starts what ran by itself before it reports to Nova."""
    cloud = FakeCloud()
    cloud.nova.add(a_server(name="db-01"), a_server("SHUTOFF", name="db-02"))
    made = ServerAction(action="create", request_id="req-made", user="eve", started=MADE_AT)
    stop = replace(made, action="stop", request_id="req-stop")
    cloud.nova.actions = {an_id("db-01"): [made], an_id("db-02"): [made, stop]}
    before = replace(cloud.nova.computes[NODE], updated="2025-12-31T23:40:00.000000")
    cloud.nova.computes[NODE] = before
    cloud.nova.starting.add(NODE)
    site = Site(place, cloud)
    site.shell.booted = BOOTED
    site.shell.lost.add(an_id("db-01"))
    return site


def drained(place: Path) -> Site:
    """Given a node that a drain has emptied of two servers."""
    site = with_two(place)
    site.well(asking())
    return site


def returned(place: Path) -> Site:
    """Given that it came back since; its servers did not."""
    site = drained(place)
    site.well(ReturnRequest(node=NODE, run=drain_of(site).id))
    return site


def drain_of(site: Site) -> Run:
    return site.journal.runs(limit=9)[-1]


def newest_of(site: Site) -> Run:
    return site.journal.runs(limit=9)[0]


@dataclass(frozen=True)
class Case:
    """What is killed, from where it begins, and what is then so."""

    prepare: Callable[[Path], Site]
    asked: Callable[[Site], Request]
    ends: dict[str, object]


CASES = {
    "drain": Case(
        with_two,
        lambda _: asking(),
        {"hosts": AWAY, "asked": {"db-01": LIVE, "db-02": COLD}, "built": 0, "starts": 0, **OUT},
    ),
    "drain: what is slow is stopped, moved, started": Case(
        with_a_slow_one,
        lambda _: asking(when_slow="stop-server", slow_after_s=5.0, keep_service=True),
        {
            "hosts": {"db-01": "compute-08"},
            "asked": {"db-01": STOPPED},
            "built": 0,
            "starts": 0,
            **OUT,
            "unit": None,
        },
    ),
    "return": Case(
        drained,
        lambda site: ReturnRequest(node=NODE, run=drain_of(site).id),
        {"hosts": AWAY, "asked": {"db-01": LIVE, "db-02": COLD}, "built": 1, "starts": 1, **IN},
    ),
    "bring back": Case(
        returned,
        lambda site: BringBackRequest(node=NODE, run=drain_of(site).id),
        {
            "hosts": HOME,
            "asked": {"db-01": LIVE * 2, "db-02": COLD * 2},
            "built": 1,
            "starts": 1,
            **IN,
        },
    ),
    "reboot": Case(
        with_two,
        lambda _: RebootRequest(server="db-01"),
        {"hosts": HOME, "asked": {"db-01": ["reboot"]}, "built": 0, "starts": 0, **UNTOUCHED},
    ),
    "reboot of a node in place": Case(
        with_two,
        lambda _: RebootNodeRequest(node=NODE, reason="kernel"),
        {
            "hosts": HOME,
            "asked": {"db-01": ["stop", "start"]},
            "running": {"db-01": 1},
            "built": 0,
            "starts": 1,
            "reboots": 1,
            "cut by a reboot": [],
            **IN,
        },
    ),
    "reboot of a node that was drained": Case(
        drained,
        lambda _: RebootNodeRequest(node=NODE, reason="kernel", is_drained=True),
        {
            "hosts": AWAY,
            "asked": {"db-01": LIVE, "db-02": COLD},
            "built": 0,
            "starts": 0,
            "reboots": 1,
            "cut by a reboot": [],
            **OUT,
        },
    ),
    "recovery": Case(
        with_three_that_are_off,
        lambda _: RecoverRequest(node=NODE, tiers=("database",)),
        {
            "asked": {
                "db-01": ["create", "stop", "start"],
                "db-02": ["create", "stop", "start"],
                "db-03": ["create", "stop"],
            },
            "running": {"db-01": 1, "db-02": 1},
            **UNTOUCHED,
            "guarded": False,
        },
    ),
    "recovery of one that libvirt has lost": Case(
        with_one_that_is_lost,
        lambda _: RecoverRequest(node=NODE, tiers=("database",)),
        {
            "asked": {
                "db-01": ["create", "stop", "start"],
                "db-02": ["create", "stop", "start"],
                "db-03": ["create", "stop"],
                "db-04": ["create", "reboot"],
            },
            "running": {"db-01": 1, "db-02": 1, "db-04": 1},
            **UNTOUCHED,
            "guarded": False,
        },
    ),
    "recovery of a node that comes up, and starts what ran by itself": Case(
        with_one_that_comes_up,
        lambda _: RecoverRequest(node=NODE),
        {
            "asked": {"db-01": ["create"], "db-02": ["create", "stop"]},
            "running": {"db-01": 1},
            **UNTOUCHED,
            "guarded": False,
        },
    ),
    "start": Case(
        with_three_that_are_off,
        lambda _: StartRequest(servers=("db-01", "db-03"), tiers=("database",)),
        {
            "asked": {
                "db-01": ["create", "stop", "start"],
                "db-02": ["create", "stop"],
                "db-03": ["create", "stop", "start"],
            },
            "running": {"db-01": 1, "db-03": 1},
            **UNTOUCHED,
            "guarded": False,
        },
    ),
    "fence of a living node": Case(
        with_one_to_fence,
        lambda _: FenceRequest(node=NODE, kill_guests=1),
        {
            "hosts": HOME,
            "asked": {},
            "built": 0,
            "starts": 0,
            "unit": ("inactive", "masked"),
            "power": "off",
            "guarded": True,
        },
    ),
    "evacuation": Case(
        with_one_that_ran,
        lambda _: EvacuateRequest(node=NODE, reason="its board burned", with_stopped=True),
        {
            "hosts": {"db-01": "compute-08", "db-02": "compute-09"},
            "asked": {
                "db-01": ["create", "evacuate", "start"],
                "db-02": ["create", "stop", "evacuate"],
            },
            "running": {"db-01": 1},
            "attached": {"v1": ["compute-08"]},
            "built": 0,
            "starts": 0,
            **OUT,
            "unit": None,
            "guarded": False,
            "power": "off",
        },
    ),
    "return after an evacuation": Case(
        with_one_evacuated,
        lambda _: ReturnRequest(node=NODE, discard_old_disks=True),
        {
            "hosts": {"db-01": "compute-08", "db-02": "compute-09"},
            "asked": {"db-01": ["evacuate"], "db-02": ["evacuate"]},
            "built": 1,
            "starts": 2,
            "old copies destroyed": 2,
            **IN,
            "power": "on",
        },
    ),
    "hard reboot of one in ERROR": Case(
        with_one_in_error,
        lambda _: RebootRequest(server="db-01", is_hard=True),
        {
            "hosts": {"db-01": NODE},
            "asked": {"db-01": ["reboot"]},
            "built": 0,
            "starts": 0,
            **UNTOUCHED,
            "guarded": False,
        },
    ),
    "a boot gate is put there": Case(
        lambda place: Site(place, FakeCloud()),
        lambda _: GateRequest(node=NODE, to="installed"),
        {"starts": 0, "gate": GATE, **UNTOUCHED, "guarded": False},
    ),
    "a boot gate is opened": Case(
        with_one_that_crashed,
        lambda _: GateRequest(node=NODE, to="open"),
        {"starts": 1, "gate": GATE, **IN, "guarded": False},
    ),
    "repair of disagreements": Case(
        with_three_that_disagree,
        lambda _: ReconcileRequest(
            classes=("allocation-double", "allocation-orphan", "binding-left")
        ),
        {
            "hosts": HOME,
            "asked": {},
            "allocations kept": [(an_id("db-01"), (an_id(NODE),)), (an_id("nobody"), ())],
            "bindings": {an_id("port-db-02"): ((NODE, "ACTIVE"),)},
            "built": 0,
            "starts": 0,
            **UNTOUCHED,
        },
    ),
    "removal of what is left": Case(
        with_what_is_left,
        lambda _: ReconcileRequest(
            classes=(),
            remove=("allocation", f"port/{LEFT_PORT}", f"volume/{LEFT_VOLUME}", "agent", "service"),
            min_age_s=3600.0,
        ),
        {
            "hosts": HOME,
            "removed at Neutron": [
                LEFT_PORT,
                an_id(f"{LOST}-OVN Controller agent"),
                an_id(f"{LOST}-OVN Metadata agent"),
            ],
            "services removed": [an_id(f"service-{LOST}")],
            "allocations kept": [(an_id("nobody"), ())],
            "attached": {LEFT_VOLUME: []},
            "volumes": {LEFT_VOLUME: "available"},
            "built": 0,
            "starts": 0,
            **UNTOUCHED,
        },
    ),
    "end of a guest that a move has left": Case(
        with_a_stale_guest,
        lambda _: ReconcileRequest(
            classes=("domain-elsewhere",), kill_domain=(f"compute-08/{an_id('db-01')}",)
        ),
        {"hosts": HOME, "asked": {}, "stale guests": [], "starts": 0, **UNTOUCHED},
    ),
    "end of one of two guests that run": Case(
        with_two_guests_that_run,
        lambda _: ReconcileRequest(
            classes=("server-twice",), kill_domain=(f"compute-08/{an_id('db-01')}",)
        ),
        {"hosts": HOME, "asked": {}, "stale guests": [], "starts": 0, **UNTOUCHED},
    ),
    "end of a guest whose server was deleted": Case(
        with_a_guest_of_one_deleted,
        lambda _: ReconcileRequest(
            classes=("domain-of-deleted",), kill_domain=(f"compute-08/{an_id('gone')}",)
        ),
        {"hosts": HOME, "asked": {}, "stale guests": [], "starts": 0, **UNTOUCHED},
    ),
    "repair of volumes": Case(
        with_volumes_that_are_apart,
        lambda _: ReattachRequest(server="db-01", volumes=tuple(VOLUMES.values())),
        {
            "hosts": HOME,
            "asked": {"db-01": ["reboot", "detach_volume", "attach_volume"]},
            "running": {"db-01": 1},
            "attached": {
                VOLUMES["detaching"]: [NODE],
                VOLUMES["elsewhere"]: [NODE],
                VOLUMES["reserved"]: [],
                VOLUMES["lost"]: [],
                VOLUMES["missing"]: [NODE],
            },
            "volumes": {
                VOLUMES["detaching"]: "in-use",
                VOLUMES["elsewhere"]: "in-use",
                VOLUMES["reserved"]: "available",
                VOLUMES["lost"]: "available",
                VOLUMES["missing"]: "in-use",
            },
            "devices": {
                VOLUMES["detaching"]: "/dev/vdb",
                VOLUMES["elsewhere"]: "/dev/vdc",
                VOLUMES["missing"]: "/dev/vdd",
            },
            "changes of volumes": {
                VOLUMES["detaching"]: 1,
                VOLUMES["reserved"]: 1,
                VOLUMES["lost"]: 1,
            },
            "built": 0,
            "starts": 0,
            **UNTOUCHED,
        },
    ),
    "repair of a volume that only Nova has": Case(
        with_a_volume_that_only_nova_has,
        lambda _: ReattachRequest(server="db-01"),
        {
            "hosts": HOME,
            "asked": {"db-01": ["reboot", "attach_volume"]},
            "running": {"db-01": 1},
            "attached": {VOLUMES["elsewhere"]: [NODE], VOLUMES["missing"]: [NODE]},
            "devices": {VOLUMES["elsewhere"]: "/dev/vdb", VOLUMES["missing"]: "/dev/vdc"},
            "built": 0,
            "starts": 0,
            **UNTOUCHED,
        },
    ),
    "undo of a drain": Case(
        drained,
        lambda site: UndoRequest(run=drain_of(site).id),
        {
            "hosts": HOME,
            "asked": {"db-01": LIVE * 2, "db-02": COLD * 2},
            "built": 1,
            "starts": 1,
            **IN,
        },
    ),
    "undo of a return": Case(
        returned,
        lambda site: UndoRequest(run=newest_of(site).id),
        {"hosts": AWAY, "asked": {"db-01": LIVE, "db-02": COLD}, "built": 1, "starts": 1, **OUT},
    ),
}


# They take as long as all others: `test_killed_on_the_way_back.py` kills them in another process.
WAYS_BACK = ("bring back", "undo of a drain", "undo of a return")


@pytest.mark.parametrize("name", [name for name in CASES if name not in WAYS_BACK])
def test_a_death_at_any_write_or_change_is_harmless(name: str, tmp_path: Path) -> None:
    kill(CASES[name], tmp_path)


def kill(case: Case, tmp_path: Path) -> None:
    """Kill an operation at each of its writes and changes."""
    place = tmp_path / "prepared"
    place.mkdir()
    prepared = case.prepare(place)
    prepared.close()

    operation = of_cloud(prepared, case.asked, {"state": RunState.SUCCEEDED, **case.ends})

    killed(operation, tmp_path, every=2)


def test_every_operation_is_killed(tmp_path: Path) -> None:
    asked = set()
    for number, case in enumerate(CASES.values()):
        (tmp_path / str(number)).mkdir()
        site = case.prepare(tmp_path / str(number))
        asked.add(case.asked(site).kind)
        site.close()

    # A chain of three is killed at each write by `tests/engine/test_chains.py`.
    assert asked | {"chain"} == set(requests.KINDS)


def test_a_cell_that_is_down_for_seconds_is_waited_for(tmp_path: Path) -> None:
    """The run stopped: its own cordon read as somebody else's."""
    site, waits = with_a_slow_one(tmp_path), count(1)

    def pass_by() -> None:
        site.cloud.nova.cells_down = {NODE} if next(waits) in range(2, 8) else set()

    site.clock.on_wait.append(pass_by)
    asked = asking(when_slow="stop-server", slow_after_s=5.0, keep_service=True)

    ended = site.carry_out(site.approved(asked), Fate())

    assert (ended.state, site.asked) == (RunState.SUCCEEDED, {"db-01": STOPPED})
    assert next(waits) > 8  # the cell came back during the run
    site.close()
