"""The message bus of a node is lost: the story in which each log points to the next.

libvirt ends with the bus, and does not start without it; nova-compute is restarted, as somebody who
looks for the fault does, and has no hypervisor. Its own log is the first that is read.
"""

from stackward.lab.scene import Scene

_LIBVIRT = (
    "libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd-tcp.socket libvirtd.service"
)
LOSE_BUS = """
systemctl stop dbus.socket dbus.service
systemctl restart --no-block nova-compute
"""
# The clients of the old bus are not connected to the new one: systemd itself, logind, libvirt.
# nova-compute has disabled its node by itself; only a new start surely takes that back. A libvirtd
# that lost the bus while it ended can outlive its unit (seen once, at a load of 15). Then a new one
# does not start. Guests are processes of their own, and stay.
GET_BUS_BACK = f"""
systemctl start dbus.socket dbus.service
systemctl daemon-reexec
systemctl try-restart systemd-logind polkit systemd-networkd || true
systemctl stop nova-compute || true; systemctl stop {_LIBVIRT} || true
pkill -KILL -x libvirtd && timeout 10 sh -c "while pgrep -x libvirtd; do sleep 0.1; done"
systemctl reset-failed {_LIBVIRT} nova-compute || true
systemctl start {_LIBVIRT}; systemctl start --no-block nova-compute
"""
_ASK_BUS = (
    "timeout 4 busctl --system call org.freedesktop.DBus /org/freedesktop/DBus"
    " org.freedesktop.DBus GetId"
)


def bus_is_lost(scene: Scene) -> bool:
    """Say whether the bus is stopped and answers nobody."""
    return scene.holds(scene.target, "true") and not scene.holds(scene.target, _ASK_BUS)


def bus_is_back(scene: Scene) -> bool:
    """Say whether the bus answers, and libvirt and nova-compute with it."""
    return (
        scene.holds(scene.target, _ASK_BUS)
        and scene.holds(scene.target, "virsh list")
        and scene.nova_compute(scene.target).status == "enabled"
        and scene.works(scene.target)
    )
