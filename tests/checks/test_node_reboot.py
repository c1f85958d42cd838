"""Whether a node may be rebooted, and which kernel it has booted, against the fake cloud."""

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.checks.node_reboot import NothingRuns, RunsChosenKernel
from stackward.plan import Holds, NotApplicable, Refuted, Unverified

NODE = "compute-07"
NOTHING = NothingRuns(host=NODE, node=NODE)
KERNEL = RunsChosenKernel(node=NODE)


def a_shell(*statuses: str) -> FakeShell:
    cloud = FakeCloud()
    cloud.nova.add(*(a_server(one, name=f"db-{one}") for one in statuses))
    return FakeShell(cloud)


def test_nothing_runs_where_all_are_off_or_on_their_disks() -> None:
    shell = a_shell("SHUTOFF", "SUSPENDED")

    assert isinstance(NOTHING.ask(a_world(shell.cloud, shell)), Holds)


@pytest.mark.parametrize("status", ["ACTIVE", "PAUSED"])
def test_a_guest_that_runs_or_is_paused_is_found(status: str) -> None:
    shell = a_shell(status, "SHUTOFF")

    answer = NOTHING.ask(a_world(shell.cloud, shell))

    assert isinstance(answer, Refuted)
    runs = f"its libvirt runs {an_id(f'db-{status}')}"
    assert answer.reason == f"{runs}: `db-{status}` was started since"


def test_a_libvirt_that_does_not_answer_proves_nothing() -> None:
    shell = a_shell()
    shell.libvirt_down.add(NODE)

    assert isinstance(NOTHING.ask(a_world(shell.cloud, shell)), Unverified)


NEW, OLD = "6.1.0-20-amd64", "6.1.0-18-amd64"


@pytest.mark.parametrize(
    ("kernels", "is_container", "kind"),
    [
        ((NEW, NEW), False, Holds),
        ((OLD, NEW), False, Refuted),
        ((NEW, ""), False, NotApplicable),
        ((OLD, NEW), True, NotApplicable),
    ],
)
def test_the_kernel_that_was_chosen_runs(
    kernels: tuple[str, str], kind: type, *, is_container: bool
) -> None:
    shell = a_shell()
    shell.kernels, shell.is_container = kernels, is_container

    assert isinstance(KERNEL.ask(a_world(shell.cloud, shell)), kind)


def test_a_node_that_is_silent_again_proves_no_kernel() -> None:
    shell = a_shell()
    shell.silent.add(NODE)

    assert isinstance(KERNEL.ask(a_world(shell.cloud, shell)), Unverified)
