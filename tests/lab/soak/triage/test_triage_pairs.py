"""Two faults by which one server does not boot: both are named, and no third.

Given a server that runs; when two faults are put into it, and it is started again where neither
does that; then its triage names both. With one mended it would not run: it is removed with both.
"""

from collections.abc import Iterator

import pytest

from lab.drains import Drains
from lab.triaged import triaged
from real_lab import RealLab

NAME = "triage-pair"
# Each fault, with the signature that names it.
SIGNATURES = {
    "guest-panic": "guest-kernel-panic",
    "guest-no-bootloader": "guest-no-boot-disk",
    "disk-corrupt": "disk-corrupt",
    "disk-permission": "disk-permission",
    "binding-lost": "binding-failed",
}
# The others exclude each other: each is put into a server that runs, and after a disk that is
# damaged or a port without a binding it does not; a guest that has no boot loader cannot panic.
PAIRS = [
    ("disk-permission", "binding-lost"),
    ("disk-permission", "disk-corrupt"),
    ("guest-no-bootloader", "binding-lost"),
    ("guest-no-bootloader", "disk-permission"),
    ("guest-panic", "disk-permission"),
]


@pytest.fixture
def server(lab: RealLab, drains: Drains) -> Iterator[str]:
    """Given a server that runs."""
    with drains.running(NAME) as made:
        yield made
    for fault in SIGNATURES:
        lab.call("mend", fault, made)  # of those that were made the records go, with the server


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_both_of_two_faults_are_named_and_no_third(
    lab: RealLab, drains: Drains, server: str, pair: tuple[str, str]
) -> None:
    for fault in pair:
        lab.run("break", fault, server)

    found = triaged(drains, server)

    [told] = found.servers
    named = sorted(str(cause["signature"]) for cause in told["causes"])
    assert named == sorted(SIGNATURES[fault] for fault in pair), told["causes"]
    assert all(cause["evidence"] for cause in told["causes"])
