"""The time zone of the user who runs this: that of `TZ`, otherwise the machine's."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stackward.errors import BadInput

_MACHINE = Path("/etc/localtime")
_NAMED = "zoneinfo/"  # in the place that it points to, the name of the zone follows


def zone_here(machine: Path = _MACHINE) -> ZoneInfo:
    """Return the zone, by its name where it has one."""
    if named := os.environ.get("TZ", "").removeprefix(":"):
        try:
            return ZoneInfo(named)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise BadInput(
                f"the zone in TZ, `{named}`, is not one that has a name",
                hint="write the zone after the time, such as `@Europe/Berlin`",
            ) from error
    try:
        _, _, name = str(machine.resolve(strict=True)).rpartition(_NAMED)
        with machine.open("rb") as file:
            return ZoneInfo.from_file(file, key=name if not name.startswith("/") else None)
    except FileNotFoundError:
        return ZoneInfo("UTC")  # as the C library has it then
    except (OSError, ValueError) as error:
        raise BadInput(
            f"the zone of this machine cannot be read from `{machine}`: {error}",
            hint="write the zone after the time, such as `@Europe/Berlin`",
        ) from error
