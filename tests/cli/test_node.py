"""`stackward node`: whole outputs."""

from pathlib import Path
from textwrap import dedent

import pytest

from stackward.cli import main

INVENTORY = """\
[control]
ctl ansible_host=10.77.3.10 ansible_user=root

[compute]
c[01:02] ansible_port=2222
"""


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "inventory"
    path.write_text(INVENTORY)
    monkeypatch.setenv("STACKWARD_INVENTORY", str(path))
    return path


@pytest.mark.usefixtures("inventory")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            [],
            """\
            +------+---------+------------+------+------+-----+------------+
            | Name | Groups  | Address    | Port | User | BMC | Reached by |
            +------+---------+------------+------+------+-----+------------+
            | ctl  | control | 10.77.3.10 |      | root |     | ssh        |
            | c01  | compute | c01        | 2222 |      |     | ssh        |
            | c02  | compute | c02        | 2222 |      |     | ssh        |
            +------+---------+------------+------+------+-----+------------+
            """,
            id="all",
        ),
        pytest.param(["--group", "compute", "-f", "value", "-c", "Name"], "c01\nc02\n", id="group"),
        pytest.param(
            ["-f", "csv", "-c", "name", "-c", "address", "--group", "control"],
            '"Name","Address"\n"ctl","10.77.3.10"\n',
            id="columns",
        ),
        pytest.param(
            ["-f", "json", "-c", "Groups", "--group", "control"],
            '[\n  {\n    "Groups": [\n      "control"\n    ]\n  }\n]\n',
            id="JSON",
        ),
        pytest.param(["-f", "yaml", "-c", "Port", "--group", "control"], "- Port: null\n"),
    ],
)
def test_node_list(arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["node", "list", *arguments])

    assert (code, *capsys.readouterr()) == (0, dedent(expected), "")


@pytest.mark.parametrize(
    "flags", [pytest.param([], id="nodes"), pytest.param(["--maintenance"], id="no cloud is asked")]
)
def test_an_unknown_group_is_refused_with_those_there_are(
    inventory: Path, capsys: pytest.CaptureFixture[str], flags: list[str]
) -> None:
    code = main(["node", "list", "--group", "storage", *flags])

    assert (code, *capsys.readouterr()) == (
        2,
        "",
        (
            f"error: no node of `{inventory}` is in a group `storage`\n\n"
            "hint: the groups are `compute`, `control`\n"
        ),
    )


def test_a_group_is_refused_where_no_node_has_one(
    inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inventory.write_text("[storage]\n[ungrouped]\na\n")

    code = main(["node", "list", "--group", "storage"])

    assert (code, *capsys.readouterr()) == (
        2,
        "",
        (
            f"error: no node of `{inventory}` is in a group `storage`\n\n"
            "hint: it has no groups: leave `--group` out\n"
        ),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["list"], id="list"),
        pytest.param(["list", "--maintenance"], id="maintenance"),
        pytest.param(["drain", "c01", "--reason", "x", "--yes"], id="drain"),
        pytest.param(["return", "c01", "--yes"], id="return"),
    ],
)
def test_an_inventory_that_names_no_node_is_refused_by_every_command(
    inventory: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """An empty table, and 0, told that there was nothing wrong."""
    inventory.write_text("")

    code = main(["node", *arguments])

    assert (code, *capsys.readouterr()) == (
        2,
        "",
        (
            f"error: cannot read the inventory `{inventory}`: it names no node\n\n"
            "hint: write a node's name on a line of its own, or name another file with "
            "`--inventory FILE` or in STACKWARD_INVENTORY\n"
        ),
    )


def test_the_flag_wins_over_the_setting(
    inventory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.write_text("db-01\n")

    code = main(["node", "list", "--inventory", str(other), "-f", "value", "-c", "Name"])

    assert (code, capsys.readouterr().out) == (0, "db-01\n")
    assert inventory.exists()


def test_what_is_not_reached_by_ssh_is_named_once_with_why(
    inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inventory.write_text(
        "c01\nc02 ansible_host={{x}}\nsw1 ansible_connection=network_cli x_password=tops3cret\n"
    )

    code = main(["node", "list", "-f", "csv", "-c", "Name", "-c", "Address", "-c", "Reached by"])

    why = f"`ansible_host` is a template, which only Ansible can fill in (`{inventory}`, line 2)"
    assert (code, *capsys.readouterr()) == (
        0,
        (
            '"Name","Address","Reached by"\n"c01","c01","ssh"\n'
            f'"c02","","unknown: {why}"\n'
            '"sw1","","network_cli: left out"\n'
        ),
        (
            f"warning: `{inventory}` holds passwords in plain text; they are not read: "
            "`x_password` (line 3)\n"
            "warning: left out, for Ansible does not reach them by ssh: `sw1` (network_cli)\n"
            f"warning: unknown how to reach `c02`: {why}; nothing is run there\n"
        ),
    )


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    """Stand in for `ansible-inventory`."""
    path = tmp_path / "ansible-inventory"
    path.write_text(
        """#!/bin/sh
        echo '{"_meta": {"hostvars": {}}, "g": {"hosts": ["listed"]}}'
        """
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("setting", "flags", "expected"),
    [
        pytest.param(False, [], "ctl c01 c02", id="Stackward reads"),
        pytest.param(False, ["--inventory-reader", "ansible"], "listed", id="asked for"),
        pytest.param(True, [], "listed", id="the setting names a reader"),
        pytest.param(True, ["--inventory-reader", "stackward"], "ctl c01 c02", id="not this time"),
    ],
)
@pytest.mark.usefixtures("inventory")
def test_who_reads_the_inventory(  # noqa: PLR0913, PLR0917  # the fixtures
    reader: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    setting: bool,  # noqa: FBT001  # a column of the table
    flags: list[str],
    expected: str,
) -> None:
    monkeypatch.setenv("PATH", f"{reader.parent}:/usr/bin:/bin")
    if setting:
        monkeypatch.setenv("STACKWARD_INVENTORY_READER", str(reader))

    code = main(["node", "list", *flags, "-f", "value", "-c", "Name"])

    assert (code, capsys.readouterr().out.split()) == (0, expected.split())


@pytest.mark.usefixtures("inventory")
def test_a_drain_in_an_unknown_cloud_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text("clouds: {}\n")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))

    code = main(
        ["--os-cloud", "nosuch", "node", "drain", "c01", "--reason", "bad DIMM", "--dry-run"]
    )

    assert (code, *capsys.readouterr()) == (
        2,
        "",
        (
            "error: cannot find the cloud `nosuch`\n"
            '  openstacksdk says: "Cloud nosuch was not found."\n\n'
            "hint: name it with `--os-cloud NAME` as in clouds.yaml, or set the OS_* variables\n"
        ),
    )


def test_a_drain_needs_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["node", "drain", "compute-07", "--dry-run"])

    assert (code, capsys.readouterr().out) == (2, "")
