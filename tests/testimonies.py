"""Testimonies of a small cloud whose witnesses agree, until a test changes one of them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from builders import NOW, a_domain, a_flavor, a_server, an_id
from stackward.model.domain import Disk, Domain
from stackward.model.migration import Migration
from stackward.model.network import Port
from stackward.model.server import Server
from stackward.model.testimony import CloudTestimony, HostTestimony
from stackward.model.volume import Volume

HOSTS = ("compute-07", "compute-08", "compute-09")
LONG_AGO = (NOW - timedelta(hours=2)).replace(tzinfo=None).isoformat()
JUST_NOW = (NOW - timedelta(seconds=20)).replace(tzinfo=None).isoformat()
STATES = {"ACTIVE": "running", "SHUTOFF": "shut off", "PAUSED": "paused", "SUSPENDED": "shut off"}


def guest_of(server: Server, state: str = "") -> Domain:
    """Return the guest of a server, with its volumes."""
    volumes = enumerate(server.volume_ids)
    disks = (
        Disk(device="vda", path="/disk"),
        *(Disk(device=f"vd{at}", path=None, serial=one) for at, one in volumes),
    )
    return a_domain(server, state=state or STATES.get(server.status, "running"), disks=disks)


def volume_of(server: Server, volume: str, **changes: Any) -> Volume:  # noqa: ANN401  # any field
    """Return a volume as it is attached to a server."""
    attached = Volume(
        id=volume,
        status="in-use",
        attached=((server.id, server.host),),
        attachment_ids=(an_id(f"of-{volume}"),),
        updated=LONG_AGO,
    )
    return replace(attached, **changes)


def agreeing(*servers: Server, records: Iterable[Migration] = ()) -> CloudTestimony:
    """Return what witnesses say who agree on these servers."""
    return CloudTestimony(
        at=NOW,
        hosts=tuple(
            HostTestimony(
                host=host,
                provider=an_id(host),
                node=host,
                domains=tuple(guest_of(one) for one in servers if one.host == host),
                allocations={one.id: {"VCPU": 1} for one in servers if one.host == host},
                ports=tuple(
                    Port(id=port.id, server=one.id, host=host)
                    for one in servers
                    for port in one.ports
                    if one.host == host
                ),
            )
            for host in HOSTS
        ),
        servers={one.id: one for one in servers},
        records=tuple(records),
        volumes={volume: volume_of(one, volume) for one in servers for volume in one.volume_ids},
    )


def on_host(testimony: CloudTestimony, host: str, **changes: Any) -> CloudTestimony:  # noqa: ANN401  # same
    """Return the testimony with another word of one host."""
    return replace(
        testimony,
        hosts=tuple(
            replace(one, **changes) if one.host == host else one for one in testimony.hosts
        ),
    )


def with_guest(testimony: CloudTestimony, host: str, *guests: Domain) -> CloudTestimony:
    """Return the testimony with further guests on a host."""
    [one] = [one for one in testimony.hosts if one.host == host]
    assert isinstance(one.domains, tuple)
    return on_host(testimony, host, domains=(*one.domains, *guests))


def holding(testimony: CloudTestimony, host: str, consumer: str) -> CloudTestimony:
    """Return the testimony with a further consumer that holds allocations on a host."""
    [one] = [one for one in testimony.hosts if one.host == host]
    assert isinstance(one.allocations, dict)
    return on_host(testimony, host, allocations={**one.allocations, consumer: {"VCPU": 1}})


def a_record(server: Server, status: str = "running", **changes: Any) -> Migration:  # noqa: ANN401  # same
    """Return a record of a move of a server off `compute-07`."""
    record = Migration(
        id=7,
        uuid=an_id("record"),
        server=server.id,
        kind="live-migration",
        status=status,
        source="compute-07",
        target="compute-08",
        created=LONG_AGO,
        updated=JUST_NOW,
    )
    return replace(record, **changes)


def with_volumes(name: str = "db-01", *volumes: str, **changes: Any) -> Server:  # noqa: ANN401  # same
    """Return a server with volumes."""
    given = volumes or (an_id("volume"),)
    return a_server(name=name, volume_ids=given, flavor=a_flavor(), **changes)
