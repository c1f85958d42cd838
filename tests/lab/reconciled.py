"""What the product's own `cloud reconcile` tells of a real lab."""

import json
from typing import Any

from lab.drains import Drains


def cases(drains: Drains) -> list[dict[str, Any]]:
    """Return the cases that it counts."""
    told = drains.call("cloud", "reconcile", "-f", "json")
    assert told.stdout, told.stderr
    return list(json.loads(told.stdout)["cases"])
