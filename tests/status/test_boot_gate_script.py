"""What the script of a boot gate does at boot, by a real shell."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from stackward.model import boot_gate


class Boot:
    """The script with paths of its own, and a `systemctl` that says how the machine is."""

    def __init__(self, place: Path) -> None:
        self.opened, self.planned = place / "run" / "open", place / "lib" / "planned"
        text = boot_gate.SCRIPT_TEXT.replace(boot_gate.OPENED, str(self.opened))
        self.script = place / "gate"
        self.script.write_text(text.replace(boot_gate.PLANNED, str(self.planned)))
        self.path = place / "bin"
        self.path.mkdir()

    def run(self, word: str, state: str = "running") -> int:
        systemctl = self.path / "systemctl"
        systemctl.write_text(f"#!/bin/sh\necho {state}\n")
        systemctl.chmod(0o755)
        env = {**os.environ, "PATH": f"{self.path}:{os.environ['PATH']}"}
        return subprocess.run(["/bin/sh", str(self.script), word], env=env, check=False).returncode

    def crash(self) -> None:
        """Lose what is in memory."""
        self.opened.unlink(missing_ok=True)

    def reboot(self, *, took_s: float = 60) -> None:
        """Stop the unit while the machine shuts down, and come back."""
        assert self.run("stopped", "stopping") == 0
        at = time.time() - took_s
        os.utime(self.planned, (at, at))
        self.crash()


def test_after_a_crash_it_keeps_nova_compute_off(tmp_path: Path) -> None:
    boot = Boot(tmp_path)

    assert boot.run("may-start") == 1
    assert boot.run("may-start") == 1


def test_while_it_is_open_nova_compute_may_start_as_often_as_it_likes(tmp_path: Path) -> None:
    boot = Boot(tmp_path)
    boot.opened.parent.mkdir()
    boot.opened.touch()

    assert [boot.run("may-start"), boot.run("stopped"), boot.run("may-start")] == [0, 0, 0]
    assert not boot.planned.exists(), "a stop alone is no reboot"


def test_after_a_planned_reboot_it_opens_by_itself_and_for_that_boot_alone(tmp_path: Path) -> None:
    boot = Boot(tmp_path)
    boot.reboot()
    assert [boot.run("may-start"), boot.run("may-start")] == [0, 0]

    boot.crash()

    assert boot.run("may-start") == 1, "the reboot before this crash was planned, the crash was not"


@pytest.mark.parametrize(
    ("took_s", "code"),
    [(boot_gate.FRESH_S - 30, 0), (boot_gate.FRESH_S + 1, 1), (-600, 1)],
    ids=["in time", "too late", "a clock that went back"],
)
def test_a_shutdown_counts_for_a_quarter_of_an_hour(
    took_s: float, code: int, tmp_path: Path
) -> None:
    boot = Boot(tmp_path)
    boot.reboot(took_s=took_s)

    assert boot.run("may-start") == code


def test_what_cannot_be_forgotten_does_not_open_it(tmp_path: Path) -> None:
    boot = Boot(tmp_path)
    boot.reboot()
    boot.planned.unlink()
    boot.planned.mkdir()  # `rm -f` fails

    assert boot.run("may-start") == 1


def test_no_line_of_it_has_a_quote_that_would_end_the_echo() -> None:
    assert "'" not in boot_gate.SCRIPT_TEXT + boot_gate.DROP_IN_TEXT
    assert "\\" not in boot_gate.SCRIPT_TEXT, "the echo of dash would read it"
