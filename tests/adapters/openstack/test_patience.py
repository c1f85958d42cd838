"""An API that asks for patience is given it, within bounds; an order is never waited for."""

import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from builders import a_server, an_id
from fakes.clock import FakeClock
from fakes.cloud import FakeCloud
from http_cloud import HttpCloud, Reply
from stackward.adapters.openstack import OpenStackCloud
from stackward.adapters.openstack.patience import seconds_of
from stackward.errors import (
    NotInCatalog,
    Refused,
    StackwardError,
    Superseded,
    Uncertain,
    Unreachable,
)
from stackward.ports.haste import starting

SERVER = an_id("db-01")
LIMITED = Reply(429, {"error": {"message": "slow down"}}, {"Retry-After": "7"})
AWAY = Reply(503, "<html>Service Unavailable</html>", {"Content-Type": "text/html"})


class Site:
    """A cloud over HTTP, and its clock."""

    def __init__(self) -> None:
        self.fake = FakeCloud()
        self.fake.nova.add(a_server())
        self.clock = FakeClock()
        self.small = HttpCloud(self.fake)
        self.cloud = OpenStackCloud(self.small.connection(), self.clock)

    def orders(self) -> int:
        return len([one for one in self.small.asked if one.startswith("POST /compute")])


def test_a_reading_call_waits_as_long_as_it_is_asked_to(caplog: pytest.LogCaptureFixture) -> None:
    """F20: one 429 while planning ended it."""
    site = Site()
    site.small.instead["GET /os-services"] = [LIMITED, LIMITED, None]

    with caplog.at_level(logging.WARNING):
        found = site.cloud.nova.services()

    assert len(found) == 4
    assert site.clock.monotonic() == 14
    assert caplog.messages[0] == (
        "waits 7 s for Nova, then asks again: it answers 429 (GET /os-services)"
    )


def test_an_outage_is_told_once_in_half_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """An API that was down for a minute was told of in thirty lines, and all else was lost."""
    site = Site()
    site.small.instead["GET /os-services"] = [AWAY]

    with caplog.at_level(logging.WARNING):
        for _ in range(5):  # 7 s each
            with pytest.raises(Unreachable):
                site.cloud.nova.services()

    assert site.clock.monotonic() == 35
    assert [message.partition(",")[0] for message in caplog.messages] == [
        "waits 1 s for Nova",
        "waits 4 s for Nova",
    ]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_single_failure_of_a_reading_call_is_waited_out(status: int) -> None:
    site = Site()
    site.small.instead["GET /os-services"] = [Reply(status, {"message": "away"}), None]

    assert site.cloud.nova.services()
    assert site.clock.monotonic() == 1


def test_patience_ends() -> None:
    site = Site()
    site.small.instead["GET /os-services"] = [AWAY]

    with pytest.raises(Unreachable):
        site.cloud.nova.services()

    assert site.clock.monotonic() == 1 + 2 + 4


def test_a_limit_that_never_ends_is_said_as_such() -> None:
    site = Site()
    site.small.instead["GET /os-services"] = [LIMITED]

    with pytest.raises(Unreachable, match="limits the rate of calls"):
        site.cloud.nova.services()

    assert site.clock.monotonic() <= 120


def test_no_api_makes_us_wait_without_end() -> None:
    site = Site()
    site.small.instead["GET /os-services"] = [
        Reply(503, {"message": "away"}, {"Retry-After": "86400"}),
        None,
    ]

    assert site.cloud.nova.services()
    assert site.clock.monotonic() == 60


def test_an_order_is_not_sent_two_minutes_after_its_intent() -> None:
    """A 429 was waited out here: meanwhile another worker had done it, and it was done twice."""
    site = Site()
    site.small.instead["POST /action"] = [LIMITED, None]

    with pytest.raises(Unreachable, match="limits the rate of calls") as limited:
        site.cloud.nova.stop_server(SERVER)

    assert (site.orders(), site.clock.monotonic()) == (1, 0)
    assert limited.value.after_s == 7
    assert site.fake.nova.known[SERVER].task_state is None


def test_an_order_is_not_sent_two_minutes_after_its_intent_for_a_login() -> None:
    site = Site()
    unauthorized = Reply(401, {"error": {"message": "the token has expired"}})
    site.small.instead["POST /action"] = [unauthorized, None]
    site.small.instead["POST /auth/tokens"] = [LIMITED, None]

    with pytest.raises(Unreachable) as limited:
        site.cloud.nova.stop_server(SERVER)

    assert (site.orders(), site.clock.monotonic()) == (1, 0)
    assert limited.value.after_s == 7


@pytest.mark.parametrize("reply", [LIMITED, AWAY])
def test_what_a_step_reads_as_it_starts_is_not_waited_for(reply: Reply) -> None:
    """The order that follows would be as late."""
    site = Site()
    site.small.instead["GET /os-services"] = [reply, None]

    with pytest.raises(Unreachable), starting(lambda: None):
        site.cloud.nova.services()

    assert site.clock.monotonic() == 0
    assert site.cloud.nova.services()


def test_an_order_is_confirmed_before_it_is_sent() -> None:
    site = Site()

    def superseded() -> None:
        raise Superseded("another worker has taken it over")

    with pytest.raises(Superseded), starting(superseded):
        site.cloud.nova.stop_server(SERVER)

    assert site.orders() == 0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_order_whose_answer_is_uncertain_is_sent_once(status: int) -> None:
    site = Site()
    site.small.instead["POST /action"] = [
        Reply(status, {"message": "away"}, {"Retry-After": "1"}),
        None,
    ]

    with pytest.raises(Uncertain):
        site.cloud.nova.stop_server(SERVER)

    assert (site.orders(), site.clock.monotonic()) == (1, 0)


def test_an_order_that_is_limited_for_long_may_be_repeated() -> None:
    """The engine goes on to wait: nothing was sent."""
    site = Site()
    site.small.instead["POST /action"] = [LIMITED]

    with pytest.raises(Unreachable):
        site.cloud.nova.stop_server(SERVER)

    assert site.fake.nova.known[SERVER].task_state is None


def test_a_login_that_is_limited_is_waited_out() -> None:
    fake, clock = FakeCloud(), FakeClock()
    small = HttpCloud(fake)
    small.instead["POST /auth/tokens"] = [LIMITED, None]

    assert OpenStackCloud(small.connection(), clock).nova.services()
    assert clock.monotonic() == 7


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("12", 12.0),
        (" 12 ", 12.0),
        (format_datetime(datetime(2026, 11, 22, 3, 0, 30, tzinfo=UTC), usegmt=True), 30.0),
        (format_datetime(datetime(2026, 11, 22, 2, 0, tzinfo=UTC), usegmt=True), 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
        (0, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    after: str | float | None, expected: float | None
) -> None:
    now = datetime(2026, 11, 22, 3, 0, tzinfo=UTC) + timedelta(0)

    assert seconds_of(after, now) == expected


# --- what is not in the catalog (F11) ---


def test_a_cloud_without_cinder_is_asked_for_all_else() -> None:
    fake = FakeCloud()
    fake.nova.add(a_server())
    small = HttpCloud(fake, catalog=["identity", "compute", "placement", "network", "image"])
    cloud = OpenStackCloud(small.connection(), FakeClock())

    assert cloud.nova.servers_on("compute-07")
    assert not cloud.has_service("block-storage")
    with pytest.raises(NotInCatalog) as caught:
        cloud.cinder.volume(an_id("volume"))
    assert caught.value.message == "the catalog has no volume service"
    assert "project_name" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("kind", "ask", "says"),
    [
        ("network", lambda cloud: cloud.neutron.ports_of([SERVER]), "network service"),
        ("image", lambda cloud: cloud.glance.public_images(), "image service"),
        ("placement", lambda cloud: cloud.placement.provider_names(), "placement service"),
    ],
)
def test_each_service_that_is_not_there_is_named(kind: str, ask: "object", says: str) -> None:
    small = HttpCloud()
    small.catalog.remove(kind)
    cloud = OpenStackCloud(small.connection(), FakeClock())

    with pytest.raises(NotInCatalog, match=says):
        ask(cloud)  # type: ignore[operator]  # a call


# --- older clouds (F14) ---


@pytest.mark.parametrize("newest", ["2.79", "2.87", "2.90", "2.95", "2.96", "2.100"])
def test_an_older_nova_is_asked_at_what_it_has(newest: str) -> None:
    fake = FakeCloud()
    fake.nova.add(a_server())
    small = HttpCloud(fake, nova=newest)
    cloud = OpenStackCloud(small.connection(), FakeClock())

    server, [hypervisor] = cloud.nova.server(SERVER), cloud.nova.hypervisors_like("compute-07")

    assert server is not None
    is_new = newest in {"2.96", "2.100"}
    assert server.is_zone_known is is_new
    assert cloud.nova.uptime(hypervisor.id) is not None
    assert cloud.nova.services()
    assert "406" not in str(small.versions)


def test_a_version_is_learned_from_its_refusal_where_none_are_listed() -> None:
    fake = FakeCloud()
    fake.nova.add(a_server())
    small = HttpCloud(fake, nova="2.90")
    small.instead["GET /compute/v2.1"] = [Reply(404, {"message": "hidden"})]
    cloud = OpenStackCloud(small.connection(), FakeClock())

    assert cloud.nova.server(SERVER) is not None
    assert cloud.nova.servers_on("compute-07")
    assert small.versions.count("2.98") == 1


def test_a_nova_that_is_too_old_is_refused_with_both_versions() -> None:
    small = HttpCloud(nova="2.60")
    cloud = OpenStackCloud(small.connection(), FakeClock())

    with pytest.raises(Refused) as caught:
        cloud.nova.services()

    assert caught.value.message == (
        "Nova is too old: it has microversions up to 2.60, and 2.79 is the oldest that Stackward "
        "can use"
    )
    assert isinstance(caught.value, StackwardError)
