"""Take a node's nova-compute out of service: cordon it, then keep it off.

The cordon is the claim: it stands in the cloud itself, where every tool sees it.
"""

from dataclasses import dataclass
from typing import ClassVar

from stackward.errors import Refused, StepFailed
from stackward.model.claim import Claim, read_claim
from stackward.model.compute import ComputeService
from stackward.plan import Look, Mark, Standing
from stackward.ports.shell import Answer
from stackward.ports.world import World

DISABLED = "COMPUTE_STATUS_DISABLED"
UNIT = "nova-compute.service"
MAINTENANCE = "/etc/stackward/maintenance"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/stackward.conf"
DROP_IN_TEXT = f"[Unit]\nConditionPathExists=!{MAINTENANCE}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cordon:
    """Keep the scheduler off a node, and claim it: the service's reason names our run."""

    kind: ClassVar[str] = "cordon"

    host: str
    provider: str  # the node's at placement, whose trait proves that the scheduler knows
    reason: str

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"cordon `{self.host}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`openstack compute service set --enable {self.host} nova-compute`"

    def mark(self, world: World, /) -> Mark:
        """Note how the service stands now."""
        service = _service(world, self.host)
        return {"is_enabled": service.is_enabled, "reason": service.disabled_reason}

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002  # the claim tells
        """Done when the claim is ours *and* placement has the trait: Nova may fail to set it."""
        service = _service(world, self.host)
        if service.is_enabled:
            return Look(Standing.TODO)
        claim = read_claim(service.disabled_reason)
        if claim is None or world.acting is None or claim.run != world.acting.run:
            text = service.disabled_reason or "without a reason"
            return Look(Standing.FOREIGN, reason=f"it is disabled already: {text}")
        if DISABLED not in world.cloud.provider(self.provider).traits:
            return Look(Standing.UNDERWAY, reason=f"placement has no trait {DISABLED} for it yet")
        return Look(Standing.DONE, saw={"disabled_reason": service.disabled_reason})

    def start(self, world: World, /) -> None:
        """Disable the service with our claim as its reason."""
        if world.acting is None:
            raise Refused("a cordon needs a run that claims the node")
        claim = Claim(
            run=world.acting.run,
            operator=world.acting.operator,
            machine=world.acting.machine,
            since=world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            reason=self.reason,
        )
        world.cloud.disable_service(_service(world, self.host).id, str(claim))


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
    def summary(self) -> str:
        """Say what it does."""
        return f"stop nova-compute on `{self.node}` and keep it off"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"remove {MAINTENANCE}, unmask {UNIT} and start it"

    def mark(self, world: World, /) -> Mark:
        """Note whether the unit runs now."""
        return {"active": self._is(world, "is-active").out.strip()}

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002  # the node tells
        """Done when the file and the drop-in are there and the unit neither runs nor may start."""
        if world.shell.run(self.node, ["test", "-e", MAINTENANCE]).code != 0:
            return Look(Standing.TODO)
        drop_in = world.shell.run(self.node, ["cat", DROP_IN])
        if drop_in.code != 0 or drop_in.out != DROP_IN_TEXT:
            return Look(Standing.TODO)
        enabled = self._is(world, "is-enabled").out.strip()
        if self.with_mask and enabled not in {"masked", "masked-runtime"}:
            return Look(Standing.TODO)
        active = self._is(world, "is-active").out.strip()
        if active == "deactivating":
            return Look(Standing.UNDERWAY, reason="nova-compute is stopping")
        if active not in {"inactive", "failed"}:
            return Look(Standing.TODO)
        return Look(Standing.DONE, saw={"active": active, "enabled": enabled})

    def start(self, world: World, /) -> None:
        """Write the mark and the drop-in, mask the unit, stop it; each may be repeated."""
        writes = ["install", "-D", "-m", "0644", "/dev/stdin"]
        self._must(world, [*writes, MAINTENANCE], given=f"{self.reason}\n")
        self._must(world, [*writes, DROP_IN], given=DROP_IN_TEXT)
        self._must(world, ["systemctl", "daemon-reload"])
        if self.with_mask:
            self._must(world, ["systemctl", "mask", UNIT])
        self._must(world, ["systemctl", "stop", "--no-block", UNIT])

    def _is(self, world: World, what: str) -> Answer:
        return world.shell.run(self.node, ["systemctl", what, UNIT])

    def _must(self, world: World, command: list[str], *, given: str = "") -> None:
        answer = world.shell.run(self.node, command, as_root=True, given=given)
        if answer.code != 0:
            raise StepFailed(
                f"`{' '.join(command)}` failed on `{self.node}`",
                service=command[0],
                says=answer.err.strip() or f"code {answer.code}",
            )


def _service(world: World, host: str) -> ComputeService:
    for service in world.cloud.services():
        if service.host == host and service.binary == "nova-compute":
            return service
    raise Refused(f"Nova has no nova-compute service on `{host}`")
