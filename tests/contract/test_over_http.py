"""The adapter keeps the contract of `Cloud` over HTTP, where every list comes in pages of two."""

from collections.abc import Callable

import pytest

from builders import a_server
from contract.cloud import CloudAtWork, CloudContract
from fakes.clock import FakeClock
from fakes.cloud import FakeCloud
from http_cloud import HttpCloud
from stackward.adapters.openstack import OpenStackCloud

PATIENCE = 5


class TestOpenStackCloudOverHttp(CloudContract):
    """The adapter, and the unit tests' cloud behind the APIs' own paths."""

    @pytest.fixture(params=["2.100", "2.79"])
    def at_work(self, request: pytest.FixtureRequest) -> CloudAtWork:
        fake = FakeCloud()
        running, stopped = a_server(name="running"), a_server("SHUTOFF", name="stopped")
        fake.nova.add(running, stopped)
        cloud = OpenStackCloud(HttpCloud(fake, nova=request.param).connection(), FakeClock())

        def wait_until(is_so: Callable[[], bool]) -> None:
            for _ in range(PATIENCE):
                if is_so():
                    return
                fake.nova.pass_time()
            pytest.fail("that never comes")

        def leave_binding(port: str, host: str) -> None:
            fake.neutron.bound[port] = (*fake.neutron.bindings_of(port), (host, "INACTIVE"))

        def leave_port(server: str) -> str:
            fake.neutron.leftovers["port-left"] = server
            return "port-left"

        return CloudAtWork(cloud, running.id, stopped.id, wait_until, leave_binding, leave_port)
