"""What nodes tell, read: pasted real outputs in, values out."""

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fakes.nodes import sample
from stackward.answers import ODD, lines
from stackward.facts.services_on_node import (
    Said,
    parse_bound,
    parse_broker,
    parse_cache,
    parse_database,
    parse_libvirt,
)
from stackward.facts.survey import (
    facts_in,
    owner_of,
    parse_containers,
    parse_filesystems,
    parse_links,
    parse_listeners,
    parse_survey,
    parse_units,
)
from stackward.model.blind import Blind
from stackward.model.cloud_state import NO_TIME
from stackward.model.survey import (
    Broker,
    DatabaseServer,
    Queue,
    Survey,
    Unseen,
    Wait,
)

SOCKETS = """\
LISTEN 0 1000 *:16509 *:* users:(("libvirtd",pid=144,fd=6),("systemd",pid=1,fd=57))
ESTAB      0      0      10.77.1.11:47004 10.77.1.10:6642  users:(("ovn-controller",pid=225,fd=30))
ESTAB 0 0 [::ffff:10.77.1.10]:5672 [::ffff:10.77.1.12]:43030 users:(("beam.smp",pid=88,fd=40))
CLOSE-WAIT 982    0       127.0.0.1:43530  127.0.0.1:6640  users:(("nova-compute",pid=184,fd=23))
ESTAB      0      0       127.0.0.1:54151  127.0.0.1:32768
"""
OWNERS = {
    "144": "libvirtd.service",
    "1": None,
    "225": "ovn-controller.service",
    "88": "rabbitmq-server.service",
    "184": "nova-compute.service",
}
DOCKER = """\
{"Command":"\\"dumb-init --single-\\u2026\\"","ID":"4f1c0e5b7d2a9c3e8f6b1a0d5c4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e","Image":"kolla/nova-compute:2025.1","Names":"nova_compute","State":"running","Status":"Up 3 weeks (unhealthy)"}
{"Command":"\\"dumb-init --single-\\u2026\\"","ID":"9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b","Image":"kolla/nova-libvirt:2025.1","Names":"nova_libvirt","State":"exited","Status":"Exited (1) 5 minutes ago"}
"""  # noqa: E501  # as Docker prints it
PODMAN = '{"Id":"4f1c0e5b7d2a","Names":["nova_compute"],"State":"running","Status":"Up 3 weeks"}\n'


def line_by_line(block: str) -> dict[str, str] | str:
    """Read facts as plainly as that can be done; return the first line that is none."""
    found = {}
    for line in lines(block):
        fact = re.fullmatch(r"(\w+)=(.*)", line)
        if fact is None:
            return line
        found[fact[1]] = fact[2]
    return found


def at_once(block: str) -> dict[str, str] | str:
    try:
        return facts_in(block)
    except ValueError as error:
        [line] = error.args
        return str(line)


@given(st.lists(st.sampled_from([*"aZ_9ä= \r\t\x0b\x85\u2028", "\n", "\n", "Id="])).map("".join))
@example("Id=a.service\nLoadState=loaded\n")
@example("\nId=a.service\r\nLoadState=loaded")
@example("Id=a.service\nno fact\nLoadState=")
def test_facts_read_at_once_are_those_of_the_lines_one_by_one(block: str) -> None:
    assert at_once(block) == line_by_line(block)


def survey_of(node: str) -> Survey:
    told = sample(node)
    return parse_survey(node, json.dumps(told), took_s=0.4, asked_at=told["now"] - 0.2)


def answered(out: str = "", code: int | None = 0, err: str = "") -> Said:
    return Said(code=code, out=out, err=err)


def test_the_units_of_a_node_are_those_that_exist_there() -> None:
    units = survey_of("c01").units

    assert not isinstance(units, Unseen)
    assert units["nova-compute.service"].active == "active"
    assert "keystone.service" not in units


def test_a_unit_that_only_another_wants_belongs_on_the_node() -> None:
    """Debian's ovn-controller is static: ovn-host wants it."""
    units = survey_of("c01").units

    assert not isinstance(units, Unseen)
    assert units["ovn-controller.service"].is_wanted


def test_a_unit_that_is_installed_and_disabled_does_not() -> None:
    units = survey_of("ctl").units

    assert not isinstance(units, Unseen)
    assert not units["nova-api-metadata.service"].is_wanted


def test_units_that_cannot_be_asked_for_are_not_none() -> None:
    told = {"units": answered(code=1, err="Failed to connect to bus: No such file or directory")}

    assert parse_units(told, monotonic=1) == Unseen(
        "systemd does not answer: Failed to connect to bus: No such file or directory", Blind.SILENT
    )


def test_units_that_no_time_was_left_for_are_not_asked_and_no_systemd_is_accused() -> None:
    told = {"units": answered(code=None, err=NO_TIME)}

    assert parse_units(told, monotonic=1) == Unseen(NO_TIME, Blind.NOT_ASKED)


def test_connections_belong_to_units_and_a_half_closed_one_is_none() -> None:
    assert [(one.owner, one.far, one.far_port) for one in parse_links(SOCKETS, OWNERS)] == [
        ("ovn-controller.service", "10.77.1.10", 6642),
        ("rabbitmq-server.service", "10.77.1.12", 43030),
        (None, "127.0.0.1", 32768),
    ]


def test_a_socket_that_systemd_holds_too_is_the_services() -> None:
    [listener] = parse_listeners(SOCKETS, OWNERS)

    assert (listener.port, listener.owner) == (16509, "libvirtd.service")


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        pytest.param("/system.slice/nova-compute.service", "nova-compute.service", id="unit"),
        pytest.param("/system.slice/docker-4f1c0e5b7d2a9c3e.scope", "nova_compute", id="Docker"),
        pytest.param("/machine.slice/libpod-4f1c0e5b7d2a9c3e.scope/c", "nova_compute", id="Podman"),
        pytest.param("/user.slice/user-0.slice/session-c38.scope", None, id="somebody's shell"),
        pytest.param("", None, id="ended meanwhile"),
    ],
)
def test_whose_a_process_is(path: str, owner: str | None) -> None:
    assert owner_of(path, {"4f1c0e5b7d2a9c3e": "nova_compute"}) == owner


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_containers_are_read_of_either_engine(engine: str) -> None:
    told = {f"containers of {engine}": answered(DOCKER if engine == "docker" else PODMAN)}

    first = parse_containers(told)[0]

    assert (first["name"], first["state"]) == ("nova_compute", "running")


def test_a_kolla_node_is_read_by_its_containers() -> None:
    told = sample("c01")
    told["commands"]["containers of docker"] = answered(DOCKER)
    units = parse_survey("c01", json.dumps(told), took_s=1, asked_at=told["now"]).units

    assert not isinstance(units, Unseen)
    assert (units["nova_compute"].result, units["nova_libvirt"].active) == ("unhealthy", "inactive")


def test_a_file_system_of_a_network_is_measured_aside_and_may_hang() -> None:
    given = [{"mount": "/mnt/nfs", "type": "nfs4", "source": "nas:/v", "read_only": False}]
    late = {"statfs /mnt/nfs": answered(code=None, err="no answer in time")}

    [one] = parse_filesystems(given, late)

    assert one.error == "no answer in time"


def test_its_room_is_read() -> None:
    given = [{"mount": "/mnt/nfs", "type": "nfs4", "source": "nas:/v", "read_only": False}]

    [one] = parse_filesystems(given, {"statfs /mnt/nfs": answered("4096 1000 250 500 100\n")})

    assert (one.size, one.free, one.inodes_free) == (4_096_000, 1_024_000, 100)


# --- the services' own tools --------------------------------------------------------------------


def test_rabbitmq_is_read() -> None:
    broker = survey_of("ctl").broker

    assert isinstance(broker, Broker)
    assert (broker.alarms, broker.running) == ((), ("rabbit@ctl",))
    assert "compute.c01" in {queue.name for queue in broker.queues or ()}


def test_a_queue_is_a_line() -> None:
    told = sample("ctl")
    told["commands"]["rabbitmq queues"]["out"] = "compute.c01\t2\t1\tquorum\n"

    broker = parse_survey("ctl", json.dumps(told), took_s=0.4, asked_at=told["now"]).broker

    assert isinstance(broker, Broker)
    assert list(broker.queues or ()) == [
        Queue(name="compute.c01", messages=2, consumers=1, type="quorum")
    ]


def test_the_nameless_exchange_counts_for_nothing() -> None:
    out = "\tcompute.c01\tcompute.c01\nnova\tcompute.c02\tcompute.c02\n"

    assert parse_bound(out) == {"compute.c02"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(answered(code=69, err="Error: unable to connect to node"), Blind.SILENT),
        pytest.param(answered(code=None, err="no answer in time"), Blind.SILENT),
        pytest.param(answered(code=124), Blind.SILENT),
        pytest.param(answered(code=1, err="sudo: a password is required"), Blind.REFUSED),
    ],
)
def test_a_tool_that_fails_says_how(answer: Said, kind: Blind) -> None:
    broker = parse_broker({"rabbitmq cluster": answer}, hears_amqp=False)
    server = parse_database({"mariadb": answer})

    assert isinstance(broker, Unseen)
    assert isinstance(server, Unseen)
    assert (broker.kind, server.kind) == (kind, kind)


@pytest.mark.parametrize(
    ("hears", "kind"), [(True, Blind.LATE), (False, Blind.SILENT), (None, Blind.LATE)]
)
def test_a_late_rabbitmqctl_alone_shows_nothing_unless_rabbitmq_does_not_answer_amqp(
    hears: bool | None,  # noqa: FBT001  # a parameter of the test
    kind: Blind,
) -> None:
    late = {"rabbitmq cluster": answered(code=None, err="no answer in time")}

    broker = parse_broker(late, hears_amqp=hears)

    assert broker == Unseen("no answer in time", kind)


CLUSTER = '{"disk_nodes": ["rabbit@a"], "running_nodes": ["rabbit@a"], "alarms": []}'
ALL_VHOSTS = """\
[{"vhost":"/","up":true,"queues":[["compute.c01",0,1,"classic"]],"bindings":[["","compute.c01"],["nova","compute.c01"]]},\
{"vhost":"/heat","up":false,"queues":[["heat-engine",7,0,"quorum"],["old","","","classic"]],"bindings":[]}]
ok
"""


@pytest.mark.parametrize("out", ["", "\n"])
def test_a_rabbitmq_that_tells_nothing_of_all_virtual_hosts_is_read_one_by_one(out: str) -> None:
    told = {"rabbitmq cluster": answered(CLUSTER), "rabbitmq all": answered(out)}
    told["rabbitmq queues"] = answered("compute.c01\t0\t1\tclassic\n")

    broker = parse_broker(told)

    assert isinstance(broker, Broker)
    assert [one.name for one in broker.queues or ()] == ["compute.c01"]


def test_a_warning_before_what_rabbitmq_tells_of_all_virtual_hosts_is_none_of_it() -> None:
    plain = {"rabbitmq cluster": answered(CLUSTER), "rabbitmq all": answered(ALL_VHOSTS)}
    warned = {**plain, "rabbitmq all": answered(f"Warning: [old] cookie\n{ALL_VHOSTS}")}

    assert parse_broker(warned) == parse_broker(plain)


def broker_of(**commands: Said) -> Broker:
    told = {name.replace("_", " "): said for name, said in commands.items()}
    broker = parse_broker({"rabbitmq cluster": answered(CLUSTER), **told})
    assert isinstance(broker, Broker)
    return broker


def test_one_command_tells_of_all_virtual_hosts() -> None:
    broker = broker_of(rabbitmq_all=answered(ALL_VHOSTS))

    assert (broker.vhosts, broker.vhosts_down) == (("/", "/heat"), ("/heat",))
    assert broker.bound == frozenset({("/", "compute.c01")})
    assert broker.queues == (
        Queue(name="compute.c01", messages=0, consumers=1),
        Queue(name="heat-engine", messages=7, consumers=0, type="quorum", vhost="/heat"),
        Queue(name="old", messages=0, consumers=0, vhost="/heat", is_down=True),
    )
    assert (broker.queues_unread, broker.bound_unread, broker.odd_queues) == ((), (), ())


def test_where_it_may_not_be_asked_each_virtual_host_tells_of_itself() -> None:
    broker = broker_of(
        rabbitmq_all=answered(code=1, err="sudo: a password is required"),
        rabbitmq_vhosts=answered("/\n/heat\n"),
        rabbitmq_queues=answered("compute.c01\t0\t1\tclassic\n"),
    )

    assert [queue.name for queue in broker.queues or ()] == ["compute.c01"]
    assert broker.queues_unread == ("/heat",)
    assert broker.bound is None


@pytest.mark.parametrize(
    "told",
    [
        {"rabbitmq_all": answered(ALL_VHOSTS.replace("7,0", "-7,{}"))},
        {
            "rabbitmq_vhosts": answered("/heat\n"),
            "rabbitmq_queues_of_/heat": answered(
                "heat-engine\tmany\t0\tquorum\nold\t\t\tclassic\n"
            ),
        },
    ],
    ids=["of all at once", "of each"],
)
def test_a_queue_of_an_unknown_form_is_unknown_and_the_rest_is_known(told: dict[str, Said]) -> None:
    """It hid the broker, and so that a member of its cluster was missing."""
    broker = broker_of(**told)

    assert "old" in {queue.name for queue in broker.queues or ()}
    assert broker.queues_unread == ("/heat",)
    assert len(broker.odd_queues) == 1
    assert "heat-engine" in broker.odd_queues[0]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param(
            {"node": "rabbit@a", "type": "resource_limit", "resource": "memory"},
            "memory on rabbit@a",
            id="4.0",
        ),
        pytest.param({"resource": "disk", "node": "rabbit@a"}, "disk on rabbit@a", id="3.8"),
        pytest.param("memory", "memory", id="in one word"),
    ],
)
def test_an_alarm_says_what_is_short(given: object, says: str) -> None:
    told = json.loads(CLUSTER) | {"alarms": [given]}

    broker = parse_broker({"rabbitmq cluster": answered(json.dumps(told))})

    assert isinstance(broker, Broker)
    assert broker.alarms == (says,)


def test_a_container_that_is_not_there_is_no_broker() -> None:
    answer = answered(code=1, err="Error response from daemon: No such container: rabbitmq")

    assert parse_broker({"rabbitmq cluster": answer}) is None


def test_mariadb_is_read() -> None:
    server = survey_of("ctl").database

    assert isinstance(server, DatabaseServer)
    assert (server.is_galera, server.most_connections) == (False, 600)


# Recorded while `FLUSH TABLES WITH READ LOCK` was held; MariaDB 11.8.
LOCKED = """\
innodb_force_recovery\t0
innodb_read_only\tOFF
max_connections\t600
read_only\tON
wsrep_on\tOFF
Slave_running\tOFF
Threads_connected\t49
sessions\t48
Waiting for backup lock\t6 8
"""


def test_what_keeps_writes_from_mariadb_is_read() -> None:
    server = parse_database({"mariadb": answered(LOCKED)})

    assert isinstance(server, DatabaseServer)
    assert (server.read_only, server.sessions) == (("read_only",), 48)
    assert server.waits == (Wait(state="Waiting for backup lock", count=6, longest_s=8),)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("read_only\tNO_LOCK_NO_ADMIN", ("read_only",), id="MariaDB 12"),
        pytest.param("super_read_only\tON", ("super_read_only",), id="MySQL 8"),
        pytest.param("innodb_read_only\t1", ("innodb_read_only",), id="a number"),
    ],
)
def test_each_way_to_be_read_only_is_known(line: str, expected: tuple[str, ...]) -> None:
    name = line.partition("\t")[0]
    kept = [one for one in LOCKED.splitlines() if not one.startswith((name, "read_only"))]

    server = parse_database({"mariadb": answered("\n".join([*kept, line]))})

    assert isinstance(server, DatabaseServer)
    assert server.read_only == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("read_only\tON", "read_only\tPERHAPS"),
        ("sessions\t48", ""),
        ("6 8", "6"),
        ("recovery\t0", "recovery\tfour"),
    ],
)
def test_what_is_not_known_of_mariadb_is_not_guessed(old: str, new: str) -> None:
    with pytest.raises(ODD):
        parse_database({"mariadb": answered(LOCKED.replace(old, new))})


def test_mariadb_that_lets_root_not_in_is_not_broken() -> None:
    says = "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: NO)"

    assert parse_database({"mariadb": answered(code=1, err=says)}) == Unseen(says, Blind.REFUSED)


def test_memcached_that_gives_nothing_is_silent() -> None:
    assert parse_cache({"out": ""}) == Unseen("it gave no statistics")


def test_libvirt_says_its_version() -> None:
    out = "Compiled against library: libvirt 11.3.0\nRunning against daemon: 11.3.0\n"

    assert parse_libvirt({"libvirt": answered(out)}) == "11.3.0"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(answered("oom-kill\n"), ("oom-kill",), id="read"),
        pytest.param(answered("-- No entries --\n"), (), id="nothing there"),
        pytest.param(
            answered(err="No journal files were opened due to insufficient permissions.\n"),
            ("(not read: its login is not in the group systemd-journal)",),
            id="not readable",
        ),
    ],
)
def test_last_words_that_may_not_be_read_are_said_to_be_unread(
    answer: Said, words: tuple[str, ...]
) -> None:
    block = "Id=nova-compute.service\nLoadState=loaded\nActiveState=failed\n"
    commands = {"units": answered(block), "log nova-compute.service": answer}

    units = parse_units(commands, monotonic=0)

    assert not isinstance(units, Unseen)
    assert units["nova-compute.service"].last_words == words
