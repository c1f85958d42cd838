"""Databases, queues and stores that answer and take nothing, on a real cloud.

Given a lab that is well; when one of them takes no writes any more; then one look names it first,
and nothing unrelated beside it; and once its remedy is followed, the lab is well again.
"""

import pytest

from lab.looks import check, findings, is_well
from real_lab import RealLab, until

IMAGES, INSTANCES = "/var/lib/glance/images", "/var/lib/nova/instances"
SHARE = "/var/lib/cinder/mnt/e789e4c8ed88af70b5eed340fcaaad94"
ENGINE = "/usr/bin/docker"  # the lab has none: a program of that name stands in
HOLD = "(echo 'FLUSH TABLES WITH READ LOCK; SELECT SLEEP(600);' | mariadb) >/dev/null 2>&1 &"
LET_GO = (
    "mariadb -N -B -e \"SELECT CONCAT('KILL ', ID) FROM information_schema.PROCESSLIST"
    " WHERE INFO LIKE 'SELECT SLEEP%'\" | mariadb"
)
LOCKED = (
    'mariadb -N -B -e "SELECT MAX(TIME) FROM information_schema.PROCESSLIST'
    " WHERE STATE = 'Waiting for backup lock'\""
)

# The node, how it is broken, how its remedy mends it, and what must be found.
FAULTS = [
    pytest.param(
        "ctl",
        "mariadb -e 'SET GLOBAL read_only = 1'",
        "mariadb -e 'SET GLOBAL read_only = 0'",
        ("mariadb-read-only", "mariadb"),
        id="MariaDB is read-only",
    ),
    pytest.param("ctl", HOLD, LET_GO, ("mariadb-locked", "mariadb"), id="a backup holds its lock"),
    pytest.param(
        "ctl",
        "rabbitmqctl set_vm_memory_high_watermark absolute 1MB",
        "rabbitmqctl set_vm_memory_high_watermark 0.4",
        ("rabbitmq-alarm", "rabbitmq"),
        id="RabbitMQ's memory",
    ),
    pytest.param(
        "ctl",
        "rabbitmqctl set_disk_free_limit 900000GB",
        "rabbitmqctl set_disk_free_limit 50MB",
        ("rabbitmq-alarm", "rabbitmq"),
        id="RabbitMQ's disk",
    ),
    pytest.param(
        "ctl",
        "rabbitmqctl suspend_listeners",
        "rabbitmqctl resume_listeners",
        ("rabbitmq-takes-no-clients", "rabbitmq"),
        id="RabbitMQ's listeners are suspended",
    ),
    pytest.param(
        "ctl",
        "iptables -I INPUT -p tcp --dport 5672 --syn -j DROP",
        "iptables -D INPUT -p tcp --dport 5672 --syn -j DROP",
        ("rabbitmq-takes-no-clients", "rabbitmq"),
        id="a firewall before RabbitMQ",
    ),
    pytest.param(
        "c01",
        f"printf '#!/bin/sh\\nexec sleep 1000\\n' > {ENGINE} && chmod 755 {ENGINE}",
        f"rm {ENGINE}",
        ("engine-silent", "machine"),
        id="an engine of containers hangs",
    ),
    pytest.param(
        "ctl",
        f"mount --bind {IMAGES} {IMAGES} && mount -o remount,ro,bind {IMAGES}",
        f"mount -o remount,rw,bind {IMAGES} && umount {IMAGES}",
        ("store-read-only", "glance-api"),
        id="Glance's folder is read-only",
    ),
    pytest.param(
        "ctl",
        f"chown root: {IMAGES}",
        f"chown glance: {IMAGES}",
        ("store-not-writable", "glance-api"),
        id="Glance's folder is root's",
    ),
    pytest.param(
        "ctl",
        f"mount -t tmpfs -o size=1m,uid=$(id -u glance),mode=755 tmpfs {IMAGES};"
        f" dd if=/dev/zero of={IMAGES}/fill bs=64k 2>/dev/null || true",
        f"rm {IMAGES}/fill && umount {IMAGES}",
        ("store-full", "glance-api"),
        id="Glance's disk is full",
    ),
    pytest.param(
        "ctl",
        f"mount -o remount,ro,bind {SHARE}",
        f"mount -o remount,rw,bind {SHARE}",
        ("store-read-only", "cinder-volume"),
        id="Cinder's share is read-only",
    ),
    pytest.param(
        "c01",
        f"chown root: {INSTANCES}",
        f"chown nova: {INSTANCES}",
        ("store-not-writable", "nova-compute"),
        id="Nova's instances are root's",
    ),
]


@pytest.fixture
def lab_that_is_well(lab: RealLab) -> RealLab:
    """Given a lab that is well."""
    until(lambda: is_well(lab), within_s=240)
    return lab


@pytest.mark.parametrize(("node", "fault", "remedy", "expected"), FAULTS)
def test_what_takes_no_writes_is_found_by_name_and_its_remedy_is_true(
    lab_that_is_well: RealLab, node: str, fault: str, remedy: str, expected: tuple[str, str]
) -> None:
    lab = lab_that_is_well
    lab.on(node, fault)
    try:
        if fault == HOLD:
            until(lambda: int(lab.on(node, LOCKED).strip().replace("NULL", "0")) > 5)
        code, told = check(lab)
    finally:
        lab.on(node, remedy)

    [found] = findings(told)
    assert code in {6, 7}
    assert (found["rule"], found["component"], found["node"]) == (*expected, node)
    assert told["components"][0]["name"] == expected[1]
    until(lambda: is_well(lab), within_s=240)


@pytest.mark.parametrize(
    ("unit", "rule"),
    [
        ("mariadb", "mariadb-silent"),
        ("rabbitmq-server", "rabbitmq-silent"),
        ("memcached", "memcached-silent"),
    ],
)
def test_one_that_is_frozen_is_found_by_name(
    lab_that_is_well: RealLab, unit: str, rule: str
) -> None:
    """Its clients stay connected: the kernel takes what they send."""
    lab = lab_that_is_well
    lab.on("ctl", f"systemctl kill -s STOP {unit}")
    try:
        _, told = check(lab)
    finally:
        lab.on("ctl", f"systemctl kill -s CONT {unit}")

    [found] = findings(told)
    assert (found["rule"], found["node"]) == (rule, "ctl")
    assert told["components"][0]["name"] == unit.removesuffix("-server")
    until(lambda: is_well(lab), within_s=240)
