"""The journal's tables, and how a database of an older version becomes one of this."""

from collections.abc import Callable, Sequence

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    select,
)

from stackward.adapters.store.listing import VERSION, too_new

ONLY_READS = "stackward_only_reads"  # an execution option: readers wait for no writer

metadata = MetaData()

schema_version = Table("journal_version", metadata, Column("version", Integer, nullable=False))

runs = Table(
    "runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("title", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("approval", Text, nullable=False),
    Column("holds", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("worker", String),
    Column("beat_at", String),
    Column("began_at", String),
    Column("ended_at", String),
    Column("ending", Text, nullable=False),
    Column("cancel_asked_by", String),
    Column("progress", Text, nullable=False),
)

# One row per node that a run needs for itself: the primary key is the exclusion.
holds = Table(
    "holds",
    metadata,
    Column("node", String, primary_key=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("step", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("mark", Text, nullable=False),
    Column("intended_at", String, nullable=False),
    Column("answered_at", String),
    Column("settled_at", String),
    Column("settled", String),
    Column("said", Text, nullable=False),
    Column("saw", Text, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False, index=True),
    Column("at", String, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("what", String, nullable=False),
    Column("thing", Text, nullable=False),
    Column("step", String, nullable=False),
    Column("says", Text, nullable=False),
)


def _first_tables(connection: Connection) -> None:
    metadata.create_all(connection)


# The n-th brings a database of version n to version n + 1. Entries are only ever added, and
# VERSION says how many there are.
MIGRATIONS: Sequence[Callable[[Connection], None]] = (_first_tables,)
assert len(MIGRATIONS) == VERSION  # noqa: S101  # a slip of ours, seen at the first start


def bring_up_to_date(
    engine: Engine, place: str, migrations: Sequence[Callable[[Connection], None]] = MIGRATIONS
) -> None:
    """Make the tables, or migrate those of an older version; refuse those of a newer one."""
    wanted = len(migrations)
    if _version(engine.execution_options(**{ONLY_READS: True})) == wanted:
        return
    with engine.begin() as connection:
        found = _version(connection)  # again, now that nobody else can write
        if found > wanted:
            raise too_new(place, found, wanted)
        for migrate in migrations[found:]:
            migrate(connection)
        schema_version.create(connection, checkfirst=True)
        connection.execute(schema_version.delete())
        connection.execute(schema_version.insert().values(version=wanted))


def _version(at: Engine | Connection) -> int:
    if not inspect(at).has_table(schema_version.name):
        return 0
    if isinstance(at, Engine):
        with at.connect() as connection:
            return _version(connection)
    return at.execute(select(schema_version.c.version)).scalar_one_or_none() or 0
