"""Play one scene, or all of them, again and again: none may be repeated, none may fail.

    cd tests && ../.venv/bin/python -B -m lab.steady [30] [--times 10] [--busy 3]

The last plays are beside a loop that keeps each core busy. Each play is a line of the log that is
printed, with its commit, the load, how long it took and how it ended. `--lab NAME` takes a lab that
is up; else each play brings its own. A play that leaves its lab ill is the last one: what comes
after it would fail by that, and prove nothing.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from real_lab import SHARED, RealLab, widened
from stackward.lab.waiting import last_seen

ROOT = Path(__file__).parents[2]
SCENES = ROOT / "tests" / "lab" / "scenes"
TIMES, BUSY = 10, 3
WELL_WITHIN_S = 60.0  # after the last mend: a node that was put back is well after 25 s


def spin() -> None:
    """Keep a core busy for ever."""
    while True:
        pass


@contextmanager
def being_busy(*, is_busy: bool) -> Iterator[None]:
    """Keep each core busy for as long as this lasts."""
    loops = [
        multiprocessing.Process(target=spin, daemon=True)
        for _ in range((os.cpu_count() or 1) if is_busy else 0)
    ]
    for loop in loops:
        loop.start()
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()


def files_of(which: str) -> list[str]:
    """Return the files of a scene, by its number; of all of them, where it is empty."""
    return sorted(str(path) for path in SCENES.glob(f"test_{which}*.py"))


def play(which: str, lab: str | None) -> tuple[int, str]:
    """Play once; return how that ended, and its last line."""
    given = {"STACKWARD_TEST_LAB": lab} if lab else {}
    ended = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", *files_of(which)],
        cwd=ROOT,
        env={**os.environ, "STACKWARD_TEST_NO_REPEAT": "1", **given},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        sys.stderr.write(ended.stdout + ended.stderr)
    return ended.returncode, ended.stdout.rstrip().rpartition("\n")[2].strip("= ")


def illness_of(lab: RealLab, within_s: float | None = None) -> str:
    """Return what `lab status` says of a lab that is not well and does not become so; else nothing.

    A lab that was removed is not ill: the next play brings its own.
    """
    if not lab.folder.exists():
        return ""
    limit_s = widened(WELL_WITHIN_S) if within_s is None else within_s
    seen = last_seen(
        lambda: lab.call("status"), lambda ended: ended.returncode == 0, within_s=limit_s
    )
    if seen.returncode == 0:
        return ""
    return f"{seen.stdout}{seen.stderr}".strip() or f"`lab status` ended with {seen.returncode}"


def play_again(times: int, once: Callable[[int], int], lab: str, illness: Callable[[], str]) -> int:
    """Play so often, or until a play leaves its lab ill; 1 where that was so, or a play failed.

    `once` plays, given how many plays were before it, and returns how that ended.
    """
    codes = []
    for number in range(times):
        codes.append(once(number))
        if ill := illness():
            left = times - number - 1
            sys.stderr.write(
                f"error: the lab `{lab}` is not well after play {number + 1} of {times}\n{ill}\n"
                + (f"{left} of {times} plays were not started\n" if left else "")
                + f"\nhint: `stackward lab reset --name {lab}`, then play again\n"
            )
            return 1
    return int(any(codes))


def main(arguments: list[str]) -> int:
    """Play as often as asked for; 1 where one play has failed, or has left its lab ill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scene", nargs="?", default="", help="its number; all where none is given")
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--busy", type=int, default=BUSY, help="so many of them on busy cores")
    parser.add_argument("--lab", help="a lab that is up")
    asked = parser.parse_args(arguments)
    describe = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    commit = subprocess.run(describe, capture_output=True, text=True, check=True).stdout.strip()

    def once(number: int) -> int:
        is_busy = number >= asked.times - asked.busy
        began, load = time.monotonic(), os.getloadavg()[0]
        with being_busy(is_busy=is_busy):
            code, last = play(asked.scene, asked.lab)
        line = {
            "commit": commit,
            "scene": asked.scene or "all",
            "busy": is_busy,
            "load": [round(load, 1), round(os.getloadavg()[0], 1)],
            "seconds": round(time.monotonic() - began),
            "ended": last,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        return code

    lab = RealLab(asked.lab or os.environ.get("STACKWARD_TEST_LAB") or SHARED)
    return play_again(asked.times, once, lab.name, lambda: illness_of(lab))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
