"""Make what a version of Stackward has stored: databases, plan files, and what was shown of them.

It is run with the code and the tests of that version, in a work tree of its commit:

    git worktree add --detach OLD COMMIT
    cp tests/stored/make.py OLD/tests/cli/test_make.py
    cd OLD && STORED=FOLDER PYTHONPATH=src python -m pytest tests/cli/test_make.py

FOLDER is then a folder beside this file, named after the journal's version. Nothing in it is
written by hand.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from builders import an_id
from cli import test_undo
from cli.test_undo import DRAIN, RETURN, Site
from stackward.adapters.store.listing import FILE, list_runs
from stackward.cli import main

site = test_undo.site  # the fixture


def drained(site: Site) -> None:
    """Empty the node."""
    site.drained()


def half_drained(site: Site) -> None:
    """Stop a drain when one of two servers has moved."""
    site.half_drained()


def left_under_way(site: Site) -> None:
    """Leave a drain at once, with its moves under way."""
    site.left_under_way()


def returned(site: Site) -> None:
    """Empty the node and bring it back; the servers stay where they are."""
    site.drained()
    site.well(*RETURN)


def brought_back(site: Site) -> None:
    """Empty the node, bring it back, and its servers with it."""
    site.drained()
    site.well(*RETURN, "--bring-back")


def undone(site: Site) -> None:
    """Empty the node and undo that."""
    site.undo(site.drained())


def failed(site: Site) -> None:
    """Drain, and fail to move a server."""
    site.cloud.nova.failures[an_id("db-01")] = "No valid host was found."
    site.run(*DRAIN, "--parallel", "1")


SCENES: dict[str, Callable[[Site], None]] = {
    scene.__name__.replace("_", "-"): scene
    for scene in (drained, half_drained, left_under_way, returned, brought_back, undone, failed)
}

# Each plan that is kept as a file: after which scene, and the command; `RUN` is the newest run.
PLANS: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "drain": (None, DRAIN[:-1]),
    "undo": ("drained", ("run", "undo", "RUN")),
}


def read(site: Site, *words: str) -> Any:  # noqa: ANN401  # JSON
    """Return the data that a command prints, as it is."""
    code = main([*words, "-f", "json"], open_world=site.open_world)
    out, said = site.capsys.readouterr()
    assert code == 0, said
    return json.loads(out)


def shown(site: Site) -> Iterator[tuple[str, Any]]:
    """Return what the commands that only read print of all runs, by the words of the command."""
    yield "run list", read(site, "run", "list")
    for run in list_runs(site.state_dir / FILE, 9):
        for words in (("run", "show", run.id), ("run", "show", run.id, "--events")):
            yield " ".join(words), read(site, *words)
        yield f"run audit {run.id}", read(site, "run", "audit", run.id)


def folder() -> Path:
    """Return where all is to be kept; it is made."""
    place = Path(os.environ["STORED"])
    place.mkdir(parents=True, exist_ok=True)
    return place


@pytest.mark.parametrize("name", SCENES)
def test_make_a_database(name: str, site: Site) -> None:
    """Keep the database of a scene as SQL, and what is shown of it."""
    SCENES[name](site)

    site.capsys.readouterr()
    told = json.dumps(dict(shown(site)), indent=1)
    (folder() / f"{name}.json").write_text(told + "\n")
    with closing(sqlite3.connect(site.state_dir / FILE)) as database:
        (folder() / f"{name}.sql").write_text("\n".join(database.iterdump()) + "\n")


@pytest.mark.parametrize("name", PLANS)
def test_make_a_plan(name: str, site: Site) -> None:
    """Keep a plan that waits in a file for its approval."""
    scene, words = PLANS[name]
    if scene:
        SCENES[scene](site)
        words = tuple(site.newest.id if word == "RUN" else word for word in words)

    code, _, said = site.run(*words, "--dry-run", "--plan-out", str(folder() / f"{name}.plan"))

    assert code == 0, said
