"""The page of faults and how each is seen: made of the record of a real run on the lab.

`python tests/lab/mutation.py LAB` makes the record, on a lab that is up.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]

RECORD = Path(__file__).parent / "reference" / "faults-seen.jsonl"
AS_IT_IS = "as it is"
FOUND, NOT_PROVED, OK = "a finding", "not proved", "ok"
SETTINGS = {
    "no RPC pings": "With `rpc_ping_enabled` switched off everywhere, as on most clouds",
    "a login without sudo": "With a login that may run nothing as root",
}


def read_record(path: Path = RECORD) -> tuple[Row, list[Row]]:
    """Return what the record is of, and its lines."""
    head, *rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return head, rows


def is_missed(row: Row) -> bool:
    """Say whether a fault that is there was answered with less than a finding of its component."""
    return bool(row["expected"] == FOUND and not row["found"])


def page(made: str) -> str:
    """Return the page."""
    head, rows = read_record()
    own = [row for row in rows if row["setting"] == AS_IT_IS]
    done = {row["fault"] for row in rows}
    commits = ", ".join(f"`{one}`" for one in sorted({row["commit"] for row in rows}))
    days = sorted({row["at"][:10] for row in rows})
    looks = ", ".join(
        f"`{look}` {count} times"
        for look, count in sorted(Counter(row["look"] for row in rows).items())
    )
    parts = [
        "# Faults and how each is seen\n",
        made,
        "Parts of a real cloud were made ill in these ways, one at a time, each in a look",
        "of its own. This page is the record of that; no line of it was written by hand.",
        "What has no line was not tried yet.\n",
        f"- The cloud: the [lab](../guides/lab.md): {head['lab']}.",
        f"- The days: {' to '.join(dict.fromkeys((days[0], days[-1])))}. The code: {commits}.",
        f"- The looks: {looks}.",
        f"- Missed on the lab as it is: {_count(own)}.\n",
        "| What is done | How |",
        "|---|---|",
        *(f"| {fault} | {how} |" for fault, how in HOW.items() if fault in done),
        "",
        "## On the lab as it is\n",
        *_tables(own),
        *_listed(own),
    ]
    for setting, says in SETTINGS.items():
        parts += _missed(says, [row for row in rows if row["setting"] == setting])
    return "\n".join(parts)


HOW = {
    "stopped": "`systemctl stop`; of what a socket starts, its sockets too",
    "frozen": "SIGSTOP to all of its processes: it takes connections, and never answers",
    "killed, its restart prevented": "SIGKILL to all of its processes, with `Restart=no`",
    "stopped and masked": "`systemctl stop` and `systemctl mask`",
    "killed, restarted by systemd": "SIGKILL to its processes, of up to 4 units; 20 s later",
    "stopped; its socket starts it": "`systemctl stop`, of the service alone",
    "disabled, but answering": "`systemctl disable`",
    "answers, and takes no writes": "a database, a queue or a store, by what it offers for that",
}


def _count(rows: Iterable[Row]) -> str:
    missed = [row for row in rows if is_missed(row)]
    return str(len(missed)) if missed else "none"


def _tables(rows: Iterable[Row]) -> Iterator[str]:
    """Return a table for each component; what is alike on several nodes is one line."""
    components: dict[str, dict[tuple[str, ...], list[Row]]] = {}
    for row in rows:
        alike = (row["unit"], row["fault"], row["word"], " ".join(row["rules"]), row["first"])
        components.setdefault(row["component"], {}).setdefault(alike, []).append(row)
    for component, lines in sorted(components.items()):
        yield f"### {component}\n"
        yield "| What | Fault | On | It is called | By the rules | Seconds |"
        yield "|---|---|---|---|---|---|"
        for (unit, fault, word, rules, first), those in sorted(lines.items()):
            named = ", ".join(f"[{rule}](findings.md#{rule})" for rule in rules.split())
            whose = "" if first in {component, ""} else f" (as {first})"
            nodes = ", ".join(sorted(one["node"] for one in those))
            slowest = max(one["seconds"] for one in those)
            yield f"| `{unit}` | {fault} | {nodes} | {word}{whose} | {named} | {slowest} |"
        yield ""


def _listed(rows: Iterable[Row]) -> Iterator[str]:
    """Return what is expected to be called less than ill, each with its reason."""
    reasons: dict[tuple[str, str, str], dict[str, None]] = {}
    for row in rows:
        if row["expected"] != FOUND:
            whose = reasons.setdefault((row["expected"], row["fault"], row["why"]), {})
            whose[f"`{row['unit']}`"] = None
    yield "## What is no finding, and why\n"
    yield "| It is called | What is done | Why | Of |"
    yield "|---|---|---|---|"
    for (expected, fault, why), units in sorted(reasons.items()):
        yield f"| {expected} | {fault} | {why} | {', '.join(sorted(units))} |"
    yield ""


def _missed(says: str, rows: list[Row]) -> Iterator[str]:
    """Return what one setting hides."""
    yield f"## {says}\n"
    missed = [row for row in rows if is_missed(row)]
    yield f"Tried, of what loses a question by it: {len(rows)}, frozen, one at a time."
    yield f"Without a finding of their own: {len(missed)}. All else is seen as above.\n"
    if missed:
        yield "| Component | What | Fault | On | It is called |"
        yield "|---|---|---|---|---|"
        for row in missed:
            yield (
                f"| {row['component']} | `{row['unit']}` | {row['fault']} | {row['node']} "
                f"| {row['word']} |"
            )
        yield ""
