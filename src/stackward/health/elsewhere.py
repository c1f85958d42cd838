"""Members of clusters on machines that nobody looked at: the inventory does not name them.

A cluster itself says who is in it. Of a member elsewhere nothing was seen, so it is never well.
"""

from collections.abc import Iterator

from stackward.anatomy import MACHINE
from stackward.health import symptoms
from stackward.health.processes import Present
from stackward.model.cloud_state import CloudState
from stackward.model.health import Finding, Gap, Kept
from stackward.model.identity import Likeness, compare
from stackward.model.survey import Broker, DatabaseServer, Survey
from stackward.wording import count_of

_SAME = {Likeness.SAME, Likeness.ALIKE}


def judge_members_elsewhere(state: CloudState, present: Present) -> Iterator[Finding]:
    """Find the members of RabbitMQ that run on a machine which the inventory does not name.

    A node that told nothing may have any name, so this is said only where all have told theirs.
    """
    if not state.has_seen_all:
        return
    names = {*state.surveys, *state.left_out}
    names |= {name for name in state.nodes.values() if name} | {*state.nodes}
    for survey in state.surveys.values():
        names |= {*survey.itself.names} if isinstance(survey, Survey) else set()
    told = [one.survey.broker for (name, _), one in present.items() if name == "rabbitmq"]
    members = {member for broker in told if isinstance(broker, Broker) for member in broker.running}
    for member in sorted(members):
        host = member.partition("@")[2]
        if host and not any(compare(name, host) in _SAME for name in names):
            yield symptoms.NOT_IN_INVENTORY.found(
                MACHINE, host, [f"RabbitMQ calls `{member}` a member that runs"], binary="RabbitMQ"
            )


def gaps_of_members(state: CloudState, present: Present) -> Iterator[Gap]:
    """Name how many members of Galera were not looked at; it tells no names of theirs."""
    if not state.has_seen_all:
        return
    servers = [one.survey.database for (name, _), one in present.items() if name == "mariadb"]
    own = [one for one in servers if isinstance(one, DatabaseServer) and one.is_galera]
    size = max((one.cluster_size for one in own), default=0)
    if size > len(servers):
        yield Gap(
            kind=Kept.SPARED,
            component="mariadb",
            where="mariadb",
            what=f"{count_of(size - len(servers), 'member')} of Galera",
            why="no node of the inventory has it: it was not looked at",
            cure="add its node to the inventory; an arbitrator (`garbd`) is a member too",
        )
