"""Run a program of the host and report clearly how it went."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from stackward.errors import StepFailed

LAST_LINES = 6


def run(  # noqa: PLR0913  # each is one property of the process, all but the first optional
    command: Sequence[str | Path],
    *,
    stdin: str | bytes | None = None,
    env: Mapping[str, str] | None = None,
    ok: Sequence[int] = (0,),
    log: Path | None = None,
    timeout_s: float = 900,
    called: str | None = None,
) -> str:
    """Run `command` to its end and return what it wrote to stdout.

    Messages name it by its first words, or as it is `called`.
    With `log`, both outputs are appended to that file and nothing is returned.

    Raises StepFailed with the last lines of its words when the exit code is not in `ok`,
    or when it takes longer than `timeout_s` seconds.
    """
    words = [str(word) for word in command]
    environment = {**os.environ, **env} if env else None
    given = stdin.encode() if isinstance(stdin, str) else stdin or b""
    try:
        with log.open("ab") if log else nullcontext(subprocess.PIPE) as sink:
            ended = subprocess.run(
                words,
                input=given,
                env=environment,
                check=False,
                stdout=sink,
                stderr=subprocess.STDOUT if log else subprocess.PIPE,
                timeout=timeout_s,
            )
    except FileNotFoundError:
        raise StepFailed(f"the program `{words[0]}` is not on this machine") from None
    except subprocess.TimeoutExpired:
        raise StepFailed(f"`{called or words[0]}` did not end within {timeout_s:g} s") from None
    out, err = (
        ("", tail_of(log))
        if log
        else (ended.stdout.decode(errors="replace"), ended.stderr.decode(errors="replace"))
    )
    if ended.returncode not in ok:
        raise StepFailed(
            f"`{called or ' '.join(words[:4])}` failed (exit code {ended.returncode})",
            says=last_lines(err or out) or None,
            hint=f"the whole output is in {log}" if log else None,
        )
    return out


def succeeds(command: Sequence[str | Path], *, timeout_s: float = 60) -> bool:
    """Say whether `command` ends with exit code 0 in time."""
    try:
        return (
            subprocess.run(
                [str(word) for word in command],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=timeout_s,
            ).returncode
            == 0
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False


def python_module(module: str, *arguments: str | Path) -> list[str]:
    """Return the command that runs `module` in this interpreter."""
    return [sys.executable, "-m", module, *(str(argument) for argument in arguments)]


def path_with_own_programs(environment: Mapping[str, str]) -> str:
    """Return the PATH of `environment` with the programs of this interpreter's own in front."""
    return f"{sysconfig.get_path('scripts')}{os.pathsep}{environment.get('PATH', os.defpath)}"


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, as a whole or not at all."""
    unfinished = file.with_name(file.name + ".new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.rename(file)


def last_lines(text: str) -> str:
    """Return the last lines of `text` that say something."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-LAST_LINES:])


def tail_of(log: Path, size: int = 4096) -> str:
    """Return the end of a log file."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - size))
        return file.read().decode(errors="replace")
