"""A program of fence-agents is told all on its standard input; how it ends is what counts."""

import json
import textwrap
from pathlib import Path

import pytest

from contract.power import PowerAtWork, PowerContract
from processes import runs
from stackward.adapters.power import Devices
from stackward.adapters.power.agent import Agent
from stackward.adapters.power.logins import Logins
from stackward.adapters.ssh.processes import Processes
from stackward.errors import NotUnderstood, Refused, Uncertain, Unreachable
from stackward.model.hardware import Hardware
from stackward.model.power import PowerState

ON, OFF = PowerState.ON, PowerState.OFF
PASSWORD = "kennwort-der-leiste"  # noqa: S105  # of these tests alone

# As fence-agents behave: options on stdin, `status` ends with 0 or 2, a wrong login with 1.
STRIP = r"""
    #!/usr/bin/python3
    import json, os, sys, time
    from pathlib import Path
    here = Path(__file__).parent
    given = dict(line.split("=", 1) for line in sys.stdin.read().splitlines() if "=" in line)
    with (here / "seen").open("a") as seen:
        seen.write(json.dumps({"given": given, "words": sys.argv[1:]}) + "\n")
    if (here / "deaf").exists():
        (here / "pid").write_text(str(os.getpid()))
        time.sleep(600)
    if given["action"] == "metadata":
        print('<actions><action name="on" automatic="0"/><action name="off" />'
              '<action name="reboot" /><action name="metadata" /></actions>')
        sys.exit(0)
    if given.get("password") != (here / "password").read_text():
        print("Failed: Unable to login with " + given.get("password", "nothing"), file=sys.stderr)
        sys.exit(1)
    outlet = here / ("outlet-" + given["plug"])
    if given["action"] == "status":
        sys.exit(0 if outlet.exists() else 2)
    if (here / "fails").exists():
        sys.exit(1)
    if not (here / "stuck").exists():
        outlet.touch() if given["action"] == "on" else outlet.unlink(missing_ok=True)
"""


class Strip:
    """A power strip of two outlets that are on, and the program that asks it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "fence_strip"
        self.program.write_text(textwrap.dedent(STRIP).lstrip())
        self.program.chmod(0o755)
        self.set("password", PASSWORD)
        for outlet in ("1", "2"):
            self.set(f"outlet-{outlet}")
        login = folder / "bmc-auth"
        login.write_text(f"machine strip login ops password {PASSWORD}\n")
        login.chmod(0o600)

    def set(self, fault: str, text: str = "") -> None:
        (self.folder / fault).write_text(text)

    def outlet(self, plug: str) -> Agent:
        return Agent(
            program=str(self.program),
            options={"ip": "strip", "plug": plug},
            logins=Logins(self.folder / "bmc-auth"),
            processes=Processes(),
        )

    def has_power(self) -> bool:
        return any((self.folder / f"outlet-{each}").exists() for each in ("1", "2"))

    def seen(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.folder / "seen").read_text().splitlines()]


@pytest.fixture
def strip(tmp_path: Path) -> Strip:
    return Strip(tmp_path)


class TestAgent(PowerContract):
    """A node with two feeds, each an outlet of a strip."""

    @pytest.fixture
    def at_work(self, strip: Strip) -> PowerAtWork:
        return PowerAtWork(
            power=Devices({"c01": (strip.outlet("1"), strip.outlet("2"))}),
            node="c01",
            is_on=strip.has_power,
            make_deaf=lambda: strip.set("deaf"),
            make_stuck=lambda: strip.set("stuck"),
            refuse_login=lambda: strip.set("password", "another"),
        )


def test_the_login_goes_to_standard_input_alone(strip: Strip) -> None:
    strip.outlet("1").order_off(5)

    [seen] = strip.seen()
    assert seen == {
        "given": {
            "ip": "strip",
            "plug": "1",
            "action": "off",
            "username": "ops",
            "password": PASSWORD,
        },
        "words": [],
    }


def test_what_the_program_repeats_of_the_password_is_masked(strip: Strip) -> None:
    strip.set("password", "another")

    with pytest.raises(NotUnderstood) as raised:
        strip.outlet("1").state(5)

    assert "Unable to login with" in str(raised.value.says)
    assert PASSWORD not in str(raised.value.says)


def test_an_order_that_ends_badly_may_have_been_carried_out(strip: Strip) -> None:
    strip.set("fails")

    with pytest.raises(Uncertain, match="it ended with 1"):
        strip.outlet("1").order_off(5)


def test_an_order_that_does_not_end_may_have_been_carried_out(strip: Strip) -> None:
    strip.set("deaf")

    with pytest.raises(Uncertain, match="did not end in time"):
        strip.outlet("1").order_off(1)


def test_a_program_that_hangs_is_ended(strip: Strip) -> None:
    strip.set("deaf")

    with pytest.raises(Unreachable):
        strip.outlet("1").state(1)

    assert not runs(int((strip.folder / "pid").read_text()))


def test_a_program_that_is_not_there_is_named(strip: Strip) -> None:
    strip.program.unlink()

    with pytest.raises(Refused, match="there is no program"):
        strip.outlet("1").state(5)


def test_a_program_says_what_it_can_do_and_nothing_of_the_node(strip: Strip) -> None:
    told = strip.outlet("1").describe(5)

    assert (told.reset_types, told.hardware) == (("on", "off", "reboot"), Hardware())
    assert told.name.text == "fence_strip at strip outlet 1"
