"""The files that Ansible reads next to an inventory: `group_vars/` and `host_vars/`.

For a group `g` it is the first of `g`, `g.yml`, `g.yaml`, `g.json` that exists, and no other. If
that is a folder, all files in it are read in the order of their names, and those in folders below.
Hidden files, backups (`x~`) and other endings are skipped.
"""

from collections.abc import Iterator
from pathlib import Path

from stackward.adapters.inventory.draft import Draft
from stackward.adapters.inventory.files import read_file
from stackward.adapters.inventory.written import Variable
from stackward.adapters.inventory.yaml_form import read_variables

ENDINGS = ("", ".yml", ".yaml", ".json")
_ENCRYPTED = "$ANSIBLE_VAULT;"


def read_beside(directory: Path, draft: Draft) -> None:
    """Read the variables of every group and host that the inventory names."""
    for group in draft.groups:
        for name, value in _variables(directory / "group_vars", group, draft):
            draft.set_beside_group(group, name, value)
    for host in draft.hosts:
        for name, value in _variables(directory / "host_vars", host, draft):
            draft.set_beside_host(host, name, value)


def _variables(directory: Path, name: str, draft: Draft) -> Iterator[tuple[str, Variable]]:
    for path in _files(directory, name):
        text = read_file(path).text()
        if text.startswith(_ENCRYPTED):
            draft.skip_encrypted(str(path))
        else:
            yield from read_variables(str(path), text)


def _files(directory: Path, name: str) -> list[Path]:
    named = (directory / f"{name}{ending}" for ending in ENDINGS)
    first = next(filter(_is_there, named), None)
    if first is None:
        return []
    return list(_within(first)) if first.is_dir() else [first]


def _is_there(path: Path) -> bool:
    """Say whether a path leads to something; one that may not be looked into is an error."""
    try:
        path.stat()
    except PermissionError:
        raise
    except OSError:  # too long for a name, say
        return False
    return True


def _within(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue
        if path.is_dir() and not path.suffix:
            yield from _within(path)
        elif path.is_file() and path.suffix in ENDINGS:
            yield path
