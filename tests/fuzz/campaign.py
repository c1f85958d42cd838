"""Changed answers by the thousand: nothing but values and StackwardErrors may come of them.

`make fuzz` runs this file: python tests/fuzz/campaign.py [CASES [SEED]]
"""

import ast
import hashlib
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
sys.path[:0] = [
    path for path in (str(HERE.parent), str(HERE.parents[1] / "src")) if path not in sys.path
]

from fuzz import apis, bmc, nodes  # noqa: E402  # found by the line above
from fuzz.mutate import RUINED, mutated  # noqa: E402  # as above
from fuzz.source import Came, Source  # noqa: E402  # as above
from stackward.errors import StackwardError  # noqa: E402  # as above

SEED, CASES = 20, 100_000
RESULT = HERE / "RESULT.md"
SOURCES = HERE.parents[1] / "src"
READING, _STRICTLY = "answers.py", ".answers."  # what reads foreign answers strictly
CHANGED_BY = ("apis.py", "nodes.py", "mutate.py", "source.py", "campaign.py")
RECORDED = (HERE / "samples", HERE.parent / "adapters/openstack/samples", HERE.parent / "facts")
MADE_OF = ("sha256 of the readers", "sha256 of the answers and of how they are changed")
PART = 1_000  # cases at a time
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
    return [*nodes.sources(), *apis.sources(), *bmc.sources()]


def read(source: Source, raw: bytes) -> Came:
    """Read one answer; what it raises other than a StackwardError is a defect."""
    try:
        return source.read(raw)
    except StackwardError as error:
        assert error.message, "an error without a word"
        return Came.REFUSED


def run_together(cases: int, seed: int) -> Campaign:
    """Run a campaign on all processors; it comes to the same as on one."""
    together = Campaign({source.name: Counter() for source in all_sources()})
    parts = [range(start, min(start + PART, cases)) for start in range(0, cases, PART)]
    with ProcessPoolExecutor() as pool:
        for part in pool.map(run_part, parts, [seed] * len(parts)):
            together.wrong += part.wrong
            for name, came in part.came.items():
                together.came[name] += came
            sys.stderr.write(f"{together.cases} of {cases}\n")
    return together


def run_part(numbers: range, seed: int) -> Campaign:
    """Run some cases, in a process of its own."""
    return run_these(numbers, seed, sources_here())


@cache
def sources_here() -> tuple[Source, ...]:
    """Return all who answer, made once in each process."""
    return tuple(all_sources())


def run(cases: int, seed: int, sources: Sequence[Source]) -> Campaign:
    """Change each source's answer as often as all others, and read what comes of it."""
    return run_these(range(cases), seed, sources)


def run_these(numbers: range, seed: int, sources: Sequence[Source]) -> Campaign:
    """Run the cases of these numbers."""
    campaign = Campaign({source.name: Counter() for source in sources})
    for number in numbers:
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


def readers() -> list[Path]:
    """Return the files that read foreign answers: those that use what reads them strictly."""
    return sorted(each for each in SOURCES.rglob("*.py") if _reads(each))


def _reads(file: Path) -> bool:
    modules = {
        node.module
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom)
    }
    return file.name == READING or any(f".{each}.".endswith(_STRICTLY) for each in modules)


def samples() -> list[Path]:
    """Return the recorded answers."""
    return sorted(
        each
        for folder in RECORDED
        for each in folder.rglob("*")
        if each.is_file() and each.suffix not in {".py", ".pyc"}
    )


def digest_of(files: Sequence[Path]) -> str:
    """Return what changes with any of these files, wherever they lie."""
    whole = hashlib.sha256()
    for each in files:
        whole.update(f"{each.relative_to(HERE.parents[1])}\0".encode())
        whole.update(hashlib.sha256(each.read_bytes()).digest())
    return whole.hexdigest()


def made_of() -> tuple[str, str]:
    """Return the digests of all that the result depends on: of who reads, and of what is read."""
    recorded = [*samples(), *(HERE / name for name in CHANGED_BY)]
    return digest_of(readers()), digest_of(recorded)


def page(campaign: Campaign, seed: int, made: tuple[str, str]) -> str:
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
        *(f"- {what}: `{of}`" for what, of in zip(MADE_OF, made, strict=True)),
        "",
        "| Who answered what | cases | read | unknown | error that says what was read |",
        "|---|---|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def main(words: Sequence[str]) -> int:
    """Run a long campaign, keep its result, and show what went wrong."""
    cases, seed = (int(words[0]) if words else CASES), (int(words[1]) if len(words) > 1 else SEED)
    made = made_of()  # before: what is changed in the meantime is not what was read
    campaign = run_together(cases, seed)
    if cases >= CASES:
        RESULT.write_text(page(campaign, seed, made))
    for wrong in campaign.wrong[:SHOWN]:
        sys.stderr.write(f"{wrong}\n")
    sys.stdout.write(f"{campaign.cases} cases, {len(campaign.wrong)} wrong\n")
    return 1 if campaign.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
