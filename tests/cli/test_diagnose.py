"""`diagnose`: the whole command on collected logs."""

import json
import time
from pathlib import Path

import pytest

from cli.running import Run
from diagnosis.test_scenarios import SCENARIOS, lay_out
from stackward.report.diagnosis import ASIDE_FIELDS, CAUSE_FIELDS, DIAGNOSIS_FIELDS

SAMPLES = Path(__file__).parents[1] / "logs/samples"
BUILD = "req-2a4c33ac-59e7-4270-9b0e-916ee843adb5"


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys, "diagnose")


def logs_of(name: str, folder: Path) -> tuple[str, str]:
    """Lay out a scenario; return its folder and the time when it began."""
    [scenario] = [one for one in SCENARIOS if one.stem == name]
    return str(folder), lay_out(scenario, folder)["since"]


def test_a_person_reads_the_cause_first(run: Run, tmp_path: Path) -> None:
    folder, since = logs_of("port-create-fails-in-neutron", tmp_path)

    code, out, said = run("--from", folder, "--since", since)

    assert (code, said) == (7, "")
    first, second, *_ = out.splitlines()
    assert first == (
        "certain: neutron-api on ctl: failed in bind_port, "
        "neutron/plugins/ml2/drivers/mech_agent.py:88: TypeError: 'NoneType' object is not iterable"
    )
    assert second == "  in       bind_port, neutron/plugins/ml2/drivers/mech_agent.py:88"
    assert "noticed  12:00:03.500 neutron-api on ctl: an API answered with an error" in out
    assert "nova-compute on c01: 1 event: it accuses neutron-api" in out
    assert "what was usual before: the logs begin no earlier" in out


def test_why_shows_each_step(run: Run, tmp_path: Path) -> None:
    folder, since = logs_of("port-create-fails-in-neutron", tmp_path)

    _, out, _ = run("--from", folder, "--since", since, "--why")

    assert "it is an error of its own: it accuses no other component" in out
    assert "it is accused by nova-compute" in out


def test_what_the_words_are_known_to_mean_and_what_ends_it_is_told(
    run: Run, tmp_path: Path
) -> None:
    folder, since = logs_of("rabbitmq-is-away", tmp_path)

    _, out, _ = run("--from", folder, "--since", since)

    assert "  means    nothing listens where RabbitMQ should answer" in out
    assert "  remedy   find out what is down: `stackward cloud check`" in out


def test_programs_read_the_declared_fields(run: Run, tmp_path: Path) -> None:
    folder, since = logs_of("usual-errors-before", tmp_path)

    _, out, _ = run("--from", folder, "--since", since, "-f", "json")

    told = json.loads(out)
    assert set(told) == set(DIAGNOSIS_FIELDS)
    assert set(told["causes"][0]) == set(CAUSE_FIELDS)
    [usual] = told["ruled_out"]
    assert set(usual) == set(ASIDE_FIELDS)
    assert usual["why"] == "it was logged before that time too"
    assert told["looked"]["nodes"] == ["c01"]


def test_rows_and_columns_can_be_chosen(run: Run, tmp_path: Path) -> None:
    folder, since = logs_of("usual-errors-before", tmp_path)

    _, out, _ = run("--from", folder, "--since", since, "-f", "value", "-c", "Module")

    assert out.splitlines()[0] == "nova/virt/block_device.py"


def test_nothing_wrong_is_said_with_what_was_looked_at(run: Run, tmp_path: Path) -> None:
    folder, since = logs_of("all-is-well", tmp_path)

    code, out, _ = run("--from", folder, "--since", since)

    assert code == 0
    assert "no cause was found: no log has an error or a warning that is new" in out
    assert "in 1 file of 1 node" in out
    assert "nothing grave in nova-api" in out
    assert "what other nodes have logged: the logs of one node are here" in out


def test_a_component_or_a_request_alone_can_be_asked_for(run: Run, tmp_path: Path) -> None:
    folder, since = logs_of("port-create-fails-in-neutron", tmp_path)
    asked = ("--from", folder, "--since", since, "-f", "value", "-c", "Component")

    assert set(run(*asked, "--component", "nova-compute")[1].split()) <= {"nova-compute"}
    request = "req-0c9d7a52-33d1-4f0e-8a35-6a4f7d9b2c10"
    assert run(*asked, "--request", request)[1].split()[0] == "neutron-api"


def test_the_first_error_of_a_request_that_is_asked_for_is_likely_its_cause(
    run: Run, tmp_path: Path
) -> None:
    """Seen: with `--request`, the answer was "surer by the request"."""
    folder, since = logs_of("nobody-had-asked-for-it", tmp_path)
    asked = ("--from", folder, "--since", since)
    request = "req-00000009-1111-4222-8333-000000000009"

    assert run(*asked)[1].splitlines()[1].startswith("possible: nova-compute")
    told = run(*asked, "--request", request)[1]
    assert told.splitlines()[1].startswith("likely: nova-compute")
    assert "by `--request`" not in told


def test_a_request_that_no_log_has_is_an_error_with_the_nearest(run: Run) -> None:
    wrong = f"{BUILD[:-4]}0000"

    code, out, said = run("--from", str(SAMPLES / "build"), "--request", wrong)

    assert (code, out) == (1, "")
    assert f"error: no log has `{wrong}`" in said
    assert f"perhaps `{BUILD}`" in said


def test_a_window_after_the_newest_line_is_not_seen(run: Run, tmp_path: Path) -> None:
    folder, _ = logs_of("usual-errors-before", tmp_path)

    code, out, _ = run("--from", folder, "--since", "2020-01-01T00:00Z")

    assert code == 8
    assert "what happened then: the logs end before the window begins" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--request", "5b1f"), "`5b1f` is no id of a request"),
        (
            ("--server", "db-01"),
            "`db-01` is not an id; names cannot be looked up",
        ),
        (("--request", BUILD, "--server", BUILD), "`--request` and `--server` exclude each other"),
        (("--component", "nova-compte"), "there is no component `nova-compte`"),
        (("--node", "c09"), "there is no node `c09` in"),
        (("--since", "yesterday"), "`--since yesterday` is no time"),
    ],
)
def test_what_is_not_known_is_refused(run: Run, words: tuple[str, ...], said: str) -> None:
    code, out, error = run("--from", str(SAMPLES / "build"), *words)

    assert (code, out) == (2, "")
    assert said in error
    assert "hint:" in error


def test_the_nearest_component_is_named(run: Run) -> None:
    _, _, error = run("--from", str(SAMPLES / "build"), "--component", "nova-compte")

    assert "`nova-compute`" in error


def test_a_file_that_is_broken_is_named_and_the_rest_is_read(run: Run, tmp_path: Path) -> None:
    folder, since = logs_of("usual-errors-before", tmp_path)
    broken = tmp_path / "c01/nova/nova-api.log.2.gz"
    broken.write_bytes(b"\x1f\x8b\x08\x00broken")

    code, out, error = run("--from", folder, "--since", since)

    assert code == 6
    assert "nova/virt/block_device.py" in out
    assert "the rest of the logs that could not be read whole" in out
    assert "nova-api.log.2.gz" in error


# --- a command that fails -----------------------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path) -> tuple[str, str]:
    """Return the options that name this machine as the only node."""
    (tmp_path / "hosts").write_text("here ansible_connection=local\n")
    return "--inventory", str(tmp_path / "hosts")


def test_a_command_is_run_and_its_time_and_request_are_told(
    run: Run, here: tuple[str, str]
) -> None:
    says = f"echo 'failed (HTTP 500) (Request-ID: {BUILD})' >&2; echo made; exit 3"

    code, out, said = run(*here, "-f", "json", "--", "sh", "-c", says)

    ran = json.loads(out)["ran"]
    assert (ran["program"], ran["exit_code"], ran["request_id"]) == ("sh", 3, BUILD)
    assert ran["began"] <= ran["ended"]
    assert "failed (HTTP 500)" in said  # what it writes is shown, beside the diagnosis
    assert "made" in said
    assert code in {0, 6, 7, 8}


def test_of_a_command_only_the_program_is_shown(run: Run, here: tuple[str, str]) -> None:
    _, out, _ = run(*here, "--", "sh", "-c", "exit 1", "--password", "hush")

    assert out.startswith("`sh` ended with 1 after ")
    assert "it named no request" in out
    assert "hush" not in out


def test_a_command_that_hangs_is_ended_when_its_time_is_over(
    run: Run, here: tuple[str, str]
) -> None:
    _, out, said = run(*here, "--timeout", "1", "--", "sh", "-c", "echo begun; exec sleep 600")

    assert out.startswith("`sh` was ended after ")
    assert "begun" in said


def test_a_command_that_cannot_be_started_is_refused(run: Run, here: tuple[str, str]) -> None:
    code, out, said = run(*here, "--", "no-such-program", "list")

    assert (code, out) == (2, "")
    assert "cannot start `no-such-program`: No such file or directory" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--",), "no command follows `--`"),
        (("--since", "1h", "--", "true"), "`--since` and a command exclude each other"),
        (("--from", "logs", "--", "true"), "`--from` and a command exclude each other"),
        (("--request", BUILD, "--", "true"), "`--request` and a command exclude each other"),
    ],
)
def test_what_a_command_does_not_go_with_is_refused(
    run: Run, words: tuple[str, ...], says: str
) -> None:
    code, out, said = run(*words)

    assert (code, out) == (2, "")
    assert says in said
