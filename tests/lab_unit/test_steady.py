"""Which scenes are played again and again, and when that ends."""

from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess  # noqa: TID251  # what a command of the lab ends with

import pytest
from typing_extensions import override

from lab.steady import SCENES, files_of, illness_of, play_again
from real_lab import RealLab


@dataclass(frozen=True)
class Told(RealLab):
    """A lab whose state is told, look by look."""

    place: Path
    codes: list[int] = field(default_factory=list)

    @property
    @override
    def folder(self) -> Path:
        return self.place

    @override
    def call(self, *words: str) -> CompletedProcess[str]:
        return CompletedProcess(words, self.codes.pop(0), "c02 is off\n", "")


def test_all_scenes_are_played_where_none_is_named() -> None:
    assert files_of("") == sorted(map(str, SCENES.glob("test_*.py")))


def test_a_scene_is_found_by_its_number() -> None:
    assert [Path(each).name for each in files_of("30")] == ["test_30_drain.py"]


def test_a_play_that_leaves_its_lab_ill_is_the_last_one(capsys: pytest.CaptureFixture[str]) -> None:
    played = list[int]()
    states = iter(["", "c02 is off"])

    def once(number: int) -> int:
        played.append(number)
        return 0

    code = play_again(10, once, "a", lambda: next(states))

    assert (code, played) == (1, [0, 1])
    assert capsys.readouterr().err == (
        "error: the lab `a` is not well after play 2 of 10\n"
        "c02 is off\n"
        "8 of 10 plays were not started\n"
        "\n"
        "hint: `stackward lab reset --name a`, then play again\n"
    )


@pytest.mark.parametrize(("codes", "expected"), [([0, 0, 0], 0), ([0, 1, 0], 1)])
def test_plays_go_on_for_as_long_as_the_lab_is_well(codes: list[int], expected: int) -> None:
    left = list(codes)

    code = play_again(3, lambda _: left.pop(0), "a", lambda: "")

    assert (code, left) == (expected, [])


@pytest.mark.parametrize(
    ("codes", "within_s", "expected"),
    [
        pytest.param([0], 60.0, "", id="well"),
        pytest.param([6, 0], 60.0, "", id="well after a while"),
        pytest.param([6], -1.0, "c02 is off", id="ill"),
    ],
)
def test_a_lab_is_ill_that_does_not_become_well(
    tmp_path: Path, codes: list[int], within_s: float, expected: str
) -> None:
    lab = Told("a", tmp_path, codes)

    assert illness_of(lab, within_s) == expected
    assert lab.codes == []


def test_a_lab_that_was_removed_is_not_ill(tmp_path: Path) -> None:
    assert illness_of(Told("a", tmp_path / "none", [])) == ""
