"""APIs that say what they are told: those of a lab's controller."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stackward.model.cloud_state import (
    Answered,
    Catalog,
    Endpoint,
    Failed,
    Failure,
    Heartbeat,
    LivesOnSource,
    Rpc,
    RpcAnswer,
)
from stackward.model.hypervisor import Hypervisor

CTL = "http://10.77.1.10"


ENDPOINTS = tuple(
    Endpoint(kind=kind, region="RegionOne", interface=interface, url=url)
    for kind, url in (
        ("identity", f"{CTL}:5000/v3/"),
        ("image", f"{CTL}:9292"),
        ("placement", f"{CTL}:8778"),
        ("compute", f"{CTL}:8774/v2.1"),
        ("network", f"{CTL}:9696"),
        ("volumev3", f"{CTL}:8776/v3"),
    )
    for interface in ("public", "internal", "admin")
)


LOGGED_IN = Answered(took_s=0.1)


def beat(binary: str, host: str, **more: Any) -> Heartbeat:  # noqa: ANN401  # its fields
    """Return a heartbeat, three seconds old."""
    fields = {"host": host.partition("@")[0], "name": host, "is_up": True, "age_s": 3.0}
    return Heartbeat(binary=binary, **{**fields, **more})


def of_lab() -> dict[str, list[Heartbeat] | Failed]:
    """Return what reports in the lab, by the API that it reports to."""
    return {
        "compute": [
            beat("nova-conductor", "ctl"),
            beat("nova-scheduler", "ctl"),
            beat("nova-compute", "c01"),
            beat("nova-compute", "c02"),
        ],
        "network": [beat("ovn-controller", "c01"), beat("ovn-controller", "c02")],
        "block-storage": [beat("cinder-scheduler", "ctl"), beat("cinder-volume", "ctl@nfs")],
    }


@dataclass
class FakeApis:
    """APIs that answer at once, unless told otherwise."""

    login: Answered | Failed = LOGGED_IN
    endpoints: tuple[Endpoint, ...] = ENDPOINTS
    region: str = "RegionOne"
    interfaces: tuple[str, ...] = ("public",)
    lists: dict[str, Answered | Failed] = field(default_factory=dict)  # by type in the catalog
    reports: dict[str, list[Heartbeat] | Failed] = field(default_factory=of_lab)
    doors: dict[str, Answered | Failed] = field(default_factory=dict)  # by URL
    certificates: dict[str, datetime | Failed] = field(default_factory=dict)
    rpc: dict[str, RpcAnswer] = field(default_factory=dict)  # by host
    called: list[str] = field(default_factory=list)  # over RPC
    calls: dict[str, RpcAnswer] = field(default_factory=dict)  # by path
    called_by_api: list[str] = field(default_factory=list)  # paths
    unusable: Exception | None = None  # what is wrong with the settings
    of_computes: list[Hypervisor] | Failed | None = None  # None: one of each nova-compute

    lives_on_source: list[LivesOnSource] | Failed = field(default_factory=list)

    login_url = f"{CTL}:5000/v3"

    def load(self) -> None:
        if self.unusable:
            raise self.unusable

    def log_in(self, *, within_s: float) -> tuple[Answered | Failed, Catalog | None]:
        if isinstance(self.login, Failed):
            return self.login, None
        return self.login, Catalog(
            endpoints=self.endpoints,
            region=self.region,
            interfaces=self.interfaces,
            cloud="cloud",
        )

    def ask(
        self, endpoint: Endpoint, path: str, *, version: str | None, within_s: float
    ) -> Answered | Failed:
        return self.lists.get(endpoint.kind, Answered(took_s=0.25))

    def reach(self, url: str, *, within_s: float) -> Answered | Failed:
        return self.doors.get(url, Answered(took_s=0.05))

    def expiry(self, host: str, port: int, *, within_s: float) -> datetime | Failed:
        return self.certificates[f"{host}:{port}"]

    def heartbeats(
        self, endpoint: Endpoint, kind: str, *, within_s: float
    ) -> Sequence[Heartbeat] | Failed:
        return self.reports[kind]

    def hypervisors(self, endpoint: Endpoint, *, within_s: float) -> Sequence[Hypervisor] | Failed:
        if self.of_computes is not None:
            return self.of_computes
        return [
            Hypervisor(id=f"id-{one.host}", name=one.host, host=one.host, kind="QEMU")
            for one in self.computes()
        ]

    def on_source(self, endpoint: Endpoint, *, within_s: float) -> Sequence[LivesOnSource] | Failed:
        return self.lives_on_source

    def call(self, endpoint: Endpoint, path: str, *, answer: str, within_s: float) -> RpcAnswer:
        self.called_by_api.append(path)
        return self.calls.get(path, RpcAnswer(outcome=Rpc.ANSWERED, took_s=0.5))

    def uptime(self, endpoint: Endpoint, hypervisor: str, *, within_s: float) -> RpcAnswer:
        host = hypervisor.removeprefix("id-")
        self.called.append(host)
        return self.rpc.get(host, RpcAnswer(outcome=Rpc.ANSWERED, took_s=0.5))

    def computes(self) -> list[Heartbeat]:
        found = self.reports["compute"]
        return [] if isinstance(found, Failed) else [o for o in found if o.binary == "nova-compute"]


def no_answer(says: str = "Connection refused", *, is_late: bool = False) -> Failed:
    """Return what comes of a closed door, or of one behind which nobody answers in time."""
    return Failed(how=Failure.NO_ANSWER, says=says, is_late=is_late)
