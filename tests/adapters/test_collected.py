"""Collected logs: folders of nodes, tars, reports."""

import os
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from stackward.adapters.collected import nodes_in, open_collected
from stackward.errors import BadInput, Uncertain


def write(path: Path, text: str = "x\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def a_folder_for_each_node(top: Path) -> None:
    write(top / "c01/var/log/nova/nova-compute.log")
    write(top / "ctl/nova-api.log")


def one_node(top: Path) -> None:
    write(top / "var/log/nova/nova-compute.log")
    write(top / "etc/hostname", "c07\n")


def files_alone(top: Path) -> None:
    write(top / "nova-compute.log")


def a_report(top: Path) -> None:
    write(top / "sosreport-c09-2026-11-27-abc/var/log/messages")


def a_report_in_its_own_folder(top: Path) -> None:
    write(top / "report/c08/var/log/messages")


def one_folder_with_files(top: Path) -> None:
    write(top / "c06/nova-compute.log")


def one_folder_with_services(top: Path) -> None:
    write(top / "c05/nova/nova-compute.log")
    write(top / "c05/neutron/neutron.log")


def services_alone(top: Path) -> None:
    write(top / "nova/nova-compute.log")


def a_note_beside_the_nodes(top: Path) -> None:
    write(top / "README")
    write(top / "c04/nova-compute.log")


@pytest.mark.parametrize(
    ("make", "nodes"),
    [
        pytest.param(a_folder_for_each_node, ["c01", "ctl"], id="a folder for each node"),
        pytest.param(one_node, ["c07"], id="the root of one node"),
        pytest.param(files_alone, ["logs"], id="files without a node"),
        pytest.param(a_report, ["c09"], id="a sosreport"),
        pytest.param(one_folder_with_files, ["c06"], id="a node in a folder"),
        pytest.param(one_folder_with_services, ["c05"], id="its services in folders"),
        pytest.param(services_alone, ["logs"], id="folders of services alone"),
        pytest.param(a_note_beside_the_nodes, ["c04"], id="a file beside the nodes"),
        pytest.param(a_report_in_its_own_folder, ["c08"], id="a folder in a folder"),
    ],
)
def test_nodes_are_found_in_what_was_collected(
    tmp_path: Path, make: Callable[[Path], None], nodes: list[str]
) -> None:
    make(tmp_path)

    assert sorted(nodes_in(tmp_path, "logs.tar.gz")) == nodes


def test_a_folder_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there are no logs in"):
        nodes_in(tmp_path, "logs")


def test_a_tar_is_read_and_nothing_of_it_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    a_folder_for_each_node(tmp_path / "logs")
    with tarfile.open(tmp_path / "logs.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "logs", ".")

    with open_collected(tmp_path / "logs.tar.gz") as source:
        nodes = list(source.nodes)
        spread = [each.name for each in tmp_path.iterdir() if each.name.startswith("stackward")]

    assert (nodes, len(spread)) == (["c01", "ctl"], 1)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["logs", "logs.tar.gz"]


def test_a_tar_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "logs.tar", "w") as archive:
        member = tarfile.TarInfo("../out.log")
        member.size = 2
        archive.addfile(member, BytesIO(b"x\n"))

    with pytest.raises(BadInput, match="cannot be read"), open_collected(tmp_path / "logs.tar"):
        pass
    assert not (tmp_path.parent / "out.log").exists()


@pytest.mark.parametrize("content", [b"", b"no tar", b"\x1f\x8b broken"])
def test_what_is_no_tar_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "logs.tar").write_bytes(content)

    with pytest.raises(BadInput) as caught, open_collected(tmp_path / "logs.tar"):
        pass
    assert (caught.value.message, caught.value.says) == (
        f"`{tmp_path / 'logs.tar'}` is no tar",
        None,
    )
    assert caught.value.hint


def test_a_tar_that_is_broken_off_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "whole.tar", "w") as archive:
        member = tarfile.TarInfo("c01/var/log/nova/nova-compute.log")
        member.size = 99_999
        archive.addfile(member, BytesIO(b"x" * member.size))
    (tmp_path / "logs.tar").write_bytes((tmp_path / "whole.tar").read_bytes()[:9999])

    with (
        pytest.raises(BadInput, match="is broken off") as caught,
        open_collected(tmp_path / "logs.tar"),
    ):
        pass
    assert "`tar -x`" in (caught.value.hint or "")


def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "logs.tar")

    with (
        pytest.raises(BadInput, match="neither a folder nor a plain file"),
        open_collected(tmp_path / "logs.tar"),
    ):
        pass


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no"), open_collected(tmp_path / "no"):
        pass


def test_a_time_zone_that_is_none_is_refused(tmp_path: Path) -> None:
    files_alone(tmp_path)

    with (
        pytest.raises(BadInput, match="no time zone `Nowhere`"),
        open_collected(tmp_path, "Nowhere"),
    ):
        pass


def test_a_scanner_that_fails_says_why(tmp_path: Path) -> None:
    files_alone(tmp_path)

    with open_collected(tmp_path) as source, pytest.raises(Uncertain) as caught:
        source.scan(source.nodes[0], "import sys; sys.exit('it is ill')", {}, within_s=20)

    assert "it is ill" in str(caught.value.says)


@pytest.mark.parametrize(
    ("asked", "zone"), [(None, "Asia/Tokyo"), ("Europe/Berlin", "Europe/Berlin")]
)
def test_the_zone_is_the_node_s_own_unless_another_is_named(
    tmp_path: Path, asked: str | None, zone: str
) -> None:
    one_node(tmp_path)
    write(tmp_path / "etc/timezone", "Asia/Tokyo\n")

    with open_collected(tmp_path, asked) as source:
        said = source.scan("c07", "import os; print(os.environ['TZ'])", {}, within_s=20)

    assert said == f"{zone}\n"


def of_a_link(top: Path) -> None:
    (top / "etc/localtime").symlink_to("/usr/share/zoneinfo/Asia/Tokyo")


def of_a_link_elsewhere(top: Path) -> None:
    (top / "etc/localtime").symlink_to("../../../etc/passwd")


def of_a_report(top: Path) -> None:
    said = "      Local time: Sat\n       Time zone: Asia/Tokyo (JST, +0900)\n"
    write(top / "sos_commands/systemd/timedatectl", said)


def of_a_name_that_is_none(top: Path) -> None:
    write(top / "etc/timezone", "Mars/Olympus\n")


@pytest.mark.parametrize(
    ("make", "zone"),
    [
        (of_a_link, "Asia/Tokyo"),
        (of_a_report, "Asia/Tokyo"),
        (of_a_link_elsewhere, "UTC"),
        (of_a_name_that_is_none, "UTC"),
    ],
)
def test_the_zone_is_found_where_it_was_collected(
    tmp_path: Path, make: Callable[[Path], None], zone: str
) -> None:
    one_node(tmp_path)
    make(tmp_path)

    with open_collected(tmp_path) as source:
        said = source.scan("c07", "import os; print(os.environ['TZ'])", {}, within_s=20)

    assert said == f"{zone}\n"


def test_what_is_no_plain_file_names_no_node_and_nothing_waits_for_it(tmp_path: Path) -> None:
    one_node(tmp_path)
    (tmp_path / "etc/hostname").unlink()
    os.mkfifo(tmp_path / "etc/hostname")
    os.mkfifo(tmp_path / "etc/timezone")

    with open_collected(tmp_path) as source:
        assert list(source.nodes) == [tmp_path.name]
