"""How late what is in time may be: a busy machine lets everybody wait for the processor."""

import os


def late_s(usual_s: float = 4.0) -> float:
    """Return by how much a limit is widened here and now, on an idle machine by `usual_s`.

    It tells what ends at its deadline from what hangs for minutes, and is no measure.
    """
    return usual_s * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
