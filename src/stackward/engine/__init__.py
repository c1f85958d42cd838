"""Carry out approved plans: journal, holds, attempts, resume, verification. Knows no OpenStack."""

from stackward.engine.approval import approve
from stackward.engine.brakes import Brakes
from stackward.engine.cancel import ask_cancel
from stackward.engine.interpreter import WorkerContext, carry_out, carry_out_taken
from stackward.engine.pace import Pace
from stackward.engine.worker import Rhythm, WorkerConfig, work, worker_named

__all__ = [
    "Brakes",
    "Pace",
    "Rhythm",
    "WorkerConfig",
    "WorkerContext",
    "approve",
    "ask_cancel",
    "carry_out",
    "carry_out_taken",
    "work",
    "worker_named",
]
