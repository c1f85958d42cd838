"""Where Stackward keeps its things."""

import os
from pathlib import Path

import pytest

from stackward.errors import BadInput
from stackward.settings import read_settings


def test_root_uses_the_places_of_the_machine() -> None:
    settings = read_settings({"XDG_STATE_HOME": "/elsewhere"}, is_root=True)

    assert settings.state_dir == Path("/var/lib/stackward")
    assert settings.cache_dir == Path("/var/cache/stackward")
    assert settings.inventory == Path("/etc/stackward/inventory")
    assert settings.bmc_auth == Path("/etc/stackward/bmc-auth")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, "~/.local/state/stackward", id="usual"),
        pytest.param({"XDG_STATE_HOME": "/s"}, "/s/stackward", id="XDG"),
        pytest.param({"XDG_STATE_HOME": "s"}, "~/.local/state/stackward", id="relative XDG: void"),
        pytest.param({"STACKWARD_STATE_DIR": "/own"}, "/own", id="set"),
        pytest.param({"STACKWARD_STATE_DIR": "~/own"}, "~/own", id="set below home"),
        pytest.param({"STACKWARD_STATE_DIR": ""}, "~/.local/state/stackward", id="empty: not set"),
    ],
)
def test_another_user_has_places_of_their_own(environ: dict[str, str], expected: str) -> None:
    settings = read_settings(environ, is_root=False)

    assert settings.state_dir == Path(expected).expanduser()


def test_the_home_of_nobody_is_refused() -> None:
    with pytest.raises(BadInput) as refused:
        read_settings({"STACKWARD_STATE_DIR": "~nobody-is-called-so/x"}, is_root=True)

    assert refused.value.details == ("STACKWARD_STATE_DIR=~nobody-is-called-so/x",)


def test_a_relative_place_is_refused_by_the_name_of_its_variable() -> None:
    with pytest.raises(BadInput) as refused:
        read_settings({"STACKWARD_CACHE_DIR": "cache", "STACKWARD_INVENTORY": "i"}, is_root=True)

    assert refused.value.details == ("STACKWARD_CACHE_DIR=cache", "STACKWARD_INVENTORY=i")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, None, id="Stackward reads inventories"),
        pytest.param({"STACKWARD_INVENTORY_READER": ""}, None, id="empty: not set"),
        pytest.param(
            {"STACKWARD_INVENTORY_READER": "~/venv/bin/ansible-inventory"},
            Path("~/venv/bin/ansible-inventory").expanduser(),
            id="in a venv",
        ),
    ],
)
def test_what_reads_inventories(environ: dict[str, str], expected: Path | None) -> None:
    assert read_settings(environ, is_root=False).inventory_reader == expected


def test_the_certificates_of_bmcs_are_the_usual_ones_unless_a_file_is_named() -> None:
    usual = read_settings({}, is_root=True)
    named = read_settings({"STACKWARD_BMC_CA": "/etc/ssl/bmc.pem"}, is_root=True)

    assert (usual.bmc_ca, named.bmc_ca) == (None, Path("/etc/ssl/bmc.pem"))


@pytest.mark.parametrize("name", ["STATE_DIR", "CACHE_DIR", "INVENTORY", "BMC_AUTH", "DATABASE"])
def test_what_is_not_utf_8_is_refused_by_the_name_of_its_variable(name: str) -> None:
    given = {"HOME": "/home/ann", f"STACKWARD_{name}": os.fsdecode(b"/\xff")}

    with pytest.raises(BadInput, match="not text in UTF-8") as refused:
        read_settings(given, is_root=False)

    assert refused.value.details == (f"STACKWARD_{name}",)


def test_a_relative_reader_is_refused() -> None:
    with pytest.raises(BadInput) as refused:
        read_settings({"STACKWARD_INVENTORY_READER": "ansible-inventory"}, is_root=True)

    assert refused.value.details == ("STACKWARD_INVENTORY_READER=ansible-inventory",)


@pytest.mark.parametrize(("words", "expected"), [("", 30.0), ("5", 5.0), ("2.5", 2.5)])
def test_the_wait_between_two_looks_is_a_number_of_seconds(words: str, expected: float) -> None:
    settings = read_settings({"STACKWARD_RECONCILE_WAIT_S": words}, is_root=True)

    assert settings.reconcile_wait_s == expected


@pytest.mark.parametrize("words", ["soon", "0", "-1", "nan", "inf", "86400"])
def test_without_a_wait_nothing_would_be_seen_twice(words: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_settings({"STACKWARD_RECONCILE_WAIT_S": words}, is_root=True)

    assert refused.value.details == (f"STACKWARD_RECONCILE_WAIT_S={words}",)
