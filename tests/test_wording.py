"""Numbers and sizes are said by one function each, so that one thing is not "1 servers"."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import stackward
from sources import walked
from stackward.health.symptoms import ALL as SYMPTOMS
from stackward.operations import every_rule
from stackward.status.stuck import ALL as STUCK_STATES
from stackward.wording import count_of, first_of, in_size

SCRIPTS = {"bake.py"}  # texts of a shell, by which the lab's layers are known
SOURCES = sorted(
    path for path in Path(stackward.__file__).parent.rglob("*.py") if path.name not in SCRIPTS
)
COUNTED = re.compile(r"^ (?:[a-z]+ )?[a-z]+s\b(?! of the)")
NO_COUNT = re.compile(r"^ (?:is|was|has|does|says|as|its|this|us|minus|s)\b")
NUMBERS = re.compile(r"\blen\(|(^|[._])(count|number|total|starts|restarts|left|done|at_once)$")


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (1, ("server",), "1 server"),
        (2, ("server",), "2 servers"),
        (0, ("server",), "0 servers"),
        (1, ("server is", "servers are"), "1 server is"),
        (3, ("directory", "directories"), "3 directories"),
    ],
)
def test_a_number_of_things(number: int, words: tuple[str, ...], said: str) -> None:
    assert count_of(number, *words) == said


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (1_990_000_000, "1.9 GiB"),
        (int(1.97 * 2**30), "2 GiB"),
        (6 * 2**30, "6 GiB"),
        (2**30 - 1, "1 GiB"),
        (300 * 2**20, "300 MiB"),
        (5 * 2**40, "5 TiB"),
        (3 * 2**60, "3072 PiB"),
    ],
)
def test_a_size_is_rounded_and_never_cut(size: int, said: str) -> None:
    """1.9 GiB was shown as 1 GiB."""
    assert in_size(size) == said


def counted_by_hand(source: Path) -> Iterator[str]:
    """Return each number in an f-string that stands before a plural."""
    for node in walked(source.read_text()):
        parts = node.values if isinstance(node, ast.JoinedStr) else []
        for before, after in pairwise(parts):
            if not (isinstance(before, ast.FormattedValue) and isinstance(after, ast.Constant)):
                continue
            text, what = str(after.value), ast.unparse(before.value)
            is_said = "count_of(" in what
            if (
                not is_said
                and NUMBERS.search(what)
                and COUNTED.match(text)
                and not NO_COUNT.match(text)
            ):
                yield f"{source.name}:{before.lineno}: {{{what}}}{text[:20]}"


def test_no_text_counts_by_hand() -> None:
    """A drain of one server said "1 servers"."""
    assert [found for source in SOURCES for found in counted_by_hand(source)] == []


def test_no_template_counts_by_hand() -> None:
    templates = [worry.reason for worry in every_rule()]
    templates += [worry.remedy for worry in every_rule()]
    templates += [state.reason for state in STUCK_STATES]
    templates += [symptom.reason for symptom in SYMPTOMS]
    counted = re.compile(r"\{(size|nodes|number|left|total)\} [a-z]+s\b")

    assert [text for text in templates if counted.search(text)] == []


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, ""), (2, "c1, c2"), (3, "c1, c2, c3"), (4, "c1, c2 and 2 more")],
    ids=["none", "few", "a single one more is named", "the rest is counted"],
)
def test_the_first_are_named_and_the_rest_is_counted(count: int, said: str) -> None:
    assert first_of((f"c{at}" for at in range(1, count + 1)), 2) == said
