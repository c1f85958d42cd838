"""What is run as root is declared in one place; the shipped sudoers file grants that, no more."""

import re
from pathlib import Path

import pytest

from stackward.model.maintenance import DROP_IN
from stackward.ports import root
from stackward.ports.root import ALL, For
from stackward.ports.shell import Answer, refusal
from stackward.report.sudoers import sudoers_file

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "docs/examples/stackward.sudoers"
PATTERN = re.compile(r"(?<!\\)[*?\[\]]|\bALL\b(?!=\(root\))")


def listed(alias: str) -> set[str]:
    """Return the commands of an alias of the shipped file, as sudo compares them."""
    text = SHIPPED.read_text().replace("\\\n", "")
    [commands] = re.findall(rf"^Cmnd_Alias {alias} =(.*)$", text, re.MULTILINE)
    return {_bare(one.strip()) for one in re.split(r"(?<!\\),", commands)}


def _bare(entry: str) -> str:
    program, _, rest = re.sub(r"\\(.)", r"\1", entry).partition(" ")
    return f"{program.rpartition('/')[2]} {rest}"


@pytest.mark.parametrize("operation", For)
def test_the_shipped_file_grants_what_each_operation_needs_and_no_more(operation: For) -> None:
    declared = {" ".join(one.words) for one in ALL if operation in one.needed_for}

    assert listed(f"STACKWARD_{operation.name}") == declared


def test_no_entry_of_the_shipped_file_is_a_pattern() -> None:
    entries = [one for line in SHIPPED.read_text().splitlines() for one in [line.partition("#")[0]]]
    granted = [line for line in entries if "ALL=(root) NOPASSWD: " in line]

    assert [line for line in entries if line not in granted and PATTERN.search(line)] == []
    assert granted == [f"ops ALL=(root) NOPASSWD: STACKWARD_{one.name}" for one in For]


def test_the_login_of_the_file_is_the_operators_choice() -> None:
    assert "\nstackward ALL=(root) NOPASSWD: STACKWARD_DRAIN\n" in sudoers_file("stackward")


def test_only_a_file_that_nothing_reads_is_written_from_standard_input() -> None:
    """Whoever may run these chooses what they read: a unit written so would be as good as root."""
    fed = [one.words[-1] for one in ALL if "/dev/stdin" in one.words or one.words[-1] == "-"]

    assert fed == ["/etc/stackward/maintenance"]


@pytest.mark.parametrize(
    "words",
    [
        ("systemctl", "reboot"),
        ("systemctl", "stop", "--no-block", "libvirtd.service"),
        ("env", "LC_ALL=C", *root.STOP),
        ("install", "-D", "-m", "0644", "/dev/stdin", DROP_IN),
        (),
    ],
    ids=" ".join,
)
def test_what_is_not_declared_is_never_run_as_root(words: root.Words) -> None:
    with pytest.raises(ValueError, match="never run as root"):
        root.must_be_declared(words)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(Answer(0, "", "sudo: unable to resolve host c01"), None, id="a remark"),
        pytest.param(
            Answer(3, "inactive\n", "sudo: unable to resolve host c01: Name or service not known"),
            None,
            id="the command's own code, after a remark",
        ),
        pytest.param(
            Answer(1, "", "sudo: a password is required\n"),
            "sudo: a password is required",
            id="no right",
        ),
        pytest.param(
            Answer(1, "", "sudo: unable to resolve host c01\nsudo: a terminal is required\n"),
            "sudo: a terminal is required",
            id="refused, after a remark",
        ),
        pytest.param(
            Answer(127, "", "env: 'sudo': No such file or directory\n"),
            "there is no `sudo` on it",
            id="no sudo",
        ),
        pytest.param(
            Answer(1, "", "Sorry, user ops is not allowed to execute '/bin/x' as root on c01.\n"),
            "Sorry, user ops is not allowed to execute '/bin/x' as root on c01.",
            id="another command than the file has",
        ),
        pytest.param(
            Answer(1, "", "ops is not in the sudoers file.\nThis incident has been reported.\n"),
            "ops is not in the sudoers file.",
            id="a login that sudo does not know",
        ),
        pytest.param(
            Answer(
                1, "", "ops is not allowed to run sudo on c01.  This incident will be reported."
            ),
            "ops is not allowed to run sudo on c01.  This incident will be reported.",
            id="a login that sudo knows on other hosts only",
        ),
        pytest.param(
            Answer(1, "", "sudo: account validation failure, is your account locked?\n"),
            "sudo: account validation failure, is your account locked?",
            id="a login that is locked",
        ),
        pytest.param(Answer(1, "", "Failed to stop x.service"), None, id="it failed as root"),
    ],
)
def test_a_refusal_of_sudo_is_told_from_a_command_that_fails(
    answer: Answer, why: str | None
) -> None:
    assert refusal(answer) == why
