"""Each process that serves over HTTP is asked where it listens itself, and judged by its answer."""

from typing import Any

import pytest

from fakes.apis import no_answer
from fakes.site import Site
from stackward.health.web import Came, came
from stackward.model.cloud_state import NO_TIME, Answered, Failed, Failure
from stackward.model.health import Finding, Health, Kept, State
from stackward.model.survey import WebReply

APIS = ["keystone", "glance-api", "placement-api", "nova-api", "neutron-api", "cinder-api"]
SILENT: dict[str, object] = {"error": "no answer in time"}
BARE_500 = Failed(how=Failure.ERROR, says="Internal Server Error", status=500)


def answer(status: int, **more: Any) -> dict[str, object]:  # noqa: ANN401  # its fields
    return {"status": status, "is_own": True, "has_request_id": False, "says": "", **more}


def answers(site: Site, name: str, given: dict[str, object]) -> None:
    """Let a component on `ctl` answer otherwise, wherever it is asked."""
    found = [one for one in site.told("ctl")["web"] if one["name"] == name]
    assert found
    for one in found:
        one["came"] = given


def place(site: Site, name: str, address: str, given: dict[str, object]) -> None:
    """Let a component on `ctl` be asked at one more place."""
    web = site.told("ctl")["web"]
    like = next(one for one in web if one["name"] == name)
    web.append({**like, "address": address, "came": given})


def roots(health: Health) -> list[tuple[str, str, State]]:
    return [(one.rule, one.where, one.state) for one in health.findings if one.under is None]


def only(health: Health) -> Finding:
    [finding] = health.findings
    return finding


def reply(path: str, status: int | None, **more: Any) -> WebReply:  # noqa: ANN401  # its fields
    return WebReply(place="127.0.0.1:80", path=path, status=status, **more)


@pytest.mark.parametrize("name", APIS)
def test_an_api_that_is_frozen_on_its_node_is_found_whatever_the_load_balancer_says(
    name: str,
) -> None:
    site = Site()
    answers(site, name, SILENT)

    finding = only(site.look())

    assert (finding.rule, finding.where) == ("process-silent", f"{name} on ctl")
    assert finding.evidence[0].startswith("`GET http://127.0.0.1:")


@pytest.mark.parametrize("name", ["glance-api", "neutron-api", "nova-api"])
def test_of_an_api_that_is_frozen_everywhere_there_is_one_finding(name: str) -> None:
    site = Site()
    answers(site, name, SILENT)
    kind = {"glance-api": "image", "neutron-api": "network", "nova-api": "compute"}[name]
    site.apis.lists[kind] = no_answer("read timed out")
    for one in site.apis.endpoints:
        if one.kind == kind:
            site.apis.doors[one.url] = no_answer("read timed out")

    assert roots(site.look()) == [("process-silent", f"{name} on ctl", State.BROKEN)]


def test_of_a_keystone_that_is_frozen_there_is_one_finding() -> None:
    site = Site()
    answers(site, "keystone", SILENT)
    site.apis.login = no_answer("read timed out")

    assert roots(site.look()) == [("process-silent", "keystone on ctl", State.BROKEN)]


def test_an_api_that_answers_where_it_listens_and_not_at_its_endpoint_is_still_found() -> None:
    """What stands between them is the fault, and the process shows nothing of it."""
    site = Site()
    site.apis.lists["image"] = no_answer("read timed out")

    assert ("list-unanswered", "glance-api", State.BROKEN) in roots(site.look())


def test_an_application_that_did_not_load_is_found_with_its_own_remedy() -> None:
    """Seen: glance-api started while its database was away, and answered 500 for ever after."""
    site = Site()
    answers(site, "glance-api", answer(500, says="Internal Server Error"))
    site.apis.lists["image"] = BARE_500
    site.apis.doors["http://10.77.1.10:9292"] = BARE_500

    finding = only(site.look())

    assert (finding.rule, finding.where) == ("application-not-loaded", "glance-api on ctl")
    assert "`systemctl restart glance-api`" in finding.remedy
    assert "password" not in finding.remedy


def test_an_api_that_fails_for_its_database_is_not_told_to_be_restarted() -> None:
    site = Site()
    failed = Failed(how=Failure.ERROR, says="DBConnectionError", status=500, request_id="req-1")
    site.apis.lists["image"] = failed

    assert roots(site.look()) == [("list-failed", "glance-api", State.BROKEN)]


def test_a_list_that_an_application_fails_itself_is_told_beside_another_that_did_not_load() -> None:
    site = Site()
    answers(site, "glance-api", answer(500))
    site.apis.lists["image"] = Failed(
        how=Failure.ERROR, says="DBConnectionError", status=500, request_id="req-1"
    )

    rules = {rule for rule, _, _ in roots(site.look())}

    assert rules == {"application-not-loaded", "list-failed"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param(answer(500, has_request_id=True, says="oops"), "500 oops", id="it failed"),
        pytest.param(answer(503, says="Service Unavailable"), "503", id="nothing is behind it"),
    ],
)
def test_what_answers_that_it_failed_is_found(given: dict[str, object], says: str) -> None:
    site = Site()
    answers(site, "placement-api", given)

    finding = only(site.look())

    assert (finding.rule, finding.where) == ("process-ill", "placement-api on ctl")
    assert says in finding.reason


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"error": NO_TIME}, id="no time was left for it"),
        pytest.param({"error": "Connection refused"}, id="it listens there no longer"),
        pytest.param(
            {"error": "it closes the connection without an answer"}, id="it asks for more"
        ),
    ],
)
def test_what_was_not_heard_is_no_finding(given: dict[str, object]) -> None:
    site = Site()
    answers(site, "placement-api", given)

    assert site.look().findings == ()


def test_a_process_that_does_not_run_or_has_just_started_is_not_blamed() -> None:
    site = Site()
    site.stop("ctl", "glance-api.service")
    answers(site, "glance-api", SILENT)

    assert [one for one in roots(site.look()) if one[0] == "process-silent"] == []


def test_one_of_several_places_that_is_silent_is_found() -> None:
    site = Site()
    place(site, "nova-api", "10.0.0.2", SILENT)

    finding = only(site.look())

    assert finding.rule == "process-silent"
    assert finding.evidence == ("`GET http://10.0.0.2:8774/`: no answer in time",)


def without_root(site: Site) -> None:
    sockets = site.told("ctl")["sockets"]
    sockets["refused"] = "sudo: a password is required"
    site.told("ctl")["is_root"] = False


def haproxy(site: Site) -> None:
    units = site.told("ctl")["commands"]["units"]
    units["out"] += (
        "\n\nId=haproxy.service\nLoadState=loaded\nActiveState=active\nSubState=running\n"
        "UnitFileState=enabled\nActiveEnterTimestampMonotonic=1000000\n"
    )


def test_a_load_balancer_that_answers_503_is_not_taken_for_the_process_behind_it() -> None:
    site = Site()
    without_root(site)
    haproxy(site)
    place(site, "nova-api", "10.0.0.1", answer(503, says="No server is available"))

    assert "process-ill" not in {rule for rule, _, _ in roots(site.look())}


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        pytest.param(
            [reply("/horizon/", 302, is_own=True), reply("/", 200)], Came.PROVED, id="at its path"
        ),
        pytest.param(
            [reply("/horizon/", 404), reply("/", 302, is_own=True)], Came.PROVED, id="at the root"
        ),
        pytest.param(
            [reply("/horizon/", 404), reply("/", 200)], Came.FOREIGN, id="another site, not it"
        ),
        pytest.param(
            [reply("/horizon/", 404), reply("/", 500)], Came.FOREIGN, id="another site that failed"
        ),
        pytest.param(
            [reply("/horizon/", 500), reply("/", 200)], Came.NOT_LOADED, id="it did not load"
        ),
        pytest.param(
            [reply("/horizon/", None, is_silent=True), reply("/", 200), reply("*", 200)],
            Came.WAITING,
            id="it waits behind a server that answers",
        ),
        pytest.param(
            [reply("/horizon/", None, is_silent=True), reply("*", None, is_silent=True)],
            Came.SILENT,
            id="the server is silent, too",
        ),
        pytest.param(
            [reply("/", 503, is_own=True, says="DISABLED BY FILE")],
            Came.PROVED,
            id="taken out by hand: it answers",
        ),
        pytest.param([reply("/", 401, is_own=True)], Came.PROVED, id="it asks for a login"),
        pytest.param([reply("/", None, says="reset")], Came.UNHEARD, id="no answer"),
    ],
)
def test_what_an_answer_is_worth(replies: list[WebReply], expected: Came) -> None:
    assert came(replies) is expected


def test_an_application_behind_a_web_server_that_answers_is_told_apart() -> None:
    """The first request after a start loads it, and takes seconds."""
    site = Site()
    answers(site, "keystone", SILENT)
    server = {**site.told("ctl")["web"][0], "path": "*", "came": answer(200)}
    site.told("ctl")["web"].append(server)

    finding = only(site.look())

    assert (finding.rule, finding.state) == ("application-silent", State.DEGRADED)


def test_a_process_with_only_a_port_is_proved_by_its_answer() -> None:
    site = Site()
    units = site.told("ctl")["commands"]["units"]
    units["out"] += (
        "\n\nId=nova-novncproxy.service\nLoadState=loaded\nActiveState=active\nSubState=running\n"
        "UnitFileState=enabled\nActiveEnterTimestampMonotonic=1000000\n"
    )
    like = site.told("ctl")["web"][0]
    site.told("ctl")["web"].append({**like, "name": "nova-novncproxy", "came": answer(404)})

    shown = {one.name: one.proof for one in site.look().components}

    assert shown["nova-novncproxy"] == "1 of 1 answer over HTTP"


@pytest.mark.parametrize("kind", ["compute", "network", "block-storage"])
def test_a_list_of_services_that_is_not_answered_is_found(kind: str) -> None:
    """Seen: "no answer within 8 s" stood in the notes only."""
    name = {"compute": "nova-api", "network": "neutron-api", "block-storage": "cinder-api"}[kind]
    site = Site()
    site.apis.reports[kind] = no_answer("no answer within 8 s")

    found = [one for one in site.look().findings if one.component == name]

    assert [one.rule for one in found] == ["list-unanswered"]
    assert "the list of its services was not answered" in found[0].reason


def test_a_list_of_hypervisors_that_is_not_answered_is_found() -> None:
    site = Site()
    site.apis.of_computes = no_answer("no answer within 8 s")

    found = [one for one in site.look().findings if one.component == "nova-api"]

    assert [one.rule for one in found] == ["list-unanswered"]
    assert "the list of its hypervisors was not answered" in found[0].reason


def test_of_an_api_that_answers_nothing_one_list_is_told() -> None:
    site = Site()
    site.apis.lists["compute"] = no_answer("no answer within 8 s")
    site.apis.reports["compute"] = no_answer("no answer within 8 s")
    site.apis.of_computes = no_answer("no answer within 8 s")

    found = [one for one in site.look().findings if one.component == "nova-api"]

    assert [one.rule for one in found] == ["list-unanswered"]
    assert "server list" in found[0].reason


def test_a_healthy_answer_is_no_finding() -> None:
    site = Site()

    assert site.look().findings == ()
    assert isinstance(site.apis.login, Answered)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(SILENT, id="silent"),
        pytest.param(answer(500), id="not loaded"),
        pytest.param(answer(503), id="failed"),
        pytest.param(answer(404, is_own=False), id="another site"),
        pytest.param(answer(200), id="well"),
    ],
)
def test_who_does_not_see_owners_beside_a_balancer_accuses_and_proves_nobody(
    given: dict[str, object],
) -> None:
    """The fault of another node was pinned on this one, and HAProxy proved a process here."""
    site = Site()
    without_root(site)
    haproxy(site)
    answers(site, "nova-api", given)
    place(site, "nova-api", "10.0.0.1", given)

    health = site.look()

    assert [one for one in health.findings if one.where == "nova-api on ctl"] == []
    shown = {one.name: one.proof for one in health.components}
    assert "over HTTP" not in shown["nova-api"]


def test_what_only_root_can_tell_from_a_balancer_is_a_missing_right() -> None:
    site = Site()
    without_root(site)
    haproxy(site)
    units = site.told("ctl")["commands"]["units"]
    units["out"] += units["out"][units["out"].rindex("\n\nId=haproxy") :].replace(
        "haproxy", "nova-novncproxy"
    )
    like = site.told("ctl")["web"][0]
    site.told("ctl")["web"].append({**like, "name": "nova-novncproxy", "came": SILENT})

    health = site.look()

    [gap] = [one for one in health.gaps if one.component == "nova-novncproxy"]
    assert (gap.kind, "sudoers" in gap.cure) == (Kept.RIGHTS, True)


def test_a_silence_that_may_be_another_nodes_explains_no_api_that_fails() -> None:
    site = Site()
    without_root(site)
    haproxy(site)
    answers(site, "glance-api", SILENT)
    site.apis.lists["image"] = no_answer("read timed out")

    assert ("list-unanswered", "glance-api", State.BROKEN) in roots(site.look())
