"""Which disks of a server another node sees: the script that runs there, tried on real files."""

import fcntl
import json
import os
import struct
import subprocess  # noqa: TID251  # the script is run as a node runs it
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stackward.errors import NotUnderstood
from stackward.facts.disks_elsewhere import parse_disks, script
from stackward.model.disk_seen import DiskSeen

F_OFD_SETLK = 37  # linux/fcntl.h
SERVER = "5207b010-bf1e-42df-9895-0c0269510c6b"


def seen_in(place: Path) -> DiskSeen:
    """Run the script, as a node would."""
    asked = json.dumps({"servers": [SERVER], "directories": [str(place)]})
    command = [sys.executable, "-", asked]
    out = subprocess.run(  # noqa: S603  # the script itself
        command, input=script(), capture_output=True, text=True, check=True
    ).stdout
    return parse_disks(f"Welcome\n{out}", [SERVER])[SERVER]


def qcow2(behind: Path | None) -> bytes:
    """Return the head of an image that rests on another one."""
    name = str(behind).encode() if behind else b""
    offset = 32 if behind else 0
    return (b"QFI\xfb" + struct.pack(">IQI", 3, offset, len(name))).ljust(32, b"\0") + name


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Given a server's directory, with an overlay whose base is there."""
    folder, base = tmp_path / SERVER, tmp_path / "base"
    folder.mkdir()
    base.write_bytes(b"boot sector")
    disk = folder / "disk"
    disk.write_bytes(qcow2(base))
    (folder / "disk.info").write_text(json.dumps({str(disk): "qcow2"}))
    return disk


def test_a_directory_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert seen_in(tmp_path) == DiskSeen()


def test_a_disk_whose_every_part_is_there_is_whole(disk: Path) -> None:
    seen = seen_in(disk.parents[1])

    assert (seen.path, seen.lacks(with_root=True)) == (str(disk.parent), "")


def test_a_disk_whose_base_is_gone_is_not(disk: Path) -> None:
    (disk.parents[1] / "base").unlink()

    assert "No such file" in seen_in(disk.parents[1]).lacks(with_root=True)


def test_a_disk_that_is_empty_is_not(disk: Path) -> None:
    disk.write_bytes(b"")

    assert "is empty" in seen_in(disk.parents[1]).lacks(with_root=True)


def test_a_directory_without_a_disk_holds_none(disk: Path) -> None:
    disk.unlink()

    assert seen_in(disk.parents[1]).lacks(with_root=True) == "it holds no disk"


def test_a_raw_disk_is_not_followed_whatever_its_guest_wrote_into_it(disk: Path) -> None:
    (disk.parent / "disk.info").write_text(json.dumps({str(disk): "raw"}))
    disk.write_bytes(qcow2(Path("/etc/shadow-of-nothing")))

    assert seen_in(disk.parents[1]).lacks(with_root=True) == ""


def test_a_second_disk_counts_too(disk: Path) -> None:
    (disk.parent / "disk.eph0").write_bytes(qcow2(Path("/nowhere/base")))

    assert "No such file" in seen_in(disk.parents[1]).lacks(with_root=True)


def test_what_is_not_understood_is_said(disk: Path) -> None:
    (disk.parent / "disk.info").write_text("{")

    assert seen_in(disk.parents[1]).unread is not None


def test_an_answer_in_another_form_is_not_taken_for_one() -> None:
    with pytest.raises(NotUnderstood):
        parse_disks('{"version": 1, "told": {}}', [SERVER])


def test_a_disk_that_a_guest_has_open_is_locked(disk: Path) -> None:
    """As QEMU does it: a shared lock on a byte of each right that it takes."""
    with disk.open("rb") as held:
        lock = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 101, 1, 0)
        fcntl.fcntl(held, F_OFD_SETLK, lock)
        locked = seen_in(disk.parents[1])

    assert (locked.locked, locked.lacks(with_root=True)) == (("disk",), "")
    assert seen_in(disk.parents[1]).locked == ()


def test_it_says_when_a_disk_was_written_last(disk: Path) -> None:
    at = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    (disk.parent / "disk.eph0").write_bytes(b"raw")
    os.utime(disk, (0, at.timestamp()))
    os.utime(disk.parent / "disk.eph0", (0, at.timestamp() - 60))

    assert seen_in(disk.parents[1]).written == at


def test_it_says_which_file_system_has_the_disk(disk: Path) -> None:
    told = subprocess.run(  # noqa: S603  # the kernel's own tool reads the same
        ["findmnt", "--noheadings", "--output", "FSTYPE,SOURCE", "--target", str(disk)],  # noqa: S607
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip

    assert (seen_in(disk.parents[1]).storage or "").split()[0] == told[0]


def test_it_says_where_in_its_file_system_a_directory_is(disk: Path) -> None:
    """As the kernel's own tool tells it: a bind mount shows another folder at the same path.

    Of mounts on one another the last is seen.
    """
    *_, mount, root = subprocess.run(  # noqa: S603  # same
        ["findmnt", "--noheadings", "--output", "TARGET,FSROOT", "--target", str(disk)],  # noqa: S607
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    inside = disk.parent.resolve().relative_to(mount)

    assert seen_in(disk.parents[1]).place == str(Path(root) / inside)
