"""The logins of BMCs and power strips: a netrc file that nobody else may read.

What is wrong with it is said by file and line; no word of it is repeated.
"""

import netrc
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from stackward.errors import BadInput, Refused
from stackward.masking import learn

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in to a device."""

    user: str
    password: str = field(repr=False)


class Logins:
    """The file of logins, read again each time: a changed password counts at once."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def of(self, host: str) -> Login | None:
        """Return the login for a host, or that of `default`; None where there is neither."""
        found = self._read(host)
        if found is None:
            return None
        user, _, password = found
        learn([password])
        return Login(user or "", password or "")

    def must_be(self, host: str) -> Login:
        """Return the login for a host; without one nothing can be asked there."""
        if (login := self.of(host)) is not None:
            return login
        line = f"machine {host} login USER password PASSWORD"
        raise Refused(
            f"there is no login for the device at `{host}` in `{self.file}`",
            hint=f"add the line `{line}`, and let only you read the file: "
            f"`chmod 600 {self.file}`; STACKWARD_BMC_AUTH names another file",
        )

    def _read(self, host: str) -> tuple[str, str | None, str | None] | None:
        try:
            self._refuse_if_others_may_read()
            return netrc.netrc(str(self.file)).authenticators(host)
        except FileNotFoundError:
            return None
        except netrc.NetrcParseError as error:
            # Its words may be those of the file: a password in the wrong place.
            raise self._unfit(f"it is not understood near line {error.lineno}") from None
        except UnicodeDecodeError as error:
            raise self._unfit("it is not text in UTF-8") from error
        except OSError as error:
            raise self._unfit(error.strerror or "it cannot be read") from error

    def _refuse_if_others_may_read(self) -> None:
        about = self.file.stat()
        if not stat.S_ISREG(about.st_mode):
            raise self._unfit("it is no file")
        if about.st_mode & _OTHERS:
            mode = f"{stat.S_IMODE(about.st_mode):04o}"
            raise self._unfit(
                f"others may read it (its mode is {mode})", hint=f"`chmod 600 {self.file}`"
            )
        if about.st_uid not in {0, os.geteuid()}:
            raise self._unfit("it belongs to somebody else", hint=f"`chown` it: {self.file}")

    def _unfit(self, why: str, *, hint: str | None = None) -> BadInput:
        return BadInput(f"the logins in `{self.file}` cannot be used: {why}", hint=hint)
