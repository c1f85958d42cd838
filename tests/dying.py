"""A cloud and nodes whose caller may die before and after each change, and runs among them."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import copytree
from typing import Any

from engine.fakes import FakeClock
from fakes.cloud import FakeCloud
from fakes.power import FakePower
from fakes.shell import FakeShell
from fakes.world import SERVICES, a_world
from killing import DyingJournal, Fate, Operation, copied, taken_up
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.store.listing import FILE
from stackward.app.carrying import worker_context
from stackward.engine import Brakes, approve, ask_cancel, carry_out
from stackward.engine.cancel import give_up
from stackward.engine.verify import ask_all
from stackward.kinds import KINDS
from stackward.model.maintenance import DROP_IN, MAINTENANCE
from stackward.model.run import Approval, Run, RunState
from stackward.operations import plan_request
from stackward.plan import Request
from stackward.ports.power import Power
from stackward.ports.shell import Answer
from stackward.ports.world import World
from stackward.status.boot_gate import read_gate

NODE = "compute-07"
_UNHEARD_MIN = 5  # longer than a worker may be silent, and than any move takes here

# The port says it: what changes something returns the id of its request, if it has one.
_ASK_FOR_A_WORD = {"uptime", "action_failure"}
CHANGES = {
    name
    for port in (*SERVICES.values(), Power)
    for name, call in vars(port).items()
    if getattr(call, "__annotations__", {}).get("return") == (str | None)
} - _ASK_FOR_A_WORD
ENDS = {"destroy", "undefine"}  # commands of `virsh`, with the login's own rights


def locked(real: Any, fate: Fate) -> Any:  # noqa: ANN401  # whatever a port has
    """Return what reads, for a world that may be copied meanwhile: some fakes note who asked."""
    if not callable(real):
        return real

    def read(*given: Any, **named: Any) -> Any:  # noqa: ANN401  # same
        with fate.lock:
            return real(*given, **named)

    return read


class DyingService:
    """A service of a cloud, or its power, whose caller may die before and after each change."""

    def __init__(self, service: object, fate: Fate) -> None:
        self._service, self._fate = service, fate

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the service has
        real = getattr(self._service, name)
        if name not in CHANGES:
            return locked(real, self._fate)

        def change(*given: Any, **named: Any) -> Any:  # noqa: ANN401  # same
            with self._fate.around(name):
                return real(*given, **named)

        return change


class DyingShell:
    """Nodes whose caller may die before and after each command that changes something there."""

    def __init__(self, shell: FakeShell, fate: Fate) -> None:
        self._shell, self._fate = shell, fate

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever a shell has
        return locked(getattr(self._shell, name), self._fate)

    def run(self, node: str, command: Sequence[str], /, **how: Any) -> Answer:  # noqa: ANN401  # same
        """Run it; what needs root changes something, but `virsh` does so only to end a guest."""
        if not (ENDS & {*command} if command[0] == "virsh" else how.get("as_root")):
            with self._fate.lock:
                return self._shell.run(node, command, **how)
        with self._fate.around(" ".join([command[0], *(ENDS & {*command} or command[1:2])])):
            return self._shell.run(node, command, **how)


@dataclass
class Site:
    """A cloud with its nodes, and a journal."""

    place: Path
    cloud: FakeCloud = field(default_factory=FakeCloud)
    shell: FakeShell = field(init=False)
    power: FakePower = field(init=False)
    passed: float = 0.0  # seconds

    def __post_init__(self) -> None:
        self.shell = FakeShell(self.cloud)
        self.power = FakePower(self.shell)
        self._open()

    def _open(self) -> None:
        self.clock = FakeClock(self.passed, on_wait=[self.cloud.nova.pass_time])
        self.shell.clock = self.clock
        self.journal = SqlJournal(open_database(url_of(self.place)))

    def copied_to(self, place: Path) -> "Site":
        """Return the same in another folder, to go on from there; it must have been left."""
        copytree(self.place, place, dirs_exist_ok=True)
        return self._in(place)()

    def left_at(self, place: Path) -> Callable[[], "Site"]:
        """Copy all that there is now to a folder, while others write; return how it is opened."""
        copied(self.place / FILE, place / FILE)
        return self._in(place)

    def _in(self, place: Path) -> Callable[[], "Site"]:
        copy = object.__new__(Site)
        copy.place = place
        copy.cloud, copy.shell, copy.power = deepcopy((self.cloud, self.shell, self.power))
        copy.passed = self.clock.passed

        def opened() -> Site:
            copy._open()
            return copy

        return opened

    def world(self, fate: Fate | None = None) -> World:
        """Return the ports over it, for whoever has this fate."""
        near, fate = a_world(self.cloud), fate or Fate()
        services: Any = {name: DyingService(getattr(near, name), fate) for name in SERVICES}
        shell: Any = DyingShell(self.shell, fate)
        for name, real in (("power", self.power), ("clock", self.clock)):
            services[name] = DyingService(real, fate)
        return replace(near, shell=shell, **services)

    def approved(self, asked: Request) -> Run:
        """Plan what is asked for and approve it."""
        plan = plan_request(self.world(), self.journal, asked)
        approval = Approval(by="ann", at=self.clock.now(), how="--yes")
        return approve(plan, approval, self.journal, kinds=KINDS)

    def carry_out(self, run: Run, fate: Fate) -> Run:
        """Carry a run out by the real operations; its world and its journal share a fate."""
        journal: Any = DyingJournal(self.journal, fate)
        context = worker_context(self.world(fate), journal)
        return carry_out(run.id, context, Brakes())

    def given_up(self, run: Run) -> Run:
        """Give up a run whose worker was lost: one that waits for a worker is only cancelled.

        Nobody is heard of it for minutes, in which the cloud goes on with what it was asked for.
        """
        for _ in range(_UNHEARD_MIN):
            self.clock.wait(60.0)
        now = self.clock.now()
        if run.state is RunState.QUEUED:
            return ask_cancel(run.id, "ann", now, self.journal, KINDS)[0]
        why = "its machine burned"
        return give_up(run.id, "ann", why, "bastion", self.journal, KINDS, self.clock)

    def anew(self, asked: Request) -> Run:
        """Carry out what is asked for, well; where nothing is to be done, see that it is so.

        Return the newest run: what follows is told by it.
        """
        world = replace(self.world(), acting=None)
        plan = plan_request(world, self.journal, asked)
        if plan.stages:
            return self.well(asked)
        wrong = [proof.text for proof in ask_all(plan.verify, world) if not proof.holds]
        assert (plan.blockers, wrong) == ((), [])
        return replace(self.journal.runs(limit=1)[0], state=RunState.SUCCEEDED)

    def confirm_what_waits(self) -> None:
        """Do what a drain advises for a server whose move nobody has confirmed."""
        for server in [*self.cloud.nova.known.values()]:
            if server.status == "VERIFY_RESIZE":
                self.cloud.nova.confirm_resize(server.id)
        self.clock.wait(60.0)

    def well(self, asked: Request) -> Run:
        """Carry out what is asked for; it must end well."""
        ended = self.carry_out(self.approved(asked), Fate())
        assert ended.state is RunState.SUCCEEDED, ended.ending
        return ended

    @property
    def hosts(self) -> dict[str, str | None]:
        """Return where each server is."""
        return {server.name: server.host for server in self.cloud.nova.known.values()}

    @property
    def asked(self) -> dict[str, list[str]]:
        """Return what was asked of Nova, by server; booting one is no action."""
        known = {server.id: server.name for server in self.cloud.nova.known.values()}
        return {
            known[server]: [each.action for each in made]
            for server, made in self.cloud.nova.actions.items()
            if server in known  # not of those that are gone
        }

    @property
    def running(self) -> dict[str, int]:
        """Return how often the guest of each server that runs was started."""
        known = self.cloud.nova.known.values()
        return {
            one.name: self.cloud.nova.boots[one.id] for one in known if one.vm_state == "active"
        }

    @property
    def attached(self) -> dict[str, list[str | None]]:
        """Return the hosts on which Cinder has each volume attached."""
        found = {each: self.cloud.cinder.volume(each) for each in self.cloud.cinder.volumes}
        return {each: [host for _, host in one.attached] for each, one in found.items() if one}

    def is_in_service(self, node: str) -> bool:
        """Say whether a node takes new servers."""
        service = self.cloud.nova.computes[node]
        is_kept_off = any((node, path) in self.shell.files for path in (MAINTENANCE, DROP_IN))
        return service.is_enabled and service.is_up and not is_kept_off

    def close(self) -> None:
        """Leave it."""
        self.journal.close()


def of_cloud(
    prepared: Site,
    asked: Callable[[Site], Request],
    ends: dict[str, object],
    then: Callable[[Site, Run], Run] = taken_up,
) -> Operation[Site]:
    """Return an operation on a cloud that was prepared, to be killed; `ends` names what counts."""

    def begin(place: Path) -> tuple[Site, Run]:
        site = prepared.copied_to(place)
        return site, site.approved(asked(site))

    def stands(site: Site, run: Run) -> object:
        service, guard = site.cloud.nova.computes[NODE], site.cloud.masakari.guards.get(NODE)
        device = site.power.devices.get(NODE)
        found = {
            "state": run.state,
            "hosts": site.hosts,
            "asked": site.asked,
            "running": site.running,
            "attached": site.attached,
            "volumes": {
                each: one.status
                for each in site.cloud.cinder.volumes
                if (one := site.cloud.cinder.volume(each))
            },
            "changes of volumes": dict(site.cloud.cinder.changes),
            "devices": {
                one.volume: one.device
                for each in site.cloud.nova.known
                for one in site.cloud.nova.volumes_of(each)
            },
            "allocations kept": site.cloud.placement.kept,
            "bindings": dict(site.cloud.neutron.bound),
            "removed at Neutron": site.cloud.neutron.deleted,
            "services removed": site.cloud.nova.deleted_services,
            "built": len(site.cloud.nova.built),
            "in service": site.is_in_service(NODE),
            "out of service": [
                each for each in site.cloud.nova.hosts if not site.is_in_service(each)
            ],
            "gate": read_gate(site.shell, NODE),
            "claimed": service.disabled_reason is not None,
            "unit": site.shell.units.get(NODE),
            "starts": site.shell.starts[NODE],
            "reboots": site.shell.reboots[NODE],
            "reboots of all": dict(site.shell.reboots),
            "runs": len(site.journal.children(run.id)),
            "cut by a reboot": sorted(site.shell.cut_by_reboot),
            "old copies destroyed": len(site.shell.destroyed),
            "stale guests": sorted(site.shell.domains),
            "power": device.state.value if device else None,
            "guarded": guard is not None and not guard.is_in_maintenance,
        }
        assert ends.keys() <= found.keys()
        return {name: found[name] for name in ends}

    return Operation(begin=begin, stands=stands, ends=ends, then=then, left=Site.left_at)
