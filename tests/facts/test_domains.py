"""Real words of virsh and findmnt in, values out."""

import pytest

from stackward.facts.domains import other_directories, parse_filesystem, parse_ids, parse_stats
from stackward.model.domain import Disk, Domain
from stackward.model.unread import Unread

LIST = """\
84af16aa-743a-46ae-890a-872cbc025df1 instance-00000003
ec4b4d8b-781e-49bd-a4a2-cd5afcaba928 instance-00000004

"""

STATS = """\
Domain: 'instance-00000004'
  state.state=1
  state.reason=5
  block.count=1
  block.0.name=vda
  block.0.path=/var/lib/nova/instances/ec4b4d8b-781e-49bd-a4a2-cd5afcaba928/disk
  block.0.backingIndex=1
  block.0.allocation=393216
  block.0.capacity=20971520
  block.0.physical=331776

Domain: 'instance-00000003'
  state.state=3
  state.reason=1
  block.count=1
"""

FINDMNT = """\
{
   "filesystems": [
      {
         "target": "/var/lib/nova/instances",
         "source": "/dev/loop2[/instances]",
         "fstype": "ext4",
         "options": "rw,noatime"
      }
   ]
}
"""


def test_guests_are_listed_by_uuid_and_name() -> None:
    assert parse_ids(LIST) == [
        ("84af16aa-743a-46ae-890a-872cbc025df1", "instance-00000003"),
        ("ec4b4d8b-781e-49bd-a4a2-cd5afcaba928", "instance-00000004"),
    ]


def test_the_figures_of_each_guest_stay_its_own() -> None:
    stats = parse_stats(STATS)

    assert stats["instance-00000003"]["state.state"] == "3"
    assert stats["instance-00000004"]["block.0.physical"] == "331776"


def test_the_file_system_of_the_instances_is_named() -> None:
    assert parse_filesystem(FINDMNT) == "ext4"


def test_another_answer_is_no_file_system() -> None:
    assert isinstance(parse_filesystem("findmnt: no such target"), Unread)


def a_disk(path: str | None) -> Disk:
    return Disk(device="vda", path=path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/var/lib/nova/instances/ID/disk", "/var/lib/nova/instances", id="usual"),
        pytest.param("/mnt/nova-nfs/instances/ID/disk", "/mnt/nova-nfs/instances", id="F29"),
        pytest.param("/mnt/nova/ID/disk.swap", "/mnt/nova", id="its swap"),
        pytest.param("/dev/vg/ID_disk", None, id="a logical volume"),
        pytest.param("vms/ID_disk", None, id="an image of Ceph"),
        pytest.param("/var/lib/nova/mnt/abc/volume-1", None, id="a volume"),
        pytest.param(None, None, id="a drive without a medium"),
    ],
)
def test_the_directory_of_a_disk(path: str | None, expected: str | None) -> None:
    assert a_disk(path).directory_of("ID") == expected


def test_f29_only_directories_beside_the_usual_one_are_asked_for() -> None:
    paths = ("/var/lib/nova/instances/A/disk", "/mnt/x/A/disk.swap", "/dev/vg/A_disk")
    guest = Domain(server="A", name="a", state="running", disks=tuple(map(a_disk, paths)))

    assert other_directories((guest,)) == ("/mnt/x",)
    assert other_directories(Unread("no answer")) == ()
