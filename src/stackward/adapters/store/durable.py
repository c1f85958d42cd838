"""Durable execution by DBOS: each time that a run is taken up is a workflow of DBOS.

The workflow only calls the interpreter; the journal is the truth about runs and their steps. DBOS
gives what a dead process left behind to any process of the same executor and version: what it must
not do with it is said at each of the two ways in.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from dbos import DBOS, DBOSConfig, SetWorkflowID

from stackward.adapters.store.database import engine_of, file_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

VERSION = "runs-1"  # of what a workflow does, not of Stackward: an upgrade must find its runs again

Work = Callable[[str], str]


@contextmanager
def durable(url: str, run_id: str, work: Work) -> Iterator[Callable[[], str]]:
    """Open DBOS for one run; what is yielded carries the run out and returns what `work` does.

    The run has an executor and a version of its own: its command has the cloud and the brakes of
    that run only. A workflow that a dead process left behind is taken up again at the launch; it
    is waited for, never begun a second time.
    """
    executor = f"run-{run_id}"

    def carry_out(run: str) -> str:
        if run != run_id:
            msg = f"run `{run}` was given to the process of run `{run_id}`"
            raise RuntimeError(msg)
        return work(run)

    with _launched(url, executor, f"{VERSION}-{run_id}", carry_out) as workflow:

        def begin() -> str:
            # The launch puts what a dead process left on a queue; from there it becomes pending.
            pending = DBOS.list_workflows(
                status=["PENDING", "ENQUEUED"], executor_id=executor, load_output=False
            )
            if pending:
                answer: str = DBOS.retrieve_workflow(pending[0].workflow_id).get_result()
                return answer
            # One workflow for each time that the run is taken up; finished ones are kept by DBOS.
            times = len(DBOS.list_workflows(workflow_id_prefix=f"{run_id}-", load_output=False))
            with SetWorkflowID(f"{run_id}-{times + 1}"):
                return DBOS.start_workflow(workflow, run_id).get_result()

        yield begin


@contextmanager
def durable_worker(url: str, name: str) -> Iterator[Callable[[str, Work], str]]:
    """Open DBOS for a worker; what is yielded carries a run out that the worker has taken up.

    What an earlier life of the worker left behind is closed without doing anything: the journal has
    queued those runs, and may have given them to others by now.
    """
    given: dict[str, Work] = {}

    def carry_out(run: str) -> str:
        mine = given.pop(DBOS.workflow_id or "", None)
        return mine(run) if mine else "left to the journal"

    with _launched(url, f"worker-{name}", f"{VERSION}-workers", carry_out) as workflow:

        def begin(run_id: str, work: Work) -> str:
            key = f"{run_id}-{name}-{uuid4().hex[:8]}"
            given[key] = work
            with SetWorkflowID(key):
                return DBOS.start_workflow(workflow, run_id).get_result()

        yield begin


@contextmanager
def _launched(url: str, executor: str, version: str, work: Work) -> Iterator[Work]:
    config: DBOSConfig = {
        "name": "stackward",
        "system_database_url": url,
        "executor_id": executor,
        "application_version": version,
        "log_level": "ERROR",  # its greetings are not for operators
    }
    engine: Engine | None = None
    if file_of(url) is None:
        # Ours, as it knows how to connect, and DBOS then leaves other databases alone.
        engine = config["system_database_engine"] = engine_of(url)
    DBOS(config=config)
    try:
        workflow = DBOS.workflow(name="carry-out", max_recovery_attempts=None)(work)
        DBOS.launch()
        yield workflow
    finally:
        DBOS.destroy(workflow_completion_timeout_sec=0)
        if engine is not None:
            engine.dispose()
