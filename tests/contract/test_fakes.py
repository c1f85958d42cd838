"""The fakes keep the contracts that the adapters keep on the lab."""

from collections.abc import Callable

import pytest

from builders import a_server
from contract.cloud import CloudAtWork, CloudContract
from contract.shell import ShellAtWork, ShellContract
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell

PATIENCE = 5


class TestFakeCloud(CloudContract):
    """The cloud of the unit tests."""

    @pytest.fixture
    def at_work(self) -> CloudAtWork:
        cloud = FakeCloud()
        running, stopped = a_server(name="running"), a_server("SHUTOFF", name="stopped")
        cloud.nova.add(running, stopped)

        def wait_until(is_so: Callable[[], bool]) -> None:
            for _ in range(PATIENCE):
                if is_so():
                    return
                cloud.nova.pass_time()
            pytest.fail("that never comes")

        def leave_binding(port: str, host: str) -> None:
            cloud.neutron.bound[port] = (*cloud.neutron.bindings_of(port), (host, "INACTIVE"))

        return CloudAtWork(cloud, running.id, stopped.id, wait_until, leave_binding)


class TestFakeShell(ShellContract):
    """The shell of the unit tests."""

    @pytest.fixture
    def at_work(self) -> ShellAtWork:
        cloud, server = FakeCloud(), a_server()
        cloud.nova.add(server)
        return ShellAtWork(FakeShell(cloud), "compute-07", server.id)
