"""Wait for what comes by itself: nothing is asked of the world but how it is.

A node's nova-compute that starts reports once it has done all that it does first. One that resumes
the guests of its node by itself does so before it reports (nova 31.0 compute/manager.py, init_host;
service.py, start), one after the other.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from stackward.errors import StepFailed
from stackward.masking import masked
from stackward.plan import VOLATILE, Look, Mark, Standing
from stackward.ports.libvirt import read_ids
from stackward.ports.shell import VIRSH
from stackward.ports.world import World
from stackward.status.lookups import service_of
from stackward.status.reported import has_reported_since
from stackward.wording import count_of

_RUNNING = (*VIRSH, "list", "--uuid")
_SCREEN = 40  # lines of a console
_SHOWN = 80  # letters of its last line
_GO_ON = (
    "this is a defect of Stackward: `stackward run resume` goes on; report it with the output of "
    "`stackward run show`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitCompute:
    """Wait until Nova has heard from the nova-compute of a node since the node's boot."""

    kind: ClassVar[str] = "await-compute"
    only_waits: ClassVar[bool] = True

    node: str
    host: str
    hypervisor: str
    booted: str = field(metadata=VOLATILE)  # by the node's clock; it is right
    within_s: float = 600.0  # without a change; a guest that comes up is one

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"wait until nova-compute on `{self.node}` has started"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not needed: it changes nothing"

    def mark(self, world: World, /) -> Mark:  # noqa: ARG002 # nothing is started
        """Note nothing: it is never started."""
        return {}

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002  # same
        """Done once it has reported since the boot, and answers over RPC."""
        service = service_of(world.nova, self.host)
        if service is None or service.is_forced_down:
            why = "its service is forced down" if service else "Nova has no such service any more"
            return Look(Standing.FAILED, reason=why, remedy="plan again")
        since = datetime.fromisoformat(self.booted)
        if not (service.is_up and has_reported_since(service, since)):
            reason = f"nova-compute has not reported since the node booted; {self._running(world)}"
            return Look(Standing.UNDERWAY, reason=reason)
        # Asked once: a call without an answer holds a worker of nova-api for long.
        if world.nova.uptime(self.hypervisor) is None:
            remedy = f"`stackward node check {self.host}` says what is broken; then resume the run"
            return Look(
                Standing.FAILED, reason="nova-compute does not answer over RPC", remedy=remedy
            )
        return Look(Standing.DONE, saw={"updated": service.updated})

    def _running(self, world: World) -> str:
        """Say how many guests run: a Nova that starts them by itself ends once all do."""
        answer = world.shell.run(self.node, _RUNNING)
        if answer.code != 0:
            return "libvirt does not answer yet"
        return f"{count_of(len(read_ids(answer.out)), 'guest runs', 'guests run')} there"

    def start(self, world: World, /) -> str | None:  # noqa: ARG002  # same
        """Refuse: there is nothing to start."""
        raise StepFailed(
            f"the step for `{self.node}` only waits for nova-compute, but Stackward tried to start "
            "it: nothing was asked of the node",
            hint=_GO_ON,
        )

    def examine(self, world: World, _: Mark | None, quiet_s: float, /) -> Look | None:
        """Give up where nothing has changed for long."""
        if quiet_s < self.within_s:
            return None
        look = self.look(world, None)
        if look.standing is not Standing.UNDERWAY:
            return None
        remedy = (
            f"see `journalctl -u nova-compute` on `{self.node}`, repair it, then resume the run"
        )
        return Look(Standing.FAILED, reason=f"for {quiet_s:.0f} s: {look.reason}", remedy=remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitPrompt:
    """Wait until the guest of a server is at its login prompt, by its console."""

    kind: ClassVar[str] = "await-prompt"
    only_waits: ClassVar[bool] = True

    server: str
    name: str
    pattern: str  # that the last line of its console has then
    within_s: float = 600.0  # without a new line

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"wait until the console of `{self.name}` shows a login prompt"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not needed: it changes nothing"

    def mark(self, world: World, /) -> Mark:  # noqa: ARG002 # nothing is started
        """Note nothing: it is never started."""
        return {}

    def look(self, world: World, mark: Mark | None, /) -> Look:  # noqa: ARG002  # same
        """Done once the last line of its console has the pattern."""
        console = world.nova.console(self.server, _SCREEN)
        if console is None:
            return Look(
                Standing.FAILED,
                reason="Nova has no console of it",
                remedy="see by its own means that the guest is up, then plan with `--ready none`",
            )
        lines = [line for line in console.splitlines() if line.strip()]
        last = lines[-1] if lines else ""
        if re.search(self.pattern, last):
            return Look(Standing.DONE)
        shown = masked(last.strip()[:_SHOWN])
        reason = f"its console ends with: {shown}" if shown else "its console is empty"
        return Look(Standing.UNDERWAY, reason=reason)

    def start(self, world: World, /) -> str | None:  # noqa: ARG002  # same
        """Refuse: there is nothing to start."""
        raise StepFailed(
            f"the step for `{self.name}` only waits for a login prompt, but Stackward tried to "
            "start it: nothing was asked of the server",
            hint=_GO_ON,
        )

    def examine(self, world: World, _: Mark | None, quiet_s: float, /) -> Look | None:
        """Give up where the console has written nothing for long."""
        if quiet_s < self.within_s:
            return None
        look = self.look(world, None)
        if look.standing is not Standing.UNDERWAY:
            return None
        remedy = f"`stackward server triage {self.server}` says why it does not boot"
        return Look(Standing.FAILED, reason=f"for {quiet_s:.0f} s: {look.reason}", remedy=remedy)
