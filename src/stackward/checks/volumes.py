"""Whether Nova, Cinder and libvirt agree on the volumes of a server."""

from dataclasses import dataclass, field
from typing import ClassVar

from stackward.plan import VOLATILE, CheckResult, Holds, Refuted, Unverified
from stackward.ports.world import World
from stackward.status.attached import read_attached
from stackward.wording import count_of

_OFF = "stopped"  # of its guest libvirt says nothing: Nova writes its definition as it starts


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumesAgree:
    """All three have these volumes of a server, each as its device, and none has the others."""

    kind: ClassVar[str] = "volumes-agree"

    server: str
    name: str
    # No decision of its own: it follows what is repaired.
    attached: tuple[tuple[str, str], ...] = field(default=(), metadata=VOLATILE)  # (volume, device)
    free: tuple[str, ...] = field(default=(), metadata=VOLATILE)

    @property
    def summary(self) -> str:
        """Say the statement."""
        count = count_of(len(self.attached) + len(self.free), "volume")
        return f"Nova, Cinder and libvirt agree on {count} of `{self.name}`"

    def ask(self, world: World, /) -> CheckResult:
        """Ask all three for each volume."""
        again = f"look again: `stackward volume list --server {self.server}`"
        server = world.nova.server(self.server)
        if server is None:
            return Holds("the server was deleted since")
        is_off = server.vm_state == _OFF
        for volume, device in (*self.attached, *((one, None) for one in self.free)):
            now = read_attached(world, server, volume)
            if not now.is_read and not is_off:
                return Unverified(self.name, f"libvirt cannot be read: {now.saw['libvirt']}", again)
            wrong = now.wrong(device) if device else (now.who_has_it and f"{now.who_has_it} has it")
            if wrong:
                return Refuted(self.name, f"volume {volume}: {wrong}", again)
        devices = [f"{volume} as {device}" for volume, device in self.attached]
        free = [f"{volume} is free of it" for volume in self.free]
        return Holds(f"all three were asked: {', '.join((*devices, *free))}")
