"""Drains on a real lab: ordered by the product's own commands, witnessed by others' tools.

What the witnesses tell comes from openstacksdk, from virsh and from the guests' consoles: nothing
of it passes through the code that is tested.
"""

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from real_lab import STACKWARD, RealLab, until
from stackward.lab import proof
from stackward.lab.client import PLACEMENT_MICROVERSION, environment
from stackward.lab.guest import Tick
from stackward.lab.load import wait_status

DRAIN_S = 600
TRAIT = "COMPUTE_STATUS_DISABLED"
INSTANCES = "/var/lib/nova/instances"
PUT_BACK = """
rm -f /etc/stackward/maintenance /etc/systemd/system/nova-compute.service.d/stackward.conf
systemctl daemon-reload
systemctl unmask nova-compute 2>/dev/null
systemctl kill -s CONT nova-compute 2>/dev/null
systemctl start nova-compute
"""


STARTED: list[subprocess.Popen[bytes]] = []  # all that was started here and left to itself


def leave_none_behind() -> None:
    """Kill what was started and goes on: a worker of a play that failed would work in the next."""
    for process in STARTED:
        if process.poll() is None:
            process.kill()
            process.wait()
    STARTED.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended, and what it told the operator."""

    code: int
    said: str


@dataclass(frozen=True)
class Going:
    """A command that goes on, and what it has told so far."""

    process: subprocess.Popen[bytes]
    log: Path

    def ended(self) -> Ended:
        """Wait for its end."""
        code = self.process.wait(DRAIN_S)
        return Ended(code=code, said=self.log.read_text())


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a server is and how it is, by Nova's records and by libvirt."""

    node: str
    status: str
    vm_state: str
    power_state: int
    domain: str
    volumes: tuple[str, ...]
    bound_to: tuple[str, ...]

    @property
    def state(self) -> tuple[str, str, int, str, tuple[str, ...]]:
        """What a move must not change."""
        return (self.status, self.vm_state, self.power_state, self.domain, self.volumes)


def typed(domain: str, server_id: str, word: str) -> str:
    """Return the script by which a guest on a node is told to write a word on its disk.

    QEMU reads from a terminal only while somebody has it open. A guest that ticks may not have its
    shell yet, and what is typed before that is lost: so it is typed until it is done.
    """
    return f"""
exec 3<>$(virsh ttyconsole {domain}); log={INSTANCES}/{server_id}/console.log
timeout 90 sh -c "until grep -q tick $log; do sleep 0.5; done"
for _ in 1 2 3 4 5 6; do
    printf '\\rwrite {word}\\r' >&3
    timeout 10 sh -c "until grep -q note={word} $log; do sleep 0.5; done" && exit
done
exit 1
"""


@dataclass(frozen=True)
class Drains:
    """The drains of one lab, with a journal of their own."""

    lab: RealLab
    folder: Path

    # --- orders ---

    @cached_property
    def environment(self) -> dict[str, str]:
        """What points Stackward at the lab, and its journal at the test's own folder."""
        path = f"{Path(STACKWARD).parent}:{os.environ['PATH']}"
        own = {"STACKWARD_STATE_DIR": str(self.folder), "PATH": path, "COLUMNS": "200"}
        return {**os.environ, **environment(self.lab.spec), **own}

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Stackward's."""
        return subprocess.run(
            [STACKWARD, *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DRAIN_S,
            check=False,
        )

    def plan(self, node: str, *flags: str) -> tuple[Ended, Path]:
        """Plan a drain; return how that ended and where the plan is kept."""
        place = self.folder / f"plan-{len(list(self.folder.glob('plan-*.json')))}.json"
        asked = ["node", "drain", node, "--reason", "tested", "--dry-run"]
        ended = self.call(*asked, "--plan-out", str(place), *flags)
        return Ended(code=ended.returncode, said=ended.stdout + ended.stderr), place

    def begin(self, node: str, *flags: str) -> Going:
        """Begin a drain, which must have no blockers."""
        planned, place = self.plan(node, *flags)
        assert planned.code == 0, planned.said
        return self.apply(place)

    def apply(self, plan: Path) -> Going:
        """Begin to carry a stored plan out."""
        return self.start([STACKWARD, "run", "apply", str(plan), "--yes"])

    def start(self, words: list[str]) -> Going:
        """Start a command and leave it to itself."""
        log = self.folder / f"said-{len(list(self.folder.glob('said-*')))}"
        with log.open("wb") as out:
            process = subprocess.Popen(
                words, env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        STARTED.append(process)
        return Going(process, log)

    def drain(self, node: str, *flags: str) -> Ended:
        """Drain a node to the end, whatever that is; a plan with blockers is the end too."""
        planned, place = self.plan(node, *flags)
        if planned.code:
            return planned
        return self.apply(place).ended()

    def resume(self) -> Ended:
        """Resume the latest run, and wait for its end."""
        return self.start_resume().ended()

    def start_resume(self, *flags: str) -> Going:
        """Resume the latest run."""
        return self.start([STACKWARD, "run", "resume", self.run["ID"], *flags])

    @property
    def run(self) -> dict[str, Any]:
        """The latest run."""
        latest: dict[str, Any] = json.loads(self.call("run", "list", "-f", "json").stdout)[0]
        return latest

    @property
    def events(self) -> list[dict[str, Any]]:
        """All that happened in the latest run."""
        return self.events_of(self.run["ID"])

    def events_of(self, run: str) -> list[dict[str, Any]]:
        """Return all that happened in a run."""
        shown = self.call("run", "show", run, "--events", "-f", "json").stdout
        events: list[dict[str, Any]] = json.loads(shown)
        return events

    # --- witnesses ---

    def place(self, server_id: str) -> Place:
        """Return where a server is and how it is."""
        server = self.lab.server(server_id)
        node = server.hypervisor_hostname
        volumes = list(self.lab.cloud.compute.volume_attachments(server_id))
        ports = self.lab.cloud.network.ports(device_id=server_id)
        return Place(
            node=node,
            status=server.status,
            vm_state=server.vm_state,
            power_state=server.power_state,
            domain=self.lab.domains(node).get(server.instance_name, "absent"),
            volumes=tuple(sorted(each.volume_id for each in volumes)),
            bound_to=tuple(port.binding_host_id for port in ports),
        )

    def migrations(self, server_id: str) -> dict[int, tuple[str, str]]:
        """Return the kind and the state of each migration of a server, by its number."""
        answer = self.lab.cloud.compute.get(f"/os-migrations?instance_uuid={server_id}")
        return {
            one["id"]: (one["migration_type"], one["status"]) for one in answer.json()["migrations"]
        }

    def records(self, servers: Iterable[str]) -> dict[str, dict[int, tuple[str, str]]]:
        """Return the same for several servers."""
        return {each: self.migrations(each) for each in servers}

    def servers_on(self, node: str) -> list[str]:
        """Return the ids of all projects' servers on a node."""
        found = self.lab.cloud.compute.servers(all_projects=True, compute_host=node)
        return [server.id for server in found]

    def directories(self, node: str) -> list[str]:
        """Return what Nova keeps of servers on a node's disk."""
        return self.lab.on(node, f"cd {INSTANCES}; ls -d *-*-*-*-* 2>/dev/null || true").split()

    def service(self, node: str) -> Any:  # noqa: ANN401  # the SDK's own
        """Return a node's nova-compute, as Nova sees it."""
        [service] = self.lab.cloud.compute.services(binary="nova-compute", host=node)
        return service

    def unit(self, node: str) -> tuple[str, str]:
        """Return whether the unit of nova-compute runs on a node, and whether it may."""
        said = self.lab.on(
            node,
            "systemctl is-active nova-compute || true; systemctl is-enabled nova-compute || true",
        )
        active, enabled = said.split()
        return active, enabled

    def traits(self, node: str) -> list[str]:
        """Return the traits that placement has of a node."""
        placement = self.lab.cloud.placement
        found = placement.get(
            f"/resource_providers?name={node}", microversion=PLACEMENT_MICROVERSION
        ).json()
        [provider] = found["resource_providers"]
        answer = placement.get(
            f"/resource_providers/{provider['uuid']}/traits", microversion=PLACEMENT_MICROVERSION
        )
        traits: list[str] = answer.json()["traits"]
        return traits

    def ticks_on(self, server_id: str, before: Tick) -> Tick:
        """Wait for a guest's next sign of life after `before`, of whichever boot, and return it."""
        return self.lab.tick(
            server_id, lambda tick: tick.boot != before.boot or tick.number > before.number
        )

    def write(self, server_id: str, word: str) -> Tick:
        """Let a guest write a word on its disk, and return the tick that shows it."""
        server = self.lab.server(server_id)
        self.lab.tick(server_id)
        script = typed(server.instance_name, server_id, word)
        self.lab.on(server.hypervisor_hostname, script)
        return self.lab.tick(server_id, lambda tick: note(tick) == word)

    # --- support ---

    def is_in_service(self, node: str) -> bool:
        """Say whether the scheduler may use a node."""
        service = self.service(node)
        return (service.state, service.status) == ("up", "enabled") and (
            TRAIT not in self.traits(node)
        )

    def reports_anew(self, node: str, last: str) -> bool:
        """Say whether Nova has heard from a node's nova-compute since that report."""
        service = self.service(node)
        return bool(service.state == "up" and service.updated_at != last)

    def put_back(self, *nodes: str) -> None:
        """Bring drained nodes back at once, without the product."""
        # What Nova heard last of a process that is gone counts as `up` for half a minute more.
        heard = {node: self.service(node).updated_at for node in nodes}
        for node in nodes:
            self.lab.on(node, PUT_BACK)
        for node in nodes:
            until(lambda node=node: self.reports_anew(node, heard[node]))  # type: ignore[misc]
            self.lab.cloud.compute.enable_service(self.service(node).id)
        for node in nodes:
            until(lambda node=node: self.is_in_service(node))  # type: ignore[misc]

    def put_back_all(self) -> None:
        """Bring back every node that this test's runs took out of service."""
        ours = {run["ID"] for run in json.loads(self.call("run", "list", "-f", "json").stdout)}
        services = list(self.lab.cloud.compute.services(binary="nova-compute"))
        self.put_back(
            *(
                service.host
                for service in services
                if service.status == "disabled" and ours & {*service.disabled_reason.split()}
            )
        )

    def boot(self, name: str, node: str, **more: Any) -> str:  # noqa: ANN401  # as above
        """Ask for a server on a node and return its id; it is not there yet."""
        return str(proof.boot(self.lab.cloud, name, node, **more).id)

    def wait_for_guests(self, servers: Iterable[str]) -> dict[str, Tick]:
        """Wait until servers are ACTIVE and their guests live; return a tick of each."""
        there = [str(proof.wait_active(self.lab.cloud, each).id) for each in servers]
        return {each: self.lab.tick(each) for each in there}

    def remove(self, *servers: str) -> None:
        """Delete servers, all at once, and wait until they are gone."""
        proof.remove(self.lab.cloud, *servers)

    def remove_left_over(self, names: str) -> None:
        """Delete the servers that an earlier test left behind, by how their names begin."""
        found = self.lab.cloud.compute.servers(name=f"^{names}")
        self.remove(*(server.id for server in found))

    @contextmanager
    def running(self, name: str) -> Iterator[str]:
        """Give a server whose guest runs on the first compute node, and remove it in the end."""
        self.remove_left_over(name)
        made = self.boot(name, self.lab.spec.compute_nodes[0].name)
        self.wait_for_guests([made])
        yield made
        self.remove(made)

    def stop(self, server_id: str) -> None:
        """Stop a server."""
        self.lab.cloud.compute.stop_server(server_id)
        wait_status(self.lab.cloud, server_id, "SHUTOFF")


@contextmanager
def drains_in(lab: RealLab, folder: Path) -> Iterator[Drains]:
    """Give drains with their journal in that folder; put back what they took out of service."""
    drains = Drains(lab, folder)
    try:
        yield drains
    finally:
        leave_none_behind()
        drains.put_back_all()


def note(tick: Tick) -> str | None:
    """Return what the guest last wrote on its first disk."""
    disk = tick.disk("vda")
    return disk.note if disk else None


def new(
    before: Mapping[str, dict[int, tuple[str, str]]], after: Mapping[str, dict[int, Any]]
) -> dict[str, list[tuple[str, str]]]:
    """Return each server's migrations that came since `before`."""
    return {
        server: [one for number, one in records.items() if number not in before[server]]
        for server, records in after.items()
    }
