"""A program of fence-agents that switches power, such as `fence_ipmilan` or one of a power strip.

It is a process of its own. It reads its orders from its standard input: so no login is in the words
of its command.
"""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stackward.adapters.power.logins import Logins
from stackward.adapters.ssh.processes import Closed, Cut, NotInTime, Processes, TooMuch
from stackward.errors import BadInput, NotUnderstood, Refused, Uncertain, Unreachable
from stackward.masking import masked
from stackward.model.hardware import Hardware
from stackward.model.power import DeviceName, PowerDevice, PowerState
from stackward.ports.shell import Answer

# How `status` ends; all else says nothing of the power.
_STATES = {0: PowerState.ON, 2: PowerState.OFF}
_PLACES = ("/usr/sbin", "/sbin", "/usr/local/sbin")  # not in everybody's PATH
_ACTION = re.compile(r'<action\s[^>]*\bname="([\w-]+)"')
_LONGEST = 300  # of its own words
_MOST_BYTES = 1 << 20
_TARGETS = ("plug", "port")  # of a strip: which outlet


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One outlet, or one BMC, that a program switches."""

    program: str
    options: Mapping[str, str]  # as its manual calls them; no login is in them
    logins: Logins
    processes: Processes

    @property
    def name(self) -> DeviceName:
        """Return the program, and where its device is."""
        target = next((self.options[each] for each in _TARGETS if self.options.get(each)), None)
        place = " ".join(
            part for part in (self._host, target and f"outlet {target}") if part
        )  # fmt: skip
        return DeviceName(how=Path(self.program).name, at=(place or "no address",))

    def state(self, within_s: float, /) -> PowerState:
        """Say whether the device gives power."""
        return self._state_in(self._run("status", within_s))

    def describe(self, within_s: float, /) -> PowerDevice:
        """Say what the program can do; of the node's own identity it knows nothing."""
        state = self.state(within_s)
        told = self._run("metadata", within_s)
        actions = tuple(dict.fromkeys(_ACTION.findall(told.out)))
        return PowerDevice(
            name=self.name,
            state=state,
            hardware=Hardware(),
            reset_types=tuple(each for each in actions if each in {"on", "off", "reboot", "cycle"}),
            can_force_off="off" in actions if actions else None,
        )

    def order_off(self, within_s: float, /) -> None:
        """Have it cut the power."""
        self._order("off", within_s)

    def order_on(self, within_s: float, /) -> None:
        """Have it give power."""
        self._order("on", within_s)

    def _order(self, action: str, within_s: float) -> None:
        try:
            answer = self._run(action, within_s)
        except Unreachable as error:
            raise error.as_kind(
                Uncertain, f"{self._called} did not end in time with `{action}`"
            ) from error
        if answer.code:
            raise Uncertain(
                f"{self._called} failed to carry out `{action}` (it ended with {answer.code})",
                says=_words_of(answer),
            )

    def _state_in(self, answer: Answer) -> PowerState:
        state = _STATES.get(answer.code)
        if state is None:
            raise NotUnderstood(
                f"{self._called} does not say whether the node is on (it ended with {answer.code})",
                says=_words_of(answer),
                hint="see that its device answers, that its login is right, and that "
                "`fence_options` name an outlet that it has",
            )
        return state

    @property
    def _called(self) -> str:
        return f"`{self.name.how}` ({', '.join(self.name.at)})"

    @property
    def _host(self) -> str | None:
        return self.options.get("ip") or self.options.get("ipaddr")

    def _run(self, action: str, within_s: float) -> Answer:
        given = {**self.options, "action": action}
        if self._host and (login := self.logins.of(self._host)):
            given |= {"username": login.user, "password": login.password}
            if any("\n" in word for word in (login.user, login.password)):
                raise BadInput(f"the login of `{self._host}` has a line end in it")
        lines = "".join(f"{name}={value}\n" for name, value in given.items() if value)
        try:
            return self.processes.run([_found(self.program)], lines, within_s, at_most=_MOST_BYTES)
        except NotInTime as error:
            raise Unreachable(
                f"{self._called} did not end within {within_s:.3g} s with `{action}`"
            ) from error
        except (TooMuch, Cut, Closed) as error:
            raise Unreachable(f"{self._called} was ended before its answer") from error
        except OSError as error:
            raise Refused(f"`{self.program}` cannot be started", says=error.strerror) from error


def _found(program: str) -> str:
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_PLACES))
    found = shutil.which(program, path=path)
    if found is None:
        raise Refused(
            f"there is no program `{program}` on this machine",
            hint="install Debian's package `fence-agents`, or correct `fence_agent`",
        )
    return found


def _words_of(answer: Answer) -> str | None:
    words = (answer.err.strip() or answer.out.strip())[-_LONGEST:]
    return masked(words) or None
