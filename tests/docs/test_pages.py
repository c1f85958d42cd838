"""The pages say what the code does."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the generator, which is a script; what it sets in the environment is put back."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("OS_CLOUD", raising=False)
    spec = spec_from_file_location("generate", ROOT / "docs/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_code_says(generate: ModuleType) -> None:
    """If this fails, `make fix` writes the pages anew."""
    assert [path.name for path in generate.stale_pages()] == []


def test_every_command_has_an_example(generate: ModuleType) -> None:
    lines = list(generate.command_lines())
    commands = [one for one in lines if not any(o[:-1] == one for o in lines if o)]

    without = [" ".join(one) for one in commands if "Example" not in generate.help_of(one)]

    assert without == []


def test_what_a_list_of_commands_says_of_each_is_whole_at_80_columns(generate: ModuleType) -> None:
    cut = [
        line
        for words in generate.command_lines()
        for line in generate.help_of(words).splitlines()
        if line.endswith("...") and not line.startswith("Usage")
    ]

    assert cut == []


def test_every_command_that_takes_an_inventory_can_have_ansible_read_it(
    generate: ModuleType,
) -> None:
    helps = {" ".join(one): generate.help_of(one) for one in generate.command_lines()}

    takes = {name for name, text in helps.items() if "--inventory " in text}
    assert len(takes) > 5
    assert takes == {name for name, text in helps.items() if "--inventory-reader " in text}


def links() -> list[tuple[Path, str]]:
    pattern = re.compile(r"\]\((?![a-z]+:)([^)#\s]+)(?:#[^)]*)?\)")
    return [(page, found) for page in PAGES for found in pattern.findall(page.read_text())]


def test_links_between_pages_lead_somewhere() -> None:
    dead = [f"{page.name}: {link}" for page, link in links() if not (page.parent / link).exists()]

    assert dead == []


def anchors(page: Path) -> set[str]:
    """Return what a link may lead to on a page: its headings, as the site spells them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    heads = re.findall(r"^#+ +(.+?)\s*$", text, re.MULTILINE)
    words = [re.sub(r"[^\w\s-]", "", re.sub(r"\]\([^)]*\)", "", head)).strip() for head in heads]
    return {re.sub(r"[-\s]+", "-", one).lower() for one in words}


def test_links_to_a_part_of_a_page_lead_to_one_that_is_there() -> None:
    pattern = re.compile(r"\]\((?![a-z]+:)([^)#\s]*)#([^)]+)\)")
    given = [(page, *found) for page in PAGES for found in pattern.findall(page.read_text())]
    dead = [
        f"{page.name}: {link}#{anchor}"
        for page, link, anchor in given
        if (to := page.parent / link if link else page).suffix == ".md"
        and anchor not in anchors(to)
    ]

    assert len(given) > 50
    assert dead == []


def test_every_decision_is_in_the_list_of_decisions() -> None:
    listed = (ROOT / "docs/adr/index.md").read_text()

    missing = [path.name for path in ROOT.glob("docs/adr/0*.md") if path.name not in listed]

    assert missing == []


def test_the_title_of_a_superseded_decision_says_so_wherever_it_is_read() -> None:
    """A page list shows titles only: an old decision must not read as the one that holds."""
    listed = (ROOT / "docs/adr/index.md").read_text()
    titles = {
        int(path.name[:4]): path.read_text().splitlines()[0].removeprefix("# ")
        for path in ROOT.glob("docs/adr/0*.md")
    }
    said = {
        number: int(found[1])
        for number, title in titles.items()
        if (found := re.search(r"\(superseded by (\d+)\)$", title))
    }
    meant = {
        int(old): int(path.name[:4])
        for path in ROOT.glob("docs/adr/0*.md")
        for sentence in re.findall(r"^Supersedes (.*)\.$", path.read_text(), re.MULTILINE)
        for old in re.findall(r"\[(\d+)\]\(", sentence)
    }

    assert len(meant) >= 3
    assert said == meant
    assert [titles[old] for old in said if f"[{titles[old]}](" not in listed] == []


def test_architecture_fits_on_two_pages() -> None:
    lines = (ROOT / "ARCHITECTURE.md").read_text().splitlines()

    assert len(lines) <= 120
    assert [line for line in lines if len(line) > 140] == []  # pages have a width too


def test_no_code_shows_how_it_was_escaped() -> None:
    """Between backticks a page shows `&#124;` as it is written."""
    shown = [
        f"{page.name}: {code}"
        for page in PAGES
        for code in re.findall(r"`[^`\n]*&#[0-9]+;[^`\n]*`", page.read_text())
    ]

    assert shown == []
