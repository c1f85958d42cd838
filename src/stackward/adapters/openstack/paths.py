"""Paths of the APIs."""

from urllib.parse import quote


def at(form: str, *words: object) -> str:
    """Return a path; what an API called a thing is no path."""
    return form.format(*(quote(str(word), safe="") for word in words))
