"""Repair how volumes are attached, one at a time; what Nova uses is changed by Nova alone.

None of these steps asks Cinder for `os-reset_status`: it changes a word, and nothing behind it.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from stackward.errors import StepFailed
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.model.volume import ATTACHING, AVAILABLE, DETACHING, IN_USE, NovaAttachment
from stackward.plan import VOLATILE, Look, Mark, Standing
from stackward.ports.world import World
from stackward.status.attached import Attached, read_attached
from stackward.status.lookups import cell_down, service_of
from stackward.status.signs import (
    Signs,
    asked_by,
    failed,
    foreign,
    gone,
    in_other_hands,
    mark_of,
    read_signs,
    under_way,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBackDetaching:
    """Call a volume `in-use` again whose detach was lost: all three witnesses still have it."""

    kind: ClassVar[str] = "roll-back-detaching"
    is_prompt: ClassVar[bool] = True

    volume: str
    name: str  # of its server

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"roll back the detach of volume {self.volume} of `{self.name}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not needed: the volume is attached, as before the detach was asked for"

    def mark(self, world: World, /) -> Mark:
        """Note its status now."""
        return {"status": _status(world, self.volume)}

    def look(self, world: World, _: Mark | None, /) -> Look:
        """Done when Cinder has it in use."""
        return _by_status(world, self.volume, todo=DETACHING, done={IN_USE})

    def start(self, world: World, /) -> str | None:
        """Ask Cinder."""
        return world.cinder.roll_detaching(self.volume)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreserveVolume:
    """Give a volume free whose attach was lost before Cinder had an attachment of it."""

    kind: ClassVar[str] = "unreserve-volume"
    is_prompt: ClassVar[bool] = True

    volume: str
    name: str  # of the server that it was for

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"unreserve volume {self.volume}"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not needed: nothing has the volume"

    def mark(self, world: World, /) -> Mark:
        """Note its status now."""
        return {"status": _status(world, self.volume)}

    def look(self, world: World, _: Mark | None, /) -> Look:
        """Done when Cinder has it available, or in use by others that have it too."""
        return _by_status(world, self.volume, todo=ATTACHING, done={AVAILABLE, IN_USE})

    def start(self, world: World, /) -> str | None:
        """Ask Cinder."""
        return world.cinder.unreserve(self.volume)


def _status(world: World, volume: str) -> str | None:
    found = world.cinder.volume(volume)
    return found.status if found else None


def _by_status(world: World, volume: str, *, todo: str, done: set[str]) -> Look:
    status = _status(world, volume)
    if status == todo:
        return Look(Standing.TODO)
    if status in done:
        return Look(Standing.DONE, saw={"cinder": status})
    if status is None:
        return Look(Standing.FAILED, reason="Cinder has no such volume any more")
    return Look(Standing.FOREIGN, reason=f"the volume is `{status}` by now")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAttachment:
    """Remove an attachment of Cinder's that Nova does not name."""

    kind: ClassVar[str] = "remove-attachment"
    is_prompt: ClassVar[bool] = True

    attachment: str
    volume: str
    server: str
    name: str

    @property
    def summary(self) -> str:
        """Say what it does."""
        return (
            f"remove attachment {self.attachment} of volume {self.volume} to `{self.name}`, which "
            "only Cinder has"
        )

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not at all, and it need not be: nothing used it"

    def mark(self, world: World, /) -> Mark:
        """Note which attachments there are."""
        return {"attachments": [*self._there(world)]}

    def look(self, world: World, _: Mark | None, /) -> Look:
        """Done when Cinder has it no more."""
        there = self._there(world)
        if self.attachment in there:
            return Look(Standing.TODO)
        return Look(Standing.DONE, saw={"attachments": [*there]})

    def start(self, world: World, /) -> str | None:
        """Ask Cinder, once Nova is seen not to use it. Cinder asks Nova too (bug 2004555)."""
        used = [one for one in world.nova.attached_to(self.server) if one.volume == self.volume]
        if any(one.id in {None, self.attachment} for one in used):
            raise StepFailed(
                f"Nova uses attachment {self.attachment} by now",
                stands="it is as it was",
                hint="plan again",
            )
        return world.cinder.remove_attachment(self.attachment)

    def _there(self, world: World) -> tuple[str, ...]:
        known = world.cinder.every_attachment(self.server)
        return tuple(one.id for one in known if one.volume == self.volume)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetachVolume:
    """Have Nova detach a volume; its guest must let it go."""

    kind: ClassVar[str] = "detach-volume"

    server: str
    name: str
    volume: str
    host: str
    device: str = field(metadata=VOLATILE)  # for people

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"detach volume {self.volume} ({self.device}) from `{self.name}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`openstack server add volume {self.server} {self.volume}`"

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now."""
        return mark_of(world.nova, self.server)

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when no witness has it any more."""
        signs = read_signs(world.nova, self.server, mark, kinds=(), ours=("detach_volume",))
        if (server := signs.server) is None:
            return gone(world.nova, self.server)
        if (settled := _settled(signs, server)) is not None:
            return settled
        now = read_attached(world, server, self.volume)
        if now.is_nobodys:
            return asked_by(signs, Look(Standing.DONE, saw=now.saw))
        if mark is None or (signs.action is None and _is(now, IN_USE)):
            return _unbegun(now, self.host, needs=IN_USE)
        return self._begun(world, signs, now)

    @staticmethod
    def _begun(world: World, signs: Signs, now: Attached) -> Look:
        if signs.action and signs.action.message:
            return failed(world, signs, "Nova gave up: the guest did not let the volume go")
        if now.nova is not None or _is(now, DETACHING):
            return under_way(signs, "Nova asks the guest to let it go, up to 8 times in 160 s")
        return _unproved(now, signs, f"{now.who_has_it} still has it")

    def start(self, world: World, /) -> str | None:
        """Ask Nova."""
        return world.nova.detach_volume(self.server, self.volume)

    def examine(self, world: World, _: Mark | None, _quiet_s: float, /) -> Look | None:
        """Say who is to do it, and is not there."""
        return _without_compute(world, self.host)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachVolume:
    """Have Nova attach a volume, and see that it has its device of before."""

    kind: ClassVar[str] = "attach-volume"

    server: str
    name: str
    volume: str
    host: str
    device: str  # that it must have in the end: Nova takes the first that is free
    tag: str | None = None  # as it was attached before; same below
    is_deleted_with_server: bool = False

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"attach volume {self.volume} to `{self.name}` as {self.device}"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`openstack server remove volume {self.server} {self.volume}`"

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now."""
        return mark_of(world.nova, self.server)

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when all three witnesses have it, as this device."""
        signs = read_signs(world.nova, self.server, mark, kinds=(), ours=("attach_volume",))
        if (server := signs.server) is None:
            return gone(world.nova, self.server)
        if (settled := _settled(signs, server)) is not None:
            return settled
        now = read_attached(world, server, self.volume)
        if now.wrong(self.device) is None:
            return asked_by(signs, _proved(now))
        if now.nova is None and (mark is None or (signs.action is None and _is(now, AVAILABLE))):
            return _unbegun(now, self.host, needs=AVAILABLE)
        return self._begun(world, signs, now)

    def _begun(self, world: World, signs: Signs, now: Attached) -> Look:
        if signs.action and signs.action.message:
            return failed(world, signs, "Nova gave up the attach")
        if now.wrong(None) is None:
            reason = f"it is attached, but {now.wrong(self.device)}"
            remedy = f"`openstack server remove volume {self.server} {self.volume}`, free the "
            remedy += f"device {self.device}, then plan again"
            return Look(Standing.FAILED, reason=reason, remedy=remedy, saw=now.saw)
        if now.nova is None or _is(now, ATTACHING, "reserved"):
            return under_way(signs)
        return _unproved(now, signs, str(now.wrong(self.device)))

    def start(self, world: World, /) -> str | None:
        """Ask Nova."""
        wanted = NovaAttachment(
            volume=self.volume,
            tag=self.tag,
            is_deleted_with_server=self.is_deleted_with_server,
        )
        return world.nova.attach_volume(self.server, wanted)

    def examine(self, world: World, _: Mark | None, _quiet_s: float, /) -> Look | None:
        """Say who is to do it, and is not there."""
        return _without_compute(world, self.host)


def _settled(signs: Signs, server: Server) -> Look | None:
    """Settle a step whose server is in a cell that is down, or in the hands of others."""
    if server.status == IN_DOWN_CELL:
        raise cell_down(f"`{server.label}`")
    return foreign(signs.foreign) if signs.foreign else None


def _unbegun(now: Attached, host: str, *, needs: str) -> Look:
    """Say whether it may be started: its server is where it was, and the volume as is needed."""
    if (others := in_other_hands(now.server, host)) is not None:
        return others
    if not _is(now, needs):
        status = now.volume.status if now.volume else "gone"
        return Look(Standing.FOREIGN, reason=f"the volume is {status} by now")
    return Look(Standing.TODO)


def _is(now: Attached, *statuses: str) -> bool:
    return now.volume is not None and now.volume.status in statuses


def _proved(now: Attached) -> Look:
    if not now.is_read:
        reason = f"cannot be read: {now.saw['libvirt']}"
        return Look(Standing.UNKNOWN, reason=reason, saw=now.saw)
    return Look(Standing.DONE, saw=now.saw)


def _unproved(now: Attached, signs: Signs, reason: str) -> Look:
    if not now.is_read:
        return Look(Standing.UNKNOWN, reason=f"cannot be read: {now.saw['libvirt']}", saw=now.saw)
    return replace(under_way(signs, f"not proved: {reason}"), saw=now.saw, is_over=True)


def _without_compute(world: World, host: str) -> Look | None:
    service = service_of(world.nova, host)
    if service is None or service.is_up:
        return None
    why = f"nova-compute on `{host}` is down: start that"
    return Look(Standing.UNDERWAY, reason=why)
