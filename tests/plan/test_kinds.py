"""The kinds that a stored plan may hold: each is found, and nothing else is imported for it."""

from collections.abc import Iterator
from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import pytest

from stackward import checks, requests, steps
from stackward.kinds import KINDS
from stackward.plan import ByKind

ROOMS = [steps, checks, requests]

# What plans of this version and of those before it hold. A kind is never taken away from here: a
# plan in a database or in a file may hold it, and has to be shown and resumed.
STORED = {
    "steps": {
        "abort-migration",
        "await-compute",
        "boot-acceptance",
        "bring-up",
        "carry-out-run",
        "bring-up-server",
        "list-who-runs",
        "reboot-node",
        "attach-volume",
        "await-prompt",
        "detach-volume",
        "remove-attachment",
        "roll-back-detaching",
        "unreserve-volume",
        "start-again",
        "stop-for-reboot",
        "cold-migrate",
        "confirm-migration",
        "cordon",
        "evacuate",
        "fence-old-guests",
        "force-up",
        "power-on",
        "stop-for-records",
        "force-down",
        "force-complete",
        "keep-off",
        "kill-domain",
        "live-migrate",
        "power-off",
        "reboot-server",
        "remove-acceptance",
        "remove-attachments",
        "remove-allocations",
        "remove-binding",
        "remove-port",
        "remove-service",
        "remove-agent",
        "reset-state",
        "start-evacuated",
        "start-server",
        "stop-server",
        "tell-instance-ha",
        "try-keep-off",
        "uncordon",
    },
    "checks": {
        "all-run",
        "allocated-where-they-are",
        "bound-once",
        "guest-ended",
        "hold-nothing",
        "ports-gone",
        "attachments-gone",
        "services-gone",
        "agents-gone",
        "are-on",
        "evacuations-settled",
        "has-inventory",
        "in-service",
        "instance-ha-knows",
        "is-confirmed-off",
        "is-cordoned",
        "is-its-device",
        "is-kept-off",
        "is-powered-off",
        "is-up",
        "libvirt-answers",
        "log-is-readable",
        "network-agents-alive",
        "no-acceptance-server",
        "no-allocations",
        "no-arrivals",
        "no-domains",
        "no-instance-dirs",
        "no-servers-on",
        "no-sign-of-life",
        "node-is-well",
        "nothing-runs",
        "runs-chosen-kernel",
        "one-guest-each",
        "run-elsewhere",
        "runs-anew",
        "serves-rpc",
        "volumes-agree",
    },
    "requests": {
        "bring-back-servers",
        "chain",
        "change-boot-gate",
        "drain-compute-node",
        "evacuate-compute-node",
        "fence-compute-node",
        "reattach-volumes",
        "reboot-compute-node",
        "reboot-server",
        "recover-compute-node",
        "return-compute-node",
        "reconcile-cloud",
        "start-servers",
        "undo-run",
    },
}


def classes_of(room: ModuleType) -> Iterator[type[Any]]:
    """Return every class of the room that has a kind of its own, by looking at all its modules."""
    for module in iter_modules(room.__path__, f"{room.__name__}."):
        for _, each in getmembers(import_module(module.name), isclass):
            if each.__module__ == module.name and "kind" in vars(each):
                yield each


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)
def test_a_room_finds_all_that_is_in_it_and_nothing_else(room: ModuleType) -> None:
    assert dict(room.KINDS) == {each.kind: each for each in classes_of(room)}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)
def test_no_two_classes_of_a_room_have_one_kind(room: ModuleType) -> None:
    kinds = [each.kind for each in classes_of(room)]

    assert sorted(kinds) == sorted(set(kinds))


@pytest.mark.parametrize("what", STORED)
def test_what_older_versions_have_stored_is_known(what: str) -> None:
    """If this fails, plans of runs that go on can no longer be read: keep the kind."""
    assert STORED[what] <= set(getattr(KINDS, what))


def test_what_is_not_there_is_not_found() -> None:
    assert "reboot" not in steps.KINDS
    assert None not in steps.KINDS
    with pytest.raises(KeyError):
        steps.KINDS["reboot"]


def test_a_module_is_imported_when_one_of_its_kinds_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "a_room_of_two"
    room.mkdir()
    (room / "__init__.py").write_text("")
    (room / "quiet.py").write_text("class Quiet:\n    kind = 'quiet'\n")
    (room / "loud.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    kinds = ByKind("a_room_of_two", {"quiet": "quiet.Quiet", "loud": "loud.Loud"})

    assert kinds["quiet"].kind == "quiet"
    assert "loud" in kinds
    assert (list(kinds), len(kinds)) == (["quiet", "loud"], 2)
    with pytest.raises(RuntimeError, match="imported"):
        kinds["loud"]
