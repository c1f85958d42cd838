"""Services that a lab's cloud has and does not run: started and listed when its operator asks.

Each is declared in `declared.toml`. Both ways can die at any point and be called again.
"""

from collections.abc import Callable
from typing import Any

from stackward.errors import BadInput, StepFailed
from stackward.lab import ssh
from stackward.lab.client import connect
from stackward.lab.declared import Extra, declared
from stackward.lab.ready import answers
from stackward.lab.spec import Lab
from stackward.lab.waiting import wait_until

ANSWERS_S = 120
INTERFACES = ("public", "internal", "admin")
SEGMENT = "lab"


def extra_named(name: str) -> Extra:
    """Return the extra called `name`.

    Raises BadInput when there is none.
    """
    known = declared().extras
    if name not in known:
        raise BadInput(
            f"there is no extra service `{name}`",
            hint="there is " + ", ".join(f"`{each}`" for each in known),
        )
    return known[name]


def add(lab: Lab, extra: Extra) -> None:
    """Start an extra service, also at the next boot, put it into the catalog, and fill it.

    Raises StepFailed when it does not come up.
    """
    ssh.on_node(lab, lab.control.name, f"systemctl enable --quiet --now {extra.unit}")
    if not wait_until(lambda: answers(lab, extra.port), within_s=ANSWERS_S, every_s=0.5):
        raise StepFailed(
            f"`{extra.name}` does not answer on port {extra.port}",
            hint=f"`stackward lab ssh {lab.control.name} journalctl -u {extra.unit}` shows more",
        )
    identity = connect(lab).identity
    service = _service(identity, extra)
    if service is None:
        service = identity.create_service(name=extra.name, type=extra.catalog_type)
    there = {each.interface for each in identity.endpoints(service_id=service.id)}
    for interface in (each for each in INTERFACES if each not in there):
        identity.create_endpoint(
            service_id=service.id,
            interface=interface,
            url=f"http://{lab.control.address}:{extra.port}{extra.path}",
            region_id="RegionOne",
        )
    _FILL[extra.name](lab)


def remove(lab: Lab, extra: Extra) -> None:
    """Take an extra service out of the catalog, and stop it."""
    identity = connect(lab).identity
    if (service := _service(identity, extra)) is not None:
        identity.delete_service(service.id)  # its endpoints go with it
    ssh.on_node(lab, lab.control.name, f"systemctl disable --quiet --now {extra.unit}")


def _service(identity: Any, extra: Extra) -> Any:  # noqa: ANN401  # the SDK's own
    found = list(identity.services(type=extra.catalog_type))
    return found[0] if found else None


def _fill_masakari(lab: Lab) -> None:
    """Let the instance-HA service look after every compute node."""
    ha = connect(lab).instance_ha
    segments = [each for each in ha.segments() if each.name == SEGMENT]
    segment = segments[0] if segments else None
    if segment is None:
        segment = ha.create_segment(name=SEGMENT, recovery_method="auto", service_type="COMPUTE")
    known = {host.name for host in ha.hosts(segment.uuid)}
    for node in (each for each in lab.compute_nodes if each.name not in known):
        ha.create_host(segment.uuid, name=node.name, type="COMPUTE", control_attributes="SSH")


_FILL: dict[str, Callable[[Lab], None]] = {"masakari": _fill_masakari}
