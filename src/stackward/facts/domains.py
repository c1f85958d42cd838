"""What libvirt on a node says about its guests.

All is read with `virsh --readonly`: it needs no rights beyond a login, and can change nothing.
"""

import re
from functools import partial

from stackward.answers import cells, document, lines, mapping, rows, text, understood, whole
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.model.domain import INSTANCES, Disk, Domain
from stackward.model.unread import Unread, or_unread
from stackward.ports.libvirt import MAY_END, read_id, refused
from stackward.ports.shell import VIRSH, Shell

LIST = (*VIRSH, "list", "--all", "--uuid", "--name")
STATS = (*VIRSH, "domstats", "--state", "--block", "--raw")
FILESYSTEM = ("findmnt", "--json", "--target")

# libvirt's virDomainState
_STATES = {
    "0": "no state",
    "1": "running",
    "2": "blocked",
    "3": "paused",
    "4": "shutting down",
    "5": "shut off",
    "6": "crashed",
    "7": "suspended",
}


_DOMAIN = re.compile(r"Domain: '(.+)'")
_FACT = re.compile(r"([\w.-]+)=(.*)")


def why_none_may_end(shell: Shell, node: str) -> Unread | None:
    """Say why this login may not end guests of a node; None where it may."""
    answer = or_unread(partial(shell.run, node, [*MAY_END, "uri"]))
    if isinstance(answer, Unread):
        return answer
    return None if answer.code == 0 else refused(answer, "uri")


def read_domains(shell: Shell, node: str) -> tuple[Domain, ...] | Unread:
    """Return the guests of a node; or why they could not be read."""
    answers: list[str] = []
    for command in (LIST, STATS):
        try:
            answer = shell.run(node, command)
        except (Unreachable, Uncertain) as error:
            return Unread.of(error)
        if answer.code != 0:
            return refused(answer, command[4])
        answers.append(answer.out)
    try:
        with understood("`virsh list` or `virsh domstats`", "\n".join(answers)):
            return domains_of(*answers)
    except NotUnderstood as error:
        return Unread.of(error)


def domains_of(listed: str, facts: str) -> tuple[Domain, ...]:
    """Read both answers: which guests there are, and how each is."""
    all_stats = parse_stats(facts)
    return tuple(
        Domain(
            server=server,
            name=name,
            state=state_called(stats.get("state.state")),
            disks=_disks(stats),
        )
        for server, name in parse_ids(listed)
        for stats in [all_stats.get(name, {})]
    )


def state_called(number: str | None) -> str:
    """Return the word for a state that libvirt gives as a number."""
    return _STATES.get(number or "", "unknown")


def parse_ids(out: str) -> list[tuple[str, str]]:
    """Read `virsh list --all --uuid --name`: a UUID and a name per line."""
    found = (cells(line.strip().replace(" ", "\t", 1), 2) for line in lines(out))
    return [(read_id(server), name.strip()) for server, name in found]


def parse_stats(out: str) -> dict[str, dict[str, str]]:
    """Read `virsh domstats --raw`: a block per domain, `name=value` in each line."""
    blocks: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    for line in lines(out):
        if domain := _DOMAIN.fullmatch(line):
            current = blocks.setdefault(domain[1], {})
        elif current is not None and (fact := _FACT.fullmatch(line.strip())):
            current[fact[1]] = fact[2]
        else:
            raise ValueError(line)
    return blocks


def _disks(stats: dict[str, str]) -> tuple[Disk, ...]:
    count = whole(stats.get("block.count", "0"))
    if count > len(stats):
        raise ValueError(stats["block.count"])
    return tuple(
        Disk(
            device=stats.get(f"block.{index}.name", ""),
            path=stats.get(f"block.{index}.path"),
            used_bytes=whole(stats.get(f"block.{index}.physical", "0")),
            size_bytes=whole(stats.get(f"block.{index}.capacity", "0")),
        )
        for index in range(count)
    )


def other_directories(domains: tuple[Domain, ...] | Unread) -> tuple[str, ...]:
    """Return where guests have their disks, the usual place aside: `instances_path` may be set."""
    known = () if isinstance(domains, Unread) else domains
    found = {disk.directory_of(each.server) for each in known for disk in each.disks}
    return tuple(sorted(each for each in found if each not in {None, INSTANCES}))


def read_filesystem(shell: Shell, node: str, directory: str) -> str | Unread:
    """Return the type of the file system that holds the servers' disks."""
    try:
        answer = shell.run(node, (*FILESYSTEM, directory))
    except (Unreachable, Uncertain) as error:
        return Unread.of(error)
    if answer.code != 0:
        return Unread(f"`findmnt` says: {answer.err.strip() or answer.code}")
    return parse_filesystem(answer.out)


def parse_filesystem(out: str) -> str | Unread:
    """Read `findmnt --json`."""
    try:
        with understood("`findmnt`", out):
            return text(mapping(rows(document(out)["filesystems"])[0])["fstype"])
    except NotUnderstood as error:
        return Unread.of(error)
