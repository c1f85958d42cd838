"""`cloud reconcile --orphans --remove`, on a cloud of fakes."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from builders import a_server, a_service, an_id
from cli import test_return
from cli.test_return import Site
from stackward.adapters.store.listing import FILE, list_runs
from stackward.model.claim import Claim
from stackward.model.identity import Known
from stackward.model.server import ServerAction
from testimonies import volume_of
from texts import folded

site = test_return.site  # the fixture
GONE = a_server(name="gone")
PORT, VOLUME, NOBODY = an_id("port-left"), an_id("volume"), an_id("nobody")
LOST = "compute-99"
SERVICE, AGENT = an_id(f"service-{LOST}"), an_id(f"{LOST}-OVN Controller agent")
LONG_AGO, LATELY = "2025-12-24T00:00:00", "2025-12-31T23:30:00"
REMOVE = ("cloud", "reconcile", "--orphans", "--remove")


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKWARD_RECONCILE_WAIT_S", "5")


def delete(site: Site, server: str, at: str = LONG_AGO) -> None:
    """Have Nova's action log say that a server was deleted."""
    at = datetime.fromisoformat(at).replace(tzinfo=UTC).isoformat()
    made = ServerAction(action="delete", request_id="req-1", user="eve", started=at)
    site.cloud.nova.actions[server] = [made]


def leave_port(site: Site, *, name: str = "") -> None:
    """Given a port of a server that was deleted."""
    site.cloud.neutron.leftovers = {PORT: GONE.id}
    site.cloud.neutron.name_of_leftovers = name
    delete(site, GONE.id)


def leave_volume(site: Site) -> None:
    """Given a volume that Cinder has in use by a server that was deleted."""
    site.cloud.cinder.volumes = {VOLUME: replace(volume_of(GONE, VOLUME), project="p-1")}
    delete(site, GONE.id)


def leave_node(site: Site) -> None:
    """Given the records of a node that is gone: the inventory names all others."""
    names = (*site.cloud.nova.hosts, "ctl")
    site.shell.inventory = tuple(Known(name=each, address=each) for each in names)
    site.cloud.nova.computes[LOST] = a_service(LOST, is_up=False, updated=LONG_AGO)
    site.cloud.placement.unlisted = {LOST}
    site.cloud.neutron.agents = {LOST: ("OVN Controller agent",)}
    site.cloud.neutron.silent_agents = {LOST}


def leave_allocation(site: Site) -> None:
    """Given a consumer that is no server."""
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}
    site.cloud.placement.kinds[NOBODY] = "INSTANCE"
    delete(site, NOBODY)


def test_all_that_is_left_is_removed_and_proved_by_others(site: Site) -> None:
    leave_port(site)
    leave_node(site)
    leave_allocation(site)

    code, out, said = site.run(
        *REMOVE, "allocation", "--remove", "port", "--remove", "agent", "--remove", "service",
        "--yes",
    )  # fmt: skip

    assert code == 0, said
    assert site.cloud.neutron.leftovers == {}
    assert site.cloud.neutron.deleted == [PORT, AGENT]
    assert site.cloud.nova.deleted_services == [SERVICE]
    assert site.cloud.placement.leftovers == {}
    told = folded(out)
    assert "remove what is left: allocation, port, agent, service: succeeded" in told
    assert "1 port is gone, and no server misses one" in told
    assert site.run("cloud", "reconcile", "--orphans")[0] == 0


def test_a_dry_run_names_each_thing_with_its_owner_and_age_and_changes_nothing(site: Site) -> None:
    leave_port(site)
    leave_node(site)

    code, out, said = site.run(*REMOVE, "port", "--remove", f"service/{SERVICE}", "--dry-run")

    assert (code, site.cloud.neutron.deleted, site.cloud.nova.deleted_services) == (0, [], [])
    told = folded(out)
    assert "looked at again after 5 s" in folded(said)
    assert f"belongs to the server {GONE.id}, which Nova does not have; owner demo" in told
    assert "since 2025-12-24T00:00:00Z" in told
    assert "undo none: what is removed stays removed" in told
    assert "left for at least 24 h" in told
    assert "the addresses of 1 port are free for others" in told
    assert "a floating IP is taken off it" in told


def test_a_volume_is_set_free_only_by_its_id_and_keeps_its_data(site: Site) -> None:
    leave_volume(site)

    by_kind, _, why = site.run(*REMOVE, "volume", "--yes")
    named, out, said = site.run(*REMOVE, f"volume/{VOLUME}", "--yes")

    assert (by_kind, named) == (3, 0), said
    assert "only where its id is given" in folded(why)
    volume = site.cloud.cinder.volume(VOLUME)
    assert volume is not None
    assert (volume.attached, volume.status) == ((), "available")
    assert "is there and is no longer attached to a server that is gone" in folded(out)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--orphans", "--remove", "prot"), "there is no kind of left things `prot`"),
        (("--orphans", "--remove", "ports"), "perhaps `port`"),
        (("--orphans", "--remove", "thing"), "there are: allocation, port, volume, service, agent"),
        (("--orphans", "--remove", "port/"), "`--remove port/` has no id"),
        (("--orphans", "--remove", "guest/x"), "--kill-domain NODE/ID` ends the one"),
        (("--remove", "port"), "`stackward cloud reconcile --orphans --remove port`"),
        (("--orphans", "--min-age", "0"), "`--min-age` is for `--remove`"),
        (("--orphans", "--dry-run"), "without `--remove` there is none"),
        (("--orphans", "--remove", "port", "--kill-domain", "c01/x"), "`--remove` ends no guest"),
        (("--orphans", "--remove", "port", "--repair", "binding-left"), "give one of them"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    site: Site, words: tuple[str, ...], says: str
) -> None:
    code, out, said = site.run("cloud", "reconcile", *words)

    assert (code, out, site.cloud.calls) == (2, "", {}), said
    assert says in folded(said)


def test_what_is_not_left_is_refused_with_the_reason(site: Site) -> None:
    leave_port(site)
    leave_node(site)
    db = an_id("db-01")
    living = {
        f"port/{site.cloud.nova.known[db].ports[0].id}": f"Nova has its server {db}",
        f"service/{an_id('service-compute-07')}": "nova-compute is up",
        f"allocation/{db}": "Nova has the server",
        f"port/{PORT[:-1]}x": f"no port has this id, perhaps `port/{PORT}`",
        "service/nova-compute": f"no service has this id, perhaps `service/{SERVICE}`",
        "agent/nothing-like-it": "no agent has this id",
    }
    for given, why in living.items():
        code, _, said = site.run(*REMOVE, given, "--yes")

        assert (code, why in folded(said)) == (3, True), said
    assert (site.cloud.neutron.deleted, site.cloud.nova.deleted_services) == ([], [])


def test_where_nothing_of_a_kind_is_left_there_is_nothing_to_do(site: Site) -> None:
    code, _, said = site.run(*REMOVE, "port", "--yes")

    assert code == 0, said


def test_what_is_left_for_less_than_a_day_is_left_alone_unless_asked_otherwise(site: Site) -> None:
    leave_port(site)
    delete(site, GONE.id, LATELY)

    early, _, why = site.run(*REMOVE, "port", "--yes")
    kept = dict(site.cloud.neutron.leftovers)
    at_once, _, said = site.run(*REMOVE, "port", "--min-age", "0.5", "--yes")

    assert (early, kept) == (3, {PORT: GONE.id})
    assert "which is less than 24 h" in folded(why)
    assert (at_once, site.cloud.neutron.leftovers) == (0, {}), said


def test_the_service_of_a_node_with_allocations_stays_and_goes_with_its_provider_once_it_has_none(
    site: Site,
) -> None:
    leave_node(site)
    site.cloud.nova.hosts = (*site.cloud.nova.hosts, LOST)
    site.cloud.placement.leftovers[NOBODY] = {an_id(LOST)}
    held, _, why = site.run(*REMOVE, f"service/{SERVICE}", "--yes")
    site.cloud.placement.leftovers.clear()

    code, out, said = site.run(*REMOVE, f"service/{SERVICE}", "--yes")

    assert (held, code) == (3, 0), said
    assert f"1 consumer holds allocations of this node at placement, one of them {NOBODY}" in (
        folded(why)
    )
    assert an_id(LOST) not in site.cloud.placement.provider_names()
    assert "placement has no provider of their nodes" in folded(out)


def test_the_service_of_a_node_that_has_no_provider_by_its_name_goes_only_by_its_id(
    site: Site,
) -> None:
    leave_node(site)
    site.cloud.placement.unlisted.clear()

    by_kind, _, why = site.run(*REMOVE, "service", "--yes")
    kept = list(site.cloud.nova.deleted_services)
    by_id, _, said = site.run(*REMOVE, f"service/{SERVICE}", "--yes")

    assert (by_kind, kept) == (3, [])
    assert f"Nova lists no hypervisor of `{LOST}`, and no provider" in folded(why)
    assert (by_id, site.cloud.nova.deleted_services) == (0, [SERVICE]), said


def test_a_service_that_never_reported_has_no_provider_and_is_known_to_hold_nothing(
    site: Site,
) -> None:
    leave_node(site)
    site.cloud.placement.unlisted.clear()
    never = replace(site.cloud.nova.computes[LOST], updated=None)
    site.cloud.nova.computes[LOST] = never

    by_kind, _, why = site.run(*REMOVE, "service", "--yes")
    by_id, _, said = site.run(*REMOVE, f"service/{SERVICE}", "--yes")

    assert by_kind == 3
    assert "Nova lists no hypervisor" not in folded(why)
    assert (by_id, site.cloud.nova.deleted_services) == (0, [SERVICE]), said


def test_what_changes_between_the_looks_is_left_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_node(site)
    reported = replace(site.cloud.nova.computes[LOST], updated="2025-12-25T00:00:00")

    def report(_: object) -> None:
        site.cloud.nova.computes[LOST] = reported

    monkeypatch.setattr(type(site.cloud.nova), "pass_time", report)

    code, _, said = site.run(*REMOVE, "service", "--yes")

    assert (code, site.cloud.nova.deleted_services) == (3, [])
    assert "somebody has changed it since" in folded(said)
    assert "cases 1, nothing is removed" in folded(said)


def test_what_lives_again_once_it_is_approved_is_refused(site: Site, tmp_path: Path) -> None:
    leave_node(site)
    kept = tmp_path / "plan"
    site.run(*REMOVE, "service", "--dry-run", "--plan-out", str(kept))
    site.cloud.nova.computes[LOST] = a_service(LOST)

    code, _, said = site.run("run", "apply", str(kept), "--yes")

    assert (code, site.cloud.nova.deleted_services) == (3, []), said
    assert "nova-compute is up" in folded(said)


def test_what_others_have_removed_once_it_is_approved_is_proved(site: Site, tmp_path: Path) -> None:
    leave_port(site)
    kept = tmp_path / "plan"
    site.run(*REMOVE, "port", "--dry-run", "--plan-out", str(kept))
    site.cloud.neutron.leftovers.clear()

    code, out, said = site.run("run", "apply", str(kept), "--yes")

    assert (code, site.cloud.neutron.deleted) == (0, []), said
    assert "1 port is gone" in folded(out)


def test_a_node_that_a_run_has_claimed_keeps_its_service(site: Site) -> None:
    leave_node(site)
    claim = Claim(run="01J", operator="ann", machine="b", since="2025-12-01T00:00:00Z", reason="x")
    site.cloud.nova.computes[LOST] = replace(
        site.cloud.nova.computes[LOST], is_enabled=False, disabled_reason=str(claim)
    )

    code, out, said = site.run(*REMOVE, "service", "--dry-run")

    assert code == 3, said
    assert "is disabled for a run of Stackward: stackward 01J by ann on b" in folded(out)
    assert f"openstack compute service set --enable {LOST} nova-compute" in folded(out)


def test_an_inventory_that_lacks_what_lives_does_not_say_what_is_gone(site: Site) -> None:
    """Seen in a review: with the inventory of one rack, the others would have been removed."""
    leave_node(site)
    site.shell.inventory = (Known(name="compute-07", address="compute-07"),)

    code, _, said = site.run(*REMOVE, "service", "--remove", "agent", "--yes")

    assert (code, site.cloud.nova.deleted_services, site.cloud.neutron.deleted) == (3, [], [])
    assert "is up on other hosts that the inventory does not name: `compute-08`" in folded(said)


def test_a_removal_is_not_undone(site: Site) -> None:
    leave_port(site)
    site.run(*REMOVE, "port", "--yes")
    [run] = list_runs(site.state_dir / FILE, 1)

    code, _, said = site.run("run", "undo", run.id, "--yes")

    assert (code, "nothing takes back" in folded(said)) == (3, True), said
