"""Texts are plain English: no word of the list, no sentence of over thirty words.

The list is data: `language.toml`, beside this file. What people read and what developers read, the
docstrings and comments of the code, have each their counts of what is kept.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from prose import DATA, PAGES, ROOT, Text, length, notes, plain, sentences, texts

LIST = tomllib.loads((ROOT / "tests/docs/language.toml").read_text())
WORDS = LIST["word"]
LONGEST = LIST["longest"]
KEPT: dict[str, int] = LIST["kept"]
KEPT_IN_NOTES: dict[str, int] = LIST["kept_in_notes"]


def is_said(word: dict[str, str], text: str) -> Iterator[str]:
    """Return each place of a text that has the word."""
    if "unless" in word and re.search(word["unless"], text):
        return
    for found in _pattern(word["never"]).finditer(text):
        around = text[max(0, found.start() - 40) : found.end() + 40].replace("\n", " ")
        yield f"`{found[0]}`, say {word['say']}: ...{around}..."


@cache
def _any() -> re.Pattern[str]:
    return _pattern("|".join(word["never"] for word in WORDS))


@cache
def _pattern(never: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{never})(?![\w-])", re.IGNORECASE)


@cache
def found() -> tuple[tuple[str, str], ...]:
    """Return each file that breaks a rule, with the place and the rule: once for each time."""
    return tuple(_found(texts()))


@cache
def found_in_notes() -> tuple[tuple[str, str], ...]:
    """Return the same of the docstrings and comments."""
    return tuple(_found(notes()))


def _found(those: Iterable[Text]) -> Iterator[tuple[str, str]]:
    for path, line, text in those:
        if _any().search(text):
            for word in WORDS:
                for place in is_said(word, text):
                    yield path, f"{path}:{line}: {place}"
        for sentence in sentences(text):
            if (words := length(sentence)) > LONGEST:
                yield path, f"{path}:{line}: {words} words: {sentence[:60]}..."


def test_no_file_says_more_that_is_stilted_than_the_list_allows() -> None:
    """Rewrite the text. `kept` of `language.toml` is for texts that are older than this test."""
    counts = Counter(path for path, _ in found())
    more = {path for path, count in counts.items() if count > KEPT.get(path, 0)}

    assert [place for path, place in found() if path in more] == []


def test_what_was_rewritten_is_no_longer_in_the_list_of_what_is_kept() -> None:
    """Write the smaller number into `kept` of `language.toml`, so that it stays so."""
    counts = Counter(path for path, _ in found())

    assert {path: counts[path] for path, kept in KEPT.items() if counts[path] < kept} == {}


def test_no_docstring_or_comment_is_stilted_but_those_that_are_kept() -> None:
    """Rewrite the text, and write the smaller number into `kept_in_notes` of `language.toml`."""
    counts = Counter(path for path, _ in found_in_notes())
    more = {path for path, count in counts.items() if count > KEPT_IN_NOTES.get(path, 0)}

    assert [place for path, place in found_in_notes() if path in more] == []
    fewer = {path: counts[path] for path, kept in KEPT_IN_NOTES.items() if counts[path] < kept}
    assert fewer == {}


def test_docstrings_and_comments_of_each_room_are_read() -> None:
    """A walk that finds nothing would find no wrong word either."""
    rooms = {Path(path).parts[2] for path, *_ in notes()}

    assert {"adapters", "cli", "engine", "facts", "health", "lab", "model", "operations"} <= rooms
    assert any(one.words.startswith("Say whether") for one in notes())  # a docstring
    assert any(one.words.startswith("type:") for one in notes())  # a comment


def test_texts_of_each_kind_are_read() -> None:
    """A walk that finds nothing would find no wrong word either."""
    places = {Path(path) for path, *_ in texts()}
    rooms = {path.parts[2] for path in places if path.parts[0] == "src"}

    assert {page.relative_to(ROOT) for page in PAGES} <= places
    assert {"policy", "health", "report", "cli", "engine", "steps", "checks", "plan"} <= rooms
    assert {Path("src/stackward") / folder for folder in DATA} <= {path.parent for path in places}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("it lets us in", 1),
        ("plan anew; whoever did it", 2),
        ("Who was deleted is left alone", 1),
        ("Else it shows the plan", 1),
        ("somebody else has it", 0),
        ("drain of 1 servers", 1),
        ("drain of 11 servers", 0),
        ("moves the server(s) home", 1),
        ("a problem of the node", 1),
        ("stand-in", 0),
        ("libvirt's job ends", 0),
    ],
)
def test_a_word_of_the_list_is_found(text: str, count: int) -> None:
    assert len([place for word in WORDS for place in is_said(word, text)]) == count


def test_a_sentence_is_as_long_as_its_words() -> None:
    text = plain("Run `stackward node list -f json` on {node}; then [read](a.md) **it**. Done!")

    assert text == "Run X on X; then read it. Done!"
    assert [length(one) for one in sentences(text)] == [4, 3, 1]
