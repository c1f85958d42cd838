"""Whether a node needs a reboot, against the fake cloud."""

import pytest

from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from stackward.facts.reboot_need import parse_deleted, read_reboot_need
from stackward.model.unread import Unread

NODE = "compute-07"
NEW, OLD = "6.1.0-20-amd64", "6.1.0-18-amd64"


@pytest.fixture
def shell() -> FakeShell:
    return FakeShell(FakeCloud())


def test_a_node_that_runs_what_is_installed_needs_none(shell: FakeShell) -> None:
    assert read_reboot_need(shell, NODE) == ()


def test_a_newer_kernel_is_a_reason(shell: FakeShell) -> None:
    shell.kernels = (OLD, NEW)

    assert read_reboot_need(shell, NODE) == (
        f"it runs the kernel {OLD}, and {NEW} was chosen for its next boot",
    )


def test_the_kernel_of_a_container_is_that_of_its_host(shell: FakeShell) -> None:
    shell.kernels, shell.is_container = (OLD, NEW), True

    assert read_reboot_need(shell, NODE) == ()


def test_its_own_word_is_a_reason(shell: FakeShell) -> None:
    shell.files[NODE, "/run/reboot-required"] = "*** System restart required ***\n"

    assert read_reboot_need(shell, NODE) == ("`/run/reboot-required` is there",)


def test_replaced_files_that_run_are_a_reason_and_name_their_programs(shell: FakeShell) -> None:
    shell.runs_deleted = {"812": "libvirtd", "900": "nova-compute", "901": "nova-compute"}

    assert read_reboot_need(shell, NODE) == (
        "files that were replaced still run: libvirtd, nova-compute",
    )


def test_what_cannot_be_read_is_no_need_of_none(shell: FakeShell) -> None:
    shell.refused[NODE] = "sudo: a password is required"
    shell.kernels = (OLD, "")

    found = read_reboot_need(shell, NODE)

    assert [isinstance(each, Unread) for each in found] == [True, True]


def test_a_silent_node_is_unread(shell: FakeShell) -> None:
    shell.silent.add(NODE)

    [found] = read_reboot_need(shell, NODE)

    assert isinstance(found, Unread)


def test_a_process_is_counted_once_whatever_its_threads_say() -> None:
    out = "/proc/12/maps\n/proc/12/task/12/maps\n/proc/12/task/13/maps\n/proc/7/task/7/maps\n"

    assert parse_deleted(out) == ("12", "7")


@pytest.mark.parametrize(
    ("code", "err", "is_known"),
    [
        (2, "grep: /proc/9/task/9/maps: No such process\ngrep: /proc/8/fd: No such file\n", True),
        (2, "grep: /proc/9/maps: Permission denied\n", False),
        (124, "", False),
    ],
)
def test_processes_that_have_ended_are_no_fault_and_those_that_may_not_be_read_are(
    shell: FakeShell, code: int, err: str, *, is_known: bool
) -> None:
    shell.deleted_ends = (code, err)

    assert (read_reboot_need(shell, NODE) == ()) is is_known
