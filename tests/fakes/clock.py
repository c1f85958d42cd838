"""Time that passes only when it is waited for."""

from datetime import UTC, datetime, timedelta

from builders import NOW


class FakeClock:
    """Time that passes only when it is waited for."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return (NOW + timedelta(seconds=self.passed)).astimezone(UTC)

    def monotonic(self) -> float:
        return self.passed

    def wait(self, seconds: float) -> None:
        self.passed += seconds
