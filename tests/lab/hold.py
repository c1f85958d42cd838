"""A lab is for one run of tests at a time: what one breaks or removes, another stumbles over."""

import fcntl
import os
from pathlib import Path
from typing import IO

import pytest

from stackward.settings import read_settings


class Hold:
    """Keeps other runs of tests from a lab, for as long as this process lives or until released."""

    def __init__(self, lab: str, folder: Path | None = None) -> None:
        """Name the lab; `folder` is where such locks are, else that of the labs."""
        self._lab = lab
        self._folder = folder or read_settings(os.environ, is_root=True).state_dir
        self._file: IO[str] | None = None

    @property
    def is_ours(self) -> bool:
        """Say whether this run has the lab."""
        return self._file is not None

    def take(self) -> None:
        """Take the lab; fail where another run has it, and say which."""
        if self._file is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        file = (self._folder / f"tests-on-{self._lab}.lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            by = file.read().strip() or "unknown"
            file.close()
            pytest.fail(
                f"another run of tests, process {by}, has the lab `{self._lab}`: wait for its end, "
                f"or take another lab by STACKWARD_TEST_LAB",
                pytrace=False,
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let others have it."""
        if self._file is not None:
            self._file.close()
            self._file = None
