"""Which cloud a login leads to, by the catalogs that Keystone gives."""

from typing import Any

import pytest

from fakes.clock import FakeClock
from fakes.cloud import FakeCloud
from http_cloud import HttpCloud
from stackward.adapters.openstack import OpenStackCloud
from stackward.adapters.openstack.apis import OpenStackApis
from stackward.adapters.openstack.regions import region_of
from stackward.adapters.openstack.which_cloud import identity_in, name_of
from stackward.errors import BadInput
from stackward.model.cloud import KnownCloud

PUBLIC, INSIDE = "https://cloud.example:5000/v3", "http://10.0.0.5:5000/v3"


def catalog(
    *regions: str, ids: bool = True, service: str = "n-1", url: str = "https://cloud.example"
) -> list[dict[str, Any]]:
    """Return a catalog with Nova in some regions, for two interfaces."""
    endpoints = [
        {"interface": interface, "region": region, "region_id": region, "url": where}
        for region in regions
        for interface, where in (
            ("internal", "http://10.0.0.5:8774/v2.1"),
            ("public", f"{url}:8774/v2.1"),
        )
    ]
    own = {"id": service} if ids else {}
    return [
        {"type": "identity", "id": "k-1", "endpoints": []},
        {"type": "compute", "name": "nova", "endpoints": endpoints, **own},
    ]


def test_by_its_public_and_its_internal_url_it_is_one_cloud() -> None:
    given = catalog("East")

    outside, inside = (identity_in(given, "East", url) for url in (PUBLIC, INSIDE))

    assert outside.id == inside.id == "n-1 East"
    assert (outside.name, inside.name) == (
        "https://cloud.example:5000 East",
        "http://10.0.0.5:5000 East",
    )


def test_two_regions_are_two_clouds() -> None:
    given = catalog("East", "West")

    assert identity_in(given, "East", PUBLIC).id != identity_in(given, "West", PUBLIC).id


def test_two_catalogs_at_one_url_are_two_clouds() -> None:
    """The same address after a new installation."""
    before, after = (identity_in(catalog("East", service=each), "East", PUBLIC) for each in "ab")

    assert before.id != after.id


def test_without_ids_the_url_that_everybody_sees_tells_clouds_apart_and_that_is_said() -> None:
    given = catalog("East", ids=False)

    outside, inside = (identity_in(given, "East", url) for url in (PUBLIC, INSIDE))

    assert outside.id == inside.id == "https://cloud.example:8774 East"
    assert "told from others by the URL https://cloud.example:8774" in outside.name


@pytest.mark.parametrize(
    "url",
    [
        "https://Cloud.Example:443/compute/v2.1/",
        "https://cloud.example/compute/v2.1/%(tenant_id)s",
        "https://ann:hush@cloud.example/compute/v2",
        "https://cloud.example/compute",
    ],
)
def test_a_url_is_one_however_it_is_spelled(url: str) -> None:
    endpoint = {"interface": "publicURL", "region": "East", "url": url}
    given = [{"type": "compute", "endpoints": [endpoint]}]

    assert identity_in(given, "East", PUBLIC).id == "https://cloud.example/compute East"


def test_a_catalog_without_nova_leaves_the_url_of_keystone() -> None:
    assert identity_in([], "", PUBLIC).id == "https://cloud.example:5000"


@pytest.mark.parametrize(
    ("regions", "name", "is_it"),
    [
        pytest.param(("East",), "https://cloud.example:5000 East", True, id="with its region"),
        pytest.param(("East",), "https://cloud.example:5000", True, id="the only one, not named"),
        pytest.param(
            ("East", "West"), "https://cloud.example:5000", False, id="one of two, not named"
        ),
        pytest.param(("East",), "http://10.0.0.5:5000 East", False, id="by its other URL"),
        pytest.param(("East",), None, None, id="not said"),
    ],
)
def test_what_plans_of_older_versions_call_it(
    regions: tuple[str, ...], name: str | None, *, is_it: bool | None
) -> None:
    cloud = identity_in(catalog(*regions), "East", PUBLIC)

    assert cloud.is_meant(KnownCloud(name=name)) is is_it


@pytest.mark.parametrize(
    ("auth_url", "region", "name"),
    [
        ("http://ctl:5000/v3", "RegionOne", "http://ctl:5000 RegionOne"),
        ("http://ctl:5000/", "RegionOne", "http://ctl:5000 RegionOne"),
        ("https://ann:hush@cloud.example/identity/v3", None, "https://cloud.example/identity"),
    ],
)
def test_a_cloud_has_one_name_whoever_asks(auth_url: str, region: str | None, name: str) -> None:
    assert name_of(auth_url, region) == name


def test_of_several_regions_none_is_taken_unasked() -> None:
    with pytest.raises(BadInput) as refused:
        region_of(catalog("West", "East"), None)

    assert refused.value.details == ("there are `East`, `West`",)


def test_a_region_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadInput) as refused:
        region_of(catalog("West", "East"), "North")

    assert refused.value.details == ("it has `East`, `West`",)


def test_a_look_is_at_the_same_cloud_as_a_plan() -> None:
    """What a plan has kept of a cloud is found by a look at it."""
    small = HttpCloud(FakeCloud())
    _, catalog = OpenStackApis(small.connection).log_in(within_s=5)

    assert catalog is not None
    assert catalog.cloud == OpenStackCloud(small.connection(), FakeClock()).identity().id
