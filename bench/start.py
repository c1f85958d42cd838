"""How long a command line takes to start, as a ratio to OpenStack's own client in the same run.

    python bench/start.py STACKWARD OPENSTACK

Fails when `stackward --help` or `stackward run list` takes more than half as long as
`openstack --version`. The list is of the journal of whoever runs this.
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
    """Time all in turn, so that a busy moment falls on all; print and judge the ratios."""
    ours, theirs = [("--help",), ("run", "list")], (openstack, "--version")
    commands = [*((stackward, *words) for words in ours), theirs]
    for command in commands:
        seconds(*command)  # the first run compiles and fills the file cache
    rounds = [[seconds(*command) for command in commands] for _ in range(ROUNDS)]
    their_median = statistics.median(times[-1] for times in rounds)
    print(f"openstack --version  {their_median:.3f} s, median of {ROUNDS}")
    worst = 0.0
    for place, words in enumerate(ours):
        our_median = statistics.median(times[place] for times in rounds)
        ratio = statistics.median(times[place] / times[-1] for times in rounds)
        worst = max(worst, ratio)
        print(f"stackward {' '.join(words):<10} {our_median:.3f} s, median of {ROUNDS}")
        print(f"ratio                {ratio:.2f}, at most {MOST}")
    return int(worst > MOST)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
