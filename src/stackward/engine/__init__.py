"""Carry out approved plans: journal, holds, attempts, resume, verification. Knows no OpenStack."""

from stackward.engine.approval import approve
from stackward.engine.brakes import Brakes
from stackward.engine.cancel import ask_cancel, left_half_way
from stackward.engine.interpreter import Workshop, carry_out
from stackward.engine.pace import Pace

__all__ = ["Brakes", "Pace", "Workshop", "approve", "ask_cancel", "carry_out", "left_half_way"]
