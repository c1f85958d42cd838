"""A server whose guest is waited for is judged again before its first volume is detached."""

from dataclasses import replace
from pathlib import Path

from builders import a_server, an_id
from dying import NODE, Site
from fakes.cloud import FakeCloud
from killing import Fate
from stackward.model.run import RunState
from stackward.model.volume import Volume
from stackward.requests.reattach_volumes import ReattachRequest

DB, VOLUME = an_id("db-01"), an_id("volume")
BOOTS, PROMPT = "Linux version 6.12\n", "\ndb-01 login: "


def test_what_others_have_repaired_during_the_wait_is_not_detached(tmp_path: Path) -> None:
    cloud = FakeCloud()
    cloud.nova.add(replace(a_server(), volume_ids=(VOLUME,)))
    cloud.nova.consoles[DB] = BOOTS
    cloud.cinder.volumes = {VOLUME: Volume(id=VOLUME)}
    cloud.cinder.hosts[VOLUME] = "compute-08"
    site = Site(tmp_path, cloud)
    site.shell.serials[DB] = (VOLUME,)
    run = site.approved(ReattachRequest(server="db-01"))

    def repaired_by_others() -> None:
        cloud.cinder.hosts.clear()
        cloud.nova.consoles[DB] = BOOTS + PROMPT

    site.clock.on_wait.append(repaired_by_others)

    ended = site.carry_out(run, Fate())

    assert (ended.state, site.asked, site.attached) == (RunState.STOPPED, {}, {VOLUME: [NODE]})
    assert "may not move now" in (ended.ending.reason or "")
    site.close()
