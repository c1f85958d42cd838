"""The acceptance server, which shows that a node works: what it is made of, what it is called."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NewServer:
    """A server to be made on one host."""

    name: str
    host: str
    zone: str
    image: str
    flavor: str
    network: str | None  # None: no port at all
    metadata: tuple[tuple[str, str], ...] = ()


def acceptance_name(run: str) -> str:
    """Return what the acceptance server of a run is called: that is how it is found again."""
    return f"stackward-acceptance-{run.lower()}"
