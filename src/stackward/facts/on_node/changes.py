"""Report what was changed on a node lately: packages and files of configuration.

It changes nothing. It gets one document of JSON: {"since": seconds of the epoch, "files": [paths],
"root": path}. Standard library only, no later Python than 3.7 needed. It names what it may not
read: of that nothing is known.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

PACKAGE_LOGS = ("var/log/dpkg.log.1", "var/log/dpkg.log")
# Such as: 2026-11-28 20:19:01 upgrade nova-compute:all 3:31.0.0-6 3:31.0.0-7
LINE = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (install|upgrade|remove|purge) ([^:\s]+)\S* (\S+) (\S+)"
)
RPM = ("-qa", "--qf", "%{installtime} %{name} %{version}-%{release}\\n")
DEPTH = 3  # folders below a place
MOST_FILES = 2000
MOST_TOLD = 500
LIMIT_S = 10


def files_in(path: str, refused: list[str], left: list[int], depth: int = DEPTH) -> list[Any]:
    """Return the files at a place, with the time when each was last written."""
    try:
        if not os.path.isdir(path):
            return [[path, os.stat(path).st_mtime]]
        found = [[path, os.stat(path).st_mtime]]  # a file that was removed shows in its folder
        for name in sorted(os.listdir(path)) if depth else []:
            left[0] -= 1
            if left[0] < 0:
                break
            found += files_in(os.path.join(path, name), refused, left, depth - 1)
    except FileNotFoundError:
        return []
    except OSError as error:
        refused.append(path + ": " + (error.strerror or str(error)))
        return []
    return found


def packages_in(root: str, refused: list[str]) -> list[Any] | None:
    """Return what was installed and removed, by dpkg or by rpm; None where neither is known."""
    found = []  # type: list[Any]
    is_known = False
    for name in PACKAGE_LOGS:
        path = os.path.join(root, name)
        try:
            with open(path, encoding="utf-8", errors="replace") as log:
                for line in log:
                    told = LINE.match(line)
                    if told:
                        at = time.mktime(time.strptime(told[1], "%Y-%m-%d %H:%M:%S"))
                        version = told[4] if told[2] in {"remove", "purge"} else told[5]
                        found.append([at, told[2], told[3], version])
                is_known = True
        except FileNotFoundError:
            continue
        except OSError as error:
            refused.append(path + ": " + (error.strerror or str(error)))
    program = shutil.which("rpm")
    if is_known or root != "/" or program is None:
        return found if is_known else None
    answer = subprocess.run(
        [program, *RPM],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )
    for row in answer.stdout.decode("utf-8", "replace").splitlines():
        words = row.split()
        if len(words) == 3 and words[0].isdigit():  # noqa: PLR2004  # as in the words of rpm
            found.append([float(words[0]), "install", words[1], words[2]])
    return found if answer.returncode == 0 else None


def main(asked: dict[str, Any]) -> None:
    """Print what was changed since the time that is asked for."""
    signal.alarm(2 * LIMIT_S)
    root, since = str(asked.get("root") or "/"), float(asked["since"])
    refused = []  # type: list[str]
    left = [MOST_FILES]
    written = {}  # type: dict[str, float]
    for place in asked["files"]:
        for path, at in files_in(os.path.join(root, str(place).lstrip("/")), refused, left):
            if at >= since:
                written["/" + os.path.relpath(path, root)] = at
    packages = packages_in(root, refused)
    json.dump(
        {
            "version": 1,
            "files": sorted([at, path] for path, at in written.items())[-MOST_TOLD:],
            "packages": None
            if packages is None
            else sorted(each for each in packages if each[0] >= since)[-MOST_TOLD:],
            "refused": refused,
            "is_cut": left[0] < 0,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(json.loads(sys.stdin.read()))
