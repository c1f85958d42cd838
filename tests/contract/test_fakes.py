"""The fakes keep the contracts that the adapters keep on the lab."""

from collections.abc import Callable

import pytest

from builders import a_server
from contract.cloud import CloudAtWork, CloudContract
from contract.power import PowerAtWork, PowerContract
from contract.shell import ShellAtWork, ShellContract
from fakes.cloud import FakeCloud
from fakes.power import FakeDevice, FakePower
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

        def leave_port(server: str) -> str:
            cloud.neutron.leftovers["port-left"] = server
            return "port-left"

        return CloudAtWork(cloud, running.id, stopped.id, wait_until, leave_binding, leave_port)


class TestFakeShell(ShellContract):
    """The shell of the unit tests."""

    @pytest.fixture
    def at_work(self) -> ShellAtWork:
        cloud, server = FakeCloud(), a_server()
        cloud.nova.add(server)
        return ShellAtWork(FakeShell(cloud), "compute-07", server.id)


class TestFakePower(PowerContract):
    """The power of the unit tests."""

    @pytest.fixture
    def at_work(self) -> PowerAtWork:
        shell, device = FakeShell(FakeCloud()), FakeDevice()

        def break_it(fault: str) -> Callable[[], None]:
            return lambda: setattr(device, fault, True)

        return PowerAtWork(
            power=FakePower(shell, {"c01": device}),
            node="c01",
            is_on=lambda: "c01" not in shell.silent,
            make_deaf=break_it("is_deaf"),
            make_stuck=break_it("is_stuck"),
            refuse_login=break_it("refuses_login"),
        )
