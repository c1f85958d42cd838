"""Ctrl-C and hang-up as a terminal really sends them, to a process; see at_a_terminal.py."""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.store.listing import FILE, list_runs
from stackward.model.run import RunState

SCRIPT = Path(__file__).with_name("at_a_terminal.py")
CTRL_C = b"\x03"
LOOK_S = 0.05
LOOKS = 1200  # a guard against hanging, not a measure
ROWS, COLUMNS = 50, 200


class Terminal:
    """A terminal, and the drain that runs at it."""

    def __init__(self, place: Path) -> None:
        self.place, self.shown = place, ""
        (place / "inventory").write_text("compute-07\n")
        self.keyboard, its_side = os.openpty()
        fcntl.ioctl(its_side, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        own = {
            "STACKWARD_STATE_DIR": str(place),
            "STACKWARD_INVENTORY": str(place / "inventory"),
            "TERM": "xterm",
        }
        self.command = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(place)],
            env={**os.environ, **own},
            stdin=its_side,
            stdout=its_side,
            stderr=its_side,
            start_new_session=True,
        )
        os.close(its_side)

    def type(self, keys: bytes) -> None:
        os.write(self.keyboard, keys)

    def watch_until(self, is_so: Callable[[], bool]) -> None:
        """Take in what is shown, until something is so."""
        for _ in range(LOOKS):
            if is_so():
                return
            self._look()
        pytest.fail(f"it never came to that; shown was:\n{self.shown}")

    def _look(self) -> None:
        """Take in what is written within a look's time."""
        if select.select([self.keyboard], [], [], LOOK_S)[0]:
            try:
                self._take_in(os.read(self.keyboard, 65536))
            except OSError:  # EIO: it has closed the terminal, and may not have ended yet
                with suppress(subprocess.TimeoutExpired):
                    self.command.wait(timeout=LOOK_S)

    def _take_in(self, written: bytes) -> None:
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode(errors="replace"))
        self.shown += plain.replace("\r", "")

    def shows(self, text: str) -> Callable[[], bool]:
        return lambda: text in self.shown

    def is_under_way(self) -> bool:
        return (self.place / "under-way").exists()

    def let_it_settle(self) -> None:
        (self.place / "go-on").touch()

    def has_ended(self) -> bool:
        return self.command.poll() is not None

    def hang_up(self) -> None:
        os.close(self.keyboard)
        self.keyboard = -1


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.command.kill()
    terminal.command.wait()
    if terminal.keyboard >= 0:
        terminal.hang_up()


def how_moves_ended(place: Path) -> list[tuple[str, str | None]]:
    """Return what the journal tells of the moves that were begun."""
    [run] = list_runs(place / FILE, 9)
    journal = SqlJournal(open_database(url_of(place)))
    attempts = [each for each in journal.attempts(run.id) if each.step.startswith("move/")]
    journal.close()
    return [(each.step, each.settled) for each in attempts]


def test_ctrl_c_begins_nothing_more_and_ends_once_the_move_under_way_has_settled(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.watch_until(terminal.is_under_way)
    terminal.type(CTRL_C)
    terminal.watch_until(terminal.shows("begins nothing more, waits for what is under way"))
    had_ended = terminal.has_ended()
    terminal.let_it_settle()
    terminal.watch_until(terminal.has_ended)

    [run] = list_runs(tmp_path / FILE, 9)
    assert (had_ended, terminal.command.returncode, run.state) == (False, 4, RunState.STOPPED)
    assert [settled for _, settled in how_moves_ended(tmp_path)] == ["done"]
    assert f"`stackward run resume {run.id}` continues" in terminal.shown


def test_ctrl_c_twice_leaves_at_once_and_names_what_is_under_way(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.watch_until(terminal.is_under_way)
    terminal.type(CTRL_C)
    terminal.watch_until(terminal.shows("begins nothing more, waits for what is under way"))
    terminal.type(CTRL_C)
    terminal.watch_until(terminal.has_ended)

    [run] = list_runs(tmp_path / FILE, 9)
    assert (terminal.command.returncode, run.state) == (4, RunState.STOPPED)
    assert [settled for _, settled in how_moves_ended(tmp_path)] == [None]
    assert "`db-01` is under way" in terminal.shown
    assert f"`stackward run resume {run.id}` continues" in terminal.shown


def test_a_terminal_that_is_closed_under_a_run_stops_it_with_its_own_exit_code(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.watch_until(terminal.is_under_way)
    terminal.hang_up()
    terminal.let_it_settle()
    terminal.command.wait(timeout=60)

    [run] = list_runs(tmp_path / FILE, 9)
    assert (terminal.command.returncode, run.state) == (4, RunState.STOPPED)
    assert run.ending.reason == "interrupted: 1 not begun in stage `move`"


def test_a_terminal_that_is_closed_ends_the_run_as_ctrl_c_does(
    terminal: Terminal, tmp_path: Path
) -> None:
    """It dies neither of the hang-up, however often that is sent, nor of a failed write."""
    terminal.watch_until(terminal.is_under_way)
    terminal.command.send_signal(signal.SIGHUP)  # as a shell passes it on
    terminal.watch_until(terminal.shows("begins nothing more, waits for what is under way"))
    terminal.hang_up()
    terminal.let_it_settle()
    terminal.command.wait(timeout=60)

    [run] = list_runs(tmp_path / FILE, 9)
    assert (terminal.command.returncode, run.state) == (4, RunState.STOPPED)
    assert [settled for _, settled in how_moves_ended(tmp_path)] == ["done"]


def test_what_the_run_has_proved_is_read_once_on_a_terminal(terminal: Terminal) -> None:
    """The lines of the run have each proof already: the account of it counts them."""
    terminal.let_it_settle()
    terminal.watch_until(terminal.has_ended)
    terminal.watch_until(terminal.shows("the node is empty"))

    assert terminal.command.returncode == 0
    _, account = terminal.shown.rsplit("`, drain `compute-07`: succeeded\n", 1)
    assert terminal.shown.count("proved: no servers are on `compute-07`\n") == 1
    assert "no servers are on" not in account
    assert "proved: 6 checks, shown above\n" in account
