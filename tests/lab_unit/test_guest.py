"""The guest's console: pasted from real guests in, what a test may believe out."""

import re
from importlib.resources import files

import pytest

from stackward.lab import guest
from stackward.lab.guest import (
    Boot,
    Console,
    Disk,
    DiskChange,
    Intruder,
    NetworkChange,
    PeerChange,
    PowerDown,
    Round,
    read_console,
)

# ruff: disable[E501]  a console's lines are as long as they are
# A first boot: a peer answers, a volume comes, goes and comes again, notes are written, the link
# is cut and mended, the card is replaced by another, the power button is pressed.
FIRST_BOOT = """\
SYSLINUX 6.04 20250413 Copyright (C) 1994-2015 H. Peter Anvin et al
guest up=2.49 boot=730a30d2 boots=1 mark=6a96232b previous=none:0 mem=87 kernel=6.12.107+deb13-cloud-amd64
net name=eth0 event=appeared mac=52:54:00:00:00:0b


BusyBox v1.37.0 (Debian 1:1.37.0-6+b9) built-in shell (ash)
Enter 'help' for a list of built-in commands.

guest# \x1b[6ndisk name=vda event=appeared size=20 mark=6a96232b serial=- note=-
tick n=1 up=2.69 boot=730a30d2 boots=1 disks=vda:20:6a96232b:- addr=-
net name=eth0 event=bound addr=192.168.50.24/24 mtu=1442 gw=192.168.50.1 up=4.88
tick n=2 up=5.73 boot=730a30d2 boots=1 disks=vda:20:6a96232b:- addr=192.168.50.24
peer addr=192.168.50.23 ping=yes tcp=b8383a25
peers up=7.09 boot=730a30d2 ping=192.168.50.23 tcp=192.168.50.23
tick n=3 up=8.76 boot=730a30d2 boots=1 disks=vda:20:6a96232b:- addr=192.168.50.24
disk name=vdb event=appeared size=64 mark=cfe7c5f8 serial=0f5c6d3e-31a5-4b1e-9 note=-
tick n=4 up=11.92 boot=730a30d2 boots=1 disks=vda:20:6a96232b:-,vdb:64:cfe7c5f8:- addr=192.168.50.24
write hello-1
wrote disk=vda mark=6a96232b note=hello-1
guest# write -d vdb vol-note
wrote disk=vdb mark=cfe7c5f8 note=vol-note
guest# write "bad text"
usage: write [-d DISK] TEXT   (letters, digits, . _ -)
guest# \x1b[6npeers up=12.27 boot=730a30d2 ping=192.168.50.23 tcp=192.168.50.23
tick n=5 up=14.99 boot=730a30d2 boots=1 disks=vda:20:6a96232b:hello-1,vdb:64:cfe7c5f8:vol-note addr=192.168.50.24
peers up=17.35 boot=730a30d2 ping=192.168.50.23 tcp=192.168.50.23
disk name=vdb event=vanished
tick n=6 up=18.06 boot=730a30d2 boots=1 disks=vda:20:6a96232b:hello-1 addr=192.168.50.24
disk name=vdb event=appeared size=64 mark=cfe7c5f8 serial=0f5c6d3e note=vol-note
tick n=7 up=21.15 boot=730a30d2 boots=1 disks=vda:20:6a96232b:hello-1,vdb:64:cfe7c5f8:vol-note addr=192.168.50.24
net name=eth0 event=link-down
peer addr=192.168.50.23 ping=no tcp=no
peers up=23.39 boot=730a30d2 ping=- tcp=-
tick n=8 up=24.21 boot=730a30d2 boots=1 disks=vda:20:6a96232b:hello-1,vdb:64:cfe7c5f8:vol-note addr=192.168.50.24
net name=eth0 event=link-up
net name=eth0 event=renew addr=192.168.50.24/24 mtu=1442 gw=192.168.50.1 up=26.27
net name=eth0 event=vanished
tick n=9 up=27.49 boot=730a30d2 boots=1 disks=vda:20:6a96232b:hello-1,vdb:64:cfe7c5f8:vol-note addr=-
net name=eth0 event=appeared mac=52:54:00:00:00:0c
tick n=10 up=30.54 boot=730a30d2 boots=1 disks=vda:20:6a96232b:hello-1,vdb:64:cfe7c5f8:vol-note addr=-
net name=eth0 event=bound addr=192.168.50.25/24 mtu=1442 gw=192.168.50.1 up=30.72
down up=30.76 boot=730a30d2 n=10
[   31.018892] reboot: Power down
"""

# The same disk started again.
SECOND_BOOT = """\
SYSLINUX 6.04 20250413 Copyright (C) 1994-2015 H. Peter Anvin et al
guest up=2.10 boot=f9f9ba33 boots=2 mark=6a96232b previous=730a30d2:10 mem=87 kernel=6.12.107+deb13-cloud-amd64
net name=eth0 event=appeared mac=52:54:00:00:00:0b


BusyBox v1.37.0 (Debian 1:1.37.0-6+b9) built-in shell (ash)
Enter 'help' for a list of built-in commands.

guest# \x1b[6ndisk name=vda event=appeared size=20 mark=6a96232b serial=- note=hello-1
tick n=1 up=2.42 boot=f9f9ba33 boots=2 disks=vda:20:6a96232b:hello-1 addr=-
net name=eth0 event=bound addr=192.168.50.24/24 mtu=1442 gw=192.168.50.1 up=2.56
peer addr=192.168.50.23 ping=yes tcp=b8383a25
peers up=4.62 boot=f9f9ba33 ping=192.168.50.23 tcp=192.168.50.23
tick n=2 up=5.45 boot=f9f9ba33 boots=2 disks=vda:20:6a96232b:hello-1 addr=192.168.50.24
"""

# Two guests on one disk, both running: what the first one says.
SHARED_DISK = """\
guest up=3.23 boot=fc26c40f boots=1 mark=48e2869d previous=none:0 mem=55 kernel=6.12.107+deb13-cloud-amd64
tick n=3 up=9.56 boot=fc26c40f boots=1 disks=vda:20:48e2869d:- addr=192.168.50.24
peers up=10.69 boot=fc26c40f ping=- tcp=-
stolen disk=vda boot=fc26c40f other=5c257ced tick=1
tick n=4 up=12.62 boot=fc26c40f boots=1 disks=vda:20:48e2869d:- addr=192.168.50.24
"""
# ruff: enable[E501]


@pytest.fixture
def first() -> Console:
    return read_console(FIRST_BOOT)


@pytest.fixture
def both() -> Console:
    return read_console(FIRST_BOOT + SECOND_BOOT)


def test_a_boot_tells_its_disk_and_what_that_disk_saw_before(both: Console) -> None:
    assert both.boots == (
        Boot(
            id="730a30d2",
            up_s=2.49,
            boots=1,
            mark="6a96232b",
            previous=None,
            memory_mib=87,
            kernel="6.12.107+deb13-cloud-amd64",
        ),
        Boot(
            id="f9f9ba33",
            up_s=2.10,
            boots=2,
            mark="6a96232b",
            previous=("730a30d2", 10),
            memory_mib=87,
            kernel="6.12.107+deb13-cloud-amd64",
        ),
    )


def test_ticks_of_all_boots_are_kept_in_order(both: Console) -> None:
    assert [(tick.boot, tick.number) for tick in both.ticks] == [
        *(("730a30d2", number) for number in range(1, 11)),
        *(("f9f9ba33", number) for number in range(1, 3)),
    ]


def test_a_tick_lists_disks_with_mark_and_note(first: Console) -> None:
    tick = first.ticks[4]

    assert tick.disks == (
        Disk(name="vda", size_mib=20, mark="6a96232b", note="hello-1"),
        Disk(name="vdb", size_mib=64, mark="cfe7c5f8", note="vol-note"),
    )
    assert tick.disk("vdb") == tick.disks[1]
    assert tick.disk("vdc") is None


def test_the_last_tick_speaks_for_the_newest_boot(both: Console) -> None:
    assert both.last_tick is not None
    assert both.last_tick.boot == "f9f9ba33"
    assert both.disk_marks == {"vda": "6a96232b"}
    assert both.address == "192.168.50.24"
    assert both.peers == ("192.168.50.23",)
    assert both.tcp_peers == ("192.168.50.23",)


def test_a_restart_shows_as_a_second_boot_id(first: Console, both: Console) -> None:
    assert first.boot_ids == ("730a30d2",)
    assert both.boot_ids == ("730a30d2", "f9f9ba33")


def test_a_log_whose_start_was_rotated_away_still_shows_the_restart() -> None:
    """Rotation cuts anywhere: the boot is then known by its ticks."""
    rotated = read_console((FIRST_BOOT + SECOND_BOOT)[2100:])

    assert [boot.id for boot in rotated.boots] == ["f9f9ba33"]
    assert rotated.boot_ids == ("730a30d2", "f9f9ba33")


def test_a_new_boot_that_has_not_ticked_has_no_last_tick() -> None:
    started, _, _ = SECOND_BOOT.partition("net name")

    console = read_console(FIRST_BOOT + started)

    assert console.boots[-1].id == "f9f9ba33"
    assert console.last_tick is None
    assert console.address is None
    assert console.peers == ()
    assert console.disk_marks == {}


def test_a_volume_is_the_same_one_when_it_comes_back(first: Console) -> None:
    changes = [event for event in first.events if isinstance(event, DiskChange)]

    assert changes[1:] == [
        DiskChange(
            name="vdb", appeared=True, size_mib=64, mark="cfe7c5f8", serial="0f5c6d3e-31a5-4b1e-9"
        ),
        DiskChange(name="vdb", appeared=False),
        DiskChange(name="vdb", appeared=True, size_mib=64, mark="cfe7c5f8", serial="0f5c6d3e"),
    ]


def test_network_cards_are_followed(first: Console) -> None:
    changes = [event for event in first.events if isinstance(event, NetworkChange)]

    assert [change.event for change in changes] == [
        "appeared", "bound", "link-down", "link-up", "renew", "vanished", "appeared", "bound",
    ]  # fmt: skip
    assert changes[1] == NetworkChange(
        name="eth0", event="bound", address="192.168.50.24", mtu=1442
    )
    assert first.address == "192.168.50.25"
    assert first.mtu == 1442


def test_peers_are_told_when_they_change_and_once_a_round(first: Console) -> None:
    changes = [event for event in first.events if isinstance(event, PeerChange)]

    assert changes == [
        PeerChange(address="192.168.50.23", answers_ping=True, tcp_boot="b8383a25"),
        PeerChange(address="192.168.50.23", answers_ping=False, tcp_boot=None),
    ]
    assert first.last_round == Round(up_s=23.39, boot="730a30d2", by_ping=(), by_tcp=())


def test_a_graceful_stop_is_on_record(first: Console) -> None:
    assert first.power_downs == (PowerDown(up_s=30.76, boot="730a30d2", last_tick=10),)


def test_two_guests_on_one_disk_are_told() -> None:
    assert read_console(SHARED_DISK).intruders == (Intruder(boot="fc26c40f", other="5c257ced"),)


def test_a_prompt_or_typing_before_a_line_does_not_hide_it() -> None:
    line = "tick n=9 up=27.49 boot=730a30d2 boots=1 disks=- addr=-\n"

    console = read_console(f"guest# \x1b[6n{line}guest# wri{line}")

    assert len(console.ticks) == 2


def test_an_unfinished_last_line_is_not_believed() -> None:
    console = read_console("tick n=9 up=27.49 boot=730a30d2 boots=1 disks=- addr=192.168.50.2")

    assert console == Console(())


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("tick n=9 up=27.49", id="cut short"),
        pytest.param(
            "tick n=9 up=27.49 boot=730a30d2 boots=1 disks=vda:20:6a96 addr=-", id="disk cut"
        ),
        pytest.param("tick n=nine up=27.49 boot=b boots=1 disks=- addr=-", id="not a number"),
    ],
)
def test_a_damaged_line_is_kept_apart_and_never_evidence(line: str) -> None:
    console = read_console(f"{line}\r\n")

    assert console == Console((), (line,))


def test_a_console_of_somebody_else_says_nothing() -> None:
    assert read_console("SYSLINUX 6.04\r\nlogin: \r\n") == Console(())


def test_the_build_has_its_parts_and_the_sizes_told_here() -> None:
    """The shell and Python each state the sizes: they must be the same."""
    folder = files("stackward.lab") / guest.BUILD_FOLDER
    script = (folder / "build.sh").read_text()

    assert re.findall(r"^(?:fat|image)_mib=(\d+)$", script, re.MULTILINE) == [
        str(guest.FILE_SYSTEM_MIB),
        str(guest.IMAGE_MIB),
    ]
    assert f"sleep {guest.TICK_EVERY_S}\n" in (folder / "tick").read_text()
    assert f"sleep {guest.PEERS_EVERY_S} " in (folder / "peers").read_text()
