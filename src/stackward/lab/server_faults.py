"""Faults by which a server does not boot: of its disk, of its port, and within its guest."""

import shlex

from stackward.errors import StepFailed
from stackward.lab.scene import PUT_BACK_S, Scene, looks
from stackward.lab.waiting import wait_until

SECTOR = 512
NOWHERE = "stackward-lab-nowhere"  # a host that no agent of Neutron is on
PANIC = "Kernel panic - not syncing"
CONSOLE_LINES = 40
_READ = "dd if={path} bs={size} count=1 status=none | base64 -w0"
# It keeps the owner and the mode of the file, and all that is behind what it writes.
_WRITE = "echo {text} | base64 -d | dd of={path} bs={size} count=1 conv=notrunc status=none"


def disk_of(server: str) -> str:
    """Return where Nova has a server's disk."""
    return f"/var/lib/nova/instances/{server}/disk"


def on_its_node(scene: Scene, script: str) -> str:
    """Run a script on the node that has the server."""
    return scene.on(scene.server().hypervisor_hostname, script)


def is_so_there(scene: Scene, test: str) -> bool:
    """Say whether a shell test holds on the node that has the server."""
    return scene.holds(scene.server().hypervisor_hostname, test)


def reboot(scene: Scene) -> None:
    """Ask Nova for a hard reboot; one that fails shows by the server's state."""
    scene.cloud.compute.reboot_server(scene.target, "HARD")


def wait_for(scene: Scene, status: str) -> None:
    """Wait until the server has a state, and Nova is not busy with it.

    Raises StepFailed where it does not get there.
    """

    def is_there(scene: Scene) -> bool:
        server = scene.server()
        return (server.status, server.task_state) == (status, None)

    if not wait_until(lambda: looks(is_there, scene), within_s=PUT_BACK_S, every_s=0.5):
        raise StepFailed(f"the server {scene.target} does not become {status}")


def is_in_error(scene: Scene) -> bool:
    """Say whether Nova has given the server up."""
    server = scene.server()
    return bool((server.status, server.task_state) == ("ERROR", None))


# --- its disk ---


def damage_header(scene: Scene) -> None:
    """Overwrite the first bytes of the server's disk, and have it rebooted."""
    path = disk_of(scene.target)
    scene.remembered["header"] = on_its_node(scene, _READ.format(path=path, size=4)).strip()
    on_its_node(scene, f"printf XXXX | dd of={path} bs=4 count=1 conv=notrunc status=none")
    reboot(scene)


def is_damaged(scene: Scene) -> bool:
    """Say whether Nova has given the server up, and QEMU cannot read its disk."""
    test = f"qemu-img info -U -f qcow2 {disk_of(scene.target)}"
    return is_in_error(scene) and is_so_there(scene, "true") and not is_so_there(scene, test)


def mend_header(scene: Scene) -> None:
    """Write the first bytes again, and have the server rebooted."""
    if header := scene.remembered.get("header"):
        path = disk_of(scene.target)
        on_its_node(scene, _WRITE.format(text=shlex.quote(header), path=path, size=4))
    reboot(scene)


def can_be_read(scene: Scene) -> bool:
    """Say whether QEMU can read the server's disk as qcow2."""
    return is_so_there(scene, f"qemu-img info -U -f qcow2 {disk_of(scene.target)}")


# --- its port ---


def lose_binding(scene: Scene) -> None:
    """Have Neutron bind the server's port where it cannot be bound, and have it rebooted."""
    port = next(scene.cloud.network.ports(device_id=scene.target), None)
    if port is None:
        raise StepFailed(f"the server {scene.target} has no port")
    scene.remembered["port"], scene.remembered["host"] = str(port.id), str(port.binding_host_id)
    scene.cloud.network.update_port(port.id, **{"binding:host_id": NOWHERE})
    reboot(scene)


def is_unbound(scene: Scene) -> bool:
    """Say whether Nova has given the server up, and Neutron calls its port's binding failed."""
    port = scene.cloud.network.get_port(scene.remembered["port"])
    return is_in_error(scene) and bool(port.binding_vif_type == "binding_failed")


def bind_again(scene: Scene) -> None:
    """Have the port bound to its node again, and the server rebooted."""
    if port := scene.remembered.get("port"):
        host = scene.remembered["host"]
        scene.cloud.network.update_port(port, **{"binding:host_id": host})
    reboot(scene)


def is_bound(scene: Scene) -> bool:
    """Say whether the port is bound to the server's node."""
    if "port" not in scene.remembered:
        return True
    port = scene.cloud.network.get_port(scene.remembered["port"])
    bound = (port.binding_host_id, port.binding_vif_type)
    return bool(bound[0] == scene.remembered["host"] and bound[1] != "binding_failed")


# --- its guest ---


def _sector_command(path: str, what: str) -> str:
    return f"qemu-io -f qcow2 -c {shlex.quote(what)} {path}"


def wipe_boot_sector(scene: Scene) -> None:
    """Wipe the first sector of the disk of the stopped server, and start it."""
    path = disk_of(scene.target)
    scene.cloud.compute.stop_server(scene.target)
    wait_for(scene, "SHUTOFF")
    sector = f"/run/lab-sector-{scene.target}"
    scene.remembered["sector"] = on_its_node(
        scene,
        f"qemu-img dd -f qcow2 -O raw bs={SECTOR} count=1 if={path} of={sector}"
        f" && head -c {SECTOR} {sector} | base64 -w0; rm -f {sector}",
    ).strip()
    on_its_node(scene, _sector_command(path, f"write -P 0 0 {SECTOR}"))
    scene.cloud.compute.start_server(scene.target)


def has_no_boot_sector(scene: Scene) -> bool:
    """Say whether the server runs from a disk whose first sector is empty."""
    read = f"qemu-io -r -U -f qcow2 -c 'read -P 0 0 {SECTOR}' {disk_of(scene.target)}"
    return _is_running(scene) and is_so_there(scene, f"! {read} | grep -q 'verification failed'")


def write_boot_sector(scene: Scene) -> None:
    """Stop the server, write its first sector again, and start it."""
    if scene.server().status != "SHUTOFF":
        scene.cloud.compute.stop_server(scene.target)
        wait_for(scene, "SHUTOFF")
    if sector := scene.remembered.get("sector"):
        path, file = disk_of(scene.target), f"/run/lab-sector-{scene.target}"
        on_its_node(
            scene,
            f"echo {shlex.quote(sector)} | base64 -d > {file} && "
            f"{_sector_command(path, f'write -s {file} 0 {SECTOR}')}; rm -f {file}",
        )
    scene.cloud.compute.start_server(scene.target)


def boots(scene: Scene) -> bool:
    """Say whether the server runs from a disk that has a first sector."""
    return _is_running(scene) and not has_no_boot_sector(scene)


# QEMU takes what is typed only while somebody has the console open, and the guest only once its
# shell is there: so it is typed again until the panic shows. By itself the guest would reboot then:
# where the begin of what is typed was lost, `p` is not set, and nothing panics.
_PANIC = """
exec 3<>"$(virsh ttyconsole {name})"
for try in $(seq 60); do
  printf '\\rp=0; echo $p >/proc/sys/kernel/panic && echo ${{p:+c}} >/proc/sysrq-trigger\\r' >&3
  sleep 1
  tail -c 4000 {console} | grep -q '{panic}' && exit 0
done
exit 1
"""


def panic(scene: Scene) -> None:
    """Have the guest's kernel panic, by a word to the shell on its console."""
    name = shlex.quote(scene.server().instance_name)
    console = f"/var/lib/nova/instances/{scene.target}/console.log"
    on_its_node(scene, _PANIC.format(name=name, console=console, panic=PANIC))


def has_panicked(scene: Scene) -> bool:
    """Say whether the guest's console ends with a panic, while Nova calls the server ACTIVE."""
    return _is_running(scene) and PANIC in _console(scene)


def has_not_panicked(scene: Scene) -> bool:
    """Say whether the server runs, and its console shows no panic."""
    return _is_running(scene) and PANIC not in _console(scene)


def _console(scene: Scene) -> str:
    told = scene.cloud.compute.get_server_console_output(scene.target, CONSOLE_LINES)
    return str(told["output"] or "")


def _is_running(scene: Scene) -> bool:
    server = scene.server()
    is_free = (server.status, server.task_state) == ("ACTIVE", None)
    return is_free and scene.domain_state(server) == "running"
