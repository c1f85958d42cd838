"""What it means that ssh does not lead to a node, by what it writes, and what to do about each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stackward.model.blind import Blind
from stackward.model.login import Login, by_hand, forgetting
from stackward.model.unread import Hindrance, Unread


@dataclass(frozen=True, slots=True)
class _Saying:
    """A line that OpenSSH writes, as a pattern of the whole of it."""

    kind: Blind
    line: str
    is_of_the_way: bool = True  # ssh writes it and ends: no command has been sent by then

    def found_in(self, says: str) -> str | None:
        """Return the first line that is it."""
        found = re.search(rf"^(?:{self.line})\r?$", says, re.MULTILINE)
        return found[0].strip() if found else None


# All that is known of what OpenSSH writes when it does not lead to a node. The line that says most
# is first: others that say less follow it.
_SAYINGS = (
    _Saying(
        Blind.SETTINGS,
        r"Can't open user config file .*|command-line:? line \d+:.*|unknown option -- .*"
        r"|\S+: line \d+: Bad configuration option: .*|Bad owner or permissions on .*"
        r"|Bad port '.*|Unknown cipher type .*|Invalid -J argument"
        r"|Can't specify both -y and -E",
    ),
    _Saying(Blind.KEY_CHANGED, r"Host key for .+ has changed\b.*"),
    _Saying(Blind.REFUSED, r".*\bhost key .*\bwas revoked\b.*"),
    _Saying(Blind.KEY_UNKNOWN, r"No .*host key is known for .+"),
    # For a jump host, only this line reports it.
    _Saying(Blind.KEY_UNKNOWN, r"Host key verification failed\b.*"),
    # The list of methods ends it: before OpenSSH 7.6 nobody was named.
    _Saying(Blind.REFUSED, r"(?:.+@.+: )?Permission denied \([^()]*\)\."),
    _Saying(Blind.REFUSED, r"Received disconnect from .*: Too many authentication failures"),
    _Saying(Blind.NO_SSHD, r"ssh: connect to .*: Connection refused"),
    # Of a jump host; and of a forwarded port, at any time.
    _Saying(
        Blind.NO_SSHD,
        r"channel \d+: open failed: connect failed: Connection refused",
        is_of_the_way=False,
    ),
    _Saying(
        Blind.UNREACHABLE,
        r"ssh: (?:connect to|Could not resolve) .*|(?:kex|ssh)_exchange_identification: .*"
        r"|banner exchange: .*|Connection timed out during banner exchange"
        r"|Unable to negotiate with .*",
    ),
)

# The shared connection broke at the request; ssh then makes its own, and reports on that.
_TRIED_BEFORE = re.compile(r"^mux_client_request_session: read from master failed", re.MULTILINE)

_TRUST = (
    "; before you answer yes, compare the fingerprint with that on the console of the node "
    "(`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`). `ssh-keyscan` does not ask: it trusts "
    "any machine that answers, so use it only on a network that you trust"
)
KEY_UNKNOWN = "log in once by hand: {login}" + _TRUST
KEYS_UNKNOWN = "log in to each once by hand: {login}" + _TRUST
KEY_CHANGED = (
    "do not log in before you know why: was it reinstalled, or does another machine have "
    "its address? If its console shows the same new fingerprint "
    "(`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), forget the old key: {forget}; then log "
    "in once by hand: {login}"
)
KEYS_CHANGED = (
    "do not log in before you know why: were they reinstalled, or do other machines have their "
    "addresses? If the console of a node shows the same new fingerprint (`ssh-keygen -lf "
    "/etc/ssh/ssh_host_ed25519_key.pub`), forget the old key, of all: {forget}; then log in to "
    "each once by hand: {login}"
)
REFUSED = (
    "see which user and which keys are offered: {login}; then set `ansible_user` or "
    "`ansible_ssh_private_key_file` in the inventory, add your key to the agent (`ssh-add -l` "
    "lists its keys), or put your public key on the node (`ssh-copy-id`)"
)
SETTINGS = (
    "correct `ansible_ssh_common_args` in the inventory, or your own `~/.ssh/config`; then try it "
    "with: {login}"
)
NO_WAY = "see how far ssh comes: {login}"
UNNAMED = (
    "add the node to the inventory by the name that Nova has for it; where it is there by another "
    "name, give it its address: `ansible_host`"
)
MAKE_SSH_WORK = "make `ssh` to it work as the inventory says"
LATE = "see whether it takes a login, and what hangs there: {login}"
_NONE_KEPT = (
    " (first take `UserKnownHostsFile=/dev/null` out of the inventory: with it no host key is kept)"
)
_HINTS = {
    Blind.KEY_UNKNOWN: KEY_UNKNOWN,
    Blind.KEY_CHANGED: KEY_CHANGED,
    Blind.REFUSED: REFUSED,
    Blind.SETTINGS: SETTINGS,
}
_BY_KEY = {Blind.KEY_UNKNOWN, Blind.KEY_CHANGED}
_VERBOSE = {Blind.REFUSED, Blind.NO_SSHD, Blind.UNREACHABLE}


def why_not(says: str) -> tuple[Blind, str]:
    """Return what kept ssh from a node, and the line of its words that says so.

    Of a way that several programs make (a jump host, a proxy) these are the words of all of them.
    """
    for saying in _SAYINGS:
        if saying.kind is not Blind.UNREACHABLE and (line := saying.found_in(says)):
            return saying.kind, line
    lines = says.strip().splitlines()
    return Blind.UNREACHABLE, lines[-1] if lines else ""


def ended_on_the_way(says: str) -> bool:
    """Say whether ssh has ended before it sent a command; what is not known is no proof of it.

    `says` must be ssh's own words and nobody else's: a command may write the same.
    """
    if _TRIED_BEFORE.search(says):
        return False
    return any(saying.is_of_the_way and saying.found_in(says) for saying in _SAYINGS)


def words_for(kind: Blind, logins: Sequence[Login]) -> dict[str, str]:
    """Return what is filled into a remedy: the commands with their real users and addresses."""
    login = by_hand(logins, verbose=kind in _VERBOSE)
    if kind in _BY_KEY and any(one.forgets for one in logins):
        login += _NONE_KEPT
    return {"login": login, "forget": forgetting(logins)}


def hint_for(kind: Blind, login: Login) -> str:
    """Return what to do about a node to which ssh does not lead."""
    return _HINTS.get(kind, NO_WAY).format(**words_for(kind, [login]))


def hint_to_look(login: Login) -> str:
    """Return what to do about a node that was asked, and did not answer."""
    return LATE.format(login=by_hand([login]))


def way_to(unread: Unread) -> str:
    """Return what leads to a node of which nothing could be read."""
    if unread.by is Hindrance.UNNAMED:
        return unread.hint or UNNAMED
    return unread.hint or MAKE_SSH_WORK
