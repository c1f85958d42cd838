"""One look at a whole cloud: read, called where that can tell more, and judged."""

from dataclasses import replace

from stackward.anatomy import read_anatomy
from stackward.facts.cloud_state import CheckRequest, look_at_cloud
from stackward.facts.pings import call_all
from stackward.model.cloud_state import CloudState
from stackward.model.health import Health
from stackward.policy.health import judge_cloud
from stackward.policy.messages import not_asked, worth_asking
from stackward.policy.pings import worth_pinging
from stackward.policy.presence import present
from stackward.ports.lookout import Lookout


def check_cloud(
    lookout: Lookout, asked: CheckRequest, before: CloudState | None = None
) -> tuple[Health, CloudState]:
    """Look at everything once, and judge it.

    `before` is the last look: a call over RPC that was silent then is still waited for by Nova, so
    it is not repeated.
    """
    anatomy = read_anatomy()
    began = lookout.clock.monotonic()
    state, hypervisors = look_at_cloud(lookout, anatomy, asked)
    if asked.rpc:
        here = present(state, anatomy)
        why = worth_asking(state, here, anatomy)
        known = not_asked(why, hypervisors, before, state.read_at)
        wanted = {host: hypervisors[host] for host in why if host not in known}
        others = list(worth_pinging(state, here, anatomy))
        rpc, pings = call_all(lookout, state.catalog, wanted, others, asked.within_s)
        state = replace(state, rpc={**known, **rpc}, pings=pings)
    state = replace(state, is_rpc_asked=asked.rpc, took_s=lookout.clock.monotonic() - began)
    return judge_cloud(state, anatomy), state
