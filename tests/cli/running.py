"""Commands of one subject, run in this process."""

import pytest

from stackward.cli import main


class Run:
    """Runs a command and returns its exit code and what it wrote."""

    def __init__(self, capsys: pytest.CaptureFixture[str], subject: str) -> None:
        self._capsys, self._subject = capsys, subject

    def __call__(self, *words: str) -> tuple[int, str, str]:
        code = main([self._subject, *words])
        return (code, *self._capsys.readouterr())
