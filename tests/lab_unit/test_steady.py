"""Which scenes are played again and again."""

from pathlib import Path

from lab.steady import SCENES, files_of


def test_all_scenes_are_played_where_none_is_named() -> None:
    assert files_of("") == sorted(map(str, SCENES.glob("test_*.py")))


def test_a_scene_is_found_by_its_number() -> None:
    assert [Path(each).name for each in files_of("30")] == ["test_30_drain.py"]
