"""Each signature finds its own sample, and nothing in the logs of a cloud that is well."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stackward.anatomy import read_anatomy
from stackward.errors import BadInput
from stackward.logs.event import Event, Level, Raised
from stackward.signatures import GUEST, read_signatures, to_signatures
from stackward.signatures.conditions import CONDITIONS, fact
from stackward.signatures.form import Match, Place, Seen, Signature, Trait
from stackward.signatures.matching import MOST_READ, matches_in, seen_in, words_of

KNOWN = read_signatures()
HERE = Path(__file__).parent
LOGS = HERE.parent / "logs/samples"
# All logs of a lab on which servers were built and moved, and consoles of guests that came up.
HEALTHY = sorted(
    path
    for folder in (LOGS / "build", LOGS / "migration", HERE / "healthy")
    for path in folder.rglob("*")
    if path.is_file()
)
LEAST = 20
SLOWEST_S = 1.0

TEXTS = [
    pytest.param(one, trait, place, id=f"{one.name}, {number}, {place.value}")
    for one in KNOWN
    for number, trait in enumerate(one.traits)
    for place in trait.places
    if place is not Place.FACT
]
FACTS = [
    pytest.param(one, trait, id=f"{one.name}, {trait.fact}")
    for one in KNOWN
    for trait in one.traits
    if trait.fact is not None
]


def a_line(text: str, place: Place, trait: Trait | None = None) -> Seen:
    components = trait.components if trait else ()
    return Seen(place=place, text=text, component=components[0] if components else "")


def found(text: str, place: Place, component: str = "") -> list[Match]:
    return list(matches_in([Seen(place=place, text=text, component=component)], KNOWN))


def test_there_are_enough_of_them() -> None:
    assert len(KNOWN) >= LEAST


@pytest.mark.parametrize(("one", "trait", "place"), TEXTS)
def test_a_signature_finds_its_sample(one: Signature, trait: Trait, place: Place) -> None:
    alone = Signature(
        name=one.name, means=one.means, kind=one.kind, scope=one.scope, component=one.component,
        remedy=one.remedy, source=one.source, traits=(trait,),
    )  # fmt: skip

    [match] = matches_in([a_line(trait.sample, place, trait)], [alone])

    assert "{" not in match.means


@pytest.mark.parametrize(("one", "trait", "place"), TEXTS)
def test_a_sample_is_that_of_one_signature_alone(
    one: Signature, trait: Trait, place: Place
) -> None:
    names = {
        match.signature.name for match in matches_in([a_line(trait.sample, place, trait)], KNOWN)
    }

    assert names == {one.name}


@pytest.mark.parametrize(("one", "trait"), FACTS)
def test_a_fact_is_found_and_says_what_it_means(one: Signature, trait: Trait) -> None:
    assert trait.fact is not None
    parts = dict.fromkeys(CONDITIONS[trait.fact].parts, "PART")

    matches = list(matches_in([fact(trait.fact, parts)], KNOWN))

    assert [match.signature.name for match in matches] == [one.name]
    assert "{" not in matches[0].means


def test_every_fact_is_one_that_some_signature_is_about() -> None:
    assert {trait.fact for one in KNOWN for trait in one.traits} - {None} == set(CONDITIONS)


def test_a_fact_needs_all_of_its_parts() -> None:
    with pytest.raises(KeyError, match="path"):
        fact("disk-missing")


def healthy_lines() -> Iterator[tuple[Path, str]]:
    for path in HEALTHY:
        for line in path.read_text("utf-8").splitlines():
            yield path, line


def test_there_are_healthy_lines_of_each_kind() -> None:
    stems = {path.stem for path in HEALTHY}

    assert stems >= {"console", "nova-compute", "instance-00000001", "neutron-api"}


@pytest.mark.parametrize("place", [place for place in Place if place is not Place.FACT])
def test_no_line_of_a_healthy_cloud_is_one(place: Place) -> None:
    named = [
        (path.name, line, match.signature.name)
        for path, line in healthy_lines()
        for match in found(line, place, "nova-compute")
    ]

    assert named == []


def test_a_line_of_another_component_is_none() -> None:
    [line] = [
        t.sample for s in KNOWN if s.name == "vif-plug-timeout" for t in s.traits if t.components
    ]

    assert found(line, Place.LOG, "nova-compute")
    assert not found(line, Place.LOG, "nova-api")


# --- events ---


def an_event(
    message: str,
    *,
    file: str = "/var/log/nova/nova-compute.log",
    more: tuple[str, ...] = (),
    raised: tuple[Raised, ...] = (),
) -> Event:
    return Event(
        at=datetime(2026, 11, 28, 10, tzinfo=UTC), node="c01", component="nova-compute", file=file,
        offset=7, format="oslo", level=Level.ERROR, message=message, more=more, raised=raised,
    )  # fmt: skip


def names_in(one: Event) -> set[str]:
    return {match.signature.name for match in matches_in(seen_in([one]), KNOWN)}


def test_the_words_of_an_exception_and_of_later_lines_count_too() -> None:
    raised = Raised(
        exception="nova.exception.PortBindingFailed",
        message="Binding failed for port 4d1b4dbd-4c4c-4a63-8a3b-6c1e6c6a5f10, please",
    )
    assert names_in(an_event("Instance failed to spawn", raised=(raised,))) == {"binding-failed"}
    assert names_in(
        an_event(
            "internal error: QEMU unexpectedly closed the monitor",
            more=('2026-11-28T10:02:11.041519Z qemu-system-x86_64: Failed to get "write" lock',),
        )
    ) == {"disk-locked"}


def test_an_event_of_a_log_of_a_domain_is_looked_at_as_one() -> None:
    one = an_event(
        "shutting down, reason=crashed", file="/var/log/libvirt/qemu/instance-0000001c.log"
    )

    assert names_in(one) == {"qemu-crashed"}
    assert names_in(an_event("shutting down, reason=crashed")) == set()


def test_each_line_that_may_match_has_words_by_which_it_is_found() -> None:
    words = words_of(KNOWN)
    samples = [
        t.sample for s in KNOWN for t in s.traits if {Place.LOG, Place.DOMAIN_LOG} & set(t.places)
    ]

    assert all(any(word in sample for word in words) for sample in samples)
    assert all(words)


@pytest.mark.parametrize(
    "unit", ["Could not open '", "/x", "PCI device 0", " ", "(initramfs", '"write" lock', "Volume "]
)
def test_an_odd_line_takes_no_long_time(unit: str) -> None:
    words = {trait.words for one in KNOWN for trait in one.traits}
    lines = [(word + unit * MOST_READ)[:MOST_READ] for word in words]
    began = time.process_time()

    for line in lines:
        for place in Place:
            found(line, place, "nova-compute")

    assert time.process_time() - began < SLOWEST_S


# --- what is refused ---

GOOD = """
means = "it is so"
component = "nova-compute"
remedy = "stackward server reboot {server} --hard"
source = "the test"
[[seen]]
in = "log"
words = "it is so"
sample = "it is so"
"""


def test_what_is_whole_is_read() -> None:
    [one] = to_signatures({"good": GOOD})

    assert (one.name, one.kind.value, one.scope.value) == ("good", "cause", "server")


@pytest.mark.parametrize(
    ("there", "instead", "why"),
    [
        ('source = "the test"', "", "it has no `source`"),
        ('means = "it is so"', 'means = "it is {path}"', "`means` has `path`"),
        ("{server}", "{who}", "`remedy` has `who`"),
        ('"nova-compute"', '"nova-computer"', "there is no component `nova-computer`"),
        ('in = "log"', 'in = "logs"', "`logs` is none of"),
        ('in = "log"', 'in = "fact"', "go together"),
        ('in = "log"', 'in = "fact"\nfact = "made-up"', "there is no fact `made-up`"),
        ('words = "it is so"\n', "", "needs `words`"),
        ('words = "it is so"', 'words = "it is so"\nform = "it.*so"', "has no end"),
        ('words = "it is so"', 'words = "it is so"\nform = "it.{3,}so"', "has no end"),
        ('words = "it is so"', 'words = "it is so"\nform = "(?:a.{0,9}){0,9}"', "repeats a group"),
        ('words = "it is so"', 'words = "it is so"\nform = "a.{0,2000}b.{0,2000}"', "ways"),
        ('words = "it is so"', 'words = "it is so"\nform = "("', "no regular expression"),
        ('in = "log"', 'in = "log"\nof = "x"', "nothing reads `of`"),
        ('in = "log"', 'in = "log"\ncomponents = ["x"]', "there is no component `x`"),
        ("means =", "means", "it is no TOML"),
        ('means = "it is so"', 'means = "it is so"\nkind = "guess"', "`guess` is none of"),
    ],
)
def test_what_would_never_be_found_is_refused(there: str, instead: str, why: str) -> None:
    assert there in GOOD

    with pytest.raises(BadInput, match="the signature `bad` cannot be read") as raised:
        to_signatures({"bad": GOOD.replace(there, instead, 1)})

    assert why in raised.value.message


def test_each_component_that_is_named_is_there() -> None:
    assert {one.component for one in KNOWN} <= {GUEST, *read_anatomy().components}
