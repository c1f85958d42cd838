"""Members of clusters on machines that nobody looked at: the inventory does not name them.

A cluster itself says who is in it. Of a member elsewhere nothing was seen, so it is never well. It
is no finding: a member may have another name than its machine, such as that of a network.
"""

from collections.abc import Iterator

from stackward.health.processes import Present
from stackward.model.cloud_state import CloudState
from stackward.model.health import Gap, Kept
from stackward.model.identity import Likeness, compare
from stackward.model.survey import Broker, DatabaseServer, Survey
from stackward.wording import count_of

_SAME = {Likeness.SAME, Likeness.ALIKE}
_WHY = "no node of the inventory is known to have it: it was not looked at"


def gaps_of_members(state: CloudState, present: Present) -> Iterator[Gap]:
    """Name the members of RabbitMQ and of Galera that were not looked at.

    A node that reported nothing may have any member. So this is said only if all have reported
    theirs.
    """
    if state.has_seen_all:
        yield from _of_rabbitmq(state, present)
        yield from _of_galera(present)


def _of_rabbitmq(state: CloudState, present: Present) -> Iterator[Gap]:
    names = {*state.surveys, *state.left_out}
    names |= {name for name in state.nodes.values() if name} | {*state.nodes}
    for survey in state.surveys.values():
        names |= {*survey.itself.names} if isinstance(survey, Survey) else set()
    told = [one.survey.broker for (name, _), one in present.items() if name == "rabbitmq"]
    members = {member for broker in told if isinstance(broker, Broker) for member in broker.running}
    for member in sorted(members):
        host = member.partition("@")[2]
        if host and not any(compare(name, host) in _SAME for name in names):
            yield Gap(
                kind=Kept.SPARED,
                component="rabbitmq",
                where="rabbitmq",
                what=f"`{member}` of RabbitMQ",
                why=_WHY,
                cure="add its node to the inventory",
            )


def _of_galera(present: Present) -> Iterator[Gap]:
    """Count its members: it does not report their names."""
    servers = [one.survey.database for (name, _), one in present.items() if name == "mariadb"]
    own = [one for one in servers if isinstance(one, DatabaseServer) and one.is_galera]
    size = max((one.cluster_size for one in own), default=0)
    if size > len(servers):
        yield Gap(
            kind=Kept.SPARED,
            component="mariadb",
            where="mariadb",
            what=f"{count_of(size - len(servers), 'member')} of Galera",
            why=_WHY,
            cure="add its node to the inventory; an arbitrator (`garbd`) is a member too",
        )
