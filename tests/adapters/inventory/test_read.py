"""Inventories as Ansible reads them: what is in the file is what comes out."""

from pathlib import Path
from textwrap import dedent

import pytest

from inventory_samples import LINES, NEAREST
from stackward.adapters.inventory import read_inventory
from stackward.model.inventory import Inventory, Node, SshAccess
from stackward.model.unread import Unread

INI = """\
# The cloud, as the lab writes it.
[control]
ctl ansible_host=10.77.3.10 ansible_user=root  # the only one

[compute]
c01 bmc_url=http://127.0.0.1:8001/redfish/v1/Systems/1
c02 bmc_url=http://127.0.0.1:8001/redfish/v1/Systems/2

[cloud:children]
control
compute

[cloud:vars]
ansible_user = ops
ansible_ssh_common_args = '-J jump -o StrictHostKeyChecking=yes'
"""

YAML = """\
all:
  children:
    cloud:
      vars:
        ansible_user: ops
        ansible_ssh_common_args: -J jump -o StrictHostKeyChecking=yes
      children:
        control:
          hosts:
            ctl: {ansible_host: 10.77.3.10, ansible_user: root}
        compute:
          hosts:
            c01: {bmc_url: http://127.0.0.1:8001/redfish/v1/Systems/1}
            c02: {bmc_url: http://127.0.0.1:8001/redfish/v1/Systems/2}
"""

OPTIONS = ("-J", "jump", "-o", "StrictHostKeyChecking=yes")
BMC = "http://127.0.0.1:8001/redfish/v1/Systems/"
NODES = (
    Node(
        name="ctl",
        address="10.77.3.10",
        groups=("cloud", "control"),
        ssh=SshAccess(user="root", options=OPTIONS),
    ),
    *(
        Node(
            name=name,
            address=name,
            groups=("cloud", "compute"),
            ssh=SshAccess(user="ops", options=OPTIONS),
            bmc_url=BMC + system,
        )
        for name, system in (("c01", "1"), ("c02", "2"))
    ),
)


def read(directory: Path, text: str, name: str = "inventory") -> Inventory:
    path = directory / name
    path.write_text(dedent(text))
    return read_inventory(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("inventory", INI, id="INI, by its looks"),
        pytest.param("inventory.ini", INI, id="INI, by its name"),
        pytest.param("inventory", YAML, id="YAML, by its looks"),
        pytest.param("inventory.yaml", "# a word first\n" + YAML, id="YAML, by its name"),
        pytest.param("inventory", "---\n" + YAML, id="YAML, by its first line"),
    ],
)
def test_both_forms_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    assert read(tmp_path, text, name).nodes == NODES


@pytest.mark.parametrize(("line", "expected"), LINES.items(), ids=LINES)
def test_the_machines_that_a_line_names(
    tmp_path: Path, line: str, expected: tuple[str, ...]
) -> None:
    assert tuple(node.name for node in read(tmp_path, f"{line}\n").nodes) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("b\na\nb\n", ["b", "a"], id="named twice: one node, where first named"),
        pytest.param("; no\n# no\n\na\n", ["a"], id="comments"),
        pytest.param("[empty]\n[g]\na\n", ["a"], id="a group without a machine"),
        pytest.param("# caf\udce9\na\n", ["a"], id="a comment in Latin-1"),
    ],
)
def test_what_names_no_machine_of_its_own(tmp_path: Path, text: str, expected: list[str]) -> None:
    path = tmp_path / "inventory"
    path.write_text(text, errors="surrogateescape")

    assert [node.name for node in read_inventory(path).nodes] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a\n", SshAccess(), id="nothing: left to ssh_config"),
        pytest.param("a:2222\n", SshAccess(port=2222), id="port after the name"),
        pytest.param("[::1]:2222\n", SshAccess(port=2222), id="port after an IPv6 address"),
        pytest.param("a ansible_port=2222\n", SshAccess(port=2222), id="port as a variable"),
        pytest.param("a ansible_ssh_user=u\n", SshAccess(user="u"), id="the old name"),
        pytest.param("a ansible_user=\n", SshAccess(), id="set to nothing"),
        pytest.param(
            "a ansible_ssh_private_key_file='/k y'\n", SshAccess(key_file="/k y"), id="quoted"
        ),
        pytest.param(
            "a ansible_ssh_common_args='-o A=b' ansible_ssh_extra_args=-v\n",
            SshAccess(options=("-o", "A=b", "-v")),
            id="arguments, common ones first",
        ),
    ],
)
def test_how_to_log_in(tmp_path: Path, text: str, expected: SshAccess) -> None:
    [node] = read(tmp_path, text).nodes

    assert node.ssh == expected


@pytest.mark.parametrize(("text", "expected"), NEAREST.values(), ids=NEAREST)
def test_the_nearest_word_wins(tmp_path: Path, text: str, expected: str) -> None:
    [node] = read(tmp_path, text).nodes

    assert f"{node.name}={node.ssh.user}" == expected


def test_of_equals_one_below_all_and_one_beside_it_the_later_name_wins(tmp_path: Path) -> None:
    text = """\
        all: {children: {a: {hosts: {x: }, vars: {ansible_user: a}}}}
        b: {hosts: {x: }, vars: {ansible_user: b}}
    """

    [node] = read(tmp_path, text).nodes

    assert node.ssh.user == "b"


def test_files_beside_the_inventory_win_as_they_do_for_ansible(tmp_path: Path) -> None:
    for name, text in {
        "group_vars/all.yml": "ansible_user: from-all\nansible_port: 22",
        "group_vars/g/ssh.yaml": "ansible_user: from-group\nansible_port: 23",
        "host_vars/b": "ansible_port: 24\nroles: [a, b]",
        "host_vars/a.yml": "$ANSIBLE_VAULT;1.1;AES256\n6162",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    a, b = read(tmp_path, "[g]\na\nb\n[g:vars]\nansible_user=inline\n").nodes

    assert (a.ssh.user, a.ssh.port) == ("from-group", 23)
    assert (b.ssh.user, b.ssh.port) == ("from-group", 24)


def test_this_machine_needs_no_ssh(tmp_path: Path) -> None:
    [node] = read(tmp_path, "localhost ansible_connection=local\n").nodes

    assert node.is_local


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a ansible_host=10.0.0.1\nb ansible_host=10.0.0.1\n", id="an alias"),
        pytest.param(
            "a ansible_host=10.0.0.1 ansible_ssh_common_args='-J one'\n"
            "b ansible_host=10.0.0.1 ansible_ssh_common_args='-J two'\n",
            id="behind different jump hosts",
        ),
        pytest.param(
            "a bmc_url=https://r/Systems/1\nb bmc_url=https://r/Systems/2\n", id="chassis"
        ),
        pytest.param("a bmc_url=https://r:8001/\nb bmc_url=https://r:8002/\n", id="BMC ports"),
    ],
)
def test_what_two_nodes_may_share(tmp_path: Path, text: str) -> None:
    assert [node.name for node in read(tmp_path, text).nodes] == ["a", "b"]


def test_yaml_aliases_and_merges_are_followed(tmp_path: Path) -> None:
    text = """\
        compute:
          hosts: &them
            c01:
          vars: &ssh
            ansible_user: ops
        gpu:
          hosts: *them
          vars:
            <<: *ssh
            ansible_port: 2222
    """

    [node] = read(tmp_path, text).nodes

    assert node.groups == ("compute", "gpu")
    assert node.ssh == SshAccess(user="ops", port=2222)


def test_vaulted_and_templated_passwords_are_passed_over(tmp_path: Path) -> None:
    text = """\
        all:
          hosts:
            a:
              ansible_password: "{{ vault_password }}"
              ansible_become_password: !vault |
                $ANSIBLE_VAULT;1.1;AES256
                6162
    """

    [node] = read(tmp_path, text).nodes

    assert (node.name, node.address, node.ssh) == ("a", "a", SshAccess())


PRINT = ":".join(["AB"] * 32)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param(
            'fence_agent=fence_ipmilan fence_options="ip=192.0.2.7 lanplus=1"',
            Node(
                name="a",
                address="a",
                fence_agent="fence_ipmilan",
                fence_options=((("ip", "192.0.2.7"), ("lanplus", "1")),),
            ),
            id="a program, and what it is told",
        ),
        pytest.param(
            """fence_agent=/opt/x/fence_strip fence_options="ip=p1 plug='A 7'; ip=p2 plug=7" """,
            Node(
                name="a",
                address="a",
                fence_agent="/opt/x/fence_strip",
                fence_options=((("ip", "p1"), ("plug", "A 7")), (("ip", "p2"), ("plug", "7"))),
            ),
            id="two feeds",
        ),
        pytest.param(
            f"bmc_url=https://r/ bmc_fingerprint={PRINT}",
            Node(name="a", address="a", bmc_url="https://r/", bmc_fingerprint="ab" * 32),
            id="a pinned certificate",
        ),
        pytest.param(
            'fence_options="ip=p1 plug=7"', Node(name="a", address="a"), id="options of no program"
        ),
    ],
)
def test_what_switches_the_power_of_a_node(tmp_path: Path, written: str, expected: Node) -> None:
    assert read(tmp_path, f"a {written}\n").nodes == (expected,)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("failure_domain=rack-4", "rack-4", id="a rack"),
        pytest.param('failure_domain="row 2/feed B"', "row 2/feed B", id="with spaces"),
        pytest.param("", None, id="none"),
    ],
)
def test_what_a_node_shares_with_those_that_fail_with_it(
    tmp_path: Path, written: str, expected: str | None
) -> None:
    [node] = read(tmp_path, f"a {written}\n").nodes

    assert node.failure_domain == expected


def test_a_failure_domain_that_is_a_template_is_not_known_and_the_node_is_reached(
    tmp_path: Path,
) -> None:
    [node] = read(tmp_path, "a failure_domain='{{ rack }}'\n").nodes

    assert isinstance(node.failure_domain, Unread)
    assert "is a template" in node.failure_domain.why
    assert node.unknown is None
