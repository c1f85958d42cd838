"""How long a command line takes to start, as a ratio to OpenStack's own client in the same run.

    python bench/start.py STACKWARD OPENSTACK

Fails when `stackward --help` takes more than half as long as `openstack --version`.
"""

import statistics
import subprocess
import sys
import time

ROUNDS = 11  # odd, so that the median is one of them
MOST = 0.5


def seconds(*command: str) -> float:
    """Run a command once; return how long it took."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main(stackward: str, openstack: str) -> int:
    """Time both in turn, so that a busy moment falls on both; print and judge the ratio."""
    ours, theirs = (stackward, "--help"), (openstack, "--version")
    seconds(*ours), seconds(*theirs)  # the first run compiles and fills the file cache
    pairs = [(seconds(*ours), seconds(*theirs)) for _ in range(ROUNDS)]
    our_median, their_median = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(our / their for our, their in pairs)
    print(f"stackward --help     {our_median:.3f} s, median of {ROUNDS}")
    print(f"openstack --version  {their_median:.3f} s, median of {ROUNDS}")
    print(f"ratio                {ratio:.2f}, at most {MOST}")
    return int(ratio > MOST)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
