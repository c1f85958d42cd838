"""No foreign answer is a defect of ours: 600 changed ones here, 100,000 by `make fuzz`."""

import re
from pathlib import Path
from random import Random

import pytest

from fakes.site import Site
from fuzz.campaign import (
    MADE_OF,
    RESULT,
    all_sources,
    digest_of,
    made_of,
    read,
    readers,
    ruined,
    run,
    samples,
)
from fuzz.mutate import mutated
from fuzz.source import Came, Source
from stackward.masking import masked
from stackward.model.health import State

# Some of each source, by another seed than the 100,000 of the kept result. That they were read by
# these very readers is asked below: its digests fail once a reader or a recorded answer is new.
CASES, SEED = 600, 10
SOURCES = all_sources()
WHO = {
    "Nova", "placement", "Neutron", "Cinder", "Keystone", "Glance", "rabbitmqctl", "MariaDB",
    "virsh", "systemctl", "Open_vSwitch", "OVN", "ss", "docker", "podman", "findmnt", "script",
    "scanner", "memcached", "kernel", "ps", "stat", "vgs", "HTTP", "ip", "BMC",
    "libvirt",
}  # fmt: skip


def test_whoever_answers_is_among_them() -> None:
    assert {source.who for source in SOURCES} == WHO


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_an_answer_as_it_was_recorded_is_read(source: Source) -> None:
    assert read(source, source.sample.encode()) is Came.READ


@pytest.mark.parametrize(
    "source", [one for one in SOURCES if one.is_strict], ids=lambda source: source.name
)
def test_what_is_no_answer_at_all_is_never_taken_for_one(source: Source) -> None:
    assert ruined(source) == []


def test_of_changed_answers_come_values_and_errors_in_words_and_nothing_else() -> None:
    """See `fuzz.nodes.look_at` for what else is promised of each."""
    campaign = run(CASES, SEED, SOURCES)

    assert campaign.wrong == []
    assert campaign.cases == CASES


def test_the_same_seed_makes_the_same_changes() -> None:
    source = next(one for one in SOURCES if one.is_json)

    first, again = (mutated(source.sample, Random("20 x 1"), is_json=True) for _ in range(2))

    assert first == again


@pytest.mark.parametrize("name", ["rabbitmq cluster", "mariadb", "units", "failed"])
def test_what_is_broken_is_not_well_once_its_answer_is_ruined(name: str) -> None:
    site = Site()
    site.stop("c01", "nova-compute.service")
    site.silence("nova-compute", "c01")
    site.command("ctl", name, 0, out="Segmentation fault (core dumped)")

    assert site.look().state is State.BROKEN or site.look().state is State.DEGRADED


def test_a_long_line_is_masked_in_no_time() -> None:
    """It took seconds, and each answer and each error is masked."""
    long = ["-" * 200_000, "a." * 100_000, "--pass" * 30_000, "password" * 30_000]

    assert [masked(each) for each in long] == long


def test_the_kept_result_is_of_all_sources_and_without_a_traceback() -> None:
    page = RESULT.read_text()

    assert "Tracebacks and broken promises: **0**." in page
    assert set(re.findall(r"^\| (.+?) \| \d", page, re.MULTILINE)) == {one.name for one in SOURCES}
    assert re.search(r"has read 100000 recorded answers", page)


def test_the_kept_result_is_of_these_readers_and_these_answers() -> None:
    """It fails once a reader or a recorded answer is new: `make fuzz` renews the page."""
    kept = re.findall(r"^- (.+): `([0-9a-f]{64})`$", RESULT.read_text(), re.MULTILINE)

    assert kept == [*zip(MADE_OF, made_of(), strict=True)]


def test_another_word_in_any_of_them_changes_what_the_page_is_compared_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fuzz.campaign.HERE", tmp_path / "tests/fuzz")
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("1 < 2")
    other.write_text("2 < 3")
    before = digest_of([one, other])

    other.write_text("2 < 4")
    changed = digest_of([one, other])
    other.write_text("2 < 3")

    assert len({before, changed, digest_of([one])}) == 3
    assert digest_of([one, other]) == before


def test_the_readers_and_the_answers_are_found_where_they_are() -> None:
    found = {each.as_posix().partition("/src/stackward/")[2] for each in readers()}

    assert "facts/named.py" not in found  # it reads values
    assert {
        "answers.py",
        "adapters/openstack/answers.py",
        "adapters/openstack/lists.py",
        "adapters/openstack/nova_answers.py",
        "facts/survey.py",
        "facts/stores.py",
        "facts/services_on_node.py",
        "ports/libvirt.py",
    } <= found
    assert {"servers.json", "node-ctl.json"} <= {each.name for each in samples()}
