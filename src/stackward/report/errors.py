"""Errors as the operator reads them.

What could not be done, to what; why, in the other side's words; the state now; what to do. Without
colour it reads the same.
"""

from stackward.errors import StackwardError
from stackward.report.text import on_one_line, printable, wrap
from stackward.report.times import in_words


def render_error(error: StackwardError, width: int | None = None) -> str:
    """Return the whole message, several lines, with a line end.

    `width` is that of the terminal; None: no line is broken.
    """
    lines = wrap(f"error: {printable(in_words(error.message))}", width, rest="  ")
    for detail in error.details:
        lines += wrap(printable(in_words(detail)), width, first="  ", rest="    ")
    if error.says is not None:
        quoted = _quoted(error.says, error.service, error.request_id)
        lines += wrap(quoted, width, first="  ", rest="    ")
    elif error.request_id is not None:
        lines.append(f"  request {printable(error.request_id)}")
    if error.stands is not None:
        lines += wrap(printable(in_words(error.stands)), width)
    if error.hint is not None:
        lines += ["", *wrap(f"hint: {printable(in_words(error.hint))}", width, rest="  ")]
    return "\n".join(lines) + "\n"


def _quoted(says: str, service: str | None, request_id: str | None) -> str:
    who = f"{printable(service)} says" if service else "the answer was"
    where = f" ({printable(request_id)})" if request_id else ""
    return f'{who}: "{on_one_line(says)}"{where}'
