"""The cache gives out whole layers only, and notices when one has changed."""

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from stackward.errors import Locked, Refused, StepFailed
from stackward.lab.declared import Image, declared
from stackward.lab.images import Cache, digest, image_key, key_of, remove_tree, sources_digest


def a_layer(cache: Cache, name: str = "base", key: str = "k1") -> Path:
    with cache.building(name, key) as folder:
        (folder / "tree/etc").mkdir()
        (folder / "tree/etc/hostname").write_text("node\n")
        (folder / "tree/etc/hostname").chmod(0o644)
        (folder / "tree/link").symlink_to("etc/hostname")
    return cache.layer(name, key).folder


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_a_layer_is_given_out_as_it_was_built(cache: Cache) -> None:
    a_layer(cache)

    layer = cache.get("base", "k1")

    assert layer is not None
    assert (layer.tree / "etc/hostname").read_text() == "node\n"
    assert [folder.name for folder in cache.layers()] == ["base-k1"]


@pytest.mark.parametrize(("name", "key"), [("base", "k2"), ("other", "k1")])
def test_a_layer_of_another_key_is_not_there(cache: Cache, name: str, key: str) -> None:
    a_layer(cache)

    assert cache.get(name, key) is None


def test_a_build_that_fails_leaves_nothing(cache: Cache) -> None:
    with pytest.raises(StepFailed), cache.building("base", "k1"):
        raise StepFailed("no")

    assert cache.get("base", "k1") is None
    assert list(cache.folder.glob("layers/.*")) == []


def test_a_build_that_is_going_on_is_no_layer(cache: Cache) -> None:
    with cache.building("base", "k1"):
        assert cache.get("base", "k1") is None
        assert cache.layers() == []


def test_what_a_killed_build_left_is_no_layer_and_in_nobodys_way(cache: Cache) -> None:
    left = cache.folder / "layers/.unfinished-base-k1/tree/etc"
    left.mkdir(parents=True)
    (left / "half").write_text("x")
    assert cache.get("base", "k1") is None
    assert cache.layers() == []

    folder = a_layer(cache)

    assert not (folder / "tree/etc/half").exists()


def write_more(tree: Path) -> None:
    (tree / "etc/hostname").write_text("another node\n")


def add(tree: Path) -> None:
    (tree / "etc/new").touch()


def take_away(tree: Path) -> None:
    (tree / "etc/hostname").unlink()


def open_to_all(tree: Path) -> None:
    (tree / "etc/hostname").chmod(0o666)


def close_folder(tree: Path) -> None:
    (tree / "etc").chmod(0o700)


def make_file_of_link(tree: Path) -> None:
    (tree / "link").unlink()
    (tree / "link").write_text("etc/hostname")


@pytest.mark.parametrize(
    "damage", [write_more, add, take_away, open_to_all, close_folder, make_file_of_link]
)
def test_a_layer_that_was_changed_is_refused_and_named(
    cache: Cache, damage: Callable[[Path], None]
) -> None:
    damage(a_layer(cache) / "tree")

    with pytest.raises(Refused) as refused:
        cache.get("base", "k1")

    assert "the cached layer `base-k1` is damaged" in refused.value.message
    assert "stackward lab cache clear" in (refused.value.hint or "")


@pytest.mark.parametrize("record", [None, "", "{}", "[]", "\0\0"])
def test_a_layer_without_a_readable_record_is_refused(cache: Cache, record: str | None) -> None:
    file = a_layer(cache) / "layer.json"
    file.unlink()
    if record is not None:
        file.write_text(record)

    with pytest.raises(Refused, match="damaged"):
        cache.get("base", "k1")


def test_following_the_hint_mends_it(cache: Cache) -> None:
    add(a_layer(cache) / "tree")

    cache.clear(except_for=())
    a_layer(cache)

    assert cache.get("base", "k1") is not None


def test_clearing_keeps_what_is_stood_on(cache: Cache) -> None:
    a_layer(cache)
    a_layer(cache, "cloud")

    removed = cache.clear(except_for={"base-k1"})

    assert removed == ["cloud-k1"]
    assert [folder.name for folder in cache.layers()] == ["base-k1"]


def test_clearing_takes_what_a_killed_build_left(cache: Cache) -> None:
    (cache.folder / "layers/.unfinished-base-k1/tree").mkdir(parents=True)

    cache.clear(except_for=())

    assert list(cache.folder.glob("layers/.unfinished*")) == []


def test_nothing_is_cleared_while_something_is_being_built(cache: Cache) -> None:
    a_layer(cache)

    with cache.locked("cloud"), cache.building("cloud", "k1"), pytest.raises(Locked) as refused:
        cache.clear(except_for=())

    assert refused.value.message == "the cache cannot be cleared: a layer is being built in it"
    assert [folder.name for folder in cache.layers()] == ["base-k1", "cloud-k1"]


def build_if_missing(folder: Path, pipe: int) -> None:
    cache = Cache(folder)
    with cache.locked("base"):
        if cache.get("base", "k1") is None:
            os.write(pipe, b"built\n")
            a_layer(cache)


def test_of_several_processes_one_builds_and_the_others_find_it(cache: Cache) -> None:
    reading, writing = os.pipe()
    spawn = multiprocessing.get_context("fork")
    builders = [
        spawn.Process(target=build_if_missing, args=(cache.folder, writing)) for _ in range(3)
    ]

    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join(30)
    os.close(writing)

    with os.fdopen(reading) as told:
        assert told.read() == "built\n"
    assert [builder.exitcode for builder in builders] == [0, 0, 0]
    assert cache.get("base", "k1") is not None


def test_the_order_of_the_folder_and_its_times_do_not_matter(tmp_path: Path) -> None:
    for name, order in (("one", "abc"), ("other", "cba")):
        (tmp_path / name).mkdir(mode=0o755)
        for letter in order:
            (tmp_path / name / letter).write_text(letter)
    os.utime(tmp_path / "other/a", (0, 0))

    assert digest(tmp_path / "one") == digest(tmp_path / "other")


def test_nothing_is_removed_that_is_not_there(tmp_path: Path) -> None:
    remove_tree(tmp_path / "none")


def test_a_tree_is_removed_with_what_its_owner_may_not_write(tmp_path: Path) -> None:
    (tmp_path / "tree/closed").mkdir(parents=True)
    (tmp_path / "tree/closed/file").touch()
    (tmp_path / "tree/closed/file").chmod(0)

    remove_tree(tmp_path / "tree")

    assert not (tmp_path / "tree").exists()


def test_links_in_a_tree_are_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").touch()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/link").symlink_to(tmp_path / "kept")

    remove_tree(tmp_path / "tree")

    assert (tmp_path / "kept/file").exists()


# --- keys ---

COMPUTE = declared().images["compute"]


def test_a_key_stays_as_long_as_nothing_changes() -> None:
    assert image_key(COMPUTE, "trixie") == image_key(replace(COMPUTE), "trixie")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((replace(COMPUTE, packages=(*COMPUTE.packages, "gdb")), "trixie"), id="more"),
        pytest.param((replace(COMPUTE, packages=COMPUTE.packages[1:]), "trixie"), id="fewer"),
        pytest.param((replace(COMPUTE, without=()), "trixie"), id="left out"),
        pytest.param((COMPUTE, "forky"), id="release"),
    ],
)
def test_an_image_of_other_packages_has_another_key(other: tuple[Image, str]) -> None:
    image, release = other

    assert image_key(image, release) != image_key(COMPUTE, "trixie")


def a_source(tmp_path: Path) -> Path:
    (tmp_path / "etc/all").mkdir(parents=True)
    (tmp_path / "etc/all/nova.conf").write_text("[DEFAULT]\n")
    (tmp_path / "bake.py").write_text("pass\n")
    return tmp_path


def change_template(top: Path) -> None:
    (top / "etc/all/nova.conf").write_text("[default]\n")


def move_template(top: Path) -> None:
    (top / "etc/all/nova.conf").rename(top / "etc/nova.conf")


def add_template(top: Path) -> None:
    (top / "etc/all/empty.conf").touch()


def change_code(top: Path) -> None:
    (top / "bake.py").write_text("pass  # \n")


@pytest.mark.parametrize("change", [change_template, move_template, add_template, change_code])
def test_a_changed_source_changes_the_key(tmp_path: Path, change: Callable[[Path], None]) -> None:
    top = a_source(tmp_path)
    before = sources_digest("etc", "bake.py", top=top)

    change(top)

    assert sources_digest("etc", "bake.py", top=top) != before


def test_what_python_leaves_behind_changes_no_key(tmp_path: Path) -> None:
    top = a_source(tmp_path)
    before = sources_digest("etc", "bake.py", top=top)

    (top / "etc/__pycache__").mkdir()
    (top / "etc/__pycache__/x.pyc").touch()

    assert sources_digest("etc", "bake.py", top=top) == before


def test_keys_do_not_run_together() -> None:
    assert key_of(["a", "b"], []) != key_of(["a"], ["b"])
