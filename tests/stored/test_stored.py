"""What earlier versions have stored is shown, carried on, undone and applied by this one.

Each folder here is of one version of the journal; `make.py` says how it was made. The world around
a stored run is the one in which the same scene ends today, with the ids of the stored runs.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders import an_id
from cli.test_undo import AWAY, HOME, NODE, Site
from stackward.adapters.store.listing import FILE, list_runs
from stackward.model.run import Run, RunState
from stored import make
from texts import folded

NAMES = {f"move/{an_id(name)}": f"`{name}`" for name in ("db-01", "db-02")}
HERE = Path(__file__).parent
VERSIONS = sorted(HERE.glob("journal-*"))
site = make.site  # the fixture

pytestmark = pytest.mark.parametrize("version", VERSIONS, ids=[one.name for one in VERSIONS])


def load(site: Site, stored: Path) -> None:
    """Have a stored database as the journal of a site, in place of its own."""
    for file in site.state_dir.glob(f"{FILE}*"):
        file.unlink()
    with closing(sqlite3.connect(site.state_dir / FILE)) as database:
        database.executescript(stored.read_text())


def goes_on(site: Site, version: Path, scene: str) -> Run:
    """Return the newest stored run of a scene, in the world that it has left."""
    make.SCENES[scene](site)
    # A return with its homecoming is a chain today; both are runs, as they were.
    lived = [run.id for run in list_runs(site.state_dir / FILE, 9) if not run.is_chain]
    load(site, version / f"{scene}.sql")
    ids = dict(zip(lived, runs_of(site), strict=True))
    for name, service in site.cloud.nova.computes.items():
        reason = service.disabled_reason
        for new, old in ids.items():
            reason = reason and reason.replace(new, old)
        site.cloud.nova.computes[name] = replace(service, disabled_reason=reason)
    return site.newest


def runs_of(site: Site) -> list[str]:
    return [run.id for run in list_runs(site.state_dir / FILE, 9)]


def lacks(new: Any, old: Any, at: str = "") -> list[str]:  # noqa: ANN401  # JSON
    """Name each value of old data that new data has not, or has otherwise; more may be there."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            each
            for key, value in old.items()
            for each in (
                lacks(new[key], value, f"{at}.{key}") if key in new else [f"{at}.{key}: gone"]
            )
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            each
            for number, (one, other) in enumerate(zip(new, old, strict=True))
            for each in lacks(one, other, f"{at}[{number}]")
        ]
    is_same = new == old or (isinstance(old, str) and new in {*_said_since(old)})
    return [] if is_same else [f"{at}: {new!r}, was {old!r}"]


def _said_since(old: str) -> Iterator[str]:
    """Return what is said today where an earlier version said `old`: the same, in other words."""
    yield old.replace("+00:00", "Z")
    about, _, rest = old.partition(": ")
    yield f"{NAMES.get(about, f'`{about}`')}: {rest}"


@pytest.mark.parametrize("scene", make.SCENES)
def test_what_was_shown_of_a_run_is_shown_still(version: Path, scene: str, site: Site) -> None:
    told = json.loads((version / f"{scene}.json").read_text())
    load(site, version / f"{scene}.sql")

    missing = {words: lacks(make.read(site, *words.split()), was) for words, was in told.items()}

    assert {words: each for words, each in missing.items() if each} == {}


VIEWS = [
    ("run", "show", "-c", "What"),
    ("run", "show", "--events", "-c", "About"),
    ("run", "audit", "-c", "What"),
    ("run", "watch"),
]


@pytest.mark.parametrize("view", VIEWS, ids=" ".join)
@pytest.mark.parametrize("scene", make.SCENES)
def test_the_steps_of_a_stored_run_are_called_by_the_names_of_servers(
    version: Path, scene: str, view: tuple[str, ...], site: Site
) -> None:
    load(site, version / f"{scene}.sql")

    told = [site.run(*view[:2], run, *view[2:])[1] for run in runs_of(site)]

    assert any("db-01" in each for each in told), told
    assert not [each for each in told if re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", each)]


@pytest.mark.parametrize("scene", make.SCENES)
def test_a_stored_database_is_in_order(version: Path, scene: str, site: Site) -> None:
    load(site, version / f"{scene}.sql")

    code, out, said = site.run("run", "check")

    assert (code, "all in order" in said) == (0, True), out


@pytest.mark.parametrize("scene", ["half-drained", "left-under-way", "failed"])
def test_a_stored_run_that_stopped_is_carried_on(version: Path, scene: str, site: Site) -> None:
    run = goes_on(site, version, scene)
    site.cloud.nova.failures.clear()

    code, _, said = site.run("run", "resume", run.id)

    assert (code, site.hosts) == (0, AWAY), said
    assert site.newest.state is RunState.SUCCEEDED


@pytest.mark.parametrize(
    ("scene", "ends"),
    [
        ("drained", (HOME, True)),
        ("half-drained", (HOME, True)),
        ("returned", (AWAY, False)),
        ("brought-back", (AWAY, True)),
    ],
)
def test_a_stored_run_is_undone(
    version: Path, scene: str, ends: tuple[dict[str, str], bool], site: Site
) -> None:
    run = goes_on(site, version, scene)

    code, _, said = site.undo(run)

    assert (code, (site.hosts, site.is_in_service)) == (0, ends), said


def test_a_stored_undo_is_not_undone_in_turn(version: Path, site: Site) -> None:
    run = goes_on(site, version, "undone")

    code, out, said = site.undo(run)

    assert (code, site.hosts) == (3, HOME)
    assert "is itself an undo" in folded(out + said)


def test_a_node_that_a_stored_run_drained_is_returned(version: Path, site: Site) -> None:
    run = goes_on(site, version, "drained")

    code, _, said = site.run("node", "return", NODE, "--run", run.id, "--bring-back", "--yes")

    assert (code, site.hosts, site.is_in_service) == (0, HOME, True), said


def test_a_stored_plan_of_a_drain_is_applied(version: Path, site: Site) -> None:
    code, _, said = site.run("run", "apply", str(version / "drain.plan"), "--yes")

    assert (code, site.hosts) == (0, AWAY), said


def test_a_stored_plan_of_an_undo_is_applied(version: Path, site: Site) -> None:
    plan = json.loads((version / "undo.plan").read_text())
    made = [*plan["request"].values()]
    stored = goes_on(site, version, "drained")
    of_then = next(value for value in made if isinstance(value, str) and value.startswith("01"))
    file = site.state_dir / "undo.plan"
    file.write_text((version / "undo.plan").read_text().replace(of_then, stored.id))

    code, _, said = site.run("run", "apply", str(file), "--yes")

    assert (code, site.hosts, site.is_in_service) == (0, HOME, True), said


def test_a_plan_of_an_operation_that_this_version_lacks_is_refused(
    version: Path, site: Site
) -> None:
    file = site.state_dir / "later.plan"
    text = (version / "drain.plan").read_text()
    file.write_text(text.replace('"drain-compute-node"', '"evacuate-compute-node"'))

    code, _, said = site.run("run", "apply", str(file), "--yes")

    assert (code, site.hosts) == (2, HOME), said
    assert "evacuate-compute-node" in said
