"""Whether a node may be rebooted now, and whether it has booted what was chosen."""

from dataclasses import dataclass
from typing import ClassVar

from stackward.errors import Uncertain, Unreachable
from stackward.model.unread import Unread
from stackward.plan import CheckResult, Holds, NotApplicable, Refuted, Unverified
from stackward.ports.libvirt import cure_of, read_ids, refused
from stackward.ports.login import way_to
from stackward.ports.shell import VIRSH
from stackward.ports.world import World
from stackward.status.kernel import read_kernel
from stackward.wording import first_of

_RUNNING = (*VIRSH, "list", "--uuid")  # those that run, are paused, or end
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingRuns:
    """libvirt on the node runs no guest: a reboot cuts nobody off."""

    kind: ClassVar[str] = "nothing-runs"

    host: str
    node: str

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"libvirt on `{self.node}` runs no guest"

    def ask(self, world: World, /) -> CheckResult:
        """Ask libvirt there. Raises `Unreachable` where it cannot be asked."""
        answer = world.shell.run(self.node, _RUNNING)
        if answer.code != 0:
            unread = refused(answer, "list")
            return Unverified(self.node, unread.why, cure_of(unread))
        running = read_ids(answer.out)
        if not running:
            return Holds("`virsh list` shows no guest that runs")
        runs = f"its libvirt runs {first_of(running, _SHOWN)}"
        known = world.nova.server(running[0])
        if known is not None and known.host == self.host:
            # The operator who started it wants it on: nothing would start it again after this
            # reboot.
            return Refuted(
                self.node,
                f"{runs}: `{known.label}` was started since",
                "`stackward run cancel` this run, "
                f"`stackward node return {self.host}`, `stackward node recover {self.host}` "
                "starts those that were stopped; then plan again",
            )
        return Refuted(
            self.node,
            runs,
            f"see whose it is (`openstack server show {running[0]}`), and have it off; then resume "
            "the run, or cancel it, and "
            f"`stackward node return {self.host}`",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsChosenKernel:
    """The node runs the kernel that was chosen for this boot."""

    kind: ClassVar[str] = "runs-chosen-kernel"

    node: str

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"`{self.node}` runs the kernel that was chosen for its boot"

    def ask(self, world: World, /) -> CheckResult:
        """Compare the kernel that runs with the one to which the links of its packages lead."""
        try:
            kernel = read_kernel(world.shell, self.node)
        except (Unreachable, Uncertain) as error:
            return Unverified(self.node, error.message, way_to(Unread.of(error)))
        runs, chosen = kernel.runs, kernel.chosen
        if kernel.is_container:
            return NotApplicable(self.node, "it is a container, and runs its host's kernel")
        if not chosen:
            return NotApplicable(self.node, "no link there shows which kernel was chosen")
        if runs == chosen:
            return Holds(f"it runs {runs}, to which `/vmlinuz` leads")
        return Refuted(
            self.node,
            f"it runs the kernel {runs}, and `/vmlinuz` there leads to {chosen}",
            "see which kernel its boot loader has chosen, and why (`/etc/default/grub`)",
        )
