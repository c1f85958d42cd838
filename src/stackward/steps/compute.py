"""Move servers: live, or cold and confirmed; and what is done about a move that is slow.

Each step finds its own attempt by what is newer than its mark, asks Nova once, and is done only
when every row of the proof holds.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from stackward.model.domain import INSTANCES
from stackward.model.migration import Migration
from stackward.model.server import Server
from stackward.plan import GIVEN_UP, VOLATILE, Json, Look, Mark, Progress, Standing
from stackward.ports.world import World
from stackward.status.downtime import of_move
from stackward.status.proof import prove
from stackward.status.signs import (
    Signs,
    asked_by,
    failed,
    foreign,
    gone,
    in_other_hands,
    mark_of,
    read_signs,
    still_going,
    under_way,
    whereabouts,
)
from stackward.status.stalled import read_stalled_move
from stackward.status.stuck import DEAD_AFTER_S, find_stuck, quiet_s

_LIVE = ("live-migration",)
_COLD = ("migration",)
# nova 31.0 compute/api.py: live_migrate_force_complete, live_migrate_abort (2.65 and later).
_FORCIBLE = ("running",)
_ABORTABLE = ("queued", "preparing", "running")
_YET_TO_RUN = ("accepted", "queued", "preparing")
_ENDED_BADLY = {"error", "failed", "cancelled"}
_WELL = {"ACTIVE", "PAUSED", "SHUTOFF"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveMigrate:
    """Move a running or paused server to another node without stopping it."""

    kind: ClassVar[str] = "live-migrate"

    server: str
    name: str
    source: str
    target: str | None = field(default=None, metadata=VOLATILE)  # None: the scheduler chooses
    shares_disks: bool = False  # the nodes' servers are in one directory that all have mounted
    directories: tuple[str, ...] = field(default=(INSTANCES,), metadata=VOLATILE)

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"live-migrate `{self.name}` off `{self.source}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "migrate it back"

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now."""
        return mark_of(world.nova, self.server)

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Read Nova's record of our migration; *completed* is proved before it is believed."""
        if going := still_going(world.nova, self.server, self.source, mark, _LIVE):
            return _going(going, world.nova.remaining_bytes(self.server, going.id))
        signs = read_signs(
            world.nova,
            self.server,
            mark,
            kinds=_LIVE,
            ours=("live-migration", "live_migration_force_complete", "live_migration_cancel"),
        )
        if (settled := _before_the_record(world, signs, mark, self)) is not None:
            return settled
        if signs.migration is None or signs.server is None or mark is None:
            return _without_record(world, signs)
        return self._by_record(world, signs, signs.server, signs.migration, mark)

    def _by_record(
        self, world: World, signs: Signs, server: Server, migration: Migration, mark: Mark
    ) -> Look:
        if migration.status in _ENDED_BADLY:
            look = failed(world, signs, f"its live migration ended as `{migration.status}`")
            was_aborted = migration.status == "cancelled"
            return replace(look, saw={**look.saw, GIVEN_UP: True}) if was_aborted else look
        if migration.status != "completed":
            return under_way(signs)
        quiet = quiet_s(server, migration, world.clock.now())
        if server.host == self.source and (server.task_state is None or quiet >= DEAD_AFTER_S):
            # Seen in the field: the record says so, and the server never left.
            stuck = _stuck(world, server, self.source, migration, quiet)
            return stuck or under_way(signs)
        looked_in = () if self.shares_disks else self.directories
        proof = prove(world, server, migration, mark, directories=looked_in)
        return asked_by(signs, proof)

    def start(self, world: World, /) -> str | None:
        """Ask Nova for the migration."""
        return world.nova.live_migrate(self.server, self.target)

    def trace(self, world: World, /) -> Mapping[str, Json]:
        """Say what has become of the server."""
        return whereabouts(world.nova, self.server)

    def examine(self, world: World, mark: Mark | None, quiet_s: float, /) -> Look | None:
        """Look for an order that was lost, and for who has died with it."""
        return _examine(world, self, mark, _LIVE, quiet_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdMigrate:
    """Move a stopped server, or stop a running one for its move; it then awaits confirmation."""

    kind: ClassVar[str] = "cold-migrate"

    server: str
    name: str
    source: str
    target: str | None = field(default=None, metadata=VOLATILE)

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"cold-migrate `{self.name}` off `{self.source}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "until it is confirmed: `openstack server migration revert`"

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now."""
        return mark_of(world.nova, self.server)

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done at VERIFY_RESIZE, or when somebody has confirmed it already."""
        if going := still_going(world.nova, self.server, self.source, mark, _COLD):
            return _going(going)
        signs = read_signs(
            world.nova, self.server, mark, kinds=_COLD, ours=("migrate", "confirmResize")
        )
        if (settled := _before_the_record(world, signs, mark, self)) is not None:
            return settled
        migration, server = signs.migration, signs.server
        if migration is None or server is None:
            return _without_record(world, signs)
        if migration.status in {*_ENDED_BADLY, "reverted"}:
            return failed(world, signs, f"its cold migration ended as `{migration.status}`")
        is_away = server.host == migration.target != self.source
        awaits = migration.status == "finished" and server.status == "VERIFY_RESIZE"
        if is_away and (awaits or migration.status in {"confirming", "confirmed"}):
            return asked_by(signs, Look(Standing.DONE))
        return under_way(signs)

    def start(self, world: World, /) -> str | None:
        """Ask Nova for the migration."""
        return world.nova.cold_migrate(self.server, self.target)

    def trace(self, world: World, /) -> Mapping[str, Json]:
        """Say what has become of the server."""
        return whereabouts(world.nova, self.server)

    def examine(self, world: World, mark: Mark | None, quiet_s: float, /) -> Look | None:
        """Look for an order that was lost, and for who has died with it."""
        return _examine(world, self, mark, _COLD, quiet_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmMigration:
    """Confirm a cold migration: only then is the move done, and the source clean."""

    kind: ClassVar[str] = "confirm-migration"

    server: str
    name: str
    source: str
    vm_state: str  # as it was before the move: what the proof compares with
    power_state: int
    shares_disks: bool = False
    directories: tuple[str, ...] = field(default=(INSTANCES,), metadata=VOLATILE)

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"confirm the migration of `{self.name}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "migrate it back"

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now."""
        return mark_of(world.nova, self.server)

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Read the newest cold migration off the source; done is what is confirmed and proved."""
        server = world.nova.server(self.server)
        if server is None:
            return gone(world.nova, self.server)
        migration = self._newest(world)
        signs = read_signs(
            world.nova, self.server, mark, kinds=_COLD, ours=("confirmResize", "migrate")
        )
        if signs.foreign:
            return foreign(signs.foreign)
        if migration is None:
            return Look(Standing.FAILED, reason="Nova has no record of its cold migration")
        if migration.status == "confirmed":
            before: Mark = {"vm_state": self.vm_state, "power_state": self.power_state}
            looked_in = () if self.shares_disks else self.directories
            proved = prove(world, server, migration, before, directories=looked_in)
            if proved.standing is Standing.DONE and self.vm_state == "active":
                proved = replace(proved, saw={**proved.saw, **of_move(world, self.server)})
            return asked_by(signs, proved)
        return self._unconfirmed(world, signs, migration, server.task_state)

    def _unconfirmed(
        self, world: World, signs: Signs, migration: Migration, task_state: str | None
    ) -> Look:
        match migration.status:
            case "finished" if signs.action is None and task_state is None:
                return Look(Standing.TODO)
            case "finished" if signs.action and signs.action.message:
                return failed(world, signs, "its confirmation failed")
            case "finished" | "confirming":
                return under_way(signs)
            case "reverted" | "reverting":
                return Look(Standing.FOREIGN, reason="its migration was reverted by somebody else")
            case status:
                return failed(world, signs, f"its cold migration is `{status}`")

    def start(self, world: World, /) -> str | None:
        """Ask Nova to confirm."""
        return world.nova.confirm_resize(self.server)

    def trace(self, world: World, /) -> Mapping[str, Json]:
        """Say what has become of the server."""
        return whereabouts(world.nova, self.server)

    def examine(self, world: World, _: Mark | None, quiet_s: float, /) -> Look | None:
        """Look for a confirmation that was lost: Nova takes no second one."""
        server, migration = world.nova.server(self.server), self._newest(world)
        if server is None or migration is None:
            return None
        return _stuck(world, server, self.source, migration, quiet_s)

    def _newest(self, world: World) -> Migration | None:
        records = world.nova.migrations_of_server(self.server)
        cold = (each for each in records if each.kind in _COLD and each.source == self.source)
        return next(cold, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceComplete:
    """End a slow live migration now: the guest pauses until the rest is copied."""

    kind: ClassVar[str] = "force-complete"

    server: str
    name: str

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"force the live migration of `{self.name}` to complete"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not at all: the guest is paused until the copy is done"

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now."""
        return mark_of(world.nova, self.server)

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done once Nova has taken the order, or once there is nothing left to force."""
        order = "live_migration_force_complete"
        return _look_at_order(world, self.server, mark, order, _FORCIBLE)

    def start(self, world: World, /) -> str | None:
        """Ask Nova to force it."""
        migration = _newest_live(world, self.server)
        if migration is None:
            return None
        return world.nova.force_complete(self.server, migration.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortMigration:
    """Give up a slow live migration: the server runs on where it is."""

    kind: ClassVar[str] = "abort-migration"

    server: str
    name: str

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"abort the live migration of `{self.name}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "migrate it again"

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now."""
        return mark_of(world.nova, self.server)

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done once Nova has taken the order, or once there is nothing left to abort."""
        return _look_at_order(world, self.server, mark, "live_migration_cancel", _ABORTABLE)

    def start(self, world: World, /) -> str | None:
        """Ask Nova to abort it."""
        migration = _newest_live(world, self.server)
        if migration is None:
            return None
        return world.nova.abort_migration(self.server, migration.id)


def _going(migration: Migration, remaining: int | None = None) -> Look:
    return Look(
        Standing.UNDERWAY,
        progress=Progress(remaining_bytes=remaining) if remaining is not None else None,
        saw={
            "migration": migration.id,
            "migration_status": migration.status,
            "updated": migration.updated,  # another time is a sign of life
        },
    )


def _before_the_record(
    world: World, signs: Signs, mark: Mark | None, step: "LiveMigrate | ColdMigrate"
) -> Look | None:
    """Settle what needs no record: a server that is gone, and a step that was not begun."""
    server = signs.server
    if server is None:
        return gone(world.nova, step.server)
    if signs.foreign:
        return foreign(signs.foreign)
    if mark is not None:
        return None
    if (others := in_other_hands(server)) is not None:
        return others
    if server.host == step.source:
        return Look(Standing.TODO)
    return _elsewhere(world, server, step)


def _elsewhere(world: World, server: Server, step: "LiveMigrate | ColdMigrate") -> Look:
    """Prove a server that has left before this start of ours, by an earlier one or by others."""
    # What a cold migration leaves at its source is proved with its confirmation.
    is_left = isinstance(step, ColdMigrate) or step.shares_disks
    if isinstance(step, ColdMigrate) and server.status == "VERIFY_RESIZE":
        return Look(Standing.DONE, reason=f"it awaits confirmation on `{server.host}`")
    if server.status not in _WELL:
        return Look(Standing.FAILED, reason=f"it is on `{server.host}`, and {server.status}")
    records = world.nova.migrations_of_server(server.id)
    last = next((each for each in records if each.target == server.host), None)
    if last is None:
        return Look(
            Standing.UNKNOWN, reason=f"it is on `{server.host}`, and Nova has no record of its move"
        )
    now: Mark = {"vm_state": server.vm_state, "power_state": server.power_state}
    looked_in = () if is_left or isinstance(step, ColdMigrate) else step.directories
    return prove(world, server, last, now, directories=looked_in)


def _without_record(world: World, signs: Signs) -> Look:
    """Judge a start whose record has not appeared: by the action and the server's `task_state`."""
    if signs.action and signs.action.message:
        return failed(world, signs, f"Nova gave up `{signs.action.action}`")
    if signs.action or (signs.server and signs.server.task_state):
        return under_way(signs, "Nova has taken the request; there is no record yet")
    return Look(Standing.TODO)


def _examine(
    world: World,
    step: LiveMigrate | ColdMigrate,
    mark: Mark | None,
    kinds: tuple[str, ...],
    quiet_s: float,
) -> Look | None:
    server = world.nova.server(step.server)
    if server is None or mark is None:
        return None
    signs = read_signs(world.nova, step.server, mark, kinds=kinds, ours=())
    return _stuck(world, server, step.source, signs.migration, quiet_s)


def _stuck(
    world: World, server: Server, source: str, migration: Migration | None, quiet_s: float
) -> Look | None:
    """Say that Nova will never end a move, where that is so."""
    stuck = find_stuck(read_stalled_move(world, server, source, migration, quiet_s))
    if stuck is None:
        return None
    return Look(
        Standing.FAILED,
        reason=f"it is stuck ({stuck.state.name}): {stuck.reason}",
        remedy=stuck.remedy,
        saw={"stuck": stuck.state.name},
    )


def _newest_live(world: World, server: str) -> Migration | None:
    records = world.nova.migrations_of_server(server)
    return next((each for each in records if each.kind in _LIVE), None)


def _look_at_order(
    world: World, server: str, mark: Mark | None, action: str, takes_it: Collection[str]
) -> Look:
    """Return the state of an order that Nova accepts for a migration in some statuses only."""
    signs = read_signs(world.nova, server, mark, kinds=_LIVE, ours=(action, *_LIVE))
    if signs.server is None:
        return gone(world.nova, server)
    ordered = signs.action is not None and signs.action.action == action
    migration = _newest_live(world, server)
    if not ordered and migration and migration.status in takes_it:
        return Look(Standing.TODO)
    if not ordered and migration and migration.status in _YET_TO_RUN:
        # Behind others of its node (`max_concurrent_live_migrations`), say: its time will come.
        return Look(Standing.UNDERWAY, reason=f"its migration is `{migration.status}` still")
    return Look(Standing.DONE)
