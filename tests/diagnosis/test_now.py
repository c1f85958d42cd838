"""What a look found broken, put in order and joined with what logs have."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from fakes.site import Site
from stackward.anatomy import read_anatomy
from stackward.diagnosis.asked import Asked
from stackward.diagnosis.cause import Cause, Diagnosis
from stackward.diagnosis.now import Beside, beside
from stackward.diagnosis.unit_lives import Change, Life
from stackward.logs.event import Event, Level
from stackward.model.changes import Changed, Changes
from stackward.model.sureness import Sureness

NOTHING = Diagnosis(
    causes=(), noticed=(), consequences=(), ruled_out=(), well=(), unknown=(), is_grave=False,
    events=0,
)  # fmt: skip


@pytest.fixture
def site() -> Site:
    return Site()


def end(site: Site, component: str, node: str, before_s: float) -> Change:
    at = site.clock.now() - timedelta(seconds=before_s)
    event = Event(
        at=at, node=node, component=component, file="journal", offset=0, format="journal:20",
        level=Level.INFO, message=f"{component}.service: Deactivated successfully.",
    )  # fmt: skip
    return Change(
        unit=f"{component}.service", component=component, node=node, life=Life.ENDED, event=event
    )


def logged(component: str, node: str | None, at: datetime, **more: str) -> Cause:
    return Cause(
        component=component, node=node, place=None, exception=None, at=at, until=at,
        sureness=Sureness.POSSIBLE, says=f"{component} warned", because=(), raises="", chain=(),
        evidence=(), accuses=more.get("accuses"),
    )  # fmt: skip


def joined(
    site: Site,
    *ends: Change,
    causes: Sequence[Cause] = (),
    changed: dict[str, Changes] | None = None,
    asked: Asked = Asked.NOW,
) -> Diagnosis:
    found = Diagnosis(
        **{**{each: getattr(NOTHING, each) for each in NOTHING.__slots__}, "causes": causes}
    )
    told = Beside(
        health=site.look(),
        anatomy=read_anatomy(),
        asked=asked,
        ends={(one.component, one.node): one for one in ends},
        changed=changed or {},
    )
    return beside(found, told)


def names(found: Diagnosis) -> list[tuple[str, str | None]]:
    return [(one.component, one.node) for one in found.causes]


def two_stopped(site: Site) -> None:
    site.stop("ctl", "memcached.service")
    site.stop("c01", "nova-compute.service")
    site.silence("nova-compute", "c01")


@pytest.mark.parametrize(
    ("cache_s", "compute_s", "first"), [(60, 30, "memcached"), (30, 60, "nova-compute")]
)
def test_what_ended_first_is_first(
    site: Site, cache_s: float, compute_s: float, first: str
) -> None:
    two_stopped(site)
    ends = end(site, "memcached", "ctl", cache_s), end(site, "nova-compute", "c01", compute_s)

    assert names(joined(site, *ends))[0][0] == first


def test_where_clocks_cannot_tell_what_was_changed_before_is_first(site: Site) -> None:
    two_stopped(site)
    ends = end(site, "memcached", "ctl", 60.1), end(site, "nova-compute", "c01", 60)
    at = site.clock.now() - timedelta(seconds=90)
    written = Changed(at=at, what="/etc/nova/nova-compute.conf", says="was written")
    changed = {"c01": Changes(node="c01", files=(written,), packages=())}

    assert names(joined(site, *ends))[0] == ("memcached", "ctl")
    found = joined(site, *ends, changed=changed)
    assert names(found)[0] == ("nova-compute", "c01")
    assert "`/etc/nova/nova-compute.conf` was written 30 s before" in found.causes[0].because


def test_what_needs_it_and_was_before_it_is_no_consequence(site: Site) -> None:
    site.stop("ctl", "rabbitmq-server.service")
    ended = end(site, "rabbitmq", "ctl", 60)
    before = logged("nova-conductor", "ctl", ended.at - timedelta(seconds=99))
    after = logged("nova-conductor", "ctl", ended.at + timedelta(seconds=9))

    found = joined(site, ended, causes=(before, after))

    assert names(found) == [("rabbitmq", "ctl"), ("nova-conductor", "ctl")]
    assert found.causes[1].at == before.at
    assert [one.first for one in found.consequences if one.component == "nova-conductor"][-1] == (
        after.at
    )


def test_who_accuses_what_is_broken_follows_from_it(site: Site) -> None:
    site.stop("ctl", "rabbitmq-server.service")
    ended = end(site, "rabbitmq", "ctl", 60)
    accuser = logged("machine", "c01", ended.at, accuses="rabbitmq")

    found = joined(site, ended, causes=(accuser,))

    assert names(found) == [("rabbitmq", "ctl")]
    assert found.consequences[-1].why == "it accuses rabbitmq on ctl, which is broken"


def test_the_journal_knows_better_than_a_log_when_it_ended(site: Site) -> None:
    site.stop("ctl", "rabbitmq-server.service")
    ended = end(site, "rabbitmq", "ctl", 60)
    last_words = logged("rabbitmq", "ctl", ended.at - timedelta(seconds=3))
    long_before = logged("rabbitmq", "ctl", ended.at - timedelta(hours=1))

    first, past = joined(site, ended, causes=(last_words, long_before)).causes

    assert (first.at, first.is_now) == (ended.at, True)
    assert past.at == long_before.at


def test_of_a_request_what_left_nothing_in_its_logs_comes_last(site: Site) -> None:
    site.stop("ctl", "memcached.service")
    other = logged("cinder-volume", "ctl", site.clock.now())

    found = joined(site, end(site, "memcached", "ctl", 60), causes=(other,), asked=Asked.STORY)

    assert names(found) == [("cinder-volume", "ctl"), ("memcached", "ctl")]
    assert found.causes[-1].sureness is Sureness.POSSIBLE
