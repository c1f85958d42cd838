"""Write the reference pages from the code itself.

    python docs/generate.py           write them
    python docs/generate.py --check   name those that are out of date, and fail

A test does the second; `make fix` does the first.
"""

import contextlib
import io
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from stackward import cli
from stackward.anatomy import FLAVOURS, PRIORITIES, Component, read_anatomy
from stackward.diagnosis.certainty import RULES, RULES_NOW
from stackward.diagnosis.code_places import PASSED_OVER, WRAPPERS
from stackward.diagnosis.signs import SIGNS
from stackward.engine.invariants import INVARIANTS
from stackward.errors import ExitCode, StackwardError
from stackward.health.disagreements import CLASSES as DISAGREEMENTS
from stackward.health.symptoms import ALL as SYMPTOMS
from stackward.lab.declared import declared
from stackward.lab.faults import ALL
from stackward.logs.formats import BODIES, PREFIXES
from stackward.model.sureness import SurenessRule
from stackward.operations import every_rule
from stackward.policy.volumes import ALL as VOLUME_STATES
from stackward.policy.volumes import BY_NOBODY, OF_ANOTHER, ONLY_THE_WORD, UNKNOWN
from stackward.ports.root import ALL as ROOT_COMMANDS
from stackward.report.agreement import AGREEMENT_FIELDS, CASE_FIELDS
from stackward.report.audit import FIELDS
from stackward.report.diagnosis import ASIDE_FIELDS, CAUSE_FIELDS, DIAGNOSIS_FIELDS
from stackward.report.logs import EVENT_FIELDS, GROUP_FIELDS, STORY_FIELDS
from stackward.report.orphans import ORPHAN_FIELDS, ORPHANS_FIELDS
from stackward.report.sudoers import sudoers_file
from stackward.report.triage import CAUSE_FIELDS as TRIAGE_CAUSE_FIELDS
from stackward.report.triage import SERVER_FIELDS, TRIAGE_FIELDS
from stackward.report.volumes import VOLUME_FIELDS, VOLUMES_FIELDS
from stackward.settings import LOGIN_PATTERN, PREFIX, Settings, usual_places
from stackward.signatures import read_signatures
from stackward.signatures.conditions import CONDITIONS
from stackward.signatures.form import Signature, Trait
from stackward.status.stuck import ALL as STUCK_STATES
from stackward.status.stuck import DEAD_AFTER_S, LOST_AFTER_S, REMEDIES
from stackward.triage.certainty import RULES as TRIAGE_RULES

sys.path.append(str(Path(__file__).parent))
import faults_seen  # the script beside this one

REFERENCE = Path(__file__).parent / "reference"
EXAMPLES = Path(__file__).parent / "examples"
MADE = "<!-- Made by docs/generate.py from the code; `make fix` makes it anew. -->\n"


def pages() -> dict[Path, str]:
    """Return every generated page with its text."""
    return {
        REFERENCE / "anatomy.md": anatomy_page(),
        REFERENCE / "audit.md": audit_page(),
        REFERENCE / "blockers.md": blockers_page(),
        REFERENCE / "commands.md": commands_page(),
        REFERENCE / "disagreements.md": disagreements_page(),
        REFERENCE / "volume-list.md": volume_list_page(),
        REFERENCE / "exit-codes.md": exit_codes_page(),
        REFERENCE / "faults-seen.md": faults_seen.page(MADE),
        REFERENCE / "findings.md": findings_page(),
        REFERENCE / "invariants.md": invariants_page(),
        REFERENCE / "lab-faults.md": lab_faults_page(),
        REFERENCE / "lab-stand-ins.md": lab_stand_ins_page(),
        REFERENCE / "settings.md": settings_page(),
        REFERENCE / "root.md": root_page(),
        REFERENCE / "stuck-states.md": stuck_states_page(),
        REFERENCE / "logs.md": logs_page(),
        REFERENCE / "diagnosis.md": diagnosis_page(),
        REFERENCE / "signatures.md": signatures_page(),
        REFERENCE / "triage.md": triage_page(),
        REFERENCE / "volume-states.md": volume_states_page(),
        EXAMPLES / "stackward.sudoers": sudoers_file("ops"),
    }


def commands_page() -> str:
    """Return every command's own help."""
    parts = [
        "# Commands\n",
        MADE,
        "What `--help` says of each command. Words in capitals are yours.\n",
    ]
    for words in command_lines():
        parts.append(f"{'#' * min(len(words) + 2, 4)} {' '.join(['stackward', *words])}\n")
        parts.append(f"```text\n{help_of(words)}```\n")
    return "\n".join(parts)


def command_lines() -> Iterator[tuple[str, ...]]:
    """Return the words of every command, each group before its commands."""
    yield from _below((), typer.main.get_command(cli.app))


def _below(words: tuple[str, ...], command: object) -> Iterator[tuple[str, ...]]:
    yield words
    if isinstance(command, TyperGroup):
        context = typer.Context(command)
        for name in command.list_commands(context):
            yield from _below((*words, name), command.get_command(context, name))


def help_of(words: tuple[str, ...]) -> str:
    """Return what `--help` prints on a wide terminal."""
    os.environ["COLUMNS"] = "80"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        cli.main([*words, "--help"])
    return "\n".join(line.rstrip() for line in printed.getvalue().splitlines()) + "\n"


def blockers_page() -> str:
    """Return every rule that can block a plan or warn of it, with its remedy and its ground."""
    parts = [
        "# Blockers and warnings\n",
        MADE,
        "A blocker refuses a plan; a warning is approved with the plan.",
        "The name stands before the verdict in a plan, and as `worry` in its JSON.",
        "What is in braces is filled in. They are in the order of their names.\n",
    ]
    for rule in sorted(every_rule(), key=lambda each: each.name):
        remedy = [f"**Remedy:** {rule.remedy}\n"] if rule.remedy else []
        parts += [f"## {rule.name}\n", f"*{rule.reason}*\n", *remedy, f"{rule.why}\n"]
    return "\n".join(parts)


def code_cell(text: str) -> str:
    """Return code as a cell of a table.

    Between backticks a bar would end the cell, and no reader of Markdown agrees with another on how
    it is written there; as HTML all agree.
    """
    if "|" not in text:
        return f"`{text}`"
    plain = (each if each.isalnum() or each in " /.-=,:" else f"&#{ord(each)};" for each in text)
    return f"<code>{''.join(plain)}</code>"


def root_page() -> str:
    """Return each command that is run as root, with what needs it and what it gives away."""
    rows = [
        f"| {', '.join(one.needed_for)} | {code_cell(shlex.join(one.words))} | {one.gives} |"
        for one in ROOT_COMMANDS
    ]
    return "\n".join(
        [
            "# What is run as root on a node\n",
            MADE,
            "Every command, with all of its words; none has a word that is chosen at the time.",
            "The [sudoers file](../examples/stackward.sudoers) is made of the same list;",
            "[Without root](../guides/without-root.md) says how to use it.\n",
            "| For | Command | What it gives to who may run it |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def audit_page() -> str:
    """Return each record that `run audit --export` writes, with its fields."""
    parts = [
        "# Audit records\n",
        MADE,
        "`stackward run audit ID --export` writes one JSON object a line: the run, its approval,",
        "then attempts, proofs and all else that happened, in the order of time.",
        "Each has `record`, which is its kind, and `run`, the id of the run.",
        "Fields are added in later versions, never renamed. Times are ISO 8601 in UTC.\n",
    ]
    for record, named in FIELDS.items():
        rows = [f"| `{name}` | {meaning} |" for name, meaning in named.items()]
        parts += [f"## {record}\n", "| Field | Holds |", "|---|---|", *rows, ""]
    return "\n".join(parts)


def findings_page() -> str:
    """Return every finding of a health check, with its remedy and its ground."""
    parts = [
        "# Findings\n",
        MADE,
        "What `stackward cloud check` and `stackward node check` can find.",
        "The name stands in brackets after a finding, and as `rule` in JSON and metrics.",
        "The state is that of the component where it was found. What is in braces is filled in.\n",
    ]
    for symptom in SYMPTOMS:
        parts += [
            f"## {symptom.name}\n",
            f"*{symptom.reason}*: {symptom.state.value}\n",
            f"**Remedy:** {symptom.remedy}\n",
            f"{symptom.why}\n",
        ]
    return "\n".join(parts)


def anatomy_page() -> str:
    """Return each component, what it needs, and how it is deployed."""
    flavours = [f"- `{name}`: {says}" for name, says in FLAVOURS.items()]
    priorities = [f"| {number} | {says} |" for number, says in PRIORITIES.items()]
    parts = [
        "# Anatomy of a cloud\n",
        MADE,
        "What a cloud is made of, in the order in which a site is restored.",
        "Every component also rests on its machine. It is deployed in one of these ways:\n",
        *flavours,
        "\n| Restored | What |\n|---|---|",
        *priorities,
        "",
    ]
    for component in read_anatomy().components.values():
        parts += _component(component)
    return "\n".join(parts)


def _component(one: Component) -> Iterator[str]:
    yield f"## {one.name}\n"
    yield f"*{one.is_}*\n"
    yield "| | |\n|---|---|"
    upgrade = str(one.upgrade) if one.upgrade else "with the distribution"
    databases = [f"{each.name} (`[{each.section}]` of {each.file})" for each in one.databases]
    facts = {
        "restored": f"{one.restore} ({PRIORITIES[one.restore]})",
        "upgraded": upgrade,
        "needs": ", ".join(one.depends_on),
        "rests on, on its machine": ", ".join(one.rests_on),
        "always connected to": ", ".join(one.holds),
        "ports": ", ".join(map(str, one.ports)),
        "in the catalog": one.catalog or "",
        "databases": ", ".join(databases),
        "its queue": f"`{one.topic}.HOST`" if one.topic else "",
        "shown to work by": one.probe.shows,
    }
    for flavour, deployed in one.flavours.items():
        runs = (*deployed.units, *deployed.containers, *deployed.sites)
        facts |= {
            f"{flavour}: runs as": _listed(runs),
            f"{flavour}: packages": _listed(deployed.packages),
            f"{flavour}: configuration": _listed(deployed.configuration),
            f"{flavour}: logs": _listed(deployed.logs),
            f"{flavour}: stores": ", ".join(
                f"{one.kind}, usually `{one.path}` (`{one.settings}`)" for one in deployed.stores
            ),
            f"{flavour}: in the foreground": f"as {deployed.user}: `{deployed.command}`",
        }
    yield from (f"| {name} | {value} |" for name, value in facts.items() if value)
    yield ""


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def stuck_states_page() -> str:
    """Return every state of a move that never ends, with what leads out of it."""
    parts = [
        "# Stuck states\n",
        MADE,
        "Nova loses orders where a process dies between a message and its work.",
        "What is left is a state that nobody changes any more.",
        "A plan names it as the blocker `stuck`; a run that meets it stops and names it.",
        "What is in braces is filled in.\n",
        f"Where nothing has changed for {DEAD_AFTER_S:.0f} s and somebody who must act is down,",
        f"a move counts as dead; where nothing has for {LOST_AFTER_S:.0f} s though all are up, as",
        "lost. What is silent for less may go on.",
        "Where it says so, Nova's word on the server may be reset. That is advised only where",
        "libvirt on both nodes was seen to have no job for it; Stackward never does it itself.\n",
        "## Where the guest runs comes first\n",
        "The remedies further below hold where the guest is where Nova has the server.",
        "Else, or where that is not known, this one stands in their place:\n",
        "| The guest is | Remedy |",
        "|---|---|",
        *(f"| {place.value} | {remedy} |" for place, remedy in REMEDIES.items()),
        "",
    ]
    for state in STUCK_STATES:
        reset = "The server's state may be reset.\n" if state.lets_go else None
        parts += [
            f"## {state.name}\n",
            f"*{state.reason}*\n",
            f"**Remedy:** {state.remedy}\n",
            *([reset] if reset else []),
            f"{state.why}\n",
        ]
    return "\n".join(parts)


def sureness_table(rules: Iterable[SurenessRule[Any]]) -> Iterator[str]:
    """Return the rules by which a cause is as sure as it is called."""
    yield "## How sure a cause is\n"
    yield "The first rule that holds is taken.\n"
    yield from sureness_rows(rules)


def sureness_rows(rules: Iterable[SurenessRule[Any]]) -> Iterator[str]:
    """Return such rules as a table."""
    yield "| Certainty | Because | Surer by |"
    yield "|---|---|---|"
    for one in rules:
        yield f"| {one.sureness.value} | {one.says} | {one.raises} |"


def triage_page() -> str:
    """Return the fields of a triage, and the rules of how sure it is."""
    fields = (
        ("A triage", "`stackward server triage -f json` writes one object.", TRIAGE_FIELDS),
        ("A server", "In `servers`, in the order in which they were named.", SERVER_FIELDS),
        ("A cause", "`causes[0]` is the likeliest.", TRIAGE_CAUSE_FIELDS),
    )
    parts = [
        "# Triage: fields and rules\n",
        MADE,
        "Names and meanings of the fields stay; new ones may come.",
        "What is known to keep a server from booting: [signatures](signatures.md).\n",
    ]
    parts += [line for each in fields for line in fields_of(*each)]
    parts += [
        *sureness_table(TRIAGE_RULES),
        "",
    ]
    return "\n".join(parts)


def signatures_page() -> str:
    """Return each signature: what it means, how it shows, what ends it."""
    parts = [
        "# Signatures\n",
        MADE,
        "What is known to show by certain words of logs, consoles and disks, or by certain facts.",
        "What is in braces is filled in. Each has a sample, which is its test.\n",
        "| Looked for in | Which is |",
        "|---|---|",
        "| `log` | the log of a component |",
        "| `fault` | what Nova keeps of a failure: a server's fault, a failed action |",
        "| `domain-log` | libvirt's log of a guest, in which QEMU writes |",
        "| `disk` | what `qemu-img info` says of a disk |",
        "| `console` | what the guest has written to its console |",
        "| `fact` | what was looked at |",
        "",
    ]
    for one in read_signatures():
        parts += _signature(one)
    return "\n".join(parts)


def _signature(one: Signature) -> Iterator[str]:
    whose = {"server": "", "node": "; all servers of the node suffer", "guest": "; in the guest"}
    yield f"## {one.name}\n"
    yield f"*{one.means}*: a {one.kind.value} in `{one.component}`{whose[one.scope.value]}\n"
    yield f"**Remedy:** {one.remedy}\n"
    yield from (f"- {_shows(trait)}" for trait in one.traits)
    yield f"\nKnown by: {one.source}\n"


def _shows(one: Trait) -> str:
    if one.fact is not None:
        return f"`fact`: {CONDITIONS[one.fact].says}"
    places = ", ".join(f"`{place.value}`" for place in one.places)
    return f"{places}: {code_cell(one.sample)}"


def disagreements_page() -> str:
    """Return every class of disagreement between witnesses, and the fields of the data."""
    parts = [
        "# Disagreements\n",
        MADE,
        "What `stackward cloud reconcile` and `stackward node reconcile` find, the worst first.",
        "The name stands in brackets after the title, and as `class` in JSON: it never changes.",
        "A disagreement is counted only where two looks have seen it, and nobody acted on the",
        "server between them. What cannot be read gives none. What is in braces is filled in.\n",
    ]
    for one in DISAGREEMENTS:
        parts += [
            f"## {one.name}\n",
            f"*{one.title}*\n",
            f"{one.means}\n",
            f"**Not counted:** {one.left_out}.\n",
            f"**Remedy:** {one.remedy}.\n",
            f"**Repair:** {one.repair}.\n" if one.repair else f"**No repair:** {one.no_repair}.\n",
        ]
    fields = (
        ("The data", "`-f json` writes one object.", AGREEMENT_FIELDS),
        ("A case", "Each of `cases` has these.", CASE_FIELDS),
        ("Orphans", "`--orphans -f json` writes one object.", ORPHANS_FIELDS),
        ("An orphan", "Each of `orphans` has these.", ORPHAN_FIELDS),
    )
    parts += [line for each in fields for line in fields_of(*each)]
    return "\n".join(parts)


def volume_list_page() -> str:
    """Return the fields of what `volume list` writes."""
    parts = [
        "# Volume list, fields\n",
        MADE,
        "What `stackward volume list` says of each volume of each server.\n",
    ]
    fields = (
        ("The data", "`-f json` writes one object.", VOLUMES_FIELDS),
        ("A volume", "Each of `volumes` has these.", VOLUME_FIELDS),
    )
    parts += [line for each in fields for line in fields_of(*each)]
    return "\n".join(parts)


def volume_states_page() -> str:
    """Return each state of a volume that blocks its server's move, with what ends it."""
    parts = [
        "# Volume states\n",
        MADE,
        "Where Nova lists a volume as attached, Cinder must have it `in-use`, by that server.",
        "Each other state blocks the move of the server, as the blocker named.",
        "What is in braces is filled in.\n",
    ]
    for state in (*VOLUME_STATES.values(), ONLY_THE_WORD, OF_ANOTHER, BY_NOBODY, UNKNOWN):
        parts += [f"## {state.status}\n", f"Blocks as `{state.rule.name}`.\n"]
        parts += [f"**Remedy:** {state.advice}\n"]
    return "\n".join(parts)


def fields_of(title: str, what: str, named: Mapping[str, str]) -> list[str]:
    """Return a section on the fields of what a command writes as JSON."""
    rows = [f"| `{name}` | {meaning} |" for name, meaning in named.items()]
    return [f"## {title}\n", f"{what}\n", "| Field | Meaning |", "|---|---|", *rows, ""]


def logs_page() -> str:
    """Return the fields of events and groups, and the formats that are read."""
    fields = (
        ("An event", "`stackward log follow -f json` writes one a line.", EVENT_FIELDS),
        ("An event of a story", "It has these fields too.", STORY_FIELDS),
        ("A group", "`stackward log errors -f json` writes one a line.", GROUP_FIELDS),
    )
    parts = [
        "# Logs: fields and formats\n",
        MADE,
        "With `-f json` the commands of `stackward log` write one JSON object a line.",
        "Names and meanings of its fields stay; new ones may come.\n",
    ]
    parts += [line for each in fields for line in fields_of(*each)]
    parts += [
        "## Formats\n",
        "A line that begins as one of these begins an event; any other continues the one before.",
        "Lines of DevStack are read too: with colours, without a process, with the level `TRACE`.",
        "A traceback that the journal dates line by line is one event.\n",
        "Colours are left out, as a terminal gets them and as syslog (`#033[`) and Docker",
        "(`\\u001b[`) spell them out. Any other control character is shown spelled out: `\\x1b`.\n",
        "Syslog and the journal as text write no year. It is the last one by which the line is not",
        "later than the last change of its file: copy logs with their times (`cp -p`, `tar`).\n",
        "| Format | Written by | Such as |",
        "|---|---|---|",
        *(
            f"| {one.name} | {one.what} | {code_cell(one.samples[0].splitlines()[0][:70])} |"
            for one in (*BODIES, *PREFIXES)
        ),
        "",
    ]
    return "\n".join(parts)


def diagnosis_page() -> str:
    """Return the fields of a diagnosis, the rules of how sure it is, and what is passed over."""
    fields = (
        ("A diagnosis", "`stackward diagnose -f json` writes one object.", DIAGNOSIS_FIELDS),
        ("A cause", "`causes[0]` is the likeliest.", CAUSE_FIELDS),
        ("What is no cause", "In `consequences` and `ruled_out`.", ASIDE_FIELDS),
    )
    parts = [
        "# Diagnosis: fields and rules\n",
        MADE,
        "Names and meanings of the fields stay; new ones may come. Signs and rules change as more",
        "is known of clouds.\n",
    ]
    parts += [line for each in fields for line in fields_of(*each)]
    parts += [
        *sureness_table(RULES),
        "",
        "## How sure it is of what a look found\n",
        *sureness_rows(RULES_NOW),
        "",
        "## What shows that a user noticed it\n",
        "| What the user sees | From the level | Such as |",
        "|---|---|---|",
        *(f"| {one.says} | {one.level.word} | {code_cell(one.sample)} |" for one in SIGNS),
        "",
        "## Code that is passed over\n",
        "What a library raises below one of these modules is told of the module that called it.\n",
        *(f"- `{one}`" for one in PASSED_OVER),
        "",
        "So are functions of these names, wherever they are: they only wrap others.\n",
        ", ".join(f"`{one}`" for one in sorted(WRAPPERS)),
        "",
    ]
    return "\n".join(parts)


def exit_codes_page() -> str:
    """Return each exit code with its meaning, and the errors that lead to it."""
    rows = [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    kinds = sorted(_kinds(StackwardError), key=lambda kind: (kind.exit_code, kind.__name__))
    errors = [f"| {kind.__name__} | {kind.exit_code.value} | {_first(kind)} |" for kind in kinds]
    return "\n".join(
        [
            "# Exit codes\n",
            MADE,
            "Scripts may depend on them: a number never changes its meaning.\n",
            "| Code | Meaning |",
            "|---|---|",
            *rows,
            "\nErrors are sorted by what can be done about them:\n",
            "| Error | Code | What it says |",
            "|---|---|---|",
            *errors,
            "",
        ]
    )


def _kinds(kind: type[StackwardError]) -> Iterator[type[StackwardError]]:
    yield kind
    for narrower in kind.__subclasses__():
        if narrower.__module__ == kind.__module__:  # not what a room has for itself
            yield from _kinds(narrower)


def _first(kind: type[StackwardError]) -> str:
    return (kind.__doc__ or "").splitlines()[0]


def invariants_page() -> str:
    """Return what is always true of a run in the database."""
    rows = [f"| `{each.name}` | {each.sentence} |" for each in INVARIANTS]
    return "\n".join(
        [
            "# Invariants of the journal\n",
            MADE,
            "What is always true of a run, whatever happened to the process that carried it out.",
            "The tests ask all of it after each write;",
            "`stackward run check` asks it of your database.\n",
            "| Invariant | What it says |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def lab_faults_page() -> str:
    """Return each fault that can be put into a lab, and what it is put into."""
    rows = [
        f"| `{fault.name}` | {fault.target.value} | {fault.what} | {fault.symptom} |"
        for fault in ALL
    ]
    return "\n".join(
        [
            "# Lab faults\n",
            MADE,
            "`stackward lab break FAULT [TARGET]` returns when the symptom is seen,",
            "`stackward lab mend FAULT [TARGET]` when it is gone.",
            "The fault of a server that was deleted since went with it:",
            "`mend` then strikes it off the record.",
            "`stackward lab status` shows the faults in force; `stackward lab reset` ends them.\n",
            "| Name | Target | What is done | Symptom |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def lab_stand_ins_page() -> str:
    """Return what stands in for what a lab cannot have."""
    rows = [f"| {it.instead_of} | {it.is_} | {it.so} |" for it in declared().stand_ins]
    return "\n".join(
        [
            "# What stands in, in a lab\n",
            MADE,
            "A lab is a real cloud on one machine, and some things it cannot have.",
            "What is proved over a stand-in is proved for the stand-in only.\n",
            "| Instead of | There is | So |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def settings_page() -> str:
    """Return each setting with its variable and its usual place."""
    machine, own = (_shown(usual_places({}, is_root=is_root)) for is_root in (True, False))
    rows = [
        f"| `{PREFIX}{each.name.upper()}` | {each.metadata['holds']} | {machine[each.name]} "
        f"| {own[each.name]} |"
        for each in fields(Settings)
    ]
    return "\n".join(
        [
            "# Settings\n",
            MADE,
            "Each is an environment variable. It holds an absolute path, or one from `~/`;",
            "that of the database holds a URL, that of the tiers names, that of the wait seconds.",
            "For a user who is not root, the places follow XDG_STATE_HOME and its like.",
            "A password belongs into `~/.pgpass`, or into the file that PGPASSFILE names.\n",
            "| Variable | Holds | As root | As another user |",
            "|---|---|---|---|",
            *rows,
            "",
            "Times that people read are in the zone of `TZ`, else in that of the machine:",
            "`2026-11-27 01:10:05 CET`.",
            "Data (`-f json`, `yaml`, `csv`, `value`, audits, plan files) has UTC, as RFC 3339,",
            "and so has what is written into the cloud: the reason of a disabled nova-compute.",
            "A time in the words of a tool stays as the tool wrote it, for people and programs.",
            "In plan files, Stackward's own times in a sentence end with `[UTC]`: so they can be",
            "told from those, and shown in your zone.",
            "",
        ]
    )


def _shown(places: dict[str, str]) -> dict[str, str]:
    shown = {name: f"`{place}`" for name, place in places.items()}
    return {
        **shown,
        "inventory_reader": "none: Stackward reads it",
        "bmc_ca": "none: those that are usual",
        "database": "`journal.sqlite` in the state directory",
        "tiers": "none",
        "reconcile_wait_s": "30",
        "login_pattern": f"`{LOGIN_PATTERN}`",
    }


def stale_pages() -> list[Path]:
    """Return the pages that are not what the code says."""
    return [path for path, text in pages().items() if not _is_as(path, text)]


def _is_as(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    if arguments == ["--check"]:
        stale = stale_pages()
        for path in stale:
            print(f"out of date: {path.name}")
        return int(bool(stale))
    REFERENCE.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
