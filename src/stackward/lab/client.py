"""Talk to the lab's cloud, as its administrator or as the owner of its servers."""

from typing import Any

from stackward.lab.configuration import PASSWORD
from stackward.lab.spec import Lab

# Nova's: 2.95 leaves evacuated servers stopped; 2.88 and later answer the uptime by RPC.
COMPUTE_MICROVERSION = "2.95"


def credentials(lab: Lab, user: str = "admin", project: str = "admin") -> dict[str, str]:
    """Return the authentication part of a cloud's entry."""
    return {
        "auth_url": lab.auth_url,
        "username": user,
        "password": PASSWORD,
        "project_name": project,
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }


def connect(lab: Lab, user: str = "admin", project: str = "admin") -> Any:  # noqa: ANN401  # the SDK's own
    """Return an openstacksdk connection to the lab's cloud."""
    import openstack  # noqa: PLC0415  # 0.4 s that `--help` need not wait for

    return openstack.connect(
        auth=credentials(lab, user, project),
        region_name="RegionOne",
        compute_default_microversion=COMPUTE_MICROVERSION,
        load_yaml_config=False,
        load_envvars=False,
    )


def clouds(lab: Lab) -> dict[str, Any]:
    """Return the lab's entries for a `clouds.yaml`."""
    entries = {
        lab_cloud(lab): credentials(lab),
        f"{lab_cloud(lab)}-demo": credentials(lab, "demo", "demo"),
    }
    return {
        "clouds": {
            name: {"auth": auth, "region_name": "RegionOne", "identity_api_version": 3}
            for name, auth in entries.items()
        }
    }


def lab_cloud(lab: Lab) -> str:
    """Return the name of the lab's cloud for `--os-cloud`."""
    return f"lab-{lab.name}" if lab.name != "lab" else "lab"


def environment(lab: Lab, *, demo: bool = False) -> dict[str, str]:
    """Return the variables that point OpenStack's clients, and Stackward itself, at the lab."""
    return {
        "OS_CLIENT_CONFIG_FILE": str(lab.clouds_yaml),
        "OS_CLOUD": lab_cloud(lab) + ("-demo" if demo else ""),
        "STACKWARD_INVENTORY": str(lab.inventory),
        "STACKWARD_LAB": lab.name,
    }
