"""What is sent to a node for a conversation: its side of the talk, and the script that talks."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_USES: Mapping[str, tuple[str, ...]] = MappingProxyType({"tail": ("scan",)})  # sent before it
_RUNS = '\n\nif __name__ == "__main__":'


@cache
def script(name: str) -> str:
    """Return what is run on a node; a name means the file of that name in `on_node/`."""
    folder = files(__package__).joinpath("on_node")
    first, *others = [
        folder.joinpath(f"{each}.py").read_text("utf-8")
        for each in ("talk", *_USES.get(name, ()), name)
    ]
    *used, own = [
        # One script: a line that must be the first of a file is there already.
        each.replace("from __future__ import annotations", "")
        for each in others
    ]
    return "\n".join((first, *(each.partition(_RUNS)[0] for each in used), own))
