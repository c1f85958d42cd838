"""Whether the memory of runs is in order."""

from stackward.adapters.store.database import file_of
from stackward.adapters.store.kept import found_by, open_histories
from stackward.adapters.store.listing import is_there
from stackward.app.journal import database_url
from stackward.engine.invariants import Broken, broken_in
from stackward.settings import Settings


def broken_invariants(settings: Settings, run_id: str | None) -> tuple[list[Broken], int]:
    """Return what is broken in the journal, or in one run, and how many runs were looked at.

    The database is read at one moment. It may have any version. Nothing in it is changed.
    """
    url = database_url(settings)
    file = file_of(url)
    if file is not None and not is_there(file):  # there are no runs yet
        if run_id is not None:
            found_by(run_id, ())
        return [], 0
    with open_histories(url, run_id) as kept:
        broken, looked = list[Broken](), 0
        for history in kept:
            broken += broken_in(history)
            looked += 1
    return broken, looked
