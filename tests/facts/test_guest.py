"""How a guest is, as its node tells it: a real answer, and the script on files that are made."""

import json
import os
import struct
import subprocess  # noqa: TID251  # the script is run as a node runs it
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stackward.errors import NotUnderstood
from stackward.facts.guest import parse_guest, script
from stackward.model.guest_seen import GuestSeen
from stackward.ports.log_source import as_given
from stackward.ports.root import SCAN_LOGS

AT = datetime(2026, 11, 28, 16, 48, tzinfo=UTC)
SAMPLE = (Path(__file__).parent / "samples/guest.json").read_text("utf-8")
SERVER = "8799c8a7-bdbd-4485-a7e6-9f783e091bd1"
XML = """\
<domain type='qemu'>
  <name>instance-0000001b</name>
  <os><type arch='x86_64' machine='pc-i440fx-10.0'>hvm</type></os>
  <devices>
    <emulator>{folder}/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='{folder}/disk'/><target dev='vda'/>
    </disk>
    <disk type='block' device='disk'>
      <driver name='qemu' type='raw'/><source dev='{folder}/volume'/><target dev='vdb'/>
      <serial>7c0f8f3e-57d5-4d09-8fd3-8f1c1f7a2c11</serial>
    </disk>
    <interface type='bridge'><source bridge='br-int'/></interface>
    <hostdev><source>
      <address domain='0x0000' bus='0x3b' slot='0x02' function='0x1'/>
    </source></hostdev>
    <serial type='pty'><log file='{folder}/console.log' append='off'/></serial>
  </devices>
</domain>
"""
VIRSH = """\
#!/bin/sh
case "$*" in
  *version) echo "Running against daemon: 11.3.0" ;;
  *dumpxml*) cat {folder}/domain.xml 2>/dev/null || {{
    echo "error: failed to get domain '$5'" >&2; exit 1; }} ;;
  *domstate*) echo "shut off (failed)" ;;
  *capabilities) echo "<machine maxCpus='255'>pc-i440fx-9.2</machine>" ;;
esac
"""


def qcow2(behind: Path) -> bytes:
    """Return the head of an image that rests on another one."""
    name = str(behind).encode()
    head = b"QFI\xfb\x00\x00\x00\x03" + (32).to_bytes(8, "big") + len(name).to_bytes(4, "big")
    return head.ljust(32, b"\0") + name


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """Given a node whose libvirt has the domain, the disk of which rests on what is gone."""
    (tmp_path / "domain.xml").write_text(XML.format(folder=tmp_path))
    (tmp_path / "virsh").write_text(VIRSH.format(folder=tmp_path))
    (tmp_path / "virsh").chmod(0o755)
    (tmp_path / "disk").write_bytes(qcow2(tmp_path / "base"))
    (tmp_path / "console.log").write_text("".join(f"line {n}\n" for n in range(1, 5001)))
    return tmp_path


def look(node: Path) -> GuestSeen:
    """Run the script, as a node would."""
    given = as_given(script(), json.dumps({"server": SERVER, "within_s": 20}))
    command = list(SCAN_LOGS)
    env = {**os.environ, "PATH": f"{node}:/usr/bin:/bin"}
    done = subprocess.run(  # noqa: S603  # the script itself
        command, input=given, capture_output=True, text=True, check=True, env=env
    )
    return parse_guest(f"Welcome\n{done.stdout}", AT)


def test_a_real_answer_is_read_whole() -> None:
    seen = parse_guest(SAMPLE, AT)

    assert seen.domain is not None
    assert (seen.domain.name, seen.domain.state, seen.is_root) == (
        "instance-0000001b",
        "shut off",
        True,
    )
    [disk] = seen.disks
    assert (disk.image_code, disk.sector, disk.missing) == (0, "boot", None)
    assert seen.domain.console is not None
    assert seen.domain.console.lines[1].startswith("SYSLINUX")


def test_what_the_domain_names_is_looked_for(node: Path) -> None:
    seen = look(node)

    assert seen.domain is not None
    root, volume = seen.disks
    assert (root.is_there, root.missing) == (True, str(node / "base"))
    assert (volume.is_there, volume.serial[:4]) == (False, "7c0f")
    assert seen.domain.has_emulator is False
    assert seen.domain.knows_machine is False
    assert (dict(seen.domain.bridges), dict(seen.domain.pci)) == (
        {"br-int": False},
        {"0000:3b:02.1": False},
    )
    assert (seen.domain.state, seen.domain.why) == ("shut off", "failed")


def test_the_end_of_the_console_has_the_numbers_of_its_lines(node: Path) -> None:
    seen = look(node)

    assert seen.domain is not None
    assert seen.domain.console is not None
    lines = seen.domain.console.lines
    assert lines[-1] == "line 5000"
    assert lines[0] == f"line {seen.domain.console.first_line}"


def test_a_base_that_is_there_is_not_missing(node: Path) -> None:
    (node / "base").write_bytes(b"raw")

    assert look(node).disks[0].missing is None


def test_a_disk_that_its_owner_may_not_read_is_none_that_qemu_can_open(node: Path) -> None:
    (node / "disk").chmod(0)

    denied = look(node).disks[0].denied

    assert denied is not None
    assert (denied.path, denied.why) == (str(node / "disk"), "the file has the mode 0000")


def named(name: str) -> Any:  # noqa: ANN401  # a function of the script
    """Return a function of the script, which is not started."""
    parts: dict[str, Any] = {"__name__": "guest"}
    exec(compile(script().removesuffix("main()\n"), "guest.py", "exec"), parts)  # noqa: S102  # our own
    return parts[name]


HUGE = "<memoryBacking><hugepages/></memoryBacking>"
OWNER, USER, OWNING_GROUP, GROUP, MASK, OTHER = 1, 2, 4, 8, 16, 32
QEMU, ITS_GROUP, NOBODY = 64055, 994, 2**32 - 1
CLOSED = [(OWNER, 7, NOBODY), (OWNING_GROUP, 5, NOBODY), (MASK, 5, NOBODY), (OTHER, 0, NOBODY)]


@pytest.mark.parametrize(
    ("entries", "may"),
    [
        pytest.param([], False, id="nobody else"),
        pytest.param([(USER, 1, QEMU)], True, id="the user"),
        pytest.param([(USER, 1, 1000)], False, id="another user"),
        pytest.param([(GROUP, 5, ITS_GROUP)], True, id="its group"),
        pytest.param([(USER, 0, QEMU), (GROUP, 5, ITS_GROUP)], False, id="not this user"),
        pytest.param([(USER, 1, QEMU), (MASK, 4, NOBODY)], False, id="the mask takes it away"),
    ],
)
def test_an_access_list_says_who_may_enter_a_folder(
    entries: list[tuple[int, int, int]],
    may: bool,  # noqa: FBT001  # a column
) -> None:
    masked = any(tag == MASK for tag, _, _ in entries)
    rest = [one for one in CLOSED if not (masked and one[0] == MASK)]
    folder = os.stat_result((0o40750, 0, 0, 0, 1000, 1000, 0, 0, 0, 0))

    assert named("may_enter")([*entries, *rest], folder, QEMU, {ITS_GROUP}) is may


def test_an_access_list_is_read_as_the_kernel_writes_it(tmp_path: Path) -> None:
    entries = [*CLOSED[:1], (USER, 1, QEMU), *CLOSED[1:]]
    given = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in entries)

    before = named("access_list")(str(tmp_path))
    os.setxattr(tmp_path, "system.posix_acl_access", given)

    assert (before, named("access_list")(str(tmp_path))) == (None, entries)


@pytest.mark.parametrize(
    ("added", "is_bios", "from_disks"),
    [
        pytest.param("", True, True, id="a PC"),
        pytest.param("<boot dev='hd'/>", True, True, id="a disk is named"),
        pytest.param("<boot dev='cdrom'/><boot dev='hd'/>", True, False, id="a CD before a disk"),
        pytest.param("<boot dev='hd'/><boot dev='network'/>", True, False, id="the network too"),
        pytest.param("<loader>/x</loader>", False, True, id="UEFI"),
    ],
)
def test_what_a_guest_boots_from_is_told(
    node: Path,
    added: str,
    is_bios: bool,  # noqa: FBT001  # same
    from_disks: bool,  # noqa: FBT001  # same
) -> None:
    xml = XML.format(folder=node).replace("</os>", f"{added}</os>")
    (node / "domain.xml").write_text(xml)

    domain = look(node).domain

    assert domain is not None
    assert (domain.is_bios, domain.boots_from_disks) == (is_bios, from_disks)


def test_a_card_that_is_to_boot_is_no_disk(node: Path) -> None:
    card = "<source bridge='br-int'/>"
    xml = XML.format(folder=node).replace(card, f"{card}<boot order='1'/>")
    (node / "domain.xml").write_text(xml.replace("arch='x86_64'", "arch='s390x'"))

    domain = look(node).domain

    assert domain is not None
    assert (domain.is_bios, domain.boots_from_disks) == (False, False)


@pytest.mark.parametrize(
    ("head", "told"),
    [(b"LUKS\xba\xbe\0\1", "encrypted"), (b"\0" * 8, "empty"), (b"\xeb\x63\x90\0" * 2, "other")],
)
def test_what_the_first_sector_has_is_told(node: Path, head: bytes, told: str) -> None:
    rows = (head.ljust(1024, b"\0")[at : at + 16] for at in range(0, 1024, 16))
    lines = "".join(f"{at * 16:08x}:  {row.hex(' ')}  ....\n" for at, row in enumerate(rows))
    (node / "sector").write_text(lines)
    for name, does in (("qemu-io", f"cat {node}/sector"), ("qemu-img", "exit 0")):
        (node / name).write_text(f"#!/bin/sh\n{does}\n")
        (node / name).chmod(0o755)

    assert look(node).disks[0].sector == told


def test_a_disk_that_its_definition_calls_encrypted_tells_no_sector(node: Path) -> None:
    xml = XML.format(folder=node).replace("<os>", f"{HUGE}<os>")
    source = f"<source file='{node}/disk'/>"
    inner = f"<source file='{node}/disk'><encryption format='luks'/></source>"
    (node / "domain.xml").write_text(xml.replace(source, inner))

    seen = look(node)

    assert seen.domain is not None
    assert (seen.disks[0].sector, seen.domain.has_huge_pages) == ("encrypted", True)


def test_a_domain_that_there_is_not_is_another_thing_than_one_that_is_unread(node: Path) -> None:
    (node / "domain.xml").unlink()

    seen = look(node)

    assert (seen.domain, seen.libvirt_says) == (None, None)
    assert seen.no_domain.startswith("failed to get domain")


def test_libvirt_that_does_not_answer_says_why(node: Path) -> None:
    (node / "virsh").write_text(
        "#!/bin/sh\necho 'error: failed to connect to the hypervisor' >&2\nexit 1\n"
    )

    seen = look(node)

    assert (seen.domain, seen.no_domain) == (None, "")
    assert seen.libvirt_says == "failed to connect to the hypervisor"


def test_without_virsh_it_is_said_that_there_is_none(node: Path) -> None:
    (node / "virsh").unlink()

    seen = look(node)

    assert (seen.libvirt_says, seen.is_libvirt_known) == (None, False)
    assert "libvirt" in " ".join(seen.unread)


@pytest.mark.parametrize("part", ["libvirt", "domain", "space", "unread", "is_root"])
def test_another_shape_is_not_understood(part: str) -> None:
    told: dict[str, Any] = json.loads(SAMPLE)
    told[part] = 7

    with pytest.raises(NotUnderstood):
        parse_guest(json.dumps(told), AT)


def test_a_guest_runs_where_libvirt_says_so() -> None:
    seen = parse_guest(SAMPLE, AT)
    assert seen.domain is not None

    assert not seen.is_running
    assert replace(seen, domain=replace(seen.domain, state="running")).is_running
