"""What every `Shell` promises: asked of the fake here, of ssh on the lab (tests/lab)."""

from dataclasses import dataclass

from stackward.model.identity import Machine
from stackward.ports.machines import find_machine
from stackward.ports.shell import Shell

UNIT = "nova-compute.service"


@dataclass(frozen=True)
class ShellAtWork:
    """A shell, a compute node with one server, and a path where a file may be written."""

    shell: Shell
    node: str
    server: str
    path: str


class ShellContract:
    """Tests; a subclass gives the fixture `at_work`."""

    def test_a_node_is_found_by_the_name_that_nova_has_for_it(self, at_work: ShellAtWork) -> None:
        assert find_machine(at_work.shell, Machine(host=at_work.node)).node == at_work.node
        assert "compute" in at_work.shell.groups_of(at_work.node)

    def test_a_node_that_is_not_known_is_none_and_in_no_group(self, at_work: ShellAtWork) -> None:
        assert find_machine(at_work.shell, Machine(host="no-such-host")).node is None
        assert at_work.shell.groups_of("no-such-host") == ()

    def test_a_node_says_what_it_calls_itself(self, at_work: ShellAtWork) -> None:
        said = at_work.shell.itself(at_work.node)

        assert said is not None
        assert at_work.node in said.all_names

    def test_a_file_that_is_not_there_is_told_by_the_code(self, at_work: ShellAtWork) -> None:
        tested = at_work.shell.run(at_work.node, ["test", "-e", "/no/such/file"])
        read = at_work.shell.run(at_work.node, ["cat", "/no/such/file"])

        assert (tested.code, read.code, read.out) == (1, 1, "")

    def test_what_is_given_is_written_as_it_is(self, at_work: ShellAtWork) -> None:
        text = "one 'line'\n$another \"line\"\n"
        writes = ["install", "-D", "-m", "0644", "/dev/stdin", at_work.path]

        written = at_work.shell.run(at_work.node, writes, as_root=True, given=text)
        read = at_work.shell.run(at_work.node, ["cat", at_work.path])

        assert (written.code, read.code, read.out) == (0, 0, text)

    def test_the_unit_of_a_node_in_service_runs(self, at_work: ShellAtWork) -> None:
        active = at_work.shell.run(at_work.node, ["systemctl", "is-active", UNIT])
        enabled = at_work.shell.run(at_work.node, ["systemctl", "is-enabled", UNIT])

        assert (active.out, enabled.out) == ("active\n", "enabled\n")

    def test_libvirt_lists_the_guests_by_the_ids_of_their_servers(
        self, at_work: ShellAtWork
    ) -> None:
        asked = ["virsh", "--readonly", "--connect", "qemu:///system", "list", "--all", "--uuid"]

        listed = at_work.shell.run(at_work.node, asked)

        assert (listed.code, at_work.server in listed.out.split()) == (0, True)
