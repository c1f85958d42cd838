"""What was printed, in a form in which it can be compared."""

import re
from collections.abc import Iterable

_CODE = re.compile(r"`[^`]+`")


def folded(text: str) -> str:
    """Return all words with one blank between them, however columns set them apart."""
    return " ".join(text.split())


def too_wide(lines: Iterable[str], width: int) -> list[str]:
    """Return the lines that are wider, and could have been broken: a command alone may not be.

    Before it on its line stands at most one word, such as "remedy".
    """
    wide = (line for line in lines if len(line) > width)
    return [line for line in wide if len(_CODE.sub("`", line).split()) > 2]
