"""What follows logs on a node: each line is told once, whatever becomes of its file."""

import gzip
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facts.test_scan import BODY, PREFIX, line
from stackward.adapters.ssh import Ssh
from stackward.facts.talks import script
from stackward.lab.waiting import wait_until
from stackward.model.inventory import Inventory, Node
from stackward.ports.root import BOOTSTRAP
from stackward.ports.shell import Conversation

PYTHON = (sys.executable, "-I", "-c", BOOTSTRAP)
HERE = Inventory(source="inventory", nodes=(Node(name="here", address="here", is_local=True),))
LOG = "var/log/nova/nova-compute.log"
TRACEBACK = "".join(
    line(0, text, "ERROR")
    for text in (
        "it failed",
        "Traceback (most recent call last):",
        '  File "/x.py", line 1',
        "E: x",
    )
)


def asked(root: Path, **others: object) -> dict[str, object]:
    return {
        "root": str(root), "places": [f"/{LOG}"], "units": [], "journal": False, "level": None,
        "words": [], "lines": 0, "zone_s": 0, "bodies": BODY, "prefixes": PREFIX, **others,
    }  # fmt: skip


class Said:
    """The other side of a talk, in this process."""

    def __init__(self) -> None:
        self.pieces: list[dict[str, Any]] = []

    def say(self, given: bytes) -> None:
        self.pieces.append(json.loads(given))


class Following:
    """The script of a node, run look by look."""

    def __init__(self, root: Path, **others: object) -> None:
        self.names: dict[str, Any] = {"__name__": "on_a_node"}
        exec(compile(script("tail"), "tail", "exec"), self.names)  # noqa: S102  # as a node does
        self.names["be_quiet"] = lambda: None
        self.log = root / LOG
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.root, self.said = root, Said()
        self.begin(**others)

    def begin(self, **others: object) -> None:
        """Begin anew, as after the way was lost."""
        self.tail = self.names["Tail"](asked(self.root, **others), self.said)
        self.tail.begin()

    def again(self) -> None:
        """Lose the way, and take up again where it was left."""
        self.close()
        self.begin(places_read=self.places)

    def close(self) -> None:
        for each in (*self.tail.files.values(), *self.tail.leaving):
            each.close()

    @property
    def places(self) -> dict[str, object]:
        known: dict[str, object] = {}
        for piece in self.said.pieces:
            known |= piece["places"]
        return known

    def look(self) -> None:
        """Look twice: an event has ended when nothing was added to it."""
        self.tail.looked_at = 0.0
        for _ in range(3):
            self.tail.look()

    @property
    def events(self) -> list[str]:
        return [each[3] for piece in self.said.pieces for each in piece["events"]]

    @property
    def old(self) -> list[str]:
        return [each[3] for piece in self.said.pieces for each in piece.get("old", ())]

    @property
    def notes(self) -> list[str]:
        return [note for piece in self.said.pieces for note in piece["notes"]]


@pytest.fixture
def follow(tmp_path: Path) -> Iterator[Callable[..., Following]]:
    begun = []

    def begin(*lines: str, **others: object) -> Following:
        add(tmp_path / LOG, *lines)
        begun.append(Following(tmp_path, **others))
        return begun[-1]

    yield begin
    for each in begun:
        each.close()


def add(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("".join(lines))


def rename(log: Path) -> None:
    """Rotate as logrotate does where the service opens its log anew."""
    older = log.with_name(f"{log.name}.1")
    if older.exists():
        older.rename(log.with_name(f"{log.name}.2"))
    log.rename(older)
    log.touch()


def copy_and_empty(log: Path) -> None:
    """Rotate as logrotate does with `copytruncate`."""
    older = log.with_name(f"{log.name}.1")
    if older.exists():
        older.rename(log.with_name(f"{log.name}.2"))
    shutil.copy(log, older)
    os.truncate(log, 0)


def lines_of(*texts: str) -> list[str]:
    return [line(at, text).rstrip("\n") for at, text in enumerate(texts)]


def with_one_told(follow: Callable[..., Following]) -> Following:
    """Follow a log that had a line before, and of which one was told since."""
    following = follow(line(-9, "old"))
    add(following.log, line(0, "told"))
    following.look()
    return following


def test_only_what_is_added_is_told_and_a_traceback_is_one_event(
    follow: Callable[..., Following],
) -> None:
    following = follow(line(0, "old"))
    add(following.log, line(1, "new"), TRACEBACK, line(2, "after"))
    following.look()

    assert following.old == []
    assert following.events == [
        line(1, "new").rstrip("\n"), TRACEBACK.rstrip("\n"), line(2, "after").rstrip("\n"),
    ]  # fmt: skip


def test_the_last_events_that_are_there_already_are_told_where_that_is_asked(
    follow: Callable[..., Following],
) -> None:
    following = follow(*[line(at, f"number {at}") for at in range(9)], lines=2)

    assert following.old == [line(at, f"number {at}").rstrip("\n") for at in (7, 8)]


def test_a_line_is_told_once_it_has_its_end(follow: Callable[..., Following]) -> None:
    following = follow()
    whole = line(0, "in two writes")
    add(following.log, whole[:30])
    following.look()
    before = following.events
    add(following.log, whole[30:])
    following.look()

    assert (before, following.events) == ([], [whole.rstrip("\n")])


def test_lines_without_a_header_are_told_too(follow: Callable[..., Following]) -> None:
    following = follow()
    add(following.log, line(0, "begun"))
    following.look()
    add(following.log, "and goes on\nfor two lines\n")
    following.look()

    kinds = [each[1] for piece in following.said.pieces for each in piece["events"]]
    assert following.events == [line(0, "begun").rstrip("\n"), "and goes on\nfor two lines"]
    assert kinds == ["oslo", "more"]


def test_what_is_not_chosen_is_not_told_nor_are_its_further_lines(
    follow: Callable[..., Following],
) -> None:
    following = follow(level=30, words=["disk"])
    for each in (line(0, "disk"), line(1, "disk", "ERROR"), line(2, "cpu", "ERROR")):
        add(following.log, each)
        following.look()
        add(following.log, "goes on\n")
        following.look()

    assert following.events == [line(1, "disk", "ERROR").rstrip("\n"), "goes on"]


def test_a_file_that_was_renamed_is_read_to_its_end_and_on_while_it_is_written(
    follow: Callable[..., Following],
) -> None:
    following = follow()
    add(following.log, line(0, "before"))
    rename(following.log)
    add(following.log, line(2, "new file"))
    following.look()
    # The service has not opened its log anew yet.
    add(following.log.with_name("nova-compute.log.1"), line(1, "late"))
    following.look()

    assert sorted(following.events) == lines_of("before", "late", "new file")
    assert following.notes == []


def test_a_file_that_was_copied_and_emptied_is_read_to_the_end_of_its_copy(
    follow: Callable[..., Following],
) -> None:
    following = with_one_told(follow)
    add(following.log, line(1, "not read yet"))
    copy_and_empty(following.log)
    add(following.log, line(2, "new"))
    following.look()

    assert following.events == lines_of("told", "not read yet", "new")
    assert following.notes == []


def test_a_file_that_was_emptied_without_a_copy_is_said(follow: Callable[..., Following]) -> None:
    following = with_one_told(follow)
    os.truncate(following.log, 0)
    add(following.log, line(1, "new"))
    following.look()

    assert following.events == lines_of("told", "new")
    assert following.notes == [f"/{LOG}: it was emptied or replaced; some lines may be missing"]


def test_after_the_way_was_lost_it_goes_on_where_it_was_left(
    follow: Callable[..., Following],
) -> None:
    following = with_one_told(follow)
    add(following.log, line(1, "meanwhile"))
    following.again()
    following.look()

    assert following.events == lines_of("told", "meanwhile")


@pytest.mark.parametrize("rotate", [rename, copy_and_empty])
def test_after_the_way_was_lost_rotated_files_are_read_too(
    follow: Callable[..., Following], rotate: Callable[[Path], None]
) -> None:
    following = with_one_told(follow)
    for number in (1, 2):
        add(following.log, line(number, f"before turn {number}"))
        # The times of files tell which is older: two turns are not in one tick of the clock.
        os.utime(following.log, (1e9 + number, 1e9 + number))
        rotate(following.log)
        os.utime(following.log.with_name("nova-compute.log.1"), (1e9 + number, 1e9 + number))
    add(following.log, line(3, "now"))
    following.again()
    following.look()

    assert following.events == lines_of("told", "before turn 1", "before turn 2", "now")
    assert following.notes == []


def test_after_the_way_was_lost_a_gzipped_copy_is_read_too(
    follow: Callable[..., Following],
) -> None:
    following = with_one_told(follow)
    add(following.log, line(1, "meanwhile"))
    packed = following.log.with_name("nova-compute.log.1.gz")
    packed.write_bytes(gzip.compress(following.log.read_bytes()))
    following.log.unlink()
    add(following.log, line(2, "now"))
    following.again()
    following.look()

    assert following.events == lines_of("told", "meanwhile", "now")


def test_after_the_way_was_lost_what_is_gone_is_said(follow: Callable[..., Following]) -> None:
    following = follow(line(-9, "old"))
    following.log.unlink()
    add(following.log, line(0, "now"))
    following.again()
    following.look()

    assert following.events == lines_of("now")
    assert following.notes == [f"/{LOG}: it was emptied or replaced; some lines may be missing"]


def test_a_log_is_followed_where_its_service_s_settings_have_it(
    follow: Callable[..., Following], tmp_path: Path
) -> None:
    add(tmp_path / "etc/nova/nova.conf", "[DEFAULT]\nlog_dir = /srv/log\n")
    add(tmp_path / "srv/log/nova-compute.log", line(0, "old"))
    own = {
        "component": "nova-compute", "files": ["/etc/nova/nova.conf"],
        "logs": ["/var/log/nova/nova-compute.log"],
    }  # fmt: skip

    following = follow(settings=[own])
    add(tmp_path / "srv/log/nova-compute.log", line(1, "new"))
    following.look()

    assert following.events == [line(1, "new").rstrip("\n")]
    assert following.said.pieces[0]["named"][0]["paths"] == ["/srv/log/nova-compute.log"]


def test_what_leads_out_of_its_folder_is_named_and_not_followed(
    follow: Callable[..., Following], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("")
    following = follow()
    following.log.unlink()
    following.log.symlink_to(tmp_path / "secret")
    following.look()
    add(tmp_path / "secret", "password\n")
    following.look()

    assert following.events == []
    assert following.notes == [
        f"has a log that may not be read: /{LOG}: it leads out of its folder"
    ]


CHANGES = ("write", "rename", "copy", "lose", "look")


@given(changes=st.lists(st.sampled_from(CHANGES), max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_happens_each_line_is_told_once(
    tmp_path_factory: pytest.TempPathFactory, changes: list[str]
) -> None:
    root = tmp_path_factory.mktemp("followed")
    add(root / LOG, line(-99, "old"))
    following = Following(root)
    wanted, clock = [], 1e9
    try:
        for number, change in enumerate(changes):
            clock += 1
            if change == "write":
                add(following.log, line(number, f"number {number}"))
                wanted.append(line(number, f"number {number}").rstrip("\n"))
            elif change in {"rename", "copy"}:
                # Between two looks a file is rotated once: so it is on every cloud.
                following.look()
                add(following.log, line(number, f"last {number}"))
                wanted.append(line(number, f"last {number}").rstrip("\n"))
                (rename if change == "rename" else copy_and_empty)(following.log)
                for each in following.log.parent.iterdir():
                    if each != following.log:
                        os.utime(each, (clock - int(each.suffix[1:]),) * 2)
                add(following.log, line(number, f"first {number}"))
                wanted.append(line(number, f"first {number}").rstrip("\n"))
            elif change == "lose":
                following.again()
            else:
                following.look()
        following.look()
        assert sorted(following.events) == sorted(wanted)
        assert following.notes == []
    finally:
        following.close()
        shutil.rmtree(root)


# --- in a conversation ------------------------------------------------------------------------


@contextmanager
def talking(root: Path, **others: object) -> Iterator[Conversation]:
    shell = Ssh(HERE)
    try:
        with shell.talk("here", PYTHON, script("tail")) as talk:
            talk.say(json.dumps(asked(root, **others)).encode())
            yield talk
    finally:
        shell.close()


def heard_from(talk: Conversation) -> list[Any]:
    found: list[Any] = []
    ends = time.monotonic() + 60
    while not found:
        assert time.monotonic() < ends
        piece = talk.hear(within_s=60)
        assert piece is not None
        found += json.loads(piece)["events"]
    return found


def test_a_node_tells_its_lines_while_they_are_written(tmp_path: Path) -> None:
    log = tmp_path / LOG
    add(log, line(0, "old"))
    with talking(tmp_path) as talk:
        begun = json.loads(talk.hear(within_s=60) or b"")
        add(log, line(1, "new"), "\xff\n")
        found = heard_from(talk)

    assert begun["begun"] == {"files": [f"/{LOG}"], "has_journal": False}
    assert [each[3] for each in found] == [line(1, "new") + "\xff"]


def an_entry(cursor: str, said: str) -> str:
    """Return an entry of the journal as journalctl prints it."""
    return json.dumps(
        {"__CURSOR": cursor, "__REALTIME_TIMESTAMP": "1795819800000000", "MESSAGE": said,
         "SYSLOG_IDENTIFIER": "mariadbd", "_PID": "62", "_SYSTEMD_UNIT": "mariadb.service"}
    )  # fmt: skip


def put_journalctl(place: Path, monkeypatch: pytest.MonkeyPatch, does: str) -> None:
    """Put a stand-in for journalctl where it is found; what it is asked is in `asked`."""
    program = place / "journalctl"
    program.write_text(f'#!/bin/sh\necho "$@" >>{place}/asked\n{does}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")


OF_UNITS = {"units": ["mariadb.service"], "journal": True}


def test_the_journal_of_units_is_followed_and_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it is asked is seen, and it ends with its owner."""
    does = f"echo $$ >{tmp_path}/pid\necho '{an_entry('c1', 'it runs')}'\nexec sleep 600"
    put_journalctl(tmp_path, monkeypatch, does)
    with talking(tmp_path, cursor=None, **OF_UNITS) as talk:
        heard_from(talk)
    with talking(tmp_path, cursor="c1", **OF_UNITS) as talk:
        (found,) = heard_from(talk)

    first, second = (tmp_path / "asked").read_text().splitlines()
    pid = int((tmp_path / "pid").read_text())
    ends = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < ends:
        os.sched_yield()
    assert found[3:] == [
        "2026-11-27T22:50:00.000000+00:00 - mariadbd[62]: it runs", False, "journal",
        "mariadb.service",
    ]  # fmt: skip
    assert first == "--no-pager -q -o json -f -n 0 -u mariadb.service"
    assert second == "--no-pager -q -o json -f --no-tail --after-cursor c1 -u mariadb.service"
    assert not Path(f"/proc/{pid}").exists()


def test_the_last_lines_of_the_journal_are_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shown as new ones, minutes late and without a date, they looked like a crash of just now."""
    entries = [an_entry("c0", "it starts"), an_entry("c1", "it runs")]
    prints = "".join(f"echo '{one}'\n" for one in entries)
    put_journalctl(tmp_path, monkeypatch, f"case $* in *' -f '*) exec sleep 600;; esac\n{prints}")

    with talking(tmp_path, cursor=None, lines=2, **OF_UNITS) as talk:
        begun = json.loads(talk.hear(within_s=60) or b"")
        wait_until(lambda: len((tmp_path / "asked").read_text().splitlines()) > 1, within_s=60)

    assert [each[3].rpartition(": ")[2] for each in begun["old"]] == ["it starts", "it runs"]
    assert begun["events"] == []
    assert (tmp_path / "asked").read_text().splitlines() == [
        "--no-pager -q -o json -n 2 -u mariadb.service",
        "--no-pager -q -o json -f --no-tail --after-cursor c1 -u mariadb.service",
    ]


@pytest.mark.parametrize(("by_s", "told_s"), [(37.0, 37.0), (-2.0, -2.0), (0.4, None)])
def test_a_clock_that_is_set_while_it_is_followed_is_told_once(
    tmp_path: Path, by_s: float, told_s: float | None
) -> None:
    following = Following(tmp_path)
    following.names["time"] = SimpleNamespace(
        time=lambda: time.time() + by_s, monotonic=time.monotonic
    )
    following.look()
    following.look()
    following.close()

    told = [piece["stepped_s"] for piece in following.said.pieces if "stepped_s" in piece]
    assert told == ([] if told_s is None else [pytest.approx(told_s, abs=0.3)])
