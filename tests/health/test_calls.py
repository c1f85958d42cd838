"""Cinder's services answer calls of their API, which need no setting and no login on a node."""

import pytest

from fakes.apis import beat, no_answer
from fakes.site import Site
from stackward.facts.cloud_state import CheckRequest
from stackward.health.looking import check_cloud
from stackward.model.cloud_state import Rpc, RpcAnswer
from stackward.model.health import Finding, Health, Kept, State

POOLS = "/v3/scheduler-stats/get_pools?detail=true"
NFS = "/v3/capabilities/ctl%40nfs"
SILENT = RpcAnswer(outcome=Rpc.SILENT, took_s=5.0)
PING_SILENT = {"outcome": "silent", "took_s": 5.0}


def deaf(health: Health) -> list[tuple[str, str | None]]:
    return [(one.component, one.node) for one in health.findings if one.rule == "rpc-deaf"]


def only(health: Health) -> Finding:
    [finding] = health.findings
    return finding


def without_queues(site: Site) -> None:
    """Let RabbitMQ tell of no queue: those of these tests are not among the recorded ones."""
    commands = site.told("ctl")["commands"]
    for name in [each for each in commands if each.startswith("rabbitmq ")]:
        commands[name] = {"code": None, "out": "", "err": "no answer in time"}


def state_of(health: Health, name: str) -> State:
    return next(one.state for one in health.components if one.name == name)


@pytest.mark.parametrize(
    ("path", "component"),
    [
        pytest.param(POOLS, "cinder-scheduler", id="a scheduler that is frozen"),
        pytest.param(NFS, "cinder-volume", id="a volume service that is frozen"),
    ],
)
def test_who_does_not_answer_its_api_is_found(path: str, component: str) -> None:
    site = Site()
    site.apis.calls[path] = SILENT

    finding = only(site.look())

    assert (finding.rule, finding.component, finding.node) == ("rpc-deaf", component, "ctl")
    assert "its API had no answer within 5 s" in finding.reason


@pytest.mark.parametrize("component", ["cinder-scheduler", "cinder-volume"])
def test_who_answers_its_api_is_proved_without_a_ping(component: str) -> None:
    health = Site().look()

    assert state_of(health, component) is State.OK
    shown = {one.name: one.proof for one in health.components}
    assert shown[component] == "1 of 1 answer over RPC, within 0.50 s"


def test_who_is_deaf_to_both_is_one_finding() -> None:
    site = Site()
    site.apis.calls[NFS] = SILENT
    site.nodes.pings["cinder-volume.ctl@nfs"] = PING_SILENT

    assert deaf(site.look()) == [("cinder-volume", "ctl")]


def test_each_backend_of_a_node_is_called() -> None:
    site = Site()
    without_queues(site)
    site.apis.reports["block-storage"] += [beat("cinder-volume", "ctl@ceph")]  # type: ignore[operator]
    site.apis.calls["/v3/capabilities/ctl%40ceph"] = SILENT

    health = site.look()

    assert ("cinder-volume", "ctl") in deaf(health)
    assert site.apis.called_by_api == [POOLS, NFS, "/v3/capabilities/ctl%40ceph"]


def with_schedulers(site: Site) -> None:
    without_queues(site)
    site.apis.reports["block-storage"] += [  # type: ignore[operator]
        beat("cinder-scheduler", "c01"),
        beat("cinder-scheduler", "c02"),
    ]


def test_of_several_schedulers_an_answer_proves_none() -> None:
    site = Site()
    with_schedulers(site)

    health = site.look()

    assert site.apis.called_by_api.count(POOLS) == 1
    whys = {gap.why for gap in health.not_proved if gap.component == "cinder-scheduler"}
    assert "one of 3 that share a queue has answered, and not which" in whys


def test_of_several_schedulers_one_that_does_not_answer_is_found_without_its_node() -> None:
    site = Site()
    with_schedulers(site)
    site.apis.calls[POOLS] = SILENT

    assert ("cinder-scheduler", None) in deaf(site.look())


def test_members_of_a_cluster_share_a_queue_and_are_called_once() -> None:
    site = Site()
    without_queues(site)
    site.apis.reports["block-storage"] = [
        beat("cinder-volume", "ctl@nfs", cluster="all@nfs"),
        beat("cinder-volume", "c01@nfs", cluster="all@nfs"),
    ]

    site.look()

    assert site.apis.called_by_api == [NFS]


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        pytest.param(Rpc.FORBIDDEN, Kept.RIGHTS, id="no administrator"),
        pytest.param(Rpc.NO_SUCH_CALL, Kept.NO_QUESTION, id="an older Cinder"),
    ],
)
def test_what_may_not_be_called_is_no_finding(outcome: Rpc, kind: Kept) -> None:
    site = Site()
    site.apis.calls = {path: RpcAnswer(outcome=outcome) for path in (POOLS, NFS)}

    health = site.look()

    assert health.findings == ()
    what = "whether cinder-volume answers its API"
    assert {gap.kind for gap in health.gaps if gap.what == what} == {kind}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"is_up": False}, id="it does not report"),
        pytest.param({"is_up": True, "is_enabled": False, "reason": "disk swap"}, id="off by hand"),
    ],
)
def test_who_is_known_to_be_away_is_not_called(change: dict[str, object]) -> None:
    site = Site()
    site.stop("ctl", "cinder-volume.service")
    site.silence("cinder-volume", "ctl", **change)

    site.look()

    assert NFS not in site.apis.called_by_api


def test_who_is_disabled_and_runs_is_called() -> None:
    site = Site()
    site.silence("cinder-volume", "ctl", is_up=True, is_enabled=False, reason="no new volumes")

    site.look()

    assert NFS in site.apis.called_by_api


def test_without_rabbitmq_nobody_is_called() -> None:
    site = Site()
    site.stop("ctl", "rabbitmq-server.service")

    health = site.look()

    assert site.apis.called_by_api == []
    assert deaf(health) == []


def test_where_calls_are_switched_off_nobody_is_called() -> None:
    site = Site()

    check_cloud(site.probes(), CheckRequest(rpc=False))

    assert site.apis.called_by_api == []


def test_a_call_that_still_hangs_since_the_last_look_is_not_repeated() -> None:
    """It holds a worker of cinder-api for a minute."""
    site = Site()
    site.apis.calls[POOLS] = SILENT
    _, before = check_cloud(site.probes(), CheckRequest())
    site.apis.called_by_api.clear()

    health, _ = check_cloud(site.probes(), CheckRequest(), before)

    assert site.apis.called_by_api == [NFS]
    assert deaf(health) == [("cinder-scheduler", "ctl")]


def test_after_a_minute_it_is_called_again() -> None:
    site = Site()
    site.apis.calls[POOLS] = SILENT
    _, before = check_cloud(site.probes(), CheckRequest())
    site.apis.called_by_api.clear()
    site.clock.wait(61)

    check_cloud(site.probes(), CheckRequest(), before)

    assert site.apis.called_by_api == [POOLS, NFS]


def test_the_second_silent_call_is_the_last() -> None:
    site = Site()
    without_queues(site)
    names = [f"ctl@b{number}" for number in range(5)]
    site.apis.reports["block-storage"] = [beat("cinder-volume", name) for name in names]
    paths = [f"/v3/capabilities/ctl%40b{number}" for number in range(5)]
    site.apis.calls = dict.fromkeys(paths, SILENT)

    site.look()

    assert site.apis.called_by_api == paths[:2]


def test_an_api_whose_last_worker_is_held_makes_nobody_else_look_deaf() -> None:
    """One worker of cinder-api, and a scheduler that is frozen: cinder-volume was not asked."""
    site = Site()
    site.apis.calls = {POOLS: SILENT, NFS: SILENT}
    doors = [one.url for one in site.apis.endpoints if one.kind == "volumev3"]
    site.apis.doors = dict.fromkeys(doors, no_answer("read timed out"))

    health = site.look()

    assert site.apis.called_by_api == [POOLS]
    assert deaf(health) == [("cinder-scheduler", "ctl")]
