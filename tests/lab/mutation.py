"""Make the parts of a lab ill, one at a time, and write down what the check says of each.

    cd tests && ../.venv/bin/python -B -m lab.mutation LAB [--fault frozen] [--node ctl]

Each mutant has a look of its own and is mended after it. The record is one JSON object a line; a
newer run of the same mutant replaces its line. `--missing` goes on with a record that is not
whole; `--old` also tries again what was seen by code that has changed since.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from lab.mutants import (
    Fault,
    Mutant,
    Running,
    Setting,
    Word,
    is_touched,
    mutants_of,
    running,
    show,
    stores,
    units_of,
)
from real_lab import STACKWARD, RealLab, until
from stackward.anatomy import read_anatomy
from stackward.health.presence import STARTING_S
from stackward.lab.client import environment
from stackward.lab.machine import Machine

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "docs" / "reference" / "faults-seen.jsonl"
BESIDE = "beside it: "
CHECK = ("cloud", "check")
LOOK_S, WELL_S, MAKE_S = 120, 300, 180
TOGETHER = 4  # so many restarted units grow as old as that side by side
BUSY = 2.5  # processes that would run, for each CPU: then answers come late
QUIET_S, LOOKS = 90, 4  # so long it is waited for, and so many looks are had
ILL = {"broken", "degraded", "unknown"}  # where a finding says so


@dataclass
class Ward:
    """A lab whose parts are made ill, and what was there before."""

    lab: RealLab
    more: tuple[str, ...] = ()  # words for the look: a busy machine needs a longer time
    is_patient: bool = False  # what a busy machine has spoilt is looked at again
    before: dict[str, set[str]] = field(default_factory=dict)
    running: list[Running] = field(default_factory=list)
    spent: dict[str, float] = field(default_factory=dict)  # seconds, by what they were spent on

    @contextmanager
    def spending(self, on: str) -> Iterator[None]:
        """Add the time that this takes to what was spent on such things."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.spent[on] = self.spent.get(on, 0.0) + time.monotonic() - began

    def on(self, node: str, script: str, *, within_s: float = MAKE_S) -> str:
        """Run a script on a node as root, not by way of its sshd: that may be the one that is ill.

        Raises CalledProcessError or TimeoutExpired.
        """
        machine = Machine(self.lab.spec, self.lab.spec.node(node))
        words = ["nsenter", f"--target={machine.cgroup.init_pid()}", "--all", "sh", "-s"]
        ended = subprocess.run(
            words, input=script, capture_output=True, text=True, timeout=within_s, check=True
        )
        return ended.stdout

    def read_units(self) -> None:
        """Read what runs on the nodes; what starts on demand is started first."""
        named = sorted(units_of(read_anatomy()))
        self.running = [
            each
            for node in self.lab.spec.nodes
            for each in running(node.name, self.on(node.name, show(named)))
        ]
        for each in self.running:
            if each.sockets and each.unit in named:
                self.on(each.node, f"systemctl start {each.unit}")
        for node in self.lab.spec.nodes:
            self.before[node.name] = self.active(node.name)

    def active(self, node: str) -> set[str]:
        """Return all services and sockets that are active on a node."""
        listed = self.on(
            node,
            "systemctl list-units --type=service,socket --state=active --plain --no-legend"
            " | cut -d' ' -f1",
        )
        return set(listed.split())

    def mutants(self) -> list[Mutant]:
        """Return the whole table for this lab."""
        self.read_units()
        anatomy = read_anatomy()
        return [
            *(mutant for unit in self.running for mutant in mutants_of(unit, anatomy)),
            *stores(self.lab.spec.control.name),
        ]

    # --- one of them ---

    def look(self) -> tuple[int, dict[str, Any]]:
        """Look once, as an operator does."""
        ended = subprocess.run(
            [STACKWARD, *CHECK, *self.more, "-f", "json"],
            env={**os.environ, **environment(self.lab.spec)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LOOK_S,
            check=False,
        )
        assert ended.stdout, ended.stderr
        return ended.returncode, json.loads(ended.stdout)

    def look_at(self, mutant: Mutant, settling: Mutant | None) -> tuple[dict[str, Any], "Seen"]:
        """Look at a mutant; what a busy machine spoils is no look.

        Raises AssertionError where the machine stays busy, and spoils each of them.
        """
        for _ in range(LOOKS if self.is_patient else 1):
            with self.spending("look"):
                code, told = self.look()
            seen = judged(mutant, code, told, settling)
            if not (self.is_patient and seen.unexpected and is_busy()):
                return told, seen
            say(f"{mutant.name}: a busy machine spoilt the look: {'; '.join(seen.unexpected)}")
            with self.spending("quiet"), suppress(AssertionError):
                until(lambda: not is_busy(), within_s=QUIET_S)
        msg = "the machine stays busy"
        raise AssertionError(msg)

    def is_well(self) -> bool:
        """Say whether a look has no finding; what a busy machine did not answer in time is none."""
        with self.spending("well"):
            told = self.look()[1]["components"]
        ill = [f"{one['component']}: {one['reason']}" for each in told for one in each["findings"]]
        if ill:
            say(f"not well yet: {'; '.join(ill)}")
        return not ill

    def will_start(self, mutant: Mutant) -> bool:
        """Say whether a unit that was disabled starts at boot all the same: others want it."""
        asked = f"systemctl show -P WantedBy -P RequiredBy {mutant.unit}"
        return bool(self.on(mutant.node, asked).strip())

    @contextmanager
    def made(self, mutant: Mutant) -> Iterator[None]:
        """Have a mutant for as long as this lasts, whatever happens meanwhile."""
        try:
            with self.spending("make"):
                self.on(mutant.node, "set -e\n" + mutant.make)
            yield
        finally:
            with self.spending("mend"):
                self.mend(mutant)

    def mend(self, mutant: Mutant) -> None:
        """Undo a mutant, and start all that its making has stopped."""
        if mutant.mend:
            self.on(mutant.node, mutant.mend)
        self.revive(mutant.node)

    def revive(self, node: str) -> None:
        """Start what was active on a node before and is not now; sockets before their services."""
        lost = sorted(self.before[node] - self.active(node), key=lambda name: ".service" in name)
        if lost:
            # A socket cannot be listened on while its service runs.
            held = {each.unit for each in self.running
                    if each.node == node and set(each.sockets) & set(lost)}  # fmt: skip
            if held:
                self.on(node, f"systemctl stop {' '.join(held)} 2>&1")
                lost = [*lost, *sorted(held - set(lost))]
            names = " ".join(lost)
            self.on(node, f"systemctl reset-failed {names} 2>/dev/null\nsystemctl start {names}")

    def settle(self, mutant: Mutant) -> None:
        """Wait until a process that was restarted has had the time that the check gives it."""
        if mutant.fault is not Fault.RESTARTED:
            return
        with self.spending("age"):
            until(lambda: self.lab.active_for(mutant.node, mutant.unit) > STARTING_S, within_s=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look said of a mutant."""

    code: int
    word: str
    is_found: bool
    first: str
    says: tuple[str, ...]
    rules: tuple[str, ...]
    shown_by: str
    unexpected: tuple[str, ...]


def judged(mutant: Mutant, code: int, told: dict[str, Any], settling: Mutant | None = None) -> Seen:
    """Hold a look against what was expected of it; what is `settling` is left out of it."""
    left = {(settling.component, settling.node)} if settling else set()
    shown = [
        finding
        for component in told["components"]
        for finding in component["findings"]
        if finding["under"] is None and (finding["component"], finding["node"]) not in left
    ]
    first = shown[0]["component"] if shown else ""
    may_be_first = set(mutant.first) or {mutant.component}
    called = {one["name"]: one for one in told["components"]}
    one = called.get(first if first in may_be_first else mutant.component)
    word = one["state"] if one else "not listed"
    is_found = bool(shown) and word in ILL and first in may_be_first
    as_expected = {
        Word.FOUND: is_found,
        Word.NOT_PROVED: word == Word.NOT_PROVED,
        Word.OK: word == Word.OK,
    }[mutant.expected]
    wrong = [] if as_expected else [f"it is called {word}" + (f", after {first}" if first else "")]
    wrong += _beside(mutant, may_be_first, shown)
    if (mutant.expected is Word.FOUND) != (code in {6, 7}):
        wrong.append(f"exit code {code}")
    notes = [note["says"] for note in told["notes"] if note["where"] == mutant.node]
    if mutant.fault is Fault.RESTARTED and not any(mutant.unit in says for says in notes):
        wrong.append("no note tells that it was restarted")
    return Seen(
        code=code,
        word=word,
        is_found=is_found,
        first=first,
        says=tuple(finding["reason"] for finding in shown)[:4],
        rules=tuple(sorted({finding["rule"] for finding in shown})),
        shown_by=one["shown_by"] if one else "",
        unexpected=tuple(wrong),
    )


def _beside(mutant: Mutant, may_be_first: set[str], shown: list[dict[str, Any]]) -> list[str]:
    """Return what is said beside the mutant: each with what it is."""
    own = may_be_first if mutant.expected is Word.FOUND else set()
    return [
        f"{BESIDE}{one['component']} [{one['rule']}] on {one['node']}: {one['reason']}"
        for one in shown
        if one["component"] not in own
        or one["node"] not in {mutant.node, None}
        or (mutant.fault is Fault.DISABLED and one["rule"] != "not-at-boot")
    ]


def try_one(
    ward: Ward, mutant: Mutant, setting: Setting, settling: Mutant | None = None
) -> dict[str, Any]:
    """Make a mutant, look once, mend it, and return the line of the record.

    What was mended just before, and may not have settled, is no part of it.
    """
    with ward.made(mutant):
        return see(ward, mutant, setting, settling)


def see(
    ward: Ward, mutant: Mutant, setting: Setting, settling: Mutant | None = None
) -> dict[str, Any]:
    """Look once at a mutant that is made, and return the line of the record."""
    ward.settle(mutant)
    if mutant.fault is Fault.DISABLED and ward.will_start(mutant):
        mutant = replaced_by_others_wish(mutant)
    told, seen = ward.look_at(mutant, settling)
    return {
        "setting": setting.value,
        "node": mutant.node,
        "component": mutant.component,
        "unit": mutant.unit,
        "fault": mutant.fault.value,
        "expected": mutant.expected.value,
        "why": mutant.why,
        "word": seen.word,
        "found": seen.is_found,
        "first": seen.first,
        "rules": seen.rules,
        "says": seen.says,
        "shown_by": seen.shown_by,
        "code": seen.code,
        "seconds": round(told["took_s"], 1),
        "look": " ".join(["stackward", *CHECK, *ward.more]),
        "unexpected": seen.unexpected,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit(),
    }


def replaced_by_others_wish(mutant: Mutant) -> Mutant:
    """Return what is expected of a disabled unit that others start: nothing is amiss."""
    return replace(
        mutant, expected=Word.OK, why="units that start at boot want it, so it starts all the same"
    )


def is_busy() -> bool:
    """Say whether this machine, which a lab is part of, has had more to do than it can."""
    return os.getloadavg()[0] > BUSY * (os.cpu_count() or 1)


def commit() -> str:
    """Return which code this is; a sign tells that it has changes of its own."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@cache
def is_old(seen_by: str) -> bool:
    """Say whether the product has changed since that commit, or is not known to be the same."""
    words = ["git", "-C", str(ROOT), "diff", "--quiet", seen_by, "--", "src"]
    return subprocess.run(words, capture_output=True, check=False).returncode != 0


# --- settings -----------------------------------------------------------------------------------

SUDOERS, ASIDE = "/etc/sudoers.d/stackward", "/root/stackward.sudoers"
SERVICES = "nova-* cinder-* neutron-*"
TURN_PINGS = (
    "sed -i 's/^rpc_ping_enabled = .*/rpc_ping_enabled = {value}/'"
    " $(grep -ls ^rpc_ping_enabled /etc/nova/nova.conf /etc/cinder/cinder.conf"
    " /etc/neutron/neutron.conf)\n"
    f"systemctl try-restart $(systemctl list-units --plain --no-legend --state=active {SERVICES}"
    " | cut -d' ' -f1 | grep service$)"
)


@contextmanager
def being_set(ward: Ward, setting: Setting) -> Iterator[None]:
    """Have the lab set so for as long as this lasts."""
    there, back = {
        Setting.AS_IT_IS: ("true", "true"),
        Setting.NO_PINGS: (TURN_PINGS.format(value="false"), TURN_PINGS.format(value="true")),
        Setting.NO_SUDO: (
            f"[ ! -e {SUDOERS} ] || mv {SUDOERS} {ASIDE}",
            f"[ ! -e {ASIDE} ] || mv {ASIDE} {SUDOERS}",
        ),
    }[setting]
    try:
        for node in ward.lab.spec.nodes:
            ward.on(node.name, there)
        yield
    finally:
        for node in ward.lab.spec.nodes:
            ward.on(node.name, back)


# --- the record ---------------------------------------------------------------------------------


def key(row: dict[str, Any]) -> tuple[str, ...]:
    """Return what tells a line of the record from all others."""
    return tuple(row[name] for name in ("setting", "node", "component", "unit", "fault"))


def is_missed(row: dict[str, Any]) -> bool:
    """Say whether what is there to be found was answered with less than that."""
    return bool(row["expected"] == Word.FOUND and not row["found"])


def read_record(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a record."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def write_record(path: Path, head: dict[str, Any], rows: Iterable[dict[str, Any]]) -> None:
    """Write a record anew: what it is of, then its lines in order."""
    lines = [head, *sorted(rows, key=key)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def note_down(path: Path, ward: Ward, row: dict[str, Any]) -> None:
    """Put a line into a record, in the place of an older one of the same mutant."""
    rows = {key(one): one for one in read_record(path)[1:]}
    rows[key(row)] = row
    head = {
        "lab": f"{ward.lab.spec.profile}, {len(ward.lab.spec.nodes)} nodes",
        "running": [asdict(each) for each in ward.running],
    }
    write_record(path, head, rows.values())


# --- a run --------------------------------------------------------------------------------------


def wait_until_well(ward: Ward) -> None:
    """Wait until the lab is well again; where it stays ill, what ran before is started anew."""
    try:
        until(ward.is_well, within_s=WELL_S)
    except AssertionError:
        say("the lab stays ill; all that ran is started anew")
        for node in ward.lab.spec.nodes:
            named = set(units_of(read_anatomy())) & ward.before[node.name]
            services = " ".join(name for name in named if name.endswith(".service"))
            ward.on(node.name, f"systemctl restart {services}", within_s=300)
        until(ward.is_well, within_s=WELL_S)


def say(words: str) -> None:
    """Tell how far a run is."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def in_turn(mutants: Iterable[Mutant]) -> list[Mutant]:
    """Return mutants by their fault, and so that no two of one component follow each other.

    A process that was just started is judged less sharply.
    """
    places: dict[tuple[Fault, str], int] = {}
    order = []
    for mutant in mutants:
        place = places[mutant.fault, mutant.node] = places.get((mutant.fault, mutant.node), 0) + 1
        order.append((list(Fault).index(mutant.fault), place, mutant.node, mutant))
    return [mutant for *_, mutant in sorted(order, key=lambda one: one[:3])]


def run(
    ward: Ward, wanted: Callable[[Mutant], bool], setting: Setting, path: Path
) -> list[dict[str, Any]]:
    """Go through the mutants, and write each down as soon as it was seen."""
    rows: list[dict[str, Any]] = []
    mutants = in_turn(
        mutant for mutant in ward.mutants() if wanted(mutant) and is_touched(mutant, setting)
    )
    with being_set(ward, setting):
        before = None
        for some in side_by_side(mutants):
            began = time.monotonic()
            ward.spent.clear()
            for mutant, row in try_some(ward, some, setting, before):
                before = mutant if row else None
                if row is None:
                    continue
                note_down(path, ward, row)
                rows.append(row)
                spent = ", ".join(f"{on} {took:.1f}" for on, took in ward.spent.items())
                say(
                    f"[{len(rows)}/{len(mutants)}, {time.monotonic() - began:.0f} s: {spent}]"
                    f" {mutant.name}: {row['word']}, {row['first']} {row['rules']}"
                    f" {row['unexpected'] or ''}"
                )
        wait_until_well(ward)
    return rows


def side_by_side(mutants: Iterable[Mutant]) -> Iterator[list[Mutant]]:
    """Yield one mutant after another; what systemd restarts, some together.

    Those are well when they are looked at, and only their age is waited for.
    """
    together: list[Mutant] = []
    for mutant in mutants:
        others = {one.component for one in together}
        if together and (
            mutant.fault is not Fault.RESTARTED
            or mutant.component in others
            or len(together) == TOGETHER
        ):
            yield together
            together = []
        if mutant.fault is Fault.RESTARTED:
            together.append(mutant)
        else:
            yield [mutant]
    if together:
        yield together


def try_some(
    ward: Ward, some: list[Mutant], setting: Setting, before: Mutant | None
) -> Iterator[tuple[Mutant, dict[str, Any] | None]]:
    """Make some mutants, look once for each, and mend them; what was not as expected goes alone."""
    if len(some) == 1:
        yield some[0], try_after(ward, some[0], setting, before)
        return
    seen: list[tuple[Mutant, dict[str, Any] | None]] = []
    wait_until_well(ward)
    try:
        with ExitStack() as made:
            for mutant in some:
                made.enter_context(ward.made(mutant))
            seen += [(mutant, see(ward, mutant, setting)) for mutant in some]
    except (AssertionError, subprocess.SubprocessError) as error:
        say(f"they could not be tried together: {error} {getattr(error, 'stderr', '')}")
        seen = [(mutant, None) for mutant in some]
    for mutant, row in seen:
        is_so = row is not None and not row["unexpected"]
        yield mutant, row if is_so else try_after(ward, mutant, setting, None)


def try_after(
    ward: Ward,
    mutant: Mutant,
    setting: Setting,
    before: Mutant | None,
    wait: Callable[[Ward], None] | None = None,
) -> dict[str, Any] | None:
    """Try a mutant after another one.

    The one before may still settle: what is told of its component is no part of this one. Where
    there is only something else beside this one, or the two are of one component, the lab is first
    proved well by a look of its own. What is missed, or called by a wrong word, is missed.
    """
    if before is not None and mutant.component != before.component:
        row = try_to_make(ward, mutant, setting, before)
        if row is not None and not only_beside(row):
            return row
    (wait or wait_until_well)(ward)
    return try_to_make(ward, mutant, setting)


def only_beside(row: dict[str, Any]) -> bool:
    """Say whether a mutant was seen for what it is, and something else was told beside it."""
    unexpected = row["unexpected"]
    return bool(unexpected) and all(each.startswith(BESIDE) for each in unexpected)


def try_to_make(
    ward: Ward, mutant: Mutant, setting: Setting, settling: Mutant | None = None
) -> dict[str, Any] | None:
    """Try one; tell why where it could not be made, looked at or mended."""
    try:
        return try_one(ward, mutant, setting, settling)
    except (AssertionError, subprocess.SubprocessError) as error:
        say(f"{mutant.name}: could not be tried: {error} {getattr(error, 'stderr', '')}")
    try:
        ward.mend(mutant)
    except subprocess.SubprocessError as error:
        say(f"{mutant.name}: could not be mended: {error} {getattr(error, 'stderr', '')}")
    return None


def main(arguments: list[str]) -> int:
    """Run what is asked for; 1 where something is not as expected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lab")
    parser.add_argument("--fault", action="append", choices=[fault.value for fault in Fault])
    parser.add_argument("--node", action="append")
    parser.add_argument("--unit", action="append")
    parser.add_argument("--setting", default=Setting.AS_IT_IS, type=Setting, choices=list(Setting))
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--timeout", help="of the look; a busy machine needs a longer one")
    parser.add_argument("--missing", action="store_true", help="only what the record has not")
    parser.add_argument("--old", action="store_true", help="as that, and what older code has seen")
    parser.add_argument("--unexpected", action="store_true", help="only what was not as expected")
    asked = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))  # mends what is made, as Ctrl-C does
    known = {key(row): row for row in read_record(asked.record)[1:]}

    def wanted(mutant: Mutant) -> bool:
        row = known.get((asked.setting.value, *mutant.key))
        return (
            (not asked.fault or mutant.fault.value in asked.fault)
            and (not asked.node or mutant.node in asked.node)
            and (not asked.unit or any(each in mutant.unit for each in asked.unit))
            and (not asked.missing or row is None)
            and (not asked.old or row is None or is_old(row["commit"]))
            and (not asked.unexpected or row is None or bool(row["unexpected"]))
        )

    more = ("--timeout", asked.timeout) if asked.timeout else ()
    rows = run(Ward(RealLab(asked.lab), more, is_patient=True), wanted, asked.setting, asked.record)
    return int(any(row["unexpected"] for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
