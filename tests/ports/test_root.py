"""What is run as root is declared in one place; the shipped sudoers file grants that, no more."""

import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pytest

from stackward.model.maintenance import DROP_IN
from stackward.ports import root
from stackward.ports.root import ALL, SCAN_LOGS, TALK, For, RootCommand, Words
from stackward.ports.shell import Answer, refusal
from stackward.report.sudoers import sudoers_file

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "docs/examples/stackward.sudoers"
APPCTL = {"/usr/bin/ovs-appctl", "/usr/bin/ovn-appctl"}
PASS_ON = {"/usr/bin/timeout", "/usr/bin/setpriv", "/usr/bin/docker", "/usr/bin/podman"}
# Programs that execute none of the words that they are given. A new one has to be thought through.
EXECUTE_NOTHING = {
    *APPCTL,
    "/usr/bin/cat",
    "/usr/bin/grep",
    "/usr/bin/install",
    "/usr/bin/journalctl",
    "/usr/bin/mariadb",
    "/usr/bin/mariadb-check",
    "/usr/bin/mv",
    "/usr/bin/mysql",
    "/usr/bin/mysqlcheck",
    "/usr/bin/rm",
    "/usr/bin/ss",
    "/usr/bin/stat",
    "/usr/bin/sync",
    "/usr/bin/systemctl",
    "/usr/bin/tail",
    "/usr/bin/test",
    "/usr/bin/virt-admin",
    "/usr/sbin/crm_mon",
    "/usr/sbin/rabbitmqctl",
    "/usr/sbin/ss",
    "/usr/sbin/vgs",
}
# Whatever stands behind that: only root writes there.
TRUSTED = re.compile(r"/usr/s?bin/")
PATTERN = re.compile(r"(?<!\\)[*?\[\]]|\bALL\b(?!=\(root\))")


def listed(alias: str) -> set[str]:
    """Return the commands of an alias of the shipped file, as sudo compares them."""
    text = SHIPPED.read_text().replace("\\\n", "")
    [commands] = re.findall(rf"^Cmnd_Alias {alias} =(.*)$", text, re.MULTILINE)
    return {re.sub(r"\\(.)", r"\1", one.strip()) for one in re.split(r"(?<!\\),", commands)}


def executed(words: Sequence[str]) -> list[str]:
    """Return every word that is executed as a program, of a command that is run by these words.

    It reads them as the programs do: what one of them refuses, it executes nothing of.
    """
    if not words:
        return []
    program, rest = words[0], tuple(words[1:])
    behind = {
        "timeout": _behind_timeout,
        "setpriv": _behind_setpriv,
        "docker": _behind_an_engine,
        "podman": _behind_an_engine,
        "sh": _behind_sh,
        "python3": _behind_python,
    }.get(program.rpartition("/")[2])
    if behind is None:
        assert program in EXECUTE_NOTHING, f"does `{program}` execute one of its words?"
        return [program]
    return [program, *behind(rest)]


def _behind_timeout(words: Words) -> list[str]:
    if words[:1] == ("-k",):
        words = words[2:] if len(words) > 1 and words[1].isdigit() else ()
    return _of_any(words[1:]) if words and words[0].isdigit() else []


def _behind_setpriv(words: Words) -> list[str]:
    while words and words[0].startswith("-"):
        if words[0] == "--init-groups":
            words = words[1:]
        elif words[0] in {"--reuid", "--regid"}:
            words = words[2:] if len(words) > 1 and " " not in words[1] else ()  # no such user
        else:
            return []  # it has no such option
    return _of_any(words)


def _behind_an_engine(words: Words) -> list[str]:
    is_understood = words[:1] == ("exec",) and " " not in "".join(words[1:2])  # no such container
    return _of_any(words[2:]) if is_understood else []


def _behind_sh(words: Words) -> list[str]:
    """Find nothing: a script with `echo` only. `test_sudoers.py` lets a real shell read it."""
    if words[:1] != ("-c",) or len(words) != len(("-c", "script")):
        return []
    assert set(re.findall(r"(?:^|; |{ )(\w+) ", words[1])) == {"echo"}
    return []


def _behind_python(words: Words) -> list[str]:
    """Find nothing: what it is given to read it executes itself, and no word is a file."""
    assert words[0] == "-I" or words[0].startswith("-I ")  # which is no option: it ends
    return []


def _of_any(words: Words) -> list[str]:
    """Return what is executed of words that another has cut, where the program may be unknown."""
    known = words[:1] and (words[0] in EXECUTE_NOTHING or words[0] in PASS_ON)
    return executed(words) if known else [*words[:1]]


@pytest.mark.parametrize("one", ALL, ids=lambda one: " ".join(one.words)[:60])
def test_every_word_that_is_executed_is_an_absolute_path(one: RootCommand) -> None:
    """A name alone is looked for on a path; and see the next one."""
    assert {word for word in executed(one.words) if not TRUSTED.match(word)} == set()


@pytest.mark.parametrize("one", ALL, ids=lambda one: " ".join(one.words)[:60])
def test_no_other_cut_of_the_words_executes_what_its_caller_may_write(one: RootCommand) -> None:
    """Sudo joins words by blanks and compares that: it allows every cut that gives the same.

    Seen: `timeout 4 "setpriv --reuid x /y"` ran that file of the caller's own folder, as root.
    """
    cuts = (
        (*one.words[:begins], " ".join(one.words[begins:ends]), *one.words[ends:])
        for begins, ends in combinations(range(1, len(one.words) + 1), 2)
    )

    assert {word for cut in cuts for word in executed(cut) if not TRUSTED.match(word)} == set()


@pytest.mark.parametrize(
    "one", [one for one in ALL if For.CHECK in one.needed_for], ids=lambda one: " ".join(one.words)
)
def test_what_a_check_has_started_as_root_ends_by_itself(one: RootCommand) -> None:
    """Who is not root cannot end it; a client of Docker was left at each look of a hung one."""
    is_own = one.words[0] in APPCTL and one.words[1:3] == ("-T", "4")
    assert is_own or one.words[0] == "/usr/bin/timeout"
    if "exec" in one.words:  # there its client's end is not its own
        inside = one.words[one.words.index("exec") + 2 :]
        by_alarm = inside[0] in APPCTL and inside[1:3] == ("-T", "4")
        assert by_alarm or inside[0] == "/usr/bin/timeout"


@pytest.mark.parametrize("words", [("timeout", "4", "setpriv", "x"), ("/usr/bin/env", "id")])
def test_a_command_that_nobody_thought_of_is_not_passed_over(words: Words) -> None:
    with pytest.raises(AssertionError):
        assert all(TRUSTED.match(word) for word in executed(words))


@pytest.mark.parametrize("operation", For)
def test_the_shipped_file_grants_what_each_operation_needs_and_no_more(operation: For) -> None:
    declared = {" ".join(one.words) for one in ALL if operation in one.needed_for}

    assert listed(f"STACKWARD_{operation.name}") == declared


def test_no_entry_of_the_shipped_file_is_a_pattern() -> None:
    entries = [one for line in SHIPPED.read_text().splitlines() for one in [line.partition("#")[0]]]
    granted = [line for line in entries if "ALL=(root) NOPASSWD: " in line]

    assert [line for line in entries if line not in granted and PATTERN.search(line)] == []
    assert granted == [
        f"ops ALL=(root) NOPASSWD: STACKWARD_{one.name}" for one in For if one is not For.LOGS
    ]


def test_what_equals_root_is_granted_by_nobody_but_the_operator() -> None:
    assert "\n# ops ALL=(root) NOPASSWD: STACKWARD_LOGS\n" in SHIPPED.read_text()
    assert [one.words for one in ALL if For.LOGS in one.needed_for] == [SCAN_LOGS, TALK]


def test_the_login_of_the_file_is_the_operators_choice() -> None:
    assert "\nstackward ALL=(root) NOPASSWD: STACKWARD_DRAIN\n" in sudoers_file("stackward")


def test_only_a_file_that_nothing_reads_is_written_from_standard_input() -> None:
    """Whoever may run these chooses what they read: a unit written so would be as good as root.

    The second is read by Stackward alone, as a list of ids.
    """
    fed = [one.words[-1] for one in ALL if "/dev/stdin" in one.words or one.words[-1] == "-"]

    assert fed == ["/etc/stackward/maintenance", "/var/lib/stackward/who-ran.new"]


def test_only_what_reads_logs_executes_what_it_is_given() -> None:
    executing = [one.words for one in ALL if any("exec(" in word for word in one.words)]

    assert executing == [SCAN_LOGS, TALK]


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


def test_no_two_blanks_follow_each_other() -> None:
    """A sudoers file joins them to one, and sudo then allows another command than is run."""
    assert [one.words for one in ALL if "  " in " ".join(one.words)] == []
