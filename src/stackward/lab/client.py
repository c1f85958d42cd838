"""Talk to the lab's cloud, as its administrator or as the owner of its servers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stackward.errors import StepFailed, Unreachable
from stackward.lab.configuration import PASSWORD
from stackward.lab.spec import Lab

# Nova's: 2.95 leaves evacuated servers stopped; 2.88 and later answer the uptime by RPC.
COMPUTE_MICROVERSION = "2.95"
PLACEMENT_MICROVERSION = "1.39"  # providers by their traits, from 1.18 on
SERVICES = {
    "block_storage": "Cinder",
    "compute": "Nova",
    "identity": "Keystone",
    "image": "Glance",
    "network": "Neutron",
    "placement": "Placement",
}


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
    """Return an openstacksdk connection to the lab's cloud, whose errors are this program's own.

    What is asked of it raises Unreachable without an answer, StepFailed with the service's words.
    """
    import openstack  # noqa: PLC0415  # `--help` does not wait 0.4 s for it

    connection = openstack.connect(
        auth=credentials(lab, user, project),
        region_name="RegionOne",
        compute_default_microversion=COMPUTE_MICROVERSION,
        placement_default_microversion=PLACEMENT_MICROVERSION,
        load_yaml_config=False,
        load_envvars=False,
    )
    return Translated(connection, "the cloud")


class Translated:
    """A connection of the SDK, or one service of it, that raises errors of this program."""

    def __init__(self, original: Any, called: str) -> None:  # noqa: ANN401  # as above
        self._original, self._called = original, called

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # as above
        """Return what the original has; the first look at a service asks where it is."""
        with translated(self._called, name):
            found = getattr(self._original, name)
        if name in SERVICES:
            return Translated(found, SERVICES[name])
        if not callable(found):
            return found

        def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401  # as above
            with translated(self._called, name):
                answer = found(*given, **named)
            return self._each(answer, name) if isinstance(answer, Iterator) else answer

        return call

    def _each(self, answers: Iterator[Any], name: str) -> Iterator[Any]:
        with translated(self._called, name):
            yield from answers


@contextmanager
def translated(service: str, name: str) -> Iterator[None]:
    """Turn the SDK's errors into ours.

    All that the lab asks for may be asked again: a lost answer counts as none.
    """
    from keystoneauth1.exceptions import ClientException, ConnectFailure  # noqa: PLC0415  # late
    from openstack.exceptions import SDKException  # noqa: PLC0415  # as above

    hint = "`stackward lab status` shows what does not work; then call it again"
    try:
        yield
    except ConnectFailure as error:
        raise Unreachable(f"{service} does not answer", says=str(error), hint=hint) from error
    except (ClientException, SDKException) as error:
        raise StepFailed(
            f"`{name}` was asked of {service} and not done",
            service=service,
            says=getattr(error, "details", None) or str(error),
            request_id=getattr(error, "request_id", None),
            hint=hint,
        ) from error


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
        "STACKWARD_BMC_AUTH": str(lab.bmc_logins),
        "STACKWARD_INVENTORY": str(lab.inventory),
        "STACKWARD_INVENTORY_READER": "",  # it would not take over how ssh reaches a lab
        "STACKWARD_LAB": lab.name,
    }
