"""The boot gate of a compute node: after a crash its nova-compute stays off until somebody says so.

nova-compute starts at boot by itself, and at once destroys the guests and disks of servers that
were evacuated from its host (nova 31.0 compute/manager.py, `_destroy_evacuated_instances`).
"""

from dataclasses import dataclass

from stackward.model.compute_process import UNIT

SYSTEMD = 243  # the first that has `ExecCondition=`; systemd's NEWS
SCRIPT = "/etc/stackward/boot-gate"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/stackward-gate.conf"
OPENED = "/run/stackward/gate-open"  # gone with the boot
PLANNED = "/var/lib/stackward/planned-reboot"  # its time is that of the shutdown
FRESH_S = 900  # a shutdown that is older was no reboot
DROP_IN_TEXT = f"""[Service]
ExecCondition=+/bin/sh {SCRIPT} may-start
ExecStopPost=+/bin/sh {SCRIPT} stopped
"""
# A line must hold no single quote: it is written by `echo`.
SCRIPT_TEXT = f"""# The boot gate of nova-compute: stackward node gate remove NODE takes it away.
opened={OPENED} planned={PLANNED}
if test "$1" = stopped; then
case $(systemctl is-system-running) in stopping)
install -D -m 0644 /dev/null $planned && sync $planned ;;
esac
exit 0
fi
test -e $opened && exit 0
age=$(($(date +%s) - $(stat -c %Y $planned 2>/dev/null || echo 0)))
rm -f $planned || exit 1
test $age -ge 0 && test $age -lt {FRESH_S} && install -D -m 0644 /dev/null $opened && exit 0
echo "the boot gate is shut: stackward node return or stackward node gate open opens it" >&2
exit 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootGate:
    """What a node has of the gate."""

    has_script: bool = False
    has_drop_in: bool = False
    is_as_shipped: bool = False  # both are there, and read as this version writes them
    is_asked: bool = False  # systemd has read the drop-in, and goes by it
    is_open: bool = False  # for this boot

    @property
    def is_any(self) -> bool:
        """Say whether any of it is there."""
        return self.has_script or self.has_drop_in or self.is_asked

    @property
    def is_whole(self) -> bool:
        """Say whether it is there as it should be, and in force."""
        return self.is_as_shipped and self.is_asked

    @property
    def is_shut(self) -> bool:
        """Say whether it keeps nova-compute off now, or will once systemd reads its drop-in."""
        return (self.has_drop_in or self.is_asked) and not self.is_open

    @property
    def words(self) -> str:
        """Say how the gate is."""
        if not self.is_any:
            return "none"
        state = "shut" if self.is_shut else "open"
        return state if self.is_whole else f"{state}, and not whole"


NO_GATE = BootGate()
