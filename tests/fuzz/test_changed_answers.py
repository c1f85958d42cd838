"""No foreign answer is a defect of ours: 2,000 changed ones here, 100,000 by `make fuzz`."""

import re
from pathlib import Path
from random import Random

import pytest

from cloud_fakes import Site
from fuzz.campaign import all_sources, read, ruined, run
from fuzz.mutate import mutated
from fuzz.source import Came, Source
from stackward.masking import masked
from stackward.model.health import State

CASES, SEED = 2_000, 10
SOURCES = all_sources()
WHO = {
    "Nova", "placement", "Neutron", "Cinder", "Keystone", "Glance", "rabbitmqctl", "MariaDB",
    "virsh", "systemctl", "Open_vSwitch", "OVN", "ss", "docker", "podman", "findmnt", "script",
    "memcached", "kernel", "ps", "stat", "vgs", "HTTP",
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
    page = (Path(__file__).parent / "RESULT.md").read_text()

    assert "Tracebacks and broken promises: **0**." in page
    assert set(re.findall(r"^\| (.+?) \| \d", page, re.MULTILINE)) == {one.name for one in SOURCES}
    assert re.search(r"has read 100000 recorded answers", page)
