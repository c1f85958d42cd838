"""Which server is meant, and what is read of it before it is rebooted."""

from pathlib import Path

import pytest

from builders import a_server, an_id
from dying import Site
from fakes.cloud import FakeCloud
from stackward.errors import BadInput, NotInCatalog, Unreachable
from stackward.model.migration import Migration
from stackward.model.unread import Unread
from stackward.operations.reboot_server.facts import RebootFacts, read_reboot
from stackward.requests.reboot_server import RebootRequest

DB, NODE = an_id("db-01"), "compute-07"


def read(place: Path, cloud: FakeCloud, word: str = "db-01", **shell: set[str]) -> RebootFacts:
    site = Site(place, cloud)
    for name, value in shell.items():
        setattr(site.shell, name, value)
    try:
        return read_reboot(site.world(), site.journal, RebootRequest(server=word), None)
    finally:
        site.close()


def a_cloud(*servers: str) -> FakeCloud:
    cloud = FakeCloud()
    cloud.nova.add(*(a_server(name=name) for name in servers or ("db-01",)))
    return cloud


@pytest.mark.parametrize("word", ["db-01", DB], ids=["by its name", "by its id"])
def test_a_server_is_found(tmp_path: Path, word: str) -> None:
    assert read(tmp_path, a_cloud("db-01", "db-011", "xdb-01"), word).server.id == DB


def test_a_name_that_several_servers_have_is_refused_with_the_ids_of_all(tmp_path: Path) -> None:
    cloud = a_cloud()
    twin = a_server("SHUTOFF", "twin", host="compute-08", project="other")
    cloud.nova.known[twin.id] = a_server("SHUTOFF", "db-01", id=twin.id, project="other")

    with pytest.raises(BadInput, match="2 servers are called `db-01`") as raised:
        read(tmp_path, cloud)

    assert set(raised.value.details) == {
        f"{DB}  ACTIVE, project demo, on compute-07",
        f"{twin.id}  SHUTOFF, project other, on compute-07",
    }


@pytest.mark.parametrize("word", ["db-02", "", " ", "db-0", ".*"])
def test_a_word_that_means_no_server_is_refused(tmp_path: Path, word: str) -> None:
    with pytest.raises(BadInput, match="there is no server"):
        read(tmp_path, a_cloud(), word)


def test_its_guest_and_its_boot_are_read_on_its_own_node(tmp_path: Path) -> None:
    facts = read(tmp_path, a_cloud())

    assert facts.guest is not None
    assert not isinstance(facts.guest, Unread)
    assert (facts.guest.node, facts.guest.state, facts.boot) == (NODE, "running", "10")
    assert (facts.has_domains, facts.guest_locations) == (True, ())


def test_of_a_silent_node_neither_is_known(tmp_path: Path) -> None:
    facts = read(tmp_path, a_cloud(), silent={NODE})

    assert isinstance(facts.guest, Unread)
    assert isinstance(facts.boot, Unread)


def test_a_hypervisor_without_domains_is_not_asked_for_them(tmp_path: Path) -> None:
    cloud = a_cloud()
    cloud.nova.kind = "fake"

    facts = read(tmp_path, cloud)

    assert (facts.guest, facts.boot, facts.has_domains) == (None, None, False)


@pytest.mark.parametrize("own", [None, "shut off"])
def test_a_guest_that_is_not_there_is_looked_for_where_it_was_moved_to(
    tmp_path: Path, own: str | None
) -> None:
    cloud = a_cloud()
    cloud.nova.migrations.append(
        Migration(
            id=1, uuid="m", server=DB, kind="live-migration", status="error", source=NODE,
            target="compute-08",
        )
    )  # fmt: skip
    site = Site(tmp_path, cloud)
    site.shell.without = set() if own else {(NODE, DB)}
    site.shell.domains = {("compute-08", DB): "running", **({(NODE, DB): own} if own else {})}

    facts = read_reboot(site.world(), site.journal, RebootRequest(server=DB), None)

    site.close()
    assert not isinstance(facts.guest_locations, Unread)
    assert [(each.node, each.state) for each in facts.guest_locations] == [
        ("compute-08", "running")
    ]


def test_an_attachment_that_only_one_of_nova_and_cinder_knows_is_read(tmp_path: Path) -> None:
    cloud = FakeCloud()
    cloud.nova.add(a_server(volume_ids=("v1", "v2")))
    cloud.cinder.attachments[DB] = (("a1", "v1"), ("a9", "v9"))

    facts = read(tmp_path, cloud)

    found = facts.attachments
    assert (found.only_nova, found.cinder) == (("v2",), (("a1", "v1"), ("a9", "v9")))


@pytest.mark.parametrize(
    ("error", "volumes", "expected"),
    [
        pytest.param(NotInCatalog("no volumes"), (), (), id="a cloud without Cinder"),
        pytest.param(
            NotInCatalog("no volumes"), ("v1",), Unread("no volumes"), id="a login without Cinder"
        ),
        pytest.param(Unreachable("502"), (), Unread("502"), id="a Cinder that is down"),
    ],
)
def test_a_cinder_that_does_not_answer_is_not_one_that_says_no(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    volumes: tuple[str, ...],
    expected: object,
) -> None:
    cloud = FakeCloud()
    cloud.nova.add(a_server(volume_ids=volumes))

    def refuse(_: str) -> tuple[tuple[str, str], ...]:
        raise error

    monkeypatch.setattr(cloud.cinder, "attachments_of", refuse)

    assert read(tmp_path, cloud).attachments.cinder == expected
