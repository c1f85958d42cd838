"""Run on the controller: register the services and their users."""

import openstack

SERVICES = (
    ("glance", "image", "http://ctl:9292"),
    ("placement", "placement", "http://ctl:8778"),
    ("nova", "compute", "http://ctl:8774/v2.1"),
    ("cinderv3", "volumev3", "http://ctl:8776/v3"),
    ("neutron", "network", "http://ctl:9696"),
)

# Installed, and in the catalog only once the lab's operator asks for it.
UNLISTED = ("masakari",)

identity = openstack.connect().identity
service_project = identity.create_project(name="service", domain_id="default")
roles = {
    name: identity.find_role(name) or identity.create_role(name=name)
    for name in ("admin", "service", "member", "reader")
}
for name in (*(name for name, _, _ in SERVICES), *UNLISTED):
    user = identity.create_user(
        name=name.removesuffix("v3"),
        password="@{password}",
        domain_id="default",
        default_project_id=service_project.id,
    )
    for role in ("admin", "service"):
        identity.assign_project_role_to_user(service_project, user, roles[role])
for name, kind, url in SERVICES:
    service = identity.create_service(name=name, type=kind)
    for interface in ("public", "internal", "admin"):
        identity.create_endpoint(
            service_id=service.id, interface=interface, url=url, region_id="RegionOne"
        )

# Somebody who owns servers and is no administrator; the administrator may act in the same project.
demo_project = identity.create_project(name="demo", domain_id="default")
demo = identity.create_user(
    name="demo", password="@{password}", domain_id="default", default_project_id=demo_project.id
)
for role in ("member", "reader"):
    identity.assign_project_role_to_user(demo_project, demo, roles[role])
identity.assign_project_role_to_user(demo_project, identity.find_user("admin"), roles["admin"])
