"""The memory of runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from stackward.adapters.store.database import has_password, open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.errors import BadInput
from stackward.settings import Settings

if TYPE_CHECKING:  # what only reads needs no engine
    from stackward.engine import Brakes


def database_url(settings: Settings) -> str:
    """Return where runs are remembered."""
    return settings.database or url_of(settings.state_dir)


def with_database(settings: Settings, url: str) -> Settings:
    """Return the settings with a database that was named on the command line."""
    if has_password(url):
        raise BadInput(
            "there is a password in the URL of the database, where every user of this machine "
            "can read it",
            stands="nothing was started",
            hint="leave it out: put it into ~/.pgpass, or into a file that PGPASSFILE names; "
            "and change it, since it was shown",
        )
    return replace(settings, database=url)


@contextmanager
def open_journal(settings: Settings, brakes: "Brakes | None" = None) -> Iterator[SqlJournal]:
    """Open the database of runs; a process that leaves at once waits for no server that is away."""
    database = open_database(database_url(settings))
    journal = SqlJournal(database, gives_up=lambda: brakes is not None and brakes.is_leaving)
    try:
        yield journal
    finally:
        journal.close()
