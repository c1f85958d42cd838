"""`stackward node drain`, from the plan to the proofs, on a cloud of fakes."""

import io
import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest
from typing_extensions import override

from builders import a_flavor, a_server, an_id, wishing
from engine.fakes import FakeClock
from fakes.cloud import FakeCloud
from fakes.nova import FakeNova
from fakes.shell import IN_A_CONTAINER, FakeShell
from fakes.world import a_world
from stackward.adapters.ssh import Ssh
from stackward.adapters.store.listing import FILE, list_runs
from stackward.cli import main
from stackward.errors import Uncertain
from stackward.model.claim import Claim, read_claim
from stackward.model.inventory import Inventory
from stackward.model.maintenance import DROP_IN, DROP_IN_TEXT, MAINTENANCE
from stackward.ports.world import World
from texts import folded

DRAIN = ("node", "drain", "compute-07", "--reason", "bad DIMM")


@dataclass
class Site:
    """A cloud, and the command line that is pointed at it."""

    state_dir: Path
    capsys: pytest.CaptureFixture[str]
    cloud: FakeCloud = field(default_factory=FakeCloud)
    on_wait: list[Callable[[], object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cloud.nova.add(a_server(name="db-01"), a_server("SHUTOFF", name="db-02"))
        self.shell = FakeShell(self.cloud)
        self.on_wait = [self.cloud.nova.pass_time]

    @contextmanager
    def open_world(self, _known: Inventory, _os_cloud: str | None) -> Iterator[World]:
        clock = FakeClock(on_wait=self.on_wait)
        yield replace(a_world(self.cloud, self.shell), clock=clock, acting=None)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return exit code, stdout and stderr, with the ids of runs made equal."""
        code = main(arguments, open_world=self.open_world)
        out, err = (re.sub(r"01[0-9A-Z]{12}", "01RUN", said) for said in self.capsys.readouterr())
        return (code, out, err)

    def claim(self, run: str) -> None:
        """Take the node out of service, as a run of another place does."""
        claim = Claim(
            run=run,
            operator="ann",
            machine="bastion",
            since="2026-01-01T12:00:00Z",
            reason="bad: DIMM",
        )
        self.cloud.nova.disable_service(self.cloud.nova.computes["compute-07"].id, str(claim))
        self.shell.units["compute-07"] = ("inactive", "masked")
        self.shell.files["compute-07", MAINTENANCE] = "bad: DIMM\n"
        self.shell.files["compute-07", DROP_IN] = DROP_IN_TEXT
        own = self.cloud.nova.computes["compute-07"]
        self.cloud.nova.computes["compute-07"] = replace(own, is_up=False)

    @property
    def hosts(self) -> dict[str, str | None]:
        return {server.name: server.host for server in self.cloud.nova.known.values()}

    @property
    def is_untouched(self) -> bool:
        here = set(self.hosts.values()) == {"compute-07"}
        return here and self.cloud.nova.computes["compute-07"].is_enabled and not self.shell.done


@pytest.fixture
def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Site:
    (tmp_path / "inventory").write_text("compute-07\n")
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("STACKWARD_INVENTORY", str(tmp_path / "inventory"))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return Site(tmp_path, capsys)


class Terminal(io.StringIO):
    """A person who types."""

    @override
    def isatty(self) -> bool:
        return True


def test_a_drain_of_a_sound_node_ends_well_and_says_what_was_proved(site: Site) -> None:
    code, out, err = site.run(*DRAIN, "--yes")

    assert (code, out) == (0, SUMMARY)
    told = [
        line.partition(" UTC ")[2] for line in err.splitlines() if re.match(r"\d\d:\d\d:", line)
    ]
    assert told[0].startswith("taken up: ")
    assert set(told[1:]) == PROGRESS
    assert site.hosts == {"db-01": "compute-08", "db-02": "compute-08"}
    assert site.shell.units["compute-07"] == ("inactive", "masked")


PROGRESS = {
    "cordon `compute-07`: started",
    "cordon `compute-07`: done, 1 s",
    "live-migrate `db-01` off `compute-07`: started",
    "live-migrate `db-01` off `compute-07`: done, 1 s, now on `compute-08`",
    "cold-migrate `db-02` off `compute-07`: started",
    "cold-migrate `db-02` off `compute-07`: done, 1 s",
    "confirm the migration of `db-02`: started",
    "confirm the migration of `db-02`: done, 1 s, now on `compute-08`",
    "stop nova-compute on `compute-07` and keep it off: started",
    "stop nova-compute on `compute-07` and keep it off: done, 1 s",
    "proved: no servers are on `compute-07`",
    "proved: libvirt on `compute-07` has no guests",
    "proved: placement has no allocations on `compute-07`",
    "proved: no server has a directory left on `compute-07`",
    "proved: `compute-07` is cordoned",
    "proved: nova-compute is off on `compute-07`",
    "succeeded",
}

SUMMARY = f"""\
run `01RUN`, drain `compute-07`: succeeded
+--------+--------------------------------------+------+------------+-------+---------+----------+
| Server | ID                                   | How  | To         | State | Seconds | Downtime |
+--------+--------------------------------------+------+------------+-------+---------+----------+
| db-01  | {an_id("db-01")} | live | compute-08 | done  | 1       |          |
| db-02  | {an_id("db-02")} | cold | compute-08 | done  | 2       |          |
+--------+--------------------------------------+------+------------+-------+---------+----------+
proved:
  no servers are on `compute-07`
  libvirt on `compute-07` has no guests
  placement has no allocations on `compute-07`
  no server has a directory left on `compute-07`
  `compute-07` is cordoned
  nova-compute is off on `compute-07`
the node is empty
"""
IS_EMPTY = "the node is empty\n"


def test_the_run_as_data(site: Site) -> None:
    code, out, err = site.run(*DRAIN, "--yes", "-f", "json")

    assert code == 0, err
    told = json.loads(out)
    assert (code, told["id"], told["state"], told["ends"]) == (0, "01RUN", "succeeded", "empty")
    assert told["approved"]["how"] == "--yes"
    assert [(each["server"], each["to"]) for each in told["moves"]] == [
        ("db-01", "compute-08"),
        ("db-02", "compute-08"),
    ]
    assert {each["what"] for each in told["proofs"]} == {"proved"}


def test_without_a_terminal_nothing_is_approved(site: Site) -> None:
    code, out, err = site.run(*DRAIN)

    assert (code, out, site.is_untouched) == (2, "", True)
    assert err.endswith(
        "error: cannot ask whether to drain `compute-07`: there is no terminal to answer on\n"
        "nothing was changed\n\n"
        "hint: pass `--yes` to approve the plan without a prompt; `--dry-run` only shows it\n"
    )


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "yesterday\n"])
def test_an_answer_other_than_yes_changes_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))

    code, out, err = site.run(*DRAIN)

    assert (code, out, site.is_untouched) == (3, "", True)
    assert err.endswith(
        "\ndrain `compute-07`? [y/N] error: drain `compute-07`: not approved\nnothing was changed\n"
    )
    assert list_runs(site.state_dir / FILE, 1) == []


def test_yes_is_put_on_record_with_how_it_was_said(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))

    code, out, _ = site.run(*DRAIN, "-c", "Server", "-c", "To", "-f", "value")

    [run] = list_runs(site.state_dir / FILE, 1)
    assert (code, out) == (0, "db-01 compute-08\ndb-02 compute-08\n")
    assert run.approval.how == "prompt"


def test_a_column_that_is_not_there_is_refused_before_anything_is_carried_out(site: Site) -> None:
    """It was refused when the run was over, with the exit code of a usage error."""
    code, out, err = site.run(*DRAIN, "--yes", "-c", "Colour")

    assert (code, out, site.is_untouched) == (2, "", True)
    assert err.startswith("error: there is no column `Colour`\n")


def test_a_plan_with_blockers_is_never_asked_about(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    site.cloud.nova.add(a_server("ERROR", name="db-03"))

    code, out, err = site.run(*DRAIN)

    assert (code, out, "[y/N]" in err, site.is_untouched) == (3, "", False, True)
    assert "db-03 is in ERROR" in folded(err)


def test_ctrl_c_waits_for_what_is_under_way_and_the_run_can_be_resumed(site: Site) -> None:
    pressed = press_when(site, lambda: bool(site.cloud.nova.migrations), times=1)

    code, out, err = site.run(*DRAIN, "--yes", "--parallel", "1")

    assert (code, pressed, site.hosts) == (4, [1], {"db-01": "compute-08", "db-02": "compute-07"})
    assert "begins nothing more, waits for what is under way" in err
    assert "`stackward run resume 01RUN` continues" in err
    assert "| done      |" in out
    assert "| not begun |" in out

    [run] = list_runs(site.state_dir / FILE, 1)
    code, out, _ = site.run("run", "resume", run.id, "-f", "value", "-c", "Server", "-c", "State")
    assert (code, out) == (0, "db-01 done\ndb-02 done\n")


def test_ctrl_c_twice_leaves_at_once_and_names_what_is_under_way(site: Site) -> None:
    site.on_wait.clear()  # no move ever ends
    press_when(site, lambda: bool(site.cloud.nova.migrations), times=2)

    code, _, err = site.run(*DRAIN, "--yes")

    assert code == 4
    assert "leaves what is under way to itself" in err
    assert "`db-01` is under way" in err
    assert "`stackward run resume 01RUN` continues" in err
    assert "run undo" not in err  # it would be refused: something is in progress


def press_when(site: Site, is_time: Callable[[], bool], *, times: int) -> list[int]:
    """Press Ctrl-C, as a terminal would: once at each wait of the engine, from a moment on."""
    pressed: list[int] = []

    def press() -> None:
        if is_time() and len(pressed) < times:
            pressed.append(len(pressed) + 1)
            # What the signal calls, without the chance of when it is delivered.
            handler = signal.getsignal(signal.SIGINT)
            assert callable(handler)
            handler(signal.SIGINT, None)

    site.on_wait.append(press)
    return pressed


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param(["--parallel", "5"], {"at_once": 5}, id="parallel"),
        pytest.param(["--timeout", "60"], {"slow_after_s": 60.0}, id="timeout"),
        pytest.param(["--when-slow", "wait"], {"on_slow": []}, id="wait"),
        pytest.param(
            ["--when-slow", "stop-server"], {"on_slow": ["abort-migration"]}, id="stop the server"
        ),
        pytest.param(["--when-slow", "abort"], {"on_slow": ["abort-migration"]}, id="abort"),
        pytest.param(
            ["--when-slow", "force-complete"], {"on_slow": ["force-complete"]}, id="force"
        ),
    ],
)
def test_how_moves_are_made_reaches_the_plan(
    site: Site, flags: list[str], expected: dict[str, object]
) -> None:
    _, out, _ = site.run(*DRAIN, "--dry-run", "-f", "json", *flags)

    [stage] = [each for each in json.loads(out)["stages"] if each["name"] == "move"]
    live = stage["moves"][0]
    planned = {
        "at_once": stage["at_once"],
        "slow_after_s": live["slow_after_s"],
        "on_slow": [step["kind"] for step in live["on_slow"]],
    }
    assert planned | expected == planned


def test_a_service_that_is_to_be_kept_runs_on(site: Site) -> None:
    code, _, _ = site.run(*DRAIN, "--yes", "--keep-service")

    assert (code, site.shell.done) == (0, [])
    claim = read_claim(site.cloud.nova.computes["compute-07"].disabled_reason)
    assert claim is not None
    assert claim.reason == "bad DIMM"


def test_a_service_is_kept_off_without_a_mask_where_that_is_asked(site: Site) -> None:
    code, _, _ = site.run(*DRAIN, "--yes", "--no-mask")

    assert (code, site.shell.units["compute-07"]) == (0, ("inactive", "enabled"))


def test_with_a_server_left_behind_the_summary_warns_of_the_power_switch(site: Site) -> None:
    code, out, _ = site.run(*DRAIN, "--yes", "--leave-behind", an_id("db-02"))

    assert (code, site.shell.done) == (0, [])
    assert out.endswith("the node is not empty: do not power off\n")


# --- what is stopped for its move ----------------------------------------------------------------


def test_a_slow_server_is_stopped_moved_cold_and_started_and_its_downtime_is_told(
    site: Site,
) -> None:
    site.cloud.nova.slow.add(an_id("db-01"))

    code, out, err = site.run(*DRAIN, "--yes", "--timeout", "5", "--when-slow", "stop-server")

    asked = [each.action for each in site.cloud.nova.actions[an_id("db-01")]]
    server = site.cloud.nova.known[an_id("db-01")]
    assert code == 0, err
    assert asked == [
        "live-migration",
        "live_migration_cancel",
        "stop",
        "migrate",
        "confirmResize",
        "start",
    ]
    assert (server.status, server.host) == ("ACTIVE", "compute-08")
    [row] = [line for line in out.splitlines() if line.startswith("| db-01")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert [*cells[2:5], cells[6]] == ["cold", "compute-08", "done", "4"]
    assert "if its live migration takes longer than 5 s" in err
    assert out.endswith(IS_EMPTY)


def test_the_downtime_of_a_cold_move_is_told_as_data_and_kept_in_the_journal(site: Site) -> None:
    server = a_server(name="gpu-1", flavor=a_flavor(pci_passthrough__alias="gpu:1"))
    site.cloud.nova.known = {server.id: server}

    code, out, _ = site.run(*DRAIN, "--yes", "--allow-downtime", "-f", "json")

    [run] = list_runs(site.state_dir / FILE, 1)
    _, shown, _ = site.run("run", "show", run.id, "--events", "-f", "json")
    assert (code, json.loads(out)["moves"][0]["downtime_s"]) == (0, 1)
    assert "'down_since': '2026-11-22T03:00:" in shown


def test_what_came_from_a_stopped_server_is_brought_back_too(site: Site) -> None:
    site.cloud.nova.slow.add(an_id("db-01"))
    site.run(*DRAIN, "--yes", "--timeout", "5", "--when-slow", "stop-server")
    site.cloud.nova.slow.clear()

    code, _, err = site.run("node", "return", "compute-07", "--bring-back", "--yes")

    assert (code, set(site.hosts.values())) == (0, {"compute-07"}), err


# --- what owners wish ---------------------------------------------------------------------------


def test_an_owners_consent_is_on_record_in_the_request_the_account_and_the_journal(
    site: Site,
) -> None:
    site.cloud.nova.known = {an_id("db-09"): wishing("ask", name="db-09")}

    code, out, _ = site.run(*DRAIN, "--yes", "--consent", f"{an_id('db-09')}=CHG-77", "-f", "json")

    told = json.loads(out)
    [run] = list_runs(site.state_dir / FILE, 1)
    _, events, _ = site.run("run", "show", run.id, "--events")
    assert (code, told["moves"][0]["consent"]) == (0, "CHG-77")
    assert json.loads(run.plan)["request"]["consents"] == [
        {"server": an_id("db-09"), "reference": "CHG-77"}
    ]
    assert "its owner agreed: CHG-77" in events


def test_the_account_says_whose_consent_was_given(site: Site) -> None:
    site.cloud.nova.known = {an_id("db-09"): wishing("ask", name="db-09")}

    _, out, _ = site.run(*DRAIN, "--yes", "--consent", f"{an_id('db-09')}=CHG-77")

    assert "by their owners' consent:\n  `db-09`: CHG-77\n" in out


def test_without_a_consent_the_owner_is_named_and_nothing_is_touched(site: Site) -> None:
    site.cloud.nova.add(wishing("ask", name="db-09"))

    code, _, err = site.run(*DRAIN, "--yes")

    assert (code, site.is_untouched) == (3, True)
    assert "db-09 its owner wishes to be asked first: user eve, project demo" in folded(err)


@pytest.mark.parametrize("words", [["x"], ["x="], ["=y"], ["x=y", "x=z"]])
def test_a_consent_that_is_not_one_is_bad_input(site: Site, words: list[str]) -> None:
    flags = [flag for word in words for flag in ("--consent", word)]

    code, out, err = site.run(*DRAIN, "--yes", *flags)

    assert (code, out, site.is_untouched) == (2, "", True)
    assert err.startswith("error: `--consent")


# --- only some projects' servers ----------------------------------------------------------------


@pytest.mark.parametrize("word", ["demo", "Demonstrations"])
def test_only_servers_of_the_projects_named_move_and_the_node_is_said_not_to_be_empty(
    site: Site, word: str
) -> None:
    site.cloud.nova.add(a_server(name="theirs", project="other"))
    before = site.cloud.nova.known[an_id("theirs")]

    code, out, _ = site.run(*DRAIN, "--yes", "--projects", word)

    assert site.hosts == {"db-01": "compute-08", "db-02": "compute-08", "theirs": "compute-07"}
    assert (
        site.cloud.nova.known[an_id("theirs")],
        site.cloud.nova.actions.get(an_id("theirs")),
    ) == (
        before,
        None,
    )
    assert (code, site.shell.done) == (0, [])  # its service stays on
    assert out.endswith("the node is not empty: do not power off\n")


def test_of_what_arrives_meanwhile_only_servers_of_these_projects_move_on(site: Site) -> None:
    late = [
        a_server(name="late", has_image=False),  # with a disk here its move needs an approval
        a_server(name="late-theirs", project="other"),
    ]

    def arrive() -> None:
        if site.cloud.nova.migrations:
            site.cloud.nova.add(*late)
            late.clear()

    site.on_wait.append(arrive)

    code, out, _ = site.run(*DRAIN, "--yes", "--projects", "demo", "-f", "value", "-c", "Server")

    assert (code, out) == (0, "db-01\ndb-02\nlate\n")
    assert (site.hosts["late"], site.hosts["late-theirs"]) == ("compute-08", "compute-07")


def test_a_node_is_emptied_project_by_project_under_its_cordon(site: Site) -> None:
    site.cloud.nova.add(a_server(name="theirs", project="other"))
    site.run(*DRAIN, "--yes", "--projects", "demo")
    again, proved, _ = site.run(*DRAIN, "--projects", "demo")

    code, out, err = site.run(*DRAIN, "--yes")

    assert (again, proved.startswith("proved:")) == (0, True)
    assert (code, site.hosts["theirs"], site.shell.units["compute-07"][0]) == (
        0,
        "compute-08",
        "inactive",
    ), err
    assert out.endswith(IS_EMPTY)


def sent_just_before(site: Site, *, shows_after: int) -> None:
    """Let the scheduler have sent a server here of which only placement knows; then Nova does."""
    sent, waits = a_server("BUILD", "sent", host=None, task_state="scheduling"), count(1)
    site.cloud.nova.add(sent)

    def pass_by() -> None:
        is_cordoned = not site.cloud.nova.computes["compute-07"].is_enabled
        if is_cordoned and next(waits) == shows_after:
            site.cloud.placement.leftovers.clear()
            site.cloud.nova.known[sent.id] = a_server(name="sent", has_image=False)

    site.cloud.placement.leftovers = {sent.id: {an_id("compute-07")}}
    site.on_wait.append(pass_by)


def test_a_server_that_the_scheduler_sent_just_before_the_cordon_is_waited_for_and_moved(
    site: Site,
) -> None:
    """Nova does not list it there yet: the drain had ended, and it came to a node that was off."""
    sent_just_before(site, shows_after=20)

    code, _, err = site.run(*DRAIN, "--yes")

    assert (code, site.hosts["sent"]) == (0, "compute-08"), err


def test_a_server_that_was_sent_and_never_comes_is_named_after_a_while(site: Site) -> None:
    sent_just_before(site, shows_after=10**6)

    code, _, err = site.run(*DRAIN, "--yes")

    assert code == 4
    assert "stage `move` was not begun: `compute-07` on its way there: sent" in folded(err)
    assert site.shell.units.get("compute-07") is None


def test_the_words_with_which_nova_refuses_what_is_in_its_way_are_told(site: Site) -> None:
    """A 409: the order may be under way already, so it is looked for, and given again."""

    class Busy(FakeNova):
        @override
        def live_migrate(self, server: str, target: str | None, /) -> str:
            raise Uncertain(
                "Nova is busy with it already, or it is in no state for it",
                service="Nova",
                says="Service is unavailable at this time. Cannot migrate; password=hunter2",
                request_id="req-409",
            )

    site.cloud.nova.__class__ = Busy

    code, _, err = site.run(*DRAIN, "--yes")
    [run] = list_runs(site.state_dir / FILE, 1)
    _, events, _ = site.run("run", "show", run.id, "--events", "-f", "json")

    assert code == 4
    words = "Service is unavailable at this time. Cannot migrate; password=***"
    assert f'Nova says: "{words}" (req-409)' in err
    assert "and no sign of it was seen" in err
    lost = [each for each in json.loads(events) if each["What"] == "answer lost"]
    assert [(words in str(each["Says"]), each["Request"]) for each in lost] == [
        (True, "req-409")
    ] * 3
    assert "hunter2" not in err + events


def test_a_run_that_stopped_says_what_it_has_not_begun_and_that_nothing_was_proved(
    site: Site,
) -> None:
    """Seen: a reader of a failed drain could not tell whether the node may be switched off.

    Nor did the hint name a way back, nor where the reason is to be found.
    """
    [server] = [each.id for each in site.cloud.nova.known.values() if each.name == "db-01"]
    site.cloud.nova.failures[server] = "no memory"

    code, out, err = site.run(*DRAIN, "--yes")

    assert code == 4
    [request] = {*re.findall(r"Nova says: .* \((req-\d)\)", err)}
    ways = err.partition("hint: ")[2].replace("\n  ", " ").split("; ")
    assert [one.split("` ")[0].strip("`") for one in ways] == [
        f"stackward diagnose --request {request} --since 2026-01-01T00:00:00Z",
        "stackward run resume 01RUN",
        "stackward run undo 01RUN",
        "stackward run show 01RUN --events",
    ]
    assert (
        "done, and not undone:\n  cordon: cordon `compute-07`\n"
        "not begun:\n  keep off: stop nova-compute on `compute-07` and keep it off\n"
        "nothing was proved: that is done once all else is done\n"
    ) in out


def test_a_run_that_ended_well_names_nothing_as_not_begun(site: Site) -> None:
    code, out, _ = site.run(*DRAIN, "--yes")

    assert (code, "not begun" in out, "nothing was proved" in out) == (0, False, False)


@pytest.mark.parametrize("word", ["typo", ""])
def test_a_project_that_is_not_there_is_no_reason_to_move_all(site: Site, word: str) -> None:
    code, out, err = site.run(*DRAIN, "--yes", "--projects", word)

    assert (code, out, site.is_untouched) == (2, "", True)
    assert err.startswith(f"error: there is no project `{word}`\n")


def test_f19_servers_of_a_project_that_keystone_has_no_more_are_moved_by_its_id(site: Site) -> None:
    gone = "0123456789abcdef0123456789abcdef"
    site.cloud.nova.add(a_server(name="orphan", project=gone))

    code, _, err = site.run(*DRAIN, "--yes", "--projects", gone)

    assert (code, site.hosts["orphan"], site.hosts["db-01"]) == (0, "compute-08", "compute-07"), err
    assert (
        f"Keystone has no project `{gone}` any more; 1 of its servers is still on this node" in err
    )


def test_a_kept_plan_is_carried_out_by_apply_with_the_same_summary(
    site: Site, tmp_path: Path
) -> None:
    site.run(*DRAIN, "--dry-run", "--plan-out", str(tmp_path / "plan.json"))

    code, out, _ = site.run("run", "apply", str(tmp_path / "plan.json"), "--yes")

    assert (code, out) == (0, SUMMARY)


def test_no_secret_of_the_environment_is_printed_or_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_PASSWORD", "hush-hush")

    _, out, err = site.run("--debug", *DRAIN, "--yes", "-f", "json")

    kept = [path.read_bytes() for path in site.state_dir.iterdir() if path.is_file()]
    assert "hush-hush" not in out + err
    assert not any(b"hush-hush" in each for each in kept)


# --- a node that is in maintenance already ------------------------------------------------------


def test_a_node_in_maintenance_is_proved_to_be_empty_again_without_being_asked(site: Site) -> None:
    site.run(*DRAIN, "--yes")
    done = list(site.shell.done)

    code, out, err = site.run(*DRAIN)

    assert (code, out) == (0, SUMMARY[SUMMARY.index("proved:") :].replace(IS_EMPTY, ""))
    assert "in maintenance stackward 01RUN by" in err
    assert site.shell.done == done
    assert len(list_runs(site.state_dir / FILE, 9)) == 1


def test_that_proof_as_data(site: Site) -> None:
    site.cloud.nova.known.clear()
    site.claim("01STRANGERSRUN")

    code, out, _ = site.run(*DRAIN, "-f", "json")

    told = json.loads(out)
    assert (code, told["state"], told["ends"], told["moves"]) == (0, "succeeded", "empty", [])


def test_what_has_come_back_to_a_node_in_maintenance_is_listed_with_its_remedy(site: Site) -> None:
    site.run(*DRAIN, "--yes")
    site.cloud.nova.add(a_server(name="db-09"))

    code, out, err = site.run(*DRAIN, "--yes")

    assert (code, out) == (3, "")
    assert re.search(
        r" db-09 is on `compute-07`, which run `01RUN` of \S+ on \S+ took out of service remedy: "
        r"see there that the run is over \(`stackward run show 01RUN`\); then "
        r"`stackward node return compute-07` and drain it again; or pass "
        rf"`--leave-behind {an_id('db-09')}` ",
        folded(err),
    )
    assert "\nnothing was changed\n" in err


def test_the_remedies_for_what_has_come_back_help(site: Site) -> None:
    site.claim("01STRANGERSRUN")
    site.cloud.nova.known = {an_id("db-09"): a_server(name="db-09")}
    blocked, *_ = site.run(*DRAIN, "--yes")

    left, _, _ = site.run(*DRAIN, "--yes", "--leave-behind", an_id("db-09"))
    site.cloud.nova.enable_service(site.cloud.nova.computes["compute-07"].id)  # as a return does
    own = site.cloud.nova.computes["compute-07"]
    site.cloud.nova.computes["compute-07"] = replace(own, is_up=True)
    site.shell.units["compute-07"] = ("active", "enabled")
    site.shell.files.clear()
    drained, _, _ = site.run(*DRAIN, "--yes")

    assert (blocked, left, drained) == (3, 0, 0)


def test_what_libvirt_still_runs_there_is_a_failed_proof(site: Site) -> None:
    site.run(*DRAIN, "--yes")
    site.shell.leftovers["compute-07"] = [f"/var/lib/nova/instances/{an_id('db-01')}"]

    code, _, err = site.run(*DRAIN)

    assert code == 1
    assert "`compute-07` left there: 1 directory" in err


def test_a_node_that_is_switched_off_cannot_be_proved_empty(site: Site) -> None:
    site.run(*DRAIN, "--yes")
    site.shell.silent.add("compute-07")

    code, _, err = site.run(*DRAIN)

    assert code == 5
    assert "cannot log in to `compute-07`" in err


def test_anothers_reason_is_refused_with_its_words(site: Site) -> None:
    service = site.cloud.nova.computes["compute-07"]
    site.cloud.nova.disable_service(service.id, "bob: new NICs")

    code, _, err = site.run(*DRAIN, "--yes")

    assert (code, site.shell.done) == (3, [])
    assert "it is disabled already: bob: new NICs" in err


def test_a_run_whose_worker_was_left_in_the_middle_is_to_be_resumed(site: Site) -> None:
    site.on_wait.clear()  # no move ends
    press_when(site, lambda: bool(site.cloud.nova.migrations), times=2)
    site.run(*DRAIN, "--yes", "--parallel", "1")
    [run] = list_runs(site.state_dir / FILE, 1)
    site.on_wait.append(site.cloud.nova.pass_time)

    code, _, err = site.run(*DRAIN, "--yes")
    assert code == 3
    assert re.search(
        r"run `01RUN` of \S+ has it, and is stopped remedy: `stackward run resume 01RUN`",
        folded(err),
    )

    site.run("run", "resume", run.id)
    code, _, _ = site.run(*DRAIN)
    assert code == 0


def test_what_a_run_that_stopped_between_two_moves_left_undone_is_done_by_the_next_drain(
    site: Site,
) -> None:
    """Its node is free. Resumed after that it finds another's claim, and starts nothing more."""
    press_when(site, lambda: bool(site.cloud.nova.migrations), times=1)
    site.run(*DRAIN, "--yes", "--parallel", "1")
    [run] = list_runs(site.state_dir / FILE, 1)

    code, _, err = site.run(*DRAIN, "--yes")
    resumed, _, why = site.run("run", "resume", run.id)

    assert code == 0
    assert "taken over from run `01RUN`" in folded(err)
    assert "which has left undone: 1 server is still there; its nova-compute can still start" in (
        folded(err)
    )
    assert (resumed, "has claimed it since" in folded(why)) == (4, True)


# --- node list --maintenance --------------------------------------------------------------------


def test_nodes_in_maintenance_are_listed_without_a_journal(site: Site) -> None:
    site.claim("01STRANGERSRUN")
    site.cloud.nova.disable_service(
        site.cloud.nova.computes["compute-09"].id, "bob: \x1b[2Jnew NICs"
    )

    code, out, err = site.run("node", "list", "--maintenance", "-f", "csv")

    assert (code, err) == (0, "")
    assert out == (
        '"Node","Disabled by","Run","Operator","Machine","Since","Reason"\n'
        '"compute-07","Stackward","01RUN","ann","bastion",'
        '"2026-01-01T12:00:00.000+00:00","bad: DIMM"\n'
        '"compute-09","others","","","","","bob: \\x1b[2Jnew NICs"\n'
    )
    assert not (site.state_dir / "journal.sqlite").exists()


def test_only_those_of_a_group_if_one_is_named(site: Site) -> None:
    (site.state_dir / "inventory").write_text("[rack1]\ncompute-08\n")
    site.claim("01STRANGERSRUN")

    code, out, _ = site.run("node", "list", "--maintenance", "--group", "rack1", "-f", "value")

    assert (code, out) == (0, "")


# --- others take the cordon away ---


def enabling(site: Site) -> None:
    """Let another operator enable the node once the first server is on its way."""
    done: list[bool] = []

    def watch() -> None:
        if site.cloud.nova.migrations and not done:
            done.append(True)
            site.cloud.nova.enable_service(site.cloud.nova.computes["compute-07"].id)

    site.on_wait.append(watch)


def test_no_further_server_moves_once_another_operator_has_enabled_the_node(site: Site) -> None:
    enabling(site)

    code, _, err = site.run(*DRAIN, "--yes", "--parallel", "1")

    assert code == 4
    assert site.hosts == {"db-01": "compute-08", "db-02": "compute-07"}
    assert "stopped: nothing more was started: `compute-07` is no longer cordoned" in err
    assert "`stackward run resume 01RUN`" in err


def test_the_run_that_is_resumed_then_cordons_the_node_again(site: Site) -> None:
    enabling(site)
    site.run(*DRAIN, "--yes", "--parallel", "1")
    [run] = list_runs(site.state_dir / FILE, 1)

    code, _, _ = site.run("run", "resume", run.id)

    assert code == 0
    assert set(site.hosts.values()) == {"compute-08"}


def test_a_drain_of_a_node_that_nobody_knows_how_to_reach_is_blocked_and_says_why(
    site: Site, tmp_path: Path
) -> None:
    (tmp_path / "inventory").write_text('compute-07 ansible_host="{{ somewhere }}"\n')

    @contextmanager
    def open_world(known: Inventory, _os_cloud: str | None) -> Iterator[World]:
        ssh = Ssh(known)
        yield replace(a_world(site.cloud), shell=ssh, clock=FakeClock(), acting=None)
        ssh.close()

    code = main([*DRAIN, "--yes"], open_world=open_world)

    err = site.capsys.readouterr().err
    assert code == 3
    assert "`ansible_host` is a template, which only Ansible can fill in" in err
    assert site.is_untouched


# --- a server is deleted meanwhile ---


GONE = "it was deleted at 2026-11-22 03:00:05 UTC by user eve (req-"
GONE_AS_DATA = "it was deleted at 2026-11-22T03:00:05Z by user eve (req-"


def deleting(site: Site, name: str) -> None:
    """Let its owner delete a server once the first move has begun."""
    done: list[bool] = []

    def watch() -> None:
        if site.cloud.nova.migrations and not done:
            done.append(True)
            site.cloud.nova.vanish(an_id(name))

    site.on_wait.append(watch)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("db-01", id="while it moves"),
        pytest.param("db-02", id="before its move has begun"),
    ],
)
def test_a_server_deleted_meanwhile_is_gone_with_when_and_by_whom(site: Site, name: str) -> None:
    deleting(site, name)

    code, out, err = site.run(*DRAIN, "--yes", "--parallel", "1")

    [row] = [line for line in out.splitlines() if line.startswith(f"| {name}")]
    assert code == 0
    assert [cell.strip() for cell in row.split("|")[4:7]] == ["", "gone", ""]
    assert f"  `{name}`: {GONE}" in out
    assert f"gone: {GONE}" in err
    assert "done, 0 s" not in err.partition(name)[2].partition("\n")[0]


def test_run_show_and_audit_tell_it_too(site: Site) -> None:
    deleting(site, "db-02")
    site.run(*DRAIN, "--yes", "--parallel", "1")
    [run] = list_runs(site.state_dir / FILE, 1)

    _, shown, _ = site.run("run", "show", run.id, "-f", "json")
    _, audited, _ = site.run("run", "audit", run.id, "--export")

    of_it = [one for one in map(json.loads, audited.splitlines()) if one.get("thing") == "db-02"]
    assert {one["state"] for one in of_it if one["record"] == "attempt"} == {"gone"}
    assert all(one["saw"]["deleted_by"] == "eve" for one in of_it if one["record"] == "attempt")
    assert '"State": "gone"' in shown
    assert GONE_AS_DATA in shown


def test_a_server_deleted_before_the_run_begins_is_told_the_same_way(site: Site) -> None:
    plan = site.state_dir / "plan.json"
    site.run(*DRAIN, "--dry-run", "--plan-out", str(plan))
    site.cloud.nova.vanish(an_id("db-02"))

    code, out, _ = site.run("run", "apply", str(plan), "--yes")

    assert code == 0
    assert f"  `db-02`: {GONE}" in out


def test_a_server_that_others_have_moved_is_not_called_deleted(site: Site) -> None:
    plan = site.state_dir / "plan.json"
    site.run(*DRAIN, "--dry-run", "--plan-out", str(plan))
    moved = site.cloud.nova.known[an_id("db-02")]
    site.cloud.nova.known[moved.id] = replace(moved, host="compute-09")

    _, out, _ = site.run("run", "apply", str(plan), "--yes")

    assert "  `db-02`: it is on `compute-09` already, not through this run" in out


# --- nova-compute is a container ---


def test_a_node_whose_nova_compute_is_a_container_is_refused_before_anything_moves(
    site: Site,
) -> None:
    """F35: it was refused once all servers had moved, or called off while it ran."""
    site.shell.without_unit.add("compute-07")
    site.shell.processes["compute-07"] = [IN_A_CONTAINER]

    code, _, err = site.run(*DRAIN, "--yes")

    assert (code, site.is_untouched) == (3, True)
    assert "in a container (docker 4f5e6a7b8c9d)" in err
    assert "pass `--keep-service`" in err


def test_with_its_service_kept_on_such_a_node_is_drained(site: Site) -> None:
    site.shell.without_unit.add("compute-07")
    site.shell.processes["compute-07"] = [IN_A_CONTAINER]

    code, _, _ = site.run(*DRAIN, "--yes", "--keep-service")

    assert (code, set(site.hosts.values())) == (0, {"compute-08"})


# --- whose time it is ---


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        pytest.param("Europe/Berlin", "2026-01-01 01:00:0", id="east"),
        pytest.param("America/St_Johns", "2025-12-31 20:30:0", id="west: the year before"),
    ],
)
def test_people_read_their_own_time_and_programs_the_same_everywhere(
    site: Site, monkeypatch: pytest.MonkeyPatch, zone: str, shown: str
) -> None:
    deleting(site, "db-02")
    site.run(*DRAIN, "--yes", "--parallel", "1")
    [run] = list_runs(site.state_dir / FILE, 1)
    for_programs = [
        ("run", "list", "-f", "json"),
        ("run", "show", run.id, "-f", "csv"),
        ("run", "show", run.id, "--events", "-f", "yaml"),
        ("run", "audit", run.id, "-f", "json"),
        ("run", "audit", run.id, "--export"),
        ("node", "list", "--maintenance", "-f", "value"),
        ("node", "return", "compute-07", "--dry-run", "-f", "json"),
    ]
    for_people = [
        ("run", "list"),
        ("run", "show", run.id),
        ("run", "show", run.id, "--events"),
        ("run", "audit", run.id),
        ("node", "list", "--maintenance"),
        ("node", "return", "compute-07", "--dry-run"),
    ]
    before = [site.run(*words)[1] for words in for_programs]

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        after = [site.run(*words)[1] for words in for_programs]
        texts = [site.run(*words)[1] for words in for_people]
        _, followed, _ = site.run("run", "watch", run.id)
    finally:
        monkeypatch.undo()
        time.tzset()

    assert after == before
    assert [shown in text for text in texts] == [True] * len(texts)
    others = [text for text in texts if re.search(r"\d:\d\d(Z|\+00:00)(?!: bad DIMM)", text)]
    assert others == []  # the claim alone is shown as it stands in the world
    assert followed.startswith(f"{shown[11:]}")
