"""Take a run up, begin to write an intent, say so in the middle: python frozen_writer.py URL."""

import sys
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event

from stackward.adapters.store.database import open_database
from stackward.adapters.store.journal import SqlJournal
from stackward.errors import Superseded

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def main(url: str) -> None:
    engine = open_database(url)
    journal = SqlJournal(engine)
    journal.take_up("01A", "first", NOON)
    is_first = True

    def in_the_middle(_: Any) -> None:  # noqa: ANN401  # SQLAlchemy's own connection
        nonlocal is_first
        if is_first:
            is_first = False
            print("in the middle", flush=True)
            time.sleep(2)  # to be frozen in, while the lock is held

    event.listen(engine, "commit", in_the_middle)
    try:
        journal.intend("01A", 1, "s", {}, NOON)
    except Superseded:
        print("superseded")


if __name__ == "__main__":
    main(*sys.argv[1:])
