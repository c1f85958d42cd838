"""Inventories that only Ansible can read: its own `ansible-inventory` reads them, as a process.

Only groups and how a node is reached leave this module. What the process prints can hold passwords,
the vaulted ones in clear: it is neither logged nor kept, and no error quotes it.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from stackward.adapters.inventory.draft import Draft
from stackward.adapters.inventory.files import why
from stackward.adapters.inventory.json_form import Json, as_variable, hostvars
from stackward.adapters.inventory.patterns import as_name
from stackward.adapters.inventory.variables import (
    ADDRESS,
    CONNECTION,
    DOMAIN,
    KEY_FILE,
    PORT,
    POWER,
    SSH_ARGUMENTS,
    USER,
)
from stackward.adapters.inventory.written import READER, Place, how_to_install
from stackward.errors import BadInput

WITHIN_S = 120.0
TAKEN = (*ADDRESS, *PORT, *USER, *CONNECTION, DOMAIN)
_NOT_TAKEN = (*KEY_FILE, *SSH_ARGUMENTS, *POWER)

_STRICT = {
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",  # without it, hosts may be missing, with 0
    "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
    "ANSIBLE_INVENTORY_EXPORT": "false",  # each host with all of its variables
    "ANSIBLE_LOG_PATH": os.devnull,  # it would log what it prints
    "ANSIBLE_VERBOSITY": "0",
    "ANSIBLE_DEBUG": "false",
    "ANSIBLE_NOCOLOR": "true",
    "ANSIBLE_FORCE_COLOR": "false",
    "ANSIBLE_ASK_VAULT_PASS": "false",
}
_NO_PASSWORD = ("no vault secrets", "Decryption failed", "vault password")


def list_by_ansible(
    path: Path, reader: str | None, draft: Draft, *, within_s: float = WITHIN_S
) -> None:
    """Read an inventory of any kind into the draft."""
    program = _program(path, reader)
    try:
        folder = (path if path.is_dir() else path.parent).resolve()
        _ = next(path.iterdir(), None) if path.is_dir() else path.stat()
    except FileNotFoundError:
        raise BadInput(
            f"cannot read the inventory `{path}`: there is no such file",
            hint="name one with `--inventory PATH` or in STACKWARD_INVENTORY",
        ) from None
    except OSError as error:
        raise BadInput(f"cannot read the inventory `{path}`: {why(error)}") from None
    whole = path.parent.resolve() / path.name  # a link keeps the folder that it is in
    words = [program, "-i", str(whole), "--list"]
    take(_listed(path, words, folder, within_s), draft)


def _program(path: Path, reader: str | None) -> str:
    if reader is None:
        found = shutil.which(READER)
        if found is None:
            raise BadInput(
                f"cannot read the inventory `{path}`: this machine has no `{READER}`",
                hint=how_to_install(),
            )
        return found
    if not os.access(reader, os.X_OK) or Path(reader).is_dir():
        raise BadInput(
            f"cannot read the inventory `{path}`: `{reader}` is not a program",
            hint=f"STACKWARD_INVENTORY_READER has the path of `{READER}`, often in a venv",
        )
    return reader


def _listed(path: Path, words: list[str], folder: Path, within_s: float) -> Json:
    """Run the process and return what it printed; it has no terminal to ask on."""
    try:
        process = subprocess.Popen(  # noqa: S603  # a list of words
            words,
            cwd=folder,
            env={**os.environ, **_STRICT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        place = f"`{folder}` cannot be entered" if error.filename == str(folder) else None
        raise BadInput(
            f"cannot read the inventory `{path}`: "
            f"{place or f'`{words[0]}` cannot be started'}: {why(error)}"
        ) from None
    with process:
        try:
            out, err = process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            raise BadInput(
                f"cannot read the inventory `{path}`: `{READER}` took longer than {within_s:g} s",
                hint=f"see what it waits for: {_by_hand(words, folder)}",
            ) from None
        finally:
            if process.returncode is None:
                # With all that it started: a script may wait for a network.
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        raise _failed(path, words, folder, err.decode("utf-8", "replace"), process.returncode)
    try:
        listed: Json = json.loads(out)
    except ValueError:  # its text would quote the output
        raise _not_understood(path) from None
    return listed


def _failed(path: Path, words: list[str], folder: Path, said: str, code: int) -> BadInput:
    by_hand = _by_hand(words, folder)
    if any(word in said for word in _NO_PASSWORD):
        return BadInput(
            f"cannot read the inventory `{path}`: it has vaulted files, and Ansible has no "
            "password for them, or a wrong one",
            hint="name the file that holds it in ANSIBLE_VAULT_PASSWORD_FILE, or as "
            f"`vault_password_file` in `{folder}/ansible.cfg`; to try it: {by_hand}",
        )
    return BadInput(
        f"cannot read the inventory `{path}`: `{READER}` ended with {code}",
        hint=f"what it says is not repeated here, for it may hold passwords; run it: {by_hand}",
    )


def _by_hand(words: list[str], folder: Path) -> str:
    """Return the same command line, which shows errors only."""
    strict = "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=true"
    return f"`cd {shlex.quote(str(folder))} && {strict} {shlex.join(words)} > {os.devnull}`"


def _not_understood(path: Path) -> BadInput:
    return BadInput(
        f"cannot read the inventory `{path}`: what `{READER}` printed is not a list of hosts and "
        "groups in JSON",
        hint=f"see that `{READER}` is Ansible's own: `{READER} --version`",
    )


def take(listed: Json, draft: Draft) -> None:
    """Take groups, hosts and how they are reached; nothing else."""
    place = Place(draft.source)
    variables = hostvars(listed) if isinstance(listed, Mapping) else None
    if not isinstance(listed, Mapping) or variables is None:
        raise _not_understood(Path(draft.source))
    for group in ("all", *(name for name in listed if name not in {"_meta", "all"})):
        part = listed.get(group)
        draft.add_group(group)
        for child in _names(part, "children"):
            draft.add_group(child)  # an empty one is named, and not described
            draft.add_child(group, child, place)
        for host in _names(part, "hosts"):
            draft.add_host(as_name(host, place), group, None, place)
    left: dict[str, None] = {}
    for host in draft.hosts:
        given = variables.get(host, {})
        if not isinstance(given, Mapping):
            raise _not_understood(Path(draft.source))
        for name in TAKEN:
            if name in given:
                # Ansible has decrypted it, where it was vaulted.
                value = replace(as_variable(name, given[name], place), is_quoted=False)
                draft.set_listed(host, name, value)
        left |= dict.fromkeys(name for name in _NOT_TAKEN if given.get(name))
    if left:
        names = ", ".join(f"`{name}`" for name in left)
        draft.warn(
            f"{names}: not taken from what Ansible lists; what `ssh` needs of it belongs into your "
            "`ssh_config`"
        )


def _names(part: Json, kind: str) -> Iterator[str]:
    found = part.get(kind, []) if isinstance(part, Mapping) else []
    for name in found if isinstance(found, list) else []:
        if isinstance(name, str):
            yield name
