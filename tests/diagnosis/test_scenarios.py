"""Failures as logs have them, one declared file each: what is broken, and what is to be found.

`scenarios/*.toml` have the logs of all nodes, the time when it began, and in `[expected]`:

    component, node, module, function, exception   of the first cause
    signature                                      by which that is known
    among, among_components                        one of these is the first cause's
    second                                         modules that are among the first three
    never, never_modules                           what is named nowhere
    never_first                                    components that are not the first cause
    certainty; most                                how sure it is; how sure it may be at most
    causes                                         how many there are
    aside                                          components that followed, or were ruled out
    events                                         how many were looked at
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from stackward.cli import main

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.toml"))
SURENESS = ("possible", "likely", "certain")


def lay_out(scenario: Path, folder: Path) -> dict[str, Any]:
    """Write the logs of a scenario; return what is declared of it."""
    declared = tomllib.loads(scenario.read_text("utf-8"))
    for log in declared["log"]:
        file = folder / log["node"] / log["file"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(log["text"], "utf-8")
    return declared


def found_in(
    scenario: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    declared = lay_out(scenario, folder)
    main(["diagnose", "--from", str(folder), "--since", declared["since"], "-f", "json"])
    return json.loads(capsys.readouterr().out), declared["expected"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.stem)
def test_the_broken_component_is_found(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, expected = found_in(scenario, tmp_path, capsys)
    causes = found["causes"]
    first = causes[0] if causes else {}

    of_first = ("component", "node", "module", "function", "exception", "certainty", "signature")
    for name in of_first:
        if name in expected:
            assert first[name] == expected[name], first
    if "among" in expected:
        assert first["module"] in expected["among"]
    if "among_components" in expected:
        assert first["component"] in expected["among_components"]
    assert set(expected.get("second", ())) <= {one["module"] for one in causes[:3]}
    assert not set(expected.get("never", ())) & {one["component"] for one in causes}
    assert not set(expected.get("never_modules", ())) & {one["module"] for one in causes}
    assert first.get("component") not in expected.get("never_first", ())
    most = SURENESS.index(expected.get("most", "certain"))
    assert all(SURENESS.index(one["certainty"]) <= most for one in causes)
    assert found["looked"]["events"] == expected.get("events", found["looked"]["events"])
    asides = [*found["consequences"], *found["ruled_out"]]
    assert set(expected.get("aside", ())) <= {one["component"] for one in asides}
    assert len(causes) == expected.get("causes", len(causes))
