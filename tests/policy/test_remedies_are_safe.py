"""A remedy that removes, resets, restarts or deletes something rests on more than one source.

Each is in one of the tables here. A new one is not safe until it is: say on whose words it rests,
two at least, or let it begin with a look at another source.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from builders import a_node, a_server, an_id
from fakes.nodes import NO_ROUTE
from fakes.site import Site
from stackward.health import symptoms
from stackward.health.symptoms import PROCESS_SILENT, RPC_DEAF
from stackward.model.migration import Migration
from stackward.model.stalled_move import Guest, StalledMove
from stackward.model.unread import Unread
from stackward.operations import every_rule
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.policy import volumes
from stackward.requests.drain_compute_node import DrainRequest
from stackward.status import stuck

TESTS = Path(__file__).parents[1]
HARMS = re.compile(
    r"\brestart\b|\bkill\b|reset-failed|\bdelete\b|\bremoves?\b|forget_cluster_node|--state "
    r"|\breboot --hard|\bshut(down| the)|\bdestroy\b|bootstrap|shelve-offload|purge|--auto-repair"
    r"|\bdetach\b|port set|resize (confirm|revert)|service set --(up|enable)|\bunmask\b"
    r"|\bstop (it|nova|the)|pass `--hard`"
)

# Those that look at another source before anything is done: how the look begins.
LOOKS = {
    "application-not-loaded": "look first",
    "application-silent": "check again",
    "auto-disabled": "look first",
    "awaits-confirmation": "ask its owner whether it works",
    "building": "its owner may",
    "claimed": "ask the person who disabled it",
    "completed-not-moved": "nothing has moved: its guest is on",
    "connection-missing": "look first",
    "domain-disagrees": "look first",
    "engine-silent": "look first",
    "evacuation/lives-on-source": "do not restart nova-compute there",
    "evacuate/claimed": "ask the person who disabled it",
    "evacuate/left-binding": "look first",
    "evacuate/living-copy": "look first",
    "evacuate/may-not-end": "look first",
    "evacuate/resized": "ask its owner",
    "fence/alive": "{first}",
    "fence/miscounted": "see which they are",
    "foreign-claim": "ask the person who disabled it",
    "galera-not-ready": "look first",
    "gate-shut": "see first whether its servers were evacuated",
    "heartbeat-lost": "look first",
    "libvirt-silent": "look first",
    "lives-on-source": "do not restart nova-compute there",
    "mariadb-read-only": "look first",
    "masked-and-fallen": "look first",
    "masked-but-runs": "look first",
    "node-late": "log in and see what hangs",
    "not-in-inventory": "only if the machine is gone permanently",
    "not-in-inventory-and-down": "only if the machine is gone permanently",
    "old-name-down": "make sure that `openstack server list",
    "other-unit-failed": "see `systemctl status` of each",
    "ovsdb-failed": "look first",
    "own-queue-missing": "look first",
    "own-queue-unbound": "look first",
    "off-the-bus": "look first",
    "own-queue-unread": "look first",
    "port-elsewhere": "look first",
    "process-stopped": "look first",
    "process-silent": "see what it waits for",
    "queues-unread": "look first",
    "reconcile/age-unknown": "find out whose it is",
    "reconcile/claimed": "see that this run is over",
    "reconcile/disabled": "ask who did that",
    "reconcile/name-alone": "see that no node of the inventory is that machine",
    "reconcile/gone-node-first": "if that machine is gone for good",
    "recover/task-left": "look first",
    "reconcile/node-evacuated": "only if that machine never comes back",
    "reconcile/no-provider": "see in `openstack resource provider list`",
    "reconcile/node-holds": "see whose they are",
    "reconcile/not-named": "see what it does there",
    "reconcile/only-by-id": "ask its owner",
    "rabbitmq-partition": "look first",
    "rabbitmq-silent": "look first",
    "reattach/device-moves": "ask its owner",
    "reattach/encrypted": "look first",
    "reattach/no-device": "ask its owner",
    "reattach/other-server": "find out which of them writes to it",
    "reattach/unknown-record": "look first",
    "reboot/guest-disagrees": "look first",
    "reboot/in-error": "see `openstack server show",
    "reboot/keeps-memory": "ask its owner",
    "reboot/no-guest": "look first",
    "reboot/only-cinder": "see `openstack volume show",
    "reboot/only-nova": "look first",
    "recover/loses-attachment": "see `stackward server reboot",
    "record-missing": "look first",
    "return/disk-unread": "make `{asks}` answer",
    "return/disk-unseen": "mount the storage of instances",
    "rpc-deaf": "look first",
    "second-compute": "if the unit should not run there",
    "shelved": "look first",
    "soft-deleted": "ask its owner",
    "states-disagree": "look first",
    "stray-domain": "look first",
    "switched-off": "look first",
    "switched-off-here": "look first",
    "table-broken": "look first",
    "unit-ended": "look first",
    "unknown-port": "ask its owner",
    "verify-resize": "ask its owner whether it works",
}

# Those whose rule has heard two sources itself. Each is taken away in turn, below.
WITNESSES = {
    "conductor-died": ("Nova's record of the migration", "Nova's service list", "libvirt"),
    "connection-half-open": ("the sockets of its own node", "the sockets of the other end"),
    "guest-elsewhere": ("Nova's server", "libvirt on its node", "libvirt on the other node"),
    "memcached-silent": ("systemd: it runs", "its port: no answer"),
    "no-domain": ("Nova's server", "libvirt on its node", "libvirt where it was moved to"),
    "no-record": (
        "Nova's server", "Nova's migrations", "Nova's service list", "libvirt on its node: no job",
    ),
    "order-lost": (
        "Nova's record of the migration", "Nova's service list", "libvirt on both nodes: no job",
    ),
}  # fmt: skip

# Those that change nothing of their own: somebody is told, or asked, and decides.
SAID = {
    "confirm-lost": "let it go, see what",
    "volume-gone": "has to come back from a backup",
    "binding-left": "the new plan first removes that binding",
    "gate/guarded": "use no gate",
    "reattach/forced-down": "once it is certain what runs there",
    "reboot/forced-down": "once it is certain what runs there",
    "recover/forced-down": "once it is certain what runs there",
    "start/forced-down": "once it is certain what runs there",
    "forced-down": "once it is certain what runs there",
    "not-a-unit": "once the node is empty",
}

RULES = {
    **{each.name: each.remedy for each in every_rule()},
    **{f"{each.name}": each.remedy for each in symptoms.ALL},
    **{each.name: each.remedy for each in stuck.ALL},
}
LETS_GO = {each.name for each in stuck.ALL if each.lets_go}  # those words come with a reset
HARMING = sorted(name for name, remedy in RULES.items() if HARMS.search(remedy) or name in LETS_GO)


def test_each_remedy_that_harms_is_known_to_rest_on_two_sources() -> None:
    unknown = [each for each in HARMING if each not in {*LOOKS, *WITNESSES, *SAID}]

    assert unknown == []


@pytest.mark.parametrize("name", [each for each in HARMING if each in {**LOOKS, **SAID}])
def test_the_look_stands_in_the_remedy_before_what_harms(name: str) -> None:
    remedy, look = RULES[name], {**LOOKS, **SAID}[name]

    assert look in remedy
    if name not in SAID:
        harm = HARMS.search(remedy)
        assert harm is not None
        assert remedy.index(look) <= harm.start()


@pytest.mark.parametrize("status", volumes.ALL)
def test_a_volume_is_reset_or_removed_only_after_a_look_at_the_guest_or_its_owner(
    status: str,
) -> None:
    advice = volumes.ALL[status].advice
    harm = HARMS.search(advice)

    assert harm is not None
    looks = [advice.find(each) for each in ("look first", "ask its owner")]
    assert any(0 <= place < harm.start() for place in looks)


def test_a_nova_compute_is_restarted_once_no_move_goes_on_there() -> None:
    """Its restart gives up the live migrations that it drives."""
    words = {"what": "no answer", "restart": "systemctl restart it"}

    restarted = RPC_DEAF.found("nova-compute", "c01", **words).remedy

    assert "`openstack server migration list`" in restarted
    assert "migration list" not in RPC_DEAF.found("nova-conductor", "ctl", **words).remedy


def test_what_a_restart_of_the_message_bus_leaves_behind_is_started_too() -> None:
    words = {
        "what": "its id",
        "restart": "systemctl restart it",
        "log": "its log",
        "processes": "ps",
    }

    restarted = PROCESS_SILENT.found("dbus", "c01", **words).remedy

    assert "`systemctl restart systemd-logind`" in restarted
    assert "`systemctl restart systemd-networkd`" in restarted
    assert "if libvirt is a unit of the node, that unit (`libvirtd` or `virtqemud`)" in restarted
    assert "logind" not in PROCESS_SILENT.found("memcached", "c01", **words).remedy


SOURCE = "compute-07"
RUNS = Guest(node=SOURCE, state="running")
AT_WORK = (replace(RUNS, has_job=True), Guest(node="compute-08", state="paused"))
RECORDS = [None, "accepted", "queued", "running", "confirming", "completed", "migrating"]


def a_stalled_move(status: str | None, **changes: Any) -> StalledMove:  # noqa: ANN401  # any field
    """Return a move in which nothing has happened for an hour."""
    migration = Migration(
        id=7, uuid="m", server="s", kind="live-migration", status=status or "", source=SOURCE,
        target="compute-08",
    )  # fmt: skip
    move = StalledMove(
        server=a_server(task_state="migrating"),
        source=SOURCE,
        migration=migration if status else None,
        quiet_s=3600,
    )
    return replace(move, **changes)


@pytest.mark.parametrize("status", RECORDS)
@pytest.mark.parametrize("dead", [(), ("nova-conductor",), (SOURCE,)])
@pytest.mark.parametrize("guests", [Unread("no answer"), AT_WORK])
def test_no_stuck_move_is_restarted_or_reset_on_novas_word_alone(
    status: str | None, dead: tuple[str, ...], guests: tuple[Guest, ...] | Unread
) -> None:
    """Where libvirt could not be asked, or works on the move, its remedy ends nothing."""
    found = stuck.find_stuck(a_stalled_move(status, dead=frozenset(dead), guests=guests))

    remedy = found.remedy if found else ""
    assert HARMS.search(remedy) is None
    assert "shut down the other" not in remedy


# --- each witness, taken away --------------------------------------------------------------------

HERE = (replace(RUNS, node=SOURCE), Guest(node="compute-08", state=None))
ELSEWHERE = (Guest(node="compute-08", state="running"),)
NO_CONDUCTOR = frozenset({"nova-conductor"})
DB = an_id("db-01")
Offered = dict[str, str]  # the remedies of all that was found, by the rule


def of_move(status: str | None = None, **changes: Any) -> Offered:  # noqa: ANN401  # any field
    """Return what is offered for a move in which nothing happens, its guest being at home."""
    found = stuck.find_stuck(a_stalled_move(status, **{"guests": HERE, **changes}))
    return {found.state.name: found.remedy} if found else {}


def of_server(**changes: Any) -> Offered:  # noqa: ANN401  # any field
    """Return what is offered for a server that should run, and is not on its node."""
    server = changes.pop("server", a_server())
    node = replace(a_node(server), **{"domains": (), **changes})
    plan = plan_drain(node, DrainRequest(node=SOURCE, reason="DIMM"))
    blockers = {each.worry: each.remedy for each in plan.blockers}
    return blockers | {each.worry: each.remedy for each in plan.warnings}


def of_site(*changes: Callable[[Site], None]) -> Offered:
    """Return what is offered for a cloud in which all this is so."""
    site = Site()
    for change in changes:
        change(site)
    return {each.rule: each.remedy for each in site.look().findings}


def forgotten(site: Site) -> None:
    """Let the other end know none of the connections of c01."""
    sockets = site.told("ctl")["sockets"]
    sockets["out"] = "\n".join(
        line for line in sockets["out"].splitlines() if "10.77.1.11" not in line or ":6642 " in line
    )


def mute(site: Site) -> None:
    site.told("ctl").update(memcached={"error": "timed out"})


def unread(node: str, what: str) -> Callable[[Site], None]:
    """Let nothing be known of what a command on a node would say."""
    silent = {"code": None, "out": "", "err": "no answer in time"}

    def change(site: Site) -> None:
        told = site.told(node)
        (told if what in told else told["commands"])[what] = silent

    return change


def gone(node: str) -> Callable[[Site], None]:
    return lambda site: site.nodes.told.update({node: NO_ROUTE})


def sees_no_owners(node: str) -> Callable[[Site], None]:
    """Let `ss` name no process, as it does for who is not root."""

    def change(site: Site) -> None:
        sockets = site.told(node)["sockets"]
        sockets["out"] = re.sub(r"users:\(\(.*?\)\)", "", sockets["out"])

    return change


WHOLE: dict[str, Callable[[], Offered]] = {
    "conductor-died": lambda: of_move("accepted", dead=NO_CONDUCTOR),
    "connection-half-open": lambda: of_site(forgotten),
    "guest-elsewhere": lambda: of_server(guest_locations={DB: ELSEWHERE}),
    "memcached-silent": lambda: of_site(mute),
    "no-domain": lambda: of_server(guest_locations={DB: HERE[1:]}),
    "no-record": of_move,
    "order-lost": lambda: of_move("queued"),
}
NO_LIBVIRT: dict[str, Any] = {
    "could not be asked": Unread("no answer"),
    "works on it": AT_WORK,
    "is not what the hypervisor is": (),
}
# By the rule and the witness: the ways in which it does not say any more what the rule rests on.
WITHOUT: dict[tuple[str, str], dict[str, Callable[[], Offered]]] = {
    ("conductor-died", "Nova's record of the migration"): {
        f"it is {status or 'not there'}": partial(of_move, status, dead=NO_CONDUCTOR)
        for status in RECORDS
        if status != "accepted"
    },
    ("conductor-died", "Nova's service list"): {
        "it is up": lambda: of_move("accepted", quiet_s=200),
        "its cell does not answer": lambda: of_move("accepted", is_conductor_known=False),
    },
    ("conductor-died", "libvirt"): {
        how: partial(of_move, "accepted", dead=NO_CONDUCTOR, guests=guests)
        for how, guests in NO_LIBVIRT.items()
    },
    ("no-record", "Nova's server"): {
        "it is not being moved": lambda: of_move(server=a_server()),
    },
    ("no-record", "Nova's migrations"): {
        f"one is {status}": partial(of_move, status) for status in RECORDS if status
    },
    ("no-record", "Nova's service list"): {
        "no conductor is up": lambda: of_move(dead=NO_CONDUCTOR),
        "its cell does not answer": lambda: of_move(is_conductor_known=False),
    },
    ("no-record", "libvirt on its node: no job"): {
        how: partial(of_move, guests=guests) for how, guests in NO_LIBVIRT.items()
    },
    ("order-lost", "Nova's record of the migration"): {
        f"it is {status or 'not there'}": partial(of_move, status)
        for status in (None, "preparing", "pre-migrating", "error")
    },
    ("order-lost", "Nova's service list"): {
        "its source is dead": lambda: of_move("queued", dead=frozenset({SOURCE})),
        "its cell does not answer": lambda: of_move("accepted", is_conductor_known=False),
    },
    ("order-lost", "libvirt on both nodes: no job"): {
        f"{how}, {status}": partial(of_move, status, guests=guests)
        for how, guests in NO_LIBVIRT.items()
        for status in ("accepted", "queued", "running")
    },
    ("no-domain", "Nova's server"): {
        "it is off": lambda: of_server(server=a_server("SHUTOFF"), guest_locations={DB: HERE[1:]}),
        "it is busy": lambda: of_server(
            server=a_server(task_state="powering-on"), guest_locations={DB: HERE[1:]}
        ),
    },
    ("no-domain", "libvirt on its node"): {
        "could not be asked": lambda: of_server(domains=Unread("no answer")),
    },
    ("no-domain", "libvirt where it was moved to"): {
        "could not be asked": lambda: of_server(guest_locations={DB: Unread("no answer")}),
        "is not known": lambda: of_server(guest_locations={DB: ()}),
        "was not looked for": of_server,
    },
    ("guest-elsewhere", "Nova's server"): {
        "it is off": lambda: of_server(server=a_server("SHUTOFF"), guest_locations={DB: ELSEWHERE}),
        "it is busy": lambda: of_server(
            server=a_server(task_state="migrating"), guest_locations={DB: ELSEWHERE}
        ),
    },
    ("guest-elsewhere", "libvirt on its node"): {
        "could not be asked": lambda: of_server(
            domains=Unread("no answer"), guest_locations={DB: ELSEWHERE}
        ),
    },
    ("guest-elsewhere", "libvirt on the other node"): {
        "could not be asked": lambda: of_server(guest_locations={DB: Unread("no answer")}),
        "is not known": lambda: of_server(guest_locations={DB: ()}),
    },
    ("connection-half-open", "the sockets of its own node"): {
        "could not be read": lambda: of_site(forgotten, unread("c01", "sockets")),
        "name no process": lambda: of_site(forgotten, sees_no_owners("c01")),
        "it does not answer": lambda: of_site(forgotten, gone("c01")),
    },
    ("connection-half-open", "the sockets of the other end"): {
        "could not be read": lambda: of_site(forgotten, unread("ctl", "sockets")),
        "name no process": lambda: of_site(forgotten, sees_no_owners("ctl")),
        "it does not answer": lambda: of_site(forgotten, gone("ctl")),
    },
    ("memcached-silent", "systemd: it runs"): {
        "could not be asked": lambda: of_site(mute, unread("ctl", "units")),
        "it does not run": lambda: of_site(
            mute, lambda site: site.stop("ctl", "memcached.service")
        ),
    },
    ("memcached-silent", "its port: no answer"): {
        "was not asked": lambda: of_site(lambda site: site.told("ctl").update(memcached={})),
        "answers": of_site,
        "says what makes no sense": lambda: of_site(
            lambda site: site.told("ctl").update(memcached={"out": "STAT"})
        ),
        "it does not answer": lambda: of_site(mute, gone("ctl")),
    },
}
TAKEN_AWAY = [
    pytest.param(rule, offered, id=f"{rule}, {witness}: {how}")
    for (rule, witness), ways in WITHOUT.items()
    for how, offered in ways.items()
]


def harms(remedy: str) -> bool:
    """Say whether a remedy ends or changes something before it has another source looked at."""
    found = HARMS.search(remedy)
    return found is not None and "look first" not in remedy[: found.start()]


def test_each_rule_has_two_witnesses_at_least_and_each_of_them_is_taken_away() -> None:
    each = {(rule, one) for rule, witnesses in WITNESSES.items() for one in witnesses}

    assert each == {*WITHOUT}
    assert min(map(len, WITNESSES.values())) > 1


@pytest.mark.parametrize("name", WITNESSES)
def test_the_remedy_is_offered_where_all_witnesses_say_so(name: str) -> None:
    assert harms(WHOLE[name]()[name])


@pytest.mark.parametrize(("rule", "offered"), TAKEN_AWAY)
def test_without_one_of_its_witnesses_a_rule_offers_nothing_that_harms(
    rule: str, offered: Callable[[], Offered]
) -> None:
    """Another rule may speak then: by its own witnesses, or its own look."""
    found = offered()

    assert not harms(found.get(rule, ""))
    assert {name for name, remedy in found.items() if harms(remedy)} <= {*WITNESSES, *LOOKS, *SAID}


# What can be waited for: who ends it, and what the remedy says where nobody does.
WAITS = {
    "boot/busy": ("Nova ends its task", "if it never is"),
    "boot/differs": ("Nova looks every ten minutes", "if they still differ"),
    "busy": ("Nova ends its task", "if it never is"),
    "building": ("Nova builds it", "if it never is"),
    "evacuate/ha-acts": ("the instance-HA service ends it", "if it stays `error` or `failed`"),
    "evacuate/locked": ("the lease of the dead node ends", "If the lock stays"),
    "evacuate/order-may-come": ("a conductor starts it", "if the conductor never starts it"),
    "galera-member-behind": ("the donor gives it its data", "if it stays so"),
    "incoming-migration": ("Nova moves it", "if it never ends"),
    "ovsdb-joining": ("its cluster takes it in", "if it stays so"),
    "reattach/busy": ("Nova ends its task", "if it never is"),
    "reboot/busy": ("Nova ends its task", "if it never is"),
    "reboot/guest-busy": ("libvirt ends its job", "if it never does"),
    "recover/node-down": ("the machine boots", "if it does not come up"),
    "start/busy": ("Nova ends its task", "if it never is"),
    "start/guest-runs": ("Nova looks every ten minutes", "where it does not"),
    "states-disagree": ("Nova looks every ten minutes", "if Nova's states still disagree"),
    "stuck-migration": ("Nova moves it, or the next plan names it", "or the plan names the cause"),
    "unit-starting": ("systemd starts it", "if it stays so"),
    "volume-migrates": ("Cinder moves it", "if it does not change for hours"),
}
FOR_EVER = re.compile(r"\bwait(?!s| in vain| for it)\b|in five minutes|in some minutes")


def test_every_remedy_that_waits_says_what_to_do_where_that_never_ends() -> None:
    """F36: waiting for `in-use` of a volume in error can never end."""
    waiting = [name for name, remedy in RULES.items() if FOR_EVER.search(remedy)]

    assert sorted(waiting) == sorted(WAITS)
    assert [name for name, (_, otherwise) in WAITS.items() if otherwise not in RULES[name]] == []


# Where each remedy that harms is carried out on a lab: the fault is made for real, the remedy's own
# words are followed, and a look proves the state. The file in tests/lab/soak, and the test.
OF_FINDINGS = ("remedies", "the_command_of_a_remedy_mends_what_was_found")
SERVERS = "remedies_of_servers"
CLAIMED = "a_node_that_somebody_has_claimed_is_enabled_once_that_is_settled"
STATES = "remedies_of_states"
RESIZED = "a_resize_is_confirmed_or_reverted_as_its_owner_says"
CARRIED_OUT = {
    "recover/task-left": (
        "recover",
        "a_task_that_the_loss_has_ended_is_named_and_its_remedy_settles_it",
    ),
    "application-not-loaded": OF_FINDINGS,
    "auto-disabled": (
        "remedies",
        "a_node_that_nova_disabled_and_did_not_enable_again_is_enabled_by_a_restart",
    ),
    "awaits-confirmation": (STATES, RESIZED),
    "claimed": (SERVERS, CLAIMED),
    "completed-not-moved": (
        STATES,
        "a_server_that_stayed_although_its_move_is_completed_is_let_go_and_moves",
    ),
    "conductor-died": (
        "stuck",
        "a_move_whose_conductor_is_gone_is_named_and_let_go_by_its_source",
    ),
    "evacuate/living-copy": (
        "one_living_copy",
        "once_that_guest_is_ended_the_server_is_brought_up_once",
    ),
    "confirm-lost": ("stuck", "a_confirmation_that_was_lost_is_named"),
    "connection-half-open": OF_FINDINGS,
    "connection-missing": OF_FINDINGS,
    "domain-disagrees": (SERVERS, "a_guest_of_which_nova_says_otherwise_runs_again"),
    "forced-down": (SERVERS, "a_node_that_was_forced_down_is_up_again"),
    "foreign-claim": (SERVERS, CLAIMED),
    "guest-elsewhere": (
        STATES,
        "a_guest_that_libvirt_has_moved_and_nova_has_not_comes_home_with_its_data",
    ),
    "heartbeat-lost": OF_FINDINGS,
    "libvirt-silent": OF_FINDINGS,
    "masked-but-runs": OF_FINDINGS,
    "memcached-silent": OF_FINDINGS,
    "no-domain": (SERVERS, "a_guest_that_is_gone_is_made_anew"),
    "no-record": ("stuck", "an_order_that_was_lost_on_its_way_to_the_conductor_is_named"),
    "not-a-unit": (
        "remedies_of_nodes",
        "a_nova_compute_that_is_no_unit_is_left_on_and_stopped_by_what_manages_it",
    ),
    "not-in-inventory-and-down": (
        "remedies",
        "what_a_machine_that_is_gone_left_behind_is_removed",
    ),
    "old-name-down": ("remedies", "the_record_of_an_old_name_is_removed"),
    "off-the-bus": OF_FINDINGS,
    "order-lost": ("stuck", "a_move_whose_conductor_was_killed_is_named"),
    "other-unit-failed": OF_FINDINGS,
    "own-queue-missing": OF_FINDINGS,
    "own-queue-unbound": OF_FINDINGS,
    "own-queue-unread": OF_FINDINGS,
    "port-elsewhere": (SERVERS, "a_port_that_is_bound_elsewhere_is_bound_anew"),
    "process-silent": OF_FINDINGS,
    "process-stopped": OF_FINDINGS,
    "rabbitmq-silent": OF_FINDINGS,
    "record-missing": (
        "remedies",
        "what_has_lost_its_record_while_it_ran_makes_one_when_it_is_started_anew",
    ),
    "rpc-deaf": OF_FINDINGS,
    "second-compute": ("remedies_of_nodes", "of_two_nova_computes_of_a_node_one_is_left"),
    "shelved": (STATES, "a_shelved_server_is_offloaded_or_brought_back"),
    "soft-deleted": (
        "remedies_of_states",
        "a_soft_deleted_server_is_restored_or_removed_as_its_owner_says",
    ),
    "states-disagree": (SERVERS, "a_guest_that_was_paused_behind_novas_back_runs_again"),
    "stray-domain": (SERVERS, "a_guest_that_nova_does_not_know_is_shut_down_or_ended"),
    "switched-off": OF_FINDINGS,
    "switched-off-here": (
        "remedies",
        "one_of_two_that_is_switched_off_is_retired_or_brought_back",
    ),
    "table-broken": OF_FINDINGS,
    "unit-ended": (
        "remedies",
        "a_script_of_init_d_whose_process_has_ended_is_found_and_started_anew",
    ),
    "unknown-port": (SERVERS, "a_port_of_no_known_kind_is_detached"),
    "gate-shut": ("gate", "a_node_that_waits_at_its_gate_is_opened"),
    "verify-resize": (STATES, RESIZED),
    "volume-gone": (
        "remedies_of_volumes",
        "a_volume_that_cinder_has_forgotten_is_not_removed_by_nova_but_found_again",
    ),
}
LAB_OF_VOLUMES = {
    "volume-apart": "a_stale_attachment_is_made_anew",
    "volume-busy": "a_volume_that_its_guest_has_is_in_use_again",
    "volume-in-error": "a_volume_that_its_guest_has_lost_is_detached",
}

# Those that no lab carries out, with why. The blockers among them are followed on fakes: each has a
# case in tests/operations/*/test_remedies.py; the findings have a test that meets their state.
_ONE_OF_IT = "the lab has one {}, and no cluster of it"
_NO_FENCE = "followed on fakes: tests/operations/fence_compute_node; on no lab as yet"
_NO_EVACUATION = "followed on fakes: tests/operations/evacuate_compute_node; on no lab as yet"
_NO_RETURN = "followed on fakes: tests/operations/return_compute_node; on no lab as yet"
_NO_REBOOT = "followed on fakes: tests/operations/reboot_server; on no lab as yet"
NOT_ON_THE_LAB = {
    "application-silent": "the lab has no web server before its applications: uWSGI is all of it",
    "binding-left": "Nova leaves one only if it chose another target: not every time",
    "building": "the owner decides, and no order is named",
    "engine-silent": "the lab has no containers; its look: soak/check/test_takes_no_writes.py",
    "evacuate/claimed": _NO_EVACUATION,
    "evacuate/left-binding": _NO_EVACUATION,
    "evacuate/may-not-end": _NO_EVACUATION,
    "evacuate/resized": _NO_EVACUATION,
    "evacuation/lives-on-source": _NO_RETURN,
    "fence/alive": _NO_FENCE,
    "fence/miscounted": _NO_FENCE,
    "gate/guarded": "followed on fakes: tests/operations/change_boot_gate",
    "galera-not-ready": _ONE_OF_IT.format("MariaDB"),
    "lives-on-source": "its words are those of evacuation/lives-on-source",
    "mariadb-read-only": "its order is how the mutations of the lab are mended (lab/mutants.py)",
    "masked-and-fallen": "its orders are those of switched-off, which is carried out",
    "node-late": "its order is how the mutations of the lab are mended (lab/mutants.py)",
    "ovsdb-failed": _ONE_OF_IT.format("server of each OVN database"),
    "queues-unread": "it names no order: which service should read is for the operator to see",
    "rabbitmq-partition": _ONE_OF_IT.format("RabbitMQ"),
    "reconcile/age-unknown": "followed on fakes: tests/operations/reconcile_cloud",
    "reconcile/claimed": "followed on fakes: tests/operations/reconcile_cloud",
    "reconcile/disabled": "followed on fakes: tests/operations/reconcile_cloud",
    "reconcile/gone-node-first": "followed on fakes: tests/operations/reconcile_cloud",
    "reconcile/name-alone": "followed on fakes: tests/operations/reconcile_cloud",
    "reconcile/node-evacuated": "followed on fakes: tests/operations/reconcile_cloud",
    "reconcile/no-provider": "followed on fakes: tests/operations/reconcile_cloud",
    "reconcile/node-holds": "followed on fakes: tests/operations/reconcile_cloud",
    "reconcile/not-named": "carried out on the lab by tests/lab/soak/reconcile",
    "reconcile/only-by-id": "followed on fakes: tests/operations/reconcile_cloud",
    "reattach/device-moves": "followed on fakes: tests/operations/reattach_volumes",
    "reattach/encrypted": "the lab has no keys of volumes",
    "reattach/forced-down": "its words are those of forced-down, which is carried out",
    "reattach/no-device": "libvirt gives each disk of the lab a device: met on fakes",
    "reattach/other-server": "followed on fakes: tests/operations/reattach_volumes",
    "reattach/unknown-record": "the Nova of the lab says which attachment it uses",
    "recover/forced-down": "its words are those of forced-down, which is carried out",
    "return/disk-unread": _NO_RETURN,
    "return/disk-unseen": _NO_RETURN,
    "start/forced-down": "its words are those of forced-down, which is carried out",
    "reboot/forced-down": "its words are those of forced-down, which is carried out",
    "reboot/guest-disagrees": _NO_REBOOT,
    "reboot/in-error": _NO_REBOOT,
    "reboot/keeps-memory": _NO_REBOOT,
    "reboot/no-guest": _NO_REBOOT,
    "reboot/only-cinder": _NO_REBOOT,
    "reboot/only-nova": _NO_REBOOT,
    "recover/loses-attachment": "its order is that of reboot/only-cinder and reboot/only-nova",
}


def test_each_remedy_that_harms_is_carried_out_or_it_is_said_why_not() -> None:
    assert sorted([*CARRIED_OUT, *NOT_ON_THE_LAB]) == HARMING


@pytest.mark.parametrize("name", CARRIED_OUT)
def test_the_test_that_carries_a_remedy_out_is_there(name: str) -> None:
    file, test = CARRIED_OUT[name]
    [path] = (TESTS / "lab" / "soak").glob(f"*/test_{file}.py")
    text = path.read_text()

    assert f"def test_{test}(" in text
    assert CARRIED_OUT[name] != OF_FINDINGS or f'rule="{name}"' in text


@pytest.mark.parametrize("rule", sorted({each.rule.name for each in volumes.ALL.values()}))
def test_the_test_that_carries_a_remedy_of_a_volume_out_is_there(rule: str) -> None:
    text = (TESTS / "lab" / "soak" / "remedies" / "test_remedies_of_volumes.py").read_text()

    assert f"def test_{LAB_OF_VOLUMES[rule]}(" in text


@pytest.mark.parametrize("name", NOT_ON_THE_LAB)
def test_what_no_lab_carries_out_is_met_on_fakes(name: str) -> None:
    shown = ("policy/test_*.py", "health/test_*.py", "operations/*/test_remedies.py")
    places = [path for each in shown for path in TESTS.glob(each)]
    places += [TESTS / "status" / "test_stuck.py"]
    subject, _, own = name.rpartition("/")
    if subject:  # a rule of one operation, which its own tests call by its last word
        places = [*(TESTS / "operations").glob(f"{subject}_*/test_[!r]*.py")] or places
    texts = [each.read_text() for each in places if each != Path(__file__)]

    assert any(f'"{own}"' in text or f'"{name}"' in text for text in texts)
