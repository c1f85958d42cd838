"""How alive a node is, by what each source says: a row each."""

from itertools import product

import pytest

from stackward.model.witness import Sign
from stackward.status.life import Life, Signs, judge_life

YES, NO, UNKNOWN = Sign.YES, Sign.NO, Sign.UNKNOWN
SILENT = {"rpc": NO, "ssh": NO, "ping": NO, "libvirt": NO}
LIVES = {"rpc": YES, "ssh": YES, "ping": YES, "libvirt": YES, "heartbeat": YES, "agent": YES}


def signs(**given: Sign) -> Signs:
    """Return the signs of a node that is given up by all, and has power, but for those given."""
    return Signs(**{**SILENT, "heartbeat": NO, "agent": NO, "power": YES, **given})


@pytest.mark.parametrize(
    ("given", "life"),
    [
        pytest.param({"power": NO}, Life.DEAD, id="off, and silent: dead"),
        pytest.param(
            {"power": NO, "heartbeat": YES, "agent": YES},
            Life.DEAD,
            id="off, and silent: heartbeats are memories",
        ),
        pytest.param({}, Life.CUT_OFF, id="on, and silent: cut off"),
        pytest.param({"agent": UNKNOWN}, Life.CUT_OFF, id="the same without network agents"),
        pytest.param({"ping": YES}, Life.HUNG, id="its kernel answers alone: hung"),
        pytest.param(
            {"ping": YES, "heartbeat": YES}, Life.HUNG, id="hung for less than a minute: hung"
        ),
        pytest.param(
            {"ssh": YES, "ping": YES, "libvirt": YES},
            Life.COMPUTE_DEAD,
            id="it lets us in, and Nova hears nothing",
        ),
        pytest.param(
            LIVES | {"rpc": NO}, Life.COMPUTE_DEAD, id="it reports, and is deaf to calls over RPC"
        ),
        pytest.param(
            LIVES | {"ssh": NO, "libvirt": NO}, Life.NO_SSH, id="Nova has it, and ssh does not"
        ),
        pytest.param(LIVES, Life.WELL, id="well"),
        pytest.param(
            {"heartbeat": YES}, Life.NOT_YET_KNOWN, id="silent, and Nova calls it up: wait"
        ),
        pytest.param({"agent": YES}, Life.NOT_YET_KNOWN, id="silent, and Neutron calls it alive"),
        pytest.param({"power": UNKNOWN}, Life.UNKNOWN, id="silent, and its power is not known"),
        pytest.param({"ping": UNKNOWN}, Life.UNKNOWN, id="nobody called it"),
        pytest.param({"ssh": UNKNOWN}, Life.UNKNOWN, id="ssh was not tried"),
        pytest.param(
            {"ping": UNKNOWN, "power": NO}, Life.UNKNOWN, id="off by its device, and nobody called"
        ),
        pytest.param(
            LIVES | {"rpc": UNKNOWN}, Life.UNKNOWN, id="it lives; whether it serves is not known"
        ),
        pytest.param({"power": NO, "ping": YES}, Life.CONTRADICTED, id="off, and it answers ping"),
        pytest.param({"power": NO, "ssh": YES}, Life.CONTRADICTED, id="off, and it lets us in"),
        pytest.param({"power": NO, "rpc": YES}, Life.CONTRADICTED, id="off, and serves RPC"),
    ],
)
def test_how_alive_a_node_is(given: dict[str, Sign], life: Life) -> None:
    assert judge_life(signs(**given)) is life


def test_without_all_of_its_signs_no_node_is_called_dead() -> None:
    """Every combination: who is called dead, cut off or hung was called, and did not let us in."""
    names = ("heartbeat", "rpc", "ssh", "ping", "power", "agent", "libvirt")
    every = [Signs(**dict(zip(names, one, strict=True))) for one in product(Sign, repeat=7)]

    given_up = [one for one in every if not judge_life(one).is_living]

    assert given_up
    assert {one.ssh for one in given_up} == {NO}
    assert UNKNOWN not in {one.ping for one in given_up}
    assert {one.ping for one in given_up if judge_life(one) is Life.DEAD} == {NO}
    assert {one.power for one in given_up if judge_life(one) is Life.DEAD} == {NO}
    assert YES not in {one.rpc for one in given_up}
