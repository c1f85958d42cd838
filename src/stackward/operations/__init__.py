"""PLAN: one folder per operation, named by its verb phrase; none imports another."""

from importlib import import_module
from typing import Any

from stackward.plan.operation import Operation


def operation(kind: str) -> Operation[Any, Any]:
    """Return the operation that plans a kind of request; its folder alone is imported.

    The folder is named as the kind, so there is no table that a new one must be written into.
    """
    found: Operation[Any, Any] = import_module(f"{__name__}.{kind.replace('-', '_')}").OPERATION
    return found
