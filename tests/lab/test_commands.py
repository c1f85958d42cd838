"""The commands that read a lab, and those that change nothing when nothing is to be done."""

import json

import pytest

from real_lab import STACKWARD, RealLab
from stackward.errors import ExitCode

NODES = ["ctl", "c01", "c02"]


def test_up_on_a_lab_that_is_up_restarts_nothing_and_is_quick(lab: RealLab) -> None:
    births = lab.births()

    seconds = lab.timed("up")

    assert lab.births() == births
    assert seconds < 15


def test_the_status_tells_that_all_is_well_and_what_stands_in(lab: RealLab) -> None:
    status = lab.read("status")

    assert status["state"] == "done"
    assert [node["node"] for node in status["nodes"]] == NODES
    assert set(status["apis"].values()) == {True}
    assert status["faults"] == []
    assert "network-storage" in {stand_in["name"] for stand_in in status["stand_ins"]}


def test_a_command_on_a_node_runs_there(lab: RealLab) -> None:
    assert lab.run("ssh", "c01", "hostname") == "c01\n"
    assert lab.run("ssh", "c01", "--", "hostname") == "c01\n"


def test_the_exit_code_of_a_command_on_a_node_is_its_own(lab: RealLab) -> None:
    assert lab.call("ssh", "c01", "sh", "-c", "exit 41").returncode == 41


def test_clients_run_with_the_lab_as_their_cloud(lab: RealLab) -> None:
    said = lab.run("exec", "printenv", "OS_CLOUD", "STACKWARD_LAB")

    assert said.split() == [f"lab-{lab.name}" if lab.name != "lab" else "lab", lab.name]


def test_stackward_reads_the_inventory_that_the_lab_wrote(lab: RealLab) -> None:
    nodes = json.loads(lab.run("exec", "stackward", "node", "list", "-f", "json"))

    assert sorted(node["Name"] for node in nodes) == sorted(NODES)


def test_exec_finds_our_own_programs_without_a_path_to_them(lab: RealLab) -> None:
    said = lab.run("exec", "/bin/sh", "-c", "command -v stackward")

    assert said == f"{STACKWARD}\n"


def test_the_lines_of_openrc_are_the_environment_of_exec(lab: RealLab) -> None:
    lines = dict(line.removeprefix("export ").split("=") for line in lab.run("openrc").splitlines())

    said = lab.run("exec", "printenv", *lines)

    assert said.splitlines() == [value.strip("'") for value in lines.values()]


def test_a_program_that_is_not_there_is_an_error_of_the_caller(lab: RealLab) -> None:
    ended = lab.call("exec", "no-such-program")

    assert ended.returncode == ExitCode.USAGE
    assert "there is no program `no-such-program`" in ended.stderr


@pytest.fixture
def load(lab: RealLab) -> list[dict[str, str]]:
    """Given a lab with a load of six servers."""
    rows: list[dict[str, str]] = lab.read("load", "6")
    return rows


def test_the_load_is_a_mix_of_states(lab: RealLab, load: list[dict[str, str]]) -> None:
    states = [lab.server(row["ID"]).status for row in load]
    [volume] = lab.cloud.compute.volume_attachments(load[3]["ID"])
    [group] = lab.cloud.compute.server_groups(all_projects=True)

    assert states == ["ACTIVE", "SHUTOFF", "PAUSED", "ACTIVE", "ACTIVE", "ACTIVE"]
    assert lab.cloud.block_storage.get_volume(volume.volume_id).status == "in-use"
    assert group.member_ids == [load[4]["ID"]]


def test_loading_again_changes_nothing(lab: RealLab, load: list[dict[str, str]]) -> None:
    before = [lab.server(row["ID"]).updated_at for row in load]

    again = lab.read("load", "6")

    assert again == load
    assert [lab.server(row["ID"]).updated_at for row in load] == before
