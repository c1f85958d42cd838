"""Make the pictures of the documentation from real runs on a lab: `make pictures`.

Each is what a terminal of 100 columns showed, with its colours, drawn by rich. A picture is made in
a tmux of its own, so what a command draws live is seen as an operator sees it at the end.
"""

import io
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent / "pictures"
COLUMNS, MOST_LINES, FIRST_LINES = 100, 45, 12
COMMAND_S = 900
PROMPT = "$ "
# The shell counts its prompts in the title of the pane: so the end of a command is seen, and not
# guessed from a screen that may be of before its start.
COUNTING = 'PROMPTS=$((PROMPTS+1)); printf "\\033]2;%s\\033\\\\" "$PROMPTS"'
_FONT = re.compile(r"@font-face \{[^}]*\}", re.DOTALL)  # fetched from elsewhere: not here


# As an administrator does by hand: the first running server of the node is called so.
SET_STATE = (
    "python -c 'import sys, openstack; compute = openstack.connect().compute; "
    "first = sorted(compute.servers(all_projects=True), key=lambda one: one.name)[0]; "
    "compute.reset_server_state(first, sys.argv[1])'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A command, and what is done to the lab before and after it; those are not shown."""

    name: str
    title: str
    command: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


PICTURES = (
    Picture(
        name="check",
        title="a nova-compute has died",
        command="stackward cloud check",
        before=("stackward lab break --name {lab} nova-compute-killed c01",),
        after=("stackward lab mend --name {lab} nova-compute-killed c01",),
    ),
    Picture(
        name="blocked",
        title="a plan that is blocked",
        command='stackward node drain c01 --reason "bad DIMM" --dry-run',
        before=(f"{SET_STATE} error",),
        after=(f"{SET_STATE} active",),
    ),
    Picture(
        name="drain",
        title="a node is drained, and that is proved",
        command='stackward node drain c01 --reason "bad DIMM" --yes',
    ),
    Picture(
        name="run",
        title="what the run did",
        command="stackward run show $(stackward run list -f value -c ID | head -n 1)",
        after=("stackward node return c01 --network lab-net --bring-back --yes",),
    ),
)


class Terminal:
    """A shell in a tmux of its own."""

    def __init__(self, socket: str) -> None:
        self._tmux = ["tmux", "-L", socket]
        self._prompts = 1  # that the shell will have shown once it has done all that was typed

    def tell(self, *words: str) -> str:
        """Give tmux a command, and return what it prints."""
        ended = subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True)
        return ended.stdout

    def type(self, line: str) -> None:
        """Type a line, and wait until the prompt is there again."""
        self._until_ready()
        self._enter("clear")
        self.tell("clear-history")
        self._enter(line)

    def _enter(self, line: str) -> None:
        self.tell("send-keys", "-l", line)
        self.tell("send-keys", "Enter")
        self._prompts += 1
        self._until_ready()

    def shown(self) -> list[str]:
        """Return all lines since the last command, with their colours."""
        lines = self.tell("capture-pane", "-e", "-p", "-S", "-").rstrip("\n").split("\n")
        while lines and _bare(lines[-1]) in {"", PROMPT.strip()}:
            lines.pop()
        return lines

    def _until_ready(self) -> None:
        ends = time.monotonic() + COMMAND_S
        while time.monotonic() < ends:
            if self.tell("display-message", "-p", "#{pane_title}").strip() == str(self._prompts):
                return
            time.sleep(0.2)
        raise TimeoutError(self.tell("capture-pane", "-p"))


def _bare(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip()


@contextmanager
def terminal(lab: str) -> Iterator[Terminal]:
    """Open a terminal whose commands mean the lab."""
    socket = f"stackward-pictures-{os.getpid()}"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell = [
        "env",
        f"PATH={path}",
        f"PS1={PROMPT}",
        f"PROMPT_COMMAND={COUNTING}",
        "bash",
        "--norc",
        "--noprofile",
    ]
    size = ["-x", str(COLUMNS), "-y", "40"]
    opened = Terminal(socket)
    opened.tell("-f", "/dev/null", "new-session", "-d", *size, shlex.join(shell))
    try:
        opened.type(f'eval "$(stackward lab openrc --name {lab})"')
        yield opened
    finally:
        opened.tell("kill-server")


def drawn(lines: list[str], title: str) -> str:
    """Return the picture of some lines."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for line in lines:
        console.print(Text.from_ansi(line), no_wrap=True, crop=True)
    return _FONT.sub("", console.export_svg(title=title))


def shortened(lines: list[str]) -> list[str]:
    """Return at most so many lines: the beginning, where the worst stands, and the end."""
    if len(lines) <= MOST_LINES:
        return lines
    return [*lines[:FIRST_LINES], "...", *lines[FIRST_LINES + 1 - MOST_LINES :]]


def main(lab: str, *only: str) -> None:
    """Make all pictures, or those named, on a lab of at least three compute nodes."""
    HERE.mkdir(exist_ok=True)
    with terminal(lab) as opened:
        opened.type("stackward lab load 4 --node c01 --name " + lab)
        for picture in (one for one in PICTURES if not only or one.name in only):
            for line in picture.before:
                opened.type(line.format(lab=lab))
            opened.type(picture.command)
            lines = shortened(opened.shown())
            (HERE / f"{picture.name}.svg").write_text(drawn(lines, picture.title) + "\n")
            print(f"{picture.name}: {len(lines)} lines")
            for line in picture.after:
                opened.type(line.format(lab=lab))


if __name__ == "__main__":
    main(*sys.argv[1:])
