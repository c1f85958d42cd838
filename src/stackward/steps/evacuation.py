"""Bring up the servers of a dead node elsewhere: call it down, reset, evacuate one by one.

A server is evacuated only while its node is known to have no power: that is read within some
seconds before the request is sent, each time.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar

from stackward.errors import Refused, StepFailed, Uncertain, Unreachable
from stackward.model.migration import Migration
from stackward.model.power import PowerState
from stackward.model.server import Server
from stackward.model.witness import Sign
from stackward.plan import VOLATILE, Json, Look, Mark, Standing
from stackward.ports.haste import with_confirm
from stackward.ports.world import World
from stackward.status.evacuated import Promised, prove_evacuation, telling
from stackward.status.lookups import its_service, service_of
from stackward.status.lost_order import QUIET_S, has_begun, is_accepted, later_move
from stackward.status.lost_target import DOWN_S, PRE_MIGRATING, is_down, silent_s, was_started_since
from stackward.status.power import says_off_twice
from stackward.status.proof import volumes_on
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
    whereabouts,
)
from stackward.status.silence import SIGN_OF_LIFE, look_for_life
from stackward.status.taken_back import end_the_run
from stackward.steps.bringing_up import BringUpServer

CUT_AGAIN = "had power again; it was cut once more"  # in the journal: why nothing was sent
AGAIN_S = 10.0  # until all witnesses are asked once more
FRESH_S = 5.0  # the power was read at most so long before a request is sent
_EVACUATION = ("evacuation",)
_OURS = ("evacuate",)
_RESET = ("resetState",)
_PROVED = ("done", "completed")
_ENDED_BADLY = ("error", "failed", "cancelled")
STOPPED = ("stopped", 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceDown:
    """Report to Nova that a node is down for certain; without that report it does not evacuate."""

    kind: ClassVar[str] = "force-down"
    is_prompt: ClassVar[bool] = True

    host: str

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"force the nova-compute of `{self.host}` down"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return f"`openstack compute service set --up {self.host} nova-compute`, once it is back"

    def mark(self, world: World, /) -> Mark:
        """Note how it is now."""
        return {"is_forced_down": its_service(world.nova, self.host).is_forced_down}

    def look(self, world: World, _: Mark | None, /) -> Look:
        """Done when Nova says so."""
        if its_service(world.nova, self.host).is_forced_down:
            return Look(Standing.DONE)
        return Look(Standing.TODO)

    def lost(self, world: World, /) -> Look | None:
        """Say that somebody has called it up since."""
        if its_service(world.nova, self.host).is_forced_down:
            return None
        return Look(
            Standing.FOREIGN,
            reason="is not forced down any more: somebody has called it up",
            remedy=f"a node that was taken back serves guests again: {end_the_run(world)}",
            is_repeated=False,
        )

    def start(self, world: World, /) -> str | None:
        """Report it to Nova."""
        return world.nova.force_down(its_service(world.nova, self.host).id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetState:
    """Call a server active that is in ERROR, or that Nova was at work on when its node died."""

    kind: ClassVar[str] = "reset-state"
    is_prompt: ClassVar[bool] = True

    server: str
    name: str
    source: str

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"reset the state of `{self.name}` to active"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return (
            "not at all; the database of runs has what it was: "
            f"`openstack server show {self.server}`"
        )

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now, and what the server was."""
        now = world.nova.server(self.server)
        return {
            **mark_of(world.nova, self.server),
            "status": now.status if now else None,
            "task_state": now.task_state if now else None,
            "fault": now.fault if now else None,
        }

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when Nova calls it active, and is not at work on it."""
        signs = read_signs(world.nova, self.server, mark, kinds=(), ours=_RESET)
        server = signs.server
        if server is None:
            return gone(world.nova, self.server)
        if signs.foreign:
            return foreign(signs.foreign)
        if server.host != self.source:
            return Look(Standing.FOREIGN, reason=f"it is on `{server.host}`, not through us")
        if server.vm_state == "active" and server.task_state is None:
            saw: dict[str, Json] = {
                name: mark[name] for name in ("status", "task_state", "fault") if mark
            }
            return asked_by(signs, Look(Standing.DONE, saw=saw))
        return Look(Standing.TODO)

    def start(self, world: World, /) -> str | None:
        """Ask Nova for it."""
        return world.nova.reset_state(self.server)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evacuate:
    """Have Nova build a server of a dead node on another, and leave it stopped there."""

    kind: ClassVar[str] = "evacuate"

    server: str
    name: str
    source: str
    node: str  # as the inventory calls the dead machine: its power is read before the request
    promised: Promised
    target: str = field(metadata=VOLATILE)
    # Other hosts that its records name, each with its node: a guest of it is there unless that has
    # no power.
    also_off: tuple[tuple[str, str], ...] = ()
    # If no device shows its power: a person's word, and which addresses are called from where.
    word: str | None = None
    addresses: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    peers: tuple[str, ...] = field(default=(), metadata=VOLATILE)

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"evacuate `{self.name}` from `{self.source}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not at all; once the node is back, migrate it there"

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now, and which orders were never started."""
        records = world.nova.migrations_of_server(self.server)
        accepted: list[Json] = [each.id for each in records if is_accepted(each)]
        return {**mark_of(world.nova, self.server), "accepted": accepted}

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Read Nova's record of our evacuation; *done* is proved before it is believed."""
        signs = read_signs(world.nova, self.server, mark, kinds=_EVACUATION, ours=_OURS)
        if signs.server is None:
            return gone(world.nova, self.server)
        if signs.foreign:
            return foreign(signs.foreign)
        if mark is None:
            return self._unbegun(world, signs.server)
        followed = self._followed(world, signs, mark)
        if followed.migration is None:
            return self._without_record(world, followed)
        return self._by_record(world, followed, signs.server, followed.migration)

    def _followed(self, world: World, signs: Signs, mark: Mark) -> Signs:
        """Follow the record under which the conductor carries our order out.

        It takes the first one of the server that is `accepted`: an older one, where an order was
        lost before. Then our own stays `accepted` (nova 31.0, conductor/manager.py,
        rebuild_instance).
        """
        before = mark.get("accepted")
        if not isinstance(before, list | tuple) or (
            signs.migration and not is_accepted(signs.migration)
        ):
            return signs
        older = (
            each
            for each in world.nova.migrations_of_server(self.server)
            if each.id in before and not is_accepted(each)
        )
        taken = next(older, None)
        return replace(signs, migration=taken) if taken else signs

    def _unbegun(self, world: World, server: Server) -> Look:
        if (others := in_other_hands(server)) is not None:
            return others
        if server.host == self.source:
            return Look(Standing.TODO)
        record = next(
            (
                each
                for each in world.nova.migrations_of_server(server.id)
                if each.kind in _EVACUATION and each.source == self.source and not is_accepted(each)
            ),
            None,
        )
        if record is None or record.target != server.host or record.status not in _PROVED:
            return Look(Standing.FOREIGN, reason=f"it is on `{server.host}`, not through us")
        action = next(
            (one for one in world.nova.actions_of(server.id) if one.action in _OURS), None
        )
        return self._proved(world, server, record, action.request_id if action else None)

    def _without_record(self, world: World, signs: Signs) -> Look:
        if signs.action and signs.action.message:
            return failed(world, signs, "Nova gave up `evacuate`")
        if signs.action or (signs.server and signs.server.task_state):
            return under_way(signs, "Nova has taken the request; there is no record yet")
        return Look(Standing.TODO)

    def _by_record(self, world: World, signs: Signs, server: Server, record: Migration) -> Look:
        if record.status in _ENDED_BADLY:
            look = failed(world, signs, f"its evacuation ended as `{record.status}`")
            remedy = (
                f"see the log of nova-compute on `{record.target}`, and that no guest of it is "
                f"there (`virsh domstate {self.server}`)"
            )
            return replace(look, remedy=remedy)
        if record.status not in _PROVED:
            return under_way(signs)
        request = signs.action.request_id if signs.action else None
        return asked_by(signs, self._proved(world, server, record, request))

    def _proved(self, world: World, server: Server, record: Migration, request: str | None) -> Look:
        if server.task_state is not None:
            return Look(Standing.UNDERWAY, reason=f"it is busy ({server.task_state})")
        named = [
            host
            for each in telling(world.nova.migrations_of_server(server.id))
            for host in (each.target, each.source)
            if host and host not in {self.source, record.target}
        ]
        return prove_evacuation(
            world,
            server,
            record,
            ends=STOPPED,
            promised=self.promised,
            request=request,
            elsewhere=[*dict.fromkeys(named)],
            also_off=dict(self.also_off),
        )

    def start(self, world: World, /) -> str | None:
        """See that the node has no power, then ask Nova at once; cut what somebody gave it."""
        with _while_off(world, self, self.source):
            return world.nova.evacuate(self.server, self.target)

    def trace(self, world: World, /) -> Mapping[str, Json]:
        """Say what has become of the server."""
        return whereabouts(world.nova, self.server)

    def examine(self, world: World, mark: Mark | None, quiet_s: float, /) -> Look | None:
        """Look for who is to carry it out, and is not there; time alone says nothing."""
        server = world.nova.server(self.server)
        if server is None or mark is None:
            return None
        signs = read_signs(world.nova, self.server, mark, kinds=_EVACUATION, ours=_OURS)
        signs = self._followed(world, signs, mark)
        if (lost := self._target_lost(world, signs.migration, quiet_s)) is not None:
            return lost
        if signs.migration is None or is_accepted(signs.migration):
            return self._not_taken_up(world, signs, quiet_s)
        return None

    def _target_lost(self, world: World, record: Migration | None, quiet_s: float) -> Look | None:
        """Say that its target may have left a guest that Nova does not know of.

        It is set aside by that: nothing is sent a second time while such a guest may be there.
        """
        target = record.target if record and record.target else self.target
        guest = "its guest may run there, and Nova does not know of it"
        remedy = (
            f"stop nova-compute there, and see whether the guest is there (`virsh domstate "
            f"{self.server}`); once this run is over, `stackward node evacuate {self.source} "
            f"--only {self.server} --reset-state {self.server}` judges it again"
        )
        is_taken = record is not None and record.status == PRE_MIGRATING
        if is_down(world, target):
            silent = silent_s(world, target) if is_taken else None
            if silent is not None and min(quiet_s, silent) < DOWN_S:
                # It may miss some reports, and build on.
                return Look(
                    Standing.UNDERWAY,
                    reason=f"nova-compute on its target `{target}` is down: it reported "
                    f"{silent:.0f} s ago, and may come back",
                )
            if silent is not None:
                return Look(
                    Standing.FAILED,
                    reason=f"nova-compute on its target `{target}` is down, and nothing happens "
                    f"for {quiet_s:.0f} s: {guest}",
                    remedy=remedy,
                    saw={"target_down": True},
                )
            return Look(
                Standing.UNKNOWN,
                reason=f"nova-compute on its target `{target}` is down: {guest}",
                remedy=f"start that nova-compute and see whether the guest is there (`virsh "
                f"domstate {self.server}`); or fence that node: `stackward node fence {target}`",
                saw={"target_down": True},
            )
        if not is_taken or was_started_since(world, target, quiet_s) is not True:
            return None
        return Look(
            Standing.FAILED,
            reason=f"nova-compute on its target `{target}` was started again while it built the "
            f"server: {guest}",
            remedy=remedy,
            saw={"target_restarted": True},
        )

    def _not_taken_up(self, world: World, signs: Signs, quiet_s: float) -> Look:
        """Say that no conductor has taken the order up; waited for, while it may.

        Where a later order was carried out it is set aside: it is not called lost by that, and
        nothing is sent a second time.
        """
        own = signs.migration
        later = later_move(world, own) if own and has_begun(world, own) is False else None
        if own is None or later is None or quiet_s < QUIET_S:
            return under_way(
                signs,
                f"Nova has taken the request, and nothing is seen of it for {quiet_s:.0f} s: see "
                "the logs of nova-conductor and nova-scheduler for its request",
            )
        return Look(
            Standing.FAILED,
            reason=f"the conductor has started nothing for its request (record {own.id}, "
            f"accepted), and has carried out a later one (record {later.id})",
            remedy="see that no process of nova-conductor hangs; once this run is over, `stackward "
            f"node evacuate {self.source} --only {self.server} --reset-state {self.server}` judges "
            "whether the request is lost, and makes it again",
            saw={"migration": own.id, "later": later.id},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAttachments:
    """Remove what Cinder still has of an evacuated server on its dead node, and prove the rest.

    Nova does so by itself; what an earlier move has lost it does not know. Cinder refuses to remove
    an attachment that Nova uses.
    """

    kind: ClassVar[str] = "remove-attachments"

    server: str
    name: str
    dead: str  # the host that it was evacuated from

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"remove what volumes of `{self.name}` are attached to on `{self.dead}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "not at all, and it need not be: its volumes are attached where it is"

    def mark(self, world: World, /) -> Mark:
        """Note what is left there now."""
        server = world.nova.server(self.server)
        return {"left": [*self._left(world, server)] if server else []}

    def look(self, world: World, _: Mark | None, /) -> Look:
        """Done when each volume is attached once, where the server is."""
        server = world.nova.server(self.server)
        if server is None:
            return gone(world.nova, self.server)
        if self._left(world, server):
            return Look(Standing.TODO)
        row = volumes_on(world, server, server.host or "")
        seen = {"target": server.host, row.name: row.standing}
        if row.wrong:
            return Look(Standing.FAILED, reason=f"not proved: {row.wrong}", saw=seen)
        return Look(Standing.DONE, saw=seen)

    def start(self, world: World, /) -> str | None:
        """Ask Cinder to remove each."""
        server = world.nova.server(self.server)
        request = None
        for each in self._left(world, server) if server else ():
            request = world.cinder.remove_attachment(each)
        return request

    def _left(self, world: World, server: Server) -> tuple[str, ...]:
        found = (world.cinder.volume(each) for each in server.volume_ids)
        return tuple(
            own for each in found if each for own in each.attachments_on(self.server, self.dead)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEvacuated:
    """Start a server where it was evacuated to, and prove that it runs; if not, set it aside.

    Its node must have no power, as for an evacuation: a guest there would write to the same disks.
    """

    kind: ClassVar[str] = "start-evacuated"

    server: str
    name: str
    dead: str  # the host that it was evacuated from
    node: str  # as the inventory calls that machine
    within_s: float  # from the request to the proof; after it the server is set aside
    target: str = field(metadata=VOLATILE)
    # The requests in its action log that the plan knows: what is newer is by others, or by the run.
    known: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    # As of an evacuation.
    also_off: tuple[tuple[str, str], ...] = ()
    word: str | None = None
    addresses: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    peers: tuple[str, ...] = field(default=(), metadata=VOLATILE)

    @property
    def _bring_up(self) -> BringUpServer:
        return BringUpServer(
            server=self.server,
            name=self.name,
            host=self.target,
            within_s=self.within_s,
            known=self.known,
            ours=(*_OURS, *_RESET),
        )

    @property
    def summary(self) -> str:
        """Say what it does."""
        return f"start `{self.name}`, evacuated from `{self.dead}`"

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return self._bring_up.undo

    def mark(self, world: World, /) -> Mark:
        """Note what is newest now, and when that is."""
        return self._bring_up.mark(world)

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Done when each row of the proof holds, or once it is set aside."""
        return self._bring_up.look(world, mark)

    def start(self, world: World, /) -> str | None:
        """See that the node has no power, then ask Nova at once; cut what somebody gave it."""
        with _while_off(world, self, self.dead):
            return self._bring_up.start(world)

    def examine(self, world: World, mark: Mark | None, quiet_s: float, /) -> Look | None:
        """Set it aside where Nova does not bring it to where it could be started."""
        return self._bring_up.examine(world, mark, quiet_s)


@contextmanager
def _while_off(world: World, step: Evacuate | StartEvacuated, host: str) -> Iterator[None]:
    """Send a request only while a node has no power; `host` is Nova's name of it."""
    if step.word is not None:
        _confirm_silent(world, step, host)
    else:
        _confirm_off(world, step.node, host)
    read_at = world.clock.monotonic()
    for other, named in step.also_off:
        if world.power.state(named) is not PowerState.OFF:
            raise StepFailed(
                f"`{named}` has power again: a guest of the server may run there",
                hint="find out what switches it on; then cut its power (`stackward node fence "
                f"{other}`), and resume the run (`stackward run resume`)",
            )
    with with_confirm(partial(_confirm_fresh, world, read_at)):
        yield


def _confirm_off(world: World, node: str, host: str) -> None:
    """Read the power of a node; cut it if somebody has switched it on.

    Then everything is judged again before anything is sent, also whether its power was cut like
    this before. A node that was taken back serves guests, and its power is never cut. Nor is that
    of any other node that must have no power.
    """
    if world.power.state(node) is PowerState.OFF:
        return
    service = service_of(world.nova, host)
    if service is None or not service.is_forced_down:
        raise StepFailed(
            f"`{node}` has power, and is not forced down any more: it was taken back",
            hint=end_the_run(world),
        )
    raise Unreachable(f"`{node}` {CUT_AGAIN}{_cut(world, node)}")


def _confirm_silent(world: World, step: Evacuate | StartEvacuated, host: str) -> None:
    """Ask every witness of a node that no device switches; what is not known is waited for."""
    seen = look_for_life(world, host, step.addresses, step.peers)
    if seen.sign is Sign.YES:
        raise StepFailed(f"`{step.node}` {SIGN_OF_LIFE}: {seen.why}", hint=end_the_run(world))
    if seen.sign is Sign.UNKNOWN:
        why = f"whether anything of `{step.node}` lives is not known: {seen.why}"
        unknown = Unreachable(why)
        unknown.after_s = AGAIN_S
        raise unknown


def _cut(world: World, node: str) -> str:
    """Cut a node's power; return what went wrong. What may have been carried out counts as a cut.

    Raises Unreachable only where the order was not sent.
    """
    wrong = ""
    try:
        world.power.order_off(node)
    except Uncertain as error:
        wrong = f", and its device did not say so: {error.message}"
    try:
        off = says_off_twice(world, node)
    except (Unreachable, Uncertain, Refused) as error:
        return f"{wrong}, and how it is now is not known: {error.message}"
    return wrong if off else f"{wrong}, and its device does not say Off twice"


def _confirm_fresh(world: World, read_at: float) -> None:
    """Refuse to send a request whose node's power was read too long ago: nothing is sent."""
    passed_s = world.clock.monotonic() - read_at
    if passed_s > FRESH_S:
        raise Unreachable(f"the power was read {passed_s:.0f} s ago: it is read again first")
