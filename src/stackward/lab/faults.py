"""Faults to put into a lab: each really made, seen from the world, and repaired.

A fault is one entry in FAULTS: how it is made, how it is seen, how it is repaired, how its end is
seen. `break_lab` returns only once the symptom is there, `mend_lab` only once it is gone.
"""

import fcntl
import json
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from stackward.errors import BadInput, Refused, StepFailed
from stackward.lab import (
    boot_faults,
    bus_faults,
    clock_faults,
    disagreement_faults,
    evacuation_faults,
    hardware_faults,
    method_faults,
    network,
    server_faults,
    service_faults,
    volume_faults,
)
from stackward.lab.client import connect
from stackward.lab.configuration import PASSWORD
from stackward.lab.machine import port_open
from stackward.lab.scene import Scene, looks, put_back
from stackward.lab.spec import Lab
from stackward.lab.waiting import wait_until
from stackward.model.service import BY_ITSELF
from stackward.wording import count_of

AMQP_PORT = 5672
NOT_NOW = 503
BOOT_S = 180


class Target(StrEnum):
    """What a fault is put into."""

    NODE = "node"
    COMPUTE = "compute node"
    CONTROLLER = "controller"
    SERVER = "server"
    METHOD = "method of a service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One declared fault."""

    name: str
    what: str
    symptom: str
    target: Target
    make: Callable[[Scene], None]
    seen: Callable[[Scene], bool]
    mend: Callable[[Scene], None]
    gone: Callable[[Scene], bool]
    stays: str = ""  # what of it is left once its server is deleted
    may: Callable[[Scene], None] = lambda _: None  # raises Refused where it cannot be made
    seen_within_s: float = 120
    gone_within_s: float = 240


# --- power and network ---


def is_dead(scene: Scene) -> bool:
    """Say whether the node has no process left and Nova has noticed."""
    return not scene.machine.is_on() and not scene.is_up(scene.target)


def is_cut_off(scene: Scene) -> bool:
    """Say whether a living node cannot be reached and Nova has noticed."""
    return (
        scene.machine.is_on()
        and not port_open(scene.node.address, 22)
        and not scene.is_up(scene.target)
    )


def works_again(scene: Scene) -> bool:
    """Say whether the node can be reached and its nova-compute works."""
    return scene.works(scene.target)


def lose_power(scene: Scene) -> None:
    """Cut the node's power, having noted what its servers were doing."""
    servers = scene.cloud.compute.servers(all_projects=True, compute_host=scene.target)
    scene.remembered.update((server.id, server.status) for server in servers)
    scene.machine.cut_power()


def regain_power(scene: Scene) -> None:
    """Boot the node, and bring the servers that are still on it to what they were doing."""
    scene.machine.power_on()
    if not wait_until(lambda: looks(works_again, scene), within_s=BOOT_S, every_s=0.5):
        raise StepFailed(f"`{scene.target}` has power again, and its nova-compute does not work")
    servers = scene.cloud.compute.servers(all_projects=True, compute_host=scene.target)
    ours = [server.id for server in servers if server.id in scene.remembered]
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda each: put_back(scene, each, scene.remembered[each]), ours))


def cables(scene: Scene) -> list[tuple[str, str]]:
    """Return the node's cables, each with its bridge."""
    found = [(scene.node.host_interface, scene.lab.bridge)]
    if scene.node.host_data_interface:
        found.append((scene.node.host_data_interface, scene.lab.data_bridge))
    return found


def cut_cables(scene: Scene) -> None:
    """Take the node's cables out of the bridges."""
    for cable, _ in cables(scene):
        network.unplug(cable)


def join_cables(scene: Scene) -> None:
    """Put the node's cables back."""
    for cable, bridge in cables(scene):
        network.plug(cable, bridge)


# --- nova-compute ---

# Debian's unit would restart it within a second: that would be another fault.
NO_RESTART = "/run/systemd/system/nova-compute.service.d/lab-fault.conf"
KILL_COMPUTE = f"""
mkdir -p $(dirname {NO_RESTART})
printf '[Service]\\nRestart=no\\n' > {NO_RESTART}
systemctl daemon-reload
systemctl kill --signal=KILL nova-compute
"""
REVIVE_COMPUTE = f"""
rm -rf $(dirname {NO_RESTART})
systemctl daemon-reload
systemctl reset-failed nova-compute || true
systemctl start nova-compute
"""


def is_killed(scene: Scene) -> bool:
    """Say whether the process is gone and Nova has noticed."""
    return scene.holds(scene.target, "systemctl is-failed -q nova-compute") and not scene.is_up(
        scene.target
    )


# The queue and its consumer stay, heartbeats go on: only what is sent to this host goes nowhere.
BINDING = """
python3 - <<'PYTHON'
import kombu
with kombu.Connection("amqp://openstack:{password}@localhost//") as connection:
    name = "compute.{node}"
    connection.channel().queue_{change}(name, exchange="nova", routing_key=name)
PYTHON
"""


def binding(change: str) -> Callable[[Scene], None]:
    """Return an action on the binding that brings RPC calls to the node's nova-compute."""

    def act(scene: Scene) -> None:
        scene.on("ctl", BINDING.format(password=PASSWORD, node=scene.target, change=change))

    return act


def is_deaf(scene: Scene) -> bool:
    """Say whether nova-compute runs, is called up, and answers nothing."""
    return (
        scene.holds(scene.target, "systemctl is-active -q nova-compute")
        and scene.is_up(scene.target)
        and not scene.serves_rpc(scene.target)
    )


# --- the controller's services ---


def on_controller(script: str) -> Callable[[Scene], None]:
    """Return an action that runs a script on the controller."""

    def act(scene: Scene) -> None:
        scene.on("ctl", script)

    return act


def start_rabbitmq(scene: Scene) -> None:
    """Start RabbitMQ, and every nova-compute that has given up in the meantime."""
    scene.on("ctl", "systemctl start rabbitmq-server")
    for node in scene.lab.compute_nodes:
        scene.on(node.name, "systemctl start nova-compute")


def no_message_passes(scene: Scene) -> bool:
    """Say whether RabbitMQ takes no connections and Nova calls every nova-compute down."""
    return not port_open(scene.lab.control.address, AMQP_PORT) and not any(
        scene.is_up(node.name) for node in scene.lab.compute_nodes
    )


COMPUTE_LOG = "/var/log/nova/nova-compute.log"


def restart_rabbitmq(scene: Scene) -> None:
    """Restart RabbitMQ, having noted how long the logs are."""
    for node in scene.lab.compute_nodes:
        scene.remembered[node.name] = scene.on(node.name, f"stat -c %s {COMPUTE_LOG}").strip()
    scene.on("ctl", "systemctl restart rabbitmq-server")


def all_lost_connection(scene: Scene) -> bool:
    """Say whether every nova-compute has written that it lost its connection since the restart."""
    return all(
        scene.holds(
            node.name,
            f"tail -c +{int(scene.remembered[node.name]) + 1} {COMPUTE_LOG}"
            " | grep -qE 'AMQP server|Connection (reset|refused|failed)|ECONNREFUSED|Reconnected'",
        )
        for node in scene.lab.compute_nodes
    )


# Only Keystone's section, and only the password: what a mistyped change would do.
CONF = "/etc/nova/nova.conf"
WRONG_PASSWORD = f"""
[ -e {CONF}.before ] || cp -p {CONF} {CONF}.before
sed -i '/^\\[keystone_authtoken\\]/,/^\\[/ s/^password = .*/password = mistyped/' {CONF}
systemctl restart nova-api
"""
RIGHT_PASSWORD = f"""
[ ! -e {CONF}.before ] || mv {CONF}.before {CONF}
systemctl restart nova-api
"""


def nova_is_refused(scene: Scene) -> bool:
    """Say whether Nova answers that it cannot ask Keystone about a good token."""
    return scene.answer_to_new_token() == NOT_NOW


# --- a node's own ---

LIBVIRT_UNITS = (
    "libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd-tcp.socket libvirtd"
)
# Asked to stop, libvirtd takes half a minute to leave; the main process only, never the guests.
STOP_LIBVIRT = f"""
systemctl stop --no-block {LIBVIRT_UNITS}
systemctl kill --kill-whom=main --signal=KILL libvirtd
systemctl stop {LIBVIRT_UNITS}
systemctl reset-failed {LIBVIRT_UNITS} || true
"""


def on_target(script: str) -> Callable[[Scene], None]:
    """Return an action that runs a script on the node that is the target."""

    def act(scene: Scene) -> None:
        scene.on(scene.target, script)

    return act


def libvirt_is_lost(scene: Scene) -> bool:
    """Say whether libvirt is gone and Nova has disabled the node for it by itself."""
    service = scene.nova_compute(scene.target)
    return bool(
        not scene.holds(scene.target, "virsh list")
        and service.status == "disabled"
        and (service.disabled_reason or "").startswith(BY_ITSELF)
    )


def libvirt_is_back(scene: Scene) -> bool:
    """Say whether libvirt answers and Nova has enabled the node again by itself."""
    return (
        scene.holds(scene.target, "virsh list")
        and scene.nova_compute(scene.target).status == "enabled"
        and scene.serves_rpc(scene.target)
    )


FILLER = "/var/lib/stackward-lab-filler"
# First in one piece, then byte by byte what is left of the last blocks.
FILL_DISK = f"""
fallocate --length $(df --output=avail -B1 / | tail -n 1) {FILLER} || true
cat /dev/zero >> {FILLER} 2>/dev/null || true
"""
PROBE = "/var/tmp/stackward-lab-probe"  # noqa: S108  # a file on the node, where only root is
# QEMU stops a guest whose write finds no room.
FREE_DISK = f"""
rm -f {FILLER} {PROBE}
command -v virsh > /dev/null || exit 0
for domain in $(virsh list --state-paused --name); do
  virsh domstate --reason "$domain" | grep -q "I/O error" && virsh resume "$domain"
done
true
"""
ONE_MORE_FILE = f"dd if=/dev/zero of={PROBE} bs=64k count=1 conv=fsync 2>/dev/null"


def disk_is_full(scene: Scene) -> bool:
    """Say whether nothing more can be written on the node, and that it can be asked."""
    return scene.holds(scene.target, "true") and not scene.holds(scene.target, ONE_MORE_FILE)


def disk_has_room(scene: Scene) -> bool:
    """Say whether something can be written on the node, and take it away again."""
    return scene.holds(scene.target, f"{ONE_MORE_FILE} && rm {PROBE}")


# --- servers ---


def undefine_domain(scene: Scene) -> None:
    """Take the server's domain away behind Nova's back.

    Undefined before it is destroyed: then Nova's own reaction to a stopped domain finds none.
    """
    server = scene.server()
    name = shlex.quote(server.instance_name)
    scene.on(server.hypervisor_hostname, f"virsh undefine {name} && virsh destroy {name}")


def domain_is_missing(scene: Scene) -> bool:
    """Say whether Nova calls a server ACTIVE that has no domain."""
    server = scene.server()
    return server.status == "ACTIVE" and scene.domain_state(server) is None


def hard_reboot(scene: Scene) -> None:
    """Have Nova make the domain, and what its disk needs, again from its records."""
    scene.cloud.compute.reboot_server(scene.target, "HARD")


def runs(scene: Scene) -> bool:
    """Say whether Nova and libvirt agree that the server runs."""
    server = scene.server()
    return (
        server.status == "ACTIVE"
        and server.task_state is None
        and scene.domain_state(server) == "running"
    )


def delete_base_image(scene: Scene) -> None:
    """Delete the file in `_base` that the server's disk is based on."""
    server = scene.server()
    disk = f"/var/lib/nova/instances/{server.id}/disk"
    backing = scene.on(
        server.hypervisor_hostname,
        f"qemu-img info -U --output=json {disk} |"
        " python3 -c 'import json,sys; print(json.load(sys.stdin)[\"full-backing-filename\"])'",
    ).strip()
    scene.remembered["base"] = backing
    scene.on(server.hypervisor_hostname, f"rm {shlex.quote(backing)}")


def base_is_missing(scene: Scene) -> bool:
    """Say whether the chain of the server's disk is broken."""
    return not chain_is_whole(scene)


def lock_disk(scene: Scene) -> None:
    """Take the rights on the server's disk away, as a copy by root may."""
    server = scene.server()
    disk = disk_of(server)
    scene.remembered["mode"] = scene.on(server.hypervisor_hostname, f"stat -c %a {disk}").strip()
    scene.on(server.hypervisor_hostname, f"chmod 0 {disk}")


def disk_is_locked(scene: Scene) -> bool:
    """Say whether QEMU's user cannot open the server's disk."""
    server = scene.server()
    has_disk = scene.holds(server.hypervisor_hostname, f"test -e {disk_of(server)}")
    return has_disk and not scene.holds(server.hypervisor_hostname, readable(server))


def unlock_disk(scene: Scene) -> None:
    """Give the rights back, and have a server run again that has tried to start without them."""
    server = scene.server()
    mode = scene.remembered.get("mode", "644")
    scene.on(server.hypervisor_hostname, f"chmod {mode} {disk_of(server)}")
    if not runs(scene):
        hard_reboot(scene)


def disk_is_open(scene: Scene) -> bool:
    """Say whether QEMU's user can open the server's disk, and the server runs."""
    server = scene.server()
    return scene.holds(server.hypervisor_hostname, readable(server)) and runs(scene)


def disk_of(server: Any) -> str:  # noqa: ANN401  # the SDK's own
    """Return the path of a server's disk on its node."""
    return f"/var/lib/nova/instances/{server.id}/disk"


def readable(server: Any) -> str:  # noqa: ANN401  # as above
    """Return the test whether QEMU's user can open a server's disk."""
    return f"setpriv --reuid {QEMU} --regid {QEMU} --init-groups head -c 1 {disk_of(server)}"


QEMU = "libvirt-qemu"


def chain_is_whole(scene: Scene) -> bool:
    """Say whether QEMU can open the server's disk and all that it is based on."""
    server = scene.server()
    disk = f"/var/lib/nova/instances/{server.id}/disk"
    return scene.holds(server.hypervisor_hostname, f"qemu-img info -U --backing-chain {disk}")


ALL = (
    Fault(
        name="node-power-loss",
        what="the node loses its power",
        symptom="no process of it lives, and Nova calls its nova-compute down",
        target=Target.COMPUTE,
        make=lose_power,
        seen=is_dead,
        mend=regain_power,
        gone=works_again,
    ),
    Fault(
        name="node-network-loss",
        what="both cables of the node are pulled, while it runs on",
        symptom="SSH does not answer, and Nova calls its nova-compute down",
        target=Target.COMPUTE,
        make=cut_cables,
        seen=is_cut_off,
        mend=join_cables,
        gone=works_again,
    ),
    Fault(
        name="node-hung",
        what="every process of the node is frozen, as when its kernel hangs",
        symptom="it takes connections and answers nothing, and Nova calls its nova-compute down",
        target=Target.COMPUTE,
        make=hardware_faults.stand_still,
        seen=hardware_faults.stands_still,
        mend=hardware_faults.go_on,
        gone=works_again,
    ),
    Fault(
        name="bmc-wrong-node",
        what="the node's BMC is cabled to another node: it shows and switches that one",
        symptom="the BMC reports the network cards of another node",
        target=Target.NODE,
        make=hardware_faults.swap_cable,
        seen=hardware_faults.shows_another,
        mend=hardware_faults.mend,
        gone=hardware_faults.shows_its_own,
    ),
    Fault(
        name="bmc-lies-off",
        what="the node's BMC accepts power orders and carries none out",
        symptom="the BMC says Off after ForceOff, and the node still runs",
        target=Target.NODE,
        make=hardware_faults.have_it_lie,
        seen=hardware_faults.lies,
        mend=hardware_faults.mend,
        gone=hardware_faults.tells_the_truth,
    ),
    Fault(
        name="nova-compute-killed",
        what="nova-compute is killed and not restarted",
        symptom="its unit has failed, and Nova calls it down",
        target=Target.COMPUTE,
        make=on_target(KILL_COMPUTE),
        seen=is_killed,
        mend=on_target(REVIVE_COMPUTE),
        gone=works_again,
    ),
    Fault(
        name="nova-compute-deaf",
        what="RPC calls no longer reach nova-compute, which runs and sends heartbeats",
        symptom="its unit is active, Nova calls it up, and it answers no call",
        target=Target.COMPUTE,
        make=binding("unbind"),
        seen=is_deaf,
        mend=binding("bind"),
        gone=works_again,
    ),
    Fault(
        name="clock-shifted",
        what=f"for nova-compute and for logins the clock is {clock_faults.SHIFTED_S} s ahead",
        symptom="a login's clock and the lines of nova-compute are ahead, and nova-compute works",
        target=Target.COMPUTE,
        make=clock_faults.shift,
        seen=clock_faults.is_shifted,
        mend=clock_faults.set_right,
        gone=clock_faults.is_right,
    ),
    Fault(
        name="rabbitmq-stopped",
        what="RabbitMQ is stopped",
        symptom="its port is closed, and Nova calls every nova-compute down",
        target=Target.CONTROLLER,
        make=on_controller("systemctl stop rabbitmq-server"),
        seen=no_message_passes,
        mend=start_rabbitmq,
        gone=Scene.all_work,
    ),
    Fault(
        name="rabbitmq-restarted",
        what="RabbitMQ is restarted under its clients",
        symptom="every nova-compute writes that it lost its connection",
        target=Target.CONTROLLER,
        make=restart_rabbitmq,
        seen=all_lost_connection,
        mend=start_rabbitmq,
        gone=Scene.all_work,
    ),
    Fault(
        name="mariadb-stopped",
        what="MariaDB is stopped",
        symptom="no token is given and no server listed",
        target=Target.CONTROLLER,
        make=on_controller("systemctl stop mariadb"),
        seen=lambda scene: not port_open(scene.lab.control.address, 3306) and not scene.grants(),
        mend=on_controller("systemctl start mariadb"),
        gone=lambda scene: scene.grants() and scene.all_work(),
    ),
    Fault(
        name="libvirtd-stopped",
        what="libvirt is stopped on the node; its guests run on",
        symptom="virsh does not answer, and Nova has disabled the node by itself",
        target=Target.COMPUTE,
        make=on_target(STOP_LIBVIRT),
        seen=libvirt_is_lost,
        mend=on_target(f"systemctl start {LIBVIRT_UNITS}"),
        gone=libvirt_is_back,
    ),
    Fault(
        name="dbus-down",
        what="D-Bus is stopped on the node, and nova-compute is restarted after it",
        symptom="the bus answers nobody on the node, while the node itself does",
        target=Target.COMPUTE,
        make=on_target(bus_faults.LOSE_BUS),
        seen=bus_faults.bus_is_lost,
        mend=on_target(bus_faults.GET_BUS_BACK),
        gone=bus_faults.bus_is_back,
    ),
    Fault(
        name="wrong-keystone-password",
        what="the password of Nova's own user is mistyped in nova.conf, and nova-api restarted",
        symptom="nova-api answers 503 to every good token: it cannot ask Keystone",
        target=Target.CONTROLLER,
        make=on_controller(WRONG_PASSWORD),
        seen=nova_is_refused,
        mend=on_controller(RIGHT_PASSWORD),
        gone=Scene.grants,
    ),
    Fault(
        name="disk-full",
        what="the node's disk is filled to the last block",
        symptom="no file can be written on the node",
        target=Target.NODE,
        make=on_target(FILL_DISK),
        seen=disk_is_full,
        mend=on_target(FREE_DISK),
        gone=disk_has_room,
    ),
    Fault(
        name="domain-undefined",
        what="the server's domain is destroyed and undefined behind Nova's back",
        symptom="Nova calls the server ACTIVE, and libvirt does not know it",
        target=Target.SERVER,
        make=undefine_domain,
        seen=domain_is_missing,
        mend=hard_reboot,
        gone=runs,
    ),
    Fault(
        name="base-image-deleted",
        what="the image file in `_base` under the server's disk is deleted",
        symptom="QEMU cannot open the disk's backing file",
        target=Target.SERVER,
        make=delete_base_image,
        seen=base_is_missing,
        mend=hard_reboot,
        gone=lambda scene: chain_is_whole(scene) and runs(scene),
        stays="other servers on that image file miss it until Nova fetches it for a hard reboot",
    ),
    Fault(
        name="disk-permission",
        what="the rights on the server's disk are taken away; its guest runs on",
        symptom="QEMU's user cannot open the disk: once stopped, the server does not start again",
        target=Target.SERVER,
        make=lock_disk,
        seen=disk_is_locked,
        mend=unlock_disk,
        gone=disk_is_open,
    ),
    Fault(
        name="host-resumes-guests",
        what="nova-compute is set to start the guests of its node by itself after a boot",
        symptom="its settings say so: after the node's next boot all that ran starts",
        target=Target.COMPUTE,
        make=on_target(boot_faults.RESUME_GUESTS),
        seen=boot_faults.resumes_guests,
        mend=on_target(boot_faults.LEAVE_GUESTS_OFF),
        gone=boot_faults.leaves_guests_off,
    ),
    Fault(
        name="reboot-hangs",
        what="the node is made to hang at its next boot, before anything is started there",
        symptom="the unit that hangs is in place: after a reboot SSH stays shut until `lab mend`",
        target=Target.COMPUTE,
        make=on_target(boot_faults.HANG),
        seen=boot_faults.would_hang,
        mend=boot_faults.let_boot,
        gone=boot_faults.boots,
    ),
    Fault(
        name="disk-corrupt",
        what="the header of the server's disk is overwritten, and the server is rebooted",
        symptom="Nova puts it into ERROR, and QEMU cannot read its disk as qcow2",
        target=Target.SERVER,
        make=server_faults.damage_header,
        seen=server_faults.is_damaged,
        mend=server_faults.mend_header,
        gone=lambda scene: runs(scene) and server_faults.can_be_read(scene),
    ),
    Fault(
        name="binding-lost",
        what="the server's port is bound to a host that there is not, and the server is rebooted",
        symptom="Nova puts it into ERROR, and Neutron calls the port's binding failed",
        target=Target.SERVER,
        make=server_faults.lose_binding,
        seen=server_faults.is_unbound,
        mend=server_faults.bind_again,
        gone=lambda scene: runs(scene) and server_faults.is_bound(scene),
    ),
    Fault(
        name="guest-no-bootloader",
        what="the first sector of the server's disk is wiped while it is off",
        symptom="Nova calls it ACTIVE, and its guest writes nothing",
        target=Target.SERVER,
        make=server_faults.wipe_boot_sector,
        seen=server_faults.has_no_boot_sector,
        mend=server_faults.write_boot_sector,
        gone=server_faults.boots,
    ),
    Fault(
        name="guest-panic",
        what="the guest's kernel is made to panic",
        symptom="Nova calls it ACTIVE, and its console ends with a panic",
        target=Target.SERVER,
        make=server_faults.panic,
        seen=server_faults.has_panicked,
        mend=server_faults.reboot,
        gone=server_faults.has_not_panicked,
    ),
    Fault(
        name="allocation-orphan",
        what="a consumer that is no server holds allocations on the node",
        symptom="placement has it among the node's: `cloud reconcile` names it allocation-orphan",
        target=Target.COMPUTE,
        make=disagreement_faults.hold_for_nobody,
        seen=disagreement_faults.is_held_for_nobody,
        mend=disagreement_faults.let_nobody_go,
        gone=disagreement_faults.is_free_of_nobody,
    ),
    Fault(
        name="allocation-double",
        what="the server holds allocations on a second node too",
        symptom="placement has it on both: `cloud reconcile` names it allocation-double",
        target=Target.SERVER,
        make=disagreement_faults.hold_twice,
        seen=disagreement_faults.is_held_twice,
        mend=disagreement_faults.hold_once,
        gone=disagreement_faults.is_held_once,
    ),
    Fault(
        name="domain-elsewhere",
        what="another node has a guest of the server, switched off, as a lost move leaves it",
        symptom="libvirt there has it: `cloud reconcile` names it domain-elsewhere",
        target=Target.SERVER,
        make=disagreement_faults.define_elsewhere,
        seen=disagreement_faults.is_defined_elsewhere,
        mend=disagreement_faults.undefine_elsewhere,
        gone=disagreement_faults.is_only_at_home,
        stays="the guest on the other node stays defined there",
    ),
    Fault(
        name="domain-of-deleted",
        what="the node has a guest, switched off, of a server that Nova does not have",
        symptom="libvirt there has it: `cloud reconcile` names it domain-of-deleted",
        target=Target.COMPUTE,
        make=disagreement_faults.define_for_nobody,
        seen=disagreement_faults.is_defined_for_nobody,
        mend=disagreement_faults.undefine_for_nobody,
        gone=disagreement_faults.has_only_servers,
    ),
    Fault(
        name="attachment-one-sided",
        what="Cinder has a volume attached to the server, and Nova and its guest do not: an attach "
        "that was lost, an hour ago",
        symptom="`volume list` shows it, `cloud reconcile` names it attachment-one-sided",
        target=Target.SERVER,
        make=volume_faults.attach_by_cinder_alone,
        seen=volume_faults.is_attached_by_cinder_alone,
        mend=volume_faults.remove_volume,
        gone=volume_faults.has_no_volume,
        stays="the volume stays, in use to Cinder",
    ),
    Fault(
        name="volume-stuck",
        what="a volume of the server is detaching, and nobody detaches it: a call that was lost, "
        "an hour ago",
        symptom="`volume list` shows it, `cloud reconcile` names it volume-stuck",
        target=Target.SERVER,
        make=volume_faults.lose_detach,
        seen=volume_faults.is_detaching,
        mend=volume_faults.remove_volume,
        gone=volume_faults.has_no_volume,
        stays="the volume stays",
    ),
    Fault(
        name="target-dies-after-spawn",
        what="nova-compute is set to die once it has started a guest that is evacuated to the node",
        symptom="its unit runs the program that dies; after it the guest runs, and Nova still has "
        "the server on the node that is dead",
        target=Target.COMPUTE,
        make=evacuation_faults.have_target_die,
        seen=evacuation_faults.would_die,
        mend=evacuation_faults.let_target_live,
        gone=evacuation_faults.lives,
    ),
    Fault(
        name="evacuation-lost",
        what="Nova accepts an order to evacuate the server, whose node is down; the order is taken "
        "out of the conductor's queue",
        symptom="its record stays `accepted`, and Nova's task `rebuilding`: nobody has the order",
        target=Target.SERVER,
        may=evacuation_faults.needs_down_node,
        make=evacuation_faults.lose_order,
        seen=evacuation_faults.order_is_lost,
        mend=evacuation_faults.end_order,
        gone=evacuation_faults.order_is_over,
        stays="its record stays `accepted` until the node returns",
    ),
    Fault(
        name="memcached-stopped",
        what="memcached is stopped, in which Keystone and all who check tokens keep what they know",
        symptom="port 11211 is closed",
        target=Target.CONTROLLER,
        make=on_controller("systemctl stop memcached"),
        seen=service_faults.cache_is_away,
        mend=on_controller("systemctl start memcached"),
        gone=service_faults.cache_is_back,
    ),
    Fault(
        name="fernet-keys-missing",
        what="the folder of the keys by which Keystone makes and reads tokens is empty",
        symptom="Keystone answers with 500 to who asks for a token",
        target=Target.CONTROLLER,
        make=on_controller(service_faults.LOSE_KEYS),
        seen=service_faults.no_token_is_made,
        mend=on_controller(service_faults.FIND_KEYS),
        gone=Scene.grants,
    ),
    Fault(
        name="mariadb-connections-full",
        what="one program holds all connections that MariaDB allows",
        symptom="MariaDB answers each other one that there are too many connections",
        target=Target.CONTROLLER,
        make=on_controller(service_faults.TAKE_CONNECTIONS),
        seen=service_faults.no_connection_is_free,
        mend=on_controller(service_faults.GIVE_CONNECTIONS),
        gone=service_faults.connections_are_free,
    ),
    Fault(
        name="wrong-placement-password",
        what="Placement's password for Keystone is mistyped, and Placement restarted",
        symptom="Placement answers a good new token with 503",
        target=Target.CONTROLLER,
        make=on_controller(service_faults.MISTYPE_PASSWORD),
        seen=service_faults.placement_is_refused,
        mend=on_controller(service_faults.RIGHT_PASSWORD),
        gone=service_faults.placement_is_accepted,
    ),
    *(
        Fault(
            name=f"method-{kind}",
            what=f"one function of a service {what}, such as "
            "`nova.compute.manager:ComputeManager.attach_volume`",
            symptom="the processes that run it were started again, with the changed function",
            target=Target.METHOD,
            make=method_faults.put(kind),
            seen=method_faults.is_put(kind),
            mend=method_faults.take(kind),
            gone=method_faults.is_taken,
        )
        for kind, what in method_faults.KINDS.items()
    ),
)
FAULTS = {fault.name: fault for fault in ALL}


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A fault that was made and is not repaired yet."""

    fault: str
    target: str
    since: str
    remembered: dict[str, str]
    called: str = ""  # the name of a server

    @property
    def names(self) -> set[str]:
        """Return what its target may be called."""
        return {self.target, self.called} - {""}

    @property
    def place(self) -> str:
        """Say what it is in: a node's name, or a server's id and name."""
        return f"`{self.target}` ({self.called})" if self.called else f"`{self.target}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """A fault that is in force no more."""

    target: str
    went_with_its_server: bool = False
    stays: str = ""  # of one that went with its server


def in_force(lab: Lab) -> list[InForce]:
    """Return the faults that are in the lab now, as far as this tool made them.

    Raises Refused when the record cannot be read.
    """
    file = record_of(lab)
    if not file.exists():
        return []
    try:
        return [InForce(**entry) for entry in json.loads(file.read_text())]
    except (OSError, TypeError, ValueError) as broken:
        raise Refused(
            f"the record of the faults in force cannot be read: {file}",
            says=str(broken),
            hint=f"`stackward lab reset --name {lab.name}` starts the lab from the beginning",
        ) from broken


def break_lab(
    lab: Lab,
    name: str,
    target: str | None,
    faults: Mapping[str, Fault] = FAULTS,
    log_in: Callable[[Lab], Any] = connect,
) -> str:
    """Make a fault, wait until its symptom is seen, and return what it was put into.

    Raises BadInput for an unknown fault or target. Raises Refused when it is in force already or
    cannot be made now. Raises StepFailed when the symptom does not come: the fault may be there all
    the same, and is recorded.
    """
    fault = named(name, faults)
    scene = chosen_scene(lab, fault, target, log_in)
    if any((made.fault, made.target) == (name, scene.target) for made in in_force(lab)):
        raise Refused(
            f"`{name}` is in force on `{scene.target}` already",
            stands="nothing was changed",
            hint=f"`stackward lab mend {name} {scene.target}` removes it",
        )
    fault.may(scene)
    record(lab, fault, scene)  # first: a fault that is only partly made can be repaired too
    fault.make(scene)
    record(lab, fault, scene)
    if not wait_until(lambda: looks(fault.seen, scene), within_s=fault.seen_within_s, every_s=0.5):
        raise StepFailed(
            f"`{name}` was made on `{scene.target}`, and its symptom is not seen: {fault.symptom}",
            hint=f"`stackward lab mend {name} {scene.target}`",
        )
    return scene.target


def mend_lab(
    lab: Lab,
    name: str,
    target: str | None,
    faults: Mapping[str, Fault] = FAULTS,
    log_in: Callable[[Lab], Any] = connect,
) -> Mended:
    """Repair a fault and wait until its symptom is gone; a deleted server took its fault with it.

    Raises BadInput for an unknown fault, Refused when it is not in force, StepFailed when the
    symptom stays.
    """
    fault = named(name, faults)
    of_name = [entry for entry in in_force(lab) if entry.fault == name]
    made = [entry for entry in of_name if target is None or target in entry.names]
    if of_name and not made and fault.target is Target.SERVER:  # it has another name since
        ids = {server.id for server in servers_called(log_in(lab), str(target))}
        made = [entry for entry in of_name if entry.target in ids]
    if not made:
        raise Refused(
            f"`{name}` is not in force" + (f" on `{target}`" if target else ""),
            stands="nothing was changed",
            hint="`stackward lab status` shows the faults that are",
        )
    if len(made) > 1:
        raise Refused(
            f"`{name}` is in force on more than one target",
            details=[entry.place for entry in made],
            hint="name one of them",
        )
    scene = Scene(lab, made[0].target, dict(made[0].remembered), made[0].called, log_in)
    is_there = has_target(fault, scene)
    if is_there:
        try:
            mend_and_see(fault, scene)
        except StepFailed:
            is_there = has_target(fault, scene)  # it may have been deleted since then
            if is_there:
                raise
    forget(lab, name, scene.target)
    if is_there:
        return Mended(target=scene.target)
    return Mended(target=scene.target, went_with_its_server=True, stays=fault.stays)


def has_target(fault: Fault, scene: Scene) -> bool:
    """Say whether what the fault was put into is still there: nodes always are."""
    return fault.target is not Target.SERVER or scene.has_server()


def mend_and_see(fault: Fault, scene: Scene) -> None:
    """Repair a fault; raise StepFailed when its symptom stays."""
    fault.mend(scene)
    if not wait_until(lambda: looks(fault.gone, scene), within_s=fault.gone_within_s, every_s=0.5):
        raise StepFailed(
            f"`{fault.name}` was removed from `{scene.target}`, but its symptom is still there"
        )


def named(name: str, faults: Mapping[str, Fault] = FAULTS) -> Fault:
    """Return the fault called `name`.

    Raises BadInput when there is none.
    """
    if name not in faults:
        raise BadInput(f"there is no fault `{name}`", hint="`stackward lab faults` lists them")
    return faults[name]


def chosen_scene(
    lab: Lab, fault: Fault, target: str | None, log_in: Callable[[Lab], Any] = connect
) -> Scene:
    """Return where the fault is put into: a node or function by its name, a server by its id.

    Raises BadInput when that is not possible.
    """
    match fault.target:
        case Target.CONTROLLER:
            if target not in (None, "ctl"):
                raise BadInput(f"`{fault.name}` is a fault of the controller, not of `{target}`")
            return Scene(lab, "ctl", log_in=log_in)
        case Target.SERVER:
            if target is None:
                raise BadInput(f"`{fault.name}` needs a server", hint="name one, or give its id")
            server = find_server(lab, target, log_in)
            if server.status != "ACTIVE":
                raise BadInput(
                    f"`{fault.name}` is a fault of a running server;"
                    f" `{server.name}` is {server.status}"
                )
            return Scene(lab, str(server.id), called=str(server.name), log_in=log_in)
        case Target.METHOD:
            method_faults.read_method(target)
            return Scene(lab, str(target), log_in=log_in)
        case Target.COMPUTE | Target.NODE:
            node = lab.node(target or lab.compute_nodes[0].name)
            if fault.target is Target.COMPUTE and node.role != "compute":
                raise BadInput(
                    f"`{fault.name}` is a fault of a compute node; `{node.name}` is none",
                    hint="compute nodes: "
                    + ", ".join(f"`{compute.name}`" for compute in lab.compute_nodes),
                )
            return Scene(lab, node.name, log_in=log_in)


def servers_called(cloud: Any, name_or_id: str) -> list[Any]:  # noqa: ANN401  # the SDK's own
    """Return the servers of that name or id, of any project."""
    return [
        server
        for server in cloud.compute.servers(all_projects=True)
        if name_or_id in (server.id, server.name)
    ]


def find_server(lab: Lab, name_or_id: str, log_in: Callable[[Lab], Any] = connect) -> Any:  # noqa: ANN401  # the SDK's own
    """Return the one server of that name or id, of any project.

    Raises BadInput when there is none, or more than one.
    """
    found = servers_called(log_in(lab), name_or_id)
    if len(found) != 1:
        raise BadInput(
            f"{count_of(len(found), 'server is', 'servers are')} called `{name_or_id}`",
            details=[f"{server.id} on `{server.hypervisor_hostname}`" for server in found],
            hint="give an id" if found else "`stackward lab load` makes servers",
        )
    return found[0]


# --- the record of what is in force ---


def record_of(lab: Lab) -> Path:
    """Return the file of the faults in force."""
    return lab.folder / "faults.json"


def record(lab: Lab, fault: Fault, scene: Scene) -> None:
    """Write down a fault, or what has become known of it."""
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    made = InForce(
        fault=fault.name,
        target=scene.target,
        since=since,
        remembered=scene.remembered,
        called=scene.called,
    )
    with changing_record(lab):
        store(lab, [*others_than(lab, fault.name, scene.target), made])


def forget(lab: Lab, name: str, target: str) -> None:
    """Strike a fault off the record."""
    with changing_record(lab):
        store(lab, others_than(lab, name, target))


def others_than(lab: Lab, name: str, target: str) -> list[InForce]:
    """Return the faults in force, without this one."""
    return [made for made in in_force(lab) if (made.fault, made.target) != (name, target)]


@contextmanager
def changing_record(lab: Lab) -> Iterator[None]:
    """Let one command at a time change the record; several may make and repair faults."""
    with (lab.folder / ".faults.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def store(lab: Lab, faults: list[InForce]) -> None:
    """Replace the record."""
    entries = [asdict(made) for made in faults]
    unfinished = record_of(lab).with_suffix(".new")
    unfinished.write_text(json.dumps(entries, indent=1))
    unfinished.rename(record_of(lab))
