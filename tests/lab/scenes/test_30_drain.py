"""A drain of a node with servers of all kinds: each lives on elsewhere as it was.

It is ordered by an administrator whose password nobody else knows, in a cloud whose compute nodes
are looked after by an instance-HA service, and watched all the time: no secret is seen.
"""

import getpass
import json
import re
import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.drains import TRAIT, Drains, Ended, Place, new, note
from lab.stage import Stage, scene
from real_lab import RealLab
from stackward.lab.guest import Tick
from stackward.lab.load import attach_volume, wait_status

TWIN = "drain-twin"  # two servers have this name, one of them is stopped
GROUP = "drain-apart"
PASSWORD = "Planted-pa55-keystone"  # noqa: S105  # planted, to be looked for
METADATA = "planted-metadata-4711"
USER = "planted-admin"
# As Keystone writes it; not the like in the middle of something in base64.
TOKEN = re.compile(rb"(?<![\w+/-])gAAAA[A-Za-z0-9_-]{16,}")


@dataclass
class Watch:
    """What a command has shown and left, by where that was found."""

    drains: Drains
    places: dict[str, bytes] = field(default_factory=dict)

    def look(self) -> None:
        """Keep the command line of every process, and the environment of those of the drain."""
        state = str(self.drains.folder).encode()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended
                line = (process / "cmdline").read_bytes()
                environment = (process / "environ").read_bytes()
                self.places[f"cmdline of {line!r}"] = line
                if state in environment:
                    self.places[f"environment of {line!r}"] = environment

    def keep(self, name: str, *words: str) -> str:
        """Run a command and keep what it says."""
        ended = self.drains.call("--debug", *words)
        assert ended.returncode == 0, ended.stderr
        self.places[name] = (ended.stdout + ended.stderr).encode()
        return ended.stdout

    @property
    def found(self) -> list[str]:
        """Return where a secret is found."""
        planted = (PASSWORD.encode(), METADATA.encode())
        return [
            name
            for name, text in self.places.items()
            if any(each in text for each in planted) or TOKEN.search(text)
        ]


@dataclass(frozen=True, kw_only=True)
class Drained:
    """Servers of all kinds that were drained off a node, and how they were before."""

    drains: Drains
    node: str
    run: dict[str, Any]
    events: list[dict[str, Any]]
    servers: dict[str, str]  # ids by what they are
    before: dict[str, Place]
    ticks: dict[str, Tick]
    moves: dict[str, list[tuple[str, str]]]
    ended: Ended
    after: dict[str, Place]
    lives_on: dict[str, Tick]
    numbers: dict[str, list[int]]  # of the ticks of those that ran on
    partner: str  # where the one is that must stay apart
    active_once_unmasked: str
    watch: Watch
    records: list[dict[str, Any]]
    known_to_nova: set[str]
    log_of_the_cordon: str
    left: tuple[list[str], dict[str, str], list[str]]
    service: Any
    traits: list[str]
    unit: tuple[str, str]
    processes: str
    told_ha: dict[str, bool]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the records of a kind."""
        return [each for each in self.records if each["record"] == kind]


@scene(budget_s=240)
def drained(stage: Stage) -> Generator[Drained]:
    """Drain servers of all kinds off a node."""
    lab, drains, (_, node, other) = stage.lab, stage.drains, stage.nodes
    stage.all_in_service()
    drains.remove_left_over("drain-")
    servers, group = all_kinds(drains, node, other)
    ticks = {what: drains.write(servers[what], f"by-{what}") for what in servers}
    volume = attach_volume(lab.cloud, lab.server(servers["volume"]))
    ticks["volume"] = lab.tick(servers["volume"], lambda tick: tick.disk("vdb") is not None)
    drains.stop(servers["stopped"])
    lab.cloud.compute.pause_server(servers["paused"])
    wait_status(lab.cloud, servers["paused"], "PAUSED")
    lab.cloud.compute.set_server_metadata(servers["running"], db_password=METADATA)
    lab.run("add", "masakari")
    planted = plant(lab, stage.folder)
    secretly = Drains(lab, stage.folder)
    secretly.environment["OS_CLIENT_CONFIG_FILE"] = str(planted)
    stage.begins()
    ours = {what: each for what, each in servers.items() if what != "partner"}
    before = {what: drains.place(each) for what, each in ours.items()}
    records = drains.records(drains.servers_on(node))

    planned, plan = secretly.plan(node)
    assert planned.code == 0, planned.said
    watch, going = Watch(secretly), secretly.apply(plan)
    while going.process.poll() is None:
        watch.look()
        time.sleep(0.2)
    ended = going.ended()

    run = drains.run
    watch.places |= {"the plan": planned.said.encode(), "the run": ended.said.encode()}
    watch.keep("show", "run", "show", run["ID"], "--events")
    watch.keep("show as data", "run", "show", run["ID"], "--events", "-f", "json")
    watch.keep("audit", "run", "audit", run["ID"])
    exported = watch.keep("audit as data", "run", "audit", run["ID"], "--export")
    watch.places |= {
        str(path): path.read_bytes()
        for path in drains.folder.rglob("*")
        if path.is_file() and path != planted
    }
    account = [json.loads(line) for line in exported.splitlines()]
    actions = lab.cloud.compute.get(f"/servers/{servers['running']}/os-instance-actions").json()
    [cordon] = next(each["request_ids"] for each in account if each.get("kind") == "cordon")
    found = f"grep -rlF {cordon} /var/log/nova || journalctl -q -n 1 -g {cordon}"
    service, unit = drains.service(node), drains.unit(node)
    lab.on(node, "systemctl unmask nova-compute; systemctl start nova-compute")
    active_once_unmasked, _ = drains.unit(node)
    lab.on(node, "systemctl mask nova-compute")
    after = {what: drains.place(each) for what, each in ours.items()}
    lives_on = live_on(drains, servers, ticks)
    stage.remembers("drained", servers | {"node": node, "run": run["ID"], "group": group})
    yield Drained(
        drains=drains,
        node=node,
        run=run,
        events=drains.events,
        servers=servers,
        before=before,
        ticks=ticks,
        moves=new(records, drains.records(records)),
        ended=ended,
        after=after,
        lives_on=lives_on,
        numbers={
            what: [tick.number for tick in lab.console(servers[what]).ticks]
            for what in ("running", "volume")
        },
        partner=drains.place(servers["partner"]).node,
        active_once_unmasked=active_once_unmasked,
        watch=watch,
        records=account,
        known_to_nova={each["request_id"] for each in actions["instanceActions"]},
        log_of_the_cordon=lab.on("ctl", found),
        left=(drains.servers_on(node), lab.domains(node), drains.directories(node)),
        service=service,
        traits=drains.traits(node),
        unit=unit,
        processes=lab.on(node, "pgrep -x nova-compute || true"),
        told_ha={each: told_ha(lab, each) for each in stage.nodes},
    )
    unplant(lab, planted)
    assert volume.id in before["volume"].volumes


def all_kinds(drains: Drains, node: str, other: str) -> tuple[dict[str, str], str]:
    """Ask for servers of all kinds on a node, and wait for their guests; the group's id with it."""
    compute = drains.lab.cloud.compute
    for left in [each for each in compute.server_groups() if each.name == GROUP]:
        compute.delete_server_group(left.id)
    group = compute.create_server_group(name=GROUP, policy="anti-affinity")
    apart = {"scheduler_hints": {"group": group.id}}
    servers = {
        "running": drains.boot(TWIN, node, **apart),
        "stopped": drains.boot(TWIN, node),
        "paused": drains.boot("drain-paused", node),
        "volume": drains.boot("drain-volume", node),
        "partner": drains.boot("drain-partner", other, **apart),
    }
    drains.wait_for_guests(servers.values())
    return servers, str(group.id)


def live_on(drains: Drains, servers: dict[str, str], ticks: dict[str, Tick]) -> dict[str, Tick]:
    """Let those that do not run go on; return a later tick of each, and stop the stopped again."""
    compute = drains.lab.cloud.compute
    compute.unpause_server(servers["paused"])
    compute.start_server(servers["stopped"])
    wait_status(drains.lab.cloud, servers["stopped"], "ACTIVE")
    on = {
        what: drains.ticks_on(servers[what], ticks[what])
        for what in ("running", "volume", "paused")
    }
    last = ticks["stopped"]
    on["stopped"] = drains.lab.tick(servers["stopped"], lambda tick: tick.boot != last.boot)
    drains.stop(servers["stopped"])
    return on


def plant(lab: RealLab, folder: Path) -> Path:
    """Make an administrator whose password nobody else knows; return the file of its login."""
    identity = lab.cloud.identity
    for left in identity.users(name=USER):
        identity.delete_user(left)
    user = identity.create_user(name=USER, password=PASSWORD, domain_id="default")
    project, role = identity.find_project("admin"), identity.find_role("admin")
    identity.assign_project_role_to_user(project, user, role)
    clouds = yaml.safe_load(lab.spec.clouds_yaml.read_text())
    [auth] = [
        each["auth"] for each in clouds["clouds"].values() if each["auth"]["username"] == "admin"
    ]
    auth |= {"username": USER, "password": PASSWORD}
    planted = folder / "clouds.yaml"
    planted.write_text(yaml.safe_dump(clouds))
    return planted


def unplant(lab: RealLab, planted: Path) -> None:
    """Remove the administrator."""
    planted.unlink()
    for user in lab.cloud.identity.users(name=USER):
        lab.cloud.identity.delete_user(user)


def told_ha(lab: RealLab, node: str) -> bool:
    """Say whether the instance-HA service leaves a node alone."""
    ha = RealLab(lab.name).cloud.instance_ha  # a client from before has a catalog without it
    [segment] = ha.segments()
    [host] = [each for each in ha.hosts(segment.uuid) if each.name == node]
    return bool(host.on_maintenance)


def test_the_drain_ends_proved(drained: Drained) -> None:
    proved = [event for event in drained.events if event["What"] == "proved"]

    assert (drained.ended.code, drained.run["State"]) == (0, "succeeded"), drained.ended.said
    assert len(proved) == 7  # with what the instance-HA service was told


def test_every_server_is_elsewhere_in_its_former_state(drained: Drained) -> None:
    assert {what: place.state for what, place in drained.after.items()} == {
        what: place.state for what, place in drained.before.items()
    }
    assert drained.node not in {place.node for place in drained.after.values()}
    assert [place.bound_to for place in drained.after.values()] == [
        (place.node,) for place in drained.after.values()
    ]


def test_each_server_was_migrated_exactly_once(drained: Drained) -> None:
    ours = {what: drained.moves[drained.servers[what]] for what in drained.before}

    assert {len(moves) for moves in drained.moves.values()} == {1}
    assert ours == {
        "running": [("live-migration", "completed")],
        "stopped": [("migration", "confirmed")],
        "paused": [("live-migration", "completed")],
        "volume": [("live-migration", "completed")],
    }


def test_nothing_is_left_on_the_node(drained: Drained) -> None:
    assert drained.left == ([], {}, [])


def test_the_node_is_claimed_and_its_service_kept_off(drained: Drained) -> None:
    service = drained.service

    assert service.status == "disabled"
    assert service.disabled_reason.startswith(f"stackward {drained.run['ID']} by ")
    assert TRAIT in drained.traits
    assert drained.unit == ("inactive", "masked")
    assert drained.processes == ""


def test_nova_compute_stays_off_though_it_is_unmasked_and_started(drained: Drained) -> None:
    """As a configuration management would do it."""
    assert drained.active_once_unmasked == "inactive"


def test_the_pair_is_still_apart(drained: Drained) -> None:
    assert drained.after["running"].node not in {drained.partner, drained.node}


@pytest.mark.parametrize("what", ["running", "volume"])
def test_a_guest_has_run_on_without_a_restart(drained: Drained, what: str) -> None:
    before, after, numbers = drained.ticks[what], drained.lives_on[what], drained.numbers[what]

    assert (after.boot, after.boots, note(after)) == (before.boot, before.boots, f"by-{what}")
    assert [disk.mark for disk in after.disks] == [disk.mark for disk in before.disks]
    assert {later - earlier for earlier, later in pairwise(numbers)} == {1}


def test_a_paused_guest_goes_on_where_it_stood(drained: Drained) -> None:
    before, after = drained.ticks["paused"], drained.lives_on["paused"]

    assert (after.boot, note(after)) == (before.boot, "by-paused")


def test_what_a_stopped_guest_wrote_is_there_when_it_starts(drained: Drained) -> None:
    before, after = drained.ticks["stopped"], drained.lives_on["stopped"]

    assert (after.boots, note(after)) == (before.boots + 1, "by-stopped")


# --- what else is told ---


def test_the_instance_ha_service_leaves_the_node_alone_and_no_other(drained: Drained) -> None:
    assert f"the instance-HA service leaves `{drained.node}` alone" in drained.ended.said
    assert [node for node, alone in drained.told_ha.items() if alone] == [drained.node]


def test_no_secret_is_seen_while_a_node_is_drained_or_left_anywhere(drained: Drained) -> None:
    looked_at = " ".join(drained.watch.places)

    assert drained.watch.found == []
    assert all(
        word in looked_at for word in ("cmdline of", "environment of", "journal.sqlite", "plan-")
    )


def test_the_account_names_who_asked_and_who_approved(drained: Drained) -> None:
    [run], [approval] = drained.of("run"), drained.of("approval")

    assert (run["asked_by"], run["state"]) == (getpass.getuser(), "succeeded")
    assert (approval["by"], approval["how"]) == (getpass.getuser(), "--yes")


def test_nova_knows_the_requests_of_the_account(drained: Drained) -> None:
    [ours] = [
        each["request_ids"]
        for each in drained.of("attempt")
        if (each["kind"], each["thing_id"]) == ("live-migrate", drained.servers["running"])
    ]

    assert ours
    assert {*ours} <= drained.known_to_nova
    assert drained.log_of_the_cordon.strip()


def test_each_attempt_and_each_proof_tells_what_was_read(drained: Drained) -> None:
    attempts, proofs = drained.of("attempt"), drained.of("proof")
    moves = [each for each in attempts if each["kind"] == "live-migrate"]

    assert {each["state"] for each in attempts} == {"done"}
    assert [bool(each["mark"] and each["saw"]) for each in moves] == [True] * 3
    assert {each["outcome"] for each in proofs} == {"proved"}
    assert f"no servers are on `{drained.node}`" in {each["text"] for each in proofs}
