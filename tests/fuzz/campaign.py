"""Changed answers by the thousand: nothing but values and StackwardErrors may come of them.

`make fuzz` runs this file: python tests/fuzz/campaign.py [CASES [SEED]]
"""

import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
sys.path[:0] = [
    path for path in (str(HERE.parent), str(HERE.parents[1] / "src")) if path not in sys.path
]

from fuzz import apis, nodes  # noqa: E402  # found by the line above
from fuzz.mutate import RUINED, mutated  # noqa: E402  # as above
from fuzz.source import Came, Source  # noqa: E402  # as above
from stackward.errors import StackwardError  # noqa: E402  # as above

SEED, CASES = 20, 100_000
RESULT = HERE / "RESULT.md"
SHOWN = 20  # of what went wrong


@dataclass
class Campaign:
    """What came of some thousand answers."""

    came: dict[str, Counter[Came]] = field(default_factory=dict)  # by source
    wrong: list[str] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """Return how many answers were read."""
        return sum(each.total() for each in self.came.values()) + len(self.wrong)


def all_sources() -> list[Source]:
    """Return all who answer."""
    return [*nodes.sources(), *apis.sources()]


def read(source: Source, raw: bytes) -> Came:
    """Read one answer; what it raises other than a StackwardError is a defect."""
    try:
        return source.read(raw)
    except StackwardError as error:
        assert error.message, "an error without a word"
        return Came.REFUSED


def run(cases: int, seed: int, sources: Sequence[Source]) -> Campaign:
    """Change each source's answer as often as all others, and read what comes of it."""
    campaign = Campaign({source.name: Counter() for source in sources})
    for number in range(cases):
        source = sources[number % len(sources)]
        raw = mutated(
            source.sample, Random(f"{seed} {source.name} {number}"), is_json=source.is_json
        )
        try:
            campaign.came[source.name][read(source, raw)] += 1
        except Exception:  # that is what is looked for
            told = traceback.format_exc(limit=-4)
            campaign.wrong.append(
                f"{source.name}, case {number} of seed {seed}: {raw[:300]!r}\n{told}"
            )
    return campaign


def ruined(source: Source) -> list[str]:
    """Return what is no answer at all, and is taken for one all the same."""
    return [text for text in RUINED if read(source, text.encode()) is Came.READ]


def page(campaign: Campaign, seed: int) -> str:
    """Return the result as a page that differs from the last only where the result does."""
    rows = [
        f"| {name} | {came.total()} | {came[Came.READ]} | {came[Came.UNKNOWN]} | {came[Came.REFUSED]} |"
        for name, came in sorted(campaign.came.items())
    ]
    lines = [
        "# What came of changed answers",
        "",
        f"`make fuzz` has read {campaign.cases} recorded answers, each changed at random (seed {seed}), and wrote this page.",
        "Renew it by `make fuzz` when a reader, a recorded answer or a change is new.",
        "",
        f"Tracebacks and broken promises: **{len(campaign.wrong)}**.",
        "",
        "| Who answered what | cases | read | unknown | error that says what was read |",
        "|---|---|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def main(words: Sequence[str]) -> int:
    """Run a long campaign, keep its result, and show what went wrong."""
    cases, seed = (int(words[0]) if words else CASES), (int(words[1]) if len(words) > 1 else SEED)
    began = time.process_time()
    campaign = run(cases, seed, all_sources())
    if cases >= CASES:
        RESULT.write_text(page(campaign, seed))
    for wrong in campaign.wrong[:SHOWN]:
        sys.stderr.write(f"{wrong}\n")
    took = time.process_time() - began
    sys.stdout.write(f"{campaign.cases} cases, {len(campaign.wrong)} wrong, {took:.0f} s of CPU\n")
    return 1 if campaign.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
