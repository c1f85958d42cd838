"""How one thing is found among the answers of a port; whatever room asks."""

from stackward.model.compute import NOVA_COMPUTE, ComputeService, Hypervisor
from stackward.model.identity import first_label
from stackward.ports.cloud import Cloud


def service_of(cloud: Cloud, host: str) -> ComputeService | None:
    """Return the nova-compute service of a host, if Nova has one."""
    services = cloud.services()
    return next((one for one in services if (one.host, one.binary) == (host, NOVA_COMPUTE)), None)


def hypervisor_of(cloud: Cloud, host: str) -> Hypervisor | None:
    """Return the host's hypervisor, if Nova has exactly one."""
    own = hypervisors_of(cloud, host)
    return own[0] if len(own) == 1 else None


def hypervisors_of(cloud: Cloud, host: str) -> list[Hypervisor]:
    """Return the hypervisors of a host: one, but for Ironic's.

    A hypervisor is mostly named after its host. Where none is, all of them are read, once: after
    that its name is known.
    """
    known = [one.name for one in cloud.known_hypervisors() if one.host == host]
    short = first_label(host)
    name = known[0] if len(known) == 1 and short not in known[0] else short
    named = [one for one in cloud.hypervisors_like(name) if one.host == host]
    return named or [one for one in cloud.hypervisors() if one.host == host]
