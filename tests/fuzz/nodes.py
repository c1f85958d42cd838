"""What the tools of nodes answer, as a look at a cloud and a drain read it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from fakes.nodes import sample
from fakes.site import ANATOMY, Site
from fuzz.source import Came, Source
from stackward.errors import NotUnderstood
from stackward.facts.cloud_state import CheckRequest
from stackward.facts.disks_elsewhere import parse_disks
from stackward.facts.domains import parse_filesystem, read_domains
from stackward.facts.guest import parse_guest
from stackward.facts.guests import parse_guests_of
from stackward.facts.logs import parse_scan, places_of, to_event
from stackward.facts.machine import addresses_in, parse_sysinfo
from stackward.facts.maintenance import read_marks
from stackward.facts.pings import parse_pings
from stackward.facts.survey import parse_survey
from stackward.facts.tail import read_told
from stackward.facts.who_ran import read_guest_logs
from stackward.health.judge import judge_cloud
from stackward.health.looking import check_cloud
from stackward.logs.formats import parse
from stackward.model.blind import Blind
from stackward.model.cloud_state import CloudState, PingTarget, Rpc
from stackward.model.health import Gap, Health, State
from stackward.model.identity import Directory, Itself, Known
from stackward.model.survey import Broker, Survey, Unseen
from stackward.model.unread import Unread
from stackward.ports.compute_process import read_processes
from stackward.ports.libvirt import (
    read_boot,
    read_bytes_read,
    read_daemon,
    read_definition,
    read_ids,
    read_job,
    read_state,
)
from stackward.ports.shell import Answer, Rights
from stackward.ports.systemd import read_active, read_facts, read_version
from stackward.report.health import render_health
from stackward.report.tables import Form
from stackward.status.booted import read_booted, read_jobs
from stackward.status.witnesses import parse_hail

SAMPLES = Path(__file__).parent / "samples"
FACTS = Path(__file__).parents[1] / "facts/samples"
GUEST_AT = datetime(2026, 11, 28, tzinfo=UTC)
BLOCKS = "Domain: 'instance-00000005'\n  block.count=1\n  block.0.name=vda\n"
BLOCKS += "  block.0.rd.reqs=506\n  block.0.rd.bytes=14614528\n  block.0.wr.bytes=36864\n\n"
BOOTED = "1 (systemd) S 0 1 1 0 -1 4194560 3665 40841 1 0 17 13 32 21 20 0 1 0 3140094 23805952\n"
BOOTED += "cpu  1 2 3\nintr 1\nctxt 5\nbtime 1795805128\nprocesses 7\n"
BOOTED += "1c8b6a9e-5a1f-4a7c-9d3e-0f2b7c6d5e4f\n"
ODD = "answer-not-understood"
LIST = """\
84af16aa-743a-46ae-890a-872cbc025df1 instance-00000003
ec4b4d8b-781e-49bd-a4a2-cd5afcaba928 instance-00000004

"""
STATS = """\
Domain: 'instance-00000004'
  state.state=1
  state.reason=5
  block.count=1
  block.0.name=vda
  block.0.path=/var/lib/nova/instances/ec4b4d8b-781e-49bd-a4a2-cd5afcaba928/disk
  block.0.allocation=393216
  block.0.capacity=20971520
  block.0.physical=331776

Domain: 'instance-00000003'
  state.state=5
  state.reason=0
  block.count=0

"""
FINDMNT = json.dumps(
    {
        "filesystems": [
            {"target": "/var/lib/nova/instances", "source": "/dev/sda1", "fstype": "ext4"}
        ]
    }
)
PS = """\
      1 0::/init.scope  /usr/lib/systemd/systemd
     58 0::/system.slice/systemd-networkd.service  /usr/lib/systemd/systemd-networkd
    138 0::/system.slice/libvirtd.service  /usr/sbin/libvirtd --timeout 120
    183 0::/system.slice/nova-compute.service  /usr/bin/python3 /usr/bin/nova-compute
"""
DOCKER = (
    '{"ID":"4f1c0e5b7d2a9c3e","Names":"nova_compute","State":"running","Status":"Up 3 weeks"}\n'
)
PODMAN = '{"Id":"4f1c0e5b7d2a","Names":["nova_libvirt"],"State":"running","Status":"Up 3 weeks"}\n'
JOB = "Job type:         Unbounded\nTime elapsed:     1000         ms\nData total: 1.0 GiB\n\n"
UNIT = "Result=success\nNRestarts=0\nActiveState=active\nInvocationID=0762156c178e48e0\n"
PINGS = {
    "version": 1,
    "told": {
        "conductor.ctl": {"outcome": "answered", "took_s": 0.02},
        "scheduler.ctl": {"outcome": "not asked", "why": "FileNotFoundError"},
    },
}
TARGETS = [
    PingTarget(node="ctl", settings=(), exchange="nova", topic=topic, server="ctl")
    for topic in ("conductor", "scheduler")
]


SYSINFO = """\
<sysinfo type='smbios'>
  <bios>
    <entry name='vendor'>Dell Inc.</entry>
  </bios>
  <system>
    <entry name='manufacturer'>Dell Inc.</entry>
    <entry name='product'>PowerEdge R650</entry>
    <entry name='serial'>7XKQ2B3</entry>
    <entry name='uuid'>4c4c4544-0058-4b10-8051-b7c04f324233</entry>
  </system>
</sysinfo>

"""
IP_ADDR = """\
2: host0    inet 10.77.1.11/24 brd 10.77.1.255 scope global host0\\       valid_lft forever
4: br-ex    inet6 fd00:77::11/64 scope global \\       valid_lft forever preferred_lft forever
5: stor0    inet 10.77.2.11 peer 10.77.2.1/32 scope global stor0\\       valid_lft forever
"""
HAIL: dict[str, Any] = {
    "version": 1,
    "told": {
        "10.77.1.11": {"own": False, "ssh": "silent", "ping": False},
        "10.77.2.11": {"own": False, "ssh": "open", "ping": None},
    },
}
DISKS: dict[str, Any] = {  # as c02 of a lab answered, to which a disk was copied
    "version": 1,
    "told": {
        "5207b010-bf1e-42df-9895-0c0269510c6b": [
            {
                "path": "/var/lib/nova/instances/5207b010-bf1e-42df-9895-0c0269510c6b",
                "there": True,
                "writable": True,
                "disks": {"disk": ""},
                "locked": ["disk"],
                "written": 1795921325,
                "storage": "nfs4 nas:/instances",
                "place": "/5207b010-bf1e-42df-9895-0c0269510c6b",
                "unread": None,
            }
        ],
        "d2806656-8a9c-4b39-b53c-f10b998b38a6": [
            {
                "path": "/var/lib/nova/instances/d2806656-8a9c-4b39-b53c-f10b998b38a6",
                "there": False,
                "writable": None,
                "disks": {},
                "locked": [],
                "written": None,
                "storage": None,
                "place": None,
                "unread": None,
            }
        ],
    },
}
GUESTS: dict[str, Any] = {  # as c01 of a lab answered, to whose guest a volume was attached
    "version": 1,
    "guests": [
        {
            "uuid": "2c2d227a-4ad8-4bb4-a431-bf16aa422039",
            "name": "instance-00000010",
            "state": "1",
            "disks": [
                {
                    "device": "vda",
                    "path": "/var/lib/nova/instances/2c2d227a-4ad8-4bb4-a431-bf16aa422039/disk",
                    "serial": None,
                },
                {
                    "device": "vdb",
                    "path": "/var/lib/nova/mnt/5a1f/volume-0f1d1bd1-0a3c-4c4e-9a0b-c1b1f1f6d001",
                    "serial": "0f1d1bd1-0a3c-4c4e-9a0b-c1b1f1f6d001",
                },
            ],
            "novas": True,
        },
        {
            "uuid": "dccc08e0-e34b-4232-8afd-a1cb13dbfdd5",
            "name": "instance-00000011",
            "state": "5",
            "disks": None,
            "novas": None,
        },
    ],
    "unread": None,
}
IMAGES = "/var/lib/glance/images"
VGS = "  cinder-volumes wz--n- 1000204886016 53687091200\n  old wz--n- 500107862016 0\n"


def decoded(raw: bytes) -> str:
    """Return the bytes of a command as the script on a node decodes them."""
    return raw.decode("utf-8", "replace")


# --- a look at a node ---------------------------------------------------------------------------


@cache
def document(node: str) -> dict[str, Any]:
    """Return what a node tells, its questions included, without the units that it does not have."""
    told = sample(node)
    told["commands"] |= json.loads((SAMPLES / "questions.json").read_text()).get(node, {})
    units = told["commands"]["units"]
    blocks = [one for one in units["out"].split("\n\n") if "LoadState=not-found" not in one]
    units["out"] = "\n\n".join(blocks)
    return told


@cache
def healthy() -> CloudState:
    """Return a look at a cloud that is well."""
    site = Site()
    _, state = check_cloud(site.probes(), CheckRequest())
    surveys = {node: survey_of(node, document(node)) for node in ("ctl", "c01", "c02")}
    return replace(state, surveys=surveys)


@cache
def known_gaps() -> set[Gap]:
    """Return what that cloud does not show either."""
    state = healthy()
    looks = [replace(state, surveys={node: one}) for node, one in state.surveys.items()]
    return {gap for look in looks for gap in judge_cloud(look, ANATOMY).gaps}


def survey_of(node: str, told: Mapping[str, Any]) -> Survey:
    """Read what a node tells."""
    return parse_survey(node, json.dumps(told), took_s=0.4, asked_at=told["now"] - 0.2)


def judged(node: str, survey: Survey | Unseen) -> Health:
    """Judge the cloud, one of its nodes seen otherwise, and render it as an operator has it."""
    health = judge_cloud(replace(healthy(), surveys={node: survey}), ANATOMY)
    shown = render_health(health, Form.TABLE)
    assert "\x1b" not in shown, "an escape reaches the terminal"
    return health


def of_command(node: str, name: str) -> Callable[[bytes], Came]:
    """Return how the answer of a command on a node is read."""

    def look(raw: bytes) -> Came:
        told = dict(document(node))
        told["commands"] = {**told["commands"], name: {"code": 0, "out": decoded(raw), "err": ""}}
        return look_at(node, told)

    return look


def as_json(raw: bytes) -> object:
    """Return JSON, or the text where it is none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return decoded(raw)


def of_part(node: str, name: str) -> Callable[[bytes], Came]:
    """Return how a part of what the script itself reads is read."""

    def look(raw: bytes) -> Came:
        told = dict(document(node))
        told[name] = decoded(raw)
        if name == "sockets":
            told[name] = {"code": 0, "out": decoded(raw), "err": ""}
        if name == "memcached":
            told[name] = {"out": decoded(raw)}
        if name == "web":
            told[name] = as_json(raw)
        return look_at(node, told)

    return look


def _of_what_is_known(node: str, survey: Survey) -> set[str]:
    """Return what is found without the rows of queues that were not understood: the rest is known.

    Everything else that is not understood leaves nothing behind of which anything could be found.
    """
    if not isinstance(survey.broker, Broker) or not survey.broker.odd_queues:
        return set()
    rest = replace(survey, misread=(), broker=replace(survey.broker, odd_queues=()))
    return {finding.rule for finding in judged(node, rest).findings}


def look_at(node: str, told: Mapping[str, Any]) -> Came:
    """Read and judge; what was not understood is unknown, and no alarm is made of it."""
    survey = survey_of(node, told)
    health = judged(node, survey)
    rules = {finding.rule for finding in health.findings}
    if not survey.misread:
        is_known = ODD not in rules and set(health.gaps) <= known_gaps()
        return Came.READ if is_known else Came.UNKNOWN
    assert health.state not in {State.OK, State.NOT_PROVED}, (
        "an answer that was not understood passes for well"
    )
    assert rules == {ODD, *_of_what_is_known(node, survey)}, (
        f"an alarm is made of an answer that was not understood: {rules}"
    )
    assert all(len(one.says) < 200 for one in survey.misread), "it is shown at length"
    return Came.UNKNOWN


def of_script(raw: bytes) -> Came:
    """Read the script's own answer, of which a half may have come."""
    try:
        survey: Survey | Unseen = parse_survey("c01", decoded(raw), took_s=0.4, asked_at=0.0)
    except NotUnderstood as error:
        survey = Unseen(error.message, Blind.ODD)
        assert judged("c01", survey).state not in {State.OK, State.NOT_PROVED}
        return Came.UNKNOWN
    judged("c01", survey)
    return Came.READ


# --- a drain ------------------------------------------------------------------------------------


class Says:
    """A node that answers all commands alike, or each in turn."""

    def __init__(self, *outs: str) -> None:
        self.outs = list(outs)

    def directory(self) -> Directory:
        return Directory([Known(name="c01", address="c01")])

    def itself(self, node: str, /, *, within_s: float | None = None) -> Itself | None:
        return None

    def rights(self, node: str, commands: Sequence[tuple[str, ...]], /) -> Rights:
        return Rights(login="ops")

    def groups_of(self, node: str, /) -> tuple[str, ...]:
        return ()

    def failure_domain(self, node: str, /) -> str | Unread | None:
        return None

    def run(self, node: str, command: Sequence[str], /, **_: object) -> Answer:
        return Answer(0, self.outs.pop(0) if len(self.outs) > 1 else self.outs[0])


def of(read: Callable[[str], object]) -> Callable[[bytes], Came]:
    """Return how one answer is read by a function that raises, or returns what is unread."""

    def look(raw: bytes) -> Came:
        return Came.UNKNOWN if isinstance(read(decoded(raw)), Unread) else Came.READ

    return look


def of_pings(raw: bytes) -> Came:
    """Read what came of calls over RPC."""
    out = decoded(raw)
    found = parse_pings(out, "", TARGETS)
    assert set(found) == {one.queue for one in TARGETS}
    not_asked = all(one.outcome is Rpc.NOT_ASKED for one in found.values())
    return Came.UNKNOWN if not_asked else Came.READ


def of_hail(raw: bytes) -> Came:
    """Read what came of calling a machine at two addresses."""
    try:
        told = parse_hail(decoded(raw), [*HAIL["told"]])
    except NotUnderstood:
        return Came.UNKNOWN
    assert set(told) == {*HAIL["told"]}
    return Came.READ


def of_disks(raw: bytes) -> Came:
    """Read which disks of two servers another node sees."""
    try:
        told = parse_disks(decoded(raw), [*DISKS["told"]])
    except NotUnderstood:
        return Came.UNKNOWN
    assert set(told) == {*DISKS["told"]}
    return Came.READ


def of_guest(raw: bytes) -> Came:
    """Read how a guest is on its node."""
    try:
        seen = parse_guest(decoded(raw), GUEST_AT)
    except NotUnderstood:
        return Came.UNKNOWN
    assert seen.at == GUEST_AT
    return Came.READ


def of_groups(raw: bytes) -> Came:
    """Read LVM's volume groups, one of which holds volumes."""
    told = dict(document("ctl"))
    told["stores"] = [{**one, "groups": ["cinder-volumes"]} for one in told["stores"]]
    answer = {"code": 0, "out": decoded(raw), "err": ""}
    told["commands"] = {**told["commands"], "store groups": answer}
    survey = survey_of("ctl", told)
    judged("ctl", survey)
    return Came.UNKNOWN if survey.misread else Came.READ


def of_scanner(raw: bytes) -> Came:
    """Read what the scanner of logs printed, and every event in it."""
    try:
        read, raws = parse_scan("c01", raw.decode("utf-8", "replace"), places_of(ANATOMY))
    except NotUnderstood:
        return Came.UNKNOWN
    events = [parse(one) for one in raws]
    assert sum(one.events for one in read.files) == len(events)
    return Came.READ


def of_follower(raw: bytes) -> Came:
    """Read what the follower of logs has told, and every event in it."""
    try:
        told = read_told("c01", raw.decode("utf-8", "replace"), places_of(ANATOMY))
    except NotUnderstood:
        return Came.UNKNOWN
    events = [to_event(one, None) for one in (*told.events, *told.old)]
    assert len(events) == len(told.events) + len(told.old)
    return Came.READ


def sources() -> list[Source]:
    """Return all that nodes are asked."""
    ctl, c01 = (document(node)["commands"] for node in ("ctl", "c01"))
    looks = [
        ("rabbitmqctl cluster_status", "ctl", "rabbitmq cluster", True, True),
        ("rabbitmqctl eval", "ctl", "rabbitmq all", True, True),
        ("stat -f of a store", "ctl", f"store room {IMAGES}", False, True),
        ("rabbitmqctl list_queues", "ctl", "rabbitmq queues", False, True),
        ("rabbitmqctl list_bindings", "ctl", "rabbitmq bindings", False, True),
        ("rabbitmqctl list_vhosts", "ctl", "rabbitmq vhosts", False, True),
        ("MariaDB SHOW GLOBAL", "ctl", "mariadb", False, True),
        ("systemctl show", "c01", "units", False, True),
        ("systemctl --failed", "c01", "failed", False, True),
        ("virsh version", "c01", "libvirt", False, True),
        ("docker ps", "c01", "containers of docker", True, True),
        ("podman ps", "c01", "containers of podman", True, True),
        *(("Open_vSwitch " + name, "c01", name, False, True) for name in c01 if "openvsw" in name),
        *(("OVN " + name, "ctl", name, False, True) for name in ctl if "question ovn" in name),
    ]
    recorded = {**ctl, **c01, **json.loads((SAMPLES / "rabbitmq.json").read_text())["ctl"]}
    recorded |= {"containers of docker": {"out": DOCKER}, "containers of podman": {"out": PODMAN}}
    of_looks = [
        Source(name=name, sample=recorded[key]["out"], is_json=is_json, read=of_command(node, key),
               is_strict=is_strict)
        for name, node, key, is_json, is_strict in looks
    ]  # fmt: skip
    galera = "max_connections\t600\nwsrep_on\tON\nThreads_connected\t41\nwsrep_cluster_size\t1\n"
    galera += "wsrep_cluster_status\tPrimary\nwsrep_local_state_comment\tSynced\nwsrep_ready\tON\n"
    galera += "read_only\tOFF\nsessions\t40\nwsrep_flow_control_paused\t0.000012\n"
    return [
        *of_looks,
        Source(name="MariaDB Galera", sample=galera, read=of_command("ctl", "mariadb")),
        Source(
            name="ss -tnap",
            sample=document("c01")["sockets"]["out"],
            read=of_part("c01", "sockets"),
        ),
        Source(
            name="kernel /proc/meminfo",
            sample=document("c01")["memory"],
            read=of_part("c01", "memory"),
        ),
        Source(
            name="memcached stats",
            sample=document("ctl")["memcached"]["out"],
            read=of_part("ctl", "memcached"),
        ),
        Source(
            name="HTTP of processes",
            sample=json.dumps(document("ctl")["web"]),
            is_json=True,
            read=of_part("ctl", "web"),
            is_strict=False,
        ),
        Source(
            name="scanner its own answer",
            sample=json.dumps(json.loads((SAMPLES / "scan.json").read_text())),
            is_json=True,
            read=of_scanner,
        ),
        Source(
            name="scanner follower of logs",
            sample=json.dumps(json.loads((SAMPLES / "tail.json").read_text())),
            is_json=True,
            read=of_follower,
        ),
        Source(
            name="script its own answer",
            sample=json.dumps(document("c01")),
            is_json=True,
            read=of_script,
        ),
        Source(
            name="script calls over RPC",
            sample=json.dumps(PINGS),
            is_json=True,
            read=of_pings,
            is_strict=False,
        ),
        Source(
            name="script calls addresses",
            sample=json.dumps(HAIL),
            is_json=True,
            read=of_hail,
        ),
        Source(
            name="script looks for disks",
            sample=json.dumps(DISKS),
            is_json=True,
            read=of_disks,
        ),
        Source(
            name="script looks at a guest",
            sample=(FACTS / "guest.json").read_text("utf-8"),
            is_json=True,
            read=of_guest,
        ),
        Source(
            name="script looks for guests",
            sample=json.dumps(GUESTS),
            is_json=True,
            read=of(parse_guests_of),
        ),
        Source(
            name="virsh list",
            sample=LIST,
            read=of(lambda out: read_domains(Says(out, STATS), "c01")),
        ),
        Source(
            name="virsh domstats",
            sample=STATS,
            read=of(lambda out: read_domains(Says(LIST, out), "c01")),
        ),
        Source(name="vgs", sample=VGS, read=of_groups),
        Source(name="virsh sysinfo", sample=SYSINFO, read=of(parse_sysinfo), is_strict=False),
        Source(name="ip -o addr", sample=IP_ADDR, read=of(addresses_in), is_strict=False),
        Source(name="virsh list --uuid", sample=f"{LIST[:36]}\n\n", read=of(read_ids)),
        Source(name="virsh domstate", sample="shut off\n\n", read=of(read_state)),
        Source(name="virsh domid", sample="7\n\n", read=of(read_boot)),
        Source(
            name="virsh dumpxml",
            sample="<domain type='qemu'>\n  <uuid>ab</uuid>\n  <os firmware='efi'/>\n</domain>\n\n",
            read=of(read_definition),
        ),
        Source(name="virsh domstats of one guest", sample=BLOCKS, read=of(read_bytes_read)),
        Source(
            name="kernel /proc/1/stat",
            sample=BOOTED,
            read=of(lambda out: read_booted(Says(out), "c01")),
        ),
        Source(
            name="systemctl list-jobs",
            sample="123 mnt-old.mount start running\n",
            read=of(lambda out: read_jobs(Says(out), "c01")),
            is_strict=False,
        ),
        Source(
            name="libvirt its logs of guests",
            sample=(FACTS / "guest-logs.txt").read_text(),
            read=of(lambda out: read_guest_logs(Says(out), "c01")),
        ),
        Source(name="virsh domjobinfo", sample=JOB, read=of(read_job)),
        Source(name="virsh version --daemon", sample=c01["libvirt"]["out"], read=of(read_daemon)),
        Source(name="findmnt --json", sample=FINDMNT, is_json=True, read=of(parse_filesystem)),
        Source(
            name="systemctl --version",
            sample="systemd 257 (257.7-1)\n+PAM +AUDIT +SELINUX\n",
            read=of(read_version),
        ),
        Source(name="systemctl is-active", sample="inactive\n", read=of(read_active)),
        Source(
            name="systemctl is-enabled",
            sample="masked\n",
            read=of(lambda out: read_marks(Says(out), "c01")),
        ),
        Source(name="systemctl show of one unit", sample=UNIT, read=of(read_facts)),
        Source(name="ps -e", sample=PS, read=of(lambda out: read_processes(Says(out), "c01"))),
    ]
