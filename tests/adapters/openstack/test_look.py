"""A look at the APIs, over a small OpenStack: pages, older versions, odd answers, bad settings."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.nova import FakeNova
from http_cloud import PAGE_OF_HTML, HttpCloud, Reply
from stackward.adapters.openstack import connect, connect_to_look
from stackward.adapters.openstack.apis import OpenStackApis
from stackward.adapters.openstack.files import UnusableSettings
from stackward.errors import BadInput
from stackward.model.cloud_state import (
    Answered,
    Catalog,
    Endpoint,
    Failed,
    Failure,
    LivesOnSource,
    Rpc,
)
from stackward.model.migration import Migration

HOSTS = tuple(f"compute-{number:02}" for number in range(1, 6))
SERVERS = "/v2.1/servers?limit=1&all_tenants=1"


class Look:
    """The APIs of a small cloud, logged in."""

    def __init__(self, **fields: Any) -> None:  # noqa: ANN401  # fields of the cloud
        fake = FakeCloud(FakeNova(hosts=HOSTS))
        fake.neutron.agents = dict.fromkeys(HOSTS, ("OVN Controller agent",))
        self.small = HttpCloud(fake, **fields)
        self.apis = OpenStackApis(self.small.connection)
        _, catalog = self.apis.log_in(within_s=5)
        assert isinstance(catalog, Catalog)
        self.catalog = catalog

    def at(self, kind: str) -> Endpoint:
        endpoint = self.catalog.endpoint((kind,))
        assert endpoint is not None
        return endpoint

    def first_hypervisor(self) -> str:
        found = self.apis.hypervisors(self.at("compute"), within_s=5)
        assert not isinstance(found, Failed)
        return found[0].id

    def beats(self, kind: str = "compute") -> Any:  # noqa: ANN401  # heartbeats, or why there are none
        return self.apis.heartbeats(self.at(kind), kind, within_s=5)


@pytest.mark.parametrize(("kind", "there"), [("compute", 6), ("network", 5), ("block-storage", 1)])
def test_heartbeats_are_read_to_the_end(kind: str, there: int) -> None:
    assert len(Look().beats(kind)) == there


def test_hypervisors_are_read_to_the_end() -> None:
    look = Look()

    found = look.apis.hypervisors(look.at("compute"), within_s=5)

    assert not isinstance(found, Failed)
    assert [one.name for one in found] == list(HOSTS)


@pytest.mark.parametrize("status", ["accepted", "pre-migrating", "done"])
def test_a_server_on_the_source_of_its_open_evacuation_is_named(status: str) -> None:
    look = Look()
    nova = look.small.cloud.nova
    here, gone = replace(a_server(name="db-01"), host=HOSTS[0]), a_server(name="db-02")
    nova.add(here, replace(gone, host=HOSTS[1]))
    nova.migrations += [
        Migration(
            id=number,
            uuid=an_id(f"record-{number}"),
            server=server,
            kind=kind,
            status=state,
            source=HOSTS[0],
            target=HOSTS[1],
        )
        for number, (server, kind, state) in enumerate(
            [
                (here.id, "evacuation", status),
                (here.id, "evacuation", "completed"),
                (here.id, "migration", status),
                (gone.id, "evacuation", status),
            ]
        )
    ]

    found = look.apis.on_source(look.at("compute"), within_s=5)

    told = LivesOnSource(server=here.id, name="db-01", host=HOSTS[0], record=0, status=status)
    assert found == (told,)


@pytest.mark.parametrize("status", [404, 500])
def test_a_page_that_fails_in_the_middle_is_a_failure_and_no_half_list(status: int) -> None:
    look = Look()
    look.small.instead["GET /agents"] = [None, Reply(status, {"NeutronError": {"message": "no"}})]

    assert isinstance(look.beats("network"), Failed)


def test_a_neutron_without_agents_has_none() -> None:
    look = Look()
    look.small.instead["GET /agents"] = [Reply(404, {"NeutronError": {"message": "no"}})]

    assert look.beats("network") == ()


def test_a_nova_without_its_list_of_services_is_no_empty_one() -> None:
    look = Look()
    look.small.instead["GET /os-services"] = [Reply(404, {"itemNotFound": {"message": "no"}})]

    assert isinstance(look.beats(), Failed)


@pytest.mark.parametrize("newest", ["2.79", "2.90", "2.100"])
def test_an_older_nova_is_looked_at(newest: str) -> None:
    """F14: the list and the heartbeats need none of 2.96."""
    look = Look(nova=newest)
    compute = look.at("compute")
    hypervisor = look.first_hypervisor()

    listed = look.apis.ask(compute, SERVERS, version="2.1", within_s=5)
    uptime = look.apis.uptime(compute, hypervisor, within_s=5)

    assert isinstance(listed, Answered)
    assert len(look.beats()) == 6
    assert uptime.outcome is Rpc.ANSWERED


def test_a_version_that_is_too_new_for_a_cloud_is_asked_at_its_newest() -> None:
    look = Look(nova="2.90")

    assert isinstance(
        look.apis.ask(look.at("compute"), SERVERS, version="2.96", within_s=5), Answered
    )
    assert look.small.versions[-2:] == ["2.96", "2.90"]


def test_a_refused_version_without_words_is_our_limit() -> None:
    look = Look()
    look.small.instead["GET /compute/v2.1/servers"] = [Reply(406, {"message": "no"})]

    answer = look.apis.ask(look.at("compute"), SERVERS, version="2.1", within_s=5)

    assert isinstance(answer, Failed)
    assert answer.how is Failure.TOO_OLD


def test_a_limited_rate_is_not_waited_for() -> None:
    look = Look()
    look.small.instead["GET /os-services"] = [Reply(429, {"m": "slow"}, {"Retry-After": "9"}), None]

    failed = look.beats()

    assert isinstance(failed, Failed)
    assert (failed.how, failed.status) == (Failure.ERROR, 429)


@pytest.mark.parametrize(
    "reply",
    [
        PAGE_OF_HTML,
        Reply(200, ""),
        Reply(200, "null"),
        Reply(200, []),
        Reply(200, {"services": {}}),
        Reply(200, {"services": [None]}),
        Reply(200, {"services": [{"binary": "nova-compute"}]}),
        Reply(200, {"services": [{"binary": 1, "host": "a", "state": "up", "status": "enabled"}]}),
        Reply(
            200, {"services": [{"binary": "x", "host": "a", "state": "so", "status": "enabled"}]}
        ),
    ],
)
def test_an_answer_that_makes_no_sense_is_not_understood(reply: Reply) -> None:
    look = Look()
    look.small.instead["GET /os-services"] = [reply]

    failed = look.beats()

    assert isinstance(failed, Failed)
    assert failed.how is Failure.NOT_UNDERSTOOD


def test_a_page_of_html_for_a_list_is_no_list() -> None:
    look = Look()
    look.small.instead["GET /compute/v2.1/servers"] = [PAGE_OF_HTML]

    answer = look.apis.ask(look.at("compute"), SERVERS, version="2.1", within_s=5)

    assert isinstance(answer, Failed)
    assert "Sign in Maintenance" in answer.says


def test_an_uptime_that_makes_no_sense_is_unknown() -> None:
    look = Look()
    compute = look.at("compute")
    hypervisor = look.first_hypervisor()
    look.small.instead[f"GET /os-hypervisors/{hypervisor}"] = [Reply(200, {"hypervisor": []})]

    assert look.apis.uptime(compute, hypervisor, within_s=5).outcome is Rpc.ODD


@pytest.mark.parametrize("body", ["<html>", "null", "[]", '{"token": []}', '{"token": {}}'])
def test_a_login_that_is_answered_with_nonsense_fails(body: str) -> None:
    small = HttpCloud()
    small.instead["POST /auth/tokens"] = [Reply(201, body, {"X-Subject-Token": "t"})]

    answer, catalog = OpenStackApis(small.connection).log_in(within_s=5)

    none = Catalog(endpoints=(), region="RegionOne", interfaces=("public",))
    assert isinstance(answer, Failed) or (catalog and replace(catalog, cloud="") == none)


def test_a_catalog_that_makes_no_sense_fails() -> None:
    small = HttpCloud()
    token = small.token() | {"catalog": [{"type": "compute", "endpoints": [{"url": 5}]}]}
    small.instead["POST /auth/tokens"] = [
        Reply(201, {"token": token}, {"X-Subject-Token": "t"}),
    ]

    answer, catalog = OpenStackApis(small.connection).log_in(within_s=5)

    assert isinstance(answer, Failed)
    assert (answer.how, catalog) == (Failure.NOT_UNDERSTOOD, None)


def test_the_hosts_of_a_cell_that_is_down_are_not_known() -> None:
    """F08: rows of three keys."""
    rows = [{"binary": "nova-compute", "host": "c90", "status": "UNKNOWN"}]
    look = Look(down_cells=rows)

    [lost] = [one for one in look.beats() if not one.is_known]

    assert (lost.binary, lost.host, lost.is_up) == ("nova-compute", "c90", False)


def test_a_host_that_another_cell_knows_is_not_repeated() -> None:
    rows = [{"binary": "nova-compute", "host": HOSTS[0], "status": "UNKNOWN"}]

    beats = Look(down_cells=rows).beats()

    assert [one.is_known for one in beats if one.host == HOSTS[0]] == [True]


# --- settings that name files which cannot be read (F12) ---


AUTH = (
    "auth: {auth_url: 'https://127.0.0.1:9/v3', username: u, password: p, project_name: p,\n"
    "      user_domain_name: Default, project_domain_name: Default}"
)


def a_ca(folder: Path) -> str:
    (folder / "ca.pem").write_text("this is no certificate")
    return str(folder / "ca.pem")


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param("cacert: /nowhere/ca.pem", id="no CA file"),
        pytest.param("cacert: {ca}", id="a CA file that is none"),
        pytest.param("cert: /nowhere/c.pem\n    key: /nowhere/k.pem", id="no client certificate"),
        pytest.param("cert: {ca}\n    key: /nowhere/k.pem", id="no key"),
        pytest.param("cert: {ca}\n    key: {ca}", id="a client certificate that is none"),
    ],
)
def test_a_file_of_the_settings_that_cannot_be_read_ends_a_plan_and_is_told_by_a_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str
) -> None:
    entry(tmp_path, monkeypatch, settings.format(ca=a_ca(tmp_path)))

    with pytest.raises(BadInput) as caught:
        connect("here")
    looked, catalog = connect_to_look("here").log_in(within_s=2)

    assert caught.value.message == "the settings of the cloud `here` cannot be used"
    assert re.search(r"/nowhere/\w+\.pem|ca\.pem", caught.value.says or "")
    assert isinstance(looked, Failed)
    assert (looked.how, looked.says, catalog) == (Failure.UNUSABLE, caught.value.says, None)
    assert "cacert" in (caught.value.hint or "")


def entry(folder: Path, monkeypatch: pytest.MonkeyPatch, settings: str, auth: str = AUTH) -> None:
    """Write the entry `here` of a clouds.yaml, with these settings beside its login."""
    clouds = folder / "clouds.yaml"
    clouds.write_text(f"clouds:\n  here:\n    {settings}\n    {auth}\n")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))


# Which settings end a check, for nobody knows which cloud is meant, and which are a finding.
@pytest.mark.parametrize(
    ("settings", "auth", "cloud"),
    [
        pytest.param(
            "region_name: R", "auth: {auth_url: 'x', username: u}", "there", id="no entry"
        ),
        pytest.param("region_name: [", AUTH, "here", id="a file that is no YAML"),
    ],
)
def test_a_cloud_that_is_not_found_is_the_operators_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, auth: str, cloud: str
) -> None:
    entry(tmp_path, monkeypatch, settings, auth)

    with pytest.raises(BadInput) as caught:
        connect_to_look(cloud).log_in(within_s=2)

    assert not isinstance(caught.value, UnusableSettings)


@pytest.mark.parametrize(
    "auth",
    [
        pytest.param("auth: {username: u, password: p, project_name: p}", id="no auth_url"),
        pytest.param("auth: {auth_url: 'https://127.0.0.1:9/v3'}", id="nobody's name"),
        pytest.param(
            "auth_type: v3nothing\n    auth: {auth_url: 'https://127.0.0.1:9/v3'}",
            id="a way to log in that nobody knows",
        ),
    ],
)
def test_a_login_that_misses_something_is_told_by_a_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auth: str
) -> None:
    entry(tmp_path, monkeypatch, "region_name: RegionOne", auth)
    apis = connect_to_look("here")

    looked, catalog = apis.log_in(within_s=2)

    assert isinstance(looked, Failed)
    assert (looked.how, catalog) == (Failure.UNUSABLE, None)
    assert looked.says
