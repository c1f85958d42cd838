"""What a kernel warns of, its table of connections, and memory that is set aside in huge pages."""

from typing import Any

import pytest

from cloud_fakes import Site
from stackward.model.health import Health, State

GIB = 1024 * 1024  # kB
FULL_TABLE = "nf_conntrack: nf_conntrack: table full, dropping packet"


def on_metal(site: Site) -> dict[str, Any]:
    told = site.told("c01")
    told["container"] = ""
    told["clock"]["status"] = 0
    told["now"] = site.clock.now().timestamp()
    site.command("c01", "kernel", 0)
    return told


def rules(health: Health) -> list[tuple[str, State]]:
    return [(one.rule, one.state) for one in health.findings]


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [
        pytest.param("262144", "262144", [("conntrack-full", State.BROKEN)], id="full"),
        pytest.param("260000", "262144", [("conntrack-full", State.BROKEN)], id="as good as full"),
        pytest.param("240000", "262144", [("conntrack-filling", State.DEGRADED)], id="filling"),
        pytest.param("9000", "262144", [], id="room"),
        pytest.param("", "", [], id="the kernel tracks none"),
        pytest.param("0", "0", [], id="nothing can be tracked"),
    ],
)
def test_the_table_of_tracked_connections(
    count: str, most: str, expected: list[tuple[str, State]]
) -> None:
    """It needs no right, and a container has one of its own."""
    site = Site()
    site.told("c01")["conntrack"] = [count, most]

    assert rules(site.look()) == expected


def test_a_warning_that_matters_is_found_though_it_is_no_error() -> None:
    """Seen: the kernel logs a full table as a warning, and only errors were read."""
    site = Site()
    on_metal(site)
    site.command("c01", "kernel warnings", 0, out=f"{FULL_TABLE}\n")

    [found] = site.look().findings

    assert (found.rule, found.evidence) == ("kernel-errors", (FULL_TABLE,))


@pytest.mark.parametrize(
    ("code", "out", "err", "known"),
    [
        pytest.param(1, "-- No entries --\n", "", True, id="none, as it says"),
        pytest.param(1, "", "", True, id="none"),
        pytest.param(1, "", "Compiled without pattern matching support", False, id="cannot pick"),
        pytest.param(None, "", "no answer in time", False, id="late"),
        pytest.param(124, "", "", False, id="given up"),
        pytest.param(1, "", "sudo: a password is required", False, id="refused"),
    ],
)
def test_warnings_that_could_not_be_picked_are_not_known(
    code: int | None, out: str, err: str, *, known: bool
) -> None:
    site = Site()
    on_metal(site)
    site.command("c01", "kernel warnings", code, out=out, err=err)

    health = site.look()

    gaps = [one for one in health.gaps if one.what == "the kernel's warnings"]
    assert ([one.where for one in gaps] == []) is known
    assert "kernel-errors" not in {one.rule for one in health.findings}


MEMORY = "MemTotal: {total} kB\nMemAvailable: {available} kB\nHugePages_Total: {pages}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            MEMORY.format(total=256 * GIB, available=8 * GIB, pages=244)
            + f"Hugepagesize: {GIB} kB\nHugetlb: {244 * GIB} kB\n",
            [], id="95 % in huge pages, and the rest is free",
        ),
        pytest.param(
            MEMORY.format(total=256 * GIB, available=8 * GIB, pages=0)
            + f"Hugepagesize: 2048 kB\nHugetlb: {244 * GIB} kB\n",
            [], id="in pages of another size than the usual one",
        ),
        pytest.param(
            MEMORY.format(total=256 * GIB, available=8 * GIB, pages=244)
            + f"Hugepagesize: {GIB} kB\n",
            [], id="an older kernel has no sum",
        ),
        pytest.param(
            MEMORY.format(total=256 * GIB, available=GIB // 4, pages=0)
            + f"Hugepagesize: 2048 kB\nHugetlb: {244 * GIB} kB\n",
            [("memory-short", State.DEGRADED)], id="huge pages, and the rest is used",
        ),
        pytest.param(
            MEMORY.format(total=256 * GIB, available=8 * GIB, pages=0)
            + "Hugepagesize: 2048 kB\nHugetlb: 0 kB\n",
            [("memory-short", State.DEGRADED)], id="no huge pages, and it is used",
        ),
        pytest.param(
            MEMORY.format(total=8 * GIB, available=GIB, pages=0) + f"Hugetlb: {9 * GIB} kB\n",
            [("answer-not-understood", State.UNKNOWN)], id="more of them than there is",
        ),
    ],
)  # fmt: skip
def test_memory_in_huge_pages_is_not_used(text: str, expected: list[tuple[str, State]]) -> None:
    site = Site()
    site.told("c01")["memory"] = text

    assert rules(site.look()) == expected
