"""`stackward server triage`, on a cloud of fakes and real files of logs."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from builders import NOW, a_server, an_id
from cli.test_return import NODE, Site
from stackward.app.logs import open_logs_in
from stackward.cli import main
from stackward.errors import Unreachable
from stackward.model.inventory import Inventory
from stackward.model.server import Server, ServerAction
from stackward.ports.log_source import LogSource
from stackward.ports.together import Together
from stackward.report.triage import CAUSE_FIELDS, SERVER_FIELDS, TRIAGE_FIELDS
from texts import folded

SAMPLE = (Path(__file__).parents[1] / "facts/samples/guest.json").read_text("utf-8")
DB = an_id("db-01")
SAID = "Instance failed to spawn: libvirt.libvirtError: Secret not found: no secret with matching"


def an_action(action: str, started: str, message: str | None = None) -> ServerAction:
    return ServerAction(
        action=action, request_id="req-1", user="u", started=started, message=message
    )


class Triage(Site):
    """The same, with the logs of its nodes in a folder."""

    @property
    def logs(self) -> Path:
        folder = self.state_dir / "logs"
        (folder / NODE / "var/log/nova").mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def open_logs(self, _known: Inventory) -> Iterator[tuple[LogSource, Together]]:
        with open_logs_in(self.logs, None) as opened:
            yield opened

    def log(self, text: str) -> None:
        at = NOW.strftime("%Y-%m-%d %H:%M:%S.100")
        line = (
            f"{at} 182 ERROR nova.compute.manager [None req-1 - - - - - -] [instance: {DB}] {text}"
        )
        (self.logs / NODE / "var/log/nova/nova-compute.log").write_text(f"{line}\n")

    def triage(self, *words: str) -> tuple[int, str, str]:
        code = main(
            ["server", "triage", *words], open_world=self.open_world, open_logs=self.open_logs
        )
        return (code, *self.capsys.readouterr())

    def guest(self, name: str = "db-01", **domain: object) -> None:
        """Have the node tell of a guest, as a real one told."""
        told = json.loads(SAMPLE)
        told["domain"] |= {"state": "running", **domain}
        self.shell.looks[NODE, an_id(name)] = json.dumps(told)

    def breaks(self) -> Server:
        """Have the last attempt to start it fail."""
        nova = self.cloud.nova
        nova.known[DB] = replace(nova.known[DB], status="ERROR", vm_state="error")
        started = NOW.replace(tzinfo=None).isoformat()
        nova.actions[DB] = [an_action("reboot", started, message="Error")]
        return nova.known[DB]


@pytest.fixture
def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Triage:
    (tmp_path / "inventory").write_text("compute-07\nctl\n")
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("STACKWARD_INVENTORY", str(tmp_path / "inventory"))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return Triage(tmp_path, capsys)


@pytest.mark.parametrize("action", ["live-migration", "migrate", "resize", "evacuate"])
def test_a_move_that_found_no_node_is_no_failed_boot(site: Triage, action: str) -> None:
    site.guest()
    site.log("Instance spawned successfully.")
    started = NOW.replace(tzinfo=None).isoformat()
    site.cloud.nova.actions[DB] = [an_action(action, started, message="Error")]
    site.cloud.nova.failures[DB] = "No valid host was found. There are not enough hosts available."

    code, out, _ = site.triage("db-01")

    assert (code, "delete" in out, "No valid host" in out) == (0, False, False), out


def test_a_server_that_runs_is_well(site: Triage) -> None:
    site.guest()
    site.log("Instance spawned successfully.")

    code, out, said = site.triage("db-01")

    assert code == 0, out + said
    assert f"db-01 ({DB}) runs on {NODE}: nothing was found that keeps it from booting" in folded(
        out
    )
    assert "ruled out:" in out
    assert "not known:" not in out


def test_the_words_of_the_log_are_the_evidence(site: Triage) -> None:
    site.breaks()
    site.guest(state="shut off")
    site.log(SAID)

    code, out, _ = site.triage("db-01")

    assert code == 7
    assert f"does not boot on {NODE}: libvirt does not have the secret" in folded(out)
    assert "likely" in out
    assert "/var/log/nova/nova-compute.log" in out
    assert "remedy" in out


def test_programs_read_the_declared_fields(site: Triage) -> None:
    site.breaks()
    site.guest(state="shut off", bridges=[{"name": "br-int", "is_there": False}])
    site.log(SAID)

    code, out, _ = site.triage("db-01", "-f", "json")

    told = json.loads(out)
    assert (code, set(told)) == (7, set(TRIAGE_FIELDS))
    [server] = told["servers"]
    assert set(server) == set(SERVER_FIELDS)
    first, second = server["causes"]
    assert set(first) == set(CAUSE_FIELDS)
    assert (first["signature"], first["certainty"]) == ("bridge-missing", "likely")
    assert (second["signature"], second["certainty"]) == ("secret-gone", "likely")
    [evidence] = [one for one in second["evidence"] if one["in"] == "log"]
    assert evidence["file"].endswith("nova-compute.log")
    assert evidence["at"] == "2026-11-22T03:00:00.100+00:00"
    assert server["attempt"]["request_id"] == "req-1"


def test_a_cause_that_servers_of_a_node_share_is_said_once(site: Triage) -> None:
    for name in ("db-01", "db-02"):
        site.guest(name, bridges=[{"name": "br-int", "is_there": False}])

    _, out, _ = site.triage("db-01", "db-02")
    _, told, _ = site.triage("db-01", "db-02", "-f", "json")

    assert folded(out).count("the bridge of its network card") == 1
    assert "2 servers from booting: db-01, db-02" in folded(out)
    [shared] = json.loads(told)["of_nodes"]
    assert (shared["node"], shared["servers"]) == (NODE, [DB, an_id("db-02")])


def test_what_is_unknown_says_what_was_ruled_out_and_the_last_error(site: Triage) -> None:
    site.breaks()
    site.guest(state="shut off")
    site.log("a new kind of trouble")

    code, out, _ = site.triage("db-01")

    assert code == 6
    assert "unknown why; nothing that is known explains it" in folded(out)
    assert "a new kind of trouble" in out
    assert "ruled out:" in out


@pytest.mark.parametrize("service", ["cinder", "neutron"])
def test_a_service_that_is_away_is_said_and_the_rest_is_judged(
    site: Triage, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> object:
        raise Unreachable("cannot connect", service=service)

    call = {"cinder": "volume", "neutron": "ports_of"}[service]
    monkeypatch.setattr(getattr(site.cloud, service), call, away)
    site.cloud.nova.known[DB] = replace(site.cloud.nova.known[DB], volume_ids=("v1",))
    site.guest(bridges=[{"name": "br-int", "is_there": False}])

    code, out, _ = site.triage("db-01")

    assert code == 6
    assert "would not boot again: the bridge" in folded(out)
    assert "cannot connect" in out.partition("not known:")[2]


def test_a_node_that_is_silent_is_said_and_the_rest_is_judged(site: Triage) -> None:
    site.shell.silent.add(NODE)
    site.cloud.nova.computes[NODE] = replace(site.cloud.nova.computes[NODE], is_up=False)

    code, out, _ = site.triage("db-01")

    assert code == 7
    assert "nova-compute of its node is down" in folded(out)
    assert "its console: nova-compute is not up" in folded(out)


def test_a_node_without_its_logs_is_said(site: Triage) -> None:
    site.guest()

    code, out, _ = site.triage("db-01")

    assert code == 6
    assert "the log of nova-compute: there is none to be read" in folded(out)


def test_logs_that_were_rotated_away_are_said(site: Triage) -> None:
    server = site.breaks()
    before = NOW.replace(tzinfo=None, year=NOW.year - 1).isoformat()
    site.cloud.nova.actions[server.id] = [an_action("start", before)]
    site.guest()
    site.log("nothing of that time")

    _, out, _ = site.triage("db-01")

    assert "nova-compute's log begins" in folded(out)


def test_a_login_that_is_not_root_is_said(site: Triage) -> None:
    told = json.loads(SAMPLE)
    told["is_root"] = False
    told["unread"] = ["the console: [Errno 13] Permission denied"]
    site.shell.looks[NODE, DB] = json.dumps(told)

    _, out, _ = site.triage("db-01")

    assert "what only root may read" in folded(out)
    assert "the console: [Errno 13] Permission denied" in folded(out)


@pytest.mark.parametrize(
    ("word", "hint"), [("db-03", "openstack server list"), ("", "give its id")]
)
def test_a_word_that_means_no_server_is_bad_input(site: Triage, word: str, hint: str) -> None:
    code, out, said = site.triage(word)

    assert (code, out, hint in said) == (2, "", True)


def test_a_name_that_two_servers_have_is_refused_with_both(site: Triage) -> None:
    site.cloud.nova.add(replace(a_server(name="twin"), name="db-01"))

    code, _, said = site.triage("db-01")

    assert (code, said.count(an_id("db-01")), said.count(an_id("twin"))) == (2, 1, 1)


def test_rows_and_columns_can_be_chosen(site: Triage) -> None:
    site.guest(bridges=[{"name": "br-int", "is_there": False}])

    _, out, _ = site.triage("db-01", "-f", "value", "-c", "Signature")

    assert out == "bridge-missing\n"


def test_nothing_is_changed(site: Triage) -> None:
    site.breaks()
    before = dict(site.cloud.nova.known)

    site.triage("db-01")

    assert (site.cloud.nova.known, site.shell.files, site.shell.done) == (before, {}, [])


def test_a_recovery_says_why_each_server_that_it_set_aside_does_not_boot(site: Triage) -> None:
    nova = site.cloud.nova
    nova.known[DB] = replace(nova.known[DB], status="SHUTOFF", vm_state="stopped", power_state=4)
    nova.actions[DB] = [
        an_action("create", "2026-11-21T00:00:00"),
        replace(
            an_action("stop", (NOW - timedelta(minutes=1)).replace(tzinfo=None).isoformat()),
            user=None,
        ),
    ]
    nova.consoles[DB] = "Kernel panic - not syncing"
    lines = ["[    2.50] Kernel panic - not syncing: VFS: Unable to mount root fs"]
    console = {"path": "/c", "lines": lines, "first_line": 1, "written": None, "unread": ""}
    site.guest(console=console)
    site.log("Instance spawned successfully.")

    main(["node", "recover", NODE, "--yes"], open_world=site.open_world, open_logs=site.open_logs)

    said = folded(site.capsys.readouterr().err)
    assert "why `db-01` does not boot (certain): the guest's kernel has panicked; its owner" in said
