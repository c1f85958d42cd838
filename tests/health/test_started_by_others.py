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
