"""Whether a node can run servers: its nova-compute, libvirt, inventory and network agents."""

from dataclasses import dataclass, field
from typing import ClassVar

from stackward.answers import why
from stackward.checks.listening import listen
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.model.acceptance import acceptance_name
from stackward.model.compute_process import UNIT, ComputeProcess
from stackward.model.placement import DISABLED
from stackward.model.unread import Unread
from stackward.plan import CheckResult, Holds, NotApplicable, Refuted, Unverified
from stackward.plan.stored import VOLATILE
from stackward.ports.compute_process import read_processes
from stackward.ports.libvirt import cure_of, read_daemon, refused
from stackward.ports.login import way_to
from stackward.ports.root import COMPUTE_LOG, COMPUTE_LOGS, Words
from stackward.ports.shell import VIRSH, refusal
from stackward.ports.systemd import read_active
from stackward.ports.world import World
from stackward.status.lookups import hypervisor_of, service_of

_VERSION = (*VIRSH, "version", "--daemon")
_CPUS = {"VCPU", "PCPU"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServesRpc:
    """nova-compute answers over RPC, which the service list does not show."""

    kind: ClassVar[str] = "serves-rpc"

    host: str
    hypervisor: str

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"nova-compute on `{self.host}` serves RPC"

    def ask(self, world: World, /) -> CheckResult:
        """Ask for the uptime. Raises `Unreachable` where the call is not answered in time."""
        uptime = world.nova.uptime(self.hypervisor)
        if uptime is None:
            return Unverified(
                self.host,
                "Nova has no answer from its nova-compute",
                f"see its log there, and whether RabbitMQ has a queue `compute.{self.host}`",
            )
        return Holds(f"it reported its uptime: {uptime.strip()}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IsKeptOff:
    """nova-compute does not run on a node in maintenance, and Nova hears from none of its host."""

    kind: ClassVar[str] = "is-kept-off"

    node: str
    # As Nova calls it; None: like the node. Older plans do not have it, so it is no decision of its
    # own.
    host: str | None = field(default=None, metadata=VOLATILE)

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"nova-compute is off on `{self.node}`"

    def ask(self, world: World, /) -> CheckResult:
        """Ask systemd on the node, look at its processes, then listen whether Nova hears from one.

        A container is no unit, and `ps` may not show its processes: what reports to Nova runs.
        """
        try:
            state = read_active(world.shell.run(self.node, ["systemctl", "is-active", UNIT]).out)
            processes = read_processes(world.shell, self.node)
        except NotUnderstood as error:
            return Unverified(self.node, why(error), "look at it there")
        except (Unreachable, Uncertain) as error:
            return Unverified(self.node, error.message, way_to(Unread.of(error)))
        return self._what_runs(state, processes) or self._what_reports(world, state)

    def _what_runs(
        self, state: str, processes: tuple[ComputeProcess, ...] | Unread
    ) -> Refuted | Unverified | None:
        if state not in {"inactive", "failed"}:
            return Refuted(
                self.node,
                f"its nova-compute is {state}",
                "`stackward node return` it, then drain it again; or pass `--keep-service`",
            )
        if isinstance(processes, Unread):
            return Unverified(self.node, processes.why, "see `ps -ef` there")
        if processes:
            return Refuted(
                self.node,
                f"its nova-compute runs {processes[0].words}, although its unit is {state}",
                "stop it by what manages it there; or pass `--keep-service`",
            )
        return None

    def _what_reports(self, world: World, state: str) -> CheckResult:
        host = self.host or self.node
        heard = listen(world, host)
        if heard.silent is None:
            see = f"`openstack compute service list --host {host}`"
            return Unverified(self.node, heard.why, f"see whether it reports still: {see}")
        if not heard.silent:
            return Refuted(
                self.node,
                f"{heard.why}, although its unit is {state} and `ps` shows none",
                "find what runs it (a container, another machine with that `host` in its "
                "settings), and stop it by what manages it there; or pass `--keep-service`",
            )
        return Holds(
            f"`systemctl is-active {UNIT}` says {state}; `ps` shows no nova-compute; {heard.why}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IsUp:
    """Nova hears from the node's nova-compute."""

    kind: ClassVar[str] = "is-up"

    host: str

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"Nova hears from nova-compute on `{self.host}`"

    def ask(self, world: World, /) -> CheckResult:
        """Look at the service."""
        service = service_of(world.nova, self.host)
        if service is not None and service.is_up:
            return Holds("Nova calls its service up")
        return Refuted(self.host, "its service is down", "see nova-compute's log there")


@dataclass(frozen=True, slots=True, kw_only=True)
class LibvirtAnswers:
    """libvirt on the node answers."""

    kind: ClassVar[str] = "libvirt-answers"

    host: str
    node: str

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"libvirt on `{self.node}` answers"

    def ask(self, world: World, /) -> CheckResult:
        """Ask for its version."""
        hypervisor = hypervisor_of(world.nova, self.host)
        if hypervisor is not None and not hypervisor.has_domains:
            return NotApplicable(self.node, f"its hypervisor is `{hypervisor.kind}`")
        try:
            answer = world.shell.run(self.node, _VERSION)
        except (Unreachable, Uncertain) as error:
            return Unverified(self.node, error.message, way_to(Unread.of(error)))
        if answer.code != 0:
            said = refused(answer, _VERSION[len(VIRSH)])
            if said.by is not None:
                return Unverified(self.node, said.why, cure_of(said))
            says = answer.err.strip() or f"`virsh` ended with {answer.code}"
            return Refuted(self.node, f"libvirt does not answer: {says}", "repair libvirt there")
        try:
            return Holds(f"libvirt {read_daemon(answer.out)} answers")
        except NotUnderstood as error:
            return Unverified(self.node, why(error), "look at it there")


@dataclass(frozen=True, slots=True, kw_only=True)
class HasInventory:
    """Placement has an inventory of the node, with CPUs and memory to give."""

    kind: ClassVar[str] = "has-inventory"

    host: str
    provider: str

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"placement has the inventory of `{self.host}`"

    def ask(self, world: World, /) -> CheckResult:
        """Look at what the provider has."""
        inventories = world.placement.provider(self.provider).inventories
        has = {name for name, inventory in inventories.items() if inventory.capacity > 0}
        if has & _CPUS and "MEMORY_MB" in has:
            return Holds(f"placement has of it: {', '.join(sorted(has))}")
        return Refuted(
            self.host,
            f"placement knows only of {', '.join(sorted(has)) or 'nothing'} there",
            "see nova-compute's log there: it reports the inventory every minute",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAgentsAlive:
    """Neutron hears from every agent of the node; with OVN, from its chassis."""

    kind: ClassVar[str] = "network-agents-alive"

    host: str

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"Neutron hears from its agents on `{self.host}`"

    def ask(self, world: World, /) -> CheckResult:
        """Look at the agents."""
        agents = world.neutron.network_agents_on(self.host)
        if not agents:
            return NotApplicable(self.host, "Neutron has no agent there")
        silent = [agent.kind for agent in agents if not agent.is_alive]
        if not silent:
            return Holds(f"alive: {', '.join(agent.kind for agent in agents)}")
        return Refuted(
            self.host,
            f"Neutron does not hear from: {', '.join(silent)}",
            "see its service there (with OVN: `systemctl status ovn-controller`)",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InService:
    """The service is enabled, up and claimed by nobody, and placement gives the node to servers."""

    kind: ClassVar[str] = "in-service"

    host: str
    provider: str

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"`{self.host}` is in service: enabled, up, and offered by placement"

    def ask(self, world: World, /) -> CheckResult:
        """Look at the service, and for the trait."""
        service = service_of(world.nova, self.host)
        if service is None or not service.is_enabled:
            text = (service.disabled_reason if service else None) or "without a reason"
            return Refuted(self.host, f"its service is disabled: {text}", "return the node again")
        if not service.is_up or service.is_forced_down:
            return Refuted(self.host, "its service is down", "see nova-compute's log there")
        if DISABLED in world.placement.provider(self.provider).traits:
            return Refuted(
                self.host,
                f"placement still has the trait {DISABLED}: no server is put there",
                "restart its nova-compute, or disable and enable the service again",
            )
        return Holds(f"enabled and up; placement does not have {DISABLED}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAcceptanceServer:
    """Nothing is left of the server that this run booted to see that the node works."""

    kind: ClassVar[str] = "no-acceptance-server"

    host: str

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"no acceptance server is left of the return of `{self.host}`"

    def ask(self, world: World, /) -> CheckResult:
        """Look for servers of its name."""
        if world.acting is None:
            return NotApplicable(self.host, "no run has made one")
        sought = acceptance_name(world.acting.run)
        left = world.nova.servers_named(sought)
        if not left:
            return Holds(f"Nova lists no server `{sought}`")
        name = left[0].label
        return Refuted(name, "is still there", f"`openstack server delete {left[0].id}`")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIsReadable:
    """The log of nova-compute on a node can be read: it alone says which disk Nova used."""

    kind: ClassVar[str] = "log-is-readable"

    node: str

    @property
    def as_root(self) -> tuple[Words, ...]:
        """Return what it runs as root."""
        return (COMPUTE_LOG,)

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"the log of nova-compute on `{self.node}` can be read"

    def ask(self, world: World, /) -> CheckResult:
        """Read it."""
        answer = world.shell.run(self.node, COMPUTE_LOG, as_root=True)
        if (why_not := refusal(answer)) is not None:
            return Unverified(self.node, why_not, "allow it with sudo, as the guide says")
        if not answer.out.strip():
            return Unverified(
                self.node,
                f"there is nothing in {' or '.join(COMPUTE_LOGS)}",
                "let nova-compute write its log there",
            )
        return Holds("it holds lines")
