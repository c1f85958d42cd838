"""List runs from the SQLite journal with the standard library alone.

SQLAlchemy takes longer to import than a listing may take. All other commands use `SqlJournal`.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from stackward.adapters.store.rows import to_run
from stackward.errors import Refused, Unreachable
from stackward.model.run import UNDONE, Run

FILE = "journal.sqlite"
VERSION = 8  # of the tables, and of what may write to them

# An event of the run that was undone says which run undid it: it names that run as its thing.
_RUNS = """
    SELECT runs.*,
      (SELECT thing FROM events WHERE run_id = runs.id AND what = ? ORDER BY number DESC LIMIT 1)
        AS undone_by
    FROM runs ORDER BY id DESC LIMIT ?
"""


def list_runs(path: Path, limit: int) -> Sequence[Run]:
    """Return the latest runs, the newest first; where there is no journal yet, there are none."""
    if not is_there(path):
        return []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as journal:
            journal.row_factory = sqlite3.Row
            [(version,)] = journal.execute("SELECT version FROM journal_version")
            if version > VERSION:
                raise too_new(str(path), version, VERSION)
            rows = journal.execute(_RUNS, (UNDONE, limit))
            return [to_run(dict(row)) for row in rows]
    except sqlite3.Error as error:
        raise Unreachable(
            f"the database of runs `{path}` cannot be read",
            says=str(error),
            hint="see that it can be read, and is a database",
        ) from error


def is_there(path: Path) -> bool:
    """Say whether there is a journal yet; one that cannot be seen is not called missing."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise Unreachable(
            f"the database of runs `{path}` cannot be read",
            says=error.strerror,
            hint="see that it can be read, or set STACKWARD_STATE_DIR to another directory",
        ) from error
    return True


def too_new(place: str, found: int, known: int) -> Refused:
    """Return the refusal of a journal that a newer version wrote."""
    return Refused(
        f"the database of runs in `{place}` was written by a newer version of Stackward "
        f"({found}; this one knows {known})",
        hint="use that version, or another database: STACKWARD_DATABASE",
    )
