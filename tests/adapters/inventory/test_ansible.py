"""Inventories that Ansible itself reads, as a process; what it prints goes nowhere else."""

import json
import sys
from pathlib import Path

import pytest

from inventory_samples import LINES, NEAREST, SAMPLES, Files, write
from processes import runs
from stackward.adapters.inventory import read_inventory, read_inventory_by_ansible
from stackward.adapters.inventory.ansible import list_by_ansible
from stackward.adapters.inventory.draft import Draft
from stackward.errors import BadInput
from stackward.lab.waiting import wait_until
from stackward.model.inventory import Inventory, Node

READER = str(Path(sys.executable).parent / "ansible-inventory")
VAULTED = """\
$ANSIBLE_VAULT;1.1;AES256
61626364
"""


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ansible's own folder and settings are not those of whoever runs the tests."""
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path_factory.getbasetemp() / "ansible"))
    monkeypatch.delenv("ANSIBLE_CONFIG", raising=False)
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE", raising=False)


def a_reader(directory: Path, script: str) -> str:
    """Return a program that stands in for `ansible-inventory`."""
    path = directory / "reader"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def by_ansible(files: Files, directory: Path) -> Inventory:
    return read_inventory_by_ansible(write(files, directory), READER)


def shown(node: Node) -> tuple[object, ...]:
    """Return what both readers tell of a node."""
    how = (node.is_local, node.left_out, node.unknown is not None)
    return (node.name, node.groups, node.address, node.ssh.user, node.ssh.port, *how)


BOTH: dict[str, Files] = {
    **{
        name: files
        for name, files in SAMPLES.items()
        if name not in {"directory", "dynamic-output.json", "inventory-plugin.yml", "key-twice.yml"}
    },
    "lines": {"hosts": "\n".join(LINES)},
    "nearest": {"hosts": "\n".join(text for text, _ in NEAREST.values())},
    "ways": {
        "hosts": "a ansible_connection=local\nb ansible_connection=smart\n"
        "[all:vars]\nansible_port=22 # ssh\n",
        "host_vars/a.json": '{"ansible_user": "root"}',
        "group_vars/ungrouped": "ansible_user: ops",
    },
}


@pytest.mark.parametrize("files", BOTH.values(), ids=BOTH)
def test_both_readers_agree_where_both_can_read(files: Files, tmp_path: Path) -> None:
    ours = read_inventory(write(files, tmp_path))

    theirs = by_ansible(files, tmp_path)

    assert sorted(map(shown, ours.nodes)) == sorted(map(shown, theirs.nodes))


def test_a_directory_is_read_by_ansible(tmp_path: Path) -> None:
    """Hosts and groups are in different files, so no one file can be named."""
    nodes = {node.name: node for node in by_ansible(SAMPLES["directory"], tmp_path).nodes}

    assert nodes["c01"].groups == ("compute", "compute_rack1")
    assert (nodes["ctl1"].address, nodes["ctl1"].ssh.user) == ("192.0.2.11", "ops")


OUTPUT = """{
  "_meta": {"hostvars": {"a": {"ansible_host": "192.0.2.1", "x": [1]}, "g": {"ansible_user": "u"}}},
  "all": {"vars": {"ansible_port": 22}, "children": ["g", "h", "none"]},
  "g": {"hosts": ["a", "b"], "children": ["below"], "vars": {"ansible_port": 23}},
  "h": ["b", "c"], "below": {"hosts": ["d"]}, "alone": {"ansible_user": "v"}, "empty": {}
}"""


@pytest.mark.parametrize(
    "output", [SAMPLES["dynamic-output.json"]["dynamic-output.json"], OUTPUT], ids=["field", "all"]
)
def test_a_script_is_run_by_ansible_from_its_own_folder(tmp_path: Path, output: str) -> None:
    """And what it prints is read alike from a file."""
    files = {"hosts": "#!/bin/sh\n[ -f beside ] && cat output.json\n", "output.json": output}
    path = write({**files, "beside": "", "group_vars/g": "ansible_user: w\n"}, tmp_path)
    path.chmod(0o755)

    theirs = read_inventory_by_ansible(path, READER)

    ours = read_inventory(tmp_path / "output.json")
    assert sorted(map(shown, theirs.nodes)) == sorted(map(shown, ours.nodes))
    assert read_inventory_by_ansible(tmp_path / "output.json", READER) == ours


def test_a_source_that_fails_is_no_smaller_inventory(tmp_path: Path) -> None:
    """Without being told, `ansible-inventory` ends with 0, and its nodes are missing."""
    path = write({"1-good": "a\n", "2-bad": "x password=tops3cret y\n"}, tmp_path)

    with pytest.raises(BadInput) as refused:
        read_inventory_by_ansible(path, READER)

    assert refused.value.message == (
        f"cannot read the inventory `{tmp_path}`: `ansible-inventory` ended with 1"
    )
    assert "tops3cret" not in f"{refused.value.hint} {refused.value.says}"
    assert f"-i {tmp_path} --list > /dev/null`" in (refused.value.hint or "")


def test_a_vault_without_its_password_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        by_ansible({"hosts": "a\n", "group_vars/all.yml": VAULTED}, tmp_path)

    assert "it has vaulted files, and Ansible has no password for them" in refused.value.message
    assert "ANSIBLE_VAULT_PASSWORD_FILE" in (refused.value.hint or "")


def test_what_ansible_prints_is_not_written_to_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    config = f"[defaults]\nlog_path = {log}\nask_vault_pass = true\n"

    inventory = by_ansible({"hosts": "a x_pass=tops3cret\n", "ansible.cfg": config}, tmp_path)

    assert [node.name for node in inventory.nodes] == ["a"]
    assert not log.exists()
    assert "tops3cret" not in repr(inventory)


def test_only_groups_and_how_a_node_is_reached_leave_the_reader(tmp_path: Path) -> None:
    listed = (
        '{"_meta": {"hostvars": {"a": {"ansible_host": "192.0.2.1", "ansible_port": 22, '
        '"ansible_user": {"__ansible_unsafe": "ops"}, "secret": "tops3cret", '
        '"ansible_ssh_common_args": "-o ProxyCommand=sshpass -p tops3cret", '
        '"bmc_url": "http://r/"}, '
        '"b": {"ansible_host": {"__ansible_vault": "x"}}}}, '
        '"all": {"children": ["ungrouped", "g"]}, "g": {"hosts": ["a", "b"]}}'
    )
    inventory = tmp_path / "i"
    inventory.touch()

    read = read_inventory_by_ansible(inventory, a_reader(tmp_path, f"echo '{listed}'"))

    a, b = read.nodes
    assert (a.address, a.ssh.port, a.ssh.user, a.groups) == ("192.0.2.1", 22, "ops", ("g",))
    assert b.unknown == f"`ansible_host` is encrypted (`{inventory}`)"
    assert "tops3cret" not in repr(read)
    assert read.warnings == (
        (
            "`ansible_ssh_common_args`, `bmc_url`: not taken from what Ansible lists; what `ssh` "
            "needs of it belongs into your `ssh_config`"
        ),
    )


@pytest.mark.parametrize(
    ("script", "says"),
    [
        pytest.param("echo tops3cret", "is not a list of hosts and groups in JSON", id="text"),
        pytest.param("echo '[\"tops3cret\"]'", "is not a list of hosts", id="a list"),
        pytest.param("echo '{\"all\": {}}'", "is not a list of hosts", id="no variables"),
        pytest.param("echo tops3cret; echo tops3cret >&2; exit 4", "ended with 4", id="failure"),
        pytest.param(
            'echo \'{"_meta": {"hostvars": {}}, "g": {"hosts": ["-oProxyCommand=x"]}}\'',
            "is not a name for a machine",
            id="a name like an option",
        ),
        pytest.param('echo \'{"_meta": {"hostvars": {}}}\'', "it names no node", id="none"),
        pytest.param("[ -t 0 ] || read x || exit 9", "ended with 9", id="has nothing to read"),
    ],
)
def test_what_is_no_list_is_refused_and_not_repeated(
    tmp_path: Path, script: str, says: str
) -> None:
    inventory = tmp_path / "i"
    inventory.touch()

    with pytest.raises(BadInput) as refused:
        read_inventory_by_ansible(inventory, a_reader(tmp_path, script))

    assert says in refused.value.message
    assert "tops3cret" not in f"{refused.value.message} {refused.value.hint} {refused.value.says}"


def test_a_reader_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    inventory, alive = tmp_path / "i", tmp_path / "alive"
    inventory.touch()
    reader = a_reader(tmp_path, f"(sleep 60; touch {alive}) & echo $! > {tmp_path}/pid; wait")

    with pytest.raises(BadInput) as refused:
        list_by_ansible(inventory, reader, Draft(source=str(inventory)), within_s=0.5)

    assert "took longer than 0.5 s" in refused.value.message
    child = (tmp_path / "pid").read_text().strip()
    assert wait_until(lambda: not runs(int(child)), within_s=10, every_s=0.01)


@pytest.mark.parametrize(
    ("reader", "says", "hint"),
    [
        pytest.param(None, "this machine has no `ansible-inventory`", "pip install ansible-core"),
        pytest.param("/nowhere/x", "`/nowhere/x` is not a program", "STACKWARD_INVENTORY_READER"),
        pytest.param("/", "`/` is not a program", "STACKWARD_INVENTORY_READER", id="a folder"),
    ],
)
def test_a_reader_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str | None, says: str, hint: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BadInput) as refused:
        read_inventory_by_ansible(tmp_path, reader)

    assert says in refused.value.message
    assert hint in (refused.value.hint or "")


def test_no_such_inventory(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        read_inventory_by_ansible(tmp_path / "none", READER)

    assert "there is no such file" in refused.value.message


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(Path("/") / ("x" * 300), id="its name cannot be looked up"),
        pytest.param(Path("/proc/self/mem"), id="its bytes cannot be read"),
    ],
)
def test_an_inventory_that_cannot_be_read_is_bad_input(path: Path) -> None:
    """It was a defect of Stackward."""
    with pytest.raises(BadInput) as refused:
        read_inventory_by_ansible(path, READER)

    assert refused.value.message.startswith(f"cannot read the inventory `{path}`: ")


def test_a_path_that_cannot_be_looked_up_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="file name too long"):
        list_by_ansible(tmp_path / ("x" * 300), READER, Draft(source="x"))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("ansible_user", "is not a user name"),
        ("ansible_host", "is not an address"),
        ("ansible_port", "is not a port from 1 to 65535"),
    ],
)
def test_a_value_that_ansible_has_decrypted_is_not_repeated(
    tmp_path: Path, name: str, says: str
) -> None:
    given = {name: {"__ansible_unsafe": "tops3cret word"}}
    listed = json.dumps({"_meta": {"hostvars": {"a": given}}, "all": {"hosts": ["a"]}})
    inventory = tmp_path / "i"
    inventory.touch()

    with pytest.raises(BadInput) as refused:
        read_inventory_by_ansible(inventory, a_reader(tmp_path, f"echo '{listed}'"))

    assert f"`{name}` of `a` {says}" in refused.value.message
    assert "tops3cret" not in f"{refused.value.message} {refused.value.hint} {refused.value.says}"
