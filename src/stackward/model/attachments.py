"""The attachments of volumes to a server, by Nova's records and by Cinder's."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from stackward.model.unread import Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """What each of the two has attached to one server."""

    nova: tuple[str, ...] = ()  # volumes
    cinder: tuple[tuple[str, str], ...] | Unread = ()  # (id, volume)

    @property
    def only_nova(self) -> tuple[str, ...]:
        """Return the volumes that Nova has attached and Cinder has not."""
        if isinstance(self.cinder, Unread):
            return ()
        known = {volume for _, volume in self.cinder}
        return tuple(volume for volume in self.nova if volume not in known)

    @property
    def only_cinder(self) -> tuple[tuple[str, str], ...]:
        """Return Cinder's attachments, (id, volume), that Nova does not know.

        Nova knows one attachment of each volume. If there are several, it does not say which one:
        all are returned.
        """
        return () if isinstance(self.cinder, Unread) else tuple(self._unknown(self.cinder))

    def _unknown(self, cinder: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str]]:
        counted = Counter(volume for _, volume in cinder)
        for attachment, volume in cinder:
            if volume not in self.nova or counted[volume] > 1:
                yield attachment, volume

    @property
    def deleted_by_reboot(self) -> tuple[str, ...]:
        """Return what Nova deletes by a reboot: volumes of its own, and Cinder's attachments."""
        return (*self.only_nova, *(attachment for attachment, _ in self.only_cinder))
