"""How a person logs in to a node as Stackward does: the commands that hints and remedies name."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

MOST_NAMED = 20  # addresses in one loop: what is longer is read by nobody
# What decides which machine is reached, as which user, and by which keys it is known. An inventory
# may give ssh other options (such as not to check keys). A login by hand does not use them.
_TOLD = {
    "proxyjump", "proxycommand", "hostname", "hostkeyalias", "port", "user", "identityfile",
    "userknownhostsfile", "globalknownhostsfile",
}  # fmt: skip
_WITH_A_WORD = {"-J", "-F", "-i", "-l", "-p"}
_MAY_BE_SECRET = re.compile(r"pass|secret|token", re.IGNORECASE)
_SSH_PORT = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A way to one node by ssh; what is not in it is left to the operator's own ssh_config."""

    address: str
    user: str | None = None
    port: int | None = None
    options: tuple[str, ...] = ()  # further arguments of ssh

    @property
    def to(self) -> str:
        """Return the word that gives ssh the machine and the user."""
        return f"{self.user}@{self.address}" if self.user else self.address

    @property
    def told(self) -> tuple[str, ...]:
        """Return the arguments that a login by hand needs too; a secret is not repeated."""
        port = ("-p", str(self.port)) if self.port else ()
        return (*port, *_needed(self.options))

    @property
    def known_as(self) -> str:
        """Return the name that its host key has in `known_hosts`."""
        is_usual = self.port in {None, _SSH_PORT}
        return self.address if is_usual else f"[{self.address}]:{self.port}"

    @property
    def forgets(self) -> bool:
        """Say whether no host key is ever kept, by what the inventory hands to ssh."""
        return any("knownhostsfile=/dev/null" in _option(word) for word in self.options)


def by_hand(logins: Sequence[Login], *, verbose: bool = False) -> str:
    """Return what logs in to each once: a command, or a loop over those that share a way."""
    ssh = ("ssh", "-v") if verbose else ("ssh",)
    return "; ".join(
        _once([*ssh, *told], [one.to for one in those]) for told, those in _ways(logins).items()
    )


def forgetting(logins: Sequence[Login]) -> str:
    """Return what takes the kept host key of each out of `known_hosts`."""
    return _once(["ssh-keygen", "-R"], [one.known_as for one in logins], then="")


def _ways(logins: Sequence[Login]) -> Mapping[tuple[str, ...], Sequence[Login]]:
    ways: dict[tuple[str, ...], list[Login]] = {}
    for one in logins:
        ways.setdefault(one.told, []).append(one)
    return ways


def _once(command: Sequence[str], to: Sequence[str], then: str = " true") -> str:
    words = shlex.join(command)
    if len(to) == 1:
        return f"`{words} {shlex.quote(to[0])}{then}`"
    named = shlex.join(to[:MOST_NAMED])
    loop = f'`for to in {named}; do {words} "$to"{then}; done`'
    more = len(to) - MOST_NAMED
    return f"{loop} and {more} more (`stackward node list`)" if more > 0 else loop


def _needed(options: Sequence[str]) -> Iterator[str]:
    """Return the arguments that give the machine and the user, each option as separate words."""
    words = iter(options)
    for word in words:
        if word in _WITH_A_WORD:
            yield from (word, next(words, ""))
        elif word[:2] in _WITH_A_WORD:
            yield from (word[:2], word[2:])
        elif word.startswith("-o"):
            setting = word[2:] or next(words, "")
            name = _option(setting).partition("=")[0]
            if name in _TOLD:
                hides = name == "proxycommand" and _MAY_BE_SECRET.search(setting)
                yield from ("-o", "ProxyCommand=..." if hides else setting)


def _option(setting: str) -> str:
    """Return a setting in one form: ssh takes any case, and a blank for the `=`."""
    return re.sub(r"\s*[=\s]\s*", "=", setting.removeprefix("-o").strip(), count=1).lower()
