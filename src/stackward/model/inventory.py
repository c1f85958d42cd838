"""The machines that the operator works on, as an inventory names them."""

from dataclasses import dataclass

from stackward.model.login import Login
from stackward.model.unread import Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class SshAccess:
    """How to log in to a node. What is None is left to the operator's own ssh_config."""

    user: str | None = None
    port: int | None = None
    key_file: str | None = None
    options: tuple[str, ...] = ()  # further arguments of ssh, such as -J for a jump host


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine.

    Nothing is run on a node that is left out, nor on one of which it is unknown how it is reached.
    """

    name: str
    address: str
    groups: tuple[str, ...] = ()  # those that name it and those above them, sorted
    ssh: SshAccess = SshAccess()
    is_local: bool = False  # this machine: commands run without ssh
    bmc_url: str | None = None  # its Redfish system
    bmc_fingerprint: str | None = None  # SHA-256 of the BMC's certificate, in hex
    fence_agent: str | None = None  # the program that switches its power, where Redfish does not
    # The input of that program, once for each feed; no login is in it.
    fence_options: tuple[tuple[tuple[str, str], ...], ...] = ()
    # What it shares with those that fail together with it: a rack, a row; unread: a template, say.
    failure_domain: str | Unread | None = None
    left_out: str | None = None  # the connection by which Ansible reaches it, as in "winrm"
    unknown: str | None = None  # why it is unknown how it is reached

    @property
    def login(self) -> Login:
        """Return how a person logs in to it as Stackward does."""
        key = ("-i", self.ssh.key_file) if self.ssh.key_file else ()
        return Login(
            address=self.address,
            user=self.ssh.user,
            port=self.ssh.port,
            options=(*key, *self.ssh.options),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All nodes, in the order in which the inventory first names them."""

    source: str
    nodes: tuple[Node, ...]
    warnings: tuple[str, ...] = ()  # about the files themselves

    @property
    def groups(self) -> tuple[str, ...]:
        """Return every group that has a node, sorted."""
        return tuple(sorted({group for node in self.nodes for group in node.groups}))

    def in_group(self, group: str) -> tuple[Node, ...]:
        """Return the nodes of a group, those of its children included."""
        return tuple(node for node in self.nodes if group in node.groups)
