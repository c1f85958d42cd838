"""Whose log a file is: as packages, DevStack and containers name it, of old releases too."""

import pytest

from stackward.diagnosis.components import named

NAMES = {
    "nova-api": ("nova/nova-api-os-compute.log", "n-api.log", "kolla/nova/nova-api-wsgi.log"),
    "nova-compute": ("screen-n-cpu.txt", "devstack@n-cpu.service.log", "n-cpu.2017-03-01-1000.log"),
    "nova-conductor": ("n-cond-cell1.log", "n-super-cond.txt", "nova/nova-super-conductor.log"),
    "nova-metadata": ("nova/nova-metadata-api.log", "n-api-meta.log"),
    "nova-network": ("n-net.log",),
    "nova-cells": ("n-cell-region.log", "n-cell-child.log"),
    "neutron-api": ("neutron/server.log", "neutron/neutron-server.log", "screen-q-svc.txt"),
    "neutron-openvswitch-agent": ("neutron/openvswitch-agent.log", "q-agt.log"),
    "neutron-linuxbridge-agent": ("neutron/linuxbridge-agent.log",),
    "neutron-ovn-metadata-agent": ("neutron/ovn-metadata-agent.log", "q-ovn-metadata-agent.txt"),
    "cinder-volume": ("cinder/volume.log", "c-vol.log"),
    "cinder-api": ("cinder/api.log", "c-api.log"),
    "glance-api": ("glance/api.log", "g-api.log"),
    "keystone": ("httpd/keystone_wsgi_main_error.log", "apache2/keystone_error.log", "key.log"),
    "placement-api": ("httpd/placement_wsgi_error.log", "apache2/nova_placement_error.log"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("file", "component"), [(file, name) for name, files in NAMES.items() for file in files]
)
def test_the_name_of_a_file_tells_the_component(file: str, component: str) -> None:
    assert named(file, "") == component
