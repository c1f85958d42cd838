"""Scenarios of `stackward diagnose` on a real lab: what is broken, and what is to be named.

Each is a declared file, `soak/diagnose/scenarios/*.toml`:

    says       in one sentence
    faults     of `lab break`, each with its target; all are in force at once
    is_past    they are mended before anybody asks
    [expected]
    first      components, each with its node ("": whichever), one of which is the first cause;
               of several faults each has to be among the first three
    second     what else may be called more than possible
    never      components that are no cause
"""

import json
import tomllib
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.drains import Drains
from lab.logs import Reader
from real_lab import RealLab

SCENARIOS = tuple(sorted((Path(__file__).parent / "soak/diagnose/scenarios").glob("*.toml")))
MOST = 3


@dataclass(frozen=True, kw_only=True)
class Diagnosed:
    """What was told of a lab."""

    code: int
    causes: tuple[dict[str, Any], ...]
    told: dict[str, Any]

    @property
    def names(self) -> list[tuple[str, str]]:
        """Return the components of the causes, each with its node."""
        return [(one["component"], one["node"] or "") for one in self.causes]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One declared scenario."""

    name: str
    says: str
    faults: tuple[tuple[str, str], ...]
    is_past: bool
    first: tuple[tuple[str, str], ...]
    second: tuple[tuple[str, str], ...]
    never: frozenset[str]

    def has_first(self, seen: Diagnosed) -> bool:
        """Say whether the first cause is the right one."""
        return any(_is(one, self.first) for one in seen.names[:1])

    def has_all(self, seen: Diagnosed) -> bool:
        """Say whether each fault is among the first three causes."""
        top = seen.names[:MOST]
        found = {name for name, node in self.first if any(_is(one, ((name, node),)) for one in top)}
        return found == {name for name, _ in self.first}

    def wrong(self, seen: Diagnosed) -> list[str]:
        """Return what is named though it must not be, or is called more than possible."""
        sure = {
            one["component"]
            for one in seen.causes
            if one["certainty"] != "possible"
            and not _is((one["component"], one["node"] or ""), (*self.first, *self.second))
        }
        return sorted(sure | (self.never & {name for name, _ in seen.names}))


def _is(seen: tuple[str, str], expected: tuple[tuple[str, str], ...]) -> bool:
    return any(seen[0] == name and node in {"", seen[1]} for name, node in expected)


def read_scenario(path: Path) -> Scenario:
    """Read a declared scenario."""
    told = tomllib.loads(path.read_text("utf-8"))
    expected = told["expected"]
    return Scenario(
        name=path.stem,
        says=told["says"],
        faults=_pairs(told["faults"]),
        is_past=told.get("is_past", False),
        first=_pairs(expected["first"]),
        second=_pairs(expected.get("second", ())),
        never=frozenset(expected.get("never", ())),
    )


def _pairs(given: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401  # TOML
    return tuple((str(first), str(second)) for first, second in given)


def diagnosed(drains: Drains, *words: str) -> Diagnosed:
    """Ask what is broken, with a login that may read all logs."""
    ended = drains.call("diagnose", *words, "-f", "json", *Reader(drains).flags)
    assert ended.stdout, ended.stderr
    told = json.loads(ended.stdout)
    return Diagnosed(code=ended.returncode, causes=tuple(told["causes"]), told=told)


def played(lab: RealLab, drains: Drains, scenario: Scenario) -> Diagnosed:
    """Make the faults, ask, and mend them; what is past is mended before."""
    since = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    with ExitStack() as mending:
        for fault, target in scenario.faults:
            mending.callback(lab.run, "mend", fault, target)  # also one that was half made
            lab.run("break", fault, target)
        if scenario.is_past:
            mending.close()
        return diagnosed(drains, "--since", since)
