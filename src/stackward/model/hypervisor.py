"""A hypervisor, as Nova has it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypervisor:
    """A hypervisor; its id is also that of its resource provider."""

    id: str
    name: str
    host: str
    kind: str  # QEMU, fake, ...
    address: str | None = None
    version: int = 0
    cpu_model: str | None = None

    @property
    def has_domains(self) -> bool:
        """Say whether libvirt runs its guests."""
        return self.kind in {"QEMU", "KVM"}
