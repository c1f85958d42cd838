"""Commands that a step runs as root on a node, one after the other."""

from collections.abc import Sequence
from functools import partial

from stackward.errors import StepFailed
from stackward.ports import root
from stackward.ports.shell import refusal
from stackward.ports.world import World
from stackward.steps.in_turn import ask_in_turn


def must_all(world: World, node: str, commands: Sequence[root.Words], *, note: str = "") -> None:
    """Run each; `note` is what one that writes a text is given.

    Raises StepFailed where one is refused or fails, Unreachable where not even the first was sent.
    """

    def must(command: root.Words) -> None:
        given = note if command in root.GIVEN_A_TEXT else ""
        _must(world, node, command, given=given)

    ask_in_turn([partial(must, command) for command in commands])


def _must(world: World, node: str, command: root.Words, *, given: str = "") -> None:
    answer = world.shell.run(node, command, as_root=True, given=given)
    if (refused := refusal(answer)) is not None:
        raise StepFailed(
            f"`{' '.join(command)}` may not be run as root on `{node}`",
            service="sudo",
            says=refused,
            hint=f"add to a file in /etc/sudoers.d there: `{root.line(command)}`",
        )
    if answer.code != 0:
        raise StepFailed(
            f"`{' '.join(command)}` failed on `{node}`",
            service=command[0],
            says=answer.err.strip() or f"code {answer.code}",
        )
