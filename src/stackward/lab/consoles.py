"""The consoles of a lab's servers."""

import time
from collections.abc import Iterator

from stackward.lab.client import connect
from stackward.lab.faults import find_server
from stackward.lab.spec import Lab
from stackward.lab.ssh import ssh_command

LOOK_EVERY_S = 1.0
TAIL = 500  # characters that are looked for; a console writes no text of this length twice


def console_output(lab: Lab, name_or_id: str, *, follow: bool = False) -> Iterator[str]:
    """Give what a server wrote to its console; with `follow`, also what it writes from now on.

    Raises BadInput when there is no such server, or more than one.
    """
    server = find_server(lab, name_or_id)
    compute = connect(lab).compute
    shown = ""
    while True:
        text = compute.get_server_console_output(server.id)["output"] or ""
        yield new_part(shown, text)
        shown = text
        if not follow:
            return
        time.sleep(LOOK_EVERY_S)


def new_part(shown: str, text: str) -> str:
    """Return what of `text` comes after all that was shown.

    Nova cuts a console's log at its beginning when it grows: what was shown may begin earlier.
    """
    if text.startswith(shown):
        return text[len(shown) :]
    tail = shown[-TAIL:]
    end = text.find(tail) + len(tail)
    while end >= len(tail):
        if shown.endswith(text[:end]):
            return text[end:]
        end = text.find(tail, end - len(tail) + 1) + len(tail)
    return text


def attach_command(lab: Lab, name_or_id: str) -> list[str]:
    """Return the command that connects a terminal to a server's console.

    Raises BadInput as above.
    """
    server = find_server(lab, name_or_id)
    virsh = f"virsh console --force {server.instance_name}"
    return ssh_command(lab, server.hypervisor_hostname, [virsh], terminal=True)
