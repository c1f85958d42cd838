"""The latest runs, quickly: neither databases nor a cloud are imported where they are in a file."""

from collections.abc import Sequence

from stackward.adapters.store import listing
from stackward.model.run import Run
from stackward.settings import Settings


def list_runs(settings: Settings, limit: int) -> Sequence[Run]:
    """Return the latest runs; quickly, where they are in a file."""
    if settings.database is None:
        return listing.list_runs(settings.state_dir / listing.FILE, limit)
    from stackward.adapters.store.database import file_of  # noqa: PLC0415  # see above

    file = file_of(settings.database)
    if file is not None:
        return listing.list_runs(file, limit)
    from stackward.app.journal import open_journal  # noqa: PLC0415  # same

    with open_journal(settings) as journal:
        return journal.runs(limit=limit)
