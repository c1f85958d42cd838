"""What a socket or a timer starts need not run, as long as that will start it."""

import pytest

from fakes.site import Site

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


def test_units_of_one_component_that_are_down_are_one_finding() -> None:
    """Seen: libvirt was stopped, and its service and each of its sockets had a remedy of its own.

    The remedy of a socket was to run libvirt in the foreground.
    """
    site = Site()
    units = ["libvirtd.service", "libvirtd.socket", "libvirtd-ro.socket", "libvirtd-tcp.socket"]
    for name in units:
        site.stop("c01", name)

    [found] = [one for one in site.look().findings if one.component == "libvirtd"]

    listed = ", ".join(f"`{name}`" for name in units)
    assert (found.rule, found.reason) == ("unit-down", f"{listed} are inactive (dead)")
    assert found.remedy.startswith(f"`systemctl start {' '.join(units)}`; if it stops again, run")


def test_a_socket_that_is_down_is_started_and_never_run_in_the_foreground() -> None:
    site = Site()
    site.stop("c01", "libvirtd-ro.socket")

    [found] = [one for one in site.look().findings if one.component == "libvirtd"]

    assert (found.rule, found.remedy) == ("trigger-down", "`systemctl start libvirtd-ro.socket`")
