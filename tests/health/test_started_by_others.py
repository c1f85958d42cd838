"""What a socket or a timer starts need not run, as long as that will start it."""

import pytest

from fakes.site import Site
from stackward.model.health import Finding

WORKER, TIMER = "neutron-ovn-maintenance-worker.service", "neutron-late.timer"


def stopped(site: Site, starter: str, active: str, sub: str) -> None:
    """Stop a worker that nothing wants but what starts it, which is in such a state."""
    site.stop("ctl", WORKER)
    site.unit("ctl", WORKER, UnitFileState="generated", WantedBy="", TriggeredBy=starter)
    facts = {"Id": starter, "LoadState": "loaded", "ActiveState": active, "SubState": sub}
    out = "".join(f"{name}={value}\n" for name, value in facts.items())
    site.command("ctl", "wanting units", 0, out=out)


@pytest.mark.parametrize(
    ("starter", "active", "sub", "rules"),
    [
        pytest.param(TIMER, "active", "waiting", [], id="a timer that will start it"),
        pytest.param(
            TIMER, "active", "elapsed", ["unit-down"], id="a timer that started it and is over"
        ),
        pytest.param("worker.socket", "active", "listening", [], id="a socket that is listened on"),
        pytest.param("worker.socket", "inactive", "dead", [], id="a socket that is switched off"),
    ],
)
def test_what_was_stopped_is_down_unless_something_will_start_it(
    starter: str, active: str, sub: str, rules: list[str]
) -> None:
    """Seen: a stopped worker was "not proved", exit 0: the timer of its first start was active."""
    site = Site()
    stopped(site, starter, active, sub)

    told = [one for one in site.look().findings if one.component == "neutron-periodic-workers"]

    assert [one.rule for one in told] == rules


LIBVIRTD, SOCKETS = "libvirtd.service", ["libvirtd.socket", "libvirtd-ro.socket"]


def of_libvirt(site: Site) -> list[Finding]:
    return [one for one in site.look().findings if one.component == "libvirtd"]


def test_units_of_one_component_that_are_down_are_one_finding() -> None:
    """Seen: libvirt was stopped, and its service and each of its sockets had a remedy of its own.

    The remedy of a socket was to run libvirt in the foreground. The sockets are started first.
    """
    site = Site()
    for name in (LIBVIRTD, *SOCKETS, "libvirtd-tcp.socket"):
        site.stop("c01", name)

    [found] = of_libvirt(site)

    listed = "`libvirtd.service`, `libvirtd.socket`, `libvirtd-ro.socket`, `libvirtd-tcp.socket`"
    assert (found.rule, found.reason) == ("unit-down", f"{listed} are inactive (dead)")
    start = (
        "systemctl start libvirtd.socket libvirtd-ro.socket libvirtd-tcp.socket libvirtd.service"
    )
    assert found.remedy.startswith(f"`{start}`; if it stops again, run")


def test_units_of_one_component_in_two_states_are_one_finding_too() -> None:
    site = Site()
    site.unit("c01", LIBVIRTD, ActiveState="failed", SubState="failed", Result="exit-code")
    for name in SOCKETS:
        site.stop("c01", name)

    [found] = of_libvirt(site)

    assert found.rule == "unit-down"
    assert "`libvirtd.service` is failed (exit-code); `libvirtd.socket`," in found.reason
    assert found.remedy.startswith(f"`systemctl start {' '.join(SOCKETS)} {LIBVIRTD}`")


def test_a_socket_of_a_service_that_runs_is_started_once_that_is_stopped() -> None:
    """Systemd refuses to start it: "Socket service libvirtd.service already active, refusing."."""
    site = Site()
    site.stop("c01", SOCKETS[1])

    [found] = of_libvirt(site)

    assert found.rule == "socket-down"
    assert found.remedy.startswith(
        f"`systemctl stop {LIBVIRTD}`, then `systemctl start {SOCKETS[1]} {LIBVIRTD}`: systemd"
    )


def test_a_socket_alone_is_started_where_its_service_does_not_run() -> None:
    site = Site()
    for name in (LIBVIRTD, *SOCKETS):  # the socket for TCP will start it
        site.stop("c01", name)

    [found] = of_libvirt(site)

    assert found.rule == "trigger-down"
    assert found.remedy == f"`systemctl start {' '.join(SOCKETS)}`"
