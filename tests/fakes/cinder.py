"""What stands for Cinder in the fast tests."""

from collections import Counter
from dataclasses import dataclass, field, replace

from builders import an_id
from fakes.nova import FakeNova
from stackward.errors import StepFailed, Unreachable
from stackward.model.volume import Attachment, Volume


@dataclass
class FakeCinder:
    """Cinder; a volume is attached where Nova has it."""

    volumes: dict[str, Volume] = field(default_factory=dict)
    attachments: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)  # else: well
    left: dict[str, tuple[str, str]] = field(default_factory=dict)  # stale: volume and host, by id
    reserved: list[Attachment] = field(default_factory=list)  # beside those of the volumes
    hosts: dict[str, str] = field(default_factory=dict)  # of volumes attached on another host
    is_away: bool = False
    changes: Counter[str] = field(default_factory=Counter)  # of the status, by volume
    calls: Counter[str] = field(default_factory=Counter)
    nova: FakeNova = field(init=False, repr=False)

    def every_volume(self) -> tuple[Volume, ...]:
        self.calls["all volumes"] += 1
        if self.is_away:
            raise Unreachable("Cinder does not answer")
        return tuple(filter(None, map(self.volume, self.volumes)))

    def every_attachment(self, server: str | None = None, /) -> tuple[Attachment, ...]:
        self.calls["all attachments"] += 1
        if self.is_away:
            raise Unreachable("Cinder does not answer")
        found = tuple(
            Attachment(id=own, volume=one.id, server=owner, status="attached")
            for one in map(self.volume, self.volumes)
            if one is not None
            for own, (owner, _) in zip(one.attachment_ids, one.attached, strict=False)
        ) + tuple(self.reserved)
        return tuple(one for one in found if server in {None, one.server})

    def attachments_of(self, server: str, /) -> tuple[tuple[str, str], ...]:
        self.calls["attachments"] += 1
        known = self.nova.known.get(server)
        well = tuple((an_id(f"of-{each}"), each) for each in known.volume_ids) if known else ()
        return self.attachments.get(server, well)

    def volume(self, volume: str, /) -> Volume | None:
        self.calls["volume"] += 1
        found = self.volumes.get(volume)
        holders = [one for one in self.nova.known.values() if volume in one.volume_ids]
        if volume in self.nova.dangling:
            holders = []
        if found is None:
            return None
        found = replace(found, status=self._status(found, is_held=bool(holders)))
        ids = {an_id(f"of-{volume}"): one.host for one in holders}
        ids |= {own: host for own, (of, host) in self.left.items() if of == volume}
        attached = tuple(
            (one.id, self.hosts.get(volume, host)) for one in holders for host in ids.values()
        )
        return replace(
            found,
            attached=found.attached or attached,
            attachment_ids=tuple(ids) or found.attachment_ids,
        )

    def _status(self, found: Volume, *, is_held: bool) -> str:
        """Return its status; of one that Nova has attached or detached since, by that."""
        if found.id in {volume for _, volume in self.nova.detaching}:
            return "detaching"
        if found.id in {volume for _, volume in self.nova.attaching}:
            return "attaching"
        if found.id not in self.nova.reattached:
            return found.status
        self.hosts.pop(found.id, None)
        return "in-use" if is_held else "available"

    def remove_attachment(self, attachment: str, /) -> str:
        if self._is_taken_from_gone(attachment):
            return f"req-{attachment}"
        held = next((one for one in self.reserved if one.id == attachment), None)
        if held is None and attachment not in self.left:
            raise StepFailed("could not change it: Cinder answered 404", service="Cinder")
        if held is None:
            del self.left[attachment]
        else:
            self.reserved.remove(held)
            self._set(held.volume, "available", only={"reserved", "attaching"})
        return f"req-{attachment}"

    def _is_taken_from_gone(self, attachment: str) -> bool:
        """Remove the attachment of a server that is gone; Nova knows those of all others."""
        for one in self.volumes.values():
            pairs = [*zip(one.attached, one.attachment_ids, strict=False)]
            left = [(owner, own) for owner, own in pairs if own != attachment]
            if len(left) < len(pairs):
                self.volumes[one.id] = replace(
                    one,
                    attached=tuple(owner for owner, _ in left),
                    attachment_ids=tuple(own for _, own in left),
                    status=one.status if left else "available",
                )
                return True
        return False

    def unreserve(self, volume: str, /) -> str:
        self._set(volume, "available", only={"attaching"})
        return f"req-unreserve-{volume}"

    def roll_detaching(self, volume: str, /) -> str:
        self._set(volume, "in-use", only={"detaching"})
        return f"req-roll-{volume}"

    def _set(self, volume: str, status: str, *, only: set[str]) -> None:
        if volume not in self.volumes:
            raise StepFailed("could not change it: Cinder answered 404", service="Cinder")
        self.changes[volume] += 1
        if self.volumes[volume].status in only:
            self.volumes[volume] = replace(self.volumes[volume], status=status)

    def volume_services(self) -> tuple[str, ...]:
        self.calls["volume services"] += 1
        return ("ctl@nfs",)
