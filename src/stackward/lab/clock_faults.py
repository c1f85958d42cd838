"""A clock that is wrong on one node, though all nodes of a lab have the clock of the host.

libfaketime shifts what a program sees of the time. It is loaded into nova-compute and into what a
login starts, also by sudo. What waits for a time uses the monotonic clock, which is left alone.
"""

import time

from stackward.lab.scene import Scene

SHIFTED_S = 37
AMOUNT = "/etc/faketimerc"  # read again once a second: a clock may be set while programs run
LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
_DROP_IN = "/run/systemd/system/nova-compute.service.d/clock-shifted.conf"
_KEPT = "/etc/environment /etc/pam.d/sudo"
_SHIFT = f"""
test -e {LIBRARY}
for file in {_KEPT}; do [ -e $file.before ] || cp -p $file $file.before; done
echo +{SHIFTED_S} > {AMOUNT}
cat > /etc/environment << END
LD_PRELOAD={LIBRARY}
FAKETIME_DONT_FAKE_MONOTONIC=1
FAKETIME_CACHE_DURATION=1
END
cp -p /etc/pam.d/sudo.before /etc/pam.d/sudo
echo 'session required pam_env.so' >> /etc/pam.d/sudo
mkdir -p $(dirname {_DROP_IN})
printf '[Service]\nEnvironmentFile=/etc/environment\n' > {_DROP_IN}
systemctl daemon-reload
systemctl restart nova-compute
"""
_SET_RIGHT = f"""
for file in {_KEPT}; do [ ! -e $file.before ] || mv $file.before $file; done
rm -f {AMOUNT} {_DROP_IN}
systemctl daemon-reload
systemctl restart nova-compute
"""
_LAST_LINE = "tail -n 1 /var/log/nova/nova-compute.log | cut -c 1-19"


def shift(scene: Scene) -> None:
    """Shift the clock of the node's logins and of its nova-compute."""
    scene.on(scene.target, _SHIFT)


def set_right(scene: Scene) -> None:
    """Give both the clock of the host again."""
    scene.on(scene.target, _SET_RIGHT)


def is_shifted(scene: Scene) -> bool:
    """Say whether a login sees another time, and nova-compute works and logs with that time."""
    is_logged = f'test "$({_LAST_LINE})" \\> "$(env -u LD_PRELOAD date -u "+%F %T")"'
    return (
        abs(_ahead_s(scene) - SHIFTED_S) < SHIFTED_S / 2
        and scene.works(scene.target)
        and scene.holds(scene.target, is_logged)
    )


def is_right(scene: Scene) -> bool:
    """Say whether a login sees the time of the host, and nova-compute works."""
    return abs(_ahead_s(scene)) < SHIFTED_S / 2 and scene.works(scene.target)


def _ahead_s(scene: Scene) -> float:
    """Return how far the clock of a login is ahead of ours, in seconds."""
    return float(scene.on(scene.target, "date +%s")) - time.time()
