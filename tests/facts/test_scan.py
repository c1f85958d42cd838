"""The scanner that runs on nodes: what it finds in files, and what it says of the rest."""

import gzip
import importlib.util
import json
import os
import subprocess  # noqa: TID251  # the scanner is a program of its own
import sys
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stackward.facts.logs import _as_sent
from stackward.facts.logs import script as sent_script
from stackward.logs.formats import BODIES, PREFIXES
from stackward.ports.log_source import as_given
from stackward.ports.root import BOOTSTRAP

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "src/stackward/facts/on_node/scan.py"
START = 1795819800.0  # 2026-11-27 22:50:00 UTC
BODY = [_as_sent(one) for one in BODIES]
PREFIX = [_as_sent(one) for one in PREFIXES]


def asked(root: Path, **others: object) -> dict[str, object]:
    return {
        "root": str(root), "places": ["/"], "units": [], "journal": False, "since": None,
        "until": None, "level": None, "words": [], "bytes": 8 << 20, "within_s": 20.0,
        "bodies": BODY, "prefixes": PREFIX, **others,
    }  # fmt: skip


def scan(root: Path, zone: str = "UTC", **others: object) -> Mapping[str, Any]:
    """Run the scanner as it is run on a node."""
    answer = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-I", "-c", BOOTSTRAP],
        input=as_given(sent_script(), json.dumps(asked(root, **others))),
        capture_output=True,
        text=True,
        env={"TZ": zone, "PATH": os.environ["PATH"]},
        timeout=60,
        check=True,
    )
    found: Mapping[str, Any] = json.loads(answer.stdout)
    return found


def texts(found: Mapping[str, Any]) -> list[str]:
    return [each[3] for one in found["files"] for each in one["events"]]


def stamp(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03d}"


def line(at: float, text: str = "it", level: str = "INFO", pid: int = 7) -> str:
    return f"{stamp(START + at)} {pid} {level} nova.x [-] {text}\n"


def write(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines))
    return path


@pytest.fixture(scope="module")
def scanner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scan", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_runs_in_an_old_python() -> None:
    """Nothing newer than 3.7 is written in it."""
    compile(SCRIPT.read_text(), "scan.py", "exec", dont_inherit=True)
    words = SCRIPT.read_text()

    assert ":=" not in words
    assert "removeprefix" not in words
    assert "match " not in [each.strip()[:6] for each in words.splitlines()]


def test_an_event_is_its_header_and_all_that_continues_it(tmp_path: Path) -> None:
    write(tmp_path, "nova.log", line(0), line(1, "two", "WARNING"), "  more of it\n", line(2))

    assert texts(scan(tmp_path, level=30)) == [line(1, "two", "WARNING") + "  more of it"]


def test_the_word_for_a_level_in_the_body_of_a_quiet_event_is_no_level(tmp_path: Path) -> None:
    write(tmp_path, "nova.log", line(0, "an ERROR was ERROR "), "ERROR in its second ERROR line\n")

    assert texts(scan(tmp_path, level=40)) == []


def test_words_are_wanted_beside_a_level_in_the_first_line_of_an_event(tmp_path: Path) -> None:
    write(
        tmp_path,
        "nova.log",
        line(0, "an answer was HTTP 503"),
        line(1, "nothing") + "  of HTTP 503\n",
        line(2, "it failed", "ERROR"),
    )

    found = texts(scan(tmp_path, level=40, also=["HTTP 5"]))

    assert found == [
        line(0, "an answer was HTTP 503").rstrip(),
        line(2, "it failed", "ERROR").rstrip(),
    ]


def test_a_traceback_is_one_event_and_the_next_message_of_its_moment_another(
    tmp_path: Path,
) -> None:
    lines = [
        line(0, "it failed", "ERROR"),
        line(0, "Traceback (most recent call last):", "ERROR"),
        line(0, '  File "/a.py", line 1, in b', "ERROR"),
        line(0, "ValueError: x", "ERROR"),
        line(0, "it failed too", "ERROR", pid=8),
        line(0.5, "one", "ERROR"),
        line(0.5, "another", "ERROR"),
    ]
    write(tmp_path, "nova.log", *lines)

    first, *others = texts(scan(tmp_path, level=40))

    assert first == "".join(lines[:4]).rstrip("\n")
    assert others == [each.rstrip("\n") for each in lines[4:]]


def test_an_event_that_goes_over_the_pieces_of_a_file_is_whole(tmp_path: Path) -> None:
    filler = line(0, "x" * 200)
    count = (4 << 20) // len(filler)
    lines = [line(0, "it failed", "ERROR"), line(0, "Traceback (most recent call last):", "ERROR")]
    lines += [line(0, f'  File "/{number}.py", line 1, in b', "ERROR") for number in range(200)]
    # It begins in the first piece and ends in the second.
    before = (4 << 20) - len(lines[0]) * 100
    write(tmp_path, "nova.log", filler * (before // len(filler)), *lines, filler * count)

    assert texts(scan(tmp_path, level=40)) == ["".join(lines).rstrip("\n")]


def test_a_window_of_a_large_file_is_found_by_bisecting(tmp_path: Path) -> None:
    lines = [line(number, "x" * 900) for number in range(20_000)]
    write(tmp_path, "nova.log", *lines)

    found = scan(tmp_path, since=START + 15_000, until=START + 15_060)

    assert len(texts(found)) == 61
    assert found["files"][0]["scanned"] < found["files"][0]["size"] / 4


def test_a_window_is_whole_where_the_clock_was_set_back(tmp_path: Path) -> None:
    """In autumn an hour of local time comes twice."""
    hours = [(1, "w"), (2, "x"), (2, "y"), (3, "z")]
    lines = [
        f"2026-10-25 0{hour}:{minute:02}:{second:02}.000 7 INFO nova.x [-] {'.' * 2000}{sign}\n"
        for hour, sign in hours
        for minute in range(60)
        for second in range(0, 60, 4)
    ]
    write(tmp_path, "nova.log", *lines)
    [at] = {
        each[0]
        for each in scan(tmp_path, "Europe/Berlin")["files"][0]["events"]
        if " 02:30:00.000 " in each[3]
    }

    found = scan(tmp_path, "Europe/Berlin", since=at, until=at)

    assert [each[-1] for each in texts(found)] == ["x", "y"]


def test_rotated_and_gzipped_files_are_read_with_the_newest(tmp_path: Path) -> None:
    (tmp_path / "nova.log.2.gz").write_bytes(gzip.compress(line(0, "first", "ERROR").encode()))
    write(tmp_path, "nova.log.1", line(100, "second", "ERROR"))
    write(tmp_path, "nova.log", line(200, "third", "ERROR"))

    found = scan(tmp_path, places=["/nova.log"], level=40)

    assert [each.split("] ")[1] for each in texts(found)] == ["first", "second", "third"]


def test_a_rotated_file_before_the_window_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, "nova.log.1", line(0, "first"))
    write(tmp_path, "nova.log", line(10_000, "second"))

    found = scan(tmp_path, since=START + 20_000)

    assert [(one["path"], one["scanned"] > 0) for one in found["files"]] == [
        ("/nova.log.1", False),
        ("/nova.log", True),
    ]


def test_a_gzipped_file_that_is_broken_off_is_read_to_there_and_named(tmp_path: Path) -> None:
    whole = gzip.compress(
        "".join(line(number, os.urandom(90).hex()) for number in range(999)).encode()
    )
    (tmp_path / "nova.log.1.gz").write_bytes(whole[: len(whole) // 2])

    found = scan(tmp_path)

    assert found["files"][0]["error"] == "the gzipped file is broken off"
    assert len(texts(found)) > 100


def test_a_fifo_and_a_link_that_leads_out_are_named_and_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    write(tmp_path, "secret", "a word\n")
    write(folder, "nova.log", line(0))
    os.mkfifo(folder / "fifo.log")
    (folder / "out.log").symlink_to(tmp_path / "secret")

    found = scan(folder)

    assert texts(found) == [line(0).rstrip("\n")]
    assert found["refused"] == [
        "/out.log: it leads out of what was collected",
        "/fifo.log: it is no plain file",
    ]


@pytest.mark.parametrize("place", ["/var/log/nova", "/var/log/nova/nova.log"])
def test_a_link_out_of_the_folder_of_its_log_is_named_and_not_read(
    tmp_path: Path, place: str
) -> None:
    """The scanner may be root; what a service puts into its folder is the service's choice."""
    write(tmp_path, "etc/shadow", line(0, "a secret"))
    write(tmp_path, "var/log/nova/nova-api.log", line(0, "x"))
    (tmp_path / "var/log/nova/nova.log").symlink_to(tmp_path / "etc/shadow")

    found = scan(tmp_path, places=[place])

    assert "a secret" not in json.dumps(found)
    assert found["refused"] == ["/var/log/nova/nova.log: it leads out of its folder"]


def test_a_link_to_a_folder_is_named_where_that_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, "root/nova/nova.log", line(0))
    write(tmp_path, "elsewhere/secret.log", line(1, "hush"))
    (tmp_path / "root/other").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root/current").symlink_to("nova")

    found = scan(tmp_path / "root")

    assert (found["refused"], len(texts(found))) == (["/other: it leads out of its folder"], 1)


def test_only_folders_with_logs_of_a_machine_that_was_collected_are_looked_through(
    tmp_path: Path,
) -> None:
    for folder in ("var/log", "opt/log", "etc", "sys"):
        write(tmp_path, f"{folder}/x.log", line(0, folder))
    (tmp_path / "etc/link").symlink_to("/usr/share")

    found = scan(tmp_path)

    assert [one["path"] for one in found["files"]] == ["/opt/log/x.log", "/var/log/x.log"]
    assert found["refused"] == []


@pytest.mark.parametrize(
    ("since", "refused"),
    [
        (
            None,
            ["/log/nova.log.2.xz: xz is not unpacked", "/log/nova.log.3.zst: zst is not unpacked"],
        ),
        (START, ["/log/nova.log.2.xz: xz is not unpacked"]),
    ],
)
@pytest.mark.parametrize("place", ["/log", "/log/nova.log"])
def test_a_rotated_log_that_is_packed_otherwise_is_named_unless_it_is_older(
    tmp_path: Path, place: str, since: float | None, refused: list[str]
) -> None:
    for name, at in (("nova.log", 9), ("nova.log.2.xz", 5), ("nova.log.3.zst", -5)):
        os.utime(write(tmp_path / "log", name, line(at)), (START + at, START + at))

    assert scan(tmp_path, places=[place], since=since)["refused"] == refused


def test_a_folder_of_logs_may_be_a_link(tmp_path: Path) -> None:
    """As `/var/log/kolla` is one to a volume of Docker."""
    write(tmp_path, "volumes/logs/nova.log", line(0, "it"))
    (tmp_path / "var/log").mkdir(parents=True)
    (tmp_path / "var/log/kolla").symlink_to(tmp_path / "volumes/logs")

    assert len(texts(scan(tmp_path, places=["/var/log/kolla/nova.log"]))) == 1


def test_a_link_that_is_put_there_after_it_was_found_is_not_read(
    scanner: ModuleType, tmp_path: Path
) -> None:
    write(tmp_path, "secret", "x\n")
    (tmp_path / "log").mkdir()
    (tmp_path / "log/nova.log").symlink_to(tmp_path / "secret")
    one = scanner.File(
        str(tmp_path / "log/nova.log"), "/nova.log", os.path.realpath(tmp_path / "log")
    )

    with pytest.raises(OSError, match="leads out of its folder"):
        one.open()


def truncated(path: Path) -> None:
    """Rotate a log as `copytruncate` does."""
    (path.parent / "copy").write_bytes(path.read_bytes())
    os.truncate(path, 0)


def renamed(path: Path) -> None:
    """Rotate a log as a service does that opens it again."""
    path.rename(path.parent / "copy")
    path.write_text(line(9, "new"))


@pytest.mark.parametrize("rotate", [truncated, renamed])
@pytest.mark.parametrize("is_begun", [False, True])
def test_a_log_that_is_rotated_while_it_is_read_is_named(
    tmp_path: Path,
    scanner: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    rotate: Callable[[Path], None],
    *,
    is_begun: bool,
) -> None:
    path = write(tmp_path, "nova.log", *(line(at, "x" * 99) for at in range(9000)))
    look = scanner.Scan(asked(tmp_path), time.monotonic() + 60)
    if is_begun:
        fill = scanner.fill

        def filled(*of: object) -> int:
            got = fill(*of)
            rotate(path)
            monkeypatch.setattr(scanner, "fill", fill)
            return int(got)

        monkeypatch.setattr(scanner, "fill", filled)
    else:
        within = look.within

        def late(*of: object) -> None:
            rotate(path)
            within(*of)

        monkeypatch.setattr(look, "within", late)

    scanner.scan_files(look, ["/"], str(tmp_path))

    [told] = look.files
    # A log that is open goes on under its new name.
    is_whole = is_begun and rotate is renamed
    assert told["error"] == ("" if is_whole else "it was rotated while it was read; ask again")
    assert (len(told["events"]) == 9000) is is_whole


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "nova.log").symlink_to("nova.log")

    found = scan(tmp_path, places=["/nova.log"])

    assert found["refused"] == ["/nova.log: Too many levels of symbolic links"]


def test_a_journal_of_which_only_own_messages_may_be_read_is_named(
    scanner: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`journalctl` says nothing of it where it is asked for units, or for JSON."""
    write(tmp_path, "journal/4a1f/system.journal", "")
    write(tmp_path, "journal/4a1f/user-1000.journal", "")
    places = (str(tmp_path / "none"), str(tmp_path / "journal"))
    assert scanner.journal_unread(places) is None

    monkeypatch.setattr(scanner.os, "access", lambda path, _mode: "system" not in path)

    assert scanner.journal_unread(places) == "journal: Permission denied"


def test_a_place_of_several_components_is_named_once(tmp_path: Path) -> None:
    write(tmp_path, "secret", line(0))
    (tmp_path / "log").mkdir()
    (tmp_path / "log/nova.log").symlink_to(tmp_path / "secret")

    found = scan(tmp_path, places=["/log/nova.log", "/log"])

    assert found["refused"] == ["/log/nova.log: it leads out of its folder"]


def test_bytes_that_are_no_text_and_nuls_are_kept(tmp_path: Path) -> None:
    (tmp_path / "nova.log").write_bytes(line(0, "a").encode()[:-1] + b"\xff\x00b\n")

    assert texts(scan(tmp_path)) == [line(0, "a").rstrip("\n") + "\\xff\x00b"]


def test_a_line_of_a_hundred_megabytes_is_cut_and_said_to_be(tmp_path: Path) -> None:
    with (tmp_path / "nova.log").open("w") as file:
        file.write(line(0, "x" * 8_000_000, "ERROR"))
        file.write(line(1, "after it", "ERROR"))

    found = scan(tmp_path, level=40)

    [first, second] = found["files"][0]["events"]
    assert (len(first[3]), first[4]) == (64 * 1024, True)
    assert second[3].endswith("after it")


def test_what_there_is_no_room_for_is_counted(tmp_path: Path) -> None:
    write(tmp_path, "nova.log", *(line(number, "x" * 100) for number in range(100)))

    found = scan(tmp_path, bytes=5000)

    assert 0 < len(texts(found)) < 40
    assert found["files"][0]["lost"] == 100 - len(texts(found))


def test_for_what_there_was_no_time_is_named(tmp_path: Path) -> None:
    write(tmp_path, "nova.log", line(0))

    assert scan(tmp_path, within_s=0.0)["cut"] == ["/nova.log"]


@pytest.mark.parametrize(
    ("zone", "written"),
    [("UTC", "2026-11-27 22:50:00.000"), ("Asia/Tokyo", "2026-11-28 07:50:00.000")],
)
def test_times_without_a_zone_are_those_of_the_node(
    tmp_path: Path, zone: str, written: str
) -> None:
    write(tmp_path, "nova.log", f"{written} 7 INFO nova.x [-] it\n")

    assert [each[0] for each in scan(tmp_path, zone)["files"][0]["events"]] == [START]


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-27 22:50:00.000000+00:00 [info] <0.1.0> it",
        "2026-11-27 23:50:00.000000+01:00 [info] <0.1.0> it",
        "2026-11-27 22:50:00 13 [Note] it",
        "261127 22:50:00 [Note] it",
        "2026-11-27T22:50:00.000Z|00095|vlog|INFO|it",
        "*** Starting uWSGI 2.0 (64bit) on [Fri Nov 27 22:50:00 2026] ***",
        '10.0.0.1 - - [27/Nov/2026:22:50:00 +0000] "GET / HTTP/1.1" 200 1',
        "=INFO REPORT==== 27-Nov-2026::22:50:00 ===",
        "Nov 27 22:50:00 ctl sshd[4]: it",
        "2026-11-27T22:50:00+00:00 ctl sshd[4]: it",
    ],
)
def test_times_of_all_forms_are_read(scanner: ModuleType, written: str) -> None:
    zone = scanner.Zone(0.0, START + 3600)
    heads = scanner.Heads(
        [scanner.Kind(one) for one in BODY], [scanner.Kind(one) for one in PREFIX], zone
    )

    assert heads.at(written.encode(), 0).at == START


def test_a_line_behind_a_prefix_has_its_own_format(tmp_path: Path) -> None:
    write(tmp_path, "syslog", f"Nov 27 22:50:00 ctl nova-compute[7]: {line(0, 'it', 'ERROR')}")

    [event] = scan(tmp_path, level=40)["files"][0]["events"]

    assert event[1] == "oslo"


def uwsgi(at: float) -> str:
    """Return the line of a request that began then."""
    began = time.strftime("%a %b %d %H:%M:%S %Y", time.gmtime(START + at))
    return f"[pid: 7|app: 0|req: 1/1] 10.0.0.1 () {{}} [{began}] GET / => (HTTP/1.1 200)\n"


@pytest.mark.parametrize(
    ("lines", "back"),
    [
        pytest.param([line(0), line(70), line(10), line(75)], [60.0, START + 10], id="set back"),
        pytest.param([line(70), line(40), line(10), line(80)], [60.0, START + 10], id="twice"),
        pytest.param([line(0), line(4), line(1), line(5)], None, id="of several processes"),
        pytest.param([line(0), line(90), uwsgi(30), line(91)], None, id="a long request"),
        pytest.param([line(0), "  more\n", line(90)], None, id="a pause"),
    ],
)
def test_a_clock_that_was_set_back_is_noticed(
    tmp_path: Path, lines: list[str], back: list[float] | None
) -> None:
    write(tmp_path, "nova.log", *lines)

    assert [one["back"] for one in scan(tmp_path, level=40)["files"]] == [back]


def test_a_clock_that_was_set_back_is_noticed_where_events_are_read(tmp_path: Path) -> None:
    filler = [line(0, "x" * 1000)] * 300
    steps = [line(number, level="ERROR") for number in (0, 70, 10, 75)]
    write(tmp_path, "nova.log", *filler, *steps, *[line(80, "x" * 1000)] * 900)

    assert scan(tmp_path, level=40)["files"][0]["back"] == [60.0, START + 10]


def test_an_hour_that_comes_twice_in_autumn_is_no_step_of_a_clock(tmp_path: Path) -> None:
    times = ("02:10", "02:50", "02:10", "02:50", "03:10")
    lines = [f"2026-10-25 {each}:00.000 7 INFO nova.x [-] it\n" for each in times]
    write(tmp_path, "nova.log", *lines)

    assert [scan(tmp_path, "Europe/Berlin")["files"][0]["back"]] == [None]
    assert scan(tmp_path, "UTC")["files"][0]["back"][0] == 40 * 60


NOVA = {
    "component": "nova-compute", "files": ["/etc/nova/nova.conf", "/etc/nova/nova.conf.d"],
    "logs": ["/var/log/nova/nova-compute.log"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "path", "to_journal"),
    [
        ("[DEFAULT]\nlog_dir = /srv/log\n", "/srv/log/nova-compute.log", False),
        ("[DEFAULT]\nlogdir=/srv/x/../log/\n", "/srv/log/nova-compute.log", False),
        ("[DEFAULT]\nlog_file = /srv/log/all\n", "/srv/log/all", False),
        ("[DEFAULT]\nlog-dir=/srv/log\nlog_file=c.log\n", "/srv/log/c.log", False),
        ("[mysqld]\nlog_error = /srv/log/e\n", "/srv/log/e", False),
        ("[DEFAULT]\nuse_journal = True\n", None, True),
        # What is usual is not told, nor what is no place.
        ("[DEFAULT]\nlog_dir = /var/log/nova\n", None, False),
        ("[DEFAULT]\nlog_dir = $state_path/log\nuse_journal=no\n", None, False),
        ("[DEFAULT]\n# log_dir = /srv/log\n[x]\nlog_dir = /srv/log\n", None, False),
        ("log_dir = /srv/log\n", None, False),
        ("\0\xff[", None, False),
    ],
)
def test_where_a_service_logs_is_read_in_its_settings(
    tmp_path: Path, settings: str, path: str | None, *, to_journal: bool
) -> None:
    write(tmp_path, "etc/nova/nova.conf", settings)
    for each in {path or "/srv/log/nova-compute.log", "/var/log/nova/nova-compute.log"}:
        write(tmp_path, each.lstrip("/"), line(0, each))

    found = scan(tmp_path, places=["/var/log/nova/nova-compute.log"], settings=[NOVA])

    own = {"component": "nova-compute", "by": "/etc/nova/nova.conf", "to_journal": to_journal}
    expected = [{**own, "paths": [path] if path else []}] if path or to_journal else []
    assert (found["named"], found["settings_unread"]) == (expected, [])
    assert {one["path"] for one in found["files"]} == {
        "/var/log/nova/nova-compute.log", *([path] if path else []),
    }  # fmt: skip


def test_of_several_settings_the_last_counts(tmp_path: Path) -> None:
    write(tmp_path, "etc/nova/nova.conf", "[DEFAULT]\nlog_dir = /srv/a\n")
    write(tmp_path, "etc/nova/nova.conf.d/1.conf", "[DEFAULT]\nlog_dir = /srv/b\n")
    write(tmp_path, "etc/nova/nova.conf.d/2.conf~", "[DEFAULT]\nlog_dir = /srv/c\n")

    [named] = scan(tmp_path, places=[], settings=[NOVA])["named"]

    assert (named["by"], named["paths"]) == (
        "/etc/nova/nova.conf.d/1.conf", ["/srv/b/nova-compute.log"],
    )  # fmt: skip


def test_settings_that_may_not_be_read_are_named_and_no_fifo_is_waited_for(
    tmp_path: Path, scanner: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "etc/nova/nova.conf", "[DEFAULT]\nlog_dir = /srv/log\n")
    os.mkfifo(tmp_path / "etc/nova/nova.conf.d")
    opened = os.open

    def refused(path: str, *others: int) -> int:
        if path.endswith("nova.conf"):
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *others)

    monkeypatch.setattr(scanner.os, "open", refused)
    settings = scanner.Settings({"places": [], "settings": [NOVA]}, str(tmp_path))

    assert (settings.unread, settings.named) == (["/etc/nova/nova.conf"], [])


def test_settings_that_lead_to_secrets_tell_none_of_them(tmp_path: Path) -> None:
    write(tmp_path, "etc/nova/nova.conf", "[DEFAULT]\nlog_dir = /srv/log\npassword = hush\n")

    assert "hush" not in json.dumps(scan(tmp_path, settings=[NOVA]))


def test_an_id_is_found_in_whatever_line_of_its_event(tmp_path: Path) -> None:
    write(tmp_path, "nova.log", line(0), line(1, "two"), "  about req-1\n", line(2))

    assert texts(scan(tmp_path, words=["req-1"])) == [line(1, "two") + "  about req-1"]


def test_only_the_times_of_files_are_told_where_no_more_is_asked(tmp_path: Path) -> None:
    write(tmp_path, "nova.log", line(0), line(9, "last"))

    [one] = scan(tmp_path, only_times=True)["files"]

    assert (one["first"], one["last"], one["events"]) == (START, START + 9, [])


LINES = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from([each.encode() for form in (*BODIES, *PREFIXES) for each in form.samples]),
        st.sampled_from([line(0).encode(), line(0, "Traceback (most recent call last):").encode()]),
        st.lists(st.sampled_from([b"\x1b", b"[", b"01;31", b"m", b"(B", b"a"]), max_size=9).map(
            b"".join
        ),
        st.just(b"\x1b[01;31m" + line(0, "\x1b[00mit").encode()),
    ),
    max_size=12,
)


@given(LINES, st.integers(1, 400))
def test_nothing_of_any_bytes_is_lost_or_invented(
    scanner: ModuleType, lines: list[bytes], piece: int
) -> None:
    """All lines from the first head on are in events, each once and in their order."""
    raw = b"\n".join(lines)
    told: dict[str, Any] = {"events": [], "scanned": 0, "outside": 0}
    look = scanner.Scan(asked(Path("/")), time.monotonic() + 60)
    look.zone = scanner.Zone(0.0, START)
    heads = scanner.Heads(look.bodies, look.prefixes, look.zone)
    vars(scanner)["PIECE"] = piece
    look.look(BytesIO(raw), 0, heads, told)

    raw = scanner.COLOUR.sub(b"", raw)
    begin = scanner.first_head(raw, heads, len(raw))
    assert "".join(each[3] for each in told["events"]).replace("\n", "") == raw[begin:].decode(
        "utf-8", "backslashreplace"
    ).replace("\n", "")
    assert [each[2] for each in told["events"]] == sorted({each[2] for each in told["events"]})


CALLS = "Traceback (most recent call last):"
BARE = f"{stamp(START)} 7 ERROR nova.x "  # as before each line of a traceback: without a context
GRAVE = st.lists(
    st.one_of(
        st.sampled_from(["ERROR", "CRITICAL", "TRACE", "INFO"]).map(lambda one: line(0, "it", one)),
        st.sampled_from(["ERROR", "INFO"]).map(lambda one: line(0, CALLS, one)),
        st.sampled_from([CALLS, "  File", "ValueError: x"]).map(lambda one: f"{BARE}{one}\n"),
        st.sampled_from([f"{CALLS}\n", "  it\n", " ERROR \n", line(1, "of ERROR here"), line(2)]),
    ),
    max_size=14,
)


@given(GRAVE, st.integers(1, 400), st.sampled_from([30, 40]), st.sampled_from([(), ("it",)]))
def test_errors_are_the_same_in_whatever_pieces_a_file_is_read(
    scanner: ModuleType, lines: list[str], piece: int, level: int, also: tuple[str, ...]
) -> None:
    raw = "".join(lines).encode()

    def found(size: int) -> list[Any]:
        told: dict[str, Any] = {"events": [], "scanned": 0, "outside": 0}
        wanted = asked(Path("/"), level=level, also=also)
        look = scanner.Scan(wanted, time.monotonic() + 60)
        look.zone = scanner.Zone(0.0, START)
        heads = scanner.Heads(look.bodies, look.prefixes, look.zone)
        vars(scanner)["PIECE"] = size
        look.look(BytesIO(raw), 0, heads, told)
        events: list[Any] = told["events"]
        return events

    assert found(piece) == found(1 << 20)


@pytest.mark.parametrize("level", [20, 40])
def test_an_event_at_the_end_of_a_piece_is_whole(tmp_path: Path, level: int) -> None:
    """Also where all events are looked at, for some formats say no level."""
    long = [line(0, "x" * 1000, "ERROR") + "  more\n" * 100] * 1000
    write(tmp_path, "nova.log", *long)

    found = texts(scan(tmp_path, level=level))

    assert set(found) == {long[0].rstrip("\n")}


@pytest.mark.parametrize("first", ["", "it failed"])
def test_an_error_of_the_same_moment_as_a_traceback_is_an_event_of_its_own(
    tmp_path: Path, first: str
) -> None:
    """The lines of a traceback have no context, but the error after it has."""
    traceback = [f"{BARE}{one}\n" for one in (CALLS, "  File", "ValueError: x")]
    before = [line(0, first, "ERROR")] if first else []
    write(tmp_path, "nova.log", *before, *traceback, line(0, "another", "ERROR"))

    found = texts(scan(tmp_path, level=40))

    assert found == ["".join((*before, *traceback)).rstrip("\n"), line(0, "another", "ERROR")[:-1]]


def test_lines_of_a_traceback_may_have_another_level_than_what_was_said_before_it(
    tmp_path: Path,
) -> None:
    first = line(0, "it failed", "CRITICAL")
    traceback = [f"{BARE}{one}\n" for one in (CALLS, "  File", "  File", "ValueError: x")]
    write(tmp_path, "nova.log", first, *traceback, line(0, "another", "ERROR"))

    found = texts(scan(tmp_path, level=40))

    assert found == ["".join((first, *traceback))[:-1], line(0, "another", "ERROR")[:-1]]


IDS = ["b311da90-4759-4302-9f62-9c031032dd64", "e20512d6-c485-4b75-a4b7-6a460224ceee"]
SOUGHT = st.sampled_from(
    [
        *(" ERROR ", " CRITICAL ", " TRACE ", "[error]", " 500) ", "|ERR|", "=CRASH REPORT"),
        *("to ERROR", "to error", "HTTP 5", 'HTTP/1.0" 5', "HTTP/1.1 5", "HTTP/1.1 HTTP/1.1 6"),
        *(f"req-{one}" for one in IDS), *IDS, "RRR", "db-01",
    ]
)  # fmt: skip
LONG = "x" * 100_000


@given(
    st.lists(st.one_of(SOUGHT, st.sampled_from([*" \nR\0", "ERR", "HTTP"]), st.text(max_size=4))),
    st.sets(SOUGHT, min_size=1),
    st.sampled_from([1, 4]),
    st.one_of(st.text(max_size=20), st.just(LONG)),
    st.sampled_from(["shared", "x86_64", "elsewhere"]),
)
@example([f"req-{IDS[0]}", IDS[1]], {f"req-{IDS[0]}"}, 1, "", "shared")  # hexadecimal follows too
@example([" CRITICAL ", "\n", " CRITICAL "], {" CRITICAL "}, 1, "A" * 99, "elsewhere")
@example(["HTTP HTTP/1.1 5", "\n", "HTTP/1.1"], {"HTTP 5", "HTTP/1.1 5"}, 4, LONG, "x86_64")
@example([" ERROR \0 ERROR ", "\n", "\0 ERROR "], {" ERROR "}, 4, "", "x86_64")
@example([], {" CRITICAL "}, 1, "", "elsewhere")
@example([], {" CRITICAL "}, 1, "", "x86_64")
def test_words_are_found_where_they_stand(  # noqa: PLR0913, PLR0917  # what hypothesis gives
    scanner: ModuleType, parts: list[str], words: set[str], few: int, sample: str, how: str
) -> None:
    """However they are looked for: by a letter, by the C library, or ids by their form.

    Nothing is found behind the end of what is looked through, and nothing there is changed.
    """
    text, wanted = "".join(parts).encode(), [word.encode() for word in sorted(words)]
    vars(scanner)["FEW"] = few
    starts, at = [], 0
    for one in text.split(b"\n"):
        starts += [at] if any(word in one for word in wanted) else []
        at += len(one) + 1

    library = None if how == "shared" else scanner.Memory(how)
    room = bytearray(text + b"".join(b" %b\n" % word for word in wanted))
    before = bytes(room)
    found = scanner.Marks(wanted, sample.encode(), library).lines(room, len(text))
    alone = scanner.Marks(wanted, sample.encode(), library).lines(bytearray(text), len(text))

    # Of an id that is looked up by its form, a line without `req-` may be found too: it is read.
    assert set(starts) <= set(found)
    assert few == 1 or found == starts
    assert found == alone
    assert room == before


def test_a_quiet_moment_before_the_end_of_a_piece_is_not_held(scanner: ModuleType) -> None:
    """Lines of one moment are events by themselves, until a traceback begins among them."""
    lines = [line(0, f"{number}").encode() for number in range(5)]
    begun = [*lines, line(0, "Traceback (most recent call last):").encode()]
    zone = scanner.Zone(0.0, START)
    heads = scanner.Heads([scanner.Kind(one) for one in BODY], [], zone)

    held = [
        scanner.last_head(b"".join(each), heads, len(b"".join(each))) for each in (lines, begun)
    ]

    assert held == [len(b"".join(lines[:-1]))] * 2


def test_what_there_is_no_room_for_is_counted_as_exactly_by_its_heads(tmp_path: Path) -> None:
    lines = [line(number, "x" * 100) for number in range(9000)]
    for number in range(50, 9000, 500):
        lines[number] = line(number, "Traceback (most recent call last):", "ERROR") * 3
    write(tmp_path, "nova.log", *lines)

    one = scan(tmp_path, bytes=5000)["files"][0]

    assert one["lost"] + len(one["events"]) == 9000


INSTANCE = "[instance: b14691a2-3280-434e-8f07-137140553642] "
FRAMES = ("Traceback (most recent call last):", '  File "/a.py", line 1, in b', "ValueError: x")


def coloured(at: str, text: str, level: str = "ERROR") -> str:
    """Return a line as DevStack wrote it for a terminal."""
    return f"{at} \x1b[01;31m{level} nova.x [\x1b[00;36m-\x1b[01;31m] {text}\x1b[00m\n"


def test_an_event_is_found_among_colours_and_its_place_is_that_in_the_file(tmp_path: Path) -> None:
    begin = f"\x1b[01;31m{stamp(START)} TRACE nova.x \x1b[01;35m{INSTANCE}\x1b[00m"
    lines = [
        coloured(stamp(START), "quiet \x1b[01;31m", "INFO"),
        coloured(stamp(START), f"\x1b[01;35m{INSTANCE}\x1b[01;31mit failed"),
        *(f"{begin}{each}\n" for each in FRAMES),
        coloured(stamp(START + 1), "again"),
    ]
    path = write(tmp_path, "n-cpu.log", *lines)

    found = scan(tmp_path, level=40)

    head = f"{stamp(START)} ERROR nova.x [-] {INSTANCE}it failed"
    frames = "".join(f"\n{stamp(START)} TRACE nova.x {INSTANCE}{each}" for each in FRAMES)
    assert texts(found) == [head + frames, f"{stamp(START + 1)} ERROR nova.x [-] again"]
    places = [each[2] for each in found["files"][0]["events"]]
    assert [path.read_bytes()[at:][:8] for at in places] == [b"2026-11-", b"2026-11-"]
    assert places == [len(lines[0]), len("".join(lines[:-1]))]


def test_an_event_among_colours_is_whole_over_the_pieces_of_a_file(tmp_path: Path) -> None:
    lines = [coloured(stamp(START + at), f"{at} {'x' * 700}") for at in range(2000)]
    path = write(tmp_path, "n-cpu.log", *lines)

    [one] = scan(tmp_path, level=40, since=START + 1500)["files"]

    raw = path.read_bytes()
    assert [each[2] for each in one["events"]] == [
        sum(map(len, lines[:at])) for at in range(1500, 2000)
    ]
    assert all(raw[at[2] :].startswith(at[3][:20].encode()) for at in one["events"])
    assert one["back"] is None


@pytest.mark.parametrize("escape", ["#033", "\x1b"])
def test_colours_that_syslog_spells_out_are_none_of_the_text(tmp_path: Path, escape: str) -> None:
    ahead = "Nov 27 22:50:00 c01 nova-compute[7]: "
    write(tmp_path, "syslog", f"{ahead}{escape}[01;31mERROR nova.x [-] it{escape}[00m\n")

    assert texts(scan(tmp_path, level=40)) == [f"{ahead}ERROR nova.x [-] it"]


def test_a_traceback_that_the_journal_dates_by_its_lines_is_one_event(tmp_path: Path) -> None:
    """Each line has a time of its own; the next message of that process is another event."""
    said = ["[None req-1 demo demo] it failed", *FRAMES, "[None req-2 demo demo] it failed too"]
    lines = [
        f"Nov 27 22:50:00.{number:06d} c01 nova-compute[7]: ERROR nova.x.y {each}\n"
        for number, each in enumerate(said)
    ]
    write(tmp_path, "n-cpu.log", *lines)

    assert texts(scan(tmp_path, level=40)) == ["".join(lines[:-1]).rstrip(), lines[-1].rstrip()]


def test_the_year_of_a_line_without_one_is_that_of_its_file(tmp_path: Path) -> None:
    ahead = "c01 nova-compute[7]: ERROR nova.x [-] it\n"
    path = write(tmp_path, "n-cpu.log", f"Dec 31 23:59:59 {ahead}", f"Jan 01 00:00:01 {ahead}")
    os.utime(path, (1514764805, 1514764805))  # 2018-01-01 00:00:05

    [one] = scan(tmp_path)["files"]

    assert [each[0] for each in one["events"]] == [1514764799, 1514764801]


def test_a_file_whose_time_says_nothing_has_the_last_year_that_may_be(tmp_path: Path) -> None:
    path = write(
        tmp_path, "n-cpu.log", "Jan 01 00:00:01 c01 nova-compute[7]: ERROR nova.x [-] it\n"
    )
    os.utime(path, (0, 0))

    [[at, *_]] = scan(tmp_path)["files"][0]["events"]

    assert time.time() - 366 * 86400 < at < time.time() + 2 * 86400


def test_words_are_found_where_the_c_library_cannot_be_asked(
    scanner: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some Pythons are built without ctypes."""
    monkeypatch.setitem(sys.modules, "ctypes", None)
    words, text = [b"failed: No details", b"to error"], bytearray(b"to error")

    library = scanner.memory()

    assert library is None
    assert scanner.Marks(words, b"", library).lines(text, len(text)) == [0]


def test_a_long_word_is_searched_by_itself_where_it_shares_no_letter_with_many(
    scanner: ModuleType,
) -> None:
    words = [b" ERROR ", b" CRITICAL ", b" TRACE ", b"Filtering removed all hosts"]
    sample = b"R" + b"abcdefghiklmnoprstuvwxyz 0123456789F" * 40

    ways = scanner.anchored(words, sample, scanner.Memory("elsewhere"))

    alone = [word for word, _ in ways.alone]
    assert b"Filtering removed all hosts" in alone
    assert b" ERROR " not in alone


def test_what_several_words_have_is_searched_once_where_it_is_rare(scanner: ModuleType) -> None:
    words, rare = [b"HTTP 5", b"HTTP/1.0 5", b"HTTP/1.1 5", b"status: 5"], b"x" * 60_000

    often = scanner.anchored(words, rare + b"HTTP/1.1 200\n" * 1000, scanner.Memory("x86_64"))
    seldom = scanner.anchored(words, rare, scanner.Memory("x86_64"))

    assert [word for word, _ in seldom.alone] == [b"HTTP", b"status: 5"]
    assert b"HTTP" not in [word for word, _ in often.alone]
