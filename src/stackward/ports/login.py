"""What it means that ssh does not lead to a node, by what it writes, and what to do about each."""

import re
from collections.abc import Sequence

from stackward.model.compute import Hindrance, Unread
from stackward.model.login import Login, by_hand, forgetting
from stackward.model.survey import Blind

# As OpenSSH writes them, the line that tells most first: it ends with others that tell less.
_CAUSES = (
    (
        Blind.SETTINGS,
        re.compile(
            r"^(?:Can't open user config file .*|command-line:? line \d+:.*|unknown option -- .*"
            r"|\S+: line \d+: Bad configuration option: .*|Bad owner or permissions on .*"
            r"|Bad port '.*|Unknown cipher type .*)$",
            re.MULTILINE,
        ),
    ),
    (Blind.KEY_CHANGED, re.compile(r"^Host key for .+ has changed\b.*$", re.MULTILINE)),
    (Blind.REFUSED, re.compile(r"^.*\bhost key .*\bwas revoked\b.*$", re.MULTILINE)),
    (Blind.KEY_UNKNOWN, re.compile(r"^No .*host key is known for .+$", re.MULTILINE)),
    # A jump host's is told by this line alone.
    (Blind.KEY_UNKNOWN, re.compile(r"^Host key verification failed\b.*$", re.MULTILINE)),
    (
        Blind.REFUSED,
        re.compile(
            r"^.*(?:Permission denied [(]|Too many authentication failures).*$", re.MULTILINE
        ),
    ),
    (Blind.NO_SSHD, re.compile(r"^.*\bConnection refused\r?$", re.MULTILINE)),
)

_TRUST = (
    "; before you answer yes, compare the fingerprint with that on the console of the node "
    "(`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`). `ssh-keyscan` does not ask: it trusts "
    "whoever answers, so use it only on a network that you trust"
)
KEY_UNKNOWN = "log in once by hand: {login}" + _TRUST
KEYS_UNKNOWN = "log in to each once by hand: {login}" + _TRUST
KEY_CHANGED = (
    "do not log in before you know why: was it installed anew, or does another machine have "
    "its address? Where its console shows the new fingerprint too "
    "(`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), forget the old key: {forget}; then log "
    "in once by hand: {login}"
)
KEYS_CHANGED = (
    "do not log in before you know why: were they installed anew, or do other machines have "
    "their addresses? Where the console of a node shows the new fingerprint too "
    "(`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), forget the old key, of all: {forget}; "
    "then log in to each once by hand: {login}"
)
REFUSED = (
    "see which user and which keys are offered: {login}; then set `ansible_user` or "
    "`ansible_ssh_private_key_file` in the inventory, add your key to the agent (`ssh-add -l` "
    "lists its keys), or put your public key on the node (`ssh-copy-id`)"
)
SETTINGS = (
    "mend what ssh is given: `ansible_ssh_common_args` in the inventory, or your own "
    "`~/.ssh/config`; by hand: {login}"
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
    """Return what kept ssh from a node, and the line of its words that says so."""
    for kind, pattern in _CAUSES:
        if found := pattern.search(says):
            return kind, found[0].strip()
    lines = says.strip().splitlines()
    return Blind.UNREACHABLE, lines[-1] if lines else ""


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
