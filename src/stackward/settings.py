"""Where Stackward keeps its things: from STACKWARD_* variables, otherwise the usual places.

Root's places are the machine's (`/var/lib`); another user's are their own (XDG).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stackward.errors import BadInput

PREFIX = "STACKWARD_"
RECONCILE_WAIT_S = 30.0
LOGIN_PATTERN = r"[Ll]ogin: *$"
_MOST_WAIT_S = 3600.0
_TIER = re.compile(r"[A-Za-z0-9._-]+")


# A dataclass, not pydantic's model: that takes longer to import than `run list` may take in all.
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator may set for all commands."""

    state_dir: Path = field(
        metadata={"holds": "what Stackward must not forget: labs, runs, journals"}
    )
    cache_dir: Path = field(metadata={"holds": "what can be built again: images, downloads"})
    inventory: Path = field(metadata={"holds": "the inventory that names the nodes"})
    bmc_auth: Path = field(
        default=Path("/etc/stackward/bmc-auth"),
        metadata={"holds": "the logins of BMCs and power strips: a netrc file, mode 0600"},
    )
    bmc_ca: Path | None = field(
        default=None,
        metadata={"holds": "the certificates that vouch for BMCs; without it, the usual ones"},
    )
    inventory_reader: Path | None = field(
        default=None,
        metadata={"holds": "the `ansible-inventory` that reads it; without it, Stackward does"},
    )
    tiers: tuple[str, ...] = field(
        default=(),
        metadata={"holds": "the tiers of servers in the order of their start: `network,database`"},
    )
    reconcile_wait_s: float = field(
        default=RECONCILE_WAIT_S,
        metadata={
            "holds": "the seconds between two looks of `cloud reconcile`: what only one of them "
            "sees is not counted"
        },
    )
    login_pattern: str = field(
        default=LOGIN_PATTERN,
        metadata={
            "holds": "the regular expression that the last line of a console has once its guest is "
            "at a login prompt: `volume reattach` waits for it"
        },
    )
    database: str | None = field(
        default=None,
        repr=False,  # there may be a password in it
        metadata={"holds": "where runs are remembered: `postgresql://USER@HOST/NAME`"},
    )


def read_settings(environ: Mapping[str, str], *, is_root: bool) -> Settings:
    """Read the settings from environment variables; one that is not set has its usual place."""
    usual = usual_places(environ, is_root=is_root)
    for name in ("inventory_reader", "bmc_ca"):
        if environ.get(PREFIX + name.upper()):
            usual[name] = ""
    chosen = {name: environ.get(PREFIX + name.upper()) or place for name, place in usual.items()}
    database = environ.get(f"{PREFIX}DATABASE") or None
    tiers = environ.get(f"{PREFIX}TIERS") or ""
    wait = environ.get(f"{PREFIX}RECONCILE_WAIT_S") or ""
    login = environ.get(f"{PREFIX}LOGIN_PATTERN") or LOGIN_PATTERN
    _refuse_bytes({**chosen, "database": database or "", "tiers": tiers, "login_pattern": login})
    places = {name: _whole(text) for name, text in chosen.items()}
    wrong = [name for name, place in places.items() if place is None]
    if wrong:
        raise BadInput(
            "a setting is not an absolute path",
            details=[f"{PREFIX}{name.upper()}={chosen[name]}" for name in wrong],
            hint="start the path with `/` or `~/`",
        )
    whole = {name: place for name, place in places.items() if place is not None}
    return Settings(
        **whole,
        database=database,
        tiers=_tiers_in(tiers),
        reconcile_wait_s=_wait_in(wait),
        login_pattern=_pattern_in(login),
    )


def _pattern_in(words: str) -> str:
    """Return the pattern, once it is one."""
    try:
        re.compile(words)
    except re.error as error:
        raise BadInput(
            "a setting is not a regular expression",
            details=[f"{PREFIX}LOGIN_PATTERN={words}: {error}"],
            hint=f"write one as Python does, such as `{LOGIN_PATTERN}`",
        ) from error
    return words


def _wait_in(words: str) -> float:
    """Return how long the wait between two looks is; without one, no state would be seen twice."""
    if not words:
        return RECONCILE_WAIT_S
    try:
        seconds = float(words)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= _MOST_WAIT_S:
        raise BadInput(
            "a setting is not a number of seconds",
            details=[f"{PREFIX}RECONCILE_WAIT_S={words}"],
            hint=f"write a number from 1 to {_MOST_WAIT_S:.0f}, such as 30",
        )
    return seconds


def _tiers_in(words: str) -> tuple[str, ...]:
    """Return the tiers that are listed; each has its own name."""
    tiers = tuple(each.strip() for each in words.split(",") if each.strip())
    odd = [each for each in tiers if not _TIER.fullmatch(each) or tiers.count(each) > 1]
    if odd:
        raise BadInput(
            "a setting is not a list of tiers",
            details=[f"{PREFIX}TIERS={words}"],
            hint="write names with commas between, each once: letters, digits, `.`, `_`, `-`",
        )
    return tiers


def _refuse_bytes(chosen: Mapping[str, str]) -> None:
    """Refuse what is not UTF-8: no URL, no JSON and no message could have it."""
    wrong = [name for name, text in chosen.items() if any("\ud800" <= c <= "\udfff" for c in text)]
    if wrong:
        raise BadInput(
            "a setting is not text in UTF-8",
            details=[f"{PREFIX}{name.upper()}" for name in wrong],
            hint="name a place whose path is UTF-8",
        )


def _whole(text: str) -> Path | None:
    """Accept `~/x` and `/x`; a relative path would mean another place in every directory."""
    try:
        path = Path(text).expanduser()
    except RuntimeError:  # nobody is called so
        return None
    return path if path.is_absolute() else None


def usual_places(environ: Mapping[str, str], *, is_root: bool) -> dict[str, str]:
    """Return the place of each setting that is not set."""
    if is_root:
        return {
            "state_dir": "/var/lib/stackward",
            "cache_dir": "/var/cache/stackward",
            "inventory": "/etc/stackward/inventory",
            "bmc_auth": "/etc/stackward/bmc-auth",
        }
    return {
        "state_dir": _xdg(environ, "XDG_STATE_HOME", "~/.local/state"),
        "cache_dir": _xdg(environ, "XDG_CACHE_HOME", "~/.cache"),
        "inventory": _xdg(environ, "XDG_CONFIG_HOME", "~/.config") + "/inventory",
        "bmc_auth": _xdg(environ, "XDG_CONFIG_HOME", "~/.config") + "/bmc-auth",
    }


def _xdg(environ: Mapping[str, str], variable: str, otherwise: str) -> str:
    # The XDG specification: an unset, empty or relative value counts as not set.
    given = environ.get(variable, "")
    return f"{given if given.startswith('/') else otherwise}/stackward"
