"""One look at a whole cloud: read it, call processes where a call can show more, and judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from stackward.anatomy import Anatomy, read_anatomy
from stackward.facts.calls import call_by_apis
from stackward.facts.cloud_state import (
    SEARCHING,
    TOLD_S,
    CheckRequest,
    Look,
    node_called,
    time_for,
)
from stackward.facts.pings import Pings, begin_pings, not_called
from stackward.facts.rpc import RPC_S, ask_rpc
from stackward.health.calls import worth_calling
from stackward.health.judge import judge_cloud
from stackward.health.messages import not_asked, worth_asking
from stackward.health.pings import worth_pinging
from stackward.health.presence import present
from stackward.health.processes import Present
from stackward.model.cloud_state import NO_TIME, CallTarget, CloudState, PingTarget, Rpc, RpcAnswer
from stackward.model.health import Health
from stackward.ports.deadline import Deadline
from stackward.ports.probes import Probes
from stackward.ports.together import Round

# When calls over RPC begin, as parts of the whole: by what is known then, if not all is known
# sooner. What hangs must not keep the others from being called; what was late gets a second turn.
TURNS = (0.4, 0.6)


def check_cloud(
    probes: Probes,
    asked: CheckRequest,
    before: CloudState | None = None,
    *,
    by: Deadline | None = None,
) -> tuple[Health, CloudState]:
    """Look at everything once, and judge it.

    `before` is the last look: a call over RPC that was silent then is still waited for by Nova, so
    it is not repeated. `by` is when a look must be over that has used up a part of its time.
    """
    anatomy = read_anatomy()
    before_all = probes.clock.monotonic()
    probes.apis.load()  # no question's time is used up by that
    if before is not None:
        probes.log_in_anew()
    began = probes.clock.monotonic()
    look = Look(probes, anatomy, asked, by)
    calls = _Calls(probes, anatomy, asked, look, before)
    for part in TURNS if asked.rpc else ():
        known = look.state(by=Deadline(probes.clock, began + part * look.takes_s))
        calls.begin(*known)
        if look.is_over:
            break
    else:
        known = look.state(by=look.deadline)
    state = calls.ended(*known) if asked.rpc else known[0]
    state = replace(
        state,
        is_rpc_asked=asked.rpc,
        took_s=probes.clock.monotonic() - began,
        loading_s=began - before_all,
    )
    return judge_cloud(state, anatomy), state


def check_node(probes: Probes, word: str, asked: CheckRequest) -> tuple[Health, CloudState]:
    """Look at the node that the inventory or Nova calls so; finding it is a part of the time.

    Raises BadInput where there is none, and Refused where it is not known in time which it is.
    """
    probes.apis.load()
    whole_s = time_for(1, asked.within_s)
    whole = Deadline.after(probes.clock, whole_s)
    found = node_called(probes, word, whole.sooner(whole_s * (1 - SEARCHING)))
    return check_cloud(probes, replace(asked, only=found), by=whole)


@dataclass
class _Calls:
    """The calls over RPC of one look: each is put once, as soon as it is known to be worth it."""

    probes: Probes
    anatomy: Anatomy
    asked: CheckRequest
    look: Look
    before: CloudState | None
    spared: Mapping[str, RpcAnswer] = field(default_factory=dict)  # nova-computes, by host
    wanted: Mapping[str, str] = field(default_factory=dict)  # the others: their hypervisors
    computes: Round[str, Mapping[str, RpcAnswer]] | None = None
    by_apis: Round[str, Mapping[str, RpcAnswer]] | None = None
    targets: Sequence[CallTarget] = ()  # that their APIs are to call
    hanging: Mapping[str, RpcAnswer] = field(default_factory=dict)  # or known to be deaf, by queue
    others: list[Pings] = field(default_factory=list)
    called: set[str] = field(default_factory=set)  # queues of others
    last: CloudState | None = None  # what was known at the last turn

    def begin(self, state: CloudState, hypervisors: Mapping[str, str] | None) -> None:
        """Call the processes of which a call can show more, as far as that is known by now."""
        here = present(state, self.anatomy)
        deadline, within_s = self.look.deadline.sooner(TOLD_S), self.asked.within_s
        ends, each_s = deadline.sooner(TOLD_S), min(within_s, RPC_S)  # of calls one after another
        apis = (self.probes, state.catalog)
        if self.computes is None and hypervisors is not None:
            self._choose(state, here, hypervisors)
            ask = partial(ask_rpc, *apis, self.wanted, deadline=ends, within_s=each_s)
            self.computes = self.probes.together.begin({"rpc": ask})
        if self.by_apis is None and self._choose_for_apis(state, here):
            call = partial(call_by_apis, *apis, self.targets, deadline=ends, within_s=each_s)
            self.by_apis = self.probes.together.begin({"calls": call})
        if new := self._not_called(state, here):
            self.called |= {one.queue for one in new}
            self.others.append(begin_pings(self.probes, new, deadline, within_s=within_s))
        self.last = state

    def ended(self, state: CloudState, hypervisors: Mapping[str, str] | None) -> CloudState:
        """Wait for the answers until the end of the look, and add them to what is known."""
        pings: dict[str, RpcAnswer] = {}
        if state is not self.last:  # what has come since is known too late for a call
            here = present(state, self.anatomy)
            pings = not_called(self._not_called(state, here))
            if self.computes is None and hypervisors is not None:
                self._choose(state, here, hypervisors)
            if self.by_apis is None:
                self._choose_for_apis(state, here)
        left_s = self.look.deadline.left_s
        for each in self.others:
            pings |= each.told(within_s=left_s())
        told = self.computes.told(within_s=left_s()).get("rpc", {}) if self.computes else {}
        late = RpcAnswer(outcome=Rpc.NOT_ASKED, why=NO_TIME)
        rpc = {**self.spared, **dict.fromkeys(self.wanted, late), **told}
        by_apis = self.by_apis.told(within_s=left_s()).get("calls", {}) if self.by_apis else {}
        targets = dict.fromkeys((one.queue for one in self.targets), late)
        calls = {**self.hanging, **targets, **by_apis}
        return replace(state, rpc=rpc, pings=pings, calls=calls)

    def _not_called(self, state: CloudState, here: Present) -> list[PingTarget]:
        worth = worth_pinging(state, here, self.anatomy)
        return [one for one in worth if one.queue not in self.called]

    def _choose_for_apis(self, state: CloudState, here: Present) -> bool:
        """Choose the processes that APIs must call; say whether there are any."""
        chosen = worth_calling(state, here, self.anatomy, self.before)
        self.targets, self.hanging = chosen
        return bool(self.targets)

    def _choose(self, state: CloudState, here: Present, hypervisors: Mapping[str, str]) -> None:
        why = worth_asking(state, here, self.anatomy)
        self.spared = not_asked(why, hypervisors, self.before, state.read_at)
        self.wanted = {host: hypervisors[host] for host in why if host not in self.spared}
