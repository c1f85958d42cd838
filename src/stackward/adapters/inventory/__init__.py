"""Inventories as Ansible reads them, INI or YAML: groups, children, variables, ranges.

What Stackward uses is kept; other variables are passed over, and passwords are not read. Nothing is
executed here: what only Ansible can read is refused, unless the operator has it read by Ansible.
"""

from pathlib import Path

from stackward.adapters.inventory.ansible import list_by_ansible
from stackward.adapters.inventory.beside import ENDINGS, read_beside
from stackward.adapters.inventory.draft import Draft
from stackward.adapters.inventory.files import has_byte_order_mark, read_text
from stackward.adapters.inventory.ini_form import read_ini
from stackward.adapters.inventory.json_form import listed_in, read_listed
from stackward.adapters.inventory.written import Place, by_ansible, cannot_read
from stackward.adapters.inventory.yaml_form import Document, read_groups
from stackward.errors import BadInput
from stackward.model.inventory import Inventory

__all__ = ["read_inventory", "read_inventory_by_ansible"]


def read_inventory(path: Path) -> Inventory:
    """Read an inventory file, and `group_vars/` and `host_vars/` beside it."""
    draft = _read(path)
    read_beside(path.parent, draft)
    return draft.settle()


def read_inventory_by_ansible(path: Path, reader: str | None) -> Inventory:
    """Have Ansible read an inventory of any kind; `reader` is its program `ansible-inventory`."""
    if listed_in(path) is not None:
        return read_inventory(path)  # Ansible reads that form from a program only
    draft = Draft(source=str(path))
    list_by_ansible(path, reader, draft)
    return draft.settle()


def _read(path: Path) -> Draft:
    """Read in the form that Ansible takes the file for: by its ending, then by what is in it."""
    ending = path.suffix
    if ending == ".toml":
        raise BadInput(f"cannot read the inventory `{path}`: it is TOML", hint=by_ansible())
    if ending not in ENDINGS:
        return _as_ini(path)
    draft = Draft(source=str(path))
    if (listed := listed_in(path)) is not None:
        read_listed(listed, draft)
        return draft
    try:
        text = read_text(path)
        document = Document(str(path), text)
        document.refuse_other_than_mapping()
    except BadInput as not_yaml:
        try:
            return _as_ini(path)
        except BadInput:
            if ending or _looks_like_yaml(path):
                raise not_yaml from None
            raise
    read_groups(document, draft)
    return draft


def _as_ini(path: Path) -> Draft:
    draft = Draft(source=str(path))
    text = read_text(path, comments="#;")
    if has_byte_order_mark(path):
        raise cannot_read(
            Place(str(path), 1),
            "a byte order mark stands before the first word, and Ansible takes it for a part of it",
            hint=f"remove it: `sed -i '1s/^\\xEF\\xBB\\xBF//' {path}`",
        )
    read_ini(text, draft)
    return draft


def _looks_like_yaml(path: Path) -> bool:
    """Go by the first line that says something."""
    lines = (line.strip() for line in read_text(path, comments="#;").splitlines())
    first = next((line for line in lines if line and line[0] not in "#;"), "")
    return first.startswith(("---", "{")) or first.partition(" #")[0].rstrip().endswith(":")
