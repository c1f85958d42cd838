"""How a person logs in to a node: commands that can be typed as they stand."""

import shlex

import pytest

from stackward.model.inventory import Node, SshAccess
from stackward.model.login import MOST_NAMED, Login, by_hand, forgetting


def by_options(*options: str) -> str:
    return by_hand([Login(address="192.0.2.11", user="ops", options=options)])


@pytest.mark.parametrize(
    ("node", "command"),
    [
        pytest.param(Node(name="c01", address="c01"), "ssh c01 true", id="nothing but a name"),
        pytest.param(
            Node(name="c01", address="192.0.2.11", ssh=SshAccess(user="ops")),
            "ssh ops@192.0.2.11 true",
            id="a user and an address",
        ),
        pytest.param(
            Node(
                name="c01",
                address="fd00::11",
                ssh=SshAccess(port=2222, key_file="/home/ops/a key", options=("-J", "jump")),
            ),
            "ssh -p 2222 -i '/home/ops/a key' -J jump fd00::11 true",
            id="a port, a key and a jump host",
        ),
    ],
)
def test_the_command_is_what_the_inventory_says(node: Node, command: str) -> None:
    assert by_hand([node.login]) == f"`{command}`"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param(("-Jjump",), "-J jump", id="in one word"),
        pytest.param(("-o", "ProxyJump=jump"), "-o ProxyJump=jump", id="a setting"),
        pytest.param(("-oproxyjump jump",), "-o 'proxyjump jump'", id="with a blank"),
        pytest.param(
            ("-o", "ProxyCommand=ssh -W %h:%p jump"),
            "-o 'ProxyCommand=ssh -W %h:%p jump'",
            id="a command",
        ),
        pytest.param(
            ("-o", "ProxyCommand=sshpass -p opensesame ssh -W %h:%p jump"),
            "-o ProxyCommand=...",
            id="a secret is not repeated",
        ),
        pytest.param(
            ("-o", "ProxyCommand sshpass -p opensesame ssh -W %h:%p jump"),
            "-o ProxyCommand=...",
            id="nor after a blank",
        ),
        pytest.param(
            ("-C", "-q", "-E", "log", "-o", "ControlPersist=60s", "-o", "StrictHostKeyChecking=no"),
            "",
            id="what does not say where, or lets any key pass, is no part of it",
        ),
    ],
)
def test_of_the_other_arguments_those_are_told_that_lead_there(
    options: tuple[str, ...], told: str
) -> None:
    assert by_options(*options) == f"`{' '.join(filter(None, ['ssh', told]))} ops@192.0.2.11 true`"


@pytest.mark.parametrize(
    "options",
    [
        ("-o", "UserKnownHostsFile=/dev/null"),
        ("-oUserKnownHostsFile=/dev/null",),
        ("-o", "userknownhostsfile /dev/null"),
        ("-o", "UserKnownHostsFile = /dev/null"),
    ],
)
def test_an_inventory_by_which_no_key_is_kept_is_seen(options: tuple[str, ...]) -> None:
    assert Login(address="c01", options=options).forgets
    assert not Login(address="c01", options=("-o", "UserKnownHostsFile=~/hosts")).forgets


def test_many_are_one_loop() -> None:
    logins = [Login(address=f"192.0.2.{n}", user="ops", port=2222) for n in (11, 12)]

    assert by_hand(logins, verbose=True) == (
        '`for to in ops@192.0.2.11 ops@192.0.2.12; do ssh -v -p 2222 "$to" true; done`'
    )


def test_nodes_that_are_reached_in_different_ways_have_each_their_loop() -> None:
    logins = [
        Login(address="a"),
        Login(address="b", options=("-J", "jump")),
        Login(address="c"),
    ]

    assert by_hand(logins) == ('`for to in a c; do ssh "$to" true; done`; `ssh -J jump b true`')


def test_of_very_many_the_first_are_named_and_the_others_counted() -> None:
    logins = [Login(address=f"n{n}") for n in range(MOST_NAMED + 3)]

    text = by_hand(logins)

    named, _, rest = text.partition("; do ")
    assert len(shlex.split(named.partition(" in ")[2])) == MOST_NAMED
    assert rest == 'ssh "$to" true; done` and 3 more (`stackward node list`)'


def test_a_key_is_forgotten_by_the_name_that_it_has_with_its_port() -> None:
    logins = [Login(address="192.0.2.11"), Login(address="192.0.2.12", port=22)]

    assert forgetting([Login(address="c01", port=2222)]) == "`ssh-keygen -R '[c01]:2222'`"
    assert forgetting(logins) == ('`for to in 192.0.2.11 192.0.2.12; do ssh-keygen -R "$to"; done`')
