"""What of a definition in libvirt has changed by a start, and what is never secret in it."""

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.model.unread import Unread
from stackward.status.definition import changes, compared, definition_of, is_uefi, marked

DB, NODE = an_id("db-01"), "compute-07"
BEFORE = """<domain type='kvm'>
  <metadata>
    <nova:creationTime>2026-01-01 10:00:00</nova:creationTime>
  </metadata>
  <os>
    <type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type>
  </os>
  <devices>
    <disk type='file' device='disk'/>
  </devices>
</domain>"""
Q35 = BEFORE.replace("pc-i440fx-7.2", "pc-q35-9.0")


def a_cloud() -> FakeCloud:
    cloud = FakeCloud()
    cloud.nova.add(a_server("SHUTOFF"))
    return cloud


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(BEFORE, (), id="the same"),
        pytest.param(BEFORE.replace("10:00:00", "11:30:00"), (), id="made at another time"),
        pytest.param(BEFORE.replace("  <os>", "      <os>"), (), id="written otherwise"),
        pytest.param(
            Q35,
            (
                "-<type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type>",
                "+<type arch='x86_64' machine='pc-q35-9.0'>hvm</type>",
            ),
            id="another machine",
        ),
        pytest.param(
            BEFORE.replace("    <disk type='file' device='disk'/>\n", ""),
            ("-<disk type='file' device='disk'/>",),
            id="a disk that is gone",
        ),
    ],
)
def test_what_has_changed_is_told_line_by_line(now: str, expected: tuple[str, ...]) -> None:
    assert changes(BEFORE, now) == expected


def test_of_very_many_lines_the_first_are_told_and_the_others_counted() -> None:
    now = BEFORE.replace("<devices>", "<devices>\n" + "\n".join(f"<x n='{n}'/>" for n in range(99)))

    told = changes(BEFORE, now)

    assert (len(told), told[-1]) == (41, "and 59 more")


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        pytest.param("<os firmware='efi'>", True, id="firmware that libvirt chooses"),
        pytest.param("<nvram>/var/lib/x_VARS.fd</nvram>", True, id="variables"),
        pytest.param("<loader readonly='yes' type='pflash'>", True, id="a loader of its own"),
        pytest.param(BEFORE, False, id="a BIOS"),
        pytest.param(Unread("no route"), False, id="not read"),
        pytest.param(None, False, id="no guest"),
    ],
)
def test_a_guest_that_boots_by_uefi_is_known(
    definition: str | Unread | None, *, expected: bool
) -> None:
    assert is_uefi(definition) is expected


def test_a_mark_has_the_definition_and_is_compared_with_the_one_after_the_boot() -> None:
    cloud = a_cloud()
    world = a_world(cloud, FakeShell(cloud, machines={DB: ["pc", "q35"]}))
    mark = marked(world, DB, NODE)
    cloud.nova.boots[DB] += 1

    seen = compared(world, DB, NODE, mark)

    assert "<type machine='pc'>" in str(mark["definition"])
    assert seen["definition"] == "2 lines differ"
    assert seen["definition changes"] == (
        "-<type machine='pc'>hvm</type>",
        "+<type machine='q35'>hvm</type>",
    )


def test_one_that_is_the_same_is_said_so() -> None:
    world = a_world(a_cloud())

    assert compared(world, DB, NODE, marked(world, DB, NODE)) == {"definition": "as before"}


def test_what_cannot_be_read_is_said_and_never_called_the_same() -> None:
    cloud = a_cloud()
    silent = a_world(cloud, FakeShell(cloud, silent={NODE}))
    mark = marked(silent, DB, NODE)

    assert "definition" not in mark
    assert "not compared" in str(compared(a_world(cloud), DB, NODE, mark)["definition"])
    well = marked(a_world(cloud), DB, NODE)
    assert "not compared" in str(compared(silent, DB, NODE, well)["definition"])


def test_a_guest_that_libvirt_does_not_have_has_no_definition() -> None:
    cloud = a_cloud()
    world = a_world(cloud, FakeShell(cloud, without={(NODE, DB)}))

    assert definition_of(world, DB, NODE) is None
    assert compared(world, DB, NODE, marked(world, DB, NODE)) == {}


def test_a_secret_that_a_definition_holds_is_masked() -> None:
    cloud = a_cloud()
    shell = FakeShell(cloud, machines={DB: ["x' password='hunter2secret"]})

    assert "hunter2secret" not in str(marked(a_world(cloud, shell), DB, NODE))
