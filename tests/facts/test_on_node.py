"""The script that is sent to nodes asks of root only what the shipped sudoers file allows."""

import ast
import json
import os
import re
import shutil
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Event
from types import ModuleType

import pytest

from stackward.anatomy import read_anatomy
from stackward.facts.questions import as_asked
from stackward.facts.stores import as_asked as stores_as_asked
from stackward.ports.root import ALL, CONTAINERS, For
from stackward.ports.shell import Answer, refusal

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "src/stackward/facts/on_node/gather.py"
ENGINES = {"docker", "podman"}


class Noted:
    """Takes commands, and starts none."""

    def __init__(self) -> None:
        self.words: list[list[str]] = []
        self.state = "active"
        self.told: dict[str, str] = {}
        self.codes: dict[str, int] = {}
        self.units = ""

    def start(self, name: str, words: list[str]) -> None:
        """Note a command."""
        self.words.append(words)

    def end(self, name: str) -> dict[str, object]:
        """Say of every unit that it is active."""
        named = {unit for _, one in read_anatomy().deployed() for unit in one.units}
        blocks = (f"Id={unit}\nActiveState={self.state}" for unit in named)
        out = "\n\n".join(blocks) if name == "units" else self.told.get(name, "")
        if name == "units" and self.units:
            out = self.units
        return {"out": out, "code": self.codes.get(name, 0)}

    soon = end


@pytest.fixture
def gather(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load the script as an ordinary user would, on a node that has every program."""
    spec = spec_from_file_location("gather", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    return module


def test_what_is_asked_of_root_is_what_is_declared(gather: ModuleType) -> None:
    commands = Noted()
    commands.codes["rabbitmq all"] = 1
    commands.told["store settings cinder-volume"] = "[DEFAULT]\nenabled_backends = lvm\n"

    asked_for = {"units": ["nova-compute.service"], "within_s": 5, "tables": True}
    gather.ask_all(commands, {**asked_for, "containers": list(CONTAINERS)})
    gather.ask_questions(commands, as_asked(read_anatomy()))
    commands.told["pacemaker"], commands.codes["pacemaker"] = "", 64
    gather.ask_cluster(commands)
    gather.queues_one_by_one(commands)
    gather.stores(commands, stores_as_asked(read_anatomy()))

    asked = {tuple(words[2:]) for words in commands.words if words[0] == "sudo"}
    declared = {one.words for one in ALL if For.CHECK in one.needed_for}
    assert asked - declared == set()
    others = {"/usr/bin/mysql", "/usr/bin/mysqlcheck", "/usr/sbin/ss"}
    elsewhere = {words for words in declared if others & {*words}}
    elsewhere |= {words for words in declared if words[-1].startswith("/etc/kolla/")}
    assert declared - asked - elsewhere == {words for words in declared if "exec" in words}


def test_mariadb_is_asked_at_its_own_socket_whatever_roots_settings_name(
    gather: ModuleType,
) -> None:
    """Seen: a `host` in `/root/.my.cnf` had another node answer, also for a server that is dead."""
    commands = Noted()

    gather.ask_all(commands, {"units": [], "within_s": 5, "tables": True})

    asked = [words for words in commands.words if any("/mariadb" in word for word in words)]
    assert len(asked) == 2
    assert all({"--host=localhost", "--protocol=socket"} <= {*words} for words in asked)


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_what_is_asked_in_a_container_is_declared_too(gather: ModuleType, engine: str) -> None:
    commands = Noted()
    commands.state = "inactive"  # what runs as a unit is asked there
    questions = as_asked(read_anatomy())
    stores = stores_as_asked(read_anatomy())
    containers = {one["container"] for one in (*questions, *stores)}
    held = " ".join(f'"{name}"' for name in containers if name)
    commands.told[f"containers of {engine}"] = f'{{"State":"running","Names":[{held}]}}'

    gather.ask_questions(commands, questions)
    gather.stores(commands, stores)

    asked = {tuple(words[2:]) for words in commands.words if "exec" in words}
    inside = (f"/usr/bin/{engine}", "exec")
    assert asked == {one.words for one in ALL if one.words[4:6] == inside}


@pytest.mark.parametrize(
    ("codes", "out", "asked"),
    [
        pytest.param({}, "[]\n", 0, id="all were told at once"),
        pytest.param({}, "warning: old\n[]\n", 0, id="all were told, after a warning"),
        pytest.param({}, "", 7, id="nothing was told"),
        pytest.param({"rabbitmq all": 1}, "", 7, id="that may not be asked"),
        pytest.param({"rabbitmq all": 69, "rabbitmq cluster": 69}, "", 0, id="RabbitMQ is down"),
    ],
)
def test_each_virtual_host_is_asked_for_only_where_all_are_not_told_at_once(
    gather: ModuleType, codes: dict[str, int], out: str, asked: int
) -> None:
    """Each takes two starts of a tool that costs half a second of CPU."""
    commands = Noted()
    commands.codes |= codes
    commands.told["rabbitmq all"] = out
    commands.told["rabbitmq vhosts"] = "/\n/heat\n/trove\n"

    gather.queues_one_by_one(commands)

    assert len(commands.words) == asked


def test_a_process_that_does_not_run_is_not_asked(gather: ModuleType) -> None:
    """A question through a socket would start it; the bus `systemctl` itself has used already."""
    commands = Noted()
    commands.state = "inactive"

    gather.ask_questions(commands, as_asked(read_anatomy()))

    assert [words for words in commands.words if "org.freedesktop.DBus" not in words] == []


def test_the_bus_is_asked_before_systemd_is_waited_for(gather: ModuleType) -> None:
    """Seen: with a frozen bus `systemctl` took all the time that there was."""
    commands = Noted()
    order: list[str] = []
    commands.start = lambda name, words: order.append(name)  # type: ignore[method-assign]  # noqa: ARG005
    commands.end = lambda name: order.append(f"{name} waited for") or {"out": ""}  # type: ignore[method-assign,func-returns-value]

    gather.ask_questions(commands, as_asked(read_anatomy()))

    assert order[:2] == ["question dbus 0", "units waited for"]


def test_a_service_that_a_socket_may_start_is_asked_while_it_runs(gather: ModuleType) -> None:
    """Seen: D-Bus and virtlogd were never asked, for systemd names their sockets beside them."""
    commands = Noted()
    told = json.loads((ROOT / "tests/facts/samples/node-c01.json").read_text())
    recorded = told["commands"]["units"]["out"]
    commands.end = lambda name: {"out": recorded if name == "units" else ""}  # type: ignore[method-assign]

    gather.ask_questions(commands, as_asked(read_anatomy()))

    tools = {word.rpartition("/")[2] for words in commands.words for word in words}
    assert {"busctl", "virt-admin", "ovs-appctl", "ovn-appctl"} <= tools


def test_an_ordinary_user_is_asked_for_nothing_but_that(gather: ModuleType) -> None:
    commands = Noted()

    gather.ask_all(commands, {"units": [], "within_s": 5})

    as_user = {words[0] for words in commands.words if words[0] != "sudo"}
    assert as_user == {"systemctl", "ss", "timeout"}


@pytest.mark.parametrize(
    ("units", "containers", "is_asked"),
    [
        pytest.param("Id=libvirtd.service\nActiveState=active", "", True, id="it runs"),
        pytest.param("Id=virtqemud.service\nActiveState=active", "", True, id="its modular one"),
        pytest.param(
            "Id=libvirtd.service\nActiveState=inactive\n\nId=libvirtd.socket\nActiveState=active",
            "",
            False,
            id="a socket would start it",
        ),
        pytest.param(
            "Id=docker.service\nActiveState=active",
            '{"Names":"nova_libvirt","State":"running"}',
            True,
            id="it runs in a container",
        ),
        pytest.param(
            "Id=docker.service\nActiveState=active",
            '{"Names":"nova_libvirt","State":"exited"}',
            False,
            id="its container has ended",
        ),
    ],
)
def test_a_look_does_not_start_libvirt(
    gather: ModuleType, units: str, containers: str, *, is_asked: bool
) -> None:
    """What a question had started would be shown as well by its answer."""
    commands = Noted()
    commands.units = units
    commands.told["containers of docker"] = containers

    gather.ask_libvirt(commands)

    assert len([words for words in commands.words if "virsh" in words]) == 4 * is_asked
    assert all("--readonly" in words for words in commands.words if "virsh" in words)


def test_what_sudo_allows_elsewhere_only_is_told_and_not_left_out(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {"/usr/bin/sudo": "sudo", "/snap/bin/docker": "docker"}
    monkeypatch.setattr(
        shutil, "which", lambda name: next((at for at in there if name in {at, there[at]}), None)
    )
    commands = gather.Commands(5)

    commands.start("containers of docker", gather.as_root([*gather.of_engine("docker"), "ps"]))
    commands.start("containers of podman", gather.as_root([*gather.of_engine("podman"), "ps"]))

    says = "sudo: it allows `/usr/bin/docker`, and the node has `/snap/bin/docker`"
    assert commands.all() == {"containers of docker": {"code": None, "out": "", "err": says}}
    assert refusal(Answer(1, "", says)) == says


def test_root_itself_takes_a_program_from_its_own_path(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: f"/opt/bin/{name}")

    words = gather.as_root([*gather.of_engine("docker"), "ps"])

    assert words == ["/usr/bin/timeout", "-k", "1", "10", "/opt/bin/docker", "ps"]


def test_what_only_root_has_on_its_path_is_found_by_any_login(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen: as an ordinary login no RabbitMQ was looked at, and nothing was called over RPC."""
    monkeypatch.setenv("PATH", "/usr/bin:/usr/sbin")

    gather.see_sbin()

    assert os.environ["PATH"] == "/usr/bin:/usr/sbin:/usr/local/sbin:/sbin"


MOUNTED = """\
20 1 8:2 / / rw - ext4 /dev/sda2 rw
21 20 0:40 / /mnt/nfs rw - nfs4 nas:/instances rw
22 20 0:41 /c01 /var/lib/nova/instances rw shared:7 - ceph mon:/cloud\\040x rw
23 20 0:42 / /srv/a rw - nfs4 nas:/hidden-by-one-above rw
24 20 8:3 / /srv rw - xfs /dev/sdb1 rw
25 24 0:43 / /srv/b rw - nfs4 nas:/hidden-by-one-on-it rw
26 25 8:4 / /srv/b rw - xfs /dev/sdc1 rw
27 20 0:44 / /proc/fs rw - tmpfs tmpfs rw
"""


def test_where_the_disks_of_guests_lie_is_told_by_the_mounts_that_are_seen(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bind mount shows another folder of its file system; a mount hides what is below it."""
    monkeypatch.setattr(gather, "read", lambda _: MOUNTED)

    assert [(one["mount"], one["root"], one["source"]) for one in gather.mounts()] == [
        ("/", "/", "/dev/sda2"),
        ("/mnt/nfs", "/", "nas:/instances"),
        ("/var/lib/nova/instances", "/c01", "mon:/cloud x"),
        ("/srv", "/", "/dev/sdb1"),
        ("/srv/b", "/", "/dev/sdc1"),
    ]


def test_an_old_python_can_read_it() -> None:
    """Nodes have the python3 of their distribution; nothing is installed there."""
    ast.parse(SCRIPT.read_text(), feature_version=(3, 7))  # raises where it cannot


def test_it_opens_nothing_to_write() -> None:
    assert re.findall(r"open\([^)]*[\"'][wax+]", SCRIPT.read_text()) == []


def test_f34_without_sudo_what_needs_root_is_told_to_be_unseen(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as if RabbitMQ and MariaDB were not there."""
    there = {"rabbitmqctl", "ss"}
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name in there else None)
    commands = gather.Commands(5)

    commands.start("rabbitmq cluster", gather.as_root(["rabbitmqctl", "cluster_status"]))
    commands.start("mariadb", gather.as_root(["mariadb", "-N"]))

    told = commands.all()
    assert told == {
        "rabbitmq cluster": {"code": None, "out": "", "err": "sudo: there is none on this node"}
    }


def test_a_unit_is_installed_where_its_package_has_its_file(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A mask is a link of any name, and stays when a package is removed."""
    (tmp_path / "nova-compute.service").write_text("[Unit]")
    (tmp_path / "nova-api.service").symlink_to("/dev/null")
    monkeypatch.setattr(gather, "OF_PACKAGES", (str(tmp_path),))

    there = gather.installed(["nova-compute.service", "nova-api.service", "glance-api.service"])

    assert there == ["nova-compute.service"]


def test_who_wants_a_unit_is_asked_about_once_and_a_target_never(gather: ModuleType) -> None:
    commands = Noted()
    blocks = (
        "Id=ovn-northd.service\nWantedBy=ovn-central.service multi-user.target\nRequiredBy=",
        "Id=keystone.service\nWantedBy=ovn-northd.service\nTriggeredBy=late.timer",
    )
    commands.units = "\n\n".join(blocks)

    gather.wanting(commands)

    [words] = commands.words
    assert words[-2:] == ["late.timer", "ovn-central.service"]
    assert words[:2] == ["systemctl", "show"]


def test_pacemaker_is_asked_only_where_it_runs(gather: ModuleType) -> None:
    commands = Noted()
    commands.units = "Id=pacemaker.service\nActiveState=inactive"

    gather.ask_cluster(commands)

    assert commands.words == []


def test_a_store_behind_a_symlink_is_judged_by_the_mount_that_it_leads_to(
    gather: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    mounts = [
        {"mount": "/", "options": "rw", "type": "ext4", "of_all": "rw"},
        {"mount": f"{tmp_path}/real", "options": "ro", "type": "nfs", "of_all": "ro"},
    ]
    one = {"engine": None, "user": "root", "path": "/elsewhere", "container": ""}

    seen = gather.ask_store(Noted(), one, f"{tmp_path}/link", mounts)

    assert (seen["mount"], seen["read_only"]) == (f"{tmp_path}/real", True)


@pytest.mark.parametrize("does", ["hangs", "fails"])
def test_a_store_whose_disk_does_not_answer_is_asked_of_from_aside(
    gather: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str
) -> None:
    over = Event()

    def statvfs(_: str) -> None:
        if does == "hangs":
            over.wait(60)
        raise OSError

    monkeypatch.setattr("os.statvfs", statvfs)
    commands, mounts = Noted(), [{"mount": "/", "options": "rw", "type": "ext4", "of_all": "rw"}]
    one = {"engine": None, "user": "root", "path": "/elsewhere", "container": ""}

    seen = gather.ask_store(commands, one, str(tmp_path), mounts)

    over.set()
    assert seen["room"] is None
    assert any("/usr/bin/stat" in words for words in commands.words)
