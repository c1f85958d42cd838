"""What every `Shell` promises: asked of the fake here, of ssh on the lab (tests/lab)."""

from dataclasses import dataclass

import pytest

from fakes.shell import in_turn
from stackward.model.compute_process import UNIT
from stackward.model.identity import Machine
from stackward.model.maintenance import DROP_IN, DROP_IN_TEXT, MAINTENANCE
from stackward.ports.machines import find_machine
from stackward.ports.root import CLEAR, FILL_DROP_IN, MAKE_DROP_IN, NOTE_MAINTENANCE
from stackward.ports.shell import Shell


@dataclass(frozen=True)
class ShellAtWork:
    """A shell, and a compute node with one server."""

    shell: Shell
    node: str
    server: str


class ShellContract:
    """Tests; a subclass gives the fixture `at_work`."""

    def test_a_node_is_found_by_the_name_that_nova_has_for_it(self, at_work: ShellAtWork) -> None:
        assert (
            find_machine(at_work.shell, Machine(host=at_work.node), ask=in_turn(at_work.shell)).node
            == at_work.node
        )
        assert "compute" in at_work.shell.groups_of(at_work.node)

    def test_a_node_that_is_not_known_is_none_and_in_no_group(self, at_work: ShellAtWork) -> None:
        assert (
            find_machine(
                at_work.shell, Machine(host="no-such-host"), ask=in_turn(at_work.shell)
            ).node
            is None
        )
        assert at_work.shell.groups_of("no-such-host") == ()
        assert at_work.shell.failure_domain("no-such-host") is None

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

        written = at_work.shell.run(at_work.node, NOTE_MAINTENANCE, as_root=True, given=text)
        read = at_work.shell.run(at_work.node, ["cat", MAINTENANCE])

        assert (written.code, read.code, read.out) == (0, 0, text)

    def test_the_drop_in_has_the_lines_that_its_commands_name(self, at_work: ShellAtWork) -> None:
        made = [
            at_work.shell.run(at_work.node, command, as_root=True).code
            for command in (MAKE_DROP_IN, FILL_DROP_IN)
        ]
        read = at_work.shell.run(at_work.node, ["cat", DROP_IN])
        cleared = at_work.shell.run(at_work.node, CLEAR, as_root=True)
        left = at_work.shell.run(at_work.node, ["test", "-e", DROP_IN])

        assert (made, read.out) == ([0, 0], DROP_IN_TEXT)
        assert (cleared.code, left.code) == (0, 1)

    def test_nothing_that_is_not_declared_is_run_as_root(self, at_work: ShellAtWork) -> None:
        with pytest.raises(ValueError, match="never run as root: systemctl"):
            at_work.shell.run(at_work.node, ["systemctl", "reboot"], as_root=True)

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
