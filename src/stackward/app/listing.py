"""The latest runs, quickly: neither databases nor a cloud are imported where they are in a file."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from stackward.adapters.store import listing
from stackward.model.run import Run
from stackward.settings import Settings
from stackward.status.turn import seen_at

_LATEST = 200  # runs among which chains that go on are looked for


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


def nodes_to_come(settings: Settings, cloud: str) -> Mapping[str, Run]:
    """Return the nodes that chains of a cloud are still to take, each with its chain."""
    now = datetime.now(UTC)
    going = [
        run
        for run in (seen_at(each, now) for each in list_runs(settings, _LATEST))
        if run.is_chain and not run.state.is_over and run.is_in(cloud)
    ]
    return {node: run for run in reversed(going) for node in run.comes_to}
