"""Inventories as Ansible reads them, INI or YAML: groups, children, variables, ranges.

What Stackward uses is kept; other variables are passed over, and passwords are not read. Nothing is
executed here: what only Ansible can read is refused, unless the operator has it read by Ansible.
"""

from pathlib import Path

from stackward.adapters.inventory.ansible import list_by_ansible
from stackward.adapters.inventory.beside import ENDINGS, read_beside
from stackward.adapters.inventory.draft import Draft
from stackward.adapters.inventory.files import File, read_file, why
from stackward.adapters.inventory.ini_form import read_ini
from stackward.adapters.inventory.json_form import listed_in, read_listed
from stackward.adapters.inventory.written import by_ansible, cannot_read
from stackward.adapters.inventory.yaml_form import Document, read_groups
from stackward.errors import BadInput
from stackward.model.inventory import Inventory

__all__ = ["read_inventory", "read_inventory_by_ansible"]


def read_inventory(path: Path) -> Inventory:
    """Read an inventory file, and `group_vars/` and `host_vars/` next to it."""
    return _settled(path, read_file(path))


def read_inventory_by_ansible(path: Path, reader: str | None) -> Inventory:
    """Have Ansible read an inventory of any kind; `reader` is its program `ansible-inventory`."""
    try:
        saved = path.read_bytes() if path.is_file() else b""
    except OSError as error:
        raise BadInput(f"cannot read the inventory `{path}`: {why(error)}") from None
    if listed_in(saved) is not None:
        return _settled(path, File(path, saved))  # Ansible reads that form from a program only
    draft = Draft(source=str(path))
    list_by_ansible(path, reader, draft)
    return draft.settle()


def _settled(path: Path, file: File) -> Inventory:
    draft = _read(file)
    try:
        read_beside(path.parent, draft)
    except OSError as error:
        place = error.filename or path.parent
        raise BadInput(f"cannot read the inventory: `{place}`: {why(error)}") from None
    return draft.settle()


def _read(file: File) -> Draft:
    """Read in the form that Ansible takes the file for: by its ending, then by what is in it."""
    path, ending = file.path, file.path.suffix
    if ending == ".toml":
        raise BadInput(f"cannot read the inventory `{path}`: it is TOML", hint=by_ansible())
    if ending not in ENDINGS:
        return _as_ini(file)
    draft = Draft(source=str(path))
    if (listed := listed_in(file.given)) is not None:
        read_listed(listed, draft)
        return draft
    try:
        document = Document(str(path), file.text())
        document.refuse_other_than_mapping()
    except BadInput as not_yaml:
        try:
            return _as_ini(file)
        except BadInput:
            if ending or _looks_like_yaml(file):
                raise not_yaml from None
            raise
    read_groups(document, draft)
    return draft


def _as_ini(file: File) -> Draft:
    draft = Draft(source=str(file.path))
    text = file.text(comments="#;")
    if file.has_byte_order_mark:
        raise cannot_read(
            draft.at(1),
            "it begins with a byte order mark, and Ansible reads that as part of the first word",
            hint=f"remove it: `sed -i '1s/^\\xEF\\xBB\\xBF//' {file.path}`",
        )
    read_ini(text, draft)
    return draft


def _looks_like_yaml(file: File) -> bool:
    """Go by the first line that says something."""
    lines = (line.strip() for line in file.text(comments="#;").splitlines())
    first = next((line for line in lines if line and line[0] not in "#;"), "")
    return first.startswith(("---", "{")) or first.partition(" #")[0].rstrip().endswith(":")
