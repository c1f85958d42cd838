"""From a host's variables to a node: the few that Stackward uses.

Most names are Ansible's own. Others name what switches the node's power: `bmc_url`, the URL of its
Redfish system, or `fence_agent`, a program of fence-agents, with its `fence_options`. One more is
`failure_domain`: what the node shares with those that fail together with it.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from stackward.adapters.inventory.written import Place, Variable, cannot_read
from stackward.errors import BadInput
from stackward.model.inventory import Node, SshAccess
from stackward.model.unread import Unread

# Where both of a pair are set, Ansible's ssh uses the old name, `ansible_ssh_*`: it comes first.
ADDRESS = ("ansible_ssh_host", "ansible_host")
PORT = ("ansible_ssh_port", "ansible_port")
USER = ("ansible_ssh_user", "ansible_user")
KEY_FILE = ("ansible_ssh_private_key_file", "ansible_private_key_file")
SSH_ARGUMENTS = ("ansible_ssh_common_args", "ansible_ssh_extra_args")
CONNECTION = ("ansible_connection",)
BMC, FINGERPRINT = "bmc_url", "bmc_fingerprint"
AGENT, OPTIONS = "fence_agent", "fence_options"
POWER = (BMC, FINGERPRINT, AGENT, OPTIONS)
DOMAIN = "failure_domain"
USED = frozenset((*ADDRESS, *PORT, *USER, *KEY_FILE, *SSH_ARGUMENTS, *CONNECTION, *POWER, DOMAIN))

SSH, LOCAL = "ssh", "local"
_BY_SSH = {SSH, "smart", "paramiko", "paramiko_ssh"}
_OF_ANSIBLE = re.compile(r"^ansible\.(builtin|legacy)\.")

# What may be a word of ssh's command line: ssh must never read it as an option.
_ADDRESS = re.compile(r"[\w.:%][\w.:%-]*", re.ASCII)
_USER = re.compile(r"[\w.][\w.@\\$-]*", re.ASCII)
_DOMAIN = re.compile(r"[\w.:/+-]([\w.:/+ -]{0,62}[\w.:/+-])?")
_TEMPLATE = re.compile(r"\{[{%#]")
_LAST_PORT = 65535

_AGENT = re.compile(r"(/[\w./-]+/)?fence_[a-z0-9_]+", re.ASCII)
_OPTION = re.compile(r"[a-z][a-z0-9_-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# What would be a login, and what Stackward itself says.
_LOGINS = re.compile(r".*(passw|passphrase|secret|token).*|user(name)?|login")
_NOT_CHOSEN = {"action", "method", "delay"}
_NEXT_FEED = ";"


def is_template(text: str) -> bool:
    """Say whether Ansible would fill something in."""
    return _TEMPLATE.search(text) is not None


class _NotKnownError(Exception):
    """The value of a variable cannot be known here; the text says why."""


def node_from(name: str, *, groups: tuple[str, ...], variables: Mapping[str, Variable]) -> Node:
    """Return the node, or say which line makes no sense.

    It is unknown how to reach a node where a variable that says so is a template, or encrypted.
    """
    given = _Given(name, variables)
    try:
        connection = _OF_ANSIBLE.sub("", given.text(CONNECTION) or SSH)
        if connection not in {*_BY_SSH, LOCAL}:
            return Node(name=name, address=name, groups=groups, left_out=connection)
        return Node(
            name=name,
            address=given.address() or name,
            groups=groups,
            ssh=SshAccess(
                user=given.matching(USER, _USER, "a user name"),
                port=given.port(),
                key_file=given.text(KEY_FILE),
                options=given.ssh_arguments(),
            ),
            is_local=connection == LOCAL,
            bmc_url=given.bmc_url(),
            bmc_fingerprint=given.fingerprint(),
            fence_agent=given.agent(),
            fence_options=given.feeds(),
            failure_domain=given.domain(),
        )
    except _NotKnownError as why:
        return Node(name=name, address=name, groups=groups, unknown=str(why))


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


def refuse_shared_outlets(
    nodes: Sequence[Node], variables: Mapping[str, Mapping[str, Variable]]
) -> None:
    """Refuse two nodes with one outlet, for the same reason."""
    owners: dict[tuple[str | None, frozenset[tuple[str, str]]], str] = {}
    for node in nodes:
        for feed in node.fence_options:
            owner = owners.setdefault((node.fence_agent, frozenset(feed)), node.name)
            if owner != node.name:
                raise cannot_read(
                    variables[node.name][OPTIONS].place,
                    f"`{OPTIONS}` of `{node.name}` name an outlet of `{owner}`: fencing one would "
                    "cut the power of the other",
                    hint="name each machine's own outlet, such as `plug=3`",
                )


def _machine_of(url: str) -> tuple[str, int | None, str]:
    """Return the part of a BMC's URL by which two machines differ.

    The same system by http and by https is the same machine; systems of one chassis differ in path.
    """
    parts = urlsplit(url)
    is_usual = parts.port in {None, {"http": 80, "https": 443}[parts.scheme]}
    return (parts.hostname or "", None if is_usual else parts.port, parts.path.rstrip("/"))


class _Given:
    """The variables of one host, asked for by name."""

    def __init__(self, host: str, variables: Mapping[str, Variable]) -> None:
        self._host, self._variables = host, variables

    def text(self, names: tuple[str, ...]) -> str | None:
        found = self._first(names)
        return found[1] if found else None

    def address(self) -> str | None:
        found = self._first(ADDRESS, may_be_empty=True)
        if found is not None and not found[1]:
            raise _NotKnownError(f"`{found[0]}` is empty ({found[2]})")
        return self.matching(ADDRESS, _ADDRESS, "an address")

    def matching(self, names: tuple[str, ...], form: re.Pattern[str], what: str) -> str | None:
        found = self._first(names)
        if found is None:
            return None
        name, text, place = found
        if not form.fullmatch(text):
            raise self._unfit(name, what, place)
        return text

    def port(self) -> int | None:
        found = self._first(PORT)
        if found is None:
            return None
        name, text, place = found
        is_number = text.isascii() and text.isdigit()
        if not is_number or not 1 <= int(text[:6]) <= _LAST_PORT:
            raise self._unfit(name, f"a port from 1 to {_LAST_PORT}", place)
        return int(text)

    def ssh_arguments(self) -> tuple[str, ...]:
        arguments: list[str] = []
        for name in SSH_ARGUMENTS:
            found = self._first((name,))
            if found is None:
                continue
            try:
                arguments += shlex.split(found[1])
            except ValueError as error:
                why = f"`{name}` cannot be split into arguments: {error}".lower()
                raise cannot_read(found[2], why) from None
        return tuple(arguments)

    def bmc_url(self) -> str | None:
        found = self._first((BMC,))
        if found is None:
            return None
        _, url, place = found
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
                hint="remove the part before the `@`",
            )
        if not is_url:
            raise self._unfit(BMC, "an http or https URL", place)
        return url

    def fingerprint(self) -> str | None:
        found = self._first((FINGERPRINT,))
        if found is None:
            return None
        _, text, place = found
        digits = text.replace(":", "").lower()
        if not _SHA256.fullmatch(digits):
            raise self._unfit(FINGERPRINT, "a SHA-256 fingerprint (64 hexadecimal digits)", place)
        return digits

    def agent(self) -> str | None:
        program = self.matching((AGENT,), _AGENT, "a program of fence-agents, as `fence_ipmilan`")
        if program is None:
            return None
        place = self._variables[AGENT].place
        if self._first((BMC,)):
            why = f"`{self._host}` has both `{AGENT}` and `{BMC}`"
            raise cannot_read(place, why, hint="keep the one that switches its power")
        if not self._first((OPTIONS,)):
            raise cannot_read(
                place,
                f"`{AGENT}` of `{self._host}` has no `{OPTIONS}`: they say which device it asks",
                hint=f'`{OPTIONS}="ip=192.0.2.7"`; of a power strip also the outlet, `plug=3`',
            )
        return program

    def feeds(self) -> tuple[tuple[tuple[str, str], ...], ...]:
        found = self._first((OPTIONS,))
        if found is None or not self._first((AGENT,)):
            return ()
        _, text, place = found
        try:
            words = shlex.shlex(text, posix=True, punctuation_chars=_NEXT_FEED)
            words.commenters = ""
            words.whitespace_split = True
            feeds: list[list[tuple[str, str]]] = [[]]
            for word in words:
                if word == _NEXT_FEED:
                    feeds.append([])
                else:
                    feeds[-1].append(self._option(word, place))
        except ValueError:
            raise self._unfit(OPTIONS, "`name=value` words", place) from None
        if not all(feeds) or len({frozenset(feed) for feed in feeds}) < len(feeds):
            raise self._unfit(OPTIONS, "one set of options for each feed, parted by `;`", place)
        return tuple(map(tuple, feeds))

    def domain(self) -> str | Unread | None:
        try:
            return self.matching((DOMAIN,), _DOMAIN, "the name of a rack, a row or a power feed")
        except _NotKnownError as why:  # how the node is reached does not depend on that
            return Unread(str(why))

    def _option(self, word: str, place: Place) -> tuple[str, str]:
        name, is_set, value = word.partition("=")
        if _LOGINS.fullmatch(name):
            raise cannot_read(
                place,
                f"`{OPTIONS}` of `{self._host}` have a login in them: `{name}`",
                hint="take it out: logins are in the file that STACKWARD_BMC_AUTH names",
            )
        if name in _NOT_CHOSEN:
            why = f"`{OPTIONS}` of `{self._host}` have `{name}`, which Stackward says by itself"
            raise cannot_read(place, why, hint="take it out")
        if not is_set or not value.isprintable() or not _OPTION.fullmatch(name):
            raise ValueError(name)
        return name, value

    def _unfit(self, name: str, what: str, place: Place) -> BadInput:
        """Return the error for a value that makes no sense; one that may be secret is not in it."""
        value = self._variables[name]
        if value.is_quoted:
            return cannot_read(place, f"`{name}` is not {what}: `{value.text}`")
        return cannot_read(
            place,
            f"`{name}` of `{self._host}` is not {what}",
            hint="its value is not repeated here: Ansible may have decrypted it",
        )

    def _first(
        self, names: tuple[str, ...], *, may_be_empty: bool = False
    ) -> tuple[str, str, Place] | None:
        """Return the first variable that is set, with its place; what is null is not set."""
        for name in names:
            value = self._variables.get(name)
            if value is None:
                continue
            if value.hidden is not None:
                raise _NotKnownError(f"{value.hidden} ({value.place})")
            if value.text is None:
                continue
            if is_template(value.text):
                why = f"`{name}` is a template, which only Ansible can fill in ({value.place})"
                raise _NotKnownError(why)
            return (name, value.text, value.place) if value.text or may_be_empty else None
        return None
