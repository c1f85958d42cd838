"""The logs of living nodes, as the port `LogSource`: the scanner is sent over ssh.

It runs as root where the login may do that; otherwise as the login, and names what that may not
read.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from stackward.errors import StackwardError, Uncertain
from stackward.facts.talks import script
from stackward.model.clock_offset import Offset
from stackward.model.values import Json
from stackward.ports.clock import Clock
from stackward.ports.log_source import as_given
from stackward.ports.root import SCAN_LOGS, TALK
from stackward.ports.shell import Conversation, TalkingShell, refusal

EXCHANGES = 5  # of which the shortest counts
_NO_PYTHON = 127
_ASKED_S = 5.0  # for one of them


class NodeLogs:
    """Sends the scanner to the nodes of an inventory."""

    def __init__(self, shell: TalkingShell, clock: Clock, nodes: Sequence[str]) -> None:
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

    def scan(self, node: str, scanner: str, asked: Mapping[str, Json], *, within_s: float) -> str:
        """Run the scanner on a node, as root if sudo allows that."""
        given = as_given(scanner, json.dumps(asked))
        answer = self._shell.run(node, SCAN_LOGS, as_root=True, given=given, within_s=within_s)
        if refusal(answer) is not None:
            answer = self._shell.run(node, SCAN_LOGS, given=given, within_s=within_s)
        if answer.code == _NO_PYTHON:
            raise Uncertain(f"`{node}` was not read", says="there is no `/usr/bin/python3` on it")
        if answer.code != 0:
            says = answer.err.strip() or f"the log scanner ended with {answer.code}"
            raise Uncertain(f"the logs of `{node}` were not read", says=says)
        return answer.out

    def talk(
        self, node: str, script: str, /, *, as_root: bool
    ) -> AbstractContextManager[Conversation]:
        """Start a script on a node and talk to it."""
        return self._shell.talk(node, TALK, script, as_root=as_root)

    def offset(self, node: str, /, *, is_anew: bool = False) -> Offset | None:
        """Measure how far a node's clock is from ours: the shortest of some exchanges counts.

        They are asked over one connection: to log in is no part of what is measured. The node
        looked at its clock at some time between our question and its answer: that is the error.
        """
        if is_anew or node not in self._offsets:
            self._offsets[node] = self._measured(node)
        return self._offsets[node]

    def _measured(self, node: str) -> Offset | None:
        try:
            with self._shell.talk(node, TALK, script("clock")) as talk:
                found = [self._exchange(talk) for _ in range(EXCHANGES)]
        except (StackwardError, ValueError):
            return None
        return min(found, key=lambda one: one.error_s)

    def _exchange(self, talk: Conversation) -> Offset:
        began, at = self._clock.monotonic(), self._clock.now().timestamp()
        talk.say(b"?")
        theirs = float(talk.hear(within_s=_ASKED_S) or b"")
        took_s = self._clock.monotonic() - began
        return Offset(ahead_s=theirs - (at + took_s / 2), error_s=took_s / 2)
