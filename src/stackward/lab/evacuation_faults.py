"""Faults of evacuations: the target dies before Nova writes the new host, or the order is lost."""

import json
from typing import Any

from stackward.errors import Refused, StepFailed
from stackward.lab.configuration import PASSWORD
from stackward.lab.scene import Scene
from stackward.lab.waiting import wait_until

# --- the target dies ---

_PROGRAM = "/run/lab-dies/nova-compute"
_DROP_IN = "/run/systemd/system/nova-compute.service.d/dies-after-spawn.conf"
# The guest of an evacuation is started in `_rebuild_default_impl`; after it the server is stopped,
# and only then Nova writes the new host (nova 31.0, compute/manager.py, rebuild_instance). By
# itself the unit would be started again within a second.
_DIE = f"""
mkdir -p $(dirname {_PROGRAM}) $(dirname {_DROP_IN})
cat > {_PROGRAM} <<'PYTHON'
import os
import signal
import sys

from nova.cmd.compute import main
from nova.compute.manager import ComputeManager

rebuild = ComputeManager._rebuild_default_impl


def rebuild_and_die(self, *given, **named):
    rebuild(self, *given, **named)
    if named.get("evacuate"):
        os.kill(os.getpid(), signal.SIGKILL)


ComputeManager._rebuild_default_impl = rebuild_and_die
sys.exit(main())
PYTHON
cat > {_DROP_IN} <<'UNIT'
[Service]
ExecStart=
ExecStart=/usr/bin/python3 {_PROGRAM} --config-file=/etc/nova/nova.conf \\
  --config-file=/etc/nova/nova-compute.conf --log-file=/var/log/nova/nova-compute.log
Restart=no
UNIT
systemctl daemon-reload
systemctl restart nova-compute
"""
_LIVE = f"""
rm -rf {_DROP_IN} $(dirname {_PROGRAM})
systemctl daemon-reload
systemctl reset-failed nova-compute || true
systemctl restart nova-compute
"""
_IS_SET = f"test -e {_DROP_IN}"
_RUNS_IT = f"systemctl show -P ExecStart nova-compute | grep -q {_PROGRAM}"


def have_target_die(scene: Scene) -> None:
    """Have the node's nova-compute die once it has started a guest that is evacuated to it."""
    scene.on(scene.target, _DIE)


def would_die(scene: Scene) -> bool:
    """Say whether it is set to die, and works until then."""
    return scene.holds(scene.target, f"{_IS_SET} && {_RUNS_IT}") and scene.works(scene.target)


def let_target_live(scene: Scene) -> None:
    """Start the node's nova-compute as it was; a guest that it has left runs on."""
    scene.on(scene.target, _LIVE)


def lives(scene: Scene) -> bool:
    """Say whether nothing has it die, and it works."""
    return scene.holds(scene.target, f"! {_IS_SET}") and scene.works(scene.target)


# --- the order is lost ---

_MICROVERSION = "2.95"  # from which Nova leaves off what it evacuates
_QUEUE = "conductor"
_CONDUCTOR = "systemctl {verb} nova-conductor"
# Only this order: what nova-computes have asked since then goes back to its place in the queue.
_CONNECT = """
python3 - <<'PYTHON'
import json, sys, time
import kombu
lost = 0
until = time.monotonic() + {within_s}
with kombu.Connection("amqp://openstack:{password}@localhost//") as connection:
    channel = connection.channel()
"""
_TAKE = """
    while not lost and time.monotonic() < until:
        # The orders wait in this queue. Each is looked at once.
        if (taken := channel.basic_get("{queue}")) is None:
            time.sleep(0.2)
            continue
        # Only this order is lost. The others go back to their places.
        order = json.loads(json.loads(taken.body)["oslo.message"])
        if order["method"] == "rebuild_instance" and "{server}" in json.dumps(order):
            channel.basic_ack(taken.delivery_tag)
            lost += 1
sys.exit(0 if lost == 1 else 3)
PYTHON
"""
_LOSE = f"{_CONNECT}{_TAKE}"
_ARRIVES_S = 15
_BEGINS_S = 10  # what a conductor took from the queue it begins within that
_END_RECORD = (
    "mariadb nova -e \"UPDATE migrations SET status = 'error'"
    " WHERE id = {record} AND status = 'accepted'\""
)
_IS_EMPTY = (
    "systemctl is-active -q nova-conductor"
    " && rabbitmqctl -q --no-table-headers list_queues name messages consumers"
    f" | grep -qE '^{_QUEUE}[[:space:]]+0[[:space:]]+[1-9]'"
)


def needs_down_node(scene: Scene) -> None:
    """Refuse for a server whose node is up: Nova takes no order to evacuate it.

    Raises Refused.
    """
    host = scene.server().hypervisor_hostname
    if scene.is_up(host):
        raise Refused(
            f"Nova evacuates only from a node that is down, and `{host}` is up",
            stands="nothing was changed",
            hint=f"`stackward lab power off {host} --name {scene.lab.name}`; Nova calls it down"
            " after 30 s",
        )


def lose_order(scene: Scene) -> None:
    """Order the evacuation of the server, and take the order out of the conductor's queue."""
    scene.on("ctl", _CONDUCTOR.format(verb="stop"))
    try:
        answer = scene.cloud.compute.post(
            f"/servers/{scene.target}/action", json={"evacuate": {}}, microversion=_MICROVERSION
        )
        if not answer.ok:
            raise StepFailed("Nova takes no order to evacuate the server", says=answer.text)
        scene.remembered["record"] = str(_newest(scene)["id"])
        lose = _LOSE.format(
            password=PASSWORD, queue=_QUEUE, server=scene.target, within_s=_ARRIVES_S
        )
        scene.on("ctl", lose)
    finally:
        scene.on("ctl", _CONDUCTOR.format(verb="start"))


def order_is_lost(scene: Scene) -> bool:
    """Say whether the record is there, Nova is at work on the server, and nobody has the order."""
    return (
        _record(scene)["status"] == "accepted"
        and scene.server().task_state == "rebuilding"
        and scene.holds("ctl", _IS_EMPTY)
    )


def end_order(scene: Scene) -> None:
    """End the record, and have Nova call the server active, if it is at work on that order.

    Where the fault was only half made, that is its newest record that nobody carries out. Raises
    StepFailed while the order may wait in the queue.
    """
    if "record" not in scene.remembered and (left := _left_behind(scene)) is not None:
        scene.remembered["record"] = left
    if "record" not in scene.remembered:
        return
    scene.on("ctl", _END_RECORD.format(record=scene.remembered["record"]))
    if scene.server().task_state == "rebuilding":
        scene.cloud.compute.reset_server_state(scene.target, "active")


def order_is_over(scene: Scene) -> bool:
    """Say whether no such record waits, and Nova is not at work on the server."""
    is_made = "record" in scene.remembered
    waits = is_made and _record(scene)["status"] == "accepted"
    return not waits and scene.server().task_state is None and scene.holds("ctl", _IS_EMPTY)


def _left_behind(scene: Scene) -> str | None:
    """Return the newest record of an evacuation of the server that waits, if nobody has its order.

    One that is in the queue is carried out by the conductor, and is left to it.
    """
    scene.on("ctl", _CONDUCTOR.format(verb="start"))
    if not wait_until(lambda: scene.holds("ctl", _IS_EMPTY), within_s=_ARRIVES_S):
        raise StepFailed(
            f"the queue `{_QUEUE}` is not seen to be empty: the evacuation may be in it",
            hint=f"once nova-conductor works: `stackward lab mend evacuation-lost {scene.target}`",
        )
    if _waiting(scene) is None or wait_until(lambda: _has_begun(scene), within_s=_BEGINS_S):
        return None
    return _waiting(scene)


def _waiting(scene: Scene) -> str | None:
    waiting = [
        int(one["id"])
        for one in _records(scene)
        if (one["migration_type"], one["status"]) == ("evacuation", "accepted")
    ]
    return str(max(waiting)) if waiting else None


def _has_begun(scene: Scene) -> bool:
    """Say whether the conductor has started anything for the newest order; it writes that first."""
    place = f"/servers/{scene.target}/os-instance-actions"
    orders = [one for one in _read(scene, place)["instanceActions"] if one["action"] == "evacuate"]
    if not orders:
        raise StepFailed("Nova has no order of the evacuation in the server's action log")
    newest = max(orders, key=lambda one: str(one["start_time"]))
    return bool(_read(scene, f"{place}/{newest['request_id']}")["instanceAction"]["events"])


def _records(scene: Scene) -> list[dict[str, Any]]:
    place = f"/os-migrations?instance_uuid={scene.target}"
    found: list[dict[str, Any]] = _read(scene, place)["migrations"]
    return found


def _read(scene: Scene, place: str) -> Any:  # noqa: ANN401  # as the place has it
    answer = scene.cloud.compute.get(place, microversion=_MICROVERSION)
    if not answer.ok:
        raise StepFailed(f"Nova does not answer `{place}`", says=answer.text)
    return json.loads(answer.text)


def _newest(scene: Scene) -> dict[str, Any]:
    return max(_records(scene), key=lambda one: int(one["id"]))


def _record(scene: Scene) -> dict[str, Any]:
    return next(one for one in _records(scene) if str(one["id"]) == scene.remembered["record"])
