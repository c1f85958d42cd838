"""Whether a process of this machine still runs."""

from pathlib import Path


def runs(pid: int) -> bool:
    """Say whether a process is there, and is not a zombie that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
