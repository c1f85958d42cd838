"""The one rule of what is the same machine, as tables: each id is a sentence of the specification.

`compare` says what two names say; `match` which node of an inventory a machine of the cloud is.
"""

from datetime import UTC, datetime

import pytest

from stackward.model.identity import (
    Directory,
    Hosts,
    Itself,
    Known,
    Likeness,
    Machine,
    Match,
    are_all_ironic,
    compare,
    decide,
    first_label,
    has_its_name,
    machine_part,
    queue_names,
)

SAME, ALIKE, DIFFERENT, UNTOLD = Likeness


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        # --- names
        pytest.param("c01", "c01", SAME, id="short: the same short name"),
        pytest.param("c01", "c02", DIFFERENT, id="short: another short name"),
        pytest.param("c01", "c011", DIFFERENT, id="short: the beginning of a longer short name"),
        pytest.param("c01", "c01-ironic", DIFFERENT, id="short: another one after a hyphen"),
        pytest.param("C01", "c01", SAME, id="short: case does not count"),
        pytest.param("c01.", "c01", SAME, id="short: nor does the dot at the end"),
        pytest.param("c01.a.example", "c01.a.example", SAME, id="whole: the same whole name"),
        pytest.param("c01.a.example.", "C01.A.Example", SAME, id="whole: case and last dot"),
        pytest.param("c01.a.example", "c01.b.example", DIFFERENT, id="whole: two sites"),
        pytest.param("c01.a", "c01.a.example", DIFFERENT, id="whole: one is longer"),
        pytest.param("c01.a.example", "c02.a.example", DIFFERENT, id="whole: two of one site"),
        pytest.param("c01", "c01.a.example", ALIKE, id="short and whole: it begins so"),
        pytest.param("c01.a.example", "c01", ALIKE, id="whole and short: it begins so"),
        pytest.param("c01", "c02.a.example", DIFFERENT, id="short and whole: it does not"),
        pytest.param("c0", "c01.a.example", DIFFERENT, id="short and whole: half of its label"),
        pytest.param("a.example", "c01.a.example", DIFFERENT, id="whole: the end of another"),
        # --- names that are numbers
        pytest.param("101", "101", SAME, id="number: the same"),
        pytest.param("101", "0101", DIFFERENT, id="number: never compared as a number"),
        pytest.param("101", "101.a.example", ALIKE, id="number: short of a whole name"),
        pytest.param("10.1", "10.1", SAME, id="number with a dot: a whole name"),
        pytest.param("10", "10.0.0.1", DIFFERENT, id="number: no beginning of an address"),
        pytest.param("192", "192.0.2.21", DIFFERENT, id="number: an address has no short form"),
        # --- addresses
        pytest.param("192.0.2.21", "192.0.2.21", SAME, id="IPv4: the same"),
        pytest.param("192.0.2.21", "192.0.2.22", DIFFERENT, id="IPv4: another"),
        pytest.param("192.0.2.21", "192.168.7.9", DIFFERENT, id="IPv4: never cut at its dots"),
        pytest.param("2001:db8::21", "2001:db8:0:0::21", SAME, id="IPv6: spelled otherwise (F30)"),
        pytest.param("2001:DB8::21", "2001:db8::21", SAME, id="IPv6: case"),
        pytest.param("[2001:db8::21]", "2001:db8::21", SAME, id="IPv6: as in a URL"),
        pytest.param("2001:db8::21", "2001:db8::22", DIFFERENT, id="IPv6: another"),
        pytest.param("::ffff:192.0.2.21", "192.0.2.21", SAME, id="IPv4 within IPv6"),
        pytest.param("192.0.2.21", "c01", DIFFERENT, id="an address and a name"),
        pytest.param("192.0.2.21", "192.0.2.21.a.example", DIFFERENT, id="a name of it"),
        # --- what everybody is called
        pytest.param("localhost", "localhost", UNTOLD, id="localhost: tells nothing"),
        pytest.param("localhost.localdomain", "c01", UNTOLD, id="localhost with a domain"),
        pytest.param("127.0.0.1", "127.0.0.1", UNTOLD, id="loopback: tells nothing"),
        pytest.param("::1", "c01", UNTOLD, id="loopback of IPv6"),
        pytest.param("fe80::1", "fe80::1", UNTOLD, id="link-local: each link has one"),
        pytest.param("0.0.0.0", "0.0.0.0", UNTOLD, id="no address at all"),  # noqa: S104
    ],
)  # fmt: skip
def test_what_two_names_say(one: str, other: str, expected: Likeness) -> None:
    assert (compare(one, other), compare(other, one)) == (expected, expected)


def nodes(*given: str) -> tuple[Known, ...]:
    """Return nodes of `name`, `name=address` or `name=address:port`; `name=` is this machine."""
    found = []
    for each in given:
        name, equals, address = each.partition("=")
        place, _, jump = address.partition("@")
        found.append(
            Known(
                name=name,
                address=place or name,
                by=(jump,) if jump else (),
                is_local=bool(equals) and not address,
            )
        )
    return tuple(found)


def says(*names: str, configured: str | None = None) -> Itself:
    """Return what a node says of itself."""
    return Itself(names=names, configured=configured)


def match(
    known: tuple[Known, ...],
    machine: Machine,
    said: dict[str, Itself] | None = None,
) -> tuple[Match, list[str]]:
    """Return which node a machine is, and the nodes that were asked: those alone can answer."""
    candidates = Directory(known).candidates(machine)
    asked = [] if has_its_name(candidates) else [each.node for each in candidates]
    told = {node: (said or {}).get(node) for node in asked}
    return decide(machine, candidates, told), asked


A, B = "c01.a.example", "c01.b.example"


@pytest.mark.parametrize(
    ("known", "machine", "said", "expected", "asked"),
    [
        # --- by name
        pytest.param(
            nodes("c01", "c02"), Machine(host="c01"), {}, "c01", [],
            id="the very name: nobody is asked",
        ),
        pytest.param(
            nodes("c01=198.51.100.1"), Machine(host="c01", addresses=("192.0.2.21",)),
            {}, "c01", [],
            id="the very name, reached by an address of another network",
        ),
        pytest.param(
            nodes(A, B), Machine(host=A), {}, A, [],
            id="two whole names of one beginning: the very one",
        ),
        pytest.param(
            nodes(B), Machine(host=A, also=(A,), addresses=("192.0.2.21",)), {}, None, [],
            id="F02: the node of another site is no candidate, and is not asked",
        ),
        pytest.param(
            nodes("c02"), Machine(host="c01"), {}, None, [], id="another short name: no candidate"
        ),
        pytest.param(
            nodes("c01"), Machine(host=A), {"c01": says("c01", A)}, "c01", ["c01"],
            id="short in the inventory: it says its whole name",
        ),
        pytest.param(
            nodes("c01"), Machine(host=A), {"c01": says("c01", B)}, None, ["c01"],
            id="short in the inventory: it says that it is of another site",
        ),
        pytest.param(
            nodes("c01"), Machine(host=A), {"c01": says("c01")}, "c01", ["c01"],
            id="short in the inventory: it knows no whole name",
        ),
        pytest.param(
            nodes("c01"), Machine(host=A), {}, "c01", ["c01"],
            id="short in the inventory, and dead: the one whole name that begins so",
        ),
        pytest.param(
            nodes(A), Machine(host="c01"), {A: says("c01", A)}, A, [A],
            id="whole in the inventory, short in Nova",
        ),
        pytest.param(
            nodes(A, B), Machine(host="c01"), {A: says(A), B: says(B)}, "several", [A, B],
            id="short in Nova, two whole ones begin so: refused, both named",
        ),
        pytest.param(
            nodes(A, B), Machine(host="c01", also=(A,)), {}, A, [],
            id="short in Nova, two whole ones begin so: its hypervisor's whole name decides",
        ),
        pytest.param(
            nodes(f"{A}=192.0.2.21", f"{B}=198.51.100.21"),
            Machine(host="c01", addresses=("192.0.2.21",)),
            {A: says(A), B: says(B)}, A, [A, B],
            id="short in Nova, two whole ones begin so: host_ip decides",
        ),
        pytest.param(
            nodes(f"{A}=192.0.2.21", f"{B}=198.51.100.21"),
            Machine(host="c01", addresses=("192.0.2.21",)), {}, A, [A, B],
            id="the same, and both dead: host_ip decides",
        ),
        pytest.param(
            nodes(A, B), Machine(host="c01"), {}, "several", [A, B],
            id="the same without an address, and both dead: refused, both named",
        ),
        pytest.param(
            nodes(A, B), Machine(host="c01"),
            {A: says(A, configured="c01"), B: says(B, configured="other")}, "several", [A, B],
            id="one has it as `host`, and the other begins so: refused, both named",
        ),
        pytest.param(
            nodes("c01", A), Machine(host="c01"), {}, "c01", [],
            id="short in Nova: a short name comes before a whole one that begins so",
        ),
        # --- by its address
        pytest.param(
            nodes("rack1=192.0.2.21", "rack2=192.0.2.22"),
            Machine(host="c01", addresses=("192.0.2.21",)),
            {"rack1": says("c01")}, "rack1", ["rack1"],
            id="F16: an alias, by its address, and it says its name",
        ),
        pytest.param(
            nodes("rack1=192.0.2.21"), Machine(host="c01", addresses=("192.0.2.21",)),
            {}, "rack1", ["rack1"],
            id="an alias, by its address, and dead: host_ip decides",
        ),
        pytest.param(
            nodes("rack1=192.0.2.21"), Machine(host="c01", addresses=("192.0.2.21",)),
            {"rack1": says("d07", "d07.b.example")}, None, ["rack1"],
            id="the address of another site's node, which calls itself otherwise: none",
        ),
        pytest.param(
            nodes("rack1=192.0.2.21"),
            Machine(host="c01", also=("ip-192-0-2-21.internal",), addresses=("192.0.2.21",)),
            {"rack1": says("ip-192-0-2-21.internal")}, "rack1", ["rack1"],
            id="F18: it calls itself as its hypervisor is called",
        ),
        pytest.param(
            nodes("rack1=192.0.2.21"), Machine(host="c01", addresses=("192.0.2.21",)),
            {"rack1": says("x99", configured="c01")}, "rack1", ["rack1"],
            id="its host name is another, but `[DEFAULT] host` is Nova's",
        ),
        pytest.param(
            nodes("r1=2001:db8::21"), Machine(host="c01", addresses=("2001:db8:0:0::21",)),
            {}, "r1", ["r1"], id="F30: IPv6 spelled otherwise",
        ),
        pytest.param(
            nodes("192.0.2.21"), Machine(host="c01", addresses=("192.0.2.21",)),
            {"192.0.2.21": says("c01")}, "192.0.2.21", ["192.0.2.21"],
            id="the inventory has no names, only addresses",
        ),
        pytest.param(
            nodes("192.0.2.21"), Machine(host="192.0.2.22"), {}, None, [],
            id="an address is no short form of another",
        ),
        pytest.param(
            nodes("r1=127.0.0.1"), Machine(host="c01", addresses=("127.0.0.1",)), {}, None, [],
            id="a loopback address is everybody's",
        ),
        pytest.param(
            nodes(f"rack1={A}"), Machine(host=A), {"rack1": says(A)}, "rack1", ["rack1"],
            id="an alias whose address is the whole name",
        ),
        pytest.param(
            nodes(f"{B}=192.0.2.21"), Machine(host=A, addresses=("192.0.2.21",)),
            {B: says(A)}, B, [B],
            id="another whole name in the inventory, its address, and it calls itself as Nova does",
        ),
        # --- two entries
        pytest.param(
            nodes("c01=192.0.2.21", "rack1=192.0.2.21"),
            Machine(host="c01", addresses=("192.0.2.21",)), {}, "c01", [],
            id="an alias of the same login is no second machine",
        ),
        pytest.param(
            nodes("rack1=192.0.2.21@jump-a", "rack2=192.0.2.21@jump-b"),
            Machine(host="c01", addresses=("192.0.2.21",)),
            {"rack1": says("c01"), "rack2": says("d07")}, "rack1", ["rack1", "rack2"],
            id="one address behind two jump hosts: it says who it is",
        ),
        pytest.param(
            nodes("rack1=192.0.2.21@jump-a", "rack2=192.0.2.21@jump-b"),
            Machine(host="c01", addresses=("192.0.2.21",)), {}, "several", ["rack1", "rack2"],
            id="one address behind two jump hosts, both dead: refused, both named",
        ),
        pytest.param(
            nodes("c01=192.0.2.99", "rack1=192.0.2.21"),
            Machine(host="c01", addresses=("192.0.2.21",)),
            {"c01": says("c01"), "rack1": says("d07")}, "c01", ["c01", "rack1"],
            id="contradiction: name and address lead to two nodes; one says that it is it",
        ),
        pytest.param(
            nodes("c01=192.0.2.99", "rack1=192.0.2.21"),
            Machine(host="c01", addresses=("192.0.2.21",)),
            {"c01": says("d07"), "rack1": says("c01")}, "rack1", ["c01", "rack1"],
            id="contradiction: the other says that it is it",
        ),
        pytest.param(
            nodes("c01=192.0.2.99", "rack1=192.0.2.21"),
            Machine(host="c01", addresses=("192.0.2.21",)),
            {"c01": says("c01"), "rack1": says("c01")}, "several", ["c01", "rack1"],
            id="contradiction: both say so: refused, both named",
        ),
        pytest.param(
            nodes("c01=192.0.2.99", "rack1=192.0.2.21"),
            Machine(host="c01", addresses=("192.0.2.21",)), {}, "several", ["c01", "rack1"],
            id="contradiction: both dead: refused, both named",
        ),
        pytest.param(
            nodes("c01=192.0.2.99", "rack1=192.0.2.21"),
            Machine(host="c01", addresses=("192.0.2.21",)),
            {"c01": says("d07"), "rack1": says("d08")}, None, ["c01", "rack1"],
            id="contradiction: both say that they are others",
        ),
        pytest.param(
            nodes("c01", "ip-192-0-2-21"), Machine(host="c01", also=("ip-192-0-2-21",)),
            {"c01": says("c01"), "ip-192-0-2-21": says("ip-192-0-2-21")},
            "several", ["c01", "ip-192-0-2-21"],
            id="contradiction: host and hypervisor have a node each",
        ),
        # --- one of two is dead
        pytest.param(
            nodes(f"{A}=192.0.2.21", f"{B}=198.51.100.21"),
            Machine(host="c01", addresses=("198.51.100.21",)),
            {A: says("c01", A)}, B, [A, B],
            id="short in Nova, host_ip leads to the dead one: the living one is not taken",
        ),
        pytest.param(
            nodes(f"{A}=192.0.2.21", f"{B}=198.51.100.21"),
            Machine(host="c01", addresses=("198.51.100.21",)),
            {A: says("c01")}, B, [A, B],
            id="the same, and the living one knows no more than its short name",
        ),
        pytest.param(
            nodes(f"{A}=192.0.2.21", f"{B}=198.51.100.21"),
            Machine(host="c01", addresses=("198.51.100.21",)),
            {A: says("c01", A, configured="c01")}, B, [A, B],
            id="the same, and the living one has the short name as `host`, as both sites may",
        ),
        pytest.param(
            nodes(f"{A}=192.0.2.21", f"{B}=198.51.100.21"),
            Machine(host="c01", addresses=("192.0.2.21",)),
            {A: says("c01", A)}, A, [A, B],
            id="short in Nova, host_ip leads to the living one",
        ),
        pytest.param(
            nodes(A, B), Machine(host="c01"), {A: says("c01", A)}, "several", [A, B],
            id="short in Nova, no address, one is dead: refused, both named",
        ),
        pytest.param(
            nodes("rack1=192.0.2.21@jump-a", "rack2=192.0.2.21@jump-b"),
            Machine(host="c01", addresses=("192.0.2.21",)),
            {"rack1": says("c01")}, "several", ["rack1", "rack2"],
            id="one address behind two jump hosts, one is dead: both sites may have a c01",
        ),
        pytest.param(
            nodes("rack1=192.0.2.21@jump-a", "rack2=192.0.2.21@jump-b"),
            Machine(host=A, addresses=("192.0.2.21",)),
            {"rack1": says("c01", A)}, "rack1", ["rack1", "rack2"],
            id="one address behind two jump hosts, one is dead, the other says the whole name",
        ),
        pytest.param(
            nodes("rack1=192.0.2.21@jump-a", "rack2=192.0.2.21@jump-b"),
            Machine(host="c01", addresses=("192.0.2.21",)),
            {"rack1": says("d07")}, "rack2", ["rack1", "rack2"],
            id="one address behind two jump hosts, one is dead, the other is another machine",
        ),
        pytest.param(
            nodes("c01=192.0.2.99", "rack1=192.0.2.21"),
            Machine(host="c01", addresses=("192.0.2.21",)),
            {"c01": says("c01")}, "several", ["c01", "rack1"],
            id="contradiction: the one of the name lives, the one of the address is dead",
        ),
        pytest.param(
            nodes("localhost=", "rack1=192.0.2.21"),
            Machine(host="c01", addresses=("192.0.2.21",)),
            {"rack1": says("c01")}, "rack1", ["localhost", "rack1"],
            id="this machine's own entry that cannot be asked stands against nobody",
        ),
        # --- localhost
        pytest.param(
            nodes("localhost="), Machine(host="aio1"), {"localhost": says("aio1")},
            "localhost", ["localhost"], id="localhost in the inventory: it says its name",
        ),
        pytest.param(
            nodes("localhost="), Machine(host="c01"), {"localhost": says("bastion")},
            None, ["localhost"], id="localhost in the inventory is another machine",
        ),
        pytest.param(
            nodes("localhost="), Machine(host="c01"), {}, None, ["localhost"],
            id="localhost in the inventory cannot be asked: no sign by itself",
        ),
        pytest.param(
            nodes("localhost=", "c01"), Machine(host="c01"), {}, "c01", [],
            id="localhost is not asked where a node has the name",
        ),
        pytest.param(
            nodes("localhost="), Machine(host="localhost"),
            {"localhost": says("localhost.localdomain")}, "localhost", ["localhost"],
            id="all is called localhost, also by itself",
        ),
        pytest.param(
            nodes("localhost="), Machine(host="localhost"), {"localhost": says("bastion")},
            None, ["localhost"], id="Nova's localhost is not the machine that we run on",
        ),
        pytest.param(
            nodes("c01=192.0.2.21"), Machine(host="localhost", addresses=("192.0.2.21",)),
            {"c01": says("c01")}, "c01", ["c01"], id="Nova's localhost, by its address",
        ),
        # --- names that are numbers
        pytest.param(
            nodes("101", "1010"), Machine(host="101"), {}, "101", [], id="a number for a name"
        ),
        pytest.param(
            nodes("101"), Machine(host="101.a.example"), {"101": says("101", "101.a.example")},
            "101", ["101"], id="a number that begins a whole name",
        ),
    ],
)  # fmt: skip
def test_which_node_a_machine_is(
    known: tuple[Known, ...],
    machine: Machine,
    said: dict[str, Itself],
    expected: str | None,
    asked: list[str],
) -> None:
    found, were_asked = match(known, machine, said)

    assert ("several" if found.doubtful else found.node, were_asked) == (expected, asked)


def test_those_that_are_left_are_named() -> None:
    found, _ = match(nodes(A, B), Machine(host="c01"))

    assert found.doubtful == (A, B)
    assert found.why == f"2 nodes of the inventory may be `c01`: `{A}` and `{B}`"


def test_a_node_that_calls_itself_otherwise_is_named_with_its_own_words() -> None:
    machine = Machine(host="c01", addresses=("192.0.2.21",))

    found, _ = match(nodes("rack1=192.0.2.21"), machine, {"rack1": says("d07")})

    assert found.why == "`rack1` has the address of `c01`, but calls itself `d07`"


def test_only_candidates_are_asked_of_2000_nodes() -> None:
    known = nodes(*(f"r{n:04}=10.{n // 250}.{n % 250}.1" for n in range(2000)))

    _, asked = match(known, Machine(host="c01", addresses=("10.3.7.1",)))

    assert asked == ["r0757"]


# --- what was said before -----------------------------------------------------------------------

ONCE = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def test_what_a_node_once_said_makes_it_a_candidate_and_its_date_is_told() -> None:
    once = {"rack1": Itself(names=("c01",), seen_at=ONCE)}
    machine = Machine(host="c01")
    candidates = Directory(nodes("rack1", "rack2"), once).candidates(machine)

    found = decide(machine, candidates, once)

    assert (found.node, found.seen_at) == ("rack1", ONCE)


def test_what_it_says_now_outweighs_what_it_once_said() -> None:
    once = {"rack1": Itself(names=("c01",), seen_at=ONCE)}
    machine = Machine(host="c01")
    candidates = Directory(nodes("rack1"), once).candidates(machine)

    assert decide(machine, candidates, {"rack1": says("d07")}).node is None


def test_a_node_that_once_said_so_and_one_of_that_name_are_two_candidates() -> None:
    once = {"rack1": Itself(names=("c01",), seen_at=ONCE)}
    machine = Machine(host="c01")
    candidates = Directory(nodes("rack1", "c01"), once).candidates(machine)

    assert decide(machine, candidates, {"c01": None, **once}).doubtful == ("rack1", "c01")
    assert decide(machine, candidates, {"c01": says("c01"), **once}).node == "c01"


@pytest.mark.parametrize(
    ("addresses", "expected", "doubtful"),
    [
        pytest.param(("198.51.100.21",), B, (), id="host_ip leads to the dead one"),
        pytest.param(("192.0.2.21",), A, (), id="host_ip leads to the living one"),
        pytest.param((), None, (A, B), id="no address: both are named"),
    ],
)
def test_the_living_one_of_two_sites_does_not_outweigh_the_dead_one_that_once_said_so(
    addresses: tuple[str, ...], expected: str | None, doubtful: tuple[str, ...]
) -> None:
    """Nova called its dead host by the short name that the other site's living node answers to."""
    once = {B: Itself(names=("c01", B), seen_at=ONCE)}
    known = nodes(f"{A}=192.0.2.21", f"{B}=198.51.100.21")
    machine = Machine(host="c01", addresses=addresses)
    candidates = Directory(known, once).candidates(machine)

    found = decide(machine, candidates, {A: says("c01", A), **once})

    assert (found.node, found.doubtful) == (expected, doubtful)


@pytest.mark.parametrize(
    ("addresses", "living", "expected", "doubtful"),
    [
        pytest.param(("198.51.100.21",), says("c01"), B, (), id="host_ip leads to the silent one"),
        pytest.param((), says("c01"), A, (), id="only its short name speaks for the silent one"),
        pytest.param(("192.0.2.21",), says("c01"), A, (), id="host_ip leads to the living one"),
        pytest.param(
            ("198.51.100.21",), says("c01", A), B, (), id="a whole name that Nova does not have"
        ),
        pytest.param(("198.51.100.21",), None, B, (), id="both are silent: the address alone"),
        pytest.param(("203.0.113.9",), says("c01"), A, (), id="an address of neither"),
    ],
)
def test_a_silent_node_that_once_had_another_name_may_have_been_renamed(
    addresses: tuple[str, ...],
    living: Itself | None,
    expected: str | None,
    doubtful: tuple[str, ...],
) -> None:
    """What it said once is old: the living one, which is of another site, must not be taken."""
    once = {B: Itself(names=("rack7",), seen_at=ONCE)}
    known = nodes(f"{A}=192.0.2.21", f"{B}=198.51.100.21")
    machine = Machine(host="c01", addresses=addresses)
    candidates = Directory(known, once).candidates(machine)

    found = decide(machine, candidates, {A: living, **once})

    assert (found.node, found.doubtful) == (expected, doubtful)


def test_the_very_name_of_a_living_node_and_the_address_of_a_renamed_one_are_two_candidates() -> (
    None
):
    once = {B: Itself(names=("rack7",), seen_at=ONCE)}
    machine = Machine(host="c01", addresses=("198.51.100.21",))
    candidates = Directory(nodes("c01=192.0.2.21", f"{B}=198.51.100.21"), once).candidates(machine)

    found = decide(machine, candidates, {"c01": says("c01"), **once})

    assert (found.node, found.doubtful) == (None, ("c01", B))


def test_a_node_that_called_itself_otherwise_is_named_with_the_time() -> None:
    once = {"rack1": Itself(names=("d07",), seen_at=ONCE)}
    machine = Machine(host="c01", addresses=("192.0.2.21",))
    candidates = Directory(nodes("rack1=192.0.2.21"), once).candidates(machine)

    found = decide(machine, candidates, once)

    assert found.node is None
    assert found.why == (
        "`rack1` has the address of `c01`, but called itself `d07` at 2026-11-01T12:00:00Z[UTC]"
    )


def test_a_look_after_the_answers_were_kept_finds_the_same_node() -> None:
    """What a node has said makes it a stronger candidate: that must not turn the decision."""
    known = nodes(f"{A}=192.0.2.21", f"{B}=198.51.100.21")
    machine = Machine(host="c01", addresses=("198.51.100.21",))
    answers = {A: says("c01"), B: says(B)}
    first, second = Directory(known), Directory(known, answers)

    found = [decide(machine, each.candidates(machine), answers).node for each in (first, second)]

    assert found == [B, B]


# --- hosts, queues, kinds -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hosts", "names", "expected"),
    [
        pytest.param(["c01", A], ["c01"], ("c01",), id="the very name alone"),
        pytest.param([A, B], ["c01"], (A, B), id="two begin so"),
        pytest.param([A, "c02"], ["c01"], (A,), id="one begins so"),
        pytest.param([A, B], ["c01", B], (B,), id="of a node's own names, the one that is there"),
        pytest.param(["c01"], [A], ("c01",), id="the short form of a whole name"),
        pytest.param([A], [B], (), id="another site's"),
        pytest.param(["localhost"], ["localhost"], ("localhost",), id="called localhost by name"),
        pytest.param(["10.0.0.1"], ["10"], (), id="an address is not cut"),
    ],
)
def test_the_hosts_of_some_names(
    hosts: list[str], names: list[str], expected: tuple[str, ...]
) -> None:
    assert Hosts(hosts).called(*names) == expected


@pytest.mark.parametrize(
    ("host", "machine"),
    [
        pytest.param("c01@lvm", "c01", id="a host with a backend"),
        pytest.param("c01.a.example@ceph#rbd-1", A, id="and with a pool"),
        pytest.param("c01", "c01", id="a host alone"),
        pytest.param("192.0.2.21@nfs#a@b", "192.0.2.21", id="an address with a backend"),
    ],
)
def test_the_machine_of_a_cinder_host(host: str, machine: str) -> None:
    assert machine_part(host) == machine


def test_the_queues_that_a_process_may_have() -> None:
    assert queue_names("q-plugin", ["ctl", A, "ctl"]) == ("q-plugin.ctl", f"q-plugin.{A}")


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        pytest.param(["ironic", "ironic"], True, id="all are Ironic's: no machine (F25)"),
        pytest.param(["ironic", "QEMU"], False, id="one is libvirt's"),
        pytest.param([], False, id="none: nothing is known"),
    ],
)
def test_a_host_of_ironic_is_no_machine(kinds: list[str], *, expected: bool) -> None:
    assert are_all_ironic(kinds) is expected


@pytest.mark.parametrize(
    ("name", "label"),
    [
        pytest.param(A, "c01", id="of a whole name"),
        pytest.param("192.0.2.21", "192.0.2.21", id="an address stays whole"),
        pytest.param("2001:db8:0::21", "2001:db8::21", id="an IPv6 address, too"),
    ],
)
def test_the_short_form(name: str, label: str) -> None:
    assert first_label(name) == label
