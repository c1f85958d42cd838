"""`stackward node recover` and `server start`, on a cloud of fakes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import NOW, a_server, an_id
from cli import test_return
from cli.test_return import NODE, Site
from stackward.adapters.store.listing import FILE, list_runs
from stackward.model.migration import Migration
from stackward.model.server import ServerAction
from texts import folded

site = test_return.site  # the fixture
RECOVER = ("node", "recover", NODE)
DB, WEB, OLD = (an_id(name) for name in ("db-01", "web-01", "old-01"))


def stamp(minutes: int) -> str:
    at = NOW + timedelta(minutes=minutes)
    return at.replace(tzinfo=None).isoformat(timespec="microseconds")


@pytest.fixture
def lost(site: Site) -> Site:
    """Given a node that has lost its power: two of its servers ran, the third was off."""
    nova = site.cloud.nova
    nova.known.clear()
    for name, user, at in (
        ("db-01", None, stamp(-1)),
        ("web-01", None, stamp(-1)),
        ("old-01", "eve", stamp(-60)),
    ):
        nova.add(a_server("SHUTOFF", name=name))
        made = ServerAction(
            action="create", request_id=f"req-{name}", user="eve", started=stamp(-600)
        )
        stop = replace(made, action="stop", request_id=f"req-off-{name}", user=user, started=at)
        nova.actions[an_id(name)] = [made, stop]
    nova.known[DB] = replace(nova.known[DB], metadata=(("stackward:priority", "1"),))
    return site


def started(site: Site) -> list[str]:
    """Return the ids of those that Nova was asked to start, in the order of time."""
    found = [
        (one.started, server)
        for server, made in site.cloud.nova.actions.items()
        for one in made
        if one.action == "start"
    ]
    return [server for _, server in sorted(found)]


def test_exactly_those_that_ran_are_started_in_their_order(lost: Site) -> None:
    code, out, said = lost.run(*RECOVER, "--yes")

    assert (code, started(lost)) == (0, [DB, WEB]), said
    assert lost.cloud.nova.known[OLD].status == "SHUTOFF"
    assert "proved: 2 servers run on `compute-07`" in folded(out)


def test_a_dry_run_names_each_server_with_its_reason_and_changes_nothing(lost: Site) -> None:
    code, out, _ = lost.run(*RECOVER, "--dry-run")

    assert (code, started(lost)) == (0, [])
    assert "`db-01` is started: Nova: Nova itself stopped it at" in folded(out)
    assert "`old-01` stays as it is (SHUTOFF): user eve asked for `stop`" in folded(out)


def test_the_words_of_the_operator_come_first(lost: Site) -> None:
    code, _, said = lost.run(*RECOVER, "--start", OLD, "--leave-off", WEB, "--yes")

    assert code == 0, said
    assert started(lost) == [DB, OLD]


def test_one_that_cannot_boot_is_set_aside_and_holds_up_no_other(lost: Site) -> None:
    lost.cloud.nova.consoles[DB] = "Kernel panic - not syncing"

    code, out, _ = lost.run(*RECOVER, "--yes")

    assert (code, started(lost)) == (1, [DB, WEB])
    assert "set aside: `db-01`:" in folded(out)
    assert "its console shows that it cannot boot" in folded(out)


def test_a_broken_part_of_the_node_refuses_all_of_it(lost: Site) -> None:
    lost.cloud.nova.without_rpc.add(NODE)

    code, _, said = lost.run(*RECOVER, "--yes")

    assert (code, started(lost)) == (3, [])
    assert "does not answer over RPC" in folded(said)


def test_an_unknown_node_is_bad_input(lost: Site) -> None:
    assert lost.run("node", "recover", "nowhere", "--yes")[0] == 2


def test_a_recovery_is_not_undone_and_the_reason_is_said(lost: Site) -> None:
    lost.run(*RECOVER, "--yes")
    run = list_runs(lost.state_dir / FILE, 1)[0].id

    code, _, said = lost.run("run", "undo", run, "--yes")

    assert code == 3
    assert "this run has started servers" in folded(said)


def test_servers_are_started_by_name_and_proved(lost: Site) -> None:
    code, out, said = lost.run("server", "start", "old-01", "db-01", "--yes")

    assert (code, started(lost)) == (0, [DB, OLD]), said
    assert "proved: 2 servers run on `compute-07`" in folded(out)


@pytest.mark.parametrize(
    ("word", "code", "said"),
    [("nobody", 2, "there is no server `nobody`"), ("old-01", 3, "is ACTIVE: Nova starts no such")],
)
def test_what_cannot_be_started_is_refused(lost: Site, word: str, code: int, said: str) -> None:
    lost.cloud.nova.known[OLD] = a_server(name="old-01")

    found = lost.run("server", "start", word, "--yes")

    assert (found[0], started(lost)) == (code, [])
    assert said in folded(found[2])


# --- a guest that libvirt does not have there ---------------------------------------------------


def lose_its_guest(site: Site, *once: str) -> None:
    """Given a server that Nova has as running, without a guest; the oldest move is the last."""
    nova = site.cloud.nova
    nova.known[DB] = replace(nova.known[DB], status="ACTIVE", vm_state="active", power_state=1)
    site.shell.without.add((NODE, DB))
    for number, host in enumerate(reversed(once), 1):
        record = Migration(
            id=number,
            uuid=f"m-{number}",
            server=DB,
            kind="live-migration",
            status="completed",
            source=host,
            target=NODE,
        )
        nova.migrations.append(record)


OFTEN = (*["compute-07"] * 5, "compute-08")  # where it was, by its records: the newest first


def test_a_guest_is_created_again_only_if_none_runs_where_any_of_its_moves_was(lost: Site) -> None:
    lose_its_guest(lost, *OFTEN)
    lost.shell.domains["compute-08", DB] = "running"

    code, _, said = lost.run(*RECOVER, "--yes")

    assert (code, started(lost)) == (3, [])
    assert "libvirt has its guest running on `compute-08`" in folded(said)


def test_a_node_of_an_old_move_that_cannot_be_asked_refuses_it(lost: Site) -> None:
    lose_its_guest(lost, *OFTEN)
    lost.shell.silent.add("compute-08")

    code, _, said = lost.run(*RECOVER, "--yes")

    assert (code, started(lost)) == (3, [])
    assert "whether another node has its guest could not be read" in folded(said)
