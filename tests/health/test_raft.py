"""Members of OVN's database clusters are asked, and judged together.

The answers are those of real servers, word for word: `tests/facts/samples/ovsdb-cluster.json`. They
ran on one machine; here each has the address of a node.
"""

import copy
import json
import re
from pathlib import Path

import pytest

from fakes.nodes import NO_ROUTE
from fakes.site import Site
from stackward.model.health import Finding, Health, Kept, State

SAMPLES = Path(__file__).parents[1] / "facts/samples"
TOLD = json.loads((SAMPLES / "ovsdb-cluster.json").read_text().replace("127.0.0.1", "10.77.1.1"))
NODES = ("ctl", "ctl2", "ctl3")
NB, SB = 2, 3
DATABASES = "ovn-databases"


def put(site: Site, node: str, number: int, said: str | dict[str, object]) -> None:
    """Let a node's database answer so."""
    answer = TOLD[said] if isinstance(said, str) else said
    site.told(node)["commands"][f"question {DATABASES} {number}"] = copy.deepcopy(answer)


def three(*of_nb: str | None, sb: tuple[str | None, ...] = ()) -> Site:
    """Return a cloud with three controllers; their databases answer so, else as healthy ones."""
    site = Site()
    for number, node in enumerate(NODES, 1):
        if node != "ctl":
            told = copy.deepcopy(site.told("ctl"))
            told["hostname"] = node
            status = {"code": 0, "out": "Status: standby\n", "err": ""}
            told["commands"]["question ovn-northd 0"] = status
            site.nodes.told[node] = told
        nb = of_nb[number - 1] if of_nb else f"healthy NB {number}"
        south = sb[number - 1] if sb else f"healthy SB {number}"
        for question, said in ((NB, nb), (SB, south)):
            if said is not None:
                put(site, node, question, said)
        site.nodes.addresses[node] = f"10.77.1.1{number}"
    return site


def dies(site: Site, node: str, number: int = NB) -> None:
    """Let the process of a database be gone, as its unit says."""
    site.stop(node, f"ovn-ovsdb-server-{'nb' if number == NB else 'sb'}.service")
    put(site, node, number, "dead, its socket left")
    put(site, node, number - 2, "dead, its socket left")


def freezes(site: Site, node: str, number: int = NB) -> None:
    """Let the process of a database be frozen."""
    put(site, node, number, "frozen")
    put(site, node, number - 2, "frozen")


def of_databases(health: Health) -> list[Finding]:
    return [one for one in health.findings if one.component == DATABASES]


def roots(health: Health) -> list[tuple[str, str | None]]:
    """Return what nothing explains; the controllers that are copies have no queues, no records."""
    ours = {"own-queue-missing", "record-missing"}
    found = [one for one in health.findings if one.rule not in ours]
    return [(one.rule, one.node) for one in found if one.under is None]


def under(health: Health) -> list[tuple[str, str | None, str | None]]:
    found = of_databases(health)
    return [(one.rule, one.node, one.under) for one in found if one.under is not None]


def changed(said: str, *pairs: tuple[str, str]) -> dict[str, object]:
    """Return an answer with some words changed; each of them is in it."""
    out = TOLD[said]["out"]
    for pattern, other in pairs:
        assert re.search(pattern, out), pattern
        out = re.sub(pattern, other, out)
    return {"code": 0, "out": out, "err": ""}


# --- well ---------------------------------------------------------------------------------------


def test_a_database_that_stands_alone_adds_nothing_and_is_proved() -> None:
    health = Site().look()

    [databases] = [one for one in health.components if one.name == DATABASES]
    assert (databases.state, databases.findings) == (State.OK, ())
    assert [gap for gap in health.gaps if gap.component == DATABASES] == []


@pytest.mark.parametrize("said", ["standalone NB", "relay", "active-backup"])
def test_what_is_no_member_of_a_cluster_is_well_by_its_answer(said: str) -> None:
    site = Site()
    put(site, "ctl", NB, said)

    assert of_databases(site.look()) == []


def test_three_members_that_are_well_are_well() -> None:
    """Followers have heard nothing from each other for seconds, or never: that is so in health."""
    health = three().look()

    assert of_databases(health) == []
    assert [gap for gap in health.gaps if gap.component == DATABASES] == []


def test_a_cluster_of_one_is_well() -> None:
    """So the first member begins, before others join."""
    site = Site()
    alone = changed(
        "healthy NB 1", (r"(?m)^    (e3e5|638f).*\n", ""), (r"Connections:.*", "Connections:")
    )
    put(site, "ctl", NB, alone)

    assert of_databases(site.look()) == []


def test_a_leader_that_has_just_been_replaced_and_does_not_know_it_is_no_second_leader() -> None:
    site = three(sb=("SB 1 and 2 just frozen: leader 3",) * 3)
    put(site, "ctl", SB, "healthy SB 1")
    put(site, "ctl2", SB, "SB leader 1 frozen: follower 2")
    put(site, "ctl3", SB, changed("SB leader 1 frozen: leader 3", (r"8129 ms", "129 ms")))

    assert of_databases(site.look()) == []


# --- a member is lost ---------------------------------------------------------------------------


def test_a_member_that_is_dead_is_one_finding_and_what_the_leader_sees_is_under_it() -> None:
    site = three("3 dead: leader 1", "3 dead: follower 2", None)
    dies(site, "ctl3")

    health = site.look()

    assert roots(health) == [("unit-down", "ctl3")]
    assert under(health) == [("ovsdb-member-lost", "ctl3", "ovn-databases on ctl3")]


def test_a_member_that_is_frozen_is_one_finding_and_what_the_leader_sees_is_under_it() -> None:
    site = three(sb=("SB 3 frozen: leader 1", "SB 3 frozen: follower 2", None))
    freezes(site, "ctl3", SB)

    health = site.look()

    assert roots(health) == [("process-silent", "ctl3")]
    assert under(health) == [("ovsdb-member-lost", "ctl3", "ovn-databases on ctl3")]


def test_a_member_on_a_machine_that_cannot_be_reached_is_under_that() -> None:
    site = three("3 dead: leader 1", "3 dead: follower 2", None)
    site.nodes.told["ctl3"] = NO_ROUTE

    health = site.look()

    assert roots(health) == [("node-unreachable", "ctl3")]
    assert under(health) == [("ovsdb-member-lost", "ctl3", "machine on ctl3")]


def test_a_member_that_is_none_of_our_nodes_is_named_by_its_address() -> None:
    site = three("3 dead: leader 1", "3 dead: follower 2", None)
    del site.nodes.told["ctl3"]

    [finding] = [one for one in of_databases(site.look()) if "southbound" not in one.reason]

    assert (finding.rule, finding.node, finding.state) == (
        "ovsdb-member-lost",
        None,
        State.DEGRADED,
    )
    assert (
        "leader on ctl has not heard the member at tcp:10.77.1.13:6643 for 16 s" in finding.reason
    )
    assert "it hears 2 of 3, and needs 2" in finding.reason


def test_a_member_whose_disk_is_full_calls_itself_well_and_is_found_by_its_leader() -> None:
    """Seen: its own words are those of a healthy member; only the leader waits in vain."""
    site = three("disk of 3 full: leader 1", None, "disk of 3 full: itself")
    put(
        site,
        "ctl",
        NB,
        changed("disk of 3 full: leader 1", (r"last msg 3627 ms", "last msg 63627 ms")),
    )

    [finding] = [one for one in of_databases(site.look()) if one.rule == "ovsdb-member-lost"]

    assert finding.node == "ctl3"
    assert "a member whose disk accepts no writes" in finding.remedy


@pytest.mark.parametrize(
    ("timer", "ms", "is_found"),
    [
        pytest.param(1000, 4_900, False, id="as after a restart"),
        pytest.param(1000, 5_100, True, id="longer than a restart takes"),
        pytest.param(10_000, 19_000, False, id="its cloud lets members hang for 10 s"),
        pytest.param(10_000, 21_000, True, id="longer than that"),
    ],
)
def test_how_long_a_member_may_be_silent_is_by_the_election_timer(
    timer: int, ms: int, *, is_found: bool
) -> None:
    site = three()
    said = changed("3 dead: leader 1", ("timer: 1000", f"timer: {timer}"), ("15623 ms", f"{ms} ms"))
    put(site, "ctl", NB, said)

    assert bool(of_databases(site.look())) == is_found


def older(said: str) -> dict[str, object]:
    """Return an answer as older versions give it: without the times."""
    return changed(said, (r" last msg \d+ ms ago", ""), (r"(?m)^Last Election.*\n", ""))


def test_of_an_older_version_the_connections_tell_who_is_lost() -> None:
    site = three()
    put(site, "ctl", NB, older("3 dead: leader 1"))

    assert [(one.rule, one.node) for one in of_databases(site.look())] == [
        ("ovsdb-member-lost", "ctl3")
    ]


def test_an_older_version_that_is_well_is_well() -> None:
    site = three()
    put(site, "ctl", NB, older("healthy NB 1"))

    assert of_databases(site.look()) == []


# --- no leader ----------------------------------------------------------------------------------


def test_without_a_majority_there_is_no_leader_and_the_dead_members_are_why() -> None:
    site = three("2 and 3 dead: 1", None, None)
    dies(site, "ctl2")
    dies(site, "ctl3")

    health = site.look()

    assert ("ovsdb-no-leader", None) not in roots(health)
    [lost] = [one for one in of_databases(health) if one.rule == "ovsdb-no-leader"]
    assert (lost.state, lost.by) == (State.BROKEN, "unit-down")
    assert "2 of its 3 members must agree" in lost.reason
    assert "`ctl3` (tcp:10.77.1.13:6643)" in lost.remedy
    assert "`ctl2` (tcp:10.77.1.12:6643)" in lost.remedy


def test_two_members_that_are_frozen_are_why_too() -> None:
    site = three(sb=(None, None, "SB 1 and 2 frozen: 3"))
    freezes(site, "ctl", SB)
    freezes(site, "ctl2", SB)

    health = site.look()

    [lost] = [one for one in of_databases(health) if one.rule == "ovsdb-no-leader"]
    assert lost.by == "process-silent"


def test_two_processes_that_are_gone_while_their_units_are_active_are_why_too() -> None:
    """Seen with real servers that were killed: nobody listens at their sockets."""
    site = three(sb=(None, None, "SB 1 and 2 frozen: 3"))
    for node in ("ctl", "ctl2"):
        put(site, node, SB, "dead, its socket left")
        put(site, node, SB - 2, "dead, its socket left")

    health = site.look()

    [lost] = [one for one in of_databases(health) if one.rule == "ovsdb-no-leader"]
    assert lost.by == "process-ill"
    [ill] = [one for one in of_databases(health) if (one.rule, one.node) == ("process-ill", "ctl2")]
    assert ill.reason.endswith('.ctl" (Connection refused)`')


def test_members_whose_nodes_have_a_database_that_stands_alone_lead_nobody() -> None:
    site = three("2 and 3 dead: 1", "standalone NB", "standalone NB")

    [finding] = of_databases(site.look())

    assert (finding.rule, finding.node) == ("ovsdb-no-leader", None)


def test_one_member_that_is_dead_does_not_explain_that_two_find_no_leader() -> None:
    """The two who run would go on; it is the network between them."""
    site = three("2 and 3 dead: 1", None, None)
    out = str(TOLD["2 and 3 dead: 1"]["out"])
    swapped = out.replace("4de6 (4de6d62e", "638f (638fd62e").replace("(->638f)", "(->4de6)")
    swapped = swapped.replace(" (self) (voted for 4de6)", " last msg 9000 ms ago")
    swapped = re.sub(r"(638f at \S+\)) last msg \d+ ms ago", r"\1 (self) (voted for 638f)", swapped)
    put(site, "ctl2", NB, {"code": 0, "out": swapped, "err": ""})
    dies(site, "ctl3")

    health = site.look()

    assert sorted(roots(health), key=str) == [("ovsdb-no-leader", None), ("unit-down", "ctl3")]


def test_a_member_alone_that_finds_no_leader_does_not_say_that_there_is_none() -> None:
    """The other two may go on without it: nobody has asked them."""
    site = three("2 and 3 dead: 1", None, None)

    health = site.look(only="ctl")

    [finding] = of_databases(health)
    assert (finding.rule, finding.node, finding.state) == ("ovsdb-cut-off", "ctl", State.BROKEN)
    assert "tcp:10.77.1.13:6643" in finding.remedy


def test_a_member_that_is_cut_off_from_those_who_go_on_is_found_once() -> None:
    site = three("2 and 3 dead: 1", None, None)
    put(
        site,
        "ctl2",
        NB,
        changed("healthy NB 2", ("Leader: 4de6", "Leader: e3e5"), ("Term: 1", "Term: 2")),
    )
    leads = changed(
        "healthy NB 3", ("Role: follower", "Role: leader"), ("Leader: 4de6", "Leader: self"),
        ("Term: 1", "Term: 2"), ("last msg 286 ms", "last msg 90286 ms"),
        ("last msg 3298 ms", "last msg 98 ms"),
    )  # fmt: skip
    put(site, "ctl3", NB, leads)

    assert roots(site.look()) == [("ovsdb-cut-off", "ctl")]


def test_a_leader_that_has_just_won_has_not_heard_everybody_yet() -> None:
    site = three()
    new = changed("healthy NB 1", (r" last msg \d+ ms ago", ""), ("<-638f ->638f ", ""))
    put(site, "ctl", NB, new)

    assert of_databases(site.look()) == []


def test_an_election_is_told_as_one() -> None:
    site = three("2 and 3 dead: 1 in its first election", None, None)

    [finding] = of_databases(site.look(only="ctl"))

    assert (finding.rule, finding.state) == ("ovsdb-electing", State.DEGRADED)


def test_two_leaders_of_one_term_are_found() -> None:
    site = three("healthy NB 1", "healthy NB 2", "healthy NB 3")
    said = changed(
        "healthy NB 2", (r"Role: follower", "Role: leader"), (r"Leader: \w+", "Leader: self")
    )
    put(site, "ctl2", NB, said)

    [finding] = [one for one in of_databases(site.look()) if one.rule == "ovsdb-two-leaders"]

    assert (finding.node, finding.state) == (None, State.BROKEN)
    assert "2 leaders at once: ctl, ctl2" in finding.reason


def test_one_leader_that_the_inventory_names_twice_is_one() -> None:
    site = three("healthy NB 1", "healthy NB 1", "healthy NB 3")

    assert [one for one in of_databases(site.look()) if one.rule == "ovsdb-two-leaders"] == []


def test_where_others_know_the_leader_one_that_does_not_yet_is_no_election() -> None:
    """Looks are not at one moment: so it is after each hand-over."""
    site = three("healthy NB 1", "healthy NB 2", "healthy NB 3")
    put(site, "ctl3", NB, changed("healthy NB 3", (r"Leader: \w+", "Leader: unknown")))

    assert of_databases(site.look()) == []


def test_clusters_of_two_clouds_in_one_inventory_each_have_their_leader() -> None:
    """Each is of a database with the same name, and led by its own."""
    site = three("healthy NB 1", "healthy NB 2", "disk of 3 full: leader 1")
    said = changed("disk of 3 full: leader 1", (r"last msg 3627 ms", "last msg 27 ms"))
    put(site, "ctl3", NB, said)

    assert of_databases(site.look()) == []


# --- what a member says of itself ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "rule", "state"),
    [
        pytest.param("joining, nobody there", "ovsdb-joining", State.DEGRADED, id="joining"),
        pytest.param("leaving, no leader", "ovsdb-leaving", State.DEGRADED, id="leaving"),
        pytest.param(
            changed("healthy NB 3", ("Status: cluster member", "Status: left cluster")),
            "ovsdb-leaving", State.DEGRADED, id="has left",
        ),
        pytest.param(
            changed("healthy NB 3", ("Status: cluster member", "Status: failed")),
            "ovsdb-failed", State.BROKEN, id="failed",
        ),
        pytest.param(
            changed("healthy NB 3", ("yet applied: 0", "yet applied: 900")),
            "ovsdb-behind", State.DEGRADED, id="entries that are not applied",
        ),
        pytest.param(
            changed("healthy NB 3", ("yet committed: 0", "yet committed: 500")),
            "ovsdb-behind", State.DEGRADED, id="entries that are not committed",
        ),
    ],
)  # fmt: skip
def test_what_a_member_says_of_itself_is_found_on_its_node(
    said: str | dict[str, object], rule: str, state: State
) -> None:
    site = three()
    put(site, "ctl3", NB, said)

    [finding] = of_databases(site.look())

    assert (finding.rule, finding.node, finding.state) == (rule, "ctl3", state)


def test_a_few_entries_that_wait_are_the_day_s_work() -> None:
    site = three()
    put(site, "ctl3", NB, changed("healthy NB 3", ("yet applied: 0", "yet applied: 40")))

    assert of_databases(site.look()) == []


def test_a_member_that_answers_and_is_far_behind_is_found_by_its_leader() -> None:
    site = three()
    far = changed("healthy NB 1", (r"Log: \[2, 5\]", "Log: [2, 905]"),
                  ("won: 3488 ms", "won: 90000 ms"),
                  (r"(?m)(638f.*|self.*)match_index=4", r"\1match_index=904"))  # fmt: skip
    put(site, "ctl", NB, far)

    [finding] = of_databases(site.look())

    assert (finding.rule, finding.node) == ("ovsdb-behind", "ctl3")
    assert "900 entries" in finding.reason


def test_what_waits_for_a_leader_is_no_second_finding() -> None:
    site = three()
    waits = changed("2 and 3 dead: 1", ("yet committed: 0", "yet committed: 900"))
    put(site, "ctl", NB, waits)

    assert "ovsdb-behind" not in [one.rule for one in of_databases(site.look())]


def test_a_frozen_server_is_found_also_behind_an_odd_answer() -> None:
    site = three()
    site.command("ctl", f"question {DATABASES} 0", 0, "OVN_Northbo\ufffdnd\n_Server\n")
    site.command("ctl", f"question {DATABASES} {NB}", 124)

    assert "process-silent" in [one.rule for one in of_databases(site.look())]


def test_a_server_that_has_left_serves_no_database_and_that_is_found_once() -> None:
    """Seen: `list-dbs` has only its own database then, and its cluster is unknown."""
    site = three()
    site.command("ctl3", f"question {DATABASES} 0", 0, "_Server\n")
    put(site, "ctl3", NB, "has left")

    [finding] = of_databases(site.look())

    assert (finding.rule, finding.node) == ("process-ill", "ctl3")
    assert "the northbound database, it answers `_Server`" in finding.reason


def test_a_list_that_came_garbled_is_not_taken_for_one_without_the_database() -> None:
    site = Site()
    site.command("ctl", f"question {DATABASES} 0", 0, "OVN_Northbo\ufffdnd\n_Server\n")

    assert [one.rule for one in of_databases(site.look())] == ["answer-not-understood"]


# --- what cannot be seen ------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["frozen", "dead, its socket left", "dead, no socket"])
def test_what_its_first_answer_shows_is_told_once(said: str) -> None:
    site = Site()
    for number in (0, NB):
        put(site, "ctl", number, said)

    assert len(of_databases(site.look())) == 1


def test_one_that_lists_its_databases_and_then_is_silent_of_its_cluster_is_found() -> None:
    site = Site()
    put(site, "ctl", NB, "frozen")

    [finding] = of_databases(site.look())

    assert finding.rule == "process-silent"
    assert "the cluster of the northbound database" in finding.reason
    assert "`systemctl restart ovn-ovsdb-server-nb` only if" in finding.remedy


def test_an_answer_of_another_form_is_unknown_and_accuses_nobody() -> None:
    site = three()
    put(site, "ctl", NB, changed("3 dead: leader 1", ("Role: leader", "Role: chairman")))

    [finding] = of_databases(site.look())

    assert (finding.rule, finding.node, finding.state) == (
        "answer-not-understood", "ctl", State.UNKNOWN,
    )  # fmt: skip


def test_without_the_right_to_ask_its_cluster_is_unknown() -> None:
    """So after an upgrade, until the new sudoers file is on the nodes."""
    site = Site()
    for number in (NB, SB):
        refused = {"code": 1, "out": "", "err": "sudo: a password is required"}
        put(site, "ctl", number, dict(refused))

    health = site.look()

    assert of_databases(health) == []
    gaps = [gap for gap in health.gaps if gap.component == DATABASES]
    assert {gap.kind for gap in gaps} == {Kept.RIGHTS}
    [databases] = [one for one in health.components if one.name == DATABASES]
    assert databases.state is State.UNKNOWN


def test_no_remedy_lets_a_member_leave_or_a_file_go() -> None:
    said = [one["out"] for one in TOLD.values() if one["code"] == 0]
    remedies = []
    for each in said:
        site = Site()
        put(site, "ctl", NB, {"code": 0, "out": each, "err": ""})
        remedies += [one.remedy for one in of_databases(site.look())]

    assert remedies
    assert not [one for one in remedies if re.search(r"\b(rm|mv|kick|leave|delete)\b", one)]
