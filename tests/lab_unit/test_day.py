"""The scenes of the lab's day: what they may take in all, and what is done with one that fails."""

import signal
import tarfile
from collections.abc import Generator
from importlib import import_module
from pathlib import Path

import pytest

from lab.drains import Drains
from lab.stage import LATER_S, SCENES, Scene, Stage, playing
from real_lab import RealLab

FOLDER = Path(__file__).parents[1] / "lab" / "scenes"
FILES = sorted(FOLDER.glob("test_*.py"))
# Of the 45 minutes of CI, after what needs no lab and with the lab that is built beside that.
DAY_S = 1800

# A scene in a file, and a lab that is none.
CONFTEST = """
import pytest
from lab.day import Day
from lab.stage import SCENES, Scene
from pathlib import Path

class Lab:
    name = "none"
    folder = Path("nowhere")
    def call(self, *words):
        assert not Path("called").exists()
        Path("called").write_text(" ".join(words) + "\\n")

DAY = []

def pytest_runtest_protocol(item):
    if not DAY:
        terminal = item.config.pluginmanager.get_plugin("terminalreporter")
        DAY.append(Day(terminal, Lab(), may_repeat={may_repeat}))
    name = item.module.__name__
    SCENES[name] = Scene(name, name, "says", 60, False)
    return DAY[0].play(item)

def pytest_terminal_summary():
    DAY[0].tell()

@pytest.fixture(scope="module")
def record():
    plays = Path("plays")
    plays.write_text("x" + (plays.read_text() if plays.exists() else ""))
    return len(plays.read_text())
"""
FAILS_ONCE = """
def test_the_first_question(record):
    assert record >= {good}

def test_the_second_question(record):
    assert record
"""


def test_each_file_has_one_scene_and_all_fit_into_the_day() -> None:
    for file in FILES:
        import_module(f"lab.scenes.{file.stem}")
    declared = [SCENES[f"lab.scenes.{file.stem}"] for file in FILES]
    first, later = (
        [scene for scene in declared if scene.is_later is is_later] for is_later in (False, True)
    )

    assert len({scene.name for scene in declared}) == len(FILES) > 1
    assert all(scene.says for scene in declared)
    assert sum(scene.budget_s for scene in first) <= DAY_S
    assert [scene.name for scene in later if scene.budget_s > LATER_S] == []


def play(pytester: pytest.Pytester, *, good: int, may_repeat: bool = True) -> pytest.RunResult:
    """Run a scene that is well from its `good`th play on."""
    pytester.makeconftest(CONFTEST.replace("{may_repeat}", str(may_repeat)))
    pytester.makepyfile(test_scene=FAILS_ONCE.format(good=good))
    return pytester.runpytest_inprocess("-p", "no:cacheprovider")


def test_a_scene_is_played_once_for_all_its_tests(pytester: pytest.Pytester) -> None:
    ended = play(pytester, good=1)

    ended.assert_outcomes(passed=2)
    assert (pytester.path / "plays").read_text() == "x"
    assert not (pytester.path / "called").exists()


def test_a_scene_that_fails_is_played_again_on_a_lab_that_is_reset(
    pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = play(pytester, good=2)

    ended.assert_outcomes(passed=2)
    assert (pytester.path / "plays").read_text() == "xx"
    assert (pytester.path / "called").read_text() == "reset\n"
    ended.stdout.fnmatch_lines(["flaky: test_scene: *.tar.gz *.tar.gz"])
    first, *_ = sorted(tmp_path.glob("stackward-none-test_scene-*.tar.gz"))
    with tarfile.open(first) as archive:
        told = archive.extractfile("failed.txt")
        assert told is not None
        assert b"test_the_first_question" in told.read()


@pytest.mark.parametrize(("may_repeat", "plays"), [(True, "xx"), (False, "x")])
def test_a_scene_that_fails_again_or_may_not_be_repeated_has_failed(
    pytester: pytest.Pytester,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    plays: str,
    *,
    may_repeat: bool,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = play(pytester, good=9, may_repeat=may_repeat)

    ended.assert_outcomes(passed=1, failed=1)
    assert (pytester.path / "plays").read_text() == plays
    assert "flaky" not in ended.stdout.str()
    ended.stdout.fnmatch_lines(["*all that it left is in *.tar.gz*"])


@pytest.mark.parametrize("fails", ["its body", "its mending", "nothing"])
def test_no_process_that_a_scene_has_started_outlives_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    monkeypatch.setattr(Drains, "environment", {})
    lab = RealLab("none")
    going = Drains(lab, tmp_path).start(["sleep", "600"])

    def acts(_: Stage) -> Generator[str]:
        assert fails != "its body"
        yield "a record"
        assert fails != "its mending"

    def is_played() -> None:
        with playing(Scene("one", "one", "says", 60, is_later=False), Stage(lab), acts):
            assert going.process.poll() is None

    if fails == "nothing":
        is_played()
    else:
        with pytest.raises(AssertionError):
            is_played()
    assert going.process.poll() == -signal.SIGKILL
