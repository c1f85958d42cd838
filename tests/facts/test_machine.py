"""What a look reads of the machine itself, of its addresses and of its guests."""

import json
from typing import Any

import pytest

from fakes.nodes import sample
from fuzz.nodes import IP_ADDR, LIST, STATS, SYSINFO
from stackward.facts.machine import addresses_in, parse_sysinfo
from stackward.facts.survey import parse_survey
from stackward.model.survey import Board, Survey

OWN = {"uuid": "", "serial": "", "macs": ["52:54:00:12:34:56"]}


def survey_with(told: dict[str, Any], **commands: str) -> Survey:
    known = {**sample("c01"), **told}
    answers = {name.replace("_", " "): out for name, out in commands.items()}
    known["commands"] |= {name: {"code": 0, "out": out, "err": ""} for name, out in answers.items()}
    return parse_survey("c01", json.dumps(known), took_s=0.4, asked_at=known["now"] - 0.2)


def test_a_machine_is_known_by_what_root_reads_or_else_by_what_libvirt_read() -> None:
    known = {"uuid": "u-1", "serial": "s-1", "macs": []}

    assert survey_with({"container": "", "machine": known}, machine=SYSINFO).board == Board(
        uuid="u-1", serial="s-1"
    )
    assert survey_with({"container": "", "machine": OWN}, machine=SYSINFO).board == Board(
        uuid="4c4c4544-0058-4b10-8051-b7c04f324233",
        serial="7XKQ2B3",
        macs=("52:54:00:12:34:56",),
    )


def test_what_a_container_shares_with_its_host_is_not_its_own() -> None:
    survey = survey_with({"container": "systemd-nspawn", "machine": OWN}, machine=SYSINFO)

    assert survey.board == Board(macs=("52:54:00:12:34:56",))


def test_firmware_that_says_nonsense_is_no_fault_of_the_cloud() -> None:
    survey = survey_with({"container": "", "machine": OWN}, machine="<sysinfo>\x01 no XML")

    assert survey.board == Board(macs=("52:54:00:12:34:56",))
    assert survey.misread == ()


def test_addresses_are_those_of_all_networks() -> None:
    assert addresses_in(IP_ADDR) == ("10.77.1.11", "fd00:77::11", "10.77.2.11")


def test_the_system_is_read_and_not_its_bios() -> None:
    assert parse_sysinfo(SYSINFO)["manufacturer"] == "Dell Inc."
    assert "vendor" not in parse_sysinfo(SYSINFO)


def test_guests_are_told_with_their_disks() -> None:
    guests = survey_with({}, guests=LIST, guest_facts=STATS).guests

    assert guests is not None
    assert {one.server[:8]: (one.state, len(one.disks)) for one in guests} == {
        "84af16aa": ("shut off", 0),
        "ec4b4d8b": ("running", 1),
    }


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({"guests": LIST}, id="libvirt hung at the second question"),
        pytest.param({"guests": LIST, "guest_facts": "no such thing"}, id="odd"),
        pytest.param({}, id="libvirt does not run"),
    ],
)
def test_what_libvirt_did_not_tell_is_not_told_as_no_guests(answers: dict[str, str]) -> None:
    assert survey_with({}, **answers).guests is None
