"""The adapter for nodes, with a stand-in for `ssh` on the PATH."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.shell import in_turn
from ssh_stand_in import put_ssh
from stackward.adapters.ssh import Ssh
from stackward.errors import BadInput, Uncertain, Unreachable
from stackward.model.identity import Itself, Machine
from stackward.model.inventory import Inventory, Node, SshAccess
from stackward.ports.machines import find_machine
from stackward.ports.root import MASK, QUESTIONS, RELOAD, SOCKETS, STOP, Words
from stackward.ports.shell import refusal

STAND_IN = """\
printf '%s\\n' "$@" > "{asked}"
printf '%s' "{itself}" >> "$own"
printf '%s' "{says}" >&2
printf '%s' "{prints}"
{ends}
"""

NODES = Inventory(
    source="inventory",
    nodes=(
        Node(name="c01", address="192.0.2.11", groups=("compute",), ssh=SshAccess(user="root")),
        Node(
            name="c02",
            address="192.0.2.12",
            ssh=SshAccess(user="ops", port=2222, options=("-J", "jump", "-o", "BatchMode=no")),
        ),
        Node(name="here", address="here", is_local=True),
        Node(name="sw1", address="sw1", left_out="network_cli"),
        Node(name="c09", address="c09", unknown="`ansible_host` is a template"),
    ),
)


@pytest.fixture
def shell() -> Iterator[Ssh]:
    opened = Ssh(NODES)
    yield opened
    opened.close()


class StandIn:
    """A program called `ssh` that notes how it was called."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._asked = directory / "asked"
        self.says()

    def says(
        self, text: str = "", *, code: int = 0, prints: str = "", itself: str = "", ends: str = ""
    ) -> None:
        """Have the command say something, or ssh itself."""
        script = STAND_IN.format(
            asked=self._asked, says=text, prints=prints, itself=itself, ends=ends or f"exit {code}"
        )
        put_ssh(self._directory, script)

    def prints(self, text: str) -> None:
        self.says(prints=text)

    def leads_nowhere(self, itself: str = "ssh: connect to host: No route to host") -> None:
        self.says(itself=itself, code=255)

    @property
    def was_called(self) -> bool:
        return self._asked.exists()

    @property
    def words(self) -> list[str]:
        return self._asked.read_text().splitlines()


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return StandIn(tmp_path)


def test_host_keys_are_checked_and_nothing_asks_for_a_password(shell: Ssh, ssh: StandIn) -> None:
    """Ssh takes the first value of an option: what the inventory says cannot undo it."""
    shell.run("c02", ["true"])

    options = [word for word in ssh.words if "=" in word]
    assert options.index("BatchMode=yes") < options.index("BatchMode=no")
    assert "StrictHostKeyChecking=yes" in options


@pytest.mark.parametrize(
    ("within_s", "connect_s"),
    [
        pytest.param(11.5, 6, id="a part of what is left"),
        pytest.param(1.0, 1, id="a second at least"),
        pytest.param(None, 10, id="the usual limit"),
    ],
)
def test_the_way_to_a_node_takes_no_more_than_a_part_of_the_time_that_is_left(
    shell: Ssh, ssh: StandIn, within_s: float | None, connect_s: int
) -> None:
    """A node that is not there is told from one that hangs: ssh gives up by itself, and says so."""
    shell.run("c02", ["true"], within_s=within_s)

    assert f"ConnectTimeout={connect_s}" in ssh.words


def test_the_inventory_says_how_to_log_in(shell: Ssh, ssh: StandIn) -> None:
    shell.run("c02", ["true"])

    at = ssh.words.index("-p")
    assert ssh.words[at : at + 8] == [
        "-p", "2222", "-l", "ops", "-J", "jump", "-o", "BatchMode=no",
    ]  # fmt: skip
    assert ssh.words[-3:-1] == ["--", "192.0.2.12"]


def test_the_file_for_its_own_words_is_named_last_so_that_no_other_counts(
    shell: Ssh, ssh: StandIn
) -> None:
    shell.run("c02", ["true"])

    assert ssh.words[-5] == "-E"
    assert ssh.words.index("BatchMode=no") < len(ssh.words) - 5


def test_each_word_is_quoted_for_the_nodes_shell(shell: Ssh, ssh: StandIn) -> None:
    shell.run("c01", ["cat", "a file; rm -rf /"])

    assert ssh.words[-1] == "env LC_ALL=C cat 'a file; rm -rf /'"


def test_another_user_than_root_asks_sudo_for_exactly_the_command(shell: Ssh, ssh: StandIn) -> None:
    """`sudo env ...` would need a file that allows `env`, and with it everything."""
    ssh.prints("1000")

    shell.run("c02", STOP, as_root=True)

    stop = "/usr/bin/systemctl stop --no-block nova-compute.service"
    assert ssh.words[-1] == f"env LC_ALL=C sudo -n -- {stop}"


def test_who_is_root_is_told_by_the_number_and_asked_once(shell: Ssh, ssh: StandIn) -> None:
    """A login of another name may be root's, and `root` may be none."""
    ssh.prints("0")
    shell.run("c02", STOP, as_root=True)
    ssh.prints("1000")
    shell.run("c02", STOP, as_root=True)

    assert ssh.words[-1] == "env LC_ALL=C /usr/bin/systemctl stop --no-block nova-compute.service"


def test_what_is_not_declared_is_not_run_as_root(shell: Ssh, ssh: StandIn) -> None:
    with pytest.raises(ValueError, match="never run as root"):
        shell.run("c01", ["systemctl", "reboot"], as_root=True)

    assert not ssh.was_called


def test_f34_root_on_this_machine_needs_no_sudo(
    shell: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{_without_sudo(tmp_path)}")

    answer = shell.run("here", SOCKETS, as_root=True)

    assert (refusal(answer), "sudo" in answer.err) == (None, False)


def test_f34_a_machine_without_sudo_refuses_and_does_not_crash(
    shell: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{_without_sudo(tmp_path, uid=1000)}")

    answer = shell.run("here", SOCKETS, as_root=True)

    assert refusal(answer) == "there is no `sudo` on it"


def _without_sudo(directory: Path, uid: int = 0) -> Path:
    """Make a folder of programs: who is asking, and `env`; what root may run has its whole path."""
    programs = {"id": f"#!/bin/sh\necho {uid}\n"}
    (directory / "env").symlink_to("/usr/bin/env")
    return _programs(directory, programs)


def _programs(directory: Path, programs: dict[str, str]) -> Path:
    for name, script in programs.items():
        (directory / name).write_text(script)
        (directory / name).chmod(0o755)
    return directory


def test_a_command_that_fails_is_an_answer(shell: Ssh, ssh: StandIn) -> None:
    ssh.says("no such domain", code=1)

    answer = shell.run("c01", ["virsh", "dominfo", "x"])

    assert (answer.code, answer.err) == (1, "no such domain")


@pytest.mark.parametrize(
    "says",
    [
        "ssh: connect to host 192.0.2.11 port 22: No route to host",
        "Host key verification failed.",
        "root@192.0.2.11: Permission denied (publickey).",
    ],
)
def test_a_login_that_fails_is_unreachable(shell: Ssh, ssh: StandIn, says: str) -> None:
    ssh.leads_nowhere(says)

    with pytest.raises(Unreachable) as caught:
        shell.run("c01", ["true"])

    assert caught.value.says == says


# What a command may write, and what a login may be greeted with.
LIKE_SSH = {
    "it could not connect, either": "ssh: connect to host db-1 port 22: Connection refused",
    "it was not let in, either": "ops@db-1: Permission denied (publickey).",
    "a client of a database": "ERROR 2002: Can't connect to server on 'ctl' (111): "
    "Connection refused",
    "a key that it does not know": "Host key verification failed.",
    "its settings": "/root/.ssh/config: line 3: Bad configuration option: foo",
    "its exchange of keys": "kex_exchange_identification: Connection closed by remote host",
}
# What ssh itself says of a connection that was there; over a shared one it says nothing.
LOST = {
    "nothing": "",
    "broken": "client_loop: send disconnect: Broken pipe",
    "no answer any more": "Timeout, server 192.0.2.11 not responding.",
    "never acknowledged": "Read from remote host 192.0.2.11: Connection timed out\n"
    "client_loop: send disconnect: Connection timed out",
    "closed": "Connection to 192.0.2.11 closed by remote host.",
    "reset": "Connection reset by 192.0.2.11 port 22",
    "one of its forwarded ports, too": "channel 3: open failed: connect failed: Connection refused",
    "the shared one, then its own": "mux_client_request_session: read from master failed: "
    "Broken pipe\nssh: connect to host 192.0.2.11 port 22: Connection refused",
}


@pytest.mark.parametrize("itself", LOST.values(), ids=LOST)
@pytest.mark.parametrize("writes", ["", *LIKE_SSH.values()], ids=["nothing", *LIKE_SSH])
def test_a_connection_that_is_lost_midway_is_uncertain_whatever_the_command_wrote(
    shell: Ssh, ssh: StandIn, writes: str, itself: str
) -> None:
    """What it wrote was taken for ssh's own words: it had not begun, and was run a second time."""
    ssh.says(f"{writes}\n", itself=itself, code=255)

    with pytest.raises(Uncertain, match="was lost during `systemctl`"):
        shell.run("c01", ["systemctl", "stop", "nova-compute"])


def test_an_ssh_that_is_killed_leaves_it_open_what_the_command_did(
    shell: Ssh, ssh: StandIn
) -> None:
    """Out of memory: the code of the signal was taken for that of the command."""
    ssh.says("Connection refused", ends="kill -KILL $$")

    with pytest.raises(Uncertain, match="was lost during `systemctl`"):
        shell.run("c01", ["systemctl", "stop", "nova-compute"])


def test_what_a_jump_host_says_is_told_once_ssh_itself_says_that_it_did_not_come_through(
    shell: Ssh, ssh: StandIn
) -> None:
    refused = "ops@jump: Permission denied (publickey)."
    itself = "kex_exchange_identification: Connection closed by remote host"
    ssh.says(f"{refused}\n", itself=itself, code=255)

    with pytest.raises(Unreachable) as caught:
        shell.run("c02", ["true"])

    assert caught.value.says == f"{refused}\n\n{itself}"
    assert "see which user and which keys are offered" in (caught.value.hint or "")


def test_this_machine_needs_no_ssh(shell: Ssh) -> None:
    assert shell.run("here", ["echo", "a b"]).out == "a b\n"


def test_what_a_command_is_given_to_read_reaches_it(shell: Ssh) -> None:
    assert shell.run("here", ["cat"], given="text").out == "text"


def test_a_node_that_is_not_in_the_inventory_is_refused(shell: Ssh) -> None:
    with pytest.raises(BadInput, match="the inventory does not name `c99`"):
        shell.run("c99", ["true"])


@pytest.mark.parametrize(
    ("host", "address", "expected"),
    [
        pytest.param("c01", None, "c01", id="by its name"),
        pytest.param("c01.example.org", None, "c01", id="by its short name"),
        pytest.param("other", "192.0.2.12", "c02", id="by its address"),
        pytest.param("other", "192.0.2.99", None, id="not at all"),
    ],
)
def test_a_host_of_nova_is_found_in_the_inventory(
    shell: Ssh, ssh: StandIn, host: str, address: str | None, expected: str | None
) -> None:
    ssh.leads_nowhere()
    machine = Machine(host=host, addresses=(address,) if address else ())

    assert find_machine(shell, machine, ask=in_turn(shell)).node == expected


def test_a_node_is_asked_once_what_it_calls_itself(shell: Ssh, ssh: StandIn) -> None:
    ssh.says(
        prints="\n=names=\nc01\nc01.example.org\n\n[DEFAULT]\nhost = compute-1\n[vnc]\nhost=0\n"
    )
    first = shell.itself("c01")
    ssh.leads_nowhere()

    second = shell.itself("c01")

    expected = Itself(names=("c01", "c01.example.org"), configured="compute-1")
    assert (first, second) == (expected, expected)


GREETING = "Welcome to compute-08\n\nhost = compute-08\nlast login: "


def test_what_a_login_prints_is_not_what_the_node_calls_itself(shell: Ssh, ssh: StandIn) -> None:
    """A `.bashrc` greeted with the name of another host: the node had that name, too."""
    ssh.prints(f"{GREETING}\n=names=\nc01\n\n[DEFAULT]\nhost = compute-1\n")

    assert shell.itself("c01") == Itself(names=("c01",), configured="compute-1")


def test_a_login_that_prints_and_does_not_answer_tells_nothing(shell: Ssh, ssh: StandIn) -> None:
    ssh.prints(GREETING)

    assert shell.itself("c01") is None


def test_the_question_for_names_answers_behind_its_mark(shell: Ssh) -> None:
    said = shell.itself("here")

    assert said
    assert said.names[0] == os.uname().nodename


@pytest.mark.parametrize(
    ("prints", "sudo"),
    [
        pytest.param("Welcome to c01\n0\n", "", id="root's login greets"),
        pytest.param("0\n1000\n", "sudo -n -- ", id="the greeting is no answer"),
        pytest.param("", "sudo -n -- ", id="nothing was said"),
    ],
)
def test_who_is_root_is_told_by_the_last_line(
    shell: Ssh, ssh: StandIn, prints: str, sudo: str
) -> None:
    ssh.prints(prints)

    shell.run("c02", STOP, as_root=True)

    stop = "/usr/bin/systemctl stop --no-block nova-compute.service"
    assert ssh.words[-1] == f"env LC_ALL=C {sudo}{stop}"


SWITCH = QUESTIONS[0][1]  # put to a tool that not every node has
NO_PASSWORD = "sudo: a password is required"  # noqa: S105  # what it says
ID = """\
#!/bin/sh
[ "$1" = -un ] && echo ops || echo 1000
"""
SUDO = """\
#!/bin/sh
[ "$*" = "-n -l" ] && {{ echo "Matching Defaults entries for ops on here:"; echo "    {defaults}";
  echo; echo "User ops may run the following commands on here:"; exit 0; }}
[ "$1 $2 $3" = "-n -ll --" ] || {{ echo "nothing is run here" >&2; exit 99; }}
case "$*" in
  *mask*) echo "    Options: {options}"; echo "    Matched: $4"; exit 0 ;;
  *ovs-appctl*) echo "sudo: /usr/bin/ovs-appctl: command not found" >&2; exit 1 ;;
  *stop*) exit 1 ;;
  *) echo "sudo: a password is required" >&2; exit 1 ;;
esac
"""


@pytest.mark.parametrize(
    ("listed", "mask"),
    [
        pytest.param(("env_reset", "!authenticate"), {}, id="NOPASSWD"),
        pytest.param(("env_reset", "setenv"), {MASK: NO_PASSWORD}, id="but for a password"),
        pytest.param(("env_reset, !authenticate", "setenv"), {}, id="nobody needs a password"),
    ],
)
def test_sudo_is_asked_what_it_would_refuse_and_runs_nothing(
    shell: Ssh,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    listed: tuple[str, str],
    mask: dict[Words, str],
) -> None:
    there = {"sudo": SUDO.format(defaults=listed[0], options=listed[1]), "id": ID}
    monkeypatch.setenv("PATH", f"{_programs(tmp_path, there)}:/usr/bin:/bin")

    rights = shell.rights("here", [MASK, STOP, RELOAD, SWITCH])

    assert rights.login == "ops"
    assert rights.refused == {
        **mask,
        STOP: "its sudoers file does not name it",
        RELOAD: NO_PASSWORD,
    }


def test_f34_a_machine_without_sudo_refuses_all_that_needs_it(
    shell: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _programs(tmp_path, {"id": ID})
    (folder / "env").symlink_to("/usr/bin/env")
    (folder / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(folder))

    rights = shell.rights("here", [MASK])

    assert rights.refused == {MASK: "there is no `sudo` on it"}


def test_root_is_refused_nothing(shell: Ssh, ssh: StandIn) -> None:
    ssh.prints("0")

    assert shell.rights("c01", [MASK]).refused == {}


@pytest.mark.parametrize(
    ("node", "why"),
    [
        pytest.param("sw1", "Ansible reaches it by `network_cli`", id="not by ssh"),
        pytest.param("c09", "`ansible_host` is a template", id="nobody knows how"),
    ],
)
def test_nothing_is_run_where_ssh_may_lead_elsewhere(
    shell: Ssh, ssh: StandIn, node: str, why: str
) -> None:
    with pytest.raises(Unreachable) as refused:
        shell.run(node, ["true"])

    assert why in refused.value.message
    assert not ssh.was_called
    assert find_machine(shell, Machine(host=node), ask=in_turn(shell)).node == node
