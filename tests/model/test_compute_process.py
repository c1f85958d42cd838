"""What runs nova-compute on a node, as `ps` tells it: its unit, another unit, a container."""

import pytest

from stackward.model.compute_process import parse_processes
from stackward.model.unread import Unread

FIRST = "      1 0::/init.scope                     /usr/lib/systemd/systemd"
DEBIAN = "/usr/bin/python3 /usr/bin/nova-compute --config-file=/etc/nova/nova.conf"
KOLLA = "/var/lib/kolla/venv/bin/python3 /var/lib/kolla/venv/bin/nova-compute"
ID = "4f5e6a7b8c9d" + "0" * 52
OWN = "by the unit `nova-compute.service`, as process 183"


@pytest.mark.parametrize(
    ("cgroup", "arguments", "words"),
    [
        pytest.param("0::/system.slice/nova-compute.service", DEBIAN, OWN, id="its unit"),
        pytest.param("0::/nova.slice/nova-compute.service", DEBIAN, OWN, id="in another slice"),
        pytest.param(
            "9:name=systemd:/system.slice/nova-compute.service,8:pids:/,0::/",
            DEBIAN,
            OWN,
            id="cgroup v1",
        ),
        pytest.param(
            "0::/system.slice/openstack-nova-compute.service",
            "/usr/bin/python3 -s /usr/bin/nova-compute",
            "by the unit `openstack-nova-compute.service`, as process 183",
            id="RDO's unit",
        ),
        pytest.param(
            f"0::/system.slice/docker-{ID}.scope",
            KOLLA,
            "in a container (docker 4f5e6a7b8c9d), as process 183",
            id="Kolla with Docker",
        ),
        pytest.param(
            f"11:memory:/docker/{ID},1:name=systemd:/docker/{ID},0::/system.slice/docker.service",
            KOLLA,
            "in a container (docker 4f5e6a7b8c9d), as process 183",
            id="Docker, cgroup v1",
        ),
        pytest.param(
            f"0::/machine.slice/libpod-{ID}.scope/container",
            KOLLA,
            "in a container (podman 4f5e6a7b8c9d), as process 183",
            id="Kolla with Podman",
        ),
        pytest.param(
            f"0::/system.slice/edpm_nova_compute.service/libpod-payload-{ID}",
            "/usr/bin/python3 -s /usr/bin/nova-compute",
            "in a container (podman 4f5e6a7b8c9d), as process 183",
            id="Podman within a unit",
        ),
        pytest.param(
            "0::/lxc.payload.compute1/system.slice/nova-compute.service",
            DEBIAN,
            "in a container (lxc compute1), as process 183",
            id="the unit of an LXC container",
        ),
        pytest.param(
            "0::/user.slice/user-0.slice/session-c5.scope",
            "nova-compute: master process [/usr/bin/nova-compute]",
            "by no unit of systemd, as process 183",
            id="started by hand, with a title of its own",
        ),
    ],
)
def test_what_a_process_of_nova_compute_belongs_to(cgroup: str, arguments: str, words: str) -> None:
    found = parse_processes(f"{FIRST}\n    183 {cgroup}    {arguments}\n")

    assert isinstance(found, tuple)
    assert [each.words for each in found] == [words]


@pytest.mark.parametrize(
    "arguments",
    [
        "/usr/bin/python3 -W ignore /usr/bin/nova-compute --config-file /etc/nova/nova.conf",
        "/usr/bin/python3.11 -X utf8 /usr/bin/nova-compute",
        "/usr/libexec/platform-python -s /usr/bin/nova-compute",
        "python3 -m nova.cmd.compute",
        "python3 -mnova.cmd.compute --config-file /etc/nova/nova.conf",
        "/bin/bash /usr/local/bin/nova-compute",
        "/bin/sh -e /usr/local/bin/nova-compute --config-file=/etc/nova/nova.conf",
        "-bash -c exec nova-compute",
    ],
)
def test_a_nova_compute_behind_an_interpreter_is_not_called_off(arguments: str) -> None:
    """Called off while it ran: the value of `-W` was taken for the script of python."""
    found = parse_processes(f"{FIRST}\n    183 0::/user.slice {arguments}\n")

    assert isinstance(found, tuple)
    assert [each.pid for each in found] == [183]


@pytest.mark.parametrize(
    "arguments",
    [
        "/usr/bin/python3 /bin/privsep-helper --config-file /etc/nova/nova-compute.conf",
        "grep nova-compute /var/log/syslog",
        "/usr/bin/dumb-init --single-child -- kolla_start nova-compute",
        "[nova-compute] <defunct>",
        "/bin/bash -c systemctl is-active nova-compute.service",
        "/usr/bin/python3 /usr/bin/nova-conductor --log-file=/var/log/nova/nova-compute.log",
        "tail -f /var/log/nova/nova-compute",
    ],
)
def test_what_only_mentions_nova_compute_is_none(arguments: str) -> None:
    assert parse_processes(f"{FIRST}\n 99 0::/system.slice/x.service {arguments}\n") == ()


@pytest.mark.parametrize("listed", ["", "  640 0::/user.slice  sshd-session: ops\n"])
def test_hidden_processes_are_not_taken_for_none(listed: str) -> None:
    """With `hidepid` a login sees its own processes only."""
    assert isinstance(parse_processes(listed), Unread)
