"""The adapters keep the contracts that the fakes keep."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.cloud import CloudAtWork, CloudContract
from contract.shell import ShellAtWork, ShellContract
from lab.drains import Drains
from real_lab import RealLab, allow_bindings, until
from stackward.adapters.inventory import read_inventory
from stackward.adapters.openstack import OpenStackCloud
from stackward.adapters.ssh import Ssh
from stackward.errors import Uncertain
from stackward.lab.client import connect
from stackward.model.maintenance import DROP_IN, MAINTENANCE


@pytest.fixture(scope="module")
def servers(drain_lab: RealLab, nodes: tuple[str, str, str]) -> Iterator[tuple[str, str]]:
    """Given a server that runs and one that is stopped, on one node."""
    drains = Drains(drain_lab, Path())
    drains.remove_left_over("contract-")
    running = drains.boot("contract-running", nodes[1])
    stopped = drains.boot("contract-stopped", nodes[1])
    drains.wait_for_guests([running, stopped])
    drains.stop(stopped)
    yield running, stopped
    drains.remove(running, stopped)


class TestOpenStackCloud(CloudContract):
    """The adapter, with a real cloud behind it."""

    @pytest.fixture
    def at_work(self, drain_lab: RealLab, servers: tuple[str, str]) -> CloudAtWork:
        allow_bindings(drain_lab)

        def wait_until(is_so: Callable[[], bool]) -> None:
            until(is_so, within_s=300)

        cloud = connect(drain_lab.spec)  # with a token that has the role

        def leave_binding(port: str, host: str) -> None:
            body = {"binding": {"host": host}}
            answer = cloud.network.post(f"/ports/{port}/bindings", json=body)
            assert answer.status_code == 201, answer.text

        return CloudAtWork(OpenStackCloud(cloud), *servers, wait_until, leave_binding)


class TestSsh(ShellContract):
    """The adapter, with real nodes behind it."""

    @pytest.fixture
    def at_work(self, drain_lab: RealLab, servers: tuple[str, str]) -> Iterator[ShellAtWork]:
        node = drain_lab.server(servers[0]).hypervisor_hostname
        shell = Ssh(read_inventory(drain_lab.spec.inventory))
        yield ShellAtWork(shell, node, servers[0])
        shell.close()
        drain_lab.on(node, f"rm -f {MAINTENANCE} {DROP_IN}")


# Written by a command, and by OpenSSH where none has begun. sshd ends it once more has been read
# than a connection holds unread: all of the words have arrived by then.
LIKE_SSH = """\
echo 'ssh: connect to host db-1 port 22: Connection refused
ops@db-1: Permission denied (publickey).' >&2
head -c 8388608 /dev/zero | tr '\\0' . >&2
kill -KILL $PPID
"""


@pytest.fixture
def shell(drain_lab: RealLab) -> Iterator[Ssh]:
    """Given no connection to any node."""
    opened = Ssh(read_inventory(drain_lab.spec.inventory))
    yield opened
    opened.close()


@pytest.mark.parametrize("shared", [False, True], ids=["a new one", "one that is shared"])
def test_a_connection_that_is_lost_is_not_read_in_the_words_of_the_command(
    shell: Ssh, nodes: tuple[str, str, str], *, shared: bool
) -> None:
    """Else what had begun counted as never sent, and was sent again."""
    if shared:
        assert shell.run(nodes[0], ["true"]).code == 0

    with pytest.raises(Uncertain, match="was lost during `sh`") as lost:
        shell.run(nodes[0], ["sh", "-c", LIKE_SSH])

    assert "ops@db-1: Permission denied (publickey)." in (lost.value.says or "")
    assert shell.run(nodes[0], ["echo", "back"]).out == "back\n"
