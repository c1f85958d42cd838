"""Which region a login leads to: by clouds.yaml, by OS_REGION_NAME, by the catalog."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from http_cloud import HttpCloud, Reply
from stackward.adapters.openstack import connect, connect_to_look
from stackward.errors import BadInput, Refused
from stackward.model.cloud_state import Answered, Failed


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


# --- redirections ---

LOGIN = "POST /auth/tokens"


@pytest.fixture
def other() -> Iterator[HttpCloud]:
    """Return an OpenStack on another host, as far as its name tells."""
    other = HttpCloud()
    with other.served():
        other.base = other.base.replace("127.0.0.1", "localhost")
        yield other


def entry_of_one(place: Path, small: HttpCloud) -> None:
    small.regions = ("East",)
    entry(place, small, region_name="East")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_password_is_sent_to_no_other_host_by_a_redirection(
    small: HttpCloud, other: HttpCloud, tmp_path: Path, status: int
) -> None:
    """The SDK sends the login again, with the password, to wherever it is told."""
    entry_of_one(tmp_path, small)
    to = {"Location": f"{other.base}/identity/v3/auth/tokens"}
    small.instead[LOGIN] = [Reply(status, None, to)]

    with pytest.raises(Refused) as refused:
        connect("here")

    assert refused.value.message == (
        f"`{small.base}` sends us elsewhere, to `{other.base}`: the login is shown to no other host"
    )
    assert "auth_url" in (refused.value.hint or "")
    assert other.asked == []


def test_a_password_is_sent_to_no_host_that_is_found_by_a_redirection(
    small: HttpCloud, other: HttpCloud, tmp_path: Path
) -> None:
    entry_of_one(tmp_path, small)
    small.instead["GET /identity/v3"] = [
        Reply(302, None, {"Location": f"{other.base}/identity/v3"})
    ]

    with pytest.raises(Refused):
        connect("here")

    assert other.asked == []


def test_a_login_that_is_redirected_on_its_own_host_is_followed(
    small: HttpCloud, tmp_path: Path
) -> None:
    entry_of_one(tmp_path, small)
    there = {"Location": f"{small.base}/identity/v3/auth/tokens"}
    small.instead[LOGIN] = [Reply(308, None, there), None]

    assert connect("here").nova.services()


def test_a_check_sends_the_password_to_no_other_host(
    small: HttpCloud, other: HttpCloud, tmp_path: Path
) -> None:
    entry_of_one(tmp_path, small)
    apis = connect_to_look("here")
    answered, catalog = apis.log_in(within_s=5)
    assert isinstance(answered, Answered)
    assert catalog is not None
    to = {"Location": f"{other.base}/identity/v3/auth/tokens"}
    small.instead[LOGIN] = [Reply(307, None, to)]
    nova = next(one for one in catalog.endpoints if one.kind == "compute")

    asked = apis.ask(nova, "/v2.1/servers", version=None, within_s=5)
    again, _ = apis.log_in(within_s=5)

    assert isinstance(asked, Failed)
    assert isinstance(again, Failed)
    assert "the login is shown to no other host" in str(asked.says)
    assert "the login is shown to no other host" in str(again.says)
    assert other.asked == []


def test_what_is_asked_without_a_token_may_be_redirected(
    small: HttpCloud, other: HttpCloud, tmp_path: Path
) -> None:
    """Horizon sends everybody to where one signs in: it is there."""
    entry_of_one(tmp_path, small)
    small.instead["GET /dashboard"] = [Reply(302, None, {"Location": f"{other.base}/sign-in"})]

    found = connect_to_look("here").reach(f"{small.base}/dashboard", within_s=5)

    assert isinstance(found, Answered)
    assert other.asked == []
