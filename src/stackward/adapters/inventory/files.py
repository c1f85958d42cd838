"""Text from files, or a clear error that says why there is none."""

from dataclasses import dataclass
from pathlib import Path

from stackward.adapters.inventory.written import Place, by_ansible, cannot_read
from stackward.errors import BadInput

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was read, once: it may be a pipe."""

    path: Path
    given: bytes

    @property
    def has_byte_order_mark(self) -> bool:
        """Say whether it begins with a byte order mark, as some editors write it."""
        return self.given.startswith(_BYTE_ORDER_MARK)

    def text(self, *, comments: str = "") -> str:
        """Return what is in it, without a byte order mark.

        A line that begins with one of `comments` may hold other bytes than UTF-8: it is left empty.
        """
        lines = self.given.removeprefix(_BYTE_ORDER_MARK).splitlines(keepends=True)
        return "".join(self._line(*each, comments) for each in enumerate(lines, start=1))

    def _line(self, number: int, line: bytes, comments: str) -> str:
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            if comments and line.strip()[:1].decode("ascii", "replace") in comments:
                return "\n"
            raise cannot_read(
                Place(str(self.path), number),
                f"it is not UTF-8 text (byte {error.start + 1} of the line)",
                hint=f"convert the file, if it is Latin-1: `iconv -f LATIN1 -t UTF-8 {self.path}`",
            ) from None


def read_file(path: Path) -> File:
    """Read a file of an inventory."""
    hint = None
    try:
        if path.is_dir():
            reason, hint = "it is a directory", by_ansible()
        else:
            given = path.read_bytes()
            if not given.startswith(b"#!"):
                return File(path, given)
            reason, hint = "it is a script, and Stackward runs none", by_ansible()
    except FileNotFoundError:
        reason = "there is no such file"
        hint = "name one with `--inventory FILE` or in STACKWARD_INVENTORY"
    except OSError as error:
        reason = why(error)
    raise BadInput(f"cannot read the inventory `{path}`: {reason}", hint=hint)


def why(error: OSError) -> str:
    """Return what the system says, in lower case."""
    return (error.strerror or str(error)).lower()
