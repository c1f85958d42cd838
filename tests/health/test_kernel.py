"""What a kernel warns of, its table of connections, and memory that is set aside in huge pages."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fakes.site import Site
from stackward.model.health import Health, State
from stackward.wording import in_utc

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


DAY, MINUTE = 86400, 60
SHUT_DOWN = "XFS (sdb): Shutting down filesystem."


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        pytest.param([40 * DAY], [], id="forty days ago"),
        pytest.param([DAY + MINUTE], [], id="just more than a day ago"),
        pytest.param([DAY - MINUTE], ["1 serious error"], id="just less than a day ago"),
        pytest.param([40 * DAY, 90], ["1 serious error"], id="one of today counts, and no older"),
        pytest.param([-5], ["1 serious error"], id="a clock that was set back"),
    ],
)
def test_an_error_of_the_kernel_is_a_finding_for_a_day(
    ages: list[float], expected: list[str]
) -> None:
    site = Site()
    now = on_metal(site)["now"]
    told = "".join(f"{now - age:.6f} c01 kernel: {SHUT_DOWN}\n" for age in ages)
    site.command("c01", "kernel", 0, out=told)

    health = site.look()

    reasons = [one.reason for one in health.findings if one.rule == "kernel-errors"]
    assert [one.removeprefix("the kernel has met ").split(" in ")[0] for one in reasons] == expected
    assert all(SHUT_DOWN in one.evidence for one in health.findings)


def test_when_the_last_error_was_is_told_whether_it_is_a_finding_or_a_note() -> None:
    site = Site()
    now = on_metal(site)["now"]
    site.command("c01", "kernel", 0, out=f"{now - 90:.6f} c01 kernel: {SHUT_DOWN}\n")
    [found] = site.look().findings
    site.command("c01", "kernel", 0, out=f"{now - 40 * DAY:.6f} c01 kernel: {SHUT_DOWN}\n")
    notes = [one.says for one in site.look().notes if one.where == "c01"]

    at = in_utc(datetime.fromtimestamp(now - 90, UTC))
    before = in_utc(datetime.fromtimestamp(now - 40 * DAY, UTC))
    assert (
        found.reason == f"the kernel has met 1 serious error in the last 24 hours, the last at {at}"
    )
    [note] = notes
    assert note == (
        "its kernel has met 1 serious error since it booted, none of them in the last 24 hours, "
        f"the last at {before}: {SHUT_DOWN}"
    )


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
