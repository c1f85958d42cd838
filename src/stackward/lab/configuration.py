"""The configuration files of the nodes: templates in `etc/`, and what is a node's own."""

import io
import re
import tarfile
from importlib.resources import files
from pathlib import Path

from stackward.lab.declared import declared
from stackward.lab.spec import Lab, Node
from stackward.report.sudoers import sudoers_file

PASSWORD = "lab"  # noqa: S105  # the lab guards nothing; its documents say so
LOGIN = (
    "ops"  # an operator's tools come as this one: by the lab's key, with the shipped sudoers file
)
VALUES = {"password": PASSWORD, "login": LOGIN}
PLACE = re.compile(r"@\{([a-z_]+)\}")
# Services read their files by group; the world does not.
SERVICE_GROUPS = {"nova", "keystone", "glance", "placement", "cinder", "neutron", "masakari"}


def filled(text: str) -> str:
    """Return a template with its places filled; they are written `@{name}`.

    `$` belongs to shells and configurations. The controller is called `ctl` in every lab.

    Raises KeyError for a place that nothing is known for.
    """
    return PLACE.sub(lambda place: VALUES[place[1]], text)


def template(path: str) -> str:
    """Return a filled file of this package."""
    return filled(files(__package__).joinpath(path).read_text())


def etc_of(image: str) -> bytes:
    """Return a tar archive with all of `/etc` that the lab writes into an image."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for part in ("all", image):
            top = Path(str(files(__package__).joinpath("etc", part)))
            for file in sorted(path for path in top.rglob("*") if path.is_file()):
                place = file.relative_to(top)
                text = filled(file.read_text()).encode()
                entry = tarfile.TarInfo(f"etc/{place}")
                service = place.parts[0] if place.parts[0] in SERVICE_GROUPS else None
                # Numbers would be the host's: the names are looked up in the image.
                entry.uname, entry.gname = "root", service or "root"
                entry.mode = 0o640 if service else 0o755 if text.startswith(b"#!") else 0o644
                entry.size = len(text)
                tar.addfile(entry, io.BytesIO(text))
    return archive.getvalue()


def package_tar(folder: str) -> bytes:
    """Return a tar archive of a folder of this package, as it is."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(str(files(__package__).joinpath(folder)), arcname=folder)
    return archive.getvalue()


def own_files(lab: Lab, node: Node, *, baking: bool = False) -> list[dict[str, object]]:
    """Return the files that tell a node who it is, as the keeper writes them."""
    ssh = lab.ssh_config.parent
    host_key = ssh / "hosts" / node.name
    found = [
        own("/etc/hostname", f"{node.name}\n"),
        own("/etc/machine-id", f"{node.machine_id}\n", mode=0o444),
        own("/etc/hosts", hosts(lab)),
        own("/etc/systemd/network/10-host0.network", host0(lab, node)),
        own("/root/.ssh/authorized_keys", (ssh / "id_ed25519.pub").read_text(), mode=0o600),
        own("/etc/ssh/ssh_host_ed25519_key", host_key.read_text(), mode=0o600),
        own("/etc/ssh/ssh_host_ed25519_key.pub", host_key.with_suffix(".pub").read_text()),
    ]
    if not baking:
        key = (ssh / "id_ed25519.pub").read_text()
        found += [
            own(f"/home/{LOGIN}/.ssh/authorized_keys", key, mode=0o600, owner=f"{LOGIN}:{LOGIN}"),
            own("/etc/sudoers.d/stackward", sudoers_file(LOGIN), mode=0o440),
        ]
    if not (baking and node.role == "control"):
        found.append(
            own(
                "/etc/stackward-lab/node",
                f"name={node.name}\ndata_address={node.data_address or ''}\n"
                f"control_address={lab.control.address}\n",
            )
        )
    if node.role == "compute":
        found += [
            own(
                "/etc/nova/nova-compute.conf",
                f"[DEFAULT]\ncompute_driver = libvirt.LibvirtDriver\n"
                f"host = {node.name}\nmy_ip = {node.address}\n",
                mode=0o640,
                owner="root:nova",
            ),
            own("/var/lib/nova/compute_id", node.compute_id, owner="nova:nova"),
        ]
    for unit in sorted(set(image_starts(node)) - set(node.kind.start)):
        # An empty unit file masks the unit: the image would start it.
        name = unit if "." in unit else f"{unit}.service"
        found.append(own(f"/etc/systemd/system/{name}", ""))
    if node.role == "compute" and lab.shared_instances:
        text = template("etc/compute/libvirt/qemu.conf")
        text = text.replace('"/var/lib/nova/mnt"', '"/var/lib/nova/mnt", "/var/lib/nova/instances"')
        found.append(own("/etc/libvirt/qemu.conf", text))
    return found


def image_starts(node: Node) -> tuple[str, ...]:
    """Return the units that start in a node's image: those of the role that it is made for."""
    return declared().roles[node.kind.image].start


def own(path: str, text: str, *, mode: int = 0o644, owner: str = "root:root") -> dict[str, object]:
    """Return one file in the keeper's form."""
    return {"path": path, "text": text, "mode": mode, "owner": owner}


def hosts(lab: Lab) -> str:
    """Return the nodes' `/etc/hosts`."""
    lines = ["127.0.0.1 localhost", *(f"{node.address} {node.name}" for node in lab.nodes)]
    return "\n".join(lines) + "\n"


def host0(lab: Lab, node: Node) -> str:
    """Return the network file of a node's management interface."""
    return (
        "[Match]\nName=host0\n"
        f"[Network]\nAddress={node.address}/24\nGateway={lab.gateway}\n"
        "LinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    )
