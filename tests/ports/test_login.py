"""What OpenSSH 9.2 wrote, and what is made of it; each was recorded from a real login."""

import pytest

from stackward.model.blind import Blind
from stackward.model.login import Login
from stackward.ports.login import ended_on_the_way, hint_for, why_not

UNKNOWN = """\
No ED25519 host key is known for 192.0.2.11 and you have requested strict checking.
Host key verification failed.
"""
CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Someone could be eavesdropping on you right now (man-in-the-middle attack)!
It is also possible that a host key has just been changed.
The fingerprint for the ED25519 key sent by the remote host is
SHA256:wyF5qTzRe5KKR7ZIIBRi2Av/QwPNtooDysVzaxso5zE.
Please contact your system administrator.
Add correct host key in /home/ops/.ssh/known_hosts to get rid of this message.
Offending ED25519 key in /home/ops/.ssh/known_hosts:1
  remove with:
  ssh-keygen -f "/home/ops/.ssh/known_hosts" -R "192.0.2.11"
Host key for 192.0.2.11 has changed and you have requested strict checking.
Host key verification failed.
"""
REVOKED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@       WARNING: REVOKED HOST KEY DETECTED!               @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
The ED25519 host key for 192.0.2.11 is marked as revoked.
This could mean that a stolen key is being used to
impersonate this host.
ED25519 host key for 192.0.2.11 was revoked and you have requested strict checking.
Host key verification failed.
"""
OF_A_JUMP_HOST = """\
Host key verification failed.
kex_exchange_identification: Connection closed by remote host
Connection closed by UNKNOWN port 65535
"""
NO_KEY = """\
Warning: Identity file nope not accessible: No such file or directory.
root@192.0.2.11: Permission denied (publickey).
"""
BANNER = """\
Connection timed out during banner exchange
Connection to 192.0.2.11 port 22 timed out
"""


@pytest.mark.parametrize(
    ("says", "kind", "line"),
    [
        pytest.param(
            UNKNOWN,
            Blind.KEY_UNKNOWN,
            "No ED25519 host key is known for 192.0.2.11 and you have requested strict checking.",
            id="unknown",
        ),
        pytest.param(
            OF_A_JUMP_HOST, Blind.KEY_UNKNOWN, "Host key verification failed.", id="a jump host"
        ),
        pytest.param(
            CHANGED,
            Blind.KEY_CHANGED,
            "Host key for 192.0.2.11 has changed and you have requested strict checking.",
            id="changed",
        ),
        pytest.param(
            REVOKED,
            Blind.REFUSED,
            "ED25519 host key for 192.0.2.11 was revoked and you have requested strict checking.",
            id="revoked",
        ),
        pytest.param(
            NO_KEY, Blind.REFUSED, "root@192.0.2.11: Permission denied (publickey).", id="no key"
        ),
        pytest.param(
            "Received disconnect from 192.0.2.11 port 22:2: Too many authentication failures\n"
            "Disconnected from 192.0.2.11 port 22\n",
            Blind.REFUSED,
            "Received disconnect from 192.0.2.11 port 22:2: Too many authentication failures",
            id="too many keys",
        ),
        pytest.param(
            "ssh: connect to host 192.0.2.11 port 22: Connection refused\n",
            Blind.NO_SSHD,
            "ssh: connect to host 192.0.2.11 port 22: Connection refused",
            id="nothing listens",
        ),
        pytest.param(
            "ssh: connect to host 192.0.2.11 port 22: Connection timed out\r\n",
            Blind.UNREACHABLE,
            "ssh: connect to host 192.0.2.11 port 22: Connection timed out",
            id="no answer",
        ),
        pytest.param(
            BANNER,
            Blind.UNREACHABLE,
            "Connection to 192.0.2.11 port 22 timed out",
            id="no banner",
        ),
        pytest.param(
            "ssh: Could not resolve hostname c01: Name or service not known\n",
            Blind.UNREACHABLE,
            "ssh: Could not resolve hostname c01: Name or service not known",
            id="no such name",
        ),
        pytest.param(
            "Can't open user config file /etc/cloud/ssh_config: Permission denied\r\n",
            Blind.SETTINGS,
            "Can't open user config file /etc/cloud/ssh_config: Permission denied",
            id="no right to its own settings",
        ),
        pytest.param("", Blind.UNREACHABLE, "", id="nothing"),
        *(
            pytest.param(f"{line}\n", Blind.SETTINGS, line, id=line)
            for line in (
                "command-line: line 0: Bad configuration option: foo",
                "command-line line 0: Bad port 'x'.",
                'command-line line 0: Invalid ProxyJump "a:b:c"',
                "/etc/cloud/ssh_config: line 1: Bad configuration option: foo",
                "unknown option -- Z",
                "Bad port '0'",
                "Unknown cipher type 'none'",
                "Bad owner or permissions on /home/ops/.ssh/config",
            )
        ),
    ],
)
def test_the_line_that_says_why_is_found_among_the_others(
    says: str, kind: Blind, line: str
) -> None:
    assert why_not(says) == (kind, line)
    assert why_not(says.replace("\n", "\r\n")) == (kind, line)
    # One list: whatever has a cause in it has not begun, and the other way round.
    assert ended_on_the_way(says) is bool(says)


@pytest.mark.parametrize(
    "says",
    [
        pytest.param("client_loop: send disconnect: Broken pipe", id="broken"),
        pytest.param("Read from remote host c01: Connection timed out", id="no answer any more"),
        pytest.param("Connection to c01 closed by remote host.", id="closed"),
        pytest.param("Connection reset by 192.0.2.11 port 22", id="reset"),
        pytest.param("Timeout, server c01 not responding.", id="not responding"),
        pytest.param(
            "channel 3: open failed: connect failed: Connection refused", id="a forwarded port"
        ),
        pytest.param(
            "Received disconnect from 192.0.2.11 port 22:11: Connection refused", id="sent away"
        ),
        pytest.param(
            "mux_client_request_session: read from master failed: Broken pipe\n"
            "ssh: connect to host c01 port 22: Connection refused",
            id="the shared connection, then its own",
        ),
        pytest.param("what nobody has read yet", id="unknown"),
    ],
)
def test_what_ssh_may_say_once_a_command_runs_is_no_proof_that_none_does(says: str) -> None:
    assert not ended_on_the_way(says)


def test_a_port_of_a_jump_host_at_which_nobody_listens_is_a_cause() -> None:
    through = (
        "channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed\n"
        "kex_exchange_identification: Connection closed by remote host\n"
        "Connection closed by UNKNOWN port 65535\n"
    )

    assert why_not(through)[0] is Blind.NO_SSHD
    assert ended_on_the_way(through)


@pytest.mark.parametrize(
    ("kind", "commands"),
    [
        pytest.param(Blind.KEY_UNKNOWN, ("`ssh ops@192.0.2.11 true`", "ssh-keyscan"), id="unknown"),
        pytest.param(
            Blind.KEY_CHANGED,
            ("`ssh-keygen -R 192.0.2.11`", "`ssh ops@192.0.2.11 true`"),
            id="changed",
        ),
        pytest.param(Blind.REFUSED, ("`ssh -v ops@192.0.2.11 true`", "ssh-copy-id"), id="no key"),
        pytest.param(
            Blind.SETTINGS, ("`ssh ops@192.0.2.11 true`", "~/.ssh/config"), id="its settings"
        ),
        pytest.param(Blind.NO_SSHD, ("`ssh -v ops@192.0.2.11 true`",), id="nothing listens"),
        pytest.param(Blind.UNREACHABLE, ("`ssh -v ops@192.0.2.11 true`",), id="no way"),
    ],
)
def test_a_hint_can_be_typed_as_it_stands(kind: Blind, commands: tuple[str, ...]) -> None:
    hint = hint_for(kind, Login(address="192.0.2.11", user="ops"))

    assert all(command in hint for command in commands)
    assert "{" not in hint


@pytest.mark.parametrize("kind", [Blind.KEY_UNKNOWN, Blind.KEY_CHANGED])
def test_where_the_inventory_lets_no_key_be_kept_that_is_to_be_mended_first(kind: Blind) -> None:
    login = Login(address="c01", options=("-o", "UserKnownHostsFile=/dev/null"))

    assert "first take `UserKnownHostsFile=/dev/null` out of the inventory" in hint_for(kind, login)
