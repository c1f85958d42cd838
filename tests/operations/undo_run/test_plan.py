"""Which run may be undone, and what of its doing is still its own."""

from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, a_candidate, a_node, a_server, a_service, an_id
from fakes.glance import GUEST
from fakes.nova import TINY
from stackward.model.claim import Claim
from stackward.model.hypervisor import Hypervisor
from stackward.model.maintenance import (
    AwayServer,
    BringBackFacts,
    Marks,
    MovedServer,
    MovedServers,
    ReturningNode,
)
from stackward.model.placement import DISABLED, Provider, ResourceInventory
from stackward.model.run import RunState
from stackward.model.service import ComputeService
from stackward.model.unread import Unread
from stackward.operations.undo_run.plan import plan_undo
from stackward.operations.undo_run.rules import (
    is_to_return,
    judge_undo,
    why_node_is_left,
)
from stackward.operations.undo_run.undoing import Part, Undoer, Undoing, UnprovedMove, WayBack
from stackward.plan import Request
from stackward.policy.undo import NO_WAY_BACK
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.return_compute_node import ReturnRequest
from stackward.requests.undo_run import UndoRequest

ASKED = UndoRequest(run="01DRAIN")
HOME = BringBackRequest(node="compute-07", run="01DRAIN")
BACK = (ReturnRequest(node="compute-07", run="01DRAIN"), HOME)
AGAIN = DrainRequest(node="compute-07", reason="bad DIMM")
NO_WAY = NO_WAY_BACK.blocks("01DRAIN", "01DRAIN", again="drain it")
OFF = Marks(has_file=True, has_drop_in=True, is_masked=True)
ON = Marks(has_file=False, has_drop_in=False, is_masked=False)
HYPERVISOR = Hypervisor(id=an_id("compute-07"), name="compute-07", host="compute-07", kind="QEMU")
TRAITS = frozenset({DISABLED, "HW_CPU_X86_SSE2", "HW_CPU_X86_AVX2"})
UNFINISHED = {"state": RunState.STOPPED, "unfinished": ("`db-01` is partly done",)}


def disabled(run: str, *, is_up: bool = False) -> ComputeService:
    claim = Claim(run=run, operator="ada", machine="bastion", since="now", reason="bad DIMM")
    return a_service(is_enabled=False, is_up=is_up, disabled_reason=str(claim))


def a_closed(**changes: Any) -> ReturningNode:  # noqa: ANN401  # any field
    node = ReturningNode(
        name="compute-07",
        host="compute-07",
        read_at=NOW,
        service=disabled("01DRAIN"),
        hypervisor=HYPERVISOR,
        marks=OFF,
        images=(GUEST,),
        flavors=(TINY,),
    )
    return replace(node, **changes)


def a_way_home(zone: str | None = None) -> BringBackFacts:
    """Return the way home of `db-01`, which the run has put on `compute-08`."""
    server = a_server(host="compute-08", pinned_zone=zone)
    there = a_node(
        server,
        candidates=(a_candidate("compute-09"),),
        name="compute-08",
        host="compute-08",
        service=a_service("compute-08"),
    )
    moved = MovedServer(id=server.id, name="db-01", target="compute-08", source="compute-07")
    return BringBackFacts(
        name="compute-07",
        host="compute-07",
        service=disabled("01DRAIN"),
        hypervisor=HYPERVISOR,
        drained=MovedServers(run="01DRAIN", servers=(moved,), by="run"),
        away=(AwayServer(drained=moved, server=server, node=there),),
    )


def an_account(**changes: Any) -> Provider:  # noqa: ANN401  # any field
    inventories = {"VCPU": ResourceInventory(total=8), "MEMORY_MB": ResourceInventory(total=16384)}
    account = Provider(id=an_id("compute-07"), inventories=inventories, traits=TRAITS)
    return replace(account, **changes)


def a_drain(**changes: Any) -> Undoing:  # noqa: ANN401  # any field
    """Return a drain that has succeeded, and after which nothing has changed."""
    facts = Undoing(
        run="01DRAIN",
        title="drain `compute-07`",
        kind="drain-compute-node",
        state=RunState.SUCCEEDED,
        read_at=NOW,
        has_changed=True,
        back=BACK,
        returning=a_closed(),
        provider=an_account(),
        own_claims=frozenset({"01DRAIN"}),
        has_kept_off=True,
        ways_back=(WayBack(request=HOME, home=a_way_home()),),
    )
    return replace(facts, **changes)


def a_return(**changes: Any) -> Undoing:  # noqa: ANN401  # any field
    whole = Part(request=AGAIN, facts=a_node(a_server()))
    returned = a_drain(
        kind="return-compute-node", back=(AGAIN,), returning=None, ways_back=(), whole=whole
    )
    return replace(returned, **changes)


def undone_by(state: RunState) -> Undoing:
    return a_drain(undone_by=Undoer(run="01U", state=state))


@pytest.mark.parametrize(
    ("facts", "worries"),
    [
        pytest.param(a_drain(), [], id="over, and nothing of it undone: may be undone"),
        pytest.param(a_drain(state=RunState.CANCELLED), [], id="cancelled midway: may be undone"),
        pytest.param(a_drain(state=RunState.STOPPED), [], id="stopped midway: may be undone"),
        pytest.param(a_drain(state=RunState.QUEUED), ["undo-too-early"], id="queued: blocks"),
        pytest.param(a_drain(state=RunState.RUNNING), ["undo-too-early"], id="running: blocks"),
        pytest.param(a_drain(**UNFINISHED), ["undo-unfinished"], id="a server half-way: blocks"),
        pytest.param(undone_by(RunState.SUCCEEDED), ["undone"], id="undone: blocks"),
        pytest.param(undone_by(RunState.STOPPED), ["undo-goes-on"], id="half undone: blocks"),
        pytest.param(undone_by(RunState.FAILED), [], id="an undo failed: may be tried again"),
        pytest.param(undone_by(RunState.REFUSED), [], id="an undo was refused: may be tried again"),
        pytest.param(
            a_drain(state=RunState.REFUSED, has_changed=False),
            ["nothing-to-undo"],
            id="refused: it changed nothing",
        ),
        pytest.param(a_drain(back=NO_WAY), ["no-way-back"], id="its operation refuses: blocks"),
        pytest.param(
            a_drain(kind="rebalance-ring", back=None),
            ["unknown-kind"],
            id="its operation does not know how: blocks",
        ),
        pytest.param(a_return(), [], id="a return: may be undone"),
    ],
)
def test_which_run_may_be_undone(facts: Undoing, worries: list[str]) -> None:
    assert [blocked.worry for blocked in judge_undo(facts)] == worries


# --- what is still its doing ---


CLOSED_AGAIN = a_closed(service=disabled("01AGAIN"))


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        pytest.param(a_drain(), None, id="its own claim: returns"),
        pytest.param(
            a_drain(returning=CLOSED_AGAIN, own_claims=frozenset({"01DRAIN", "01AGAIN"})),
            None,
            id="closed again by a return that failed: returns",
        ),
        pytest.param(
            a_drain(returning=a_closed(service=a_service())),
            None,
            id="enabled by hand, still kept off by it: returns",
        ),
        pytest.param(
            a_drain(returning=a_closed(service=a_service(), marks=Unread("no route"))),
            None,
            id="what keeps it off cannot be read: returns, once it can",
        ),
        pytest.param(
            a_drain(returning=a_closed(service=a_service(), marks=ON)),
            "it is in service already",
            id="in service: left",
        ),
        pytest.param(
            a_drain(returning=a_closed(service=a_service()), has_kept_off=False),
            "it is in service already",
            id="kept off by somebody else: left",
        ),
        pytest.param(
            a_drain(returning=a_closed(service=disabled("01OTHER"))),
            "it is disabled, and no longer by this run: "
            "stackward 01OTHER by ada on bastion since now: bad DIMM",
            id="claimed by another run: left",
        ),
    ],
)
def test_whether_the_node_is_still_out_by_its_doing(facts: Undoing, left: str | None) -> None:
    assert (is_to_return(facts), why_node_is_left(facts)) == (left is None, left)


def test_a_silent_node_blocks_the_undo_of_its_drain_until_it_answers() -> None:
    silent = plan_undo(a_drain(returning=a_closed(marks=Unread("no route"))), ASKED)

    assert [each.worry for each in silent.blockers] == ["node-silent"]
    assert plan_undo(a_drain(), ASKED).blockers == ()


def test_a_run_that_came_no_further_than_its_cordon_starts_nothing() -> None:
    node = a_closed(service=disabled("01DRAIN", is_up=True), marks=ON)

    plan = plan_undo(a_drain(returning=node, has_kept_off=False, ways_back=()), ASKED)

    assert [stage.name for stage in plan.stages] == ["accept"]


def test_that_the_node_was_disabled_before_the_run_is_told() -> None:
    plan = plan_undo(a_drain(claimed_before="stackward 01FIRST: fan"), ASKED)

    assert "`compute-07` was disabled before that run too: stackward 01FIRST: fan" in plan.notices


def test_a_server_whose_move_was_never_proved_is_left_and_named() -> None:
    one = UnprovedMove(name="db-09", host="compute-08", status="VERIFY_RESIZE")

    plan = plan_undo(a_drain(unproved=(one,)), ASKED)

    assert plan.notices[-1] == (
        "`db-09` is left alone: its move was never proved, and it is VERIFY_RESIZE on `compute-08`"
    )


# --- room on a node that is closed as yet ---


def coming(facts: Undoing) -> list[tuple[str, object]]:
    moves = (move for _, move in plan_undo(facts, ASKED).moves() if move.thing_id)
    return [(move.thing, move.expects["target"]) for move in moves]


def test_a_server_comes_home_to_a_node_that_placement_does_not_offer_yet() -> None:
    assert coming(a_drain()) == [("db-01", "compute-07")]


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(
            a_drain(provider=an_account(inventories={"VCPU": ResourceInventory(total=8)})),
            id="no memory",
        ),
        pytest.param(a_drain(provider=an_account(usages={"VCPU": 8})), id="full"),
        pytest.param(a_drain(provider=an_account(traits=frozenset())), id="another CPU"),
        pytest.param(
            a_drain(ways_back=(WayBack(request=HOME, home=a_way_home("elsewhere")),)),
            id="another zone",
        ),
    ],
)
def test_a_server_for_which_the_closed_node_has_no_room_stays(facts: Undoing) -> None:
    warned = [each.worry for each in plan_undo(facts, ASKED).warnings]

    assert (coming(facts), "not-moved-back" in warned) == ([], True)


# --- a return ---


def test_a_return_is_undone_by_the_whole_drain_of_its_node() -> None:
    plan = plan_undo(a_return(), ASKED)

    assert (plan.request, plan.title, plan.undoes) == (AGAIN, "drain `compute-07`", "01DRAIN")
    assert plan.notices[0].startswith("the return of run `01DRAIN` is undone by a drain")
    assert [stage.name for stage in plan.stages][:2] == ["cordon", "move"]


def test_a_return_that_is_undone_already_is_not_drained_again() -> None:
    done = Undoer(run="01U", state=RunState.SUCCEEDED)

    plan = plan_undo(a_return(undone_by=done), ASKED)

    assert ([each.worry for each in plan.blockers], plan.stages) == (["undone"], ())


def test_a_run_of_an_unknown_kind_is_refused_by_its_kind() -> None:
    """It was refused with nothing after the colon."""
    plan = plan_undo(a_drain(kind="rebalance-ring", back=None), ASKED)

    assert [each.reason for each in plan.blockers] == [
        "is of the kind `rebalance-ring`: this version cannot undo such a run"
    ]


@pytest.mark.parametrize(
    ("back", "names"),
    [
        pytest.param(
            (AGAIN, replace(AGAIN, node="compute-08")),
            "`drain-compute-node` of `compute-07`, `drain-compute-node` of `compute-08`",
            id="two of a kind that is not joined",
        ),
        pytest.param(
            (BACK[0], AGAIN),
            "`return-compute-node` of `compute-07`, `drain-compute-node` of `compute-07`",
            id="one of such a kind beside a return",
        ),
        pytest.param(
            (BACK[0], replace(BACK[0], node="compute-08")),
            "`return-compute-node` of `compute-07`, `return-compute-node` of `compute-08`",
            id="two returns",
        ),
    ],
)
def test_requests_that_are_not_joined_are_refused_and_none_is_passed_over(
    back: tuple[Request, ...], names: str
) -> None:
    """Of two drains, or two returns, the last alone was planned."""
    plan = plan_undo(a_drain(back=back), ASKED)

    assert (plan.stages, [each.reason for each in plan.blockers]) == (
        (),
        [f"needs several requests to undo it, but one plan cannot hold them: {names}"],
    )


def test_a_run_of_which_nothing_is_left_says_so() -> None:
    plan = plan_undo(
        a_drain(kind="bring-back-servers", back=(HOME,), returning=None, ways_back=()), ASKED
    )

    [blocker] = plan.blockers
    assert not blocker.reason.endswith(": ")
