"""`log errors`, `log follow`, `log tail`: whole commands, on collected logs and on a node."""

import json
import os
import signal
import subprocess  # noqa: TID251  # a command that is ended by Ctrl-C is a process of its own
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli import test_return
from cli.running import Run
from cli.test_return import Site
from fakes.cloud import FakeCloud
from fakes.world import a_world
from ssh_stand_in import put_ssh, says_itself
from stackward.app.logs import open_logs_in
from stackward.cli import main
from stackward.model.inventory import Inventory
from stackward.ports.log_source import LogSource
from stackward.ports.together import Together
from stackward.ports.world import World
from stackward.report.logs import EVENT_FIELDS, GROUP_FIELDS, STORY_FIELDS
from texts import folded

site = test_return.site  # the fixture
SAMPLES = Path(__file__).parents[1] / "logs/samples"
BUILD = "req-2a4c33ac-59e7-4270-9b0e-916ee843adb5"


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys, "log")


def with_a_fifo(folder: Path) -> None:
    """Write the logs of a node, of which one place may not be read."""
    (folder / "c01").mkdir()
    (folder / "c01/nova.log").write_text("2026-11-27 22:50:00.000 7 ERROR nova.x [-] it\n")
    os.mkfifo(folder / "c01/fifo.log")


def test_errors_are_shown_in_groups_with_an_example(run: Run) -> None:
    code, out, said = run("errors", "--from", str(SAMPLES / "errors"))

    assert (code, said) == (0, "")
    assert out.startswith(
        "critical: nova-conductor on ctl: once, 2026-11-27 22:49:12 UTC\n"
        "  says    Unhandled error: openstack.exceptions.NotSupported: The placement service for "
        "ctl:RegionOne exists but does not have any supported versions.\n"
        "  raised  openstack.exceptions.NotSupported: The placement service for ctl:RegionOne "
        "exists but does not have any supported versions.\n"
        "  in      _make_proxy, "
        "/usr/lib/python3/dist-packages/openstack/service_description.py:290\n"
        "  logged  nova, /var/log/nova/nova-conductor.log on ctl\n"
    )


def test_groups_as_data_have_the_fields_of_the_page(run: Run) -> None:
    code, out, _ = run("errors", "--from", str(SAMPLES / "errors"), "-f", "json")

    groups = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert len(groups) > 5
    assert {tuple(one) for one in groups} == {tuple(GROUP_FIELDS)}
    assert {tuple(one["example"]) for one in groups} == {tuple(EVENT_FIELDS)}


def test_a_story_is_shown_hop_by_hop_with_its_reasons(run: Run) -> None:
    code, out, said = run("follow", BUILD, "--from", str(SAMPLES / "build"))

    assert (code, said) == (0, "")
    assert (
        f"22:49:44.811 c01 nova-compute {BUILD}: 10 events, 14.293 s\n"
        "  because it was asked for\n"
        "    22:49:44.811 Claim successful on node c01\n" in out
    )
    assert f"  because its global id is {BUILD}\n" in out
    assert "at that time (likely)\n" in out


READ = (
    "2026-11-27 22:50:00.000 7 INFO nova.api.openstack.requestlog [None {id} u p - - d d] "
    '10.0.0.1 "GET /v2.1/servers" status: 200'
)


def test_a_request_that_only_reads_is_shown_where_it_is_asked_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ctl").mkdir()
    (tmp_path / "ctl/nova-api.log").write_text(READ.format(id=BUILD) + "\n")

    code, out, _ = run("follow", BUILD, "--from", str(tmp_path))

    assert code == 0
    assert '    22:50:00.000 10.0.0.1 "GET /v2.1/servers" status: 200\n' in out
    assert "also" not in out


def test_a_story_over_days_has_dates(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ctl").mkdir()
    lines = [
        f"2026-11-{day} 23:59:58.000 7 ERROR nova.x [None {BUILD} u p - - d d] it\n"
        for day in (27, 28)
    ]
    (tmp_path / "ctl/nova.log").write_text("".join(lines))

    _, out, _ = run("follow", BUILD, "--from", str(tmp_path))

    assert "    2026-11-27 23:59:58.000 error: it\n    2026-11-28 23:59:58.000 error: it\n" in out


def test_our_own_question_for_an_id_is_no_story_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seen on a lab: of an id that nobody has, Nova's log of our question for it was told."""
    cloud, logs, inventory = FakeCloud(), tmp_path / "logs", tmp_path / "inventory"
    sought = "00000000-1111-4222-8333-444444444444"
    inventory.write_text("[control]\nctl\n")
    log = logs / "ctl/var/log/nova/nova-api.log"
    log.parent.mkdir(parents=True)
    log.write_text(READ.format(id=BUILD) + "\n")
    asked = cloud.nova.actions_of

    def noting(server: str, /) -> Any:  # noqa: ANN401  # the port's
        now = datetime.now(UTC).replace(microsecond=0)
        said = READ.replace("2026-11-27 22:50:00.000", f"{now:%Y-%m-%d %H:%M:%S}.000")
        with log.open("a") as lines:
            lines.write(said.format(id=BUILD) + f" /servers/{server}\n")
        return asked(server)

    cloud.nova.actions_of = noting  # type: ignore[method-assign]  # the fake's

    @contextmanager
    def open_world(*_: object) -> Iterator[World]:
        yield a_world(cloud)

    @contextmanager
    def open_logs(_known: Inventory) -> Iterator[tuple[LogSource, Together]]:
        with open_logs_in(logs, None) as opened:
            yield opened

    code = main(
        ["log", "follow", sought, "--inventory", str(inventory)],
        open_world=open_world,
        open_logs=open_logs,
    )

    assert sought in log.read_text()
    assert (code, f"no log has `{sought}`" in capsys.readouterr().err) == (1, True)


def test_a_story_as_data_is_an_event_a_line_in_the_order_of_time(run: Run) -> None:
    code, out, _ = run("follow", BUILD, "--from", str(SAMPLES / "build"), "-f", "json")

    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert {tuple(one) for one in events} == {(*EVENT_FIELDS, *STORY_FIELDS)}
    assert [one["at"] for one in events] == sorted(one["at"] for one in events)


def test_an_id_that_no_log_has_is_said_with_what_was_searched_and_what_is_like_it(run: Run) -> None:
    code, out, said = run("follow", f"{BUILD[:-1]}0", "--from", str(SAMPLES / "build"))

    assert (code, out) == (1, "")
    assert f"error: no log has `{BUILD[:-1]}0`" in said
    assert "  c01: 4 files, " in said
    assert "  searched: all times\n" in said
    assert f"hint: perhaps `{BUILD}`" in said


def test_a_request_of_a_group_is_followed_in_the_same_logs(run: Run, tmp_path: Path) -> None:
    (tmp_path / "c01").mkdir()
    head = f"2026-11-27 22:50:00.000 7 ERROR nova.x [None {BUILD} u p - - d d]"
    (tmp_path / "c01/nova.log").write_text(f"{head} it\n")

    _, out, _ = run("errors", "--from", str(tmp_path))

    assert f"  follow  stackward log follow --from {tmp_path} {BUILD}\n" in out


def test_what_may_not_be_read_is_named_once_for_all_nodes_that_have_it(
    run: Run, tmp_path: Path
) -> None:
    for node in ("c01", "c02"):
        (tmp_path / node).mkdir()
        (tmp_path / node / "nova.log").write_text("2026-11-27 22:50:00.000 7 ERROR nova.x [-] it\n")
        for place in ("a.log", "b.log"):
            os.mkfifo(tmp_path / node / place)
    for number in range(5):
        (tmp_path / "c02/qemu").mkdir(exist_ok=True)
        os.mkfifo(tmp_path / f"c02/qemu/instance-{number}.log")

    code, _, said = run("errors", "--from", str(tmp_path))

    assert code == 6
    assert said.splitlines() == [
        "warning: `c01`, `c02`: 2 places are not read (it is no plain file): /a.log, /b.log",
        "warning: `c02`: 5 places are not read (it is no plain file): 5 files in /qemu",
    ]


def test_each_folder_that_is_not_read_is_named(run: Run, tmp_path: Path) -> None:
    """On a controller, a login without rights may read no folder of a service."""
    (tmp_path / "ctl").mkdir()
    (tmp_path / "ctl/nova.log").write_text("2026-11-27 22:50:00.000 7 ERROR nova.x [-] it\n")
    names = ("cinder", "glance", "keystone", "neutron", "placement")
    for name in names:
        (tmp_path / "ctl" / name).symlink_to(tmp_path.parent)

    _, _, said = run("errors", "--from", str(tmp_path))

    named = ", ".join(f"/{name}" for name in names)
    assert f"`ctl`: 5 places are not read (it leads out of its folder): {named}\n" in said


def test_an_id_that_is_nowhere_in_what_could_be_read_may_be_in_the_rest(
    run: Run, tmp_path: Path
) -> None:
    with_a_fifo(tmp_path)

    code, out, said = run("follow", BUILD, "--from", str(tmp_path), "--since", "2026-11-27T22:00Z")

    assert (code, out) == (6, "")
    assert "warning: `c01`: 1 place is not read (it is no plain file): /fifo.log" in said
    assert f"error: no log that could be read has `{BUILD}`\n  searched: since 2026-11-27" in said
    assert "hint: make readable what is named above; widen the window by `--since`; " in said


@pytest.mark.parametrize("what", ["message", "exception"])
def test_a_line_that_no_person_reads_to_its_end_is_shown_shortened(
    run: Run, tmp_path: Path, what: str
) -> None:
    head, long = f"2026-11-27 22:50:00.000 7 ERROR nova.x [{BUILD} - - - - -] ", "x" * 9_000
    of_traceback = (
        "Traceback (most recent call last):",
        '  File "/x.py", line 1, in f',
        f"ValueError: {long}",
    )
    traceback = "".join(f"{head.partition('[')[0]}{line}\n" for line in of_traceback)
    (tmp_path / "c01").mkdir()
    (tmp_path / "c01/nova.log").write_text(
        f"{head}{long}\n" if what == "message" else f"{head}it failed\n{traceback}"
    )

    for words in (("errors",), ("follow", BUILD)):
        _, out, _ = run(*words, "--from", str(tmp_path))
        assert max(map(len, out.splitlines())) < 2100
        assert "xxx..." in out


def test_a_span_of_collected_logs_counts_back_from_their_newest_line(run: Run) -> None:
    words = ("errors", "--from", str(SAMPLES / "build"), "--level", "warning", "-f", "json")

    counts = [
        sum(json.loads(line)["count"] for line in run(*words, *flags)[1].splitlines())
        for flags in ((), ("--since", "1h"), ("--since", "10s"))
    ]

    assert counts[0] == counts[1] > counts[2] > 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("follow", "web-1"),
            "error: `web-1` is not an id; names cannot be looked up",
        ),
        (("errors", "--node", "c99"), "error: there is no node `c99` in "),
        (
            ("errors", "--component", "nova-computee"),
            "error: there is no component `nova-computee` hint: perhaps `nova-compute`",
        ),
        (("errors", "--component", "?"), "error: there is no component `?` hint: components: `"),
        (("errors", "--since", "soon"), "error: `--since soon` is no time"),
        (("errors", "--since", "1h", "--until", "2h"), "error: `--since` is later than `--until`"),
        (("errors", "-c", "No"), "error: there is no column `No`"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_hint(
    run: Run, words: tuple[str, ...], says: str
) -> None:
    code, out, said = run(*words, "--from", str(SAMPLES / "build"))

    assert (code, out) == (2, "")
    assert says in folded(said)
    assert "hint: " in said


def test_a_zone_is_for_collected_logs_only(run: Run) -> None:
    code, _, said = run("errors", "--zone", "UTC")

    assert code == 2
    assert "`--zone` is for collected logs" in said


def test_part_of_the_logs_that_cannot_be_read_is_said_and_the_exit_code_tells(
    run: Run, tmp_path: Path
) -> None:
    with_a_fifo(tmp_path)

    code, out, said = run("errors", "--from", str(tmp_path))

    assert code == 6
    assert "1 event in 1 group" in out
    assert "warning: `c01`: 1 place is not read (it is no plain file): /fifo.log" in said


def test_where_services_log_by_their_settings_is_said(run: Run, tmp_path: Path) -> None:
    for name, setting in (("nova", "log_dir = /srv/nova"), ("cinder", "log_file = /srv/c.txt")):
        (tmp_path / f"c01/etc/{name}").mkdir(parents=True)
        (tmp_path / f"c01/etc/{name}/{name}.conf").write_text(f"[DEFAULT]\n{setting}\n")
    for folder in ("srv/nova", "var/log"):
        (tmp_path / "c01" / folder).mkdir(parents=True)
    for name in ("nova/nova-compute.log", "c.txt"):
        (tmp_path / "c01/srv" / name).write_text(
            "2026-11-27 22:50:00.000 7 ERROR x [-] it failed\n"
        )
    words = ("errors", "--from", str(tmp_path), "-f", "json")

    code, out, said = run(*words)
    chosen = run(*words, "--component", "cinder-volume")

    notes = folded(said)
    assert code == 0
    assert "are in /srv/nova, by /etc/nova/nova.conf on `c01`" in notes
    assert "are in /srv, by /etc/cinder/cinder.conf on `c01`" in notes
    # What all services of Cinder write into one file is of none of them, unless one is named.
    assert {json.loads(line)["component"] for line in out.splitlines()} == {"nova-compute", "c"}
    assert [json.loads(line)["component"] for line in chosen[1].splitlines()] == ["cinder-volume"]


def test_a_clock_that_was_set_back_is_said(run: Run, tmp_path: Path) -> None:
    times = ("22:50:00", "22:51:30", "22:50:10", "22:52:00")
    lines = [f"2026-11-27 {each}.000 7 ERROR nova.x [-] it failed\n" for each in times]
    for name in ("nova-compute.log", "nova-api.log"):
        (tmp_path / name).write_text("".join(lines))

    code, _, said = run("errors", "--from", str(tmp_path))

    assert code == 0
    assert folded(said).startswith(
        f"note: `{tmp_path.name}`: time runs backwards by 80 s at 2026-11-27 22:50:10 UTC in "
        "/nova-api.log, and in 1 other log: its clock was set; events of that time may be in "
    )


def test_a_log_of_which_no_line_is_understood_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own.log").write_text("something\nand more\n")
    (tmp_path / "empty.log").write_text("")
    (tmp_path / "nova.log").write_text("2026-11-27 22:49:00.000 7 INFO nova.x [-] it\n")

    code, out, said = run("errors", "--from", str(tmp_path))

    assert (code, out) == (0, "no errors in what could be read\n")
    assert said.startswith("note: 1 log has no line of a known format: /own.log on ")


def test_where_no_log_is_understood_there_is_no_word_of_no_errors(run: Run, tmp_path: Path) -> None:
    (tmp_path / "c01").mkdir()
    (tmp_path / "c01/x.log").write_text("it <ERROR> failed\n")

    code, out, err = run("errors", "--from", str(tmp_path))

    assert (code, out) == (8, "no errors in what could be read\n")
    assert "1 log has no line of a known format: /x.log on `c01`" in err


STEERS = "\x1b]0;title\x07\x1b[2J\r\x08\x9b1A\u202e"


@pytest.mark.parametrize("form", ["table", "json", "yaml", "csv", "value"])
@pytest.mark.parametrize("words", ["log errors", f"log follow {BUILD}", "diagnose"])
def test_nothing_of_a_log_steers_a_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: str, form: str
) -> None:
    """Whatever it stands in: a message, a name of a logger, of a file of code, of the log."""
    ahead = f"2026-11-27 22:49:00.000 7 ERROR nova.x{STEERS.replace(chr(13), '')}"
    (tmp_path / "c01").mkdir()
    (tmp_path / f"c01/x{STEERS}.log").write_text(
        f"{ahead} [{BUILD} me my] it {STEERS}\n{ahead} Traceback (most recent call last):\n"
        f'{ahead}   File "/a{STEERS}.py", line 1, in f{STEERS}\n'
        f"{ahead} ValueError: {STEERS}\n",
        "utf-8",
    )

    main([*words.split(), "--from", str(tmp_path), "-f", form])

    out, err = capsys.readouterr()

    assert "title" in out
    assert [each for each in out + err if not each.isprintable()] == ["\n"] * (
        out.count("\n") + err.count("\n")
    )


def test_settings_that_may_not_be_read_are_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "c01/etc/nova/nova.conf").mkdir(parents=True)
    (tmp_path / "c01/etc/nova/nova.conf.d").symlink_to("nova.conf.d")  # a circle
    (tmp_path / "c01/nova-compute.log").write_text("")

    _, _, said = run("errors", "--from", str(tmp_path))

    assert "note: the settings of services may not be read on 1 node: " in folded(said)


def test_no_secret_of_any_log_is_shown(run: Run, tmp_path: Path) -> None:
    lines = (
        "2026-11-27 22:50:00.000 7 ERROR nova.x [-] rabbit://u:hush/word@ctl is away\n"
        "2026-11-27 22:50:01 13 [ERROR] GRANT USAGE TO 'n' IDENTIFIED BY 'hush/word'\n"
        "2026-11-27 22:50:02.000000+00:00 [error] <0.1.0> password=hush/word\n"
        "2026-11-27T22:50:03.000Z|00095|vlog|ERR|token: hush/word\n"
        "2026-11-27 22:50:04.000 7 ERROR nova.x [-] it failed\n"
        "2026-11-27 22:50:04.000 7 ERROR nova.x Traceback (most recent call last):\n"
        '2026-11-27 22:50:04.000 7 ERROR nova.x   File "/a.py", line 1, in b\n'
        "2026-11-27 22:50:04.000 7 ERROR nova.x ValueError: --os-password hush/word\n"
    )
    (tmp_path / "nova.log").write_text(lines)
    with tarfile.open(tmp_path / "logs.tar", "w") as archive:
        archive.add(tmp_path / "nova.log", "c01/nova.log")

    shown = [
        run("errors", "--from", str(tmp_path / "logs.tar"), "-f", form)
        for form in ("table", "json", "csv", "yaml", "value")
    ]

    assert [code for code, _, _ in shown] == [0] * 5
    assert "hush" not in repr(shown)
    assert "it failed" in shown[0][1]


def test_a_node_of_the_inventory_is_read_by_its_own_python(run: Run, tmp_path: Path) -> None:
    """Of the components of the anatomy this machine need have none: it is read all the same."""
    (tmp_path / "hosts").write_text("here ansible_connection=local\n")

    code, out, _ = run("errors", "--since", "1s", "--inventory", str(tmp_path / "hosts"))

    assert code in {0, 6, 8}
    assert "no errors in these logs" in out


def test_a_name_that_no_server_has_is_refused_before_any_log_is_read(site: Site) -> None:
    code, out, said = site.run("log", "follow", "web-9")

    assert (code, out) == (2, "")
    assert "error: Nova has no server `web-9`" in said


def test_an_id_is_followed_though_nova_does_not_answer(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "none.yaml"))
    (tmp_path / "hosts").write_text("here ansible_connection=local\n")
    sought = "00000000-1111-2222-3333-444444444444"

    code, _, said = run("follow", sought, "--since", "1s", "--inventory", str(tmp_path / "hosts"))

    assert "note: Nova's action log was not read: " in said
    assert code in {1, 8}


# --- log tail ---------------------------------------------------------------------------------

FOLLOWS = """
import sys
from pathlib import Path
from stackward.cli import main
from stackward.facts import tail
from stackward.facts.logs import Places
log = sys.argv[1]
tail.places_of = lambda *_: Places((log,), (), {log: "nova-compute"}, {})
sys.exit(main(["log", "tail", *sys.argv[2:]]))
"""


def test_what_is_logged_now_is_shown_until_ctrl_c(tmp_path: Path) -> None:
    log = tmp_path / "log" / "nova-compute.log"
    log.parent.mkdir()
    ahead = "2026-11-27 22:50:00.000 7"
    log.write_text(f"{ahead} INFO nova.x [-] there already\n")
    (tmp_path / "hosts").write_text("here ansible_connection=local\n")
    words = ("nova-compute", "--inventory", str(tmp_path / "hosts"))
    shown = ["22:50:00.000 here nova-compute there already"]

    with subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-c", FOLLOWS, str(log), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TZ": "UTC"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline().rstrip()
        with log.open("a") as file:
            file.write(f"{ahead} ERROR nova.x [-] password=hunter2 is wrong\n  and more\n")
        told = [process.stdout.readline().rstrip() for _ in range(2)]
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        process.wait(60)

    assert [first] == shown
    assert told[0].startswith("22:50:00.000 here nova-compute error: password=")
    assert "hunter2" not in told[0]
    assert told[1] == "    and more"
    assert process.returncode == 0
    assert said == "note: following 1 log on 1 node; Ctrl-C ends\n"


def test_columns_of_what_has_no_end_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("here ansible_connection=local\n")
    inventory = ("--inventory", str(tmp_path / "hosts"))

    code, out, said = run("tail", "nova-compute", *inventory, "-f", "csv")
    other, _, unknown = run("tail", "nova-compte", *inventory)
    third, _, lost = run("tail", "nova-compute", *inventory, "--node", "c09")

    assert (code, out, other, third) == (2, "", 2, 2)
    assert "error: what goes on without an end has no columns" in said
    assert "nova-compute" in unknown
    assert "there is no node `c09` in the inventory" in lost


def test_where_no_node_can_be_read_it_ends_and_says_so(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hosts").write_text("c01 ansible_host=192.0.2.1 ansible_port=1\n")
    put_ssh(tmp_path, says_itself("ssh: connect to host 192.0.2.1 port 1: No route to host"))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    code, out, said = run("tail", "nova-compute", "--inventory", str(tmp_path / "hosts"))

    assert (code, out) == (8, "")
    assert "warning: `c01` is not read: ssh: connect to host 192.0.2.1 port 1: No route" in said
