"""Take a node's nova-compute out of service and back: cordon, keep off; bring up, uncordon.

The cordon is the claim: it is in the cloud itself, where every tool sees it.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from stackward.answers import understood, whole
from stackward.errors import Refused
from stackward.model.claim import Claim, read_claim
from stackward.model.compute_process import UNIT, ComputeProcess, outside
from stackward.model.maintenance import DROP_IN, DROP_IN_TEXT, MAINTENANCE, MASKED
from stackward.model.placement import DISABLED
from stackward.model.service import ComputeService
from stackward.model.unread import Unread
from stackward.plan import Look, Mark, Standing
from stackward.ports import root
from stackward.ports.compute_process import read_processes
from stackward.ports.shell import Answer
from stackward.ports.systemd import read_active, read_enabled, read_facts
from stackward.ports.world import World
from stackward.status.lookups import its_service
from stackward.status.taken_back import end_the_run
from stackward.steps.as_root import must_all
from stackward.wording import count_of

_RESTARTS = 5  # systemd's own, after which nova-compute is said not to stay up


@dataclass(frozen=True, slots=True, kw_only=True)
class Cordon:
    """Keep the scheduler off a node, and claim it: the service's reason names our run."""

    # Looked at a moment later: a server that was sent there just before shows by then.
    kind: ClassVar[str] = "cordon"

    host: str
    provider: str  # the node's at placement, whose trait proves that the scheduler knows
    reason: str
    over: str | None = None  # a run whose claim, if it is still there, is as good as ours
    replaces: str | None = None  # a run that is over, whose claim gives way to ours
    with_trait: bool = True  # False: of a dead node, whose nova-compute sets no trait

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"cordon `{self.host}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`stackward node return {self.host}`"

    def mark(self, world: World, /) -> Mark:
        """Note how the service is now."""
        service = its_service(world.nova, self.host)
        return {"is_enabled": service.is_enabled, "reason": service.disabled_reason}

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002 # the claim shows it
        """Done when the claim is ours *and* placement has the trait: Nova may fail to set it."""
        service = its_service(world.nova, self.host)
        if service.is_enabled:
            return Look(Standing.TODO)
        claim = read_claim(service.disabled_reason)
        if claim is not None and claim.run == self.replaces:
            return Look(Standing.TODO)
        if claim is None or claim.run not in self._ours(world):
            text = service.disabled_reason or "without a reason"
            return Look(Standing.FOREIGN, reason=f"it is disabled already: {text}")
        has_trait = DISABLED in world.placement.provider(self.provider).traits
        if self.with_trait and not has_trait:
            return Look(
                Standing.UNDERWAY,
                reason=f"placement has no trait {DISABLED} for it yet",
                remedy="look into nova-compute's log there: it sets the trait with each update of "
                "its resources; then resume the run",
                is_over=True,
            )
        return Look(Standing.DONE, saw={"disabled_reason": service.disabled_reason})

    def lost(self, world: World, /) -> Look | None:
        """Say who has enabled the service or claimed it since; Nova keeps no name for the first."""
        found = self._lost(its_service(world.nova, self.host), world)
        if found is None or self.with_trait:
            return found
        # The node was dead: somebody has taken it back, so it serves guests again.
        return replace(found, remedy=end_the_run(world), is_repeated=False)

    def _lost(self, service: ComputeService, world: World) -> Look | None:
        if service.is_enabled:
            return Look(
                Standing.FOREIGN,
                reason="is no longer cordoned: somebody else has enabled its service "
                "(Nova does not record who)",
                remedy="ask the person who enabled it; `stackward run resume` cordons it again",
            )
        claim = read_claim(service.disabled_reason)
        if claim is not None and claim.run in self._ours(world):
            return None
        whose = f"{claim.operator} has claimed it since" if claim else "somebody else has it now"
        return Look(
            Standing.FOREIGN,
            reason=f"has a new claim: {whose}: {service.disabled_reason or 'no reason given'}",
            remedy="ask the person who has it now; once that claim is removed, resume the run",
        )

    def _ours(self, world: World) -> set[str]:
        return {run for run in (self.over, world.acting and world.acting.run) if run}

    def start(self, world: World, /) -> str | None:
        """Disable the service with our claim as its reason."""
        if world.acting is None:
            raise Refused("a cordon needs a run that claims the node")
        claim = Claim(
            run=world.acting.run,
            operator=world.acting.operator,
            machine=world.acting.machine,
            since=world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            reason=self.reason,
            chain=world.acting.chain,
        )
        return world.nova.disable_service(its_service(world.nova, self.host).id, str(claim))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepOff:
    """Stop nova-compute and keep it off, also against configuration management and a reboot.

    A mask alone does not stop Puppet, whose provider unmasks, and breaks Ansible. The drop-in makes
    every start a quiet no-op while the maintenance file is there.
    """

    kind: ClassVar[str] = "keep-off"

    node: str
    reason: str
    with_mask: bool = True

    @property
    def as_root(self) -> tuple[root.Words, ...]:
        """Return what it runs as root, in order."""
        mask = (root.MASK,) if self.with_mask else ()
        drop_in = (root.MAKE_DROP_IN, root.FILL_DROP_IN)
        return (root.NOTE_MAINTENANCE, *drop_in, root.RELOAD, *mask, root.STOP)

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"stop nova-compute on `{self.node}` and keep it off"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`stackward node return {self.node}`"

    def mark(self, world: World, /) -> Mark:
        """Note whether the unit runs now."""
        return {"active": self._is(world, "is-active").out.strip()}

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002 # the node shows it
        """Done when the file and the drop-in are there, and nothing runs or may start.

        A process outside the unit is one that we do not stop: then nothing is started.
        """
        processes = read_processes(world.shell, self.node)
        if isinstance(processes, Unread):
            return Look(Standing.UNKNOWN, reason=processes.why)
        if elsewhere := outside(processes):
            return Look(
                Standing.FAILED,
                reason=f"nova-compute runs {elsewhere[0].words}: stopping {UNIT} does not end it",
                remedy="stop it by what manages it there, or drain with `--keep-service`",
            )
        return self._look_at_unit(world, processes)

    def _look_at_unit(self, world: World, processes: tuple[ComputeProcess, ...]) -> Look:
        if not self._is_written(world):
            return Look(Standing.TODO)
        enabled = read_enabled(self._is(world, "is-enabled").out)
        active = read_active(self._is(world, "is-active").out)
        if self.with_mask and enabled not in MASKED:
            return Look(Standing.TODO)
        if active == "deactivating":
            return Look(Standing.UNDERWAY, reason="nova-compute is stopping")
        if active not in {"inactive", "failed"}:
            return Look(Standing.TODO)
        if processes:
            reason = f"the unit is {active}, and nova-compute still runs {processes[0].words}"
            return Look(Standing.UNDERWAY, reason=reason, is_over=True)
        return Look(Standing.DONE, saw={"active": active, "enabled": enabled, "processes": 0})

    def _is_written(self, world: World) -> bool:
        if world.shell.run(self.node, ["test", "-e", MAINTENANCE]).code != 0:
            return False
        drop_in = world.shell.run(self.node, ["cat", DROP_IN])
        return drop_in.code == 0 and drop_in.out == DROP_IN_TEXT

    def start(self, world: World, /) -> None:
        """Write the mark and the drop-in, mask the unit, stop it; each may be repeated."""
        must_all(world, self.node, self.as_root, note=f"{self.reason}\n")

    def _is(self, world: World, what: str) -> Answer:
        return world.shell.run(self.node, ["systemctl", what, UNIT])


@dataclass(frozen=True, slots=True, kw_only=True)
class BringUp:
    """Take away all that keeps nova-compute off, and start it."""

    kind: ClassVar[str] = "bring-up"

    node: str
    host: str
    is_forced_down: bool = False  # then Nova calls it down, however well it is

    @property
    def as_root(self) -> tuple[root.Words, ...]:
        """Return what it runs as root, in order."""
        return (root.CLEAR, root.UNMASK, root.RELOAD, root.START)

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"start nova-compute on `{self.node}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`systemctl stop {UNIT}` there; `stackward node drain {self.host}` keeps it off"

    def mark(self, world: World, /) -> Mark:
        """Note which life of the unit this is, and when Nova heard from it last."""
        unit = self._unit(world)
        return {
            "invocation": unit.get("InvocationID"),
            "updated": its_service(world.nova, self.host).updated,
        }

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when no mark is left, the unit is active, and Nova has heard from it since.

        An endless wait is none: what Nova does not hear of is *unknown*, and that has its limit.
        """
        processes = read_processes(world.shell, self.node)
        if not isinstance(processes, Unread) and (elsewhere := outside(processes)):
            return Look(
                Standing.FAILED,
                reason=f"nova-compute runs already {elsewhere[0].words}: a second one must not",
                remedy="stop the one that is not wanted, then return the node again",
            )
        return Look(Standing.TODO) if self._is_kept_off(world) else self._look_at_unit(world, mark)

    def _look_at_unit(self, world: World, mark: Mark | None) -> Look:
        unit = self._unit(world)
        active = unit.get("ActiveState", "")
        if (failed := self._failure(unit, mark)) is not None:
            return failed
        if active not in {"active", "activating", "reloading"}:
            return Look(Standing.TODO)
        if active != "active":
            return Look(Standing.UNDERWAY, reason=f"nova-compute is {active}")
        service = its_service(world.nova, self.host)
        if self.is_forced_down and mark is None:
            # Starting a process that runs changes nothing. Only a report after a mark is from this
            # process. It reports once it has done everything that it does at its start.
            return Look(Standing.TODO)
        is_up = service.is_up or self.is_forced_down
        if not is_up or (mark is not None and service.updated == mark["updated"]):
            reason = "nova-compute runs, but Nova has not heard from it yet"
            return Look(Standing.UNKNOWN, reason=reason)
        return Look(Standing.DONE, saw={"active": active, "updated": service.updated})

    def start(self, world: World, /) -> None:
        """Remove the mark and the drop-in, unmask the unit, start it; each may be repeated."""
        must_all(world, self.node, self.as_root)

    def _is_kept_off(self, world: World) -> bool:
        for path in (MAINTENANCE, DROP_IN):
            if world.shell.run(self.node, ["test", "-e", path]).code == 0:
                return True
        enabled = world.shell.run(self.node, ["systemctl", "is-enabled", UNIT])
        return read_enabled(enabled.out) in MASKED

    def _failure(self, unit: dict[str, str], mark: Mark | None) -> Look | None:
        if mark is None or unit.get("InvocationID") == mark["invocation"]:
            return None  # a failure from before our start
        with understood("`systemctl show`", str(unit)):
            restarts = whole(unit.get("NRestarts") or 0)
        if unit.get("ActiveState") != "failed" and restarts < _RESTARTS:
            return None
        return Look(
            Standing.FAILED,
            reason=f"nova-compute does not stay up; see `journalctl -u {UNIT}` on `{self.node}`",
            service="systemd",
            says=f"{unit.get('ActiveState')}, {unit.get('Result')}, "
            f"restarted {count_of(restarts, 'time')}",
        )

    def _unit(self, world: World) -> dict[str, str]:
        names = "ActiveState,Result,NRestarts,InvocationID"
        answer = world.shell.run(self.node, ["systemctl", "show", f"--property={names}", UNIT])
        return read_facts(answer.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceUp:
    """Take back that a nova-compute is down for certain: Nova goes by what it hears again."""

    kind: ClassVar[str] = "force-up"
    is_prompt: ClassVar[bool] = True

    host: str

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"lift that the nova-compute of `{self.host}` is forced down"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`openstack compute service set --down {self.host} nova-compute`"

    def mark(self, world: World, /) -> Mark:
        """Note how it is now."""
        return {"is_forced_down": its_service(world.nova, self.host).is_forced_down}

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002 # Nova shows it
        """Done when Nova does not call it so any more."""
        is_down = its_service(world.nova, self.host).is_forced_down
        return Look(Standing.TODO if is_down else Standing.DONE)

    def start(self, world: World, /) -> str | None:
        """Report it to Nova, which refuses while it has a record that the node has not settled."""
        return world.nova.force_up(its_service(world.nova, self.host).id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncordon:
    """Let the scheduler use a node again, if the claim on it is the one that was planned for."""

    kind: ClassVar[str] = "uncordon"
    is_prompt: ClassVar[bool] = True

    host: str
    provider: str
    claim: str | None  # the run whose claim is lifted; None where the service is enabled already
    is_own: bool = False  # the claim of this very run is lifted, whose id no plan knows

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"uncordon `{self.host}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`stackward node drain {self.host}`"

    def mark(self, world: World, /) -> Mark:
        """Note how the service is now."""
        service = its_service(world.nova, self.host)
        return {"is_enabled": service.is_enabled, "reason": service.disabled_reason}

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002 # the claim shows it
        """Done when the service is enabled *and* placement has lost the trait."""
        service = its_service(world.nova, self.host)
        if not service.is_enabled:
            claim = read_claim(service.disabled_reason)
            if claim is not None and claim.run == self._lifted(world):
                return Look(Standing.TODO)
            text = service.disabled_reason or "without a reason"
            return Look(Standing.FOREIGN, reason=f"it has the claim of somebody else: {text}")
        if DISABLED in world.placement.provider(self.provider).traits:
            # nova-compute heals it with its next report, within minutes; then patience ends.
            reason = f"it is enabled, but placement still has the trait {DISABLED}"
            return Look(Standing.UNKNOWN, reason=reason)
        return Look(Standing.DONE)

    @property
    def lifts(self) -> str | None:
        """Return what of this run it takes back, if it is its own cordon."""
        return Cordon.kind if self.is_own else None

    def _lifted(self, world: World) -> str | None:
        if self.is_own:
            return world.acting.run if world.acting else None
        return self.claim

    def start(self, world: World, /) -> str | None:
        """Enable the service."""
        return world.nova.enable_service(its_service(world.nova, self.host).id)
