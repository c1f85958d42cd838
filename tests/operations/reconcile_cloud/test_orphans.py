"""What is left of servers and nodes is removed only where nothing speaks for it: from facts alone.

Each row is one state in which it stays, or goes.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, a_server, a_service, an_id
from operations.reconcile_cloud.test_plan import NOBODY, account
from stackward.checks.agreement import HoldNothing
from stackward.checks.left_behind import AgentsGone, AttachmentsGone, PortsGone, ServicesGone
from stackward.facts.left_behind import LeftBehind
from stackward.health.agreement import Agreement
from stackward.health.disagreements import find_cases
from stackward.model.claim import Claim
from stackward.model.network import HostedAgent
from stackward.model.orphan import Orphan, OrphanKind, Orphans
from stackward.model.testimony import CloudTestimony
from stackward.model.unread import Hindrance, Unread
from stackward.model.volume import Attachment
from stackward.operations.reconcile_cloud.facts import ReconcileFacts, Tree
from stackward.operations.reconcile_cloud.plan import plan_reconcile
from stackward.plan import Plan
from stackward.ports.world import World
from stackward.requests.reconcile_cloud import ReconcileRequest
from stackward.steps.allocations import RemoveAllocations
from stackward.steps.left_behind import RemoveAgent, RemovePort, RemoveService
from stackward.steps.volumes import RemoveAttachment
from testimonies import (
    LONG_AGO,
    a_record,
    agreeing,
    guest_of,
    holding,
    on_host,
    volume_of,
    with_guest,
)

AWAY = Unread("no answer")
SERVER, GONE = a_server(), a_server(name="gone")
PORT, VOLUME, LOST = an_id("port-left"), an_id("volume"), "compute-99"
SERVICE, AGENT = an_id(f"service-{LOST}"), an_id("agent")
OLD, YOUNG = NOW - timedelta(hours=25), NOW - timedelta(hours=23)

ORPHANS = {
    "port": Orphan(
        kind=OrphanKind.PORT, id=PORT, name=PORT, owner="demo", since=OLD, says="is left",
        way="", server=GONE.id,
    ),
    "named port": Orphan(
        kind=OrphanKind.PORT, id=PORT, name="web", owner="demo", since=OLD, says="is left",
        way="", server=GONE.id,
    ),
    "volume": Orphan(
        kind=OrphanKind.VOLUME, id=VOLUME, name="data", owner="demo", since=OLD, says="is left",
        way="", server=GONE.id,
    ),
    "unnamed volume": Orphan(
        kind=OrphanKind.VOLUME, id=VOLUME, name=VOLUME, owner="demo", since=OLD, says="is left",
        way="", server=GONE.id,
    ),
    "allocation": Orphan(
        kind=OrphanKind.ALLOCATION, id=NOBODY, name=NOBODY, owner="demo", since=OLD,
        says="is left", way="", hosts=("compute-08",), server=NOBODY,
    ),
    "service": Orphan(
        kind=OrphanKind.SERVICE, id=SERVICE, name="nova-compute", since=OLD, says="is down",
        way="", hosts=(LOST,),
    ),
    "conductor": Orphan(
        kind=OrphanKind.SERVICE, id=SERVICE, name="nova-conductor", since=OLD, says="is down",
        way="", hosts=(LOST,),
    ),
    "agent": Orphan(
        kind=OrphanKind.AGENT, id=AGENT, name="OVN Controller agent", since=OLD,
        says="is not alive", way="", hosts=(LOST,),
    ),
}  # fmt: skip
SILENT = HostedAgent(id=AGENT, kind="OVN Controller agent", host=LOST, is_alive=False)
SEEN = replace(
    holding(agreeing(SERVER), "compute-08", NOBODY),
    volumes={VOLUME: volume_of(GONE, VOLUME)},
    attachments=(
        Attachment(id="a-1", volume=VOLUME, server=GONE.id, status="attached"),
        Attachment(id="a-2", volume=VOLUME, server=SERVER.id, status="attached"),
    ),
)
LEFT = LeftBehind(
    ports=(),
    living={},
    services=(a_service(LOST, is_up=False, updated=LONG_AGO),),
    agents=(SILENT,),
    strangers=frozenset({LOST}),
    nodes={},
    accounts={},
    deletions={},
)
WITH_LOST = replace(
    SEEN,
    hosts=(
        *SEEN.hosts,
        replace(
            SEEN.hosts[0],
            host=LOST,
            provider=an_id(LOST),
            node=None,
            domains=Unread("nobody knows it", Hindrance.UNNAMED),
            allocations={},
            ports=(),
        ),
    ),
)


def plan_of(
    name: str,
    *,
    remove: str = "",
    seen: CloudTestimony = SEEN,
    orphan: dict[str, Any] | None = None,
    asked: dict[str, Any] | None = None,
    **facts: Any,  # noqa: ANN401  # any field
) -> Plan[World]:
    """Plan to remove one thing: by its kind, or as `remove` names it."""
    one = replace(ORPHANS[name], **orphan or {})
    known = {
        "orphans": Orphans(at=NOW, found=(one,)),
        "left": LEFT,
        "accounts": {NOBODY: account(NOBODY, an_id("compute-08"))},
        "trees": {SERVICE: Tree(providers=(an_id(LOST),))},
        **facts,
    }
    found = Agreement(testimony=seen, cases=find_cases(seen), looks=2)
    given = ReconcileRequest(classes=(), remove=(remove or one.kind.value,), **asked or {})
    return plan_reconcile(ReconcileFacts(found=found, **known), given)


STEPS = {
    "port": (RemovePort(port=PORT, name=PORT, server=GONE.id),),
    "allocation": (
        RemoveAllocations(
            consumer=NOBODY, name=NOBODY, providers=(an_id("compute-08"),), hosts=("compute-08",)
        ),
    ),
    "service": (RemoveService(service=SERVICE, binary="nova-compute", host=LOST),),
    "conductor": (RemoveService(service=SERVICE, binary="nova-conductor", host=LOST),),
    "agent": (RemoveAgent(agent=AGENT, name="OVN Controller agent", host=LOST),),
}
PROOFS = {
    "port": PortsGone(ports=((PORT, GONE.id),)),
    "allocation": HoldNothing(consumers=(NOBODY,)),
    "service": ServicesGone(services=((SERVICE, LOST),), providers=(an_id(LOST),)),
    "conductor": ServicesGone(services=((SERVICE, LOST),), providers=(an_id(LOST),)),
    "agent": AgentsGone(agents=((AGENT, LOST),)),
}


@pytest.mark.parametrize("name", STEPS)
def test_what_is_left_is_removed_by_its_kind(name: str) -> None:
    plan = plan_of(name)

    [(stage, move)] = plan.moves()
    assert (plan.blockers, stage.name, move.steps) == ((), ORPHANS[name].kind, STEPS[name])
    assert plan.verify == (PROOFS[name],)
    assert plan.holds == ORPHANS[name].hosts
    assert "since 2026-11-21T02:00:00Z" in str(move.expects["says"])


@pytest.mark.parametrize("name", ["volume", "unnamed volume", "named port"])
def test_what_a_person_has_made_is_removed_only_by_its_id(name: str) -> None:
    by_kind, by_id = plan_of(name), plan_of(name, remove=ORPHANS[name].named)

    assert [one.worry for one in by_kind.blockers] == ["reconcile/only-by-id"]
    assert ORPHANS[name].named in by_kind.blockers[0].remedy
    assert (by_id.blockers, len([*by_id.moves()])) == ((), 1)


def test_of_a_volume_only_the_attachments_go_that_name_the_server_which_is_gone() -> None:
    plan = plan_of("volume", remove=f"volume/{VOLUME}")

    [(_, move)] = plan.moves()
    assert move.steps == (
        RemoveAttachment(attachment="a-1", volume=VOLUME, server=GONE.id, name=GONE.id),
    )
    assert plan.verify == (AttachmentsGone(volumes=((VOLUME, GONE.id),)),)
    assert "the data stays" in plan.notices[0]


CLAIM = Claim(run="01J", operator="ann", machine="b", since="2025-12-01T00:00:00Z", reason="x")
CLAIMED = replace(
    LEFT, services=(replace(LEFT.services[0], is_enabled=False, disabled_reason=str(CLAIM)),)
)
BY_HAND, BY_NOVA = (
    replace(LEFT, services=(replace(CLAIMED.services[0], disabled_reason=reason),))
    for reason in ("waits for a new board", "AUTO: Connection to libvirt lost: 1")
)
HOME = replace(SERVER, host=LOST)
WHOLE: dict[str, tuple[str, ...]] = {"hosts": (f"{LOST}.example.org",)}  # as Neutron has it
EVACUATED = a_record(SERVER, "done", kind="evacuation", source=LOST)
STAYS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a port, while a cell is down": (
        "port", {"seen": replace(SEEN, is_whole=False)}, "reconcile/kind-unread"
    ),
    "a service, while a cell is down": (
        "service", {"seen": replace(SEEN, is_whole=False)}, "reconcile/kind-unread"
    ),
    "a port that was changed between the looks": (
        "port", {"differing": frozenset({PORT})}, "reconcile/changed"
    ),
    "a service that reported between the looks": (
        "service", {"differing": frozenset({SERVICE})}, "reconcile/changed"
    ),
    **{
        f"{name} of less than a day": (name, {"orphan": {"since": YOUNG}}, "reconcile/too-young")
        for name in STEPS
    },
    "a service of less than asked for": (
        "service", {"asked": {"min_age_s": 26 * 3600.0}}, "reconcile/too-young"
    ),
    **{
        f"{name} of unknown age": (name, {"orphan": {"since": None}}, "reconcile/age-unknown")
        for name in STEPS
    },
    "a port, while a libvirt is silent": (
        "port", {"seen": on_host(SEEN, "compute-09", domains=AWAY)}, "reconcile/unread"
    ),
    "an allocation, while a libvirt is silent": (
        "allocation", {"seen": on_host(SEEN, "compute-09", domains=AWAY)}, "reconcile/unread"
    ),
    "a port, while a gone node may have its guest": (
        "port", {"seen": WITH_LOST}, "reconcile/gone-node-first"
    ),
    "an allocation, while a gone node may have its guest": (
        "allocation", {"seen": WITH_LOST}, "reconcile/gone-node-first"
    ),
    "a port whose server has a guest": (
        "port", {"seen": with_guest(SEEN, "compute-08", guest_of(GONE))}, "reconcile/guest-first"
    ),
    "an allocation of another service": (
        "allocation",
        {"accounts": {NOBODY: replace(account(NOBODY, an_id("compute-08")), kind="CONTAINER")}},
        "reconcile/other-consumer",
    ),
    "an allocation of what was never a server": (
        "allocation", {"strangers": frozenset({NOBODY})}, "reconcile/stranger"
    ),
    **{
        f"{name} of a node with servers": (
            name, {"seen": replace(SEEN, servers={SERVER.id: HOME})}, "reconcile/node-has-servers"
        )
        for name in ("service", "agent")
    },
    **{
        f"{name} of a node with a move": (
            name,
            {"seen": replace(SEEN, records=(a_record(SERVER, source=LOST),))},
            "reconcile/node-has-move",
        )
        for name in ("service", "agent")
    },
    "a service of a node with an open evacuation": (
        "service",
        {"seen": replace(SEEN, records=(EVACUATED,))},
        "reconcile/node-evacuated",
    ),
    "a service with allocations": (
        "service",
        {"trees": {SERVICE: Tree(providers=(an_id(LOST),), consumers=(NOBODY,))}},
        "reconcile/node-holds",
    ),
    "a service of a node whose provider nobody can name": (
        "service", {"trees": {SERVICE: Tree(is_found=False)}}, "reconcile/no-provider"
    ),
    "an agent with the whole name of a node that has servers": (
        "agent",
        {"orphan": WHOLE, "seen": replace(SEEN, servers={SERVER.id: HOME})},
        "reconcile/node-has-servers",
    ),
    "an agent with the whole name of a node that has a move": (
        "agent",
        {"orphan": WHOLE, "seen": replace(SEEN, records=(a_record(SERVER, source=LOST),))},
        "reconcile/node-has-move",
    ),
    "an agent with the whole name of a node that a run has": (
        "agent", {"orphan": WHOLE, "left": CLAIMED}, "reconcile/claimed"
    ),
    "an agent with the whole name of a node that a person has disabled": (
        "agent", {"orphan": WHOLE, "left": BY_HAND}, "reconcile/disabled"
    ),
    "a service whose agent is alive, and has the whole name of the node": (
        "service",
        {"left": replace(LEFT, agents=(replace(SILENT, host=WHOLE["hosts"][0], is_alive=True),))},
        "reconcile/node-lives",
    ),
    "a service whose allocations are not known": (
        "service", {"trees": {SERVICE: AWAY}}, "reconcile/api-unread"
    ),
    "a service whose allocations nobody has read": (
        "service", {"trees": {}}, "reconcile/api-unread"
    ),
    "a service whose agent is alive": (
        "service",
        {"left": replace(LEFT, agents=(replace(SILENT, is_alive=True),))},
        "reconcile/node-lives",
    ),
    "a service while Neutron is away": (
        "service", {"left": replace(LEFT, agents=AWAY)}, "reconcile/api-unread"
    ),
    **{
        f"{name} that the inventory does not name, as it does not name one that lives": (
            name,
            {
                "left": replace(
                    LEFT,
                    services=(*LEFT.services, a_service("rack-5")),
                    strangers=frozenset({LOST, "rack-5"}),
                )
            },
            "reconcile/not-all-named",
        )
        for name in ("service", "agent", "conductor")
    },
    **{
        f"{name} of a node that a person has disabled": (
            name, {"left": BY_HAND}, "reconcile/disabled"
        )
        for name in ("service", "agent")
    },
    "an agent of a host without a nova-compute": (
        "agent", {"left": replace(LEFT, services=())}, "reconcile/name-alone"
    ),
    "a service that a run has claimed lately": (
        "service", {"left": CLAIMED, "orphan": {"since": YOUNG}}, "reconcile/claimed"
    ),
    **{
        f"{name} of a node that a run has": (name, {"left": CLAIMED}, "reconcile/claimed")
        for name in ("service", "agent")
    },
}  # fmt: skip


@pytest.mark.parametrize("what", STAYS)
def test_what_something_speaks_for_stays(what: str) -> None:
    name, changes, worry = STAYS[what]

    plan = plan_of(name, **changes)

    assert (plan.stages, [one.worry for one in plan.blockers]) == ((), [worry])


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"left": BY_HAND, "remove": f"service/{SERVICE}"}, id="named by its id"),
        pytest.param({"left": BY_NOVA}, id="disabled by nova-compute itself"),
    ],
)
def test_the_service_of_a_disabled_node_is_removed(facts: dict[str, Any]) -> None:
    plan = plan_of("service", **facts)

    assert (plan.blockers, [move.thing_id for _, move in plan.moves()]) == ((), [SERVICE])
    assert [one.worry for one in plan.warnings] == ["reconcile/service-goes"]


def test_what_is_held_of_a_gone_node_alone_does_not_wait_for_its_guests() -> None:
    """Else it would wait for the node's service, and that one for what is held of the node."""
    seen = holding(WITH_LOST, LOST, NOBODY)
    seen = replace(
        seen,
        hosts=tuple(
            replace(one, allocations={}) if one.host == "compute-08" else one for one in seen.hosts
        ),
    )

    plan = plan_of("allocation", seen=seen, orphan={"hosts": (LOST,)})
    rack_5 = (*LEFT.services, a_service("rack-5"))
    partly = replace(LEFT, services=rack_5, strangers=frozenset({LOST, "rack-5"}))
    not_all_named = plan_of("allocation", seen=seen, orphan={"hosts": (LOST,)}, left=partly)

    assert [one.worry for one in not_all_named.blockers] == ["reconcile/gone-node-first"]
    assert (plan.blockers, [move.thing_id for _, move in plan.moves()]) == ((), [NOBODY])


@pytest.mark.parametrize("name", STEPS)
def test_while_a_cell_is_down_a_plan_that_names_it_is_refused_though_it_is_not_listed(
    name: str,
) -> None:
    asked = plan_of(name).request
    assert isinstance(asked, ReconcileRequest)
    found = Agreement(testimony=replace(SEEN, is_whole=False), cases=())
    left = replace(LEFT, services=(), agents=())

    again = plan_reconcile(
        ReconcileFacts(found=found, orphans=Orphans(at=NOW, found=()), left=left), asked
    )

    assert [one.worry for one in again.blockers] == ["reconcile/kind-unread"]


def test_the_agent_of_a_node_that_was_evacuated_is_removed() -> None:
    plan = plan_of("agent", seen=replace(SEEN, records=(EVACUATED,)))

    assert (plan.blockers, [move.thing_id for _, move in plan.moves()]) == ((), [AGENT])


def test_of_an_agent_with_the_whole_name_of_its_node_nova_is_asked_by_its_own_name() -> None:
    plan = plan_of("agent", orphan=WHOLE)

    whole = WHOLE["hosts"][0]
    assert plan.verify == (AgentsGone(agents=((AGENT, LOST), (AGENT, whole))),)


def test_of_two_agents_whose_names_begin_with_that_of_a_node_neither_is_known_to_be_its() -> None:
    other = replace(SILENT, id=an_id("other"), host=f"{LOST}.other-site.example.org")
    own = replace(SILENT, host=WHOLE["hosts"][0])

    plan = plan_of("agent", orphan=WHOLE, left=replace(LEFT, agents=(own, other)))

    assert (plan.stages, [one.worry for one in plan.blockers]) == ((), ["reconcile/name-alone"])


def test_a_host_with_a_name_that_any_machine_may_have_is_itself() -> None:
    """`localhost` tells no machine from another, but what Nova has on it, it has on that host."""
    own = "localhost.localdomain"
    seen = replace(SEEN, servers={SERVER.id: replace(HOME, host=own)})

    plan = plan_of("agent", orphan={"hosts": (own,)}, seen=seen)

    assert [one.worry for one in plan.blockers] == ["reconcile/node-has-servers"]


def test_an_agent_with_two_names_is_one_agent() -> None:
    said = AgentsGone(agents=(("a1", "c99"), ("a1", "c99.example.org"))).summary

    assert said == "1 agent is gone from Neutron, and Nova has no server on its host"


def test_the_rest_is_removed_where_one_thing_stays() -> None:
    young = replace(ORPHANS["port"], id=an_id("other"), name=an_id("other"), since=YOUNG)
    both = Orphans(at=NOW, found=(ORPHANS["port"], young))

    plan = plan_of("port", orphans=both)

    assert [move.thing_id for _, move in plan.moves()] == [PORT]
    assert [one.worry for one in plan.warnings] == ["reconcile/too-young", "reconcile/port-goes"]
    assert plan.verify == (PROOFS["port"],)


def test_what_was_named_by_its_id_and_stays_refuses_the_plan() -> None:
    young = replace(ORPHANS["port"], id=an_id("other"), name=an_id("other"), since=YOUNG)
    both = Orphans(at=NOW, found=(ORPHANS["port"], young))

    plan = plan_of("port", orphans=both, asked={}, remove=young.named)

    assert (plan.stages, [one.worry for one in plan.blockers]) == ((), ["reconcile/too-young"])


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("port", {"left": replace(LEFT, ports=AWAY)}),
        ("agent", {"left": replace(LEFT, agents=AWAY)}),
        ("volume", {"seen": replace(SEEN, volumes=AWAY)}),
    ],
)
def test_what_cannot_be_read_is_neither_left_nor_gone(kind: str, facts: dict[str, Any]) -> None:
    plan = plan_of(kind, orphans=Orphans(at=NOW, found=()), **facts)

    assert [one.worry for one in plan.blockers] == ["reconcile/kind-unread"]


def test_a_plan_names_what_both_looks_have_seen_and_nothing_newer() -> None:
    asked = plan_of("port").request
    assert isinstance(asked, ReconcileRequest)
    newer = replace(ORPHANS["port"], id=an_id("other"))
    facts = ReconcileFacts(
        found=Agreement(testimony=SEEN, cases=()),
        orphans=Orphans(at=NOW, found=(ORPHANS["port"], newer)),
        left=LEFT,
    )

    again = plan_reconcile(facts, asked)

    assert asked.orphans == (f"port {PORT} {GONE.id}",)
    assert [move.thing_id for _, move in again.moves()] == [PORT]


LIVES = {
    "port": {"left": replace(LEFT, living={PORT: SERVER.id})},
    "service": {"left": replace(LEFT, services=(a_service(LOST),))},
    "agent": {"left": replace(LEFT, agents=(replace(SILENT, is_alive=True),))},
    "allocation": {"seen": replace(SEEN, servers={NOBODY: replace(SERVER, id=NOBODY)})},
    "volume": {"seen": replace(SEEN, servers={GONE.id: GONE})},
}


@pytest.mark.parametrize("name", LIVES)
def test_what_lives_again_refuses_the_plan_that_names_it_and_what_is_gone_does_not(
    name: str,
) -> None:
    asked = plan_of(name, remove=ORPHANS[name].named).request
    assert isinstance(asked, ReconcileRequest)
    nothing = Orphans(at=NOW, found=())

    def again(seen: CloudTestimony = SEEN, left: LeftBehind = LEFT) -> Plan[World]:
        found = Agreement(testimony=seen, cases=())
        return plan_reconcile(ReconcileFacts(found=found, orphans=nothing, left=left), asked)

    lives = again(**LIVES[name])  # type: ignore[arg-type]  # each is one of the two
    gone = again(left=replace(LEFT, services=(), agents=()))

    assert [one.worry for one in lives.blockers] == ["reconcile/no-such-orphan"]
    assert (gone.blockers, gone.stages, len(gone.verify)) == ((), (), 1)
