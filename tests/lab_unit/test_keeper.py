"""The keeper writes what it was told, and boots with what it was told."""

import os
from pathlib import Path
from typing import Any

import pytest

from stackward.lab.keeper import ids, is_lab, mounts_of_other_labs, nspawn, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a root file system whose users have this process's own numbers."""
    (tmp_path / "etc").mkdir()
    me, mine = os.getuid(), os.getgid()
    (tmp_path / "etc/passwd").write_text(
        f"root:x:{me}:{mine}:root:/root:/bin/sh\nnova:x:{me}:{mine}::/var/lib/nova:/bin/sh\n"
    )
    (tmp_path / "etc/group").write_text(f"root:x:{mine}:\nnova:x:{mine}:\nnovalike:x:4242:\n")
    return tmp_path


def a_spec(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # a field's own type
    spec: dict[str, Any] = {
        "machine": "sw1-c01",
        "hostname": "c01",
        "root": "/r",
        "writable": "/w",
        "disk_binds": [],
        "binds": [],
    }
    return {**spec, **changes}


def test_a_file_is_written_with_its_mode_and_the_folders_above_it(root: Path) -> None:
    write(root, "/root/.ssh/authorized_keys", "key\n", 0o600, "root:root")

    file = root / "root/.ssh/authorized_keys"
    assert file.read_text() == "key\n"
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert oct((root / "root/.ssh").stat().st_mode & 0o777) == "0o755"


def test_a_file_that_is_there_is_replaced(root: Path) -> None:
    write(root, "/etc/machine-id", "one\n", 0o644, "root:root")
    write(root, "/etc/machine-id", "two\n", 0o444, "root:root")

    assert (root / "etc/machine-id").read_text() == "two\n"


def test_a_secret_is_never_open_to_all_not_even_while_it_is_written(root: Path) -> None:
    """A file of a wider mode that is replaced by a secret must not keep it for a moment."""
    write(root, "/etc/key", "public\n", 0o644, "root:root")
    held = (root / "etc/key").open()

    write(root, "/etc/key", "secret\n", 0o600, "root:root")

    with held:
        assert held.read() == "public\n"


def test_a_link_is_replaced_and_not_followed(root: Path) -> None:
    """Images have links to the host's files, such as /etc/resolv.conf: those are not ours."""
    outside = root.parent / f"{root.name}-outside"
    outside.write_text("the host's\n")
    (root / "etc/linked").symlink_to(outside)

    write(root, "/etc/linked", "the node's\n", 0o644, "root:root")

    assert outside.read_text() == "the host's\n"
    assert (root / "etc/linked").read_text() == "the node's\n"


def test_owners_are_the_nodes_and_not_the_hosts(root: Path) -> None:
    assert ids(root, "nova:nova") == (os.getuid(), os.getgid())


@pytest.mark.parametrize("owner", ["glance:nova", "nova:glance", "nov:nova"])
def test_an_owner_that_the_node_does_not_know_is_named(root: Path, owner: str) -> None:
    with pytest.raises(LookupError, match=r"does not know `(glance|nov)`"):
        ids(root, owner)


def test_the_command_boots_the_node_in_the_network_it_is_called_in() -> None:
    command = nspawn(a_spec())

    assert command[:5] == [
        "systemd-nspawn",
        "--quiet",
        "--directory=/r",
        "--machine=sw1-c01",
        "--hostname=c01",
    ]
    assert "--boot" in command
    assert "--network-namespace-path=/proc/self/ns/net" in command


def test_what_a_node_writes_to_its_console_is_taken_from_it() -> None:
    # A boot that waits writes a line each half second: a full console holds up its systemd.
    assert "--console=read-only" in nspawn(a_spec())


@pytest.mark.parametrize(
    "flag",
    [
        pytest.param("--register=no", id="machined of the host is not told"),
        pytest.param("--keep-unit", id="no unit of the host is made"),
        pytest.param("--link-journal=no", id="the host's journal is not touched"),
        pytest.param("--resolv-conf=off", id="the host's resolver is not copied"),
    ],
)
def test_nothing_of_the_host_is_changed(flag: str) -> None:
    assert flag in nspawn(a_spec())


def test_what_is_shared_and_what_is_the_disks_own_is_bound() -> None:
    command = nspawn(
        a_spec(
            disk_binds=[{"from_disk": "instances", "to": "/var/lib/nova/instances"}],
            binds=[["/s", "/srv/shared"]],
        )
    )

    assert command[-2:] == [
        "--bind=/w/instances:/var/lib/nova/instances",
        "--bind=/s:/srv/shared",
    ]


MOUNTINFO = """\
30 1 8:1 / / rw - ext4 /dev/sda1 rw
31 30 0:5 / /proc rw - proc proc rw
40 30 7:0 / /state/labs/mine/shared rw - ext4 /dev/loop0 rw
41 30 7:1 / /state/labs/its/shared rw - ext4 /dev/loop1 rw
42 41 0:9 / /state/labs/its/shared/below rw - tmpfs tmpfs rw
43 30 7:2 / /state/labs/its-copy/shared rw - ext4 /dev/loop2 rw
44 30 7:3 / /another\\040state/labs/mine/shared rw - ext4 /dev/loop3 rw
"""
LABS = {Path("/state/labs/mine"), Path("/state/labs/its"), Path("/another state/labs/mine")}


def test_a_node_lets_go_of_what_other_labs_have_mounted_the_innermost_first() -> None:
    """Its own mount namespace is a copy of the host's: it would hold their disks."""
    root = Path("/state/labs/mine/nodes/c01/root")

    assert mounts_of_other_labs(MOUNTINFO, root, LABS.__contains__) == [
        Path("/another state/labs/mine/shared"),
        Path("/state/labs/its/shared/below"),
        Path("/state/labs/its/shared"),
    ]


def test_a_lab_is_known_by_its_file(tmp_path: Path) -> None:
    before = is_lab(tmp_path)
    (tmp_path / "lab.json").touch()

    assert (before, is_lab(tmp_path)) == (False, True)
