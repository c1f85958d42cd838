"""Where a fault is made: a lab, the target in it, and what can be asked of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stackward.errors import StackwardError, StepFailed, Unreachable
from stackward.lab import ssh
from stackward.lab.client import connect
from stackward.lab.machine import Machine
from stackward.lab.spec import Lab, Node
from stackward.lab.waiting import wait_until

PROBE_S = 10
ACCEPTED = 200


@dataclass(slots=True)
class Scene:
    """A lab, the target in it, and what the making of the fault left for its repair."""

    lab: Lab
    target: str
    remembered: dict[str, str] = field(default_factory=dict)
    called: str = ""  # the name of the server that is the target
    log_in: Callable[[Lab], Any] = connect
    _cloud: Any = None
    _first_beats: dict[str, str] = field(default_factory=dict)

    @property
    def cloud(self) -> Any:  # noqa: ANN401  # the SDK's own
        """The lab's cloud, for its administrator."""
        if self._cloud is None:
            self._cloud = self.log_in(self.lab)
        return self._cloud

    @property
    def node(self) -> Node:
        """The node that is the target."""
        return self.lab.node(self.target)

    @property
    def machine(self) -> Machine:
        """The machine that is the target."""
        return Machine(self.lab, self.node)

    def on(self, node: str, script: str, *, ok: tuple[int, ...] = (0,)) -> str:
        """Run a script on a node."""
        return ssh.on_node(self.lab, node, script, ok=ok)

    def holds(self, node: str, test: str) -> bool:
        """Say whether a shell test holds on a node; a node that cannot be asked says no."""
        try:
            ssh.on_node(self.lab, node, test, timeout_s=30)
        except (StepFailed, Unreachable):
            return False
        return True

    # --- services ---

    def nova_compute(self, node: str) -> Any:  # noqa: ANN401  # the SDK's own
        """Return the service record of a node's nova-compute."""
        [service] = self.cloud.compute.services(binary="nova-compute", host=node)
        return service

    def is_up(self, node: str) -> bool:
        """Say whether Nova calls the node's nova-compute up."""
        return bool(self.nova_compute(node).state == "up")

    def beats(self, node: str) -> bool:
        """Say whether the node's nova-compute is up by a heartbeat that this scene saw coming.

        The last one before a fault keeps a service up for half a minute.
        """
        return self._is_fresh(self.nova_compute(node))

    def all_beat(self) -> bool:
        """Say the same of every service of Nova and Cinder."""
        services = [*self.cloud.compute.services(), *self.cloud.block_storage.services()]
        return all([self._is_fresh(service) for service in services])  # noqa: C419  # notes each

    def _is_fresh(self, service: Any) -> bool:  # noqa: ANN401  # as above
        name = f"{service.binary} {service.host}"
        first = self._first_beats.setdefault(name, service.updated_at)
        return bool(service.state == "up" and service.updated_at != first)

    def serves_rpc(self, node: str) -> bool:
        """Say whether the node's nova-compute answers a call; a silent one costs PROBE_S seconds.

        The hypervisor's `uptime`, from microversion 2.88 on, is asked of nova-compute by RPC.
        """
        # Without details: these would ask every nova-compute for its uptime.
        [hypervisor] = [
            found for found in self.cloud.compute.hypervisors(details=False) if found.name == node
        ]
        try:
            answer = self.cloud.compute.get(
                f"/os-hypervisors/{hypervisor.id}", microversion="2.88", timeout=PROBE_S
            )
        except (StepFailed, Unreachable):
            return False
        return bool(answer.ok and answer.json()["hypervisor"]["uptime"])

    def works(self, node: str) -> bool:
        """Say whether the node can be logged in to, and its nova-compute is alive and answers."""
        # Nova first: a half-open SSH port, asked for too often, would be shut for a while.
        return self.beats(node) and self.holds(node, "true") and self.serves_rpc(node)

    def all_work(self) -> bool:
        """Say whether every service is alive, and every nova-compute answers."""
        return self.all_beat() and all(
            self.serves_rpc(node.name) for node in self.lab.compute_nodes
        )

    def answer_to_new_token(self) -> int | None:
        """Return the status of Nova's answer to a token that it never saw; None without a token."""
        try:
            return int(connect(self.lab).compute.get("/servers?limit=1").status_code)
        except (StepFailed, Unreachable):
            return None

    def grants(self) -> bool:
        """Say whether a new token is given and Nova accepts it."""
        return self.answer_to_new_token() == ACCEPTED

    # --- servers ---

    def server(self) -> Any:  # noqa: ANN401  # the SDK's own
        """Return the server that is the target."""
        return self.cloud.compute.get_server(self.target)

    def has_server(self) -> bool:
        """Say whether the server that is the target is still there."""
        servers = self.cloud.compute.servers(all_projects=True)
        return any(server.id == self.target for server in servers)

    def domain_state(self, server: Any) -> str | None:  # noqa: ANN401  # as above
        """Return what libvirt calls the state of a server's domain; None when it knows none.

        Raises StepFailed or Unreachable when libvirt does not answer.
        """
        name = server.instance_name
        script = f"virsh list --all --name | grep -qx {name} || exit 0; virsh domstate {name}"
        return self.on(server.hypervisor_hostname, script).strip() or None


def looks(is_so: Callable[[Scene], bool], scene: Scene) -> bool:
    """Say whether something is so; while the cloud or a node gives no answer, it is not."""
    try:
        return is_so(scene)
    except (StackwardError, OSError, ValueError):
        return False


# What libvirt calls the domain of a server in that state.
DOMAIN_STATES = {"ACTIVE": "running", "PAUSED": "paused"}
PUT_BACK_S = 180


def put_back(scene: Scene, server_id: str, wanted: str) -> None:
    """Bring a server that lost its domain back to ACTIVE or PAUSED; one of another state is left.

    Raises StepFailed when it does not get there.
    """
    if wanted not in DOMAIN_STATES:
        return

    def is_back(scene: Scene) -> bool:
        server = scene.cloud.compute.get_server(server_id)
        if server.task_state is not None:
            return False
        # Nova's own word on the power is older than the fault until it looks the next time.
        domain = scene.domain_state(server)
        if (server.status, domain) == (wanted, DOMAIN_STATES[wanted]):
            return True
        if domain == "running" and (server.status, wanted) == ("ACTIVE", "PAUSED"):
            scene.cloud.compute.pause_server(server_id)
        elif domain != "running":
            scene.cloud.compute.reboot_server(server_id, "HARD")
        return False

    if not wait_until(lambda: looks(is_back, scene), within_s=PUT_BACK_S, every_s=0.5):
        raise StepFailed(f"the server {server_id} was {wanted} and does not get there again")
