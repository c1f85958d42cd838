"""PostgreSQL itself tells who listens what was queued; who cannot hear it notices, and says so."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import event
from typing_extensions import override

from postgres import Proxy, Server, a_pooler, a_server, a_standby, name_of
from stackward.adapters.store.database import open_database
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.store.listener import Calls, Listener
from stackward.adapters.store.statements import QUEUED
from stackward.adapters.wakeup import SocketWakeup
from stackward.lab.waiting import wait_until
from stackward.model.run import Approval, Run, RunState, Said
from stackward.model.worker import Worker

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WITHIN_S = 60.0  # a guard against hanging, not a measure
CALLS = Calls(every_s=0.2, heard_s=30.0, again_s=0.5)
SOON = Calls(every_s=0.2, heard_s=2.0, again_s=0.5)  # notices a call that was not heard


def a_run(run_id: str = "01A", *, for_workers: bool = True) -> Run:
    approval = Approval(by="ann", at=NOON, how="--yes")
    return Run(
        id=run_id,
        title="drain",
        plan="{}",
        approval=approval,
        holds=(run_id,),
        for_workers=for_workers,
    )


def a_worker(name: str = "w1") -> Worker:
    return Worker(name=name, life=f"life of {name}", machine="m", pid=1, since=NOON)


@dataclass
class Ear:
    """Somebody who listens."""

    listener: Listener
    woken: threading.Event
    said: list[str]
    connections: list[object] = field(default_factory=list)

    def wait_until_it(self, *, hears: bool) -> None:
        assert wait_until(lambda: self.listener.hears is hears, within_s=WITHIN_S, every_s=0.01), (
            self.said
        )
        if hears:
            # What wakes it because it begins to hear is over: from now on it is the queue.
            assert self.woken.wait(WITHIN_S)
            self.woken.clear()

    def is_woken(self) -> bool:
        return self.woken.wait(WITHIN_S)


@contextmanager
def an_ear(url: str, me: str = "me", calls: Calls = CALLS) -> Iterator[Ear]:
    engine, woken, said = open_database(url), threading.Event(), list[str]()
    made: list[object] = []
    event.listen(engine, "detach", lambda connection, _: made.append(connection))
    listener = Listener(engine, me, woken.set, said.append, calls)
    try:
        yield Ear(listener, woken, said, made)
    finally:
        listener.close()
        engine.dispose()


@contextmanager
def journal_in(url: str) -> Iterator[SqlJournal]:
    journal = SqlJournal(open_database(url))
    yield journal
    journal.close()


def taken_up(journal: SqlJournal) -> Run:
    journal.enlist(a_worker())
    journal.add(a_run())
    return journal.take_up("01A", "w1", NOON, life="life of w1", seen=0)


def stopped(journal: SqlJournal) -> Run:
    run = taken_up(journal)
    return journal.end(run.id, run.epoch, RunState.STOPPED, NOON, Said())


@pytest.mark.parametrize(
    ("before", "queue"),
    [
        pytest.param(lambda _: None, lambda j, _: j.add(a_run()), id="approved for the workers"),
        pytest.param(stopped, lambda j, run: j.queue(run.id, "ann", NOON), id="given to them"),
        pytest.param(
            taken_up,
            lambda j, run: j.end(run.id, run.epoch, RunState.QUEUED, NOON, Said()),
            id="left to others",
        ),
        pytest.param(taken_up, lambda j, _: j.bury(a_worker(), NOON), id="of a dead worker"),
        pytest.param(taken_up, lambda j, _: j.retire(a_worker(), NOON), id="of one that leaves"),
    ],
)
def test_who_listens_is_woken_by_every_transaction_that_queues_a_run(
    postgres: Server,
    before: Callable[[SqlJournal], Run],
    queue: Callable[[SqlJournal, Run], object],
) -> None:
    with journal_in(url := postgres.emptied_database()) as journal:
        run = before(journal)
        with an_ear(url) as ear:
            ear.wait_until_it(hears=True)

            queue(journal, run)

            assert ear.is_woken()
            assert journal.queued() == ["01A"]
    assert ear.said == []


def test_a_run_that_its_command_carries_out_wakes_nobody(postgres: Server) -> None:
    """What is told comes in the order of the commits: until its own last word it hears all."""
    with (
        journal_in(url := postgres.emptied_database()) as journal,
        psycopg.connect(url, autocommit=True) as heard,
    ):
        heard.execute(f'LISTEN "{QUEUED}"'.encode())

        journal.add(a_run("01A", for_workers=False))
        journal.add(a_run("01B"))
        heard.execute("SELECT pg_notify(%s, 'the end')", [QUEUED])

        told = [each.payload for each in heard.notifies(timeout=1)]
    assert (len(told), told[-1]) == (2, "the end")


def test_two_that_listen_are_not_woken_by_the_calls_of_the_other(postgres: Server) -> None:
    url = postgres.emptied_database()
    with an_ear(url, "one") as one, an_ear(url, "two") as two:
        one.wait_until_it(hears=True)
        two.wait_until_it(hears=True)
        calls = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE query LIKE '%pg_notify%' AND pid <> pg_backend_pid()"
        )

        assert wait_until(
            lambda: postgres.sql(calls, name_of(url))[0][0] == 2, within_s=WITHIN_S, every_s=0.05
        )

        assert (one.woken.is_set(), two.woken.is_set()) == (False, False)


def test_it_is_not_ended_by_a_server_that_ends_idle_sessions(postgres: Server) -> None:
    """It was, at each end of that time: a line and another connection, and a run was seen late."""
    url = postgres.new_database()
    postgres.sql(f"ALTER DATABASE {name_of(url)} SET idle_session_timeout = '500ms'")
    is_idle_for_longer = (
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' "
        "AND state = 'idle' AND now() - state_change > interval '1500ms'"
    )
    with an_ear(url) as ear, journal_in(url) as journal:
        ear.wait_until_it(hears=True)

        assert wait_until(
            lambda: postgres.sql(is_idle_for_longer) == [(1,)] or bool(ear.said),
            within_s=WITHIN_S,
            every_s=0.05,
        )
        journal.add(a_run())

        assert ear.is_woken()
    assert (ear.said, len(ear.connections)) == ([], 1)


def test_one_that_cannot_even_begin_to_hear_says_so(postgres: Server) -> None:
    """Its one connection listens: none is left that could call it."""
    postgres.sql("DROP DATABASE IF EXISTS narrow")
    postgres.sql("DROP ROLE IF EXISTS narrow")
    postgres.sql("CREATE ROLE narrow LOGIN CONNECTION LIMIT 1")
    postgres.sql("CREATE DATABASE narrow OWNER narrow")

    with an_ear(postgres.url("narrow").replace("postgres@", "narrow@")) as ear:
        assert wait_until(lambda: bool(ear.said), within_s=WITHIN_S, every_s=0.01)

        assert ear.listener.hears is False
        assert "too many connections for role" in ear.said[0]


def test_a_defect_of_ours_is_one_line_and_who_waits_looks_by_itself(
    postgres: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def defect(_: object) -> float:
        raise ZeroDivisionError("of a\nbad kind")

    with an_ear(postgres.url("postgres")) as ear:
        ear.wait_until_it(hears=True)
        monkeypatch.setattr(Listener, "_call", defect)

        assert ear.is_woken()
        assert wait_until(lambda: bool(ear.said), within_s=WITHIN_S, every_s=0.01)

    assert not ear.listener.hears
    assert len(ear.said) == 1
    assert ear.said[0].endswith("This is a defect of Stackward: ZeroDivisionError: of a bad kind")
    assert "Traceback" not in capfd.readouterr().err


def test_it_hears_again_after_the_server_was_restarted(postgres: Server) -> None:
    url = postgres.new_database()
    with an_ear(url) as ear, journal_in(url) as journal:
        ear.wait_until_it(hears=True)

        postgres.restart()
        assert wait_until(lambda: len(ear.said) == 2, within_s=WITHIN_S, every_s=0.01), ear.said
        ear.wait_until_it(hears=True)
        journal.add(a_run())

        assert ear.is_woken()
    assert ear.said[0].startswith("is not notified of queued runs, and looks more often until it")
    assert ear.said[1] == "is notified of queued runs again"


def test_it_hears_again_after_another_server_has_become_the_primary() -> None:
    with a_server("fsync = off", "max_wal_senders = 4") as primary, a_standby(primary) as standby:
        name = name_of(primary.new_database())
        hosts = "".join(f"&host={each.place}:{each.port}" for each in (primary, standby))
        url = f"postgresql://postgres@/{name}?target_session_attrs=read-write{hosts}"
        with an_ear(url) as ear:
            ear.wait_until_it(hears=True)

            primary.stop()
            standby.control("promote")
            assert wait_until(lambda: len(ear.said) == 2, within_s=WITHIN_S, every_s=0.01), ear.said
            ear.wait_until_it(hears=True)
            with journal_in(url) as journal:
                journal.add(a_run())

                assert ear.is_woken()
                assert journal.queued() == ["01A"]


class Deafening(Proxy):
    """Lets nothing through any more to those who have sent LISTEN, and keeps them connected."""

    is_deaf = False

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._listening: set[socket.socket] = set()

    @override
    def _has_asked(self, client: socket.socket, message: bytes) -> None:
        if b"LISTEN" in message:
            self._listening.add(client)

    @override
    def _lets_out(self, client: socket.socket) -> bool:
        return not (self.is_deaf and client in self._listening)


def test_a_connection_that_is_dead_without_a_sign_is_noticed_and_replaced(
    postgres: Server,
) -> None:
    with (
        Deafening(postgres) as proxy,
        an_ear(proxy.to(url := postgres.emptied_database()), calls=SOON) as ear,
        journal_in(url) as journal,
    ):
        ear.wait_until_it(hears=True)

        proxy.is_deaf = True
        ear.wait_until_it(hears=False)
        proxy.is_deaf = False
        ear.wait_until_it(hears=True)
        journal.add(a_run())

        assert ear.is_woken()
    assert ear.said[0] == (
        "is not notified of queued runs, and looks more often until it is: "
        "a call of its own was not heard"
    )


def test_behind_a_pooler_of_transactions_it_says_once_that_it_needs_a_direct_connection(
    postgres: Server,
) -> None:
    url = postgres.new_database()
    with (
        a_pooler(postgres, "transaction") as pooled,
        an_ear(pooled.url(name_of(url)), calls=Calls(heard_s=0.5, again_s=0.1)) as ear,
    ):
        assert wait_until(lambda: len(ear.connections) == 3, within_s=WITHIN_S, every_s=0.01)

        assert ear.listener.hears is False
    assert len(ear.said) == 1, ear.said
    [said] = ear.said
    assert said == (
        "is not notified of queued runs, so it looks every second. LISTEN needs a direct "
        "connection to PostgreSQL, or a pooler that keeps a session for each client (PgBouncer in "
        "transaction mode does not)"
    )


def test_behind_a_pooler_of_sessions_it_hears(postgres: Server) -> None:
    url = postgres.new_database()
    with (
        a_pooler(postgres, "session") as pooled,
        an_ear(pooled.url(name_of(url))) as ear,
        journal_in(url) as journal,
    ):
        ear.wait_until_it(hears=True)

        journal.add(a_run())

        assert ear.is_woken()
    assert ear.said == []


def test_of_a_file_nobody_is_told_so_who_waits_must_look(tmp_path: object) -> None:
    with (
        journal_in(f"sqlite:///{tmp_path}/journal.sqlite") as journal,
        journal.heard("me", lambda: None, lambda _: None) as hears,
    ):
        assert hears() is False


def test_a_wait_is_ended_by_another_thread_and_by_whoever_woke_it_before() -> None:
    began = time.monotonic()
    with closing(SocketWakeup()) as wakeup:
        wakeup.wake()
        wakeup.wait(WITHIN_S)
        waking = threading.Timer(0.05, wakeup.wake)
        waking.start()

        wakeup.wait(WITHIN_S)

        waking.join()
    assert time.monotonic() - began < WITHIN_S
    wakeup.wake()  # nobody waits any more: nothing happens
