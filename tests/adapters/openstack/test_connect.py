"""Which region a login leads to: by clouds.yaml, by OS_REGION_NAME, by the catalog."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from http_cloud import HttpCloud
from stackward.adapters.openstack import connect, connect_to_look
from stackward.errors import BadInput


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpCloud]:
    """Return an OpenStack of two regions, as the cloud `here` of a clouds.yaml."""
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    monkeypatch.delenv("OS_REGION_NAME", raising=False)
    small = HttpCloud(regions=("East", "West"))
    with small.served():
        entry(tmp_path, small)
        yield small


def entry(place: Path, small: HttpCloud, **more: object) -> None:
    """Write the entry of the cloud `here`."""
    auth = {
        "auth_url": f"{small.base}/identity/v3",
        "username": "admin",
        "password": "hush-hush-1",
        "project_name": "admin",
        "user_domain_id": "default",
        "project_domain_id": "default",
    }
    clouds = {"clouds": {"here": {"auth": auth, **more}}}
    (place / "clouds.yaml").write_text(json.dumps(clouds))


def test_of_several_regions_none_is_taken_unasked(small: HttpCloud) -> None:
    with pytest.raises(BadInput) as refused:
        connect("here")

    assert refused.value.details == ("there are `East`, `West`",)
    assert "OS_REGION_NAME" in (refused.value.hint or "")
    assert [one for one in small.asked if "compute" in one] == []


def test_a_region_that_does_not_exist_is_refused_with_those_that_do(
    small: HttpCloud, tmp_path: Path
) -> None:
    entry(tmp_path, small, region_name="Nord")

    with pytest.raises(BadInput) as refused:
        connect("here")

    assert refused.value.message == "there is no region `Nord` in the catalog"
    assert refused.value.details == ("it has `East`, `West`",)
    assert [one for one in small.asked if "compute" in one] == []


def test_the_region_of_the_entry_is_taken_whatever_the_environment_says(
    small: HttpCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_REGION_NAME", "East")
    entry(tmp_path, small, region_name="West")

    assert connect("here").identity().id == "compute West"


@pytest.mark.parametrize("more", [{}, {"regions": ["East", "West"]}])
def test_the_environment_names_the_region_where_the_entry_leaves_it_open(
    small: HttpCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, object]
) -> None:
    monkeypatch.setenv("OS_REGION_NAME", "West")
    entry(tmp_path, small, **more)

    assert connect("here").identity().id == "compute West"


@pytest.mark.parametrize("open_it", [connect, connect_to_look])
def test_of_an_entry_with_several_regions_the_first_is_not_taken_unasked(
    small: HttpCloud, tmp_path: Path, open_it: Callable[[str], object]
) -> None:
    """The SDK would take the first of its list."""
    entry(tmp_path, small, regions=[{"name": "East", "values": {}}, "West"])

    with pytest.raises(BadInput) as refused:
        getattr(open_it("here"), "log_in", lambda **_: None)(within_s=5)

    assert refused.value.details == ("there are `East`, `West`",)
    assert small.asked == []


def test_the_only_region_need_not_be_named(small: HttpCloud) -> None:
    small.regions = ("East",)

    cloud = connect("here").identity()

    assert (cloud.id, cloud.name) == ("compute East", f"{small.base}/identity East")
    assert f"{small.base}/identity" in cloud.formerly
