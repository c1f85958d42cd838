"""Say what time it is, as often as it is asked; run on a node behind `talk.py`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stackward.facts.on_node.talk import Talk  # noqa: TC004  # it is sent before this file


def main(talk: Talk) -> None:
    """Answer each question with this node's clock."""
    while talk.hear() is not None:
        talk.say(repr(time.time()).encode())


if __name__ == "__main__":
    main(Talk())  # of `talk.py`, which is sent before it
