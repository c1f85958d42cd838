"""What is written in an inventory, and where."""

import shutil
from dataclasses import dataclass

from stackward.errors import BadInput
from stackward.overriding import override

READER = "ansible-inventory"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; without a line, the file."""

    source: str
    line: int = 0

    @override
    def __str__(self) -> str:
        return f"`{self.source}`, line {self.line}" if self.line else f"`{self.source}`"


@dataclass(frozen=True, slots=True)
class Variable:
    """A value as Ansible reads it, and where it is written."""

    text: str | None  # None: it is null, which counts as not set
    place: Place
    hidden: str | None = None  # why the value is not known here, as in "`x` is encrypted"
    is_quoted: bool = True  # an error may repeat it


def cannot_read(place: Place, why: str, hint: str | None = None) -> BadInput:
    """Return the error for a line that cannot be understood."""
    return BadInput(f"cannot read the inventory: {place}: {why}", hint=hint)


def by_ansible() -> str:
    """Return how to have Ansible read what Stackward cannot."""
    hint = "let Ansible read it with `--inventory-reader ansible`"
    return hint if shutil.which(READER) else f"{hint}; for that, {how_to_install()}"


def how_to_install() -> str:
    """Return how to get `ansible-inventory` on a machine that has none."""
    return (
        "install ansible-core (`python3 -m venv ~/ansible && ~/ansible/bin/pip install "
        f"ansible-core`) and set STACKWARD_INVENTORY_READER=~/ansible/bin/{READER}"
    )
