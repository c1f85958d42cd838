"""Why a server does not boot: what was read in, one cause with its certainty out."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from builders import a_flavor, a_port, a_server, a_service
from stackward.facts.guest import parse_guest
from stackward.facts.triage import TriageFacts
from stackward.logs.event import Event, Level, Raised
from stackward.model.boot_attempt import BootAttempt
from stackward.model.guest_seen import (
    ConsoleOfGuest,
    Denied,
    DiskOfGuest,
    GuestSeen,
    Holder,
)
from stackward.model.server import Server, ServerAction
from stackward.model.sureness import Sureness
from stackward.model.volume import Volume
from stackward.report.tables import Form
from stackward.report.triage import render_triage
from stackward.signatures import read_signatures
from stackward.triage.certainty import RULES
from stackward.triage.reasoning import triage
from stackward.triage.verdict import Boots, Verdict
from texts import too_wide

AT = datetime(2026, 11, 28, 16, tzinfo=UTC)
SAMPLE = (Path(__file__).parents[1] / "facts/samples/guest.json").read_text("utf-8")
NODE = "compute-07"
DISK = "/var/lib/nova/instances/x/disk"
SEEN = parse_guest(SAMPLE, AT)
assert SEEN.domain is not None
RUNNING = replace(SEEN, domain=replace(SEEN.domain, state="running"))
FAILED = BootAttempt(action="reboot", request="req-1", started=AT, has_failed=True, says="Error")
IN_ERROR = a_server("ERROR", flavor=a_flavor(ram_mib=128))


def some(
    server: Server = IN_ERROR, guest: GuestSeen | None = SEEN, **changes: object
) -> TriageFacts:
    """Return what was read of a server that was rebooted, and did not come up."""
    given: dict[str, object] = {
        "server": server,
        "at": AT,
        "service": a_service(NODE),
        "node": NODE,
        "attempt": FAILED,
        "guest": guest,
        "ports": (a_port(),),
        **changes,
    }
    return TriageFacts(**given)  # type: ignore[arg-type]  # any field


def judged(facts: TriageFacts) -> Verdict:
    return triage(facts, read_signatures())


def names(found: Verdict) -> list[str]:
    return [one.signature.name for one in found.causes]


def with_disk(**changes: object) -> GuestSeen:
    disk = DiskOfGuest(
        device="vda", kind="disk", path=DISK, is_there=True, image_code=0, sector="boot"
    )
    return with_domain(disks=(replace(disk, **changes),))  # type: ignore[arg-type]  # any field


def with_domain(**changes: object) -> GuestSeen:
    assert SEEN.domain is not None
    return replace(SEEN, domain=replace(SEEN.domain, **changes))  # type: ignore[arg-type]  # any field


def with_console(*lines: str, guest: GuestSeen = RUNNING) -> GuestSeen:
    assert guest.domain is not None
    console = ConsoleOfGuest(path="/c/console.log", lines=lines, first_line=7, written=AT)
    return replace(guest, domain=replace(guest.domain, console=console))


def logged(
    text: str, *, file: str = "/var/log/nova/nova-compute.log", level: Level = Level.ERROR
) -> Event:
    raised = (Raised(exception="libvirt.libvirtError", message=text),)
    return Event(
        at=AT, node=NODE, component="nova-compute", file=file, offset=1, format="oslo", level=level,
        message=text, raised=raised,
    )  # fmt: skip


def gone(**changes: object) -> GuestSeen:
    return replace(SEEN, domain=None, no_domain="failed to get domain", **changes)  # type: ignore[arg-type]


NO_DOMAIN = gone()
CERTAIN, LIKELY, POSSIBLE = Sureness
BASE = "/i/_base/9b6a0bcbd7af"
NO_SUCH = "qemu-img: Could not open '{0}': Could not open '{0}': No such file or directory"

# What was read, what is found first, and how sure.
CASES: dict[str, tuple[TriageFacts, str, Sureness]] = {
    "a base is missing": (some(guest=with_disk(missing="/b/base")), "base-missing", LIKELY),
    "a base is missing, and the last attempt says so": (
        some(
            guest=with_disk(missing="/b/base"),
            events=(logged("Cannot access backing file '/b/base' of storage file 'x'"),),
        ),
        "base-missing",
        CERTAIN,
    ),
    "a base is missing, and only qemu-img says so": (
        some(
            guest=with_disk(
                missing="/b/base",
                image_code=1,
                image_says="qemu-img: Could not open 'x': Could not open backing file: "
                "Could not open '/b/base': No such file or directory",
            )
        ),
        "base-missing",
        LIKELY,
    ),
    "a base is missing, and qemu-img names it as one of the chain": (
        some(guest=with_disk(missing=BASE, image_code=1, image_says=NO_SUCH.format(BASE))),
        "base-missing",
        LIKELY,
    ),
    "a disk is missing": (some(guest=with_disk(is_there=False)), "disk-missing", CERTAIN),
    "a folder that QEMU may not enter": (
        some(guest=with_disk(denied=Denied(user="libvirt-qemu", path="/x", why="mode 0700"))),
        "disk-permission",
        CERTAIN,
    ),
    "a disk that is no qcow2": (
        some(
            guest=with_disk(
                image_code=1,
                image_says="qemu-img: Could not open 'x': Image is not in qcow2 format",
            )
        ),
        "disk-corrupt",
        CERTAIN,
    ),
    "another process has it": (
        some(guest=with_disk(held_by=(Holder(pid=7, program="qemu-nbd"),))),
        "disk-locked",
        LIKELY,
    ),
    "another process has it, and QEMU says so": (
        some(
            guest=with_disk(held_by=(Holder(pid=7, program="qemu-nbd"),)),
            events=(logged('Failed to get "write" lock'),),
        ),
        "disk-locked",
        CERTAIN,
    ),
    "no boot sector": (some(guest=with_disk(sector="empty")), "guest-no-boot-disk", CERTAIN),
    "a volume's device is gone": (
        some(guest=with_disk(is_there=False, serial="v1", path="/dev/sdx")),
        "volume-path-gone",
        LIKELY,
    ),
    "Cinder does not have it attached": (
        some(volumes=(("v1", Volume(id="v1", status="available")),)),
        "volume-unattached",
        LIKELY,
    ),
    "a volume is gone": (some(volumes=(("v1", None),)), "volume-unattached", LIKELY),
    "a binding failed": (
        some(ports=(replace(a_port(), vif_type="binding_failed"),)),
        "binding-failed",
        CERTAIN,
    ),
    "bound elsewhere": (some(ports=(a_port(host="compute-08"),)), "port-elsewhere", LIKELY),
    "no bridge": (some(guest=with_domain(bridges={"br-int": False})), "bridge-missing", LIKELY),
    "no PCI device": (some(guest=with_domain(pci={"0000:3b:02.1": False})), "pci-gone", CERTAIN),
    "no secret": (some(guest=with_domain(secrets={"s": False})), "secret-gone", LIKELY),
    "no machine type": (some(guest=with_domain(knows_machine=False)), "machine-type-gone", LIKELY),
    "no emulator": (some(guest=with_domain(has_emulator=False)), "emulator-gone", LIKELY),
    "a CPU that lacks something": (
        some(guest=with_domain(cpu_code=1, cpu_says="CPU is incompatible")),
        "cpu-lacking",
        LIKELY,
    ),
    "paused by QEMU": (
        some(guest=with_domain(state="paused", why="I/O error")),
        "paused-by-qemu",
        POSSIBLE,
    ),
    "no domain, and nothing failed": (
        some(guest=NO_DOMAIN, attempt=replace(FAILED, has_failed=False)),
        "domain-undefined",
        LIKELY,
    ),
    "no domain is the best that is known": (some(guest=NO_DOMAIN), "domain-undefined", LIKELY),
    "no domain after an attempt that says why": (
        some(guest=NO_DOMAIN, events=(logged("Unexpected vif_type=binding_failed"),)),
        "binding-failed",
        LIKELY,
    ),
    "libvirt is silent": (
        some(guest=replace(SEEN, domain=None, libvirt_says="refused")),
        "libvirt-silent",
        CERTAIN,
    ),
    "nova-compute is down": (
        some(service=a_service(NODE, is_up=False), guest=None),
        "compute-down",
        CERTAIN,
    ),
    "no space": (
        some(guest=replace(SEEN, space=(replace(SEEN.space[0], free=0),))),
        "no-space",
        LIKELY,
    ),
    "no inodes": (
        some(guest=replace(SEEN, space=(replace(SEEN.space[0], inodes=0),))),
        "no-space",
        LIKELY,
    ),
    "no memory": (some(guest=replace(SEEN, memory_available=1024)), "no-memory", LIKELY),
    "never placed": (
        some(replace(IN_ERROR, host=None), guest=None, node=None, service=None),
        "never-placed",
        CERTAIN,
    ),
    "the fault alone": (
        some(replace(IN_ERROR, fault="Virtual Interface creation failed")),
        "vif-plug-timeout",
        LIKELY,
    ),
    "the action alone": (
        some(attempt=replace(FAILED, says="a\nSecret not found: no secret with matching uuid")),
        "secret-gone",
        LIKELY,
    ),
    "a panic": (
        some(a_server(), with_console("x", "[ 2.5] Kernel panic - not syncing: VFS")),
        "guest-kernel-panic",
        CERTAIN,
    ),
    "emergency mode": (
        some(a_server(), with_console("You are in emergency mode. After logging in, type")),
        "guest-emergency",
        CERTAIN,
    ),
    "the node comes before the server": (
        some(
            guest=replace(with_disk(missing="/b/base"), libvirt_says=None),
            service=a_service(NODE, is_up=False),
        ),
        "compute-down",
        CERTAIN,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cause_is_found_first(case: str) -> None:
    facts, name, sureness = CASES[case]

    found = judged(facts)

    assert [names(found)[:1], found.causes[0].sureness] == [[name], sureness]
    assert found.boots is not Boots.YES
    assert "{" not in found.causes[0].remedy + found.causes[0].says
    assert found.causes[0].evidence


def test_each_rule_of_how_sure_a_cause_is_is_met() -> None:
    met = {judged(facts).causes[0].because for facts, _, _ in CASES.values()}
    met |= {
        judged(some(a_server(), with_console("Boot failed: not a bootable disk", "x")))
        .causes[0]
        .because
    }

    assert met == {one.says for one in RULES}


def test_what_nova_removed_before_a_start_that_failed_is_no_cause() -> None:
    found = judged(CASES["no domain after an attempt that says why"][0])

    assert names(found) == ["binding-failed"]
    assert "domain-undefined" in [one.signature.name for one in found.consequences]


def test_what_no_signature_explains_is_unknown_with_its_last_words() -> None:
    found = judged(some(events=(logged("a new kind of trouble"),)))

    assert (names(found), found.boots) == ([], Boots.NO)
    assert found.last_words is not None
    assert found.last_words.text == "libvirt.libvirtError: a new kind of trouble"
    assert "libvirt has its domain" in found.ruled_out
    assert "a disk of the server has a boot sector" in found.ruled_out


def test_a_guest_that_runs_is_said_to() -> None:
    found = judged(some(a_server(), with_console("web-1 login: ")))

    assert (found.boots, names(found)) == (Boots.YES, [])
    assert "its console shows a prompt" in found.ruled_out


def test_a_guest_that_runs_and_would_not_boot_again_is_warned_of() -> None:
    assert SEEN.domain is not None
    guest = with_console(
        "web-1 login: ",
        guest=replace(
            with_disk(missing="/b/base"),
            domain=replace(with_disk(missing="/b/base").domain or SEEN.domain, state="running"),
        ),
    )

    found = judged(some(a_server(), guest))

    assert (found.boots, names(found)) == (Boots.YES, ["base-missing"])


@pytest.mark.parametrize(
    "after",
    [
        ("web-1 login: ",),
        ("web-1 login: [   61.0] random: crng init done", "[   62.1] IPv6: eth0: link ready"),
        ("\x1b[0m\x1b[Kweb-1 login: \x1b[6n",),
        ("web-1 login: root", "Last login: Sat Nov 28 16:00:00 UTC 2026 on ttyS0"),
        ("[  OK  ] Reached target multi-user.target - Multi-User System.",),
        ("[    0.000000] Linux version 6.12", "starting"),
        ("SYSLINUX 6.04",),
    ],
)
def test_words_of_an_earlier_boot_are_none_of_this_one(after: tuple[str, ...]) -> None:
    console = with_console("Kernel panic - not syncing: VFS", *after)

    assert names(judged(some(a_server(), console))) == []


def test_a_console_of_nova_does_where_the_node_tells_none() -> None:
    found = judged(some(a_server(), guest=None, console=("x", "grub rescue>")))

    assert names(found) == ["guest-grub-rescue"]
    assert found.causes[0].evidence[0].seen.line == 2


def test_a_server_that_was_stopped_by_request_is_not_ill() -> None:
    stop = ServerAction(action="stop", request_id="req-2", user="u", started="2026-11-28T15:00:00")
    found = judged(
        some(a_server("SHUTOFF"), attempt=replace(FAILED, has_failed=False), stopped=stop)
    )

    assert (found.boots, names(found)) == (Boots.STOPPED, [])
    assert "stopped by request (`stop`" in " ".join(found.notes)


@pytest.mark.parametrize("status", ["SHELVED_OFFLOADED", "SOFT_DELETED"])
def test_a_server_that_no_node_has_is_not_ill_for_that(status: str) -> None:
    found = judged(some(a_server(status, host=None), guest=None, node=None, service=None, ports=()))

    assert (found.boots, names(found)) == (Boots.STOPPED, [])


def test_one_that_was_deleted_meanwhile_is_said_to_be() -> None:
    assert "deleted" in " ".join(judged(some(is_deleted=True)).notes)


def test_what_many_servers_of_a_node_suffer_from_says_how_many() -> None:
    of_the_node = judged(some(service=a_service(NODE, is_up=False), neighbours=12))
    of_the_base = judged(some(guest=with_disk(missing="/b/base", sharing=5)))

    assert (of_the_node.causes[0].shared_by, of_the_base.causes[0].shared_by) == (12, 5)


def test_a_uefi_guest_needs_no_boot_sector() -> None:
    assert SEEN.domain is not None
    guest = with_disk(sector="other")
    assert guest.domain is not None

    found = judged(some(guest=replace(guest, domain=replace(guest.domain, is_bios=False))))

    assert names(found) == []


def test_what_comes_after_the_prompt_is_a_cause() -> None:
    console = with_console("web-1 login: [ 9.1] eth0 up", "[ 99.1] Kernel panic - not syncing: x")

    assert names(judged(some(a_server(), console))) == ["guest-kernel-panic"]


def test_a_guest_that_boots_from_a_cd_needs_no_boot_sector() -> None:
    guest = with_disk(sector="empty")
    assert guest.domain is not None

    found = judged(some(guest=replace(guest, domain=replace(guest.domain, boots_from_disks=False))))

    assert names(found) == []


@pytest.mark.parametrize(
    ("spec", "seen", "found"),
    [
        pytest.param({}, False, ["no-memory"], id="usual pages"),
        pytest.param({"hw__mem_page_size": "small"}, False, ["no-memory"], id="small ones"),
        pytest.param({"hw__mem_page_size": "1GB"}, False, [], id="its flavor asks for huge ones"),
        pytest.param({}, True, [], id="its domain has huge ones"),
    ],
)
def test_the_memory_of_a_guest_of_huge_pages_is_not_among_the_available(
    spec: dict[str, Any],
    seen: bool,  # noqa: FBT001  # a column
    found: list[str],
) -> None:
    server = a_server("ERROR", flavor=a_flavor(ram_mib=128, **spec))
    guest = replace(with_domain(has_huge_pages=seen), memory_available=1024)

    assert names(judged(some(server, guest))) == found


@pytest.mark.parametrize("sectors", [("empty", "boot"), ("empty", None), ("empty", "encrypted")])
def test_one_disk_to_boot_from_is_enough_and_one_unknown_may_be_it(
    sectors: tuple[str | None, ...],
) -> None:
    disks = tuple(
        DiskOfGuest(device="vda", kind="disk", path=DISK, is_there=True, image_code=0, sector=one)
        for one in sectors
    )

    assert names(judged(some(guest=with_domain(disks=disks)))) == []


def test_a_fact_of_older_words_is_not_made_up() -> None:
    """A disk whose image cannot be asked is not known to be well."""
    found = judged(some(guest=with_disk(image_code=None)))

    assert not any("QEMU can read it" in one for one in found.ruled_out)


@pytest.mark.parametrize("case", CASES)
def test_what_people_read_fits_80_columns(case: str) -> None:
    lines = render_triage([judged(CASES[case][0])], Form.TABLE, width=80).splitlines()

    assert too_wide(lines, 80) == []
    assert any(line.startswith("  remedy") for line in lines)
