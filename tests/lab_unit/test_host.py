"""What a machine lacks is said at once, with the one way to get it."""

from pathlib import Path

import pytest

from stackward.errors import Refused
from stackward.lab.host import (
    PROGRAMS,
    Room,
    missing_packages,
    require_programs,
    require_room,
)

PLACES = {"cache": Path("/cache"), "lab": Path("/labs")}


def here(program: str) -> str | None:
    return f"/usr/bin/{program}"


def nothing_here(_: str) -> str | None:
    return None


def no_filesystem_tools(program: str) -> str | None:
    return None if program in ("mkfs.ext4", "e2fsck", "mmdebstrap") else here(program)


def room(*, disk_gib: float = 100, memory_gib: float = 100) -> Room:
    return Room(lambda _: disk_gib, lambda: memory_gib)


def test_a_machine_that_has_all_programs_passes() -> None:
    require_programs(install=False, which=here)


def test_all_missing_programs_are_named_and_one_line_installs_them() -> None:
    with pytest.raises(Refused) as refused:
        require_programs(install=False, which=no_filesystem_tools)

    assert refused.value.message == "programs that a lab needs are not on this machine"
    assert refused.value.details == (
        "mmdebstrap: in the package `mmdebstrap`",
        "mkfs.ext4: in the package `e2fsprogs`",
        "e2fsck: in the package `e2fsprogs`",
    )
    assert refused.value.stands == "nothing was changed"
    assert refused.value.hint == (
        "`apt-get install e2fsprogs mmdebstrap`, or call again with `--install`"
    )


def test_following_the_hint_is_enough() -> None:
    installed = missing_packages(nothing_here)

    assert set(installed) == set(PROGRAMS.values())


def test_a_machine_with_room_passes() -> None:
    require_room(PLACES, computes=2, is_cold=True, room=room())


def test_everything_that_is_short_is_said_with_what_is_needed_and_what_there_is() -> None:
    with pytest.raises(Refused) as refused:
        require_room(PLACES, computes=2, is_cold=True, room=room(disk_gib=3.25, memory_gib=2))

    assert refused.value.message == "this machine has not enough room for the lab"
    assert refused.value.details == (
        "disk for the cache (/cache): needs 14 GiB, has 3.2 GiB",
        "disk for the lab (/labs): needs 14 GiB, has 3.2 GiB",
        "memory: needs 5.5 GiB available, has 2.0 GiB",
    )
    assert refused.value.stands == "nothing was changed"


def test_a_warm_cache_needs_less_disk() -> None:
    require_room(PLACES, computes=2, is_cold=False, room=room(disk_gib=6))


@pytest.mark.parametrize(("computes", "needs"), [(1, "4.5"), (9, "12.5")])
def test_every_compute_node_needs_memory(computes: int, needs: str) -> None:
    with pytest.raises(Refused) as refused:
        require_room(PLACES, computes=computes, is_cold=False, room=room(memory_gib=4))

    assert refused.value.details == (f"memory: needs {needs} GiB available, has 4.0 GiB",)
