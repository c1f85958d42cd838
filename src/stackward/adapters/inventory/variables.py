"""From a host's variables to a node: the few that Stackward uses.

The names are Ansible's own but for `bmc_url`, the URL of the node's Redfish system.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from stackward.adapters.inventory.written import Variable, cannot_read
from stackward.model.inventory import Node, SshAccess

ADDRESS = ("ansible_host", "ansible_ssh_host")
PORT = ("ansible_port", "ansible_ssh_port")
USER = ("ansible_user", "ansible_ssh_user")
KEY_FILE = ("ansible_ssh_private_key_file", "ansible_private_key_file")
SSH_ARGUMENTS = ("ansible_ssh_common_args", "ansible_ssh_extra_args")
CONNECTION = "ansible_connection"
BMC = "bmc_url"

# What may stand on ssh's command line: it must never be taken for an option.
_ADDRESS = re.compile(r"[\w.:%][\w.:%-]*", re.ASCII)
_USER = re.compile(r"[\w.][\w.@\\$-]*", re.ASCII)
_LAST_PORT = 65535


def node_from(name: str, *, groups: tuple[str, ...], variables: Mapping[str, Variable]) -> Node:
    """Return the node, or say which line makes no sense."""
    given = _Given(variables)
    return Node(
        name=name,
        address=given.matching(ADDRESS, _ADDRESS, "an address") or name,
        groups=groups,
        ssh=SshAccess(
            user=given.matching(USER, _USER, "a user name"),
            port=given.port(),
            key_file=given.text(KEY_FILE),
            options=given.ssh_arguments(),
        ),
        is_local=given.text((CONNECTION,)) == "local",
        bmc_url=given.bmc_url(),
    )


def refuse_shared_bmcs(
    nodes: Sequence[Node], variables: Mapping[str, Mapping[str, Variable]]
) -> None:
    """Refuse two nodes with one BMC: to fence the one would cut the power of the other.

    Two nodes with one address are allowed. Ansible's aliases are such, and so are machines behind
    different jump hosts; what is run on the wrong one of these is at least run on a living machine.
    """
    owners: dict[tuple[str, int | None, str], str] = {}
    for node in nodes:
        if node.bmc_url is None:
            continue
        owner = owners.setdefault(_machine_of(node.bmc_url), node.name)
        if owner != node.name:
            first, second = variables[owner][BMC].place, variables[node.name][BMC].place
            raise cannot_read(
                second,
                f"`{BMC}` of `{node.name}` is that of `{owner}`"
                + (f" ({first})" if first != second else "")
                + ": fencing one would cut the power of the other",
                hint="give each machine the URL of its own BMC, and name each machine once",
            )


def _machine_of(url: str) -> tuple[str, int | None, str]:
    """Return what tells one machine from another in the URL of a BMC.

    The same system by http and by https is the same machine; systems of one chassis differ in path.
    """
    parts = urlsplit(url)
    is_usual = parts.port in {None, {"http": 80, "https": 443}[parts.scheme]}
    return (parts.hostname or "", None if is_usual else parts.port, parts.path.rstrip("/"))


class _Given:
    """The variables of one host, asked for by name."""

    def __init__(self, variables: Mapping[str, Variable]) -> None:
        self._variables = variables

    def text(self, names: tuple[str, ...]) -> str | None:
        found = self._first(names)
        return found[1].text if found else None

    def matching(self, names: tuple[str, ...], form: re.Pattern[str], what: str) -> str | None:
        found = self._first(names)
        if found is None:
            return None
        name, value = found
        if not form.fullmatch(value.text):
            raise cannot_read(value.place, f"`{name}` is not {what}: `{value.text}`")
        return value.text

    def port(self) -> int | None:
        found = self._first(PORT)
        if found is None:
            return None
        name, value = found
        is_number = value.text.isascii() and value.text.isdigit()
        if not is_number or not 1 <= int(value.text[:6]) <= _LAST_PORT:
            why = f"`{name}` is not a port from 1 to {_LAST_PORT}: `{value.text}`"
            raise cannot_read(value.place, why)
        return int(value.text)

    def ssh_arguments(self) -> tuple[str, ...]:
        arguments: list[str] = []
        for name in SSH_ARGUMENTS:
            found = self._first((name,))
            if found is None:
                continue
            try:
                arguments += shlex.split(found[1].text)
            except ValueError as error:
                why = f"`{name}` cannot be split into arguments: {error}".lower()
                raise cannot_read(found[1].place, why) from None
        return tuple(arguments)

    def bmc_url(self) -> str | None:
        found = self._first((BMC,))
        if found is None:
            return None
        place, url = found[1].place, found[1].text
        try:
            parts = urlsplit(url)
            has_login = "@" in parts.netloc
            # The port raises ValueError where it is no number.
            is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            has_login = is_url = False
        if has_login:
            raise cannot_read(
                place,
                f"`{BMC}` holds a login in its URL",
                hint="take out what stands before the `@`",
            )
        if not is_url:
            raise cannot_read(place, f"`{BMC}` is not an http or https URL: `{url}`")
        return url

    def _first(self, names: tuple[str, ...]) -> tuple[str, Variable] | None:
        for name in names:
            value = self._variables.get(name)
            if value is None or not value.text:
                continue
            if "{{" in value.text:
                raise cannot_read(
                    value.place,
                    f"`{name}` is a template, which only Ansible can fill in",
                    hint=f"write the value of `{name}` itself",
                )
            return name, value
        return None
