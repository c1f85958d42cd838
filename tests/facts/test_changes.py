"""What was changed on a node lately: the script is run, and its answer read."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stackward.anatomy import read_anatomy
from stackward.app.logs import open_logs_in
from stackward.errors import NotUnderstood
from stackward.facts.changes import parse_changes, read_changes
from stackward.model.changes import Changes
from stackward.model.clock_offset import Offset

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """Return the root of a node that was collected."""
    made = tmp_path / "logs/c01"
    for folder in ("var/log/nova", "etc/nova"):
        (made / folder).mkdir(parents=True)
    (made / "var/log/nova/nova-compute.log").write_text("")
    for folder in ("etc/nova", "etc"):
        os.utime(made / folder, (0, 0))
    return made


def changed(node: Path) -> Changes:
    with open_logs_in(node.parent, "UTC") as (source, together):
        return read_changes(source, together, read_anatomy(), NOW - HOUR)["c01"]


def write(path: Path, text: str, at: datetime) -> None:
    path.write_text(text)
    os.utime(path, (at.timestamp(), at.timestamp()))
    os.utime(path.parent, (0, 0))


def test_a_file_that_was_written_lately_is_told_and_an_older_one_is_not(node: Path) -> None:
    write(node / "etc/nova/nova.conf", "[DEFAULT]\n", NOW - timedelta(minutes=5))
    write(node / "etc/nova/nova-compute.conf", "[DEFAULT]\n", NOW - 2 * HOUR)

    [one] = changed(node).files

    assert one.what == "/etc/nova/nova.conf"
    assert abs(one.at - (NOW - timedelta(minutes=5))) < timedelta(seconds=1)


def test_packages_are_told_by_the_log_of_dpkg(node: Path) -> None:
    def line(at: datetime, words: str) -> str:
        return f"{at:%Y-%m-%d %H:%M:%S} {words}\n"

    (node / "var/log/dpkg.log").write_text(
        line(NOW - 3 * HOUR, "upgrade nova-common:all 3:31.0.0-5 3:31.0.0-6")
        + line(NOW - HOUR / 2, "status installed nova-compute:all 3:31.0.0-7")
        + line(NOW - HOUR / 2, "upgrade nova-compute:all 3:31.0.0-6 3:31.0.0-7")
    )

    found = changed(node).packages

    assert found is not None
    assert [(one.what, one.says) for one in found] == [
        ("nova-compute", "was upgraded, 3:31.0.0-7,")
    ]


def test_without_a_log_of_packages_nothing_is_known_of_them(node: Path) -> None:
    assert changed(node).packages is None


def test_what_cannot_be_read_is_named(node: Path) -> None:
    (node / "etc/nova/nova.conf").symlink_to("nova.conf")  # it leads to itself

    assert any("/etc/nova/nova.conf: Too many levels" in one for one in changed(node).unread)


def test_the_offset_of_the_nodes_clock_is_taken_off() -> None:
    at = time.time()
    told = {
        "version": 1, "files": [[at, "/etc/nova/nova.conf"]], "packages": None, "refused": ["x"],
        "is_cut": True,
    }  # fmt: skip

    found = parse_changes("c01", json.dumps(told), Offset(ahead_s=60.0, error_s=0.1))

    assert found.files[0].at.timestamp() == pytest.approx(at - 60)
    assert found.unread[0] == "x"
    assert "more files" in found.unread[1]


@pytest.mark.parametrize("given", ["", "[]", '{"version": 2}', '{"version": 1, "files": 3}'])
def test_another_form_is_refused(given: str) -> None:
    with pytest.raises(NotUnderstood):
        parse_changes("c01", given, None)
