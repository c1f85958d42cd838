"""OpenStack's APIs as ports, one for each service.

`services` has the microversions, and what each is for.
"""

import logging
import os
from typing import TYPE_CHECKING

from stackward.adapters.clock import SystemClock
from stackward.adapters.openstack.cinder import CinderApi
from stackward.adapters.openstack.files import UnusableSettings, try_files
from stackward.adapters.openstack.glance import GlanceApi
from stackward.adapters.openstack.http import FILES, patiently, sorted_failures
from stackward.adapters.openstack.keystone import KeystoneApi
from stackward.adapters.openstack.masakari import MasakariApi
from stackward.adapters.openstack.neutron import NeutronApi
from stackward.adapters.openstack.nova import NovaApi
from stackward.adapters.openstack.patience import Patience
from stackward.adapters.openstack.placement import PlacementApi
from stackward.adapters.openstack.redirects import stay_on_host
from stackward.adapters.openstack.regions import region_of, several
from stackward.adapters.openstack.services import Services
from stackward.adapters.openstack.which_cloud import identity_in
from stackward.errors import BadInput, StackwardError
from stackward.masking import learn_from
from stackward.model.cloud import CloudIdentity
from stackward.ports.clock import Clock

if TYPE_CHECKING:
    from openstack.connection import Connection

    from stackward.adapters.openstack.apis import OpenStackApis

_TIMEOUT_S = 90  # longer than Nova's own wait for an RPC answer, 60 s


def connect(cloud: str | None) -> "OpenStackCloud":
    """Connect to the cloud, as an administrator; what it offers is found out at once."""
    connection = _find(cloud)
    try:
        return OpenStackCloud(connection)
    except StackwardError:
        raise
    except Exception as error:  # the plugins are loaded late: their own errors again
        raise _unusable(cloud, error) from error


def connect_to_look(cloud: str | None) -> "OpenStackApis":
    """Make ready to look at the cloud; nothing is loaded or called before the first question."""
    from stackward.adapters.openstack.apis import OpenStackApis  # noqa: PLC0415  # only here

    return OpenStackApis(lambda: _with_login(cloud))


def _with_login(cloud: str | None) -> "Connection":
    from stackward.adapters.openstack.whole_time import keep_to_it  # noqa: PLC0415  # as above

    connection = _find(cloud)
    try:
        _ = connection.session.auth
        stay_on_host(connection.session)
        keep_to_it(connection.session)
    except Exception as error:  # each plugin raises its own for a setting that it misses
        raise _unusable(cloud, error) from error
    return connection


def _find(cloud: str | None) -> "Connection":
    """Find the cloud in clouds.yaml or the OS_* variables; no call is made yet."""
    import openstack  # noqa: PLC0415  # 0.4 s that only commands with a cloud need
    from openstack import exceptions  # noqa: PLC0415  # same

    logging.getLogger("keystoneauth").addHandler(logging.NullHandler())  # our errors say it all
    try:
        connection = openstack.connect(
            cloud=cloud, region_name=_region_for(cloud), app_name="stackward", timeout=_TIMEOUT_S
        )
    except StackwardError:
        raise
    except exceptions.ConfigException as error:
        raise BadInput(
            f"cannot find the cloud `{cloud}`" if cloud else "cannot find out which cloud is meant",
            service="openstacksdk",
            says=str(error),
            hint="name it with `--os-cloud NAME` as in clouds.yaml, or set the OS_* variables",
        ) from error
    except Exception as error:  # each plugin raises its own for a setting that it misses
        raise _unusable(cloud, error) from error
    learn_from(connection.config.config.get("auth") or {})  # a service may quote them
    try:
        try_files(connection.config)
    except (OSError, ValueError) as error:
        raise _unusable(cloud, error, FILES) from error
    return connection


def _region_for(cloud: str | None) -> str | None:
    """Return OS_REGION_NAME where the cloud's entry in clouds.yaml leaves the region open.

    Of an entry with several regions the SDK would take the first, without a question.
    """
    from openstack.config import OpenStackConfig  # noqa: PLC0415  # loaded by now

    known = OpenStackConfig(app_name="stackward")
    entry = (known.cloud_config.get("clouds") or {}).get(cloud or known.default_cloud) or {}
    if entry.get("region_name"):
        return None
    listed = [
        str(one["name"]) if isinstance(one, dict) else str(one)
        for one in entry.get("regions") or ()
    ]
    named = os.environ.get("OS_REGION_NAME")
    if len(listed) > 1 and not named:
        raise several(listed)
    return named


def _unusable(cloud: str | None, error: Exception, see: str = "") -> UnusableSettings:
    named = f"the settings of the cloud `{cloud}`" if cloud else "the settings of the cloud"
    return UnusableSettings(
        f"{named} cannot be used",
        service="openstacksdk",
        says=str(error),
        hint=see
        or "see its entry in clouds.yaml, or the OS_* variables: auth_url, username, password, "
        "project_name and the domains",
    )


class OpenStackCloud:
    """A cloud behind openstacksdk: one login, and a port for each of its services."""

    def __init__(self, connection: "Connection", clock: Clock | None = None) -> None:
        self._connection = connection
        stay_on_host(connection.session)
        patience = Patience(clock=clock or SystemClock())
        services = Services(connection, patience)
        self.nova = NovaApi(services.nova)
        self.placement = PlacementApi(services.placement)
        self.neutron = NeutronApi(services.neutron)
        self.cinder = CinderApi(services.cinder)
        self.glance = GlanceApi(services.glance)
        self.keystone = KeystoneApi(services.keystone)
        self.masakari = MasakariApi(services.masakari, self)
        patiently(patience, "Keystone", self._log_in)
        self._identity = _identity_of(connection)  # a region that is not there is said first
        services.nova.open()

    def _log_in(self) -> None:
        with sorted_failures("Keystone"):
            _ = list(self._connection.service_catalog)  # it comes with the token

    def identity(self) -> CloudIdentity:
        """Return which cloud it is, by the catalog."""
        return self._identity

    def user(self) -> str:
        """Return the id of the user that asks everything: it comes with the token."""
        with sorted_failures("Keystone"):
            return self._connection.current_user_id or ""

    def has_service(self, kind: str, /) -> bool:
        """Say whether the catalog has a service of this type."""
        with sorted_failures("Keystone"):
            return any(one["type"] == kind for one in self._connection.service_catalog)


def _identity_of(connection: "Connection") -> CloudIdentity:
    auth_url = str((connection.config.config.get("auth") or {}).get("auth_url") or "")
    with sorted_failures("Keystone"):
        catalog = list(connection.service_catalog)
        region = region_of(catalog, connection.config.get_region_name("compute"))
        return identity_in(catalog, region, auth_url)
