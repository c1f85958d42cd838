"""The pictures are terminals: as wide, with all their blanks, and short enough to be read."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PICTURES = sorted((ROOT / "docs/pictures").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"
MOST_LINES = 45


def test_there_are_the_four_pictures() -> None:
    assert [path.stem for path in PICTURES] == ["blocked", "check", "drain", "run"]


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_short_and_keeps_its_columns(path: Path) -> None:
    picture = ET.parse(path)  # noqa: S314  # our own
    texts = [one for one in picture.iter(f"{SVG}text") if "clip-path" in one.attrib]
    glyph = _glyph(texts)

    lines = {one.get("y") for one in texts if (one.text or "").strip()}
    assert 5 < len(lines) <= MOST_LINES
    for one in texts:
        column = float(one.get("x", "0")) / glyph
        assert abs(column - round(column)) < 0.01, f"`{one.text}` stands between two columns"
        assert " " not in (one.text or ""), "a browser folds such blanks"


def _glyph(texts: list[ET.Element]) -> float:
    """Return how wide a letter is: that of the longest text is the most exact."""
    longest = max(texts, key=lambda one: len(one.text or ""))
    return float(longest.get("textLength", "0")) / len(longest.text or "")


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_picture_fetches_nothing(path: Path) -> None:
    assert "url(" not in path.read_text().replace("url(#", "")


def test_a_picture_on_a_page_is_a_link_to_the_whole_of_it() -> None:
    """On a telephone a terminal of 100 columns is too small to read."""
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
    shown = [found for page in pages for found in re.findall(r".*!\[.*", page.read_text())]

    assert len(shown) >= 5
    assert [line for line in shown if not re.fullmatch(r"\[!\[.+\]\((.+)\)\]\(\1\)", line)] == []


def test_the_site_has_its_own_style_and_script() -> None:
    """Of the pages' own: pictures that scroll, flags that stay whole, contents in the header."""
    listed = (ROOT / "mkdocs.yml").read_text()

    named = re.findall(r"^  - ((?:stylesheets|javascripts)/\S+)$", listed, re.MULTILINE)

    there = {*ROOT.glob("docs/stylesheets/*"), *ROOT.glob("docs/javascripts/*")}
    assert {ROOT / "docs" / name for name in named} == there
    assert len(there) == 2
