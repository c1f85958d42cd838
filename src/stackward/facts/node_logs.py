"""The logs of living nodes, as the port `LogSource`: the scanner is sent over ssh.

It runs as root where the login may have it so; else as the login, and names what that may not read.
"""

import json
from collections.abc import Mapping, Sequence

from stackward.errors import StackwardError, Uncertain
from stackward.model.clock_offset import Offset
from stackward.model.values import Json
from stackward.ports.clock import Clock
from stackward.ports.log_source import as_given
from stackward.ports.root import SCAN_LOGS
from stackward.ports.shell import Shell, refusal

EXCHANGES = 5  # of which the shortest counts
NOW = ("date", "+%s.%N")
_NO_PYTHON = 127
_ASKED_S = 5.0  # for one of them


class NodeLogs:
    """Sends the scanner to the nodes of an inventory."""

    def __init__(self, shell: Shell, clock: Clock, nodes: Sequence[str]) -> None:
        self._shell, self._clock = shell, clock
        self._offsets: dict[str, Offset | None] = {}
        self._nodes = tuple(nodes)

    @property
    def nodes(self) -> Sequence[str]:
        """Return the nodes that the inventory names."""
        return self._nodes

    @property
    def is_collected(self) -> bool:
        """Say that the nodes themselves are asked."""
        return False

    def scan(self, node: str, script: str, asked: Mapping[str, Json], *, within_s: float) -> str:
        """Run the scanner on a node, as root if sudo allows that."""
        given = as_given(script, json.dumps(asked))
        answer = self._shell.run(node, SCAN_LOGS, as_root=True, given=given, within_s=within_s)
        if refusal(answer) is not None:
            answer = self._shell.run(node, SCAN_LOGS, given=given, within_s=within_s)
        if answer.code == _NO_PYTHON:
            raise Uncertain(f"`{node}` was not read", says="there is no `/usr/bin/python3` on it")
        if answer.code != 0:
            says = answer.err.strip() or f"the log scanner ended with {answer.code}"
            raise Uncertain(f"the logs of `{node}` were not read", says=says)
        return answer.out

    def offset(self, node: str, /) -> Offset | None:
        """Measure how far a node's clock is from ours: the shortest of some exchanges counts.

        The node looked at its clock at some time between our question and its answer: that time is
        the error.
        """
        if node not in self._offsets:
            found = [one for _ in range(EXCHANGES) if (one := self._exchange(node)) is not None]
            self._offsets[node] = min(found, key=lambda one: one.error_s, default=None)
        return self._offsets[node]

    def _exchange(self, node: str) -> Offset | None:
        began, at = self._clock.monotonic(), self._clock.now().timestamp()
        try:
            answer = self._shell.run(node, NOW, within_s=_ASKED_S)
            theirs = float(answer.out.split()[-1])
        except (StackwardError, ValueError, LookupError):
            return None
        took_s = self._clock.monotonic() - began
        return Offset(ahead_s=theirs - (at + took_s / 2), error_s=took_s / 2)
