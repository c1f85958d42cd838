"""Inventories as operators have them, each named after what went wrong with it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inventory_samples import SAMPLES, write
from stackward.adapters.inventory import read_inventory
from stackward.errors import BadInput
from stackward.model.inventory import Inventory, Node

BY_ANSIBLE = "let Ansible read it with `--inventory-reader ansible`"


def read(name: str, directory: Path) -> Inventory:
    return read_inventory(write(SAMPLES[name], directory))


def refusal(name: str, directory: Path) -> BadInput:
    with pytest.raises(BadInput) as refused:
        read(name, directory)
    return refused.value


def test_localhost_was_asked_by_ssh_when_its_connection_had_its_whole_name(tmp_path: Path) -> None:
    [node] = read("local-by-its-whole-name.ini", tmp_path).nodes

    assert node.is_local


def test_hidden_files_and_backups_beside_an_inventory_were_read(tmp_path: Path) -> None:
    [node] = read("hidden-and-backup", tmp_path).nodes

    assert node.ssh.user == "ops"


def test_a_file_beside_the_folder_of_the_same_group_was_read(tmp_path: Path) -> None:
    """Of `all`, `all.yml`, `all.yaml` and `all.json`, Ansible reads the first that is there."""
    [node] = read("file-beside-folder", tmp_path).nodes

    assert (node.ssh.user, node.ssh.port) == ("folder", 23)


def test_folders_in_folders_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    [node] = read("nested-folders", tmp_path).nodes

    assert (node.ssh.user, node.ssh.port) == ("deep", 25)


def test_a_text_instead_of_a_mapping_is_a_name(tmp_path: Path) -> None:
    ctl1, c01 = read("string-instead-of-mapping.yml", tmp_path).nodes

    assert (ctl1.name, ctl1.groups) == ("ctl1", ("control",))
    assert (c01.name, c01.groups) == ("c01", ("compute", "nodes"))


def test_a_key_that_ansible_skips_is_skipped_and_named(tmp_path: Path) -> None:
    inventory = read("key-that-ansible-skips.yml", tmp_path)

    assert inventory.nodes == (Node(name="c01", address="c01", groups=("compute",)),)
    assert inventory.warnings == (
        (
            f"`{tmp_path}/key-that-ansible-skips.yml`, line 6: `ansible_user` is skipped: "
            "a group has `hosts`, `children`, `vars`, and nothing else"
        ),
    )


def test_a_key_that_is_there_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    refused = refusal("key-twice.yml", tmp_path)

    assert refused.message.endswith("line 4: `compute` is there twice, first on line 1")


def test_the_output_of_a_dynamic_inventory_is_read_and_called_so(tmp_path: Path) -> None:
    inventory = read("dynamic-output.json", tmp_path)

    nodes = {node.name: node for node in inventory.nodes}
    assert (nodes["compute1"].address, nodes["compute1"].groups) == (
        "192.0.2.21",
        ("nova_compute",),
    )
    assert nodes["infra1_keystone_container-1a2b3c4d"].groups == ("keystone", "keystone_all")
    [warning] = inventory.warnings
    assert "this is the saved output of a dynamic inventory" in warning


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param('{"_meta": {}, "g": ["a"]}', "`_meta` has no mapping", id="no variables"),
        pytest.param('{"_meta": {"hostvars": {}}, "g": {"hosts": "a"}}', "`hosts` of `g` is not"),
        pytest.param('{"_meta": {"hostvars": {}}, "g": {"hosts": [1]}}', "`hosts` of `g` is not"),
        pytest.param('{"_meta": {"hostvars": {"a": 5}}, "g": ["a"]}', "of `a` is not a mapping"),
        pytest.param('{"_meta": {"hostvars": {}}, "g": {"vars": 5}}', "`vars` of `g` is not"),
        pytest.param('{"_meta": {"hostvars": {}}, "g": ["-oX=y"]}', "not a name for a machine"),
    ],
)
def test_an_output_of_another_shape_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_inventory(write({"i.json": text}, tmp_path))

    assert why in refused.value.message


def test_a_directory_is_left_to_ansible(tmp_path: Path) -> None:
    refused = refusal("directory", tmp_path)

    assert refused.message == f"cannot read the inventory `{tmp_path}`: it is a directory"
    assert (refused.hint or "").startswith(BY_ANSIBLE)


def test_the_configuration_of_a_plugin_is_left_to_ansible(tmp_path: Path) -> None:
    refused = refusal("inventory-plugin.yml", tmp_path)

    assert "configures the inventory plugin `openstack.cloud.openstack`" in refused.message
    assert (refused.hint or "").startswith(BY_ANSIBLE)


def test_a_machine_without_ansible_is_told_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    refused = refusal("inventory-plugin.yml", tmp_path)

    assert "pip install ansible-core" in (refused.hint or "")
    assert "STACKWARD_INVENTORY_READER" in (refused.hint or "")


def test_a_password_stopped_every_command(tmp_path: Path) -> None:
    """TripleO writes one into each inventory that it generates: it is warned of, and not read."""
    inventory = read("password-of-tripleo.yaml", tmp_path)

    assert [node.address for node in inventory.nodes] == ["192.0.2.21"]
    assert inventory.warnings == (
        (
            f"`{tmp_path}/password-of-tripleo.yaml` holds passwords in plain text; "
            "they are not read: `overcloud_admin_password` (line 8)"
        ),
    )


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        pytest.param("i", "a ansible_password=tops3cret\n", "`ansible_password` (line 1)"),
        pytest.param(
            "i", "a\n[all:vars]\nansible_become_pass = x\n", "`ansible_become_pass` (line 3)"
        ),
        pytest.param("i", "a ipmi_password=tops3cret\n", "`ipmi_password` (line 1)"),
        pytest.param("i", "a ansible_ssh_pass=tops3cret\n", "`ansible_ssh_pass` (line 1)"),
        pytest.param("i.yml", "g: {hosts: {a: {x_pass: 5}}}\n", "`x_pass` (line 1)", id="YAML"),
        pytest.param(
            "i",
            "a a_pass=1 b_pass=1 c_pass=1 d_pass=1 e_pass=1 f_pass=1 g_pass=1\n",
            "`e_pass` (line 1) and 2 more",
            id="many",
        ),
    ],
)
def test_a_password_is_named_with_its_line_and_not_read(
    tmp_path: Path, name: str, text: str, shown: str
) -> None:
    inventory = read_inventory(write({name: text}, tmp_path))

    [warning] = inventory.warnings
    assert warning.endswith(shown)
    assert "tops3cret" not in repr(inventory)


def test_a_switch_with_the_name_of_a_password_is_none(tmp_path: Path) -> None:
    inventory = read_inventory(write({"i": "a set_boot_pass=True\n"}, tmp_path))

    assert inventory.warnings == ()


def test_files_that_are_encrypted_as_a_whole_are_named(tmp_path: Path) -> None:
    path = write({"hosts": "a\n", "host_vars/a/v.yml": "$ANSIBLE_VAULT;1.1;AES256\n61"}, tmp_path)

    assert read_inventory(path).warnings == (
        (
            "encrypted files are not read, so no setting in them counts: "
            f"`{tmp_path}/host_vars/a/v.yml`"
        ),
    )


def test_nodes_that_are_not_reached_by_ssh_are_left_out(tmp_path: Path) -> None:
    inventory = read("not-by-ssh.ini", tmp_path)

    assert {node.name: node.left_out for node in inventory.nodes} == {
        "c01": None,
        "hv1": "winrm",
        "sw1": "ansible.netcommon.network_cli",
    }


@pytest.mark.parametrize("word", ["ssh", "smart", "ansible.builtin.ssh", "paramiko", "{{}}"[:0]])
def test_what_is_reached_by_ssh(tmp_path: Path, word: str) -> None:
    [node] = read_inventory(write({"i": f"a ansible_connection={word}\n"}, tmp_path)).nodes

    assert (node.left_out, node.is_local) == (None, False)


@pytest.mark.parametrize(
    ("variable", "why"),
    [
        pytest.param('ansible_host: "{{ x }}"', "`ansible_host` is a template", id="template"),
        pytest.param('ansible_user: "{% if x %}y{% endif %}"', "`ansible_user` is a template"),
        pytest.param('ansible_connection: "{{ x }}"', "`ansible_connection` is a template"),
        pytest.param('ansible_ssh_common_args: "-J {{ x }}"', "`ansible_ssh_common_args` is a"),
        pytest.param("ansible_host: !vault abc", "`ansible_host` is encrypted", id="vaulted"),
        pytest.param("ansible_host: [x]", "`ansible_host` is not a text", id="a list"),
        pytest.param('ansible_host: ""', "`ansible_host` is empty", id="empty"),
    ],
)
def test_a_node_is_unknown_whose_variable_cannot_be_known(
    tmp_path: Path, variable: str, why: str
) -> None:
    """Only that node: to take its name for its address would be a guess."""
    text = f"g:\n  hosts:\n    a: {{{variable}}}\n    b:\n"

    a, b = read_inventory(write({"i.yml": text}, tmp_path)).nodes

    assert (a.unknown or "").startswith(why)
    assert (a.unknown or "").endswith(f"(`{tmp_path}/i.yml`, line 3)")
    assert b.unknown is None


def test_toml_is_left_to_ansible(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        read_inventory(write({"i.toml": "[g.hosts]\na = {}\n"}, tmp_path))

    assert "it is TOML" in refused.value.message
    assert (refused.value.hint or "").startswith(BY_ANSIBLE)


def test_an_inventory_may_be_a_pipe(tmp_path: Path) -> None:
    """As in `--inventory <(print-nodes)`: it can be read once."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    with ThreadPoolExecutor() as other:
        other.submit(pipe.write_text, "[compute]\nc01\n")
        inventory = read_inventory(pipe)

    assert [node.name for node in inventory.nodes] == ["c01"]


def test_a_group_with_a_name_too_long_for_a_file_has_no_file(tmp_path: Path) -> None:
    name = "g" * 300

    [node] = read_inventory(write({"hosts": f"[{name}]\na\n", "group_vars/b": ""}, tmp_path)).nodes

    assert node.groups == (name,)
