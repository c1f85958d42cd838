"""Where stores are, and whether they can be used: found in settings, asked without a write."""

import json
import os
import pwd
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from fakes.nodes import sample
from fakes.site import ANATOMY
from stackward.answers import ODD
from stackward.facts.services_on_node import Said
from stackward.facts.stores import as_asked, parse_stores
from stackward.facts.survey import parse_survey
from stackward.model.blind import Blind
from stackward.model.survey import Room, Unseen, VolumeGroup

SCRIPT = Path(__file__).parents[2] / "src/stackward/facts/on_node/gather.py"
ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture(scope="module")
def gather() -> ModuleType:
    """Load the script that is sent to nodes."""
    spec = spec_from_file_location("gather", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def said(out: str = "", code: int | None = 0, err: str = "") -> Said:
    return Said(code=code, out=out, err=err)


# --- on the node --------------------------------------------------------------------------------

IMAGES = "/var/lib/glance/images"


@pytest.mark.parametrize(
    ("settings", "paths", "elsewhere"),
    [
        pytest.param("", [IMAGES], [], id="nothing set: the usual path"),
        pytest.param(
            "[DEFAULT]\nenabled_backends = fs:file\n"
            "[fs]\nfilesystem_store_datadir = /srv/glance/\n",
            ["/srv/glance"],
            [],
            id="one backend",
        ),
        pytest.param(
            "[DEFAULT]\nenabled_backends = a:file, b:file,ceph:rbd\n"
            "[a]\nfilesystem_store_datadir = /a\n[b]\n",
            ["/a", IMAGES],
            ["ceph"],
            id="several backends",
        ),
        pytest.param(
            "[DEFAULT]\nenabled_backends = fs:file\n"
            "[fs]\nfilesystem_store_datadirs = /a:100,/b:200\n",
            ["/a", "/b"],
            [],
            id="folders by priority",
        ),
        pytest.param(
            "[glance_store]\nstores = file,http\nfilesystem_store_datadir = /old\n",
            ["/old"],
            [],
            id="as before Rocky",
        ),
        pytest.param(
            "[glance_store]\nstores = rbd\ndefault_store = rbd\n", [], ["rbd"], id="Ceph only"
        ),
        pytest.param(
            "[DEFAULT]\nenabled_backends = fs:file\n[fs]\n"
            "filesystem_store_datadir = /first\nfilesystem_store_datadir = /last\n",
            ["/last"],
            [],
            id="named twice: the last counts",
        ),
    ],
)
def test_where_glance_keeps_images(
    gather: ModuleType, settings: str, paths: list[str], elsewhere: list[str]
) -> None:
    found = gather.store_paths("images", gather.sections_in(settings), IMAGES, [])

    assert found == (paths, elsewhere, [])


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        pytest.param("", "/var/lib/nova/instances", id="nothing set"),
        pytest.param("[DEFAULT]\nstate_path = /srv/nova\n", "/srv/nova/instances", id="state path"),
        pytest.param(
            "[DEFAULT]\nstate_path=/srv\ninstances_path = $state_path/vms\n", "/srv/vms", id="of it"
        ),
    ],
)
def test_where_nova_keeps_instances(gather: ModuleType, settings: str, path: str) -> None:
    found = gather.store_paths(
        "instances", gather.sections_in(settings), "/var/lib/nova/instances", []
    )

    assert found == ([path], [], [])


MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
40 22 0:50 / /var/lib/cinder/mnt/aa rw,relatime - nfs4 nas:/aa rw,vers=4.2
41 22 0:51 / /mnt/a\\040b ro,relatime - nfs4 nas:/b rw
"""


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        pytest.param(
            "[DEFAULT]\nenabled_backends = n\n"
            "[n]\nvolume_driver = cinder.volume.drivers.nfs.NfsDriver\n",
            (["/var/lib/cinder/mnt/aa"], [], []),
            id="NFS: what is mounted",
        ),
        pytest.param(
            "[DEFAULT]\nenabled_backends = one,two,three\n"
            "[one]\nvolume_driver = cinder.volume.drivers.lvm.LVMVolumeDriver\nvolume_group = ssd\n"
            "[two]\n[three]\nvolume_driver = cinder.volume.drivers.rbd.RBDDriver\n",
            ([], ["three"], ["ssd", "cinder-volumes"]),
            id="LVM, also by default, and Ceph",
        ),
        pytest.param("", ([], [], []), id="nothing set: no backend"),
    ],
)
def test_where_cinder_keeps_volumes(
    gather: ModuleType, settings: str, found: tuple[list[str], ...]
) -> None:
    mounts = gather.mounts_in(MOUNTS)

    sections = gather.sections_in(settings)

    assert gather.store_paths("volumes", sections, "/var/lib/cinder/mnt", mounts) == found


def test_a_share_that_is_named_and_not_mounted_is_looked_at_too(
    gather: ModuleType, tmp_path: Path
) -> None:
    """os-brick mounts a share in a folder that is named by its digest."""
    (tmp_path / "shares").write_text("# shares\nctl:/volumes -o vers=4\n\n")
    settings = (
        "[DEFAULT]\nenabled_backends = n\n[n]\nvolume_driver = x.NfsDriver\n"
        f"nfs_shares_config = {tmp_path}/shares\n"
    )

    paths, _, _ = gather.store_paths(
        "volumes", gather.sections_in(settings), "/var/lib/cinder/mnt", []
    )

    assert paths == ["/var/lib/cinder/mnt/e789e4c8ed88af70b5eed340fcaaad94"]


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        pytest.param(0o755, (True, True), id="its owner may"),
        pytest.param(0o555, (False, True), id="its owner may not"),
        pytest.param(0o077, (False, True), id="only others may: the owner is none"),
    ],
)
def test_owners_and_modes_say_who_may_write(
    gather: ModuleType, tmp_path: Path, mode: int, told: tuple[bool, bool]
) -> None:
    for each in (tmp_path, *tmp_path.parents):
        assert os.access(each, os.X_OK)
    store = tmp_path / "images"
    store.mkdir()
    store.chmod(mode)

    assert gather.may_write(ME, str(store)) == told


def test_a_folder_that_is_not_there_is_told_from_one_that_cannot_be_seen(
    gather: ModuleType, tmp_path: Path
) -> None:
    assert gather.may_write(ME, str(tmp_path / "none")) == (None, False)
    assert gather.may_write("no-such-user", str(tmp_path)) == (None, None)


# --- at home ------------------------------------------------------------------------------------

ROW = {
    "component": "glance-api",
    "kind": "images",
    "settings": "/etc/glance/glance-api.conf",
    "is_known": True,
    "elsewhere": [],
    "groups": [],
    "engine": None,
    "path": IMAGES,
    "mount": "/",
    "type": "ext4",
    "read_only": False,
    "by_mode": None,
    "is_there": None,
    "room": None,
    "user": "glance",
}
WRITABLE, ROOM = f"store writable {IMAGES}", f"store room {IMAGES}"
REFUSED = said(code=1, err="sudo: a password is required")


def test_the_stores_of_a_lab_are_read() -> None:
    told = sample("ctl")

    found = parse_survey("ctl", json.dumps(told), took_s=1, asked_at=told["now"]).stores

    assert [(of.component, of.unread, len(of.stores)) for of in found] == [
        ("cinder-volume", None, 1),
        ("glance-api", None, 1),
    ]
    [images] = found[1].stores
    assert (images.path, images.takes_writes, images.is_read_only) == (IMAGES, True, False)
    assert images.room == Room(
        size=4096 * 1542040, free=4096 * 1375085, inodes=393216, inodes_free=372457
    )


@pytest.mark.parametrize(
    ("answer", "by_mode", "expected"),
    [
        pytest.param(said(), None, True, id="it may"),
        pytest.param(said(code=1), True, False, id="it may not: the kernel knows better"),
        pytest.param(REFUSED, True, True, id="not asked: owners and modes"),
        pytest.param(REFUSED, False, False, id="not asked: they say no"),
        pytest.param(
            REFUSED, None, Unseen("sudo: a password is required", Blind.REFUSED), id="not asked"
        ),
        pytest.param(None, True, True, id="of an unusual path, on a disk"),
        pytest.param(
            said(code=None, err="no answer in time"),
            True,
            Unseen("no answer in time", Blind.SILENT),
            id="it hangs",
        ),
        pytest.param(said(code=124), None, Unseen("no answer in time", Blind.SILENT), id="it hung"),
        pytest.param(
            said(code=1, err="setpriv: failed to parse reuid: 'glance'"),
            None,
            Unseen("setpriv: failed to parse reuid: 'glance'", Blind.USELESS),
            id="no such user",
        ),
    ],
)
def test_whether_it_takes_writes(
    answer: Said | None,
    by_mode: bool | None,  # noqa: FBT001  # a parameter of the test
    expected: bool | Unseen,  # noqa: FBT001  # the same
) -> None:
    commands = {} if answer is None else {WRITABLE: answer}

    [of] = parse_stores([{**ROW, "by_mode": by_mode}], commands)

    assert of.stores[0].takes_writes == expected


def test_a_folder_that_is_not_there_says_so_where_its_room_is_asked() -> None:
    err = f"stat: cannot read file system information for '{IMAGES}': No such file or directory"

    [of] = parse_stores([ROW], {WRITABLE: said(code=1), ROOM: said(code=1, err=err)})

    assert not of.stores[0].is_there


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(REFUSED, Blind.REFUSED, id="no right"),
        pytest.param(said(code=2), Blind.USELESS, id="no such file"),
        pytest.param(None, Blind.USELESS, id="no tool"),
    ],
)
def test_settings_that_cannot_be_read_are_told_of(answer: Said | None, kind: Blind) -> None:
    commands = {} if answer is None else {"store settings glance-api": answer}

    [of] = parse_stores([{**ROW, "is_known": False}], commands)

    assert of.unread is not None
    assert of.unread.kind is kind


# As vgs(8) of LVM 2.03 writes them; the lab's kernel has no device mapper.
VGS = """\
  cinder-volumes wz--n- 1000204886016 53687091200
  old            rz--n-  500107862016           0
  short          wz-pn-  500107862016    10737418
"""


def test_volume_groups_are_read() -> None:
    row = {**ROW, "kind": "volumes", "path": None}
    row["groups"] = ["cinder-volumes", "old", "short", "gone"]

    [of] = parse_stores([row], {"store groups": said(VGS)})

    assert [
        (one.name, one.is_there, one.is_read_only, one.is_partial)
        for one in of.groups
        if isinstance(one, VolumeGroup)
    ] == [
        ("cinder-volumes", True, False, False),
        ("old", True, True, False),
        ("short", True, False, True),
        ("gone", False, False, False),
    ]


@pytest.mark.parametrize(
    ("row", "commands"),
    [
        pytest.param({"read_only": "no"}, {}, id="a word for a truth"),
        pytest.param({"room": [1, 2, 3]}, {}, id="room of three figures"),
        pytest.param({}, {ROOM: said("4096 10 5 many 3\n")}, id="inodes in words"),
        pytest.param(
            {"groups": ["a"]}, {"store groups": said("a ?z--n- 1 1\n")}, id="LVM's letters"
        ),
    ],
)
def test_another_form_is_not_guessed(row: dict[str, object], commands: dict[str, Said]) -> None:
    with pytest.raises(ODD):
        parse_stores([{**ROW, **row}], commands)


def test_every_store_of_the_anatomy_is_asked_for() -> None:
    asked = {(one["component"], one["kind"], bool(one["container"])) for one in as_asked(ANATOMY)}

    assert asked == {
        (component, kind, in_container)
        for component, kind in (
            ("glance-api", "images"),
            ("cinder-volume", "volumes"),
            ("nova-compute", "instances"),
        )
        for in_container in (False, True)
    }
