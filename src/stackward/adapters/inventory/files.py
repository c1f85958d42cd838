"""Text from files, or a clear error that says why there is none."""

from pathlib import Path

from stackward.adapters.inventory.written import Place, by_ansible, cannot_read
from stackward.errors import BadInput

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_text(path: Path, *, comments: str = "") -> str:
    """Return what is in an inventory file.

    A line that begins with one of `comments` may hold bytes that are not UTF-8: it becomes empty.
    """
    hint = None
    try:
        if path.is_dir():
            reason, hint = "it is a directory", by_ansible()
        else:
            given = path.read_bytes()
            if not given.startswith(b"#!"):
                return _decoded(path, given, comments)
            reason, hint = "it is a script, and Stackward runs none", by_ansible()
    except FileNotFoundError:
        reason = "there is no such file"
        hint = "name one with `--inventory FILE` or in STACKWARD_INVENTORY"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    raise BadInput(f"cannot read the inventory `{path}`: {reason}", hint=hint)


def _decoded(path: Path, given: bytes, comments: str) -> str:
    lines = given.removeprefix(_BYTE_ORDER_MARK).splitlines(keepends=True)
    read: list[str] = []
    for number, line in enumerate(lines, start=1):
        try:
            read.append(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            if comments and line.strip()[:1].decode("ascii", "replace") in comments:
                read.append("\n")
                continue
            raise cannot_read(
                Place(str(path), number),
                f"it is not UTF-8 text (byte {error.start + 1} of the line)",
                hint=f"convert the file, if it is Latin-1: `iconv -f LATIN1 -t UTF-8 {path}`",
            ) from None
    return "".join(read)


def has_byte_order_mark(path: Path) -> bool:
    """Say whether a file begins with a byte order mark, as some editors write it."""
    with path.open("rb") as file:
        return file.read(len(_BYTE_ORDER_MARK)) == _BYTE_ORDER_MARK
