"""No foreign answer is a defect of ours: each that makes no sense is said, or is unknown."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from builders import a_server, an_id
from fakes.clock import FakeClock
from fakes.cloud import FakeCloud
from http_cloud import PAGE_OF_HTML, HttpCloud, Reply
from stackward.adapters.openstack import OpenStackCloud
from stackward.adapters.openstack.neutron import is_of_server
from stackward.errors import NotUnderstood, Refused, Uncertain, Unreachable
from stackward.plan import Standing
from stackward.status.signs import gone

SERVER = an_id("db-01")
AT = f"GET /servers/{SERVER}"


def site() -> tuple[HttpCloud, OpenStackCloud]:
    fake = FakeCloud()
    fake.nova.add(a_server())
    small = HttpCloud(fake)
    return small, OpenStackCloud(small.connection(), FakeClock())


@cache
def a_server_told() -> dict[str, Any]:
    small, cloud = site()
    cloud.nova.server(SERVER)
    body = small.answer(
        "GET",
        f"{small.base}/compute/v2.1/servers/{SERVER}",
        {"OpenStack-API-Version": "compute 2.98"},
        b"",
    ).body
    assert isinstance(body, dict)
    return dict(body["server"])


def a_body(**changes: Any) -> Callable[[], Reply]:  # noqa: ANN401  # any JSON
    """Return the answer when it is asked for: to make it, a cloud is asked."""
    return lambda: Reply(200, {"server": a_server_told() | changes})


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(PAGE_OF_HTML, id="a proxy's page, as if it were well"),
        pytest.param(replace(PAGE_OF_HTML, status=404), id="a proxy that has no such page"),
        pytest.param(
            Reply(404, {"message": "no route"}, {"x-openstack-request-id": ""}),
            id="a gateway that has no such route",
        ),
        pytest.param(Reply(200, ""), id="nothing"),
        pytest.param(Reply(200, '{"server": {"id"'), id="half of an answer"),
        pytest.param(Reply(200, "null"), id="null"),
        pytest.param(Reply(200, []), id="a list"),
        pytest.param(Reply(200, {"server": None}), id="null where an object was"),
        pytest.param(Reply(200, {"servers": []}), id="another key"),
        pytest.param(Reply(200, '{"server": ' + "[" * 99_999), id="nested without end"),
        pytest.param(Reply(200, '{"server": {"power_state": NaN}}'), id="not a number"),
        pytest.param(a_body(name=5), id="a number for a name"),
        pytest.param(a_body(flavor=[]), id="a list for an object"),
        pytest.param(a_body(**{"OS-EXT-STS:power_state": "1"}), id="a text for a number"),
        pytest.param(a_body(**{"OS-EXT-STS:power_state": True}), id="a truth value for a number"),
        pytest.param(a_body(**{"OS-EXT-STS:power_state": 10**30}), id="a number without measure"),
        pytest.param(a_body(name="\ud800"), id="half of a character"),
        pytest.param(a_body(updated="yesterday"), id="no time"),
        pytest.param(a_body(metadata=["a"]), id="a list for pairs"),
    ],
)
def test_an_answer_that_makes_no_sense_is_said(reply: Reply | Callable[[], Reply]) -> None:
    small, cloud = site()
    small.instead[AT] = [reply if isinstance(reply, Reply) else reply()]

    with pytest.raises(Unreachable) as caught:
        cloud.nova.server(SERVER)

    said = "\n".join([caught.value.message, *caught.value.details, caught.value.says or ""])
    assert "Nova" in said
    assert said.isprintable() or "\n" in said


def test_what_came_is_shown_short_and_without_secrets() -> None:
    small, cloud = site()
    small.instead[AT] = [
        Reply(200, {"server": {"id": SERVER, "adminPass": "hush-hush", "x": "y" * 900}})
    ]

    with pytest.raises(NotUnderstood) as caught:
        cloud.nova.server(SERVER)

    error = caught.value
    assert error.message == (
        f"Nova answers `GET /servers/{SERVER}` in a form that Stackward does not understand"
    )
    assert error.details[0].startswith("it has no `status`; the answer: {'server': {'id':")
    assert "hush-hush" not in error.details[0]
    assert len(error.details[0]) < 300
    assert error.request_id == "req-1"


def test_a_page_of_html_is_named_for_what_it_is() -> None:
    small, cloud = site()
    small.instead["GET /os-services"] = [PAGE_OF_HTML]

    with pytest.raises(NotUnderstood) as caught:
        cloud.nova.services()

    assert caught.value.details == (
        'it is not JSON; the answer: a page of HTML, "Sign in Maintenance"',
    )


def test_an_order_that_a_page_answers_is_uncertain() -> None:
    small, cloud = site()
    small.instead["POST /action"] = [PAGE_OF_HTML]

    with pytest.raises(Uncertain):
        cloud.nova.stop_server(SERVER)


def test_a_redirection_to_another_host_is_not_followed_with_the_token() -> None:
    small, cloud = site()
    small.instead[AT] = [Reply(302, None, {"Location": "https://sign-in.example/"})]

    with pytest.raises(Refused, match=r"sends us elsewhere, to `https://sign-in\.example`"):
        cloud.nova.server(SERVER)


def test_a_redirection_on_the_same_host_is_followed() -> None:
    small, cloud = site()
    there = f"{small.base}/compute/v2.1/servers/{SERVER}"
    small.instead[AT] = [Reply(301, None, {"Location": there}), None]

    assert cloud.nova.server(SERVER) is not None


def test_what_the_service_itself_does_not_have_is_none() -> None:
    small, cloud = site()
    small.instead[AT] = [
        Reply(404, {"itemNotFound": {"code": 404, "message": "no"}}, {"x-openstack-request-id": ""})
    ]

    assert cloud.nova.server(SERVER) is None


def test_an_image_is_found_by_its_name_although_glance_answers_a_page_of_html() -> None:
    """Glance says 404 in HTML where the name is no id; seen in 2025.1."""
    _, cloud = site()

    assert [image.name for image in cloud.glance.images_called("guest")] == ["guest"]


@pytest.mark.parametrize("body", ["<html>sign in</html>", "null", "[]", '{"token": []}'])
def test_a_login_that_is_answered_with_nonsense_is_keystones(body: str) -> None:
    small = HttpCloud()
    small.instead["POST /auth/tokens"] = [Reply(201, body, {"X-Subject-Token": "t"})]

    with pytest.raises(Unreachable, match="Keystone"):
        OpenStackCloud(small.connection(), FakeClock())


# --- a cell that is down (F08) ---


def test_a_service_in_a_cell_that_is_down_is_not_known() -> None:
    small, cloud = site()
    small.down_cells = [{"binary": "nova-compute", "host": "c90", "status": "UNKNOWN"}]

    [lost] = [one for one in cloud.nova.services() if not one.is_known]

    assert (lost.host, lost.is_up, lost.is_enabled) == ("c90", False, False)


def test_a_server_in_a_cell_that_is_down_is_unknown() -> None:
    small, cloud = site()
    row = {"id": SERVER, "status": "UNKNOWN", "tenant_id": "p", "created": "x", "links": []}
    small.instead[AT] = [Reply(200, {"server": row})]

    server = cloud.nova.server(SERVER)

    assert server is not None
    assert (server.status, server.host) == ("UNKNOWN", None)


def test_a_server_deleted_and_archived_is_proved_to_be_gone() -> None:
    """Nova answers 404 for its actions then: its run could never be proved."""
    small, cloud = site()
    small.cloud.nova.stop_server(SERVER)
    small.cloud.nova.purge(SERVER)

    look = gone(cloud.nova, SERVER)

    assert (look.standing, look.saw["deleted_by"]) == (Standing.DONE, None)


def test_a_server_that_is_there_without_its_actions_is_not_understood_as_one_without_any() -> None:
    """As in a cell that is down: what others do to it would not be seen."""
    small, cloud = site()
    gone_404 = Reply(404, {"itemNotFound": {"code": 404, "message": "no"}})
    small.instead[f"GET /servers/{SERVER}/os-instance-actions"] = [gone_404]

    with pytest.raises(Unreachable):
        cloud.nova.actions_of(SERVER)


@pytest.mark.parametrize(
    "owner",
    [
        pytest.param("compute:kuryr", id="a container of Zun: Nova has no such server"),
        pytest.param("network:dhcp", id="Neutron's own"),
        pytest.param("", id="nobody"),
    ],
)
def test_only_a_port_that_nova_has_made_is_of_a_server(owner: str) -> None:
    assert not is_of_server(owner)
    assert is_of_server("compute:nova")  # with its zone
