"""A project: whose servers are whose."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project of Keystone; names are unique within a domain only."""

    id: str
    name: str
    is_gone: bool = False  # Keystone has it no more, and servers of it are still there
