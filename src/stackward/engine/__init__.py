"""Carry out approved plans: journal, holds, attempts, resume, verification. Knows no OpenStack."""

from stackward.engine.approval import approve
from stackward.engine.brakes import Brakes
from stackward.engine.cancel import ask_cancel
from stackward.engine.crew import Crew, Rhythm, work, worker_named
from stackward.engine.interpreter import WorkerContext, carry_out, carry_out_taken
from stackward.engine.pace import Pace

__all__ = [
    "Brakes",
    "Crew",
    "Pace",
    "Rhythm",
    "WorkerContext",
    "approve",
    "ask_cancel",
    "carry_out",
    "carry_out_taken",
    "work",
    "worker_named",
]
