"""Carry out a run by DBOS in a process that may die: python durable_worker.py PLACE URL RUN HOW.

HOW is `dies`, `lives`, or `late`: that one begins once DBOS has put what died on its queue.
"""

import os
import signal
import sys
from pathlib import Path

from dbos import DBOS

from stackward.adapters.store.durable import durable
from stackward.lab.waiting import wait_until


def main(place: str, url: str, run_id: str, how: str) -> None:
    begun = Path(place) / "begun"

    def work(run: str) -> str:
        with begun.open("a") as file:
            file.write(f"{run}\n")
        if how == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        return "succeeded"

    with durable(url, run_id, work) as carry_out:
        if how == "late":
            assert wait_until(is_queued, within_s=5, every_s=0.005)
        print(carry_out())


def is_queued() -> bool:
    return bool(DBOS.list_workflows(status="ENQUEUED", load_output=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
