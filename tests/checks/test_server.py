"""Whether a server runs by a new boot, against the fake cloud."""

from dataclasses import replace
from typing import Any

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.nova import FakeNova
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.checks.server import AllRun, OneGuestEach, RunElsewhere, RunsAnew
from stackward.errors import Unreachable
from stackward.plan import Holds, NotApplicable, Refuted, Unverified
from stackward.ports.world import World

DB, NODE = an_id("db-01"), "compute-07"
CHECK = RunsAnew(server=DB, name="db-01", before="9")


def world_of(cloud: FakeCloud, **shell: Any) -> World:  # noqa: ANN401  # any field
    cloud.nova.add(*([] if cloud.nova.known else [a_server()]))
    return a_world(cloud, FakeShell(cloud, **shell))


def of_server(**changes: Any) -> FakeCloud:  # noqa: ANN401  # any field
    cloud = FakeCloud()
    cloud.nova.add(replace(a_server(), **changes))
    return cloud


@pytest.mark.parametrize(("before", "said"), [("9", "boot 9 ran"), ("off", "none ran")])
def test_a_new_boot_holds_by_what_libvirt_says_of_it(before: str, said: str) -> None:
    answer = replace(CHECK, before=before).ask(world_of(FakeCloud()))

    assert isinstance(answer, Holds)
    assert f"runs boot 10 of its guest; {said} before" in answer.read


@pytest.mark.parametrize(
    ("cloud", "shell", "reason"),
    [
        pytest.param(of_server(task_state="rebooting"), {}, "rebooting", id="Nova is at work"),
        pytest.param(
            of_server(status="ERROR", vm_state="error"), {}, "it is ERROR", id="it is in ERROR"
        ),
        pytest.param(of_server(power_state=4), {}, "power state is 4", id="Nova has it off"),
        pytest.param(
            of_server(), {"domains": {(NODE, DB): "paused"}}, "is paused", id="its guest is paused"
        ),
        pytest.param(
            of_server(), {"without": {(NODE, DB)}}, "does not have it", id="it has no guest"
        ),
    ],
)
def test_what_is_so_instead_is_found(cloud: FakeCloud, shell: dict[str, Any], reason: str) -> None:
    answer = CHECK.ask(world_of(cloud, **shell))

    assert isinstance(answer, Refuted)
    assert reason in answer.reason


def test_the_boot_of_before_is_found() -> None:
    answer = replace(CHECK, before="10").ask(world_of(FakeCloud()))

    assert isinstance(answer, Refuted)
    assert "the guest of before still runs" in answer.reason


@pytest.mark.parametrize("before", [None, "9"])
def test_what_cannot_be_read_is_not_proved(before: str | None) -> None:
    shell = {"silent": {NODE}} if before else {}

    answer = replace(CHECK, before=before).ask(world_of(FakeCloud(), **shell))

    assert isinstance(answer, Unverified)


@pytest.mark.parametrize(
    "cloud",
    [
        FakeCloud(FakeNova(kind="fake", known={DB: a_server()})),
        FakeCloud(FakeNova(known={"x": a_server()})),
    ],
)
def test_without_domains_or_server_it_does_not_apply(cloud: FakeCloud) -> None:
    assert isinstance(CHECK.ask(a_world(cloud)), NotApplicable)


def test_while_its_cell_is_down_nothing_is_answered() -> None:
    with pytest.raises(Unreachable, match="its cell is down"):
        CHECK.ask(world_of(of_server(status="UNKNOWN")))


ALL = AllRun(host=NODE, servers=(DB, an_id("db-02")))


def test_servers_run_where_nova_libvirt_and_their_guests_agree() -> None:
    cloud = FakeCloud()
    cloud.nova.add(a_server(), a_server(name="db-02"))

    answer = ALL.ask(world_of(cloud))

    assert isinstance(answer, Holds)
    assert answer.read.startswith("2 servers: ACTIVE")


def test_each_server_that_does_not_run_is_named_with_what_is_so() -> None:
    cloud = FakeCloud()
    cloud.nova.add(a_server("SHUTOFF"), a_server(name="db-02"))

    answer = ALL.ask(world_of(cloud, reads_nothing={an_id("db-02")}))

    assert isinstance(answer, Refuted)
    assert "1 server does not run as it should: `db-01` (state: it is SHUTOFF" in answer.reason
    assert "db-02" not in answer.reason  # its console has words of a kernel


def test_what_cannot_be_read_is_not_proved_to_run() -> None:
    cloud = FakeCloud()
    cloud.nova.add(a_server())

    answer = AllRun(host=NODE, servers=(DB,)).ask(world_of(cloud, silent={NODE}))

    assert isinstance(answer, Unverified)


def test_one_that_was_deleted_since_needs_not_run() -> None:
    cloud = FakeCloud()
    cloud.nova.add(a_server())

    answer = ALL.ask(world_of(cloud))

    assert isinstance(answer, Holds)
    assert answer.read.endswith("1 deleted since")


def test_a_server_on_another_host_does_not_run_here() -> None:
    cloud = FakeCloud()
    cloud.nova.add(a_server(host="compute-08"))

    answer = AllRun(host=NODE, servers=(DB,)).ask(world_of(cloud))

    assert isinstance(answer, Refuted)
    assert "host: it is on `compute-08`" in answer.reason


ONE_EACH = OneGuestEach(servers=(DB,), but_for=NODE)
ELSEWHERE = "compute-08"


def evacuated(**changes: Any) -> FakeCloud:  # noqa: ANN401  # any field
    return of_server(host=ELSEWHERE, **changes)


@pytest.mark.parametrize(
    ("cloud", "shell", "reason"),
    [
        pytest.param(evacuated(), {"strays": {"compute-09": [DB]}}, "guests on", id="two guests"),
        pytest.param(
            evacuated(),
            {"without": {(ELSEWHERE, DB)}, "strays": {"compute-09": [DB]}},
            "its guest is on `compute-09`, and Nova has it on `compute-08`",
            id="one, on another node",
        ),
        pytest.param(
            evacuated(), {"without": {(ELSEWHERE, DB)}}, "no libvirt has a guest", id="none"
        ),
    ],
)
def test_more_or_less_than_one_guest_is_found(
    cloud: FakeCloud, shell: dict[str, Any], reason: str
) -> None:
    answer = ONE_EACH.ask(world_of(cloud, **shell))

    assert isinstance(answer, Refuted)
    assert reason in answer.reason


def test_one_guest_on_its_own_node_holds_whatever_the_dead_node_has() -> None:
    shell = {"strays": {NODE: [DB]}}

    assert isinstance(ONE_EACH.ask(world_of(evacuated(), **shell)), Holds)


@pytest.mark.parametrize("silent", [ELSEWHERE, "compute-09"])
def test_a_guest_is_not_proved_to_be_the_only_one_where_a_node_is_silent(silent: str) -> None:
    answer = ONE_EACH.ask(world_of(evacuated(), silent={silent}))

    assert isinstance(answer, Unverified)


def test_what_was_deleted_since_needs_no_guest() -> None:
    cloud = FakeCloud()
    cloud.nova.add(a_server(name="db-02"))
    answer = ONE_EACH.ask(world_of(cloud))

    assert isinstance(answer, Holds)
    assert "1 deleted since" in answer.read


def test_without_libvirt_no_guest_is_asked_for() -> None:
    cloud = evacuated()
    cloud.nova.kind = "fake"
    answer = ONE_EACH.ask(world_of(cloud))

    assert isinstance(answer, Holds)
    assert "1 on hypervisors without libvirt" in answer.read


def test_servers_run_elsewhere_each_where_nova_has_it() -> None:
    check = RunElsewhere(servers=(DB,), but_for=NODE)

    assert isinstance(check.ask(world_of(evacuated())), Holds)
    found = check.ask(world_of(evacuated(status="SHUTOFF", vm_state="stopped", power_state=4)))
    assert isinstance(found, Refuted)
    assert "it is SHUTOFF" in found.reason
    left = check.ask(world_of(of_server()))
    assert isinstance(left, Refuted)
    assert "1 server is on it still" in left.reason
