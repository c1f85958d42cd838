"""Which node may be fenced, what is lost by it, and in which order that is done."""

import re
from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, a_service
from stackward.errors import Unreachable
from stackward.health.symptoms import BROKER_PARTITION
from stackward.model.hardware import Hardware
from stackward.model.maintenance import Holder
from stackward.model.node import Role
from stackward.model.power import DeviceName, PowerDevice, PowerReturns, PowerState
from stackward.model.unread import Unread
from stackward.model.witness import Sign, Witnesses
from stackward.operations.fence_compute_node.plan import plan_fence
from stackward.plan import Blocked, Plan, Warned
from stackward.policy import fence as rules
from stackward.policy.rule import Rule
from stackward.ports.world import World
from stackward.requests.fence_compute_node import FenceRequest
from stackward.status.fence import FenceFacts
from stackward.status.life import Life, Signs
from stackward.status.outage import Compute
from stackward.status.power_device import Remembered, SwitchedOn

HOST = "compute-07"
MACS = frozenset({"52:54:00:00:00:07"})
HARDWARE = Hardware(macs=MACS)
OTHER = Hardware(macs=frozenset({"52:54:00:00:00:08"}))
OWN = Remembered(node=HOST, hardware=HARDWARE, seen_at="2026-11-21T03:00:00+00:00")
AT = "10.77.1.11"
DEVICE = PowerDevice(
    name=DeviceName(how="Redfish", at=("https://bmc-07",)),
    state=PowerState.OFF,
    hardware=HARDWARE,
    reset_types=("On", "ForceOff"),
    can_force_off=True,
    power_returns=PowerReturns.AS_BEFORE,
)
ONCE = SwitchedOn(device=DEVICE.name.text, booted="2026-11-21T03:00:00+00:00")
ON = replace(DEVICE, state=PowerState.ON)
YES, NO, UNKNOWN = Sign.YES, Sign.NO, Sign.UNKNOWN
SILENT = Witnesses(silent=(AT,), asked=("compute-08",))
HEARD = Witnesses(heard=(f"{AT} answers ping (asked from `compute-08`)",), asked=("compute-08",))
NONE = Signs(heartbeat=NO, rpc=NO, ssh=NO, ping=NO, power=NO, agent=NO, libvirt=NO)
THREE = tuple(Compute(host=f"compute-0{n}", zone="nova", is_up=n != 7) for n in (7, 8, 9))
ONE_LEFT = tuple(replace(one, is_up=one.host == "compute-09") for one in THREE)
SPLIT = BROKER_PARTITION.found("rabbitmq", "ctl", partitions="ctl has lost ctl-2")
ASKED = FenceRequest(node=HOST)


def asking(**given: Any) -> FenceRequest:  # noqa: ANN401  # its fields
    return replace(ASKED, **given)


def facts(**changes: Any) -> FenceFacts:  # noqa: ANN401  # its fields
    """Return a node that is dead, and whose device says that it is that node's."""
    dead = FenceFacts(
        name=HOST,
        host=HOST,
        read_at=NOW,
        service=a_service(is_up=False),
        is_named=True,
        device=DEVICE,
        own=OWN,
        signs=NONE,
        witnesses=SILENT,
        addresses=(AT,),
        peers=("compute-08",),
        servers=2,
        why_not_kept_off="it does not answer ssh",
        computes=THREE,
    )
    return replace(dead, **changes)


def living(**changes: Any) -> FenceFacts:  # noqa: ANN401  # same
    """Return one whose nova-compute has died, and that lives."""
    signs = Signs(heartbeat=NO, rpc=NO, ssh=YES, ping=YES, power=YES, agent=YES, libvirt=YES)
    known = {"guests": 2, "witnesses": HEARD, "device": ON, "why_not_kept_off": None}
    return facts(**{"signs": signs, **known, **changes})


CUT_OFF = facts(device=ON, signs=replace(NONE, power=YES))
HUNG = facts(device=ON, signs=replace(NONE, power=YES, ping=YES), witnesses=HEARD)
CONTRADICTED = facts(signs=replace(NONE, ping=YES), witnesses=HEARD)
MUTE = replace(DEVICE, hardware=Hardware())
DEAF = Unread.of(Unreachable("the BMC of `compute-07` does not answer"))

# Each with what blocks it and what is warned of, without the subject.
CASES: dict[str, tuple[FenceFacts, FenceRequest, list[str], list[str]]] = {
    "dead, and its device is proved": (facts(), ASKED, [], []),
    "cut off": (CUT_OFF, ASKED, [], ["may-run"]),
    "hung": (HUNG, ASKED, [], ["may-run"]),
    "alive": (living(), ASKED, ["alive"], []),
    "alive, and its guests are counted": (living(), asking(kill_guests=2), [], ["guests-killed"]),
    "alive, and they are miscounted": (living(), asking(kill_guests=3), ["miscounted"], []),
    "alive, without libvirt: Nova counts": (
        living(guests=None, servers=5), asking(kill_guests=5), [], ["guests-killed"],
    ),
    "silent, and Nova calls it up": (
        facts(signs=replace(NONE, power=YES, heartbeat=YES), device=ON), ASKED, ["alive"], [],
    ),
    "guests are counted of a dead node": (
        facts(), asking(kill_guests=2), ["unneeded"], [],
    ),
    "off, and it answers": (CONTRADICTED, ASKED, ["wrong-device"], []),
    "off, and it answers: no flag helps": (
        CONTRADICTED, asking(kill_guests=2, confirmed_off="T1", accept_outage=(HOST,)),
        ["wrong-device", "unneeded"], [],
    ),
    "the device of another machine": (
        facts(device=replace(DEVICE, hardware=OTHER)), ASKED, ["another-device"], [],
    ),
    "the same: a person's word does not help": (
        facts(device=replace(DEVICE, hardware=OTHER)), asking(confirmed_off="T1"),
        ["another-device"], [],
    ),
    "a device that cannot say whose it is": (facts(device=MUTE), ASKED, ["whose-device"], []),
    "nobody has seen the node while it was well": (facts(own=None), ASKED, ["whose-device"], []),
    "the same, and it has switched the node on once": (
        facts(own=None, switched_on=ONCE), ASKED, [], [],
    ),
    "the same: a word is not needed then": (
        facts(own=None, switched_on=ONCE), asking(confirmed_off="T1"), ["unneeded"], [],
    ),
    "another device has switched it on once": (
        facts(own=None, switched_on=replace(ONCE, device="Redfish at https://bmc-08")), ASKED,
        ["whose-device"], [],
    ),
    "the device of another machine has switched it on once": (
        facts(device=replace(DEVICE, hardware=OTHER), switched_on=ONCE), ASKED,
        ["another-device"], [],
    ),
    "the same, and a person's word": (
        facts(own=None), asking(confirmed_off="T1"), [], ["word-alone"],
    ),
    "the same, and it is heard": (
        living(own=None), asking(kill_guests=2), [], ["proved-later", "guests-killed"],
    ),
    "a word that is not needed": (facts(), asking(confirmed_off="T1"), ["unneeded"], []),
    "no device": (facts(device=None), ASKED, ["no-device"], []),
    "not in the inventory": (
        facts(device=None, is_named=False), ASKED, ["not-named"], [],
    ),
    "a device that does not answer": (
        facts(device=DEAF, signs=replace(NONE, power=UNKNOWN)), ASKED,
        ["device-unread", "alive"], [],
    ),
    "a device without ForceOff": (
        facts(device=replace(DEVICE, reset_types=("On",), can_force_off=False)), ASKED,
        ["no-force-off"], [],
    ),
    "it boots as power returns": (
        facts(device=replace(DEVICE, power_returns=PowerReturns.ON)), ASKED,
        [], ["boots-by-itself"],
    ),
    "nobody can call it": (
        facts(witnesses=Witnesses(why="none"), signs=replace(NONE, ping=UNKNOWN)), ASKED,
        ["no-witness", "alive"], [],
    ),
    "no conductor reports": (
        facts(silent_parts=("nova-conductor",)), ASKED, ["control-broken"], [],
    ),
    "no other nova-compute answers a call": (
        facts(deaf=("compute-08", "compute-09")), ASKED, ["rpc-broken"], [],
    ),
    "a member of RabbitMQ is broken elsewhere": (
        facts(broken_members=(SPLIT,)), ASKED, ["member-broken"], [],
    ),
    "how its members are is not known": (facts(unread_members=("`ctl`: no",)), ASKED, [], []),
    "two of three are down": (facts(computes=ONE_LEFT), ASKED, ["outage"], []),
    "two of three, one of them named": (
        facts(computes=ONE_LEFT), asking(accept_outage=(HOST,)), ["outage"], [],
    ),
    "two of three, both named": (
        facts(computes=ONE_LEFT), asking(accept_outage=(HOST, "compute-08")),
        [], ["outage-accepted"],
    ),
    "two of three, and one that is well is named too": (
        facts(computes=ONE_LEFT), asking(accept_outage=(HOST, "compute-08", "compute-09")),
        ["not-down"], ["outage-accepted"],
    ),
    "an outage is accepted that is none": (
        facts(), asking(accept_outage=(HOST,)), ["unneeded"], [],
    ),
    "it is a controller too": (
        facts(roles=(Role(name="control plane", effect="all stops", remedy="see first"),)), ASKED,
        [], ["other-role"],
    ),
}  # fmt: skip


def own_of(plan: Plan[World]) -> tuple[list[str], list[str]]:
    return (
        [each.worry.removeprefix("fence/") for each in plan.blockers],
        [each.worry.removeprefix("fence/") for each in plan.warnings],
    )


@pytest.mark.parametrize("name", CASES)
def test_what_stands_against_a_fence_and_what_is_warned_of(name: str) -> None:
    known, asked, blockers, warnings = CASES[name]

    assert own_of(plan_fence(known, asked)) == (blockers, warnings)


def test_each_rule_is_met_by_a_case() -> None:
    named = {each.name for each in vars(rules).values() if isinstance(each, Rule)}
    own = {each.removeprefix("fence/") for each in named if each.startswith("fence/")}

    met = {one for _, _, *found in CASES.values() for some in found for one in some}

    assert own - met == set()


def test_no_verdict_has_a_word_that_was_not_filled_in() -> None:
    plans = [plan_fence(known, asked) for known, asked, *_ in CASES.values()]
    said: list[Blocked | Warned] = [each for plan in plans for each in plan.blockers]
    said += [each for plan in plans for each in plan.warnings]

    assert [each for each in said if re.search(r"[{}]", each.reason + each.remedy)] == []


def test_members_of_which_nothing_is_known_are_named() -> None:
    plan = plan_fence(facts(unread_members=("`ctl`: it does not answer",)), ASKED)

    assert any("`ctl`: it does not answer" in each for each in plan.notices)


def test_a_run_that_holds_the_node_blocks_it() -> None:
    held = facts(holders=(Holder(run="01D", title="drain", state="running"),))

    assert own_of(plan_fence(held, ASKED)) == (["held"], [])


@pytest.mark.parametrize(
    ("known", "first"),
    [
        pytest.param(living(), "repair its nova-compute", id="nova-compute is dead"),
        pytest.param(
            living(signs=Signs(heartbeat=YES, rpc=YES, ssh=YES, ping=YES, power=YES)),
            "`stackward node drain compute-07`",
            id="well",
        ),
        pytest.param(
            living(signs=Signs(heartbeat=YES, rpc=YES, ssh=NO, ping=YES, power=YES)),
            "make `ssh` to it work, then `stackward node drain compute-07`",
            id="no ssh",
        ),
    ],
)
def test_of_a_living_node_the_remedy_that_kills_nobody_is_named_first(
    known: FenceFacts, first: str
) -> None:
    [blocker] = plan_fence(known, ASKED).blockers

    assert blocker.remedy.startswith(first)
    assert "`--kill-guests 2`" in blocker.remedy


def test_a_living_node_keeps_nova_compute_off_before_its_power_is_cut() -> None:
    plan = plan_fence(living(), asking(kill_guests=2))

    steps = [step.kind for _, move in plan.moves() for step in move.steps]
    assert steps == ["try-keep-off", "power-off"]
    assert plan.holds == (HOST,)


def test_where_that_cannot_be_the_plan_says_so_and_goes_on() -> None:
    plan = plan_fence(facts(), ASKED)

    assert [step.kind for _, move in plan.moves() for step in move.steps] == ["power-off"]
    assert any("is not stopped first (it does not answer ssh)" in one for one in plan.notices)


def test_death_is_proved_by_three_statements() -> None:
    plan = plan_fence(facts(), ASKED)

    assert [each.kind for each in plan.verify] == [
        "is-powered-off",
        "is-its-device",
        "no-sign-of-life",
    ]
    assert plan.decisions["proof"] == "identity"


def test_a_node_that_is_contradicted_is_called_so() -> None:
    assert CONTRADICTED.life is Life.CONTRADICTED
