"""How the scenes of a day are run: timed, told, kept when one fails, and one repeated at most.

A scene whose tests fail is played again, once in a whole run and on a lab that was reset. Where all
pass then, the run says `flaky: SCENE`, with the place of what both plays have left.
"""

import os
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from lab.stage import SCENES, Scene
from real_lab import RealLab
from stackward.lab.cgroups import Cgroup

# What a node tells of itself when something has failed there.
LEFT = """
journalctl --boot --no-pager --lines 30000 > /run/journal.txt 2>/dev/null
tar -cz --ignore-failed-read --warning=none /run/journal.txt /var/log \
  $(find /var/lib/nova/instances -maxdepth 2 -name console.log 2>/dev/null)
"""
LEFT_S = 120


@dataclass
class Day:
    """The scenes of one run of pytest."""

    terminal: pytest.TerminalReporter
    lab: RealLab
    may_repeat: bool
    played: list[tuple[Scene, bool]] = field(default_factory=list)  # and whether all passed
    flaky: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def play(self, item: pytest.Item) -> bool | None:
        """Run all tests of the scene that `item` belongs to; None where it is of no scene."""
        module = _module(item)
        if (scene := SCENES.get(module)) is None:
            return None
        if any(each.module == module for each, _ in self.played):
            return True
        items = [each for each in item.session.items if _module(each) == module]
        after = _after(items[-1])
        self._say(f"\nscene {scene.name} (at most {scene.budget_s} s)")
        reports = self._once(items, after)
        if _failed(reports):
            places = [keep(self.lab, f"{scene.name}-1", reports)]
            self.notes.append(f"{scene.name} failed; all that it left is in {places[0]}")
            if self.may_repeat and not self.flaky:
                self._say(f"\n{scene.name} failed, and is played again on a lab that is reset")
                self.flaky.append(scene.name)
                self.lab.call("reset")
                reports = self._once(items, after)
                places.append(keep(self.lab, f"{scene.name}-2", reports))
                word = "failed again" if _failed(reports) else f"flaky: {scene.name}"
                self.notes.append(f"{word}: {places[0]} {places[1]}")
        self.played.append((scene, not _failed(reports)))
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        return True

    def _once(self, items: list[pytest.Item], after: pytest.Item | None) -> list[pytest.TestReport]:
        reports = []
        for place, each in enumerate(items):
            following = items[place + 1] if place + 1 < len(items) else after
            each.ihook.pytest_runtest_logstart(nodeid=each.nodeid, location=each.location)
            reports += runtestprotocol(each, nextitem=following, log=False)
        _say_once(reports)
        return reports

    def _say(self, words: str) -> None:
        self.terminal.write_line(words)

    def tell(self) -> None:
        """Tell how long each scene took, and what was kept."""
        if not self.played:
            return
        rows = [
            (
                each.name,
                f"{each.budget_s}",
                *(f"{part:.0f}" for part in _parts(each)),
                "" if is_well else "failed",
            )
            for each, is_well in self.played
        ]
        heads = ("scene", "budget", "setup", "body", "tests", "mending", "whole", "")
        widths = [max(len(row[n]) for row in [heads, *rows]) for n in range(len(heads))]
        self.terminal.section(f"scenes (s); load {os.getloadavg()[0]:.1f}")
        for row in [heads, *rows]:
            cells = zip(row, widths, strict=True)
            self.terminal.write_line("  ".join(cell.ljust(width) for cell, width in cells).rstrip())
        whole = sum(each.spent.whole for each, _ in self.played)
        self.terminal.write_line(f"all: {whole:.0f} of {sum(b.budget_s for b, _ in self.played)} s")
        for note in self.notes:
            self.terminal.write_line(note, red=True)


def _parts(scene: Scene) -> tuple[float, ...]:
    spent = scene.spent
    return spent.setup, spent.body, spent.tests, spent.mending, spent.whole


def _module(item: pytest.Item) -> str:
    return str(getattr(getattr(item, "module", None), "__name__", ""))


def _after(last: pytest.Item) -> pytest.Item | None:
    """Return the test that follows the last one of a scene."""
    every = last.session.items
    place = every.index(last) + 1
    return every[place] if place < len(every) else None


def _say_once(reports: Iterable[pytest.TestReport]) -> None:
    """Leave why a scene could not be played to the first test that met it."""
    said: set[str] = set()
    for report in reports:
        if report.failed and report.when == "setup":
            if report.longreprtext in said:
                report.longrepr = "the scene could not be played: the test above says why"
            else:
                said.add(report.longreprtext)


def _failed(reports: Iterable[pytest.TestReport]) -> bool:
    return any(report.failed for report in reports)


def keep(lab: RealLab, play: str, reports: Iterable[pytest.TestReport]) -> Path:
    """Keep what a play of a scene left: the journal, what nodes and guests tell, what failed."""
    stamp = time.strftime("%Y%m%dT%H%M%S")
    place = Path(tempfile.gettempdir()) / f"stackward-{lab.name}-{play}-{stamp}.tar.gz"
    with tarfile.open(place, "w:gz") as archive:
        told = "\n\n".join(
            f"{one.nodeid} {one.when}\n{one.longreprtext}\n{one.capstdout}{one.capstderr}"
            for one in reports
            if one.failed
        ).encode()
        _add(archive, "failed.txt", told)
        if not lab.folder.exists():
            return place
        if (day := lab.folder / "day").exists():
            archive.add(day, "day")
        for node in lab.spec.nodes:
            _add(archive, f"{node.name}.tar.gz", _left_on(lab, node.name))
            console = lab.spec.node_folder(node.name) / "console.log"
            if console.exists():
                archive.add(console, f"{node.name}.console.log")
    return place


def _left_on(lab: RealLab, node: str) -> bytes:
    """Return the logs of a node and the consoles of its guests; empty where it is off."""
    pid = Cgroup(lab.spec.folder, node).init_pid()
    if pid is None:
        return b""
    words = ["nsenter", f"--target={pid}", "--all", "sh", "-c", LEFT]
    try:
        return subprocess.run(words, capture_output=True, timeout=LEFT_S, check=False).stdout
    except subprocess.TimeoutExpired:
        return b""


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    head = tarfile.TarInfo(name)
    head.size, head.mtime = len(content), int(time.time())
    archive.addfile(head, BytesIO(content))
