"""What `systemctl` answers, read for every room that asks it; another form is `NotUnderstood`."""

import re

from stackward.answers import lines, one_of, understood, whole

ACTIVES = (
    "active", "inactive", "failed", "activating", "deactivating", "reloading", "refreshing",
    "maintenance", "unknown",
)  # fmt: skip
_ENABLED = (
    "enabled", "enabled-runtime", "linked", "linked-runtime", "alias", "masked", "masked-runtime",
    "static", "indirect", "disabled", "generated", "transient", "bad", "not-found", "",
)  # fmt: skip
_VERSION = re.compile(r"systemd (\d+)\b")


def read_version(out: str) -> int:
    """Read `systemctl --version`: its first line is `systemd 257 (257.7-1)`."""
    with understood("`systemctl --version`", out):
        found = _VERSION.match(out)
        return whole(found[1] if found else None)


def read_active(out: str) -> str:
    """Read `systemctl is-active`: one word, with any exit code."""
    with understood("`systemctl is-active`", out):
        return one_of(out.strip(), *ACTIVES)


def read_enabled(out: str) -> str:
    """Read `systemctl is-enabled`: one word, or nothing where there is no such unit."""
    with understood("`systemctl is-enabled`", out):
        return one_of(out.strip(), *_ENABLED)


def read_facts(out: str) -> dict[str, str]:
    """Read `systemctl show` of one unit: `Name=value` in each line."""
    with understood("`systemctl show`", out):
        found = {}
        for line in lines(out):
            name, equals, value = line.partition("=")
            one_of(equals, "=")
            found[name] = value
        return found
