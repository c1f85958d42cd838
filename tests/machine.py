"""What some tests need of the machine: what is missing is said at the start, with how to get it."""

import os
import shutil
from pathlib import Path

PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

# By Debian's package; each with its program, and with what is proved by that.
NEEDS = {
    "postgresql": ("initdb", "workers that share a database"),
    "pgbouncer": ("pgbouncer", "workers behind a connection pooler"),
    "prometheus": ("promtool", "the alert rules"),
    "sudo": ("visudo", "the sudoers file"),
    "systemd": ("systemd-analyze", "the unit of a worker"),
}


# Tests also wait: with two processes for two cores, these are idle a third of the time.
PROCESSES_FOR_A_CORE = 2


def pytest_xdist_auto_num_workers() -> int:
    """Say how many processes `-n auto` starts."""
    return PROCESSES_FOR_A_CORE * (os.cpu_count() or 1)


def is_here(program: str) -> bool:
    """Say whether a program is installed; those of PostgreSQL's server are on nobody's path."""
    return (
        shutil.which(program, path=PLACES) is not None
        or next(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), None) is not None
    )


def pytest_report_header() -> list[str]:
    """Say what will be skipped."""
    missing = {package: what for package, what in NEEDS.items() if not is_here(what[0])}
    said = [f"will be skipped: {proved}: no {program}" for program, proved in missing.values()]
    if os.geteuid() != 0:
        said.append("will be skipped: what a real sudo allows: it takes root")
    if missing:
        said.append(f"to run them too: apt-get install {' '.join(missing)}")
    return said
