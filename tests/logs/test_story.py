"""The story of a request: its id changes at each hop."""

from datetime import UTC, datetime, timedelta

from stackward.logs.event import Event, Level
from stackward.logs.story import (
    Certainty,
    Link,
    first_link,
    kind_of,
    more_links,
    tell,
)

AT = datetime(2026, 11, 27, 22, 49, tzinfo=UTC)
SERVER = "b14691a2-3280-434e-8f07-137140553642"
PORT = "5c2e981d-e692-4940-afde-862c46fd42ce"


def an_id(number: int) -> str:
    return f"req-{number:08d}-c485-4b75-a4b7-6a460224ceee"


def line(  # noqa: PLR0913  # what a line has
    seconds: float,
    component: str,
    message: str,
    *,
    request: str | None = None,
    led: str | None = None,
    user: str | None = "me",
    server: str | None = None,
) -> Event:
    return Event(
        at=AT + timedelta(seconds=seconds), node="c01", component=component, file="/x.log",
        offset=int(seconds * 1000), format="oslo", level=Level.INFO, message=message,
        request=request, global_request=led, user=user, server=server,
    )  # fmt: skip


def linked(sought: str, *events: Event) -> dict[str, Link]:
    links = {sought: first_link(sought)}
    while new := more_links(events, links):
        links |= new
    return links


def test_a_request_is_followed_by_its_global_id() -> None:
    links = linked(
        an_id(1),
        line(0, "nova-api", "POST", request=an_id(1)),
        line(1, "neutron-api", "POST", request=an_id(2), led=an_id(1), user="nova"),
    )

    assert links[an_id(2)].why == f"its global id is {an_id(1)}"
    assert links[an_id(2)].certainty is Certainty.CERTAIN


def test_what_reads_of_a_thing_while_it_works_for_another_is_no_part_of_its_story() -> None:
    """Seen on a lab: the story of a server had the whole builds of two others on its node."""
    built = line(0, "nova-api", "POST /servers", request=an_id(1), server=None)
    audit = line(
        1, "placement", f'1.2.3.4 "GET /allocations/{SERVER}" 200', request=an_id(2), led=an_id(1)
    )
    change = line(
        2, "placement", f'1.2.3.4 "PUT /allocations/{SERVER}" 204', request=an_id(4), led=an_id(3)
    )

    links = linked(SERVER, built, audit, change)

    assert set(links) == {SERVER, an_id(3), an_id(4)}


def test_a_request_leads_to_that_which_led_to_it() -> None:
    links = linked(
        an_id(2), line(1, "neutron-api", "POST", request=an_id(2), led=an_id(1), user="nova")
    )

    assert links[an_id(1)].why == f"neutron-api did {an_id(2)} for it"


def test_the_id_that_a_service_logs_of_another_s_answer_is_followed() -> None:
    links = linked(
        an_id(1), line(0, "nova-api", f"GET, used request id {an_id(3)}", request=an_id(1))
    )

    assert links[an_id(3)].why == "nova-api names it as the id of an answer"


def test_an_id_that_no_log_has_is_a_gap() -> None:
    events = [line(0, "nova-api", f"used request id {an_id(3)}", request=an_id(1))]

    story = tell(events, linked(an_id(1), *events))

    assert story.gaps == (
        (
            f"no log has a line of {an_id(3)} in the time that was searched: "
            "nova-api names it as the id of an answer"
        ),
    )


def test_a_service_s_request_about_the_same_server_at_that_time_is_likely_a_part() -> None:
    links = linked(
        an_id(1),
        line(0, "nova-api", "POST", request=an_id(1)),
        line(5, "nova-compute", "done", request=an_id(1), server=SERVER),
        line(4, "nova-api", f"event for instance {SERVER}", request=an_id(4), user="neutron"),
        line(900, "nova-api", f"event for instance {SERVER}", request=an_id(5), user="neutron"),
    )

    assert links[an_id(4)].certainty is Certainty.LIKELY
    assert an_id(5) not in links


def test_another_request_of_the_same_user_is_another_story() -> None:
    events = [
        line(0, "nova-api", "POST", request=an_id(1)),
        line(5, "nova-compute", "done", request=an_id(1), server=SERVER),
        line(5.5, "nova-api", f"DELETE /servers/{SERVER}", request=an_id(6)),
    ]

    story = tell(events, linked(an_id(1), *events))

    assert {hop.request for hop in story.hops} == {an_id(1)}


def test_a_server_leads_to_all_its_requests_and_its_ports() -> None:
    events = [
        line(0, "nova-compute", "build", request=an_id(1), server=SERVER),
        line(900, "nova-api", f"network-changed:{PORT} for instance {SERVER}", request=an_id(2)),
        line(901, "ovn-controller", f"Claiming lport {PORT}", user=None),
    ]

    story = tell(events, linked(SERVER, *events))

    assert [hop.component for hop in story.hops] == [
        "nova-compute", "nova-api", "ovn-controller",
    ]  # fmt: skip
    assert story.hops[2].link.why == f"it names the port {PORT}"


def test_a_hop_has_its_time_and_what_only_reads_is_apart() -> None:
    events = [
        line(0, "nova-api", f'"GET /servers/{SERVER}" status: 200', user=None),
        line(1, "nova-api", f"DELETE /servers/{SERVER}", user=None),
        line(3, "nova-api", f"DELETE /servers/{SERVER}", user=None),
    ]

    story = tell(events, linked(SERVER, *events))

    assert [(hop.is_read, hop.took_s) for hop in story.hops] == [(True, 0.0), (False, 2.0)]


def test_nothing_that_names_none_of_the_ids_is_told() -> None:
    events = [line(0, "nova-api", "POST", request=an_id(1)), line(0, "glance-api", "GET /x")]

    story = tell(events, linked(an_id(1), *events))

    assert [one.component for one in story.events] == ["nova-api"]


def test_ids_are_told_from_other_words() -> None:
    assert [kind_of(each) for each in (an_id(1), SERVER, "web-1")] == ["request", "thing", None]
