"""What a server of OVSDB says of its cluster, word for word as real servers of 3.5.0 said it.

Three members on one machine, by their real tool; `tests/facts/samples/ovsdb-cluster.json`.
"""

import json
from pathlib import Path

import pytest

from stackward.answers import ODD
from stackward.facts.raft import read_member
from stackward.model.raft import Peer

TOLD = json.loads((Path(__file__).parent / "samples/ovsdb-cluster.json").read_text())


@pytest.mark.parametrize(
    ("said", "status", "role", "leader"),
    [
        ("healthy NB 1", "cluster member", "leader", "4de6"),
        ("healthy NB 2", "cluster member", "follower", "4de6"),
        ("healthy SB 3", "cluster member", "follower", "3234"),
        ("3 dead: leader 1", "cluster member", "leader", "4de6"),
        ("2 and 3 dead: 1 in its first election", "cluster member", "candidate", None),
        (
            "2 and 3 dead: 1",
            "disconnected from the cluster (election timeout)",
            "candidate",
            None,
        ),
        ("SB leader 1 frozen: leader 3", "cluster member", "leader", "b0a2"),
        ("joining, nobody there", "joining cluster", "follower", None),
        ("leaving, no leader", "leaving cluster", "follower", None),
        ("disk of 3 full: itself", "cluster member", "follower", "dd7c"),
    ],
)
def test_each_answer_is_read(said: str, status: str, role: str, leader: str | None) -> None:
    member = read_member(TOLD[said]["out"])

    assert (member.status, member.role, member.leader) == (status, role, leader)
    assert member.election_s == 1.0


@pytest.mark.parametrize("said", [name for name, one in TOLD.items() if one["code"] == 0])
def test_each_member_knows_itself_or_is_still_joining(said: str) -> None:
    member = read_member(TOLD[said]["out"])

    own = [one.server for one in member.peers if one.is_self]
    assert own == ([] if member.status == "joining cluster" else [member.short])


def test_a_leader_tells_what_it_has_heard_and_who_is_connected() -> None:
    member = read_member(TOLD["3 dead: leader 1"]["out"])

    assert member.peers == (
        Peer(server="e3e5", address="tcp:127.0.0.13:6643", heard_s=15.623, matched=4),
        Peer(server="638f", address="tcp:127.0.0.12:6643", heard_s=0.243, matched=4),
        Peer(server="4de6", address="tcp:127.0.0.11:6643", is_self=True, matched=4),
    )
    assert member.linked == {"638f"}
    assert (member.leads_s, member.last, member.uncommitted) == (18.847, 4, 0)


def test_one_that_joins_tells_by_way_of_whom() -> None:
    member = read_member(TOLD["joining, nobody there"]["out"])

    assert member.cluster is None
    assert set(member.remotes) == {"tcp:127.0.0.11:6643", "tcp:127.0.0.12:6643"}


def older(out: str) -> str:
    """Return an answer as older versions of Open vSwitch give it."""
    lines = [one.partition(" last msg")[0] for one in out.splitlines()]
    return "\n".join(o for o in lines if not o.startswith(("Last Election", "Disconn"))) + "\n"


def test_an_older_version_does_not_tell_when_it_has_heard_from_whom() -> None:
    member = read_member(older(TOLD["3 dead: leader 1"]["out"]))

    assert [one.heard_s for one in member.peers] == [None, None, None]
    assert member.leads_s is None
    assert member.linked == {"638f"}


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("tcp:192.0.2.11:6643", "192.0.2.11"),
        ("ssl:[2001:db8::11]:6644", "2001:db8::11"),
        ("ssl:ctl1.example.org:6644", "ctl1.example.org"),
    ],
)
def test_the_machine_of_a_member_is_in_its_address(address: str, host: str) -> None:
    out = TOLD["healthy NB 1"]["out"].replace("tcp:127.0.0.13:6643", address)

    assert read_member(out).peers[0].host == host


@pytest.mark.parametrize(
    ("known", "other"),
    [
        pytest.param("Election timer: 1000", "Election timer: 1000 (changing to 2000)",
                     id="the timer is being changed"),
        pytest.param("Role: leader", "Adding server 0917 (0917 at tcp:127.0.0.13:6643) (adding)\n"
                     "Role: leader", id="a server is being added"),
        pytest.param("(self)", "(self) (committing)", id="the phase of a server"),
        pytest.param("Disconnections: 0", "Disconnections: 0\nSomething new: 7", id="a new line"),
    ],
)  # fmt: skip
def test_what_another_version_or_state_adds_is_read_too(known: str, other: str) -> None:
    out = TOLD["healthy NB 1"]["out"]
    assert known in out

    assert read_member(out.replace(known, other)).leads


@pytest.mark.parametrize(
    ("known", "other"),
    [
        pytest.param("Status: cluster member", "Status: cluster observer", id="another status"),
        pytest.param("Role: leader", "Role: <error>", id="another role"),
        pytest.param("Term: 1", "Term: -1", id="a term that is none"),
        pytest.param("Leader: self\n", "", id="no leader told"),
        pytest.param("Server ID: 4de6 (4de6", "Server ID: 4de6 (5de6", id="two ids in one"),
        pytest.param("last msg 264 ms ago", "last msg 264 s ago", id="another unit"),
        pytest.param("<-638f", "=>638f", id="another sign of a connection"),
        pytest.param("e3e5 (e3e5 at", "638f (638f at", id="one member twice"),
        pytest.param("Servers:", "Server:", id="no list of members"),
        pytest.param("Log: [2, 5]", "Log: 5", id="another form of the log"),
        pytest.param("Role: leader\n", "Role: leader\nRole: follower\n", id="two roles"),
    ],
)  # fmt: skip
def test_what_has_another_shape_is_not_understood(known: str, other: str) -> None:
    out = TOLD["healthy NB 1"]["out"]
    assert known in out

    with pytest.raises(ODD):
        read_member(out.replace(known, other))
