"""Logins are read from a file that nobody else may read; no word of it is repeated."""

from pathlib import Path

import pytest

from stackward.adapters.power.logins import Logins
from stackward.errors import BadInput, Refused
from stackward.masking import masked

SECRET = "tr0ub4dor-and-3"  # noqa: S105  # of these tests alone


def a_file(folder: Path, text: str, mode: int = 0o600) -> Logins:
    file = folder / "bmc-auth"
    file.write_text(text)
    file.chmod(mode)
    return Logins(file)


def test_each_device_has_its_login_and_others_the_default(tmp_path: Path) -> None:
    logins = a_file(
        tmp_path,
        f"machine 192.0.2.7 login root password {SECRET}\ndefault login ops password x-{SECRET}\n",
    )

    found = [logins.must_be(host) for host in ("192.0.2.7", "fd00::7")]

    assert [each.user for each in found] == ["root", "ops"]
    assert SECRET not in repr(found)


def test_a_password_that_was_read_is_masked_from_then_on(tmp_path: Path) -> None:
    a_file(tmp_path, f"default login ops password {SECRET}\n").of("bmc")

    assert SECRET not in masked(f"Failed: login with {SECRET}")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_may_read_is_refused(mode: int, tmp_path: Path) -> None:
    logins = a_file(tmp_path, f"default login ops password {SECRET}\n", mode)

    with pytest.raises(BadInput, match=rf"others may read it \(its mode is {mode:04o}\)") as raised:
        logins.of("bmc")

    assert raised.value.hint == f"`chmod 600 {logins.file}`"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"machine bmc login ops {SECRET}\n", id="a password without its word"),
        pytest.param(f"\n{SECRET}\n", id="a password alone"),
    ],
)
def test_what_cannot_be_read_is_said_by_its_line_alone(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"is not understood near line \d$") as raised:
        a_file(tmp_path, text).of("bmc")

    assert SECRET not in f"{raised.value.message} {raised.value.details} {raised.value.hint}"
    assert raised.value.__cause__ is None


def test_a_folder_is_no_file_of_logins(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="it is no file"):
        Logins(tmp_path).of("bmc")


def test_without_a_file_there_is_no_login_and_the_hint_says_how_to_give_one(
    tmp_path: Path,
) -> None:
    logins = Logins(tmp_path / "bmc-auth")

    with pytest.raises(Refused) as raised:
        logins.must_be("192.0.2.7")

    assert logins.of("192.0.2.7") is None
    assert "machine 192.0.2.7 login USER password PASSWORD" in str(raised.value.hint)
