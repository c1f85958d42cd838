"""A service of Nova, as it reports itself."""

from dataclasses import dataclass

NOVA_COMPUTE = "nova-compute"

MEND_CELL = (
    "repair that cell: `nova-manage cell_v2 list_cells` names its database and its message queue"
)

BY_ITSELF = "AUTO:"  # how Nova begins the reason when it disables a service by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeService:
    """One of Nova's services, as it reports itself."""

    id: str
    binary: str
    host: str
    is_enabled: bool
    is_up: bool
    zone: str = "nova"
    disabled_reason: str | None = None
    is_forced_down: bool = False
    updated: str | None = None
    is_known: bool = True  # False: its cell is down, and Nova knows no more than its host
