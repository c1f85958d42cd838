"""What tells who ran on a node: as a node of the lab answered, word for word."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from builders import NOW, a_domain, a_server
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.facts.who_ran import (
    parse_guest_logs,
    read_clock,
    read_guest_logs,
    read_pasts,
)
from stackward.model.observation import Observation
from stackward.model.unread import Unread
from stackward.model.values import Json  # noqa: TC001
from stackward.model.who_ran import GuestEvent, Seen
from stackward.status.booted import parse_boot, read_booted

LOGS = (Path(__file__).parent / "samples/guest-logs.txt").read_text()
NODE = "compute-07"
STAT = (
    "1 (systemd) S 0 1 1 0 -1 4194560 3665 40841 1 0 17 13 32 21 20 0 1 0 3140094 23805952 3537\n"
    "cpu  1 2 3\nintr 1\nbtime 1795805128\nprocesses 7\n1c8b6a9e-5a1f-4a7c-9d3e-0f2b7c6d5e4f\n"
)


def test_starts_signals_and_ends_of_each_guest_are_read_with_their_times() -> None:
    found = parse_guest_logs(LOGS)

    assert {name: [one.event for one in lines] for name, lines in found.items()} == {
        "instance-00000003": [GuestEvent.STARTED],
        "instance-00000004": [GuestEvent.STARTED, GuestEvent.ENDED],
    }
    last = found["instance-00000004"][-1]
    assert (last.reason, last.at) == (
        "destroyed",
        datetime(2026, 11, 28, 3, 27, 19, 31000, tzinfo=UTC),
    )


def test_a_signal_of_another_process_than_libvirts_is_from_outside() -> None:
    by_systemd = LOGS.replace("(/usr/sbin/libvirtd)", "(/usr/lib/systemd/systemd)")

    assert [one.event for one in parse_guest_logs(by_systemd)["instance-00000004"]] == [
        GuestEvent.STARTED,
        GuestEvent.SIGNALLED,
        GuestEvent.ENDED,
    ]


def test_a_log_that_was_rotated_is_of_the_same_guest() -> None:
    old = LOGS.splitlines()[0].replace(".log:", ".log.0:")

    assert list(parse_guest_logs(old)) == ["instance-00000003"]


@pytest.mark.parametrize("odd", ["Permission denied", "/x/y.log:once: starting up libvirt version"])
def test_another_form_is_one_witness_less(odd: str) -> None:
    cloud = FakeCloud()

    found = read_guest_logs(FakeShell(cloud, guest_logs=odd), NODE)

    assert isinstance(found, Unread)
    assert "not understood" in found.why


def test_a_login_that_may_not_read_them_says_so() -> None:
    shell = FakeShell(FakeCloud(), refused={NODE: "sudo: a password is required"})

    assert read_guest_logs(shell, NODE) == Unread("sudo: a password is required")


def test_no_line_at_all_is_an_answer() -> None:
    assert read_guest_logs(FakeShell(FakeCloud()), NODE) == {}


def test_the_boot_is_the_start_of_the_first_process() -> None:
    boot = parse_boot(STAT)

    assert boot.at == datetime(2026, 11, 28, 3, 28, 48, 940000, tzinfo=UTC)


def test_a_clock_that_is_set_makes_no_other_boot() -> None:
    boot, stepped = parse_boot(STAT), parse_boot(STAT.replace("1795805128", "1795805999"))
    in_a_container = parse_boot(STAT.replace(" 3140094 ", " 3240094 "))
    of_a_machine = parse_boot(STAT.replace("1c8b", "2d9c"))

    assert (boot == stepped, boot == in_a_container, boot == of_a_machine) == (True, False, False)


def test_a_boot_that_is_not_told_is_not_known() -> None:
    assert isinstance(read_booted(FakeShell(FakeCloud(), booted=None), NODE), Unread)
    assert isinstance(read_booted(FakeShell(FakeCloud(), silent={NODE}), NODE), Unread)


def test_a_clock_that_is_ahead_is_measured() -> None:
    cloud = FakeCloud()

    assert read_clock(a_world(cloud, FakeShell(cloud, ahead_s=90.0)), NODE) == 90.0
    assert isinstance(read_clock(a_world(cloud, FakeShell(cloud, silent={NODE})), NODE), Unread)


def test_each_server_has_all_its_witnesses(tmp_path: Path) -> None:
    cloud, server = FakeCloud(), a_server()
    cloud.nova.add(server)
    cloud.nova.stop_server(server.id)
    world = a_world(cloud)
    journal = SqlJournal(open_database(url_of(tmp_path)))
    value: Json = {"host": NODE, "guests": {server.id: {"state": "running", "disks": []}}}
    journal.observe(
        [
            Observation(
                cloud=cloud.identity().id,
                node="c07",
                subject="guests",
                value=value,
                source="libvirt",
                at=NOW,
            )
        ]
    )
    log = parse_guest_logs(LOGS)["instance-00000003"]
    domain = a_domain(server, name="instance-00000003")

    [past] = read_pasts(world, journal, NODE, [server], (domain,), {"instance-00000003": log})

    assert [each.action for each in cloud.nova.actions_of(server.id)] == ["stop"]
    assert past.actions == cloud.nova.actions_of(server.id)
    assert past.seen == Seen(state="running", at=NOW)
    assert past.log == log
    journal.close()
