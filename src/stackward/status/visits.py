"""When workers that come and go were here last: `worker --once`, which a timer starts."""

from datetime import datetime, timedelta

from stackward.model.observation import Observation
from stackward.model.run import Run
from stackward.model.worker import Worker
from stackward.ports.journal import Journal

WORKED_ONCE = "worked once"  # the subject; it is stored
_BY_A_TIMER = timedelta(minutes=3)  # the timer that we ship starts one a minute after the last


def tell_of_once(journal: Journal, cloud: str, worker: Worker) -> None:
    """Keep that a worker of a cloud has come, which leaves when nothing is due."""
    came = Observation(
        cloud=cloud,
        node=worker.machine,
        subject=WORKED_ONCE,
        value=worker.name,
        source=worker.name,
        at=worker.since,
    )
    journal.observe([came])


def comes_again(journal: Journal, run: Run, now: datetime) -> bool:
    """Say whether one of the run's cloud came so lately that a timer seems to start it."""
    if run.cloud is None:
        return False
    came = journal.observations(run.cloud, WORKED_ONCE)
    return any(now - each.at < _BY_A_TIMER for each in came)
