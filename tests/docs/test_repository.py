"""What must not stand in any file: it would bind the project to one machine or one mirror."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_OURS = re.compile(r"/(\.git|\.venv.*|\..*_cache|\.hypothesis|__pycache__|site|dist)(/|$)")

# In pieces, so that this file does not hold them itself.
HOSTS = [
    ".".join(pieces)
    for pieces in [
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
    ]
]
PLACES = [
    "/".join(pieces) for pieces in [("", "work", ""), ("", "root", ".pyenv"), ("", "opt", "pypi")]
]


def files() -> Iterator[Path]:
    for path in ROOT.rglob("*"):
        if path.is_file() and not NOT_OURS.search(f"/{path.relative_to(ROOT)}"):
            yield path


def files_with(words: list[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {word}"
        for path in files()
        for word in words
        if word.encode() in path.read_bytes()
    ]


def test_no_file_names_the_host_of_a_registry_or_mirror() -> None:
    assert files_with(HOSTS) == []


def test_no_file_names_a_place_of_one_machine() -> None:
    assert files_with(PLACES) == []


@pytest.mark.parametrize("name", ["bootstrap", "run", "dev", "bench"])
def test_every_requirement_is_pinned_with_hashes_and_no_address(name: str) -> None:
    text = (ROOT / f"requirements/{name}.txt").read_text()
    pins = re.findall(r"^[^\s#].*$", text, flags=re.MULTILINE)

    assert pins
    assert all(re.match(r"[a-z0-9-]+==\S+( ; .+)? \\$", pin) for pin in pins)
    assert text.count("==") >= len(pins)
    assert "://" not in text
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=[^\s#])", text)[1:])


def test_a_todo_names_an_issue() -> None:
    marker = "TO" + "DO"
    sources = [path for path in files() if path.suffix in {".py", ".toml", ".sh"}]

    unnamed = [
        str(path.relative_to(ROOT))
        for path in sources
        if re.search(rf"#\s*{marker}(?!\(#\d+\): )", path.read_text())
    ]

    assert unnamed == []


def test_a_host_name_is_cut_at_a_dot_in_one_place_only() -> None:
    """What cuts elsewhere takes two sites' machines of one short name for the same."""
    cut = re.compile(r"(?<!\bversion)(?<!__module__)\.(partition|split)\(\s*[\"']\.[\"']")
    rule = ROOT / "src/stackward/model/identity.py"

    elsewhere = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "src").rglob("*.py")
        if path != rule and cut.search(path.read_text("utf-8"))
    ]

    assert elsewhere == []
    assert cut.search(rule.read_text("utf-8"))
