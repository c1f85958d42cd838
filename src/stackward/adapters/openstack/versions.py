"""Which microversion a call is made at: the one it wants, or the newest that the service has."""

import re

from requests import Response

from stackward.adapters.openstack.answers import words_of
from stackward.errors import Refused

NOT_ACCEPTABLE = 406
_MAXIMUM = re.compile(r"maximum(?: version)? is (\d+\.\d+)", re.IGNORECASE)


class Versions:
    """The microversions of one service, as far as they are known."""

    def __init__(self, service: str, oldest: str | None) -> None:
        self._service = service
        self._oldest = oldest
        self._newest: tuple[int, int] | None = None  # None: it has not said so yet

    def offers_up_to(self, newest: tuple[float, ...] | None) -> None:
        """Take note of the newest version that the service offers."""
        if newest is not None and len(newest) == 2:  # noqa: PLR2004  # major and minor
            self._newest = (int(newest[0]), int(newest[1]))

    def has(self, version: str) -> bool:
        """Say whether the service has a version, as far as is known."""
        return self._newest is None or self._newest >= _pair(version)

    def lacks(self, version: str) -> Refused:
        """Return what is said of a version that an order needs, and that the service has not."""
        newest = _text(self._newest) if self._newest else "none that is known"
        return too_old(self._service, newest, version)

    def pick(self, wanted: str | None) -> str | None:
        """Return the version to ask at. Raises Refused for a service older than we can use."""
        if wanted is None or self._newest is None or self._newest >= _pair(wanted):
            return wanted
        if self._oldest is not None and self._newest < _pair(self._oldest):
            raise too_old(self._service, _text(self._newest), self._oldest)
        return _text(self._newest)

    def learns(self, answer: Response) -> bool:
        """Learn from a refusal which version is the newest; say whether it is worth another try."""
        newest = newest_of(answer)
        if newest is None or (self._newest is not None and self._newest <= newest):
            return False
        self._newest = newest
        return True


def newest_of(answer: Response) -> tuple[int, int] | None:
    """Return the newest version, as the refusal of another names it."""
    found = _MAXIMUM.search(words_of(answer))
    return _pair(found[1]) if found else None


def too_old(service: str, newest: str, oldest: str) -> Refused:
    """Return what is said of a service that is older than we can use."""
    return Refused(
        f"{service} is too old: it has microversions up to {newest}, and {oldest} is the oldest "
        "that Stackward can use",
        service=service,
    )


def older(wanted: str, newest: tuple[int, int]) -> str:
    """Return the older of two versions."""
    return wanted if _pair(wanted) <= newest else _text(newest)


def _pair(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
