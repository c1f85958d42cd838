"""Durable execution by DBOS: a run's workflow outlives the process that began it.

The workflow only calls the interpreter; the journal is the truth about steps. Each run has an
executor and a version of its own: DBOS gives what a dead process left behind to any process of the
same version, and a command that carries one run out has the cloud and the brakes of that run only.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dbos import DBOS, DBOSConfig, SetWorkflowID

VERSION = "runs-1"  # of what a workflow does, not of Stackward: an upgrade must find its runs again

Work = Callable[[str], str]


@contextmanager
def durable(url: str, run_id: str, work: Work) -> Iterator[Callable[[], str]]:
    """Open DBOS for one run; what is yielded carries the run out and returns what `work` does.

    A workflow that a dead process left behind is taken up again at the launch; it is waited for,
    never begun a second time.
    """
    config: DBOSConfig = {
        "name": "stackward",
        "system_database_url": url,
        "executor_id": f"run-{run_id}",
        "application_version": f"{VERSION}-{run_id}",
        "log_level": "ERROR",  # its greetings are not for operators
    }
    DBOS(config=config)

    @DBOS.workflow(name="carry-out", max_recovery_attempts=None)
    def carry_out(run: str) -> str:
        if run != run_id:
            msg = f"run `{run}` was given to the process of run `{run_id}`"
            raise RuntimeError(msg)
        return work(run)

    def begin() -> str:
        # The launch puts what a dead process left on a queue, from where it becomes pending again.
        pending = DBOS.list_workflows(
            status=["PENDING", "ENQUEUED"], executor_id=f"run-{run_id}", load_output=False
        )
        if pending:
            answer: str = DBOS.retrieve_workflow(pending[0].workflow_id).get_result()
            return answer
        # One workflow for each time that the run is taken up; finished ones are kept by DBOS.
        times = len(DBOS.list_workflows(workflow_id_prefix=f"{run_id}-", load_output=False))
        with SetWorkflowID(f"{run_id}-{times + 1}"):
            return DBOS.start_workflow(carry_out, run_id).get_result()

    try:
        DBOS.launch()
        yield begin
    finally:
        DBOS.destroy(workflow_completion_timeout_sec=0)
