"""What is sent to a node for a conversation: its side of the talk, and the script that talks."""

from functools import cache
from importlib.resources import files


@cache
def script(name: str) -> str:
    """Return what is run on a node; what a name means there is in `on_node/`."""
    folder = files(__package__).joinpath("on_node")
    talk = folder.joinpath("talk.py").read_text("utf-8")
    own = folder.joinpath(f"{name}.py").read_text("utf-8")
    # One script: what must be first in a file of its own is there already.
    return f"{talk}\n{own.replace('from __future__ import annotations', '')}"
