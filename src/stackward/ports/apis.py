"""What a health check asks of a cloud's APIs: each question by itself, each with an end.

Other than the ports of the services, nothing here needs a cloud that is well. A question that is
not answered as it should be is `Failed`, a value: that is what the check is for.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from stackward.model.cloud_state import (
    Answered,
    Catalog,
    Endpoint,
    Failed,
    Heartbeat,
    LivesOnSource,
    RpcAnswer,
)
from stackward.model.hypervisor import Hypervisor


class Apis(Protocol):
    """The APIs of one cloud. All may be asked from several threads at once."""

    def load(self) -> None:
        """Load the client and its settings, once: that takes a second of CPU, or more.

        Raises BadInput where it is not known which cloud is meant.
        """
        ...

    @property
    def login_url(self) -> str:
        """Return where a token is asked for."""
        ...

    def log_in(self, *, within_s: float) -> tuple[Answered | Failed, Catalog | None]:
        """Ask for a fresh token, and for the catalog with it."""
        ...

    def ask(
        self, endpoint: Endpoint, path: str, *, version: str | None, within_s: float
    ) -> Answered | Failed:
        """Ask for a list, as a user would; an empty path asks for the account itself."""
        ...

    def reach(self, url: str, *, within_s: float) -> Answered | Failed:
        """Ask for anything, without a token: an answer that is no server's error will do."""
        ...

    def expiry(self, host: str, port: int, *, within_s: float) -> datetime | Failed:
        """Return until when a certificate holds."""
        ...

    def heartbeats(
        self, endpoint: Endpoint, kind: str, *, within_s: float
    ) -> Sequence[Heartbeat] | Failed:
        """Return the processes that report to an API: `compute`, `network` or `block-storage`."""
        ...

    def hypervisors(self, endpoint: Endpoint, *, within_s: float) -> Sequence[Hypervisor] | Failed:
        """Return all hypervisors."""
        ...

    def on_source(self, endpoint: Endpoint, *, within_s: float) -> Sequence[LivesOnSource] | Failed:
        """Return the servers that live on the source of their own open evacuation."""
        ...

    def call(self, endpoint: Endpoint, path: str, *, answer: str, within_s: float) -> RpcAnswer:
        """Ask for what an API itself must ask of a process over RPC.

        One that stays away holds a worker of the API as long as for `uptime`.
        """
        ...

    def uptime(self, endpoint: Endpoint, hypervisor: str, *, within_s: float) -> RpcAnswer:
        """Have Nova ask that nova-compute for its uptime, over RPC: an answer proves that it lives.

        One that stays away holds a worker of nova-api for its `rpc_response_timeout`, usually a
        minute, however soon we give up.
        """
        ...
