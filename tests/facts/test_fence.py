"""What is read of a node to fence: all at the same time, for a dead one answers nothing."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from dying import NODE
from operations.test_killed import with_one_that_died
from stackward.adapters.together import Threads
from stackward.errors import Refused, Unreachable
from stackward.facts.fence import read_fence_beside
from stackward.model.identity import Itself
from stackward.model.witness import Sign
from stackward.requests.fence_compute_node import FenceRequest

ASKED = FenceRequest(node=NODE)
TOGETHER_S = 60.0  # a guard: what goes on together meets at once


def test_a_silent_node_is_asked_in_all_ways_at_the_same_time(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)
    known = replace(site.world(), together=Threads())
    # Its names, its unit, its guests, the two who call it, and the rest of the cloud.
    all_of_them = Barrier(6, timeout=TOGETHER_S)
    call = known.shell.run

    def named(node: str, /, *, within_s: float | None = None) -> None:  # noqa: ARG001  # the port's
        assert node == NODE
        all_of_them.wait()

    def called(node: str, command: Sequence[str], /, **more: Any) -> Any:  # noqa: ANN401  # the port's
        if node == NODE:
            all_of_them.wait()
            raise Unreachable(f"cannot log in to `{node}`")
        if NODE in str(command):
            all_of_them.wait()
        return call(node, command, **more)

    known.shell.run = called  # type: ignore[method-assign]  # the fake's
    known.shell.itself = named  # type: ignore[method-assign]  # same

    fence, rest = read_fence_beside(
        known, site.journal, ASKED, None, lambda name: (name, all_of_them.wait())
    )

    assert rest[0] == NODE
    assert (fence.signs.ssh, fence.signs.libvirt) == (Sign.NO, Sign.NO)
    site.close()


def test_a_node_that_is_another_host_is_refused_whatever_else_it_answers(tmp_path: Path) -> None:
    site = with_one_that_died(tmp_path)
    site.shell.silent.clear()
    site.shell.says[NODE] = Itself(names=("compute-08",))

    with pytest.raises(Refused, match="says that it is `compute-08`"):
        read_fence_beside(site.world(), site.journal, ASKED, None, lambda name: name)
    site.close()
