"""The files that Ansible reads beside an inventory: `group_vars/` and `host_vars/`.

A file that is encrypted as a whole is passed over: it holds secrets, which Stackward does not use.
"""

from collections.abc import Iterator
from pathlib import Path

from stackward.adapters.inventory.draft import Draft
from stackward.adapters.inventory.files import read_text
from stackward.adapters.inventory.written import Variable
from stackward.adapters.inventory.yaml_form import read_variables

_ENDINGS = ("", ".yml", ".yaml", ".json")
_ENCRYPTED = "$ANSIBLE_VAULT;"


def read_beside(directory: Path, draft: Draft) -> None:
    """Read the variables of every group and host that the inventory names."""
    for group in draft.groups:
        for name, value in _variables(directory / "group_vars", group):
            draft.set_beside_group(group, name, value)
    for host in draft.hosts:
        for name, value in _variables(directory / "host_vars", host):
            draft.set_beside_host(host, name, value)


def _variables(directory: Path, name: str) -> Iterator[tuple[str, Variable]]:
    for path in _files(directory, name):
        text = read_text(path)
        if not text.startswith(_ENCRYPTED):
            yield from read_variables(str(path), text)


def _files(directory: Path, name: str) -> list[Path]:
    if not directory.is_dir():
        return []
    named = [directory / f"{name}{ending}" for ending in _ENDINGS]
    inner = sorted(named[0].rglob("*")) if named[0].is_dir() else []
    return [path for path in [*inner, *named] if path.is_file() and path.suffix in _ENDINGS]
