"""Inventories as Ansible reads them, INI or YAML: groups, children, variables, ranges.

What Stackward uses is kept; other variables are passed over. Nothing is executed: a script that
prints an inventory is refused, and so are passwords in plain text.
"""

from pathlib import Path

from stackward.adapters.inventory.beside import read_beside
from stackward.adapters.inventory.draft import Draft
from stackward.adapters.inventory.files import read_text
from stackward.adapters.inventory.ini_form import read_ini
from stackward.adapters.inventory.yaml_form import read_yaml
from stackward.model.inventory import Inventory

__all__ = ["read_inventory"]


def read_inventory(path: Path) -> Inventory:
    """Read an inventory file, and `group_vars/` and `host_vars/` beside it."""
    draft = Draft(source=str(path))
    text = read_text(path)
    if _is_yaml(path, text):
        read_yaml(text, draft)
    else:
        read_ini(text, draft)
    read_beside(path.parent, draft)
    return draft.settle()


def _is_yaml(path: Path, text: str) -> bool:
    """Go by the name's ending; without one, by the first line that says something."""
    if path.suffix in {".yml", ".yaml", ".json"}:
        return True
    if path.suffix in {".ini", ".cfg"}:
        return False
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and line[0] not in "#;"), "")
    return first.startswith(("---", "{")) or first.partition(" #")[0].rstrip().endswith(":")
