"""The fake cloud keeps the contract that the adapter keeps on the lab."""

from collections.abc import Callable

import pytest

from builders import a_server
from contract.cloud import CloudAtWork, CloudContract
from fakes import FakeCloud

PATIENCE = 5


class TestFakeCloud(CloudContract):
    """The fake of the unit tests."""

    @pytest.fixture
    def at_work(self) -> CloudAtWork:
        cloud = FakeCloud()
        running, stopped = a_server(name="running"), a_server("SHUTOFF", name="stopped")
        cloud.add(running, stopped)

        def wait_until(is_so: Callable[[], bool]) -> None:
            for _ in range(PATIENCE):
                if is_so():
                    return
                cloud.pass_time()
            pytest.fail("that never comes")

        return CloudAtWork(cloud, running.id, stopped.id, wait_until)
