"""Calls over RPC: what was not put is no silence."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

import pytest
from typing_extensions import override

from fakes.apis import FakeApis
from fakes.site import Site
from stackward.adapters.clock import SystemClock
from stackward.adapters.together import Threads
from stackward.facts.calls import call_by_apis
from stackward.facts.rpc import STILL_HANGS, ask_rpc
from stackward.model.cloud_state import CallTarget, Rpc, RpcAnswer
from stackward.ports.deadline import Deadline
from stackward.ports.probes import Probes

TARGET = CallTarget(queue="c01", kinds=("compute",), path="/pools", answer="pools")


class Deaf(FakeApis):
    """APIs whose calls over RPC hang until the test is over."""

    over = threading.Event()

    @override
    def call(self, *_: object, **__: object) -> RpcAnswer:
        self.over.wait(60)
        return RpcAnswer(outcome=Rpc.ANSWERED)

    uptime = call


@pytest.fixture
def probes() -> Iterator[Probes]:
    Deaf.over = threading.Event()
    yield replace(Site(apis=Deaf()).probes(), together=Threads(), clock=SystemClock())
    Deaf.over.set()


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(partial(ask_rpc, hypervisors={"c01": "id-c01"}), id="by Nova"),
        pytest.param(partial(call_by_apis, targets=[TARGET]), id="by another API"),
    ],
)
def test_a_call_that_still_hangs_from_an_earlier_look_is_not_put_and_not_silent(
    probes: Probes, ask: Callable[..., Mapping[str, RpcAnswer]]
) -> None:
    _, catalog = probes.apis.log_in(within_s=1)
    end = Deadline.after(probes.clock, 60)
    look = partial(ask, probes, catalog, deadline=end, within_s=0.1)

    first, second = look(), look()

    assert first["c01"].outcome is Rpc.SILENT
    assert second["c01"] == RpcAnswer(outcome=Rpc.NOT_ASKED, why=STILL_HANGS)
