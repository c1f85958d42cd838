"""The journal's tables, and how a database of an older version is migrated to this one."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Dialect,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    inspect,
    select,
    text,
)
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from stackward.adapters.store.listing import VERSION, too_new
from stackward.errors import Locked, Refused
from stackward.model.run import RunState

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
    Column("for_workers", Boolean, nullable=False, server_default=false()),
    Column("deaths", Integer, nullable=False, server_default="0"),
    Column("cloud", String),
    Column("due_at", String),
    Column("due_by", String),
    Column("until", String),
    Column("turn_asked", Text),
    Column("chain", String, index=True),
    Column("item", String),
    Column("comes_to", Text),
    Column("part", Integer, nullable=False, server_default="0"),
    Column("passes_on", Boolean, nullable=False, server_default=false()),
)

ANY_CLOUD = ""  # in a hold: of a run that does not say in which cloud it is, so it excludes in all

# One row per node that a run needs for itself: the primary key is the exclusion.
holds = Table(
    "holds",
    metadata,
    Column("cloud", String, primary_key=True),
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


# Those that live, or have died and were not missed yet.
workers = Table(
    "workers",
    metadata,
    Column("name", String, primary_key=True),
    Column("life", String, nullable=False),
    Column("machine", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("since", String, nullable=False),
    Column("beats", Integer, nullable=False),
    Column("beat_at", String, nullable=False),
    Column("cloud", String),
)

# What was last seen of each node, by each source: the latest only.
observations = Table(
    "observations",
    metadata,
    Column("cloud", String, primary_key=True),
    Column("node", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("source", String, primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", String, nullable=False),
)


def _workers(connection: Connection) -> None:
    connection.execute(
        text(
            "CREATE TABLE workers (name VARCHAR NOT NULL, life VARCHAR NOT NULL, "
            "machine VARCHAR NOT NULL, pid INTEGER NOT NULL, since VARCHAR NOT NULL, "
            "beats INTEGER NOT NULL, beat_at VARCHAR NOT NULL, PRIMARY KEY (name))"
        )
    )
    connection.execute(
        text("ALTER TABLE runs ADD COLUMN for_workers BOOLEAN DEFAULT false NOT NULL")
    )
    connection.execute(text("ALTER TABLE runs ADD COLUMN deaths INTEGER DEFAULT 0 NOT NULL"))


def _observations(connection: Connection) -> None:
    metadata.tables["observations"].create(connection)


def _clouds(connection: Connection) -> None:
    for table in ("runs", "workers"):
        connection.execute(text(f"ALTER TABLE {table} ADD COLUMN cloud VARCHAR"))
    # SQLite cannot change a primary key; there are as many holds as nodes that runs have now.
    kept = connection.execute(text("SELECT node, run_id FROM holds")).all()
    connection.execute(text("DROP TABLE holds"))
    metadata.tables["holds"].create(connection)
    for node, run_id in kept:
        row = {"cloud": ANY_CLOUD, "node": node, "run_id": run_id}
        connection.execute(metadata.tables["holds"].insert().values(row))


def _without_dbos(_: Connection) -> None:
    """Change no table: a version that had DBOS carry runs out must not work next to this one.

    It hears nothing of queued runs, and its own tables know nothing of what is done here.
    """


def _turns(connection: Connection) -> None:
    """Let runs wait for their time; a version that does not know this would begin them at once."""
    for name, kind in (
        ("due_at", "VARCHAR"),
        ("due_by", "VARCHAR"),
        ("until", "VARCHAR"),
        ("turn_asked", "TEXT"),
    ):
        connection.execute(text(f"ALTER TABLE runs ADD COLUMN {name} {kind}"))


def _chains(connection: Connection) -> None:
    """Allow a chain to start runs; a version without chains would end what it does not see."""
    for name, kind in (
        ("chain", "VARCHAR"),
        ("item", "VARCHAR"),
        ("comes_to", "TEXT"),
    ):
        connection.execute(text(f"ALTER TABLE runs ADD COLUMN {name} {kind}"))
    connection.execute(text("CREATE INDEX ix_runs_chain ON runs (chain)"))


def _parts(connection: Connection) -> None:
    """Let an item of a chain be several runs; a version without this would free its node."""
    connection.execute(text("ALTER TABLE runs ADD COLUMN part INTEGER DEFAULT 0 NOT NULL"))
    connection.execute(text("ALTER TABLE runs ADD COLUMN passes_on BOOLEAN DEFAULT false NOT NULL"))


# The n-th brings a database of version n + 1 to version n + 2; a new one is made as it is now.
# Entries are only ever added.
MIGRATIONS: Sequence[Callable[[Connection], None]] = (
    _workers,
    _observations,
    _clouds,
    _without_dbos,
    _turns,
    _chains,
    _parts,
)
assert len(MIGRATIONS) + 1 == VERSION  # noqa: S101  # a slip of ours, seen at the first start

_HEARD_WITHIN = timedelta(seconds=60)  # a worker that has shown life since then may still write
_MIGRATION_LOCK = 0x57A7C3A8D  # any number, as long as it is always the same


_CREATING: dict[str, tuple[str, ...]] = {}  # by the name of a dialect


def creating(dialect: Dialect) -> tuple[str, ...]:
    """Return the statements that make all tables, the same as `metadata.create_all` sends."""
    if dialect.name not in _CREATING:
        statements = list[ExecutableDDLElement]()
        for table in metadata.sorted_tables:
            statements.append(CreateTable(table))
            indexes = sorted(table.indexes, key=lambda index: str(index.name))
            statements += map(CreateIndex, indexes)
        _CREATING[dialect.name] = tuple(str(each.compile(dialect=dialect)) for each in statements)
    return _CREATING[dialect.name]


def bring_up_to_date(
    engine: Engine, place: str, migrations: Sequence[Callable[[Connection], None]] = MIGRATIONS
) -> None:
    """Make the tables, or migrate those of an older version; refuse those of a newer one."""
    wanted = len(migrations) + 1
    with engine.execution_options(**{ONLY_READS: True}).connect() as reader:
        found = _version(reader)
    if found == wanted:
        return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
            lock = text("SELECT pg_advisory_xact_lock(:key)")
            connection.execute(lock, {"key": _MIGRATION_LOCK})
        found = _version(connection)  # again, now that nobody else can write
        if found > wanted:
            raise too_new(place, found, wanted)
        if found == 0:
            _refuse_what_is_not_ours(connection, place)
            for statement in creating(connection.dialect):  # there are none: looked at above
                connection.exec_driver_sql(statement)
        else:
            _refuse_while_others_work(connection, place)
        for migrate in migrations[found - 1 :] if found else ():
            migrate(connection)
        connection.execute(schema_version.delete())
        connection.execute(schema_version.insert().values(version=wanted))


def _refuse_while_others_work(connection: Connection, place: str) -> None:
    """Refuse to change the tables while an older version still works with them."""
    now = datetime.now(UTC)

    def was_heard(beat_at: str | None) -> bool:
        # By its own clock: one whose clock is ahead counts as heard of.
        return beat_at is not None and now - datetime.fromisoformat(beat_at) < _HEARD_WITHIN

    working = select(runs.c.id, runs.c.worker, runs.c.beat_at).where(
        runs.c.state == RunState.RUNNING.value
    )
    living = [
        f"run `{run_id}` is carried out by `{worker}`"
        for run_id, worker, beat_at in connection.execute(working.order_by(runs.c.id))
        if was_heard(beat_at)
    ]
    if inspect(connection).has_table(workers.name):
        waiting = select(workers.c.name, workers.c.machine, workers.c.pid, workers.c.beat_at)
        living += [
            f"worker `{name}` lives: process {pid} on `{machine}`"
            for name, machine, pid, beat_at in connection.execute(waiting.order_by(workers.c.name))
            if was_heard(beat_at)
        ]
    if living:
        raise Locked(
            f"the database of runs in `{place}` is not brought up to date while an older version "
            "of Stackward works with it",
            details=living,
            stands="nothing was changed",
            hint="let its runs end and stop its workers; a minute after the last sign of life this "
            "version goes on",
        )


def _refuse_what_is_not_ours(connection: Connection, place: str) -> None:
    if theirs := sorted(inspect(connection).get_table_names()):
        raise Refused(
            f"the database `{place}` is not Stackward's: it holds "
            f"{', '.join(f'`{name}`' for name in theirs[:3])}",
            hint="name a database of Stackward, or a new and empty one",
        )


def _version(connection: Connection) -> int:
    # As an inspector asks, without making one: each command opens a journal.
    if not connection.dialect.has_table(connection, schema_version.name):
        return 0
    return connection.execute(select(schema_version.c.version)).scalar_one_or_none() or 0
