"""Faults of a node's next boot: it starts its guests by itself, or it never ends."""

from stackward.errors import StepFailed
from stackward.lab.command import succeeds
from stackward.lab.scene import Scene
from stackward.lab.waiting import wait_until

BOOT_S = 60

# --- it starts its guests by itself ---

CONF = "/etc/nova/nova.conf"
_OPTION = "resume_guests_state_on_host_boot"
# nova-compute reads it as it starts, and asks for it only at a boot of the node: no restart.
RESUME_GUESTS = f"""
[ -e {CONF}.before ] || cp -p {CONF} {CONF}.before
sed -i 's/^{_OPTION} = .*/{_OPTION} = true/' {CONF}
"""
LEAVE_GUESTS_OFF = f"[ ! -e {CONF}.before ] || mv {CONF}.before {CONF}"


def resumes_guests(scene: Scene) -> bool:
    """Say whether the settings of the node's nova-compute have it start guests at a boot."""
    return scene.holds(scene.target, f"grep -qx '{_OPTION} = true' {CONF}")


def leaves_guests_off(scene: Scene) -> bool:
    """Say whether they have it leave guests off."""
    return scene.holds(scene.target, f"grep -qx '{_OPTION} = false' {CONF}")


# --- it never ends ---

UNIT = "lab-hang.service"
_PLACE = f"/etc/systemd/system/{UNIT}"
_WANTED = f"/etc/systemd/system/sysinit.target.wants/{UNIT}"
# Before all else: nothing that a boot brings up is there, SSH neither.
HANG = f"""
cat > {_PLACE} <<'UNIT'
[Unit]
Description=A boot of this node never ends
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
ExecStart=/bin/sleep infinity
TimeoutStartSec=infinity
UNIT
mkdir -p $(dirname {_WANTED})
ln -sf {_PLACE} {_WANTED}
systemctl daemon-reload
"""
# Also for a boot that hangs: when systemd's order for this unit is gone, the boot goes on.
GO_ON = f"""
rm -f {_PLACE} {_WANTED}
timeout 10 systemctl stop {UNIT} 2>/dev/null
systemctl reset-failed {UNIT} 2>/dev/null
systemctl daemon-reload
"""


def would_hang(scene: Scene) -> bool:
    """Say whether the node is set to hang at its next boot, or hangs in this one."""
    return _inside(scene, f"test -e {_WANTED}")


def let_boot(scene: Scene) -> None:
    """Let the next boot of the node end, and this one if it hangs; switch it on if it is off."""
    scene.machine.power_on()
    if not wait_until(lambda: _inside(scene, GO_ON), within_s=BOOT_S, every_s=0.5):
        raise StepFailed(f"`{scene.target}` does not boot far enough to be repaired")


def boots(scene: Scene) -> bool:
    """Say whether the node would not hang, can be reached, and its nova-compute works."""
    is_mended = f"test ! -e {_PLACE} && ! systemctl is-failed -q {UNIT}"
    return scene.holds(scene.target, is_mended) and scene.works(scene.target)


def _inside(scene: Scene, script: str) -> bool:
    """Run a script in the node without SSH, as from its console; say whether it ended well."""
    pid = scene.machine.cgroup.init_pid()
    if pid is None:
        return False
    return succeeds(["nsenter", f"--target={pid}", "--all", "sh", "-c", script])
