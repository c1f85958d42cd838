"""Carry out a run by DBOS in a process that may die: python durable_worker.py PLACE RUN DIES_AT."""

import os
import signal
import sys
from pathlib import Path

from stackward.adapters.store.database import url_of
from stackward.adapters.store.durable import durable


def main(place: str, run_id: str, dies: str) -> None:
    begun = Path(place) / "begun"

    def work(run: str) -> str:
        with begun.open("a") as file:
            file.write(f"{run}\n")
        if dies == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        return "succeeded"

    with durable(url_of(Path(place)), run_id, work) as carry_out:
        print(carry_out())


if __name__ == "__main__":
    main(*sys.argv[1:])
