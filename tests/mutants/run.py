"""Apply each mutant to a copy of the source tree, and see which test fails by it: `make mutants`.

The working tree is only read. First the tests are run without any mutant: they must pass.
A mutant is caught by a test that fails. A test that cannot be collected, a broken import, a run
without an end and a run without tests do not count: they would hide that nobody looks.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from xml.etree import ElementTree as ET

from mutants.table import ROOT, Mutant, all_mutants, misfits

AT_ONCE = 2
LIMIT_S = 300.0  # of one mutant: its tests take seconds, and many times as long on a busy machine
WHOLE_LIMIT_S = 900.0  # of all chosen tests without a mutant
NOT_COPIED = (".*", "__pycache__", "site", "dist", "bench", "*.pyc")
PASSED = "its tests pass"
FAILED = 1  # the code by which pytest says that tests have failed
# By these a mutant has broken the code as a whole: no test has seen what it does.
BROKEN_CODE = ("ImportError", "ModuleNotFoundError", "SyntaxError", "NameError")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run of tests."""

    caught_by: str | None  # the test that failed
    why: str  # where none has, as it must
    took_s: float
    out: str = ""


def main() -> int:
    """Run all mutants, or those whose names have one of the words given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only mutants whose name has one of these words")
    words = parser.parse_args().words
    began, mutants = time.monotonic(), all_mutants()
    if wrong := list(misfits(mutants)):
        print("\n".join(wrong))
        return 1
    chosen = [one for one in mutants if not words or any(word in one.name for word in words)]
    with _copies() as copies:
        if not _passes_without(chosen, copies):
            return 1
        left = _run_all(chosen, copies)
    took_s, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = used.ru_utime + used.ru_stime
    caught = len(chosen) - len(left)
    print(
        f"{caught} of {len(chosen)} mutants were caught, in {took_s:.0f} s ({cpu_s:.0f} s of CPU)"
    )
    for each in left:
        print(f"  not caught properly: {each.name} ({each.file}): {each.so}")
    return 1 if left or not chosen else 0


def _passes_without(mutants: Sequence[Mutant], copies: "SimpleQueue[Path]") -> bool:
    """Say whether all tests that are chosen pass without a mutant; each is run once."""
    tests = sorted({each for one in mutants for each in one.tests})
    parts = [part for at in range(AT_ONCE) if (part := tests[at::AT_ONCE])]

    def run(part: Sequence[str]) -> Outcome:
        copy = copies.get()
        try:
            return _tested(copy, part, WHOLE_LIMIT_S)
        finally:
            copies.put(copy)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        outcomes = list(threads.map(run, parts))
    for each in outcomes:
        if each.why != PASSED:
            print(f"without a mutant: {each.caught_by or each.why}\n{each.out}")
    print(f"without a mutant: {max(each.took_s for each in outcomes):.1f} s")
    return all(each.why == PASSED for each in outcomes)


def _run_all(mutants: Sequence[Mutant], copies: "SimpleQueue[Path]") -> list[Mutant]:
    """Run each; return those that no test has caught."""
    left = []
    with ThreadPoolExecutor(AT_ONCE) as threads:
        runs = [(one, threads.submit(_run, one, copies)) for one in mutants]
        for one, run in runs:
            ended = run.result()
            if ended.caught_by is None:
                left.append(one)
            said = f"caught by {ended.caught_by}" if ended.caught_by else f"NOT CAUGHT: {ended.why}"
            print(f"{one.name}: {said} ({ended.took_s:.1f} s)", flush=True)
            if ended.caught_by is None and ended.why != PASSED:
                print(ended.out)
    return left


def _run(mutant: Mutant, copies: "SimpleQueue[Path]") -> Outcome:
    copy = copies.get()
    place = mutant.place(copy)
    original = place.read_text("utf-8")
    try:
        place.write_text(mutant.applied(original), "utf-8")
        _forget_compiled(place)
        return _tested(copy, mutant.tests, LIMIT_S)
    finally:
        place.write_text(original, "utf-8")
        _forget_compiled(place)
        copies.put(copy)


def _tested(copy: Path, tests: Sequence[str], limit_s: float) -> Outcome:
    """Run tests in a copy, up to the first that fails."""
    report, began = copy / "report.xml", time.monotonic()
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += ["-o", "junit_family=xunit1", f"--junitxml={report}", *tests]
    # For what the tests start, too: else that would be of the working tree.
    known = {"PYTHONPATH": f"{copy / 'src'}{os.pathsep}{copy / 'tests'}"}
    started = subprocess.Popen(
        command,
        cwd=copy,
        env={**os.environ, **known},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        out, _ = started.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(started.pid, 9)
        out, _ = started.communicate()
        return Outcome(None, f"no end within {limit_s:.0f} s", time.monotonic() - began, out)
    took_s = time.monotonic() - began
    if started.returncode == 0:
        return Outcome(None, PASSED, took_s, out)
    if started.returncode != FAILED or not report.exists():
        return Outcome(None, f"pytest ended with {started.returncode}", took_s, out)
    test, why = who_failed(report)
    return Outcome(test, why, took_s, out)


def who_failed(report: Path) -> tuple[str | None, str]:
    """Return the test that failed; or why what went wrong is no failure of a test."""
    for case in ET.parse(report).iter("testcase"):  # noqa: S314  # pytest has just written it
        name = f"{case.get('file')}::{case.get('name')}"
        if (failure := case.find("failure")) is not None:
            says = failure.get("message") or ""
            is_broken = says.startswith(BROKEN_CODE)
            return (None, f"{name}: {says}") if is_broken else (name, "")
        if (error := case.find("error")) is not None:
            return None, f"{name}: {error.get('message')}"
    return None, "pytest names no test that failed"


def _forget_compiled(place: Path) -> None:
    """Remove what Python has compiled of a file: within a second it might take it for the new."""
    for each in place.parent.glob(f"__pycache__/{place.stem}.*"):
        each.unlink()


@contextmanager
def _copies() -> Iterator["SimpleQueue[Path]"]:
    """Give copies of the source tree, one for each run that goes on at once."""
    with tempfile.TemporaryDirectory(prefix="stackward-mutants-") as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(AT_ONCE):
            copy = Path(folder) / str(number)
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED), symlinks=True)
            copies.put(copy)
        yield copies


if __name__ == "__main__":
    sys.exit(main())
