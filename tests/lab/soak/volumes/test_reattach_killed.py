"""A repair of volumes whose worker dies at each of its writes and requests: done once, proved.

Of one volume a detach was lost, and Cinder has it on another node; of the other only Cinder knows.
The worker kills itself (see killed_drain.py), and each that resumes the run does too, until a plain
`run resume` ends it. That nothing was done twice is told by Nova's own log of the server, and by
what the API of Cinder has logged.
"""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.deaths import kill_in_turn, writes_of
from lab.drains import Drains
from lab.evacuations import asked_of
from lab.soak.volumes.test_volumes import AGED, ELSEWHERE, READY, listed
from real_lab import RealLab
from stackward.lab.load import attach_volume, wait_volume

NAME = "reattach-killed"
ATTACHMENTS = "3.54"  # the microversion of Cinder's at which an attachment is made
REATTACHED = (
    "after take_up",
    *writes_of("roll-back-detaching", "roll_detaching"),
    "before found_done await-prompt",
    *writes_of("detach-volume", "detach_volume"),
    *writes_of("attach-volume", "attach_volume"),
    "before end",
)
REMOVED = ("after take_up", *writes_of("remove-attachment", "remove_attachment"), "before end")
# A line for each request that came from this machine, not from a node; uwsgi writes it at its end.
REQUESTS = "cat /var/log/cinder/cinder-api.log* | grep -c '] {gateway} () .*{request} ' || true"


@pytest.fixture(autouse=True)
def _ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKWARD_LOGIN_PATTERN", READY)


@pytest.fixture(scope="module")
def server(lab: RealLab) -> Iterator[str]:
    """Given a server that runs."""
    with Drains(lab, Path()).running(NAME) as made:
        yield made


@pytest.fixture
def half_detached(lab: RealLab, server: str) -> Iterator[str]:
    """Given a volume of it that Cinder has on another node, and whose detach was lost."""
    volume = str(attach_volume(lab.cloud, lab.server(server)).id)
    other = lab.spec.compute_nodes[1].name
    ask(lab, f"/volumes/{volume}/action", {"os-begin_detaching": {}})
    lab.on("ctl", ELSEWHERE.format(volume=volume, host=other))
    yield volume
    lab.cloud.compute.delete_volume_attachment(server, volume)
    wait_volume(lab.cloud, volume, "available")
    lab.cloud.block_storage.delete_volume(volume)


@pytest.fixture
def reserved(lab: RealLab, server: str) -> Iterator[str]:
    """Given a volume that Cinder keeps for it, and of which Nova does not know."""
    volume = str(lab.cloud.block_storage.create_volume(name=NAME, size=1).id)
    wait_volume(lab.cloud, volume, "available")
    wanted = {"volume_uuid": volume, "instance_uuid": server}
    ask(lab, "/attachments", {"attachment": wanted})
    wait_volume(lab.cloud, volume, "reserved")
    lab.on("ctl", AGED.format(volume=volume))
    yield volume
    wait_volume(lab.cloud, volume, "available")
    lab.cloud.block_storage.delete_volume(volume)


def ask(lab: RealLab, path: str, body: dict[str, Any]) -> None:
    """Change something at Cinder."""
    answer = lab.cloud.block_storage.post(path, json=body, microversion=ATTACHMENTS)
    assert answer.ok, answer.text


def planned(drains: Drains, server: str, volume: str) -> Path:
    """Plan the repair of one volume; return where the plan is kept."""
    place = drains.folder / "reattach.json"
    asked = ("volume", "reattach", server, volume, "--dry-run", "--plan-out", str(place))
    ended = drains.call(*asked)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return place


def asked_cinder(lab: RealLab, request: str) -> int:
    """Return how often a request was sent to Cinder, but for those of Nova."""
    return int(lab.on("ctl", REQUESTS.format(gateway=lab.spec.gateway, request=request)))


def test_a_reattach_that_died_at_each_write_and_request_asks_once_for_each_thing(
    lab: RealLab, drains: Drains, server: str, half_detached: str
) -> None:
    before, plan = asked_of(lab, server), planned(drains, server, half_detached)
    acts = f"POST /v3/volumes/{half_detached}/action"
    acted = asked_cinder(lab, acts)

    deaths = kill_in_turn(drains, plan, REATTACHED)
    ended = drains.resume()

    assert deaths == dict.fromkeys(REATTACHED, -signal.SIGKILL)
    assert (ended.code, drains.run["State"]) == (0, "succeeded"), ended.said
    assert asked_of(lab, server)[len(before) :] == ["detach_volume", "attach_volume"]
    assert asked_cinder(lab, acts) == acted + 1
    code, rows = listed(drains, server)
    assert (code, [row["agree"] for row in rows]) == (0, [True])
    assert rows[0]["libvirt"]["device"] == "vdb"


def test_a_removal_that_died_at_each_write_and_request_asks_once(
    lab: RealLab, drains: Drains, server: str, reserved: str
) -> None:
    before, plan = asked_of(lab, server), planned(drains, server, reserved)
    [attachment] = lab.cloud.block_storage.attachments(volume_id=reserved)

    deaths = kill_in_turn(drains, plan, REMOVED)
    ended = drains.resume()

    assert deaths == dict.fromkeys(REMOVED, -signal.SIGKILL)
    assert (ended.code, drains.run["State"]) == (0, "succeeded"), ended.said
    assert asked_cinder(lab, f"DELETE /v3/attachments/{attachment.id}") == 1
    assert asked_of(lab, server) == before
    assert listed(drains, server) == (0, [])
