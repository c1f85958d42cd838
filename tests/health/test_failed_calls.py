"""An API that cannot call a process over RPC says nothing of that process, but of itself."""

import pytest

from fakes.site import Site
from stackward.model.cloud_state import Rpc, RpcAnswer
from stackward.model.health import Gap, Health, Kept, State
from stackward.model.hypervisor import Hypervisor

POOLS, NFS = "/v3/scheduler-stats/get_pools?detail=true", "/v3/capabilities/ctl%40nfs"
DBERROR = RpcAnswer(outcome=Rpc.FAILED, why="500 Unexpected API Error: DBError", status=500)
LIMITED = RpcAnswer(outcome=Rpc.FAILED, why="429 slow down", status=429)
ODD = RpcAnswer(outcome=Rpc.ODD, why="the answer: <html>")


def found(health: Health) -> list[tuple[str, str, State]]:
    return [(one.rule, one.where, one.state) for one in health.findings]


def gaps(health: Health, name: str) -> list[Gap]:
    return [gap for gap in health.gaps if gap.component == name]


def state_of(health: Health, name: str) -> State:
    return next(one.state for one in health.components if one.name == name)


WORDS = [
    pytest.param(DBERROR, "call-failed", State.DEGRADED, id="it fails"),
    pytest.param(LIMITED, "rate-limited", State.DEGRADED, id="it is asked too often"),
    pytest.param(ODD, "api-answer-not-understood", State.UNKNOWN, id="it answers otherwise"),
]


@pytest.mark.parametrize(("answer", "rule", "state"), WORDS)
def test_a_nova_that_cannot_call_is_one_finding_of_nova_and_no_compute_is_deaf(
    answer: RpcAnswer, rule: str, state: State
) -> None:
    site = Site()
    site.apis.rpc = {"c01": answer, "c02": answer}

    health = site.look()

    assert found(health) == [(rule, "nova-api", state)]
    assert health.findings[0].evidence == tuple(
        f"nova-compute of `{host}`: {answer.why}" for host in ("c01", "c02")
    )
    assert {gap.kind for gap in gaps(health, "nova-compute")} == {Kept.SPARED}
    assert state_of(health, "nova-compute") is not State.OK


@pytest.mark.parametrize(("answer", "rule", "state"), WORDS)
def test_a_cinder_that_cannot_call_is_one_finding_of_cinder(
    answer: RpcAnswer, rule: str, state: State
) -> None:
    site = Site()
    site.apis.calls = dict.fromkeys((POOLS, NFS), answer)

    health = site.look()

    assert found(health) == [(rule, "cinder-api", state)]
    assert state_of(health, "cinder-volume") is not State.OK


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        pytest.param(Rpc.FORBIDDEN, Kept.RIGHTS, id="no administrator"),
        pytest.param(Rpc.NO_SUCH_CALL, Kept.NO_QUESTION, id="a driver without it"),
    ],
)
def test_a_nova_compute_that_may_not_be_called_is_a_gap(outcome: Rpc, kind: Kept) -> None:
    site = Site()
    site.apis.rpc = {host: RpcAnswer(outcome=outcome, why="403") for host in ("c01", "c02")}

    health = site.look()

    assert health.findings == ()
    assert {gap.kind for gap in gaps(health, "nova-compute")} == {kind}


@pytest.mark.parametrize(
    ("kind", "rules", "kept"),
    [
        pytest.param("QEMU", ["rpc-deaf"], [], id="libvirt always has an uptime"),
        pytest.param("KVM", ["rpc-deaf"], [], id="libvirt's other word"),
        pytest.param("VMware vCenter Server", [], [Kept.NO_QUESTION], id="VMware never has one"),
        pytest.param("fake", [], [Kept.NO_QUESTION], id="a driver of a test"),
    ],
)
def test_no_uptime_is_deafness_only_where_the_driver_has_one(
    kind: str, rules: list[str], kept: list[Kept]
) -> None:
    site = Site()
    site.apis.of_computes = [
        Hypervisor(id="id-c01", name="c01", host="c01", kind=kind),
        Hypervisor(id="id-c02", name="c02", host="c02", kind="QEMU"),
    ]
    site.apis.rpc = {"c01": RpcAnswer(outcome=Rpc.EMPTY)}

    health = site.look()

    assert [one.rule for one in health.findings] == rules
    assert [gap.kind for gap in gaps(health, "nova-compute")] == kept


def test_a_compute_of_another_driver_that_does_not_answer_is_deaf() -> None:
    site = Site()
    site.apis.of_computes = [
        Hypervisor(id="id-c01", name="c01", host="c01", kind="VMware vCenter Server"),
        Hypervisor(id="id-c02", name="c02", host="c02", kind="QEMU"),
    ]
    site.apis.rpc = {"c01": RpcAnswer(outcome=Rpc.SILENT, took_s=5.0)}

    assert found(site.look()) == [("rpc-deaf", "nova-compute on c01", State.BROKEN)]
