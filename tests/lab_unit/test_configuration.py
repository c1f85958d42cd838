"""What the lab writes into its nodes is complete, and not for everybody's eyes."""

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from lab_builders import a_lab
from stackward.lab.configuration import (
    SERVICE_GROUPS,
    etc_of,
    filled,
    image_starts,
    own_files,
    package_tar,
)
from stackward.lab.spec import Lab

IMAGES = ("control", "compute")
ROOT = Path(__file__).parents[2]


def members(archive: bytes) -> list[tuple[tarfile.TarInfo, str]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return [
            (entry, read.read().decode())
            for entry in tar.getmembers()
            if (read := tar.extractfile(entry)) is not None
        ]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Return a lab with its keys, as text that is no key."""
    lab = a_lab(tmp_path, profile="scale")
    (lab.folder / "ssh/hosts").mkdir(parents=True)
    (lab.folder / "ssh/id_ed25519.pub").write_text("the lab's key")
    for node in lab.nodes:
        (lab.folder / "ssh/hosts" / node.name).write_text(f"host key of {node.name}")
        (lab.folder / "ssh/hosts" / f"{node.name}.pub").write_text(f"public of {node.name}")
    return lab


def files_of(lab: Lab, name: str, *, baking: bool = False) -> dict[str, dict[str, object]]:
    files = own_files(lab, lab.node(name), baking=baking)
    paths = [str(file["path"]) for file in files]
    assert len(set(paths)) == len(paths)
    return {str(file["path"]): file for file in files}


@pytest.mark.parametrize("image", IMAGES)
def test_no_place_is_left_unfilled(image: str) -> None:
    unfilled = [entry.name for entry, text in members(etc_of(image)) if "@{" in text]

    assert unfilled == []


@pytest.mark.parametrize("image", IMAGES)
def test_files_of_services_are_for_their_group_and_nobody_else(image: str) -> None:
    services = {
        entry.name: (oct(entry.mode), entry.uname, entry.gname)
        for entry, _ in members(etc_of(image))
        if entry.name.split("/")[1] in SERVICE_GROUPS
    }

    assert services
    assert services == {name: ("0o640", "root", name.split("/")[1]) for name in services}


@pytest.mark.parametrize("image", IMAGES)
def test_passwords_stand_in_files_of_services_only(image: str) -> None:
    open_to_all = [
        entry.name
        for entry, text in members(etc_of(image))
        if entry.mode & 0o004 and ("password =" in text or "connection =" in text)
    ]

    assert open_to_all == []


@pytest.mark.parametrize("image", IMAGES)
def test_scripts_can_be_run(image: str) -> None:
    shut = [
        entry.name
        for entry, text in members(etc_of(image))
        if text.startswith("#!") and entry.mode != 0o755
    ]

    assert shut == []


def test_an_unknown_place_is_a_defect_and_not_an_empty_text() -> None:
    with pytest.raises(KeyError):
        filled("password = @{pasword}")


def test_dollars_belong_to_the_files() -> None:
    assert filled("$HOME ${name} @{password}") == "$HOME ${name} lab"


def test_a_folder_of_the_package_is_packed_as_it_is() -> None:
    names = [entry.name for entry, _ in members(package_tar("guest_image"))]

    assert "guest_image/build.sh" in names


@pytest.mark.parametrize("name", ["ctl", "c01", "c02", "f01"])
def test_every_node_is_told_who_it_is(lab: Lab, name: str) -> None:
    files = files_of(lab, name)

    node = lab.node(name)
    assert files["/etc/hostname"]["text"] == f"{name}\n"
    assert files["/etc/machine-id"]["text"] == f"{node.machine_id}\n"
    assert f"Address={node.address}/24\n" in str(
        files["/etc/systemd/network/10-host0.network"]["text"]
    )
    assert files["/etc/ssh/ssh_host_ed25519_key"] == {
        "path": "/etc/ssh/ssh_host_ed25519_key",
        "text": f"host key of {name}",
        "mode": 0o600,
        "owner": "root:root",
    }
    assert files["/root/.ssh/authorized_keys"]["text"] == "the lab's key"


@pytest.mark.parametrize("name", ["ctl", "c01", "c02", "f01"])
def test_every_node_lets_the_operators_login_in_with_the_shipped_sudoers_file(
    lab: Lab, name: str
) -> None:
    files = files_of(lab, name)

    assert files["/home/ops/.ssh/authorized_keys"] == {
        "path": "/home/ops/.ssh/authorized_keys",
        "text": "the lab's key",
        "mode": 0o600,
        "owner": "ops:ops",
    }
    assert files["/etc/sudoers.d/stackward"] == {
        "path": "/etc/sudoers.d/stackward",
        "text": (ROOT / "docs/examples/stackward.sudoers").read_text(),
        "mode": 0o440,
        "owner": "root:root",
    }


@pytest.mark.parametrize("name", ["ctl", "c01", "f01"])
def test_every_node_knows_every_other(lab: Lab, name: str) -> None:
    assert files_of(lab, name)["/etc/hosts"]["text"] == (
        "127.0.0.1 localhost\n192.0.2.10 ctl\n192.0.2.11 c01\n192.0.2.12 c02\n192.0.2.91 f01\n"
    )


def test_a_compute_node_is_told_its_names_in_nova(lab: Lab) -> None:
    files = files_of(lab, "c02")

    assert files["/etc/nova/nova-compute.conf"] == {
        "path": "/etc/nova/nova-compute.conf",
        "text": (
            "[DEFAULT]\ncompute_driver = libvirt.LibvirtDriver\nhost = c02\nmy_ip = 192.0.2.12\n"
        ),
        "mode": 0o640,
        "owner": "root:nova",
    }
    assert files["/var/lib/nova/compute_id"]["text"] == lab.node("c02").compute_id
    assert "data_address=10.78.0.12\n" in str(files["/etc/stackward-lab/node"]["text"])


def test_a_controller_that_is_baked_keeps_its_name_in_the_catalog(lab: Lab) -> None:
    """The file is what lets the catalog take an address: a bake is for labs of any network."""
    assert "/etc/stackward-lab/node" not in files_of(lab, "ctl", baking=True)
    assert "/etc/stackward-lab/node" in files_of(lab, "ctl")
    assert "/etc/stackward-lab/node" in files_of(lab, "c01", baking=True)


def test_the_node_of_the_fakes_masks_what_its_image_starts(lab: Lab) -> None:
    files = files_of(lab, "f01")

    node = lab.node("f01")
    masked = {
        path.removeprefix("/etc/systemd/system/")
        for path, file in files.items()
        if path.startswith("/etc/systemd/system/") and file["text"] == ""
    }
    started = {unit if "." in unit else f"{unit}.service" for unit in image_starts(node)}
    kept = {unit if "." in unit else f"{unit}.service" for unit in node.kind.start}
    assert masked == started - kept
    assert {"nova-compute.service", "libvirtd-tcp.socket"} <= masked


@pytest.mark.parametrize("name", ["ctl", "c01"])
def test_a_node_of_its_images_own_role_masks_nothing(lab: Lab, name: str) -> None:
    assert not [path for path in files_of(lab, name) if path.startswith("/etc/systemd/system/")]


def test_libvirt_is_told_of_shared_instances_and_only_then(lab: Lab) -> None:
    shared = replace(lab, shared_instances=True)

    text = str(files_of(shared, "c01")["/etc/libvirt/qemu.conf"]["text"])

    shared_paths = '[ "/var/lib/nova/mnt", "/var/lib/nova/instances" ]'
    assert f"shared_filesystems = {shared_paths}\n" in text
    assert 'security_driver = "none"\n' in text
    assert "/etc/libvirt/qemu.conf" not in files_of(lab, "c01")
