"""Run on the controller: flavors, the guest image, the network, the volume type."""

from pathlib import Path

import openstack

cloud = openstack.connect()
for name, memory_mib in (("tiny", 128), ("small", 192)):
    cloud.compute.create_flavor(name=name, ram=memory_mib, vcpus=1, disk=0)

network = cloud.network
projects = [cloud.identity.find_project(name) for name in ("admin", "demo")]
lab_net = network.create_network(name="lab-net", shared=True, project_id=projects[1].id)
network.create_subnet(
    name="lab-subnet",
    network_id=lab_net.id,
    project_id=projects[1].id,
    ip_version=4,
    cidr="192.168.50.0/24",
    # Without a gateway or a metadata port OVN hands out no DHCP options at all.
    gateway_ip="192.168.50.1",
    allocation_pools=[{"start": "192.168.50.10", "end": "192.168.50.99"}],
)
for project in projects:
    [group] = network.security_groups(project_id=project.id, name="default")
    for protocol in ("icmp", "tcp", "udp"):
        network.create_security_group_rule(
            security_group_id=group.id,
            project_id=project.id,
            direction="ingress",
            ether_type="IPv4",
            protocol=protocol,
        )

volume_type = cloud.block_storage.create_type(name="nfs")
cloud.block_storage.post(
    f"/types/{volume_type.id}/extra_specs", json={"extra_specs": {"volume_backend_name": "nfs"}}
)

image_file = Path("/root/guest.img")
image = cloud.create_image(
    "guest",
    filename=str(image_file),
    disk_format="raw",
    container_format="bare",
    visibility="public",
    wait=True,
    hw_disk_bus="virtio",
)
if image.status != "active":
    raise SystemExit(f"the image ended {image.status}")
image_file.unlink()
