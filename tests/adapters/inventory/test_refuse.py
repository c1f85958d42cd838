"""Inventories that make no sense: the file, the line, the reason and the way on."""

import contextlib
import json
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stackward.adapters.inventory import read_inventory
from stackward.adapters.inventory.ansible import take
from stackward.adapters.inventory.draft import Draft
from stackward.errors import BadInput


def refusal(path: Path) -> BadInput:
    with pytest.raises(BadInput) as refused:
        read_inventory(path)
    return refused.value


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        pytest.param("[compute\nc01\n", 1, "bracket without its partner", id="section left open"),
        pytest.param("[compute:hosts2]\n", 1, "no section `[compute:hosts2]`", id="section kind"),
        pytest.param("\nc[1:\n", 2, "bracket without its partner", id="range left open"),
        pytest.param("c[3:1]\n", 1, "`[3:1]` runs backwards", id="range backwards"),
        pytest.param("c[c:a]\n", 1, "`[c:a]` runs backwards", id="letters backwards"),
        pytest.param("c[1]\n", 1, "`[1]` is not a range", id="range of one word"),
        pytest.param("c[x:9]\n", 1, "`[x:9]` is not a range", id="letter to number"),
        pytest.param("c[1:9:0]\n", 1, "its step is 0", id="range without progress"),
        pytest.param("c[01:100]\n", 1, "2 digits and ends with 3", id="range of two widths"),
        pytest.param("c[1:9999999]\n", 1, "more than 100000", id="range beyond reason"),
        pytest.param("c[1:999][1:999]\n", 1, "names 998001 machines", id="ranges beyond reason"),
        pytest.param("-oProxyCommand=x\n", 1, "not a name for a machine", id="name like an option"),
        pytest.param("a\nb ansible_host=-x\n", 2, "not an address: `-x`", id="address like one"),
        pytest.param("a ansible_user=-l\n", 1, "not a user name: `-l`", id="user like one"),
        pytest.param("a ansible_port=ssh\n", 1, "not a port", id="port in words"),
        pytest.param("a ansible_port=70000\n", 1, "not a port", id="port too high"),
        pytest.param("a ansible_user\n", 1, "not of the form `name=value`", id="no value"),
        pytest.param("a x='y\n", 1, "no closing quotation", id="quote left open"),
        pytest.param("a ansible_ssh_extra_args='-o \"x'\n", 1, "into arguments", id="arguments"),
        pytest.param("[g:vars]\nx=1\n", 1, "no group `g` is defined", id="variables of no group"),
        pytest.param("[g:children]\nh\n", 2, "no group `h` is defined", id="child of no group"),
        pytest.param("[g]\na\n[g:vars]\nwrong\n", 4, "`name=value`", id="variable without value"),
        pytest.param("[g:children]\na b\n", 2, "the name of one group", id="two children"),
        pytest.param("[g] ; x\n", 1, "`[g]` is not a range", id="a semicolon after a section"),
        pytest.param("[g h]\n", 1, "is not a section", id="section with a space"),
        pytest.param("a:\n", 1, "ends with a colon", id="colon without port"),
        pytest.param("a\nb\xe9\n", 2, "not UTF-8", id="Latin-1"),
        pytest.param("\ufeffa\n", 1, "byte order mark", id="byte order mark"),
        pytest.param(
            "[a:children]\nb\n[b:children]\na\n", 2, "within itself: a > b > a", id="ring of groups"
        ),
        pytest.param(
            "[a:children]\nb\n[b:children]\nc\n[c:children]\na\n",
            2,
            "within itself: a > b > c > a",
            id="ring of three",
        ),
        pytest.param("[a:children]\nall\n", 2, "within itself: ", id="everything within a group"),
        pytest.param("a bmc_url=10.0.0.1\n", 1, "not an http or https URL", id="BMC"),
        pytest.param("a bmc_url=http://r:x/\n", 1, "not an http or https URL", id="BMC's port"),
        pytest.param(
            "a bmc_fingerprint=ab:cd\n", 1, "not a SHA-256 fingerprint", id="a short fingerprint"
        ),
        pytest.param(
            "a fence_agent=reboot fence_options=ip=p\n", 1, "not a program of", id="no agent"
        ),
        pytest.param("a failure_domain=@r\n", 1, "not the name of a rack", id="a domain"),
        pytest.param("a fence_agent=fence_x\n", 1, "has no `fence_options`", id="no options"),
        pytest.param(
            "a bmc_url=https://r/ fence_agent=fence_x fence_options=ip=p\n",
            1,
            "has both",
            id="both",
        ),
        pytest.param(
            'a fence_agent=fence_x fence_options="ip=p plug"\n', 1, "`name=value`", id="no value"
        ),
        pytest.param(
            'a fence_agent=fence_x fence_options="ip=p; ;"\n', 1, "for each feed", id="no feed"
        ),
        pytest.param(
            'a fence_agent=fence_x fence_options="ip=p; ip=p"\n', 1, "each feed", id="a feed twice"
        ),
        pytest.param(
            'a fence_agent=fence_x fence_options="ip=p action=off"\n', 1, "by itself", id="action"
        ),
        pytest.param(
            'c[1:2] fence_agent=fence_x fence_options="ip=p plug=7"\n',
            1,
            "name an outlet of `c1`",
            id="one outlet for two nodes",
        ),
        pytest.param("a\n[all:vars]\nansible_group_priority=x\n", 3, "not a number", id="priority"),
    ],
)
def test_a_line_of_ini_that_makes_no_sense_is_named(
    tmp_path: Path, text: str, line: int, why: str
) -> None:
    path = tmp_path / "inventory.ini"
    path.write_bytes(text.encode("utf-8" if "\ufeff" in text else "latin-1"))

    message = refusal(path).message

    assert message.startswith(f"cannot read the inventory: `{path}`, line {line}: ")
    assert why in message


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        pytest.param("all:\n  hosts: {a: [}\n", 2, "this is not YAML", id="not YAML"),
        pytest.param("all: \x07\n", 1, "this is not YAML", id="control character"),
        pytest.param("all:\n  <<: 5\n", 2, "this is not YAML", id="merge with a number"),
        pytest.param("a: " + "[" * 5000, 1, "nested too deeply", id="without end"),
        pytest.param("- a\n", 1, "the inventory is not a mapping", id="a list"),
        pytest.param("all:\n  hosts:\n    - a\n", 3, "`hosts` of `all` is not", id="list of hosts"),
        pytest.param("all:\n  hosts: 5\n", 2, "`hosts` of `all` is not", id="hosts = number"),
        pytest.param("a:\n  children:\n    b: 5\n", 3, "no group `b`", id="child = number"),
        pytest.param("all:\n  hosts:\n    101:\n", 3, "`101` is a number in YAML", id="number"),
        pytest.param(
            "all:\n  hosts:\n    yes:\n", 3, "`yes` is true or false in YAML", id="boolean"
        ),
        pytest.param("101:\n  hosts:\n", 1, "`101` is a number in YAML", id="group = number"),
        pytest.param("a:\n  hosts:\n    caf\xe9:\n", 3, "not UTF-8", id="Latin-1"),
        pytest.param(
            "a:\n  vars: {ansible_user: x, ansible_user: y}\n",
            2,
            "`ansible_user` is there twice, first on line 2",
            id="a variable twice",
        ),
        pytest.param("all:\n  hosts:\n    a: 5\n", 3, "should hold variables", id="host = number"),
        pytest.param("all:\n  hosts:\n    ? [a]\n    : {}\n", 3, "not a name", id="key is a list"),
        pytest.param("all:\n  hosts:\n    c[2:1]:\n", 3, "runs backwards", id="range"),
        pytest.param(
            "a: &a\n  children:\n    b:\n      children:\n        a: *a\n",
            3,
            "within itself",
            id="alias to itself",
        ),
    ],
)
def test_a_line_of_yaml_that_makes_no_sense_is_named(
    tmp_path: Path, text: str, line: int, why: str
) -> None:
    path = tmp_path / "inventory.yml"
    path.write_text(text, encoding="latin-1")

    message = refusal(path).message

    assert message.startswith(f"cannot read the inventory: `{path}`, line {line}: ")
    assert why in message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("i", "a bmc_url=https://me:tops3cret@10.0.0.1/\n", id="in a URL"),
        pytest.param(
            "i", 'a fence_agent=fence_x fence_options="ip=p password=tops3cret"\n', id="an option"
        ),
        pytest.param(
            "i", 'a fence_agent=fence_x fence_options="ip=p snmp_priv_passwd=tops"\n', id="of SNMP"
        ),
        pytest.param("i", "a ansible_password='tops3cret\n", id="quote left open"),
        pytest.param("i", "a\n[all:vars]\nansible_password: tops3cret\n", id="a colon"),
        pytest.param("i", "a ansible_password: tops3cret\n", id="a colon on the host's line"),
        pytest.param("i.yml", "a: {vars: {x_password: *tops3cret}}\n", id="like an alias"),
        pytest.param("i.yml", "a: {vars: {x_password: !tops3cret }}\n", id="like a tag"),
        pytest.param("i.yml", "a: {vars: {x_password: !tops!3cret x}}\n", id="like a handle"),
    ],
)
def test_no_password_is_repeated_in_a_refusal(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)

    refused = refusal(path)

    assert "tops" not in f"{refused.message} {refused.hint} {refused.details}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            "a bmc_url=https://r/Systems/1\n\nb bmc_url=https://r/Systems/1\n",
            "`{0}`, line 3: `bmc_url` of `b` is that of `a` (`{0}`, line 1): ",
            id="on two lines",
        ),
        pytest.param(
            "c[1:3] bmc_url=https://r/\n",
            "`{0}`, line 1: `bmc_url` of `c2` is that of `c1`: ",
            id="of a range",
        ),
        pytest.param(
            "[g]\na\nb\n[g:vars]\nbmc_url=https://r/\n",
            "`{0}`, line 5: `bmc_url` of `b` is that of `a`: ",
            id="of a group",
        ),
        pytest.param(
            "a bmc_url=https://R.example:443/Systems/1/\nb bmc_url=http://r.example/Systems/1\n",
            "`{0}`, line 2: `bmc_url` of `b` is that of `a` (`{0}`, line 1): ",
            id="written in another way",
        ),
    ],
)
def test_two_nodes_with_one_bmc_are_refused_for_fencing_would_hit_the_wrong_one(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "inventory"
    path.write_text(text)

    refused = refusal(path)

    assert refused.message == (
        f"cannot read the inventory: {says.format(path)}"
        "fencing one would cut the power of the other"
    )
    assert refused.hint == "give each machine the URL of its own BMC, and name each machine once"


def test_no_such_file(tmp_path: Path) -> None:
    refused = refusal(tmp_path / "none")

    assert refused.message == f"cannot read the inventory `{tmp_path}/none`: there is no such file"
    assert refused.hint == "name one with `--inventory FILE` or in STACKWARD_INVENTORY"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("inventory", "", id="an empty file"),
        pytest.param("inventory", "# none yet\n", id="only a comment"),
        pytest.param("inventory", "[compute]\n[compute:vars]\nansible_user=x\n", id="a group"),
        pytest.param("inventory.yaml", "", id="YAML: an empty file"),
        pytest.param("inventory.yaml", "all:\n  hosts:\n", id="YAML: no hosts"),
        pytest.param("inventory.yaml", "all: {children: {compute: {}}}\n", id="YAML: a group"),
    ],
)
def test_an_inventory_that_names_no_node_is_refused(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)

    refused = refusal(path)

    assert refused.message == f"cannot read the inventory `{path}`: it names no node"
    assert refused.hint


def test_a_script_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "inventory.sh"
    path.write_text(dedent(f"#!/bin/sh\ntouch {tmp_path}/was-run\n"))
    path.chmod(0o755)

    assert "Stackward runs none" in refusal(path).message
    assert not (tmp_path / "was-run").exists()


WORDS = some.sampled_from(
    [*"[]:='#\n -{a", "all", "[g]", "[g:vars]", "[h:children]", "c[1:3]", "ansible_host", "<<"]
) | some.sampled_from(["ansible_port", "hosts:", "children:", "vars:", "  ", "\n    ", "&x", "*x"])


@pytest.mark.parametrize("name", ["inventory.ini", "inventory.yaml", "inventory"])
@given(words=some.lists(WORDS | some.text(max_size=3), max_size=20))
def test_whatever_is_written_is_read_or_refused(
    name: str, words: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_text("".join(words))

    with contextlib.suppress(BadInput):
        assert read_inventory(path).source == str(path)


NAMES = some.sampled_from(["a", "b", "g", "h", "all", "ungrouped", "-x", "ansible_host", "hosts"])
ANYTHING = some.recursive(
    some.none() | some.booleans() | some.integers(-1, 99) | NAMES,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
A_GROUP = some.fixed_dictionaries(
    {},
    optional={
        "hosts": some.lists(NAMES, max_size=3) | ANYTHING,
        "children": some.lists(NAMES, max_size=3) | ANYTHING,
        "vars": some.dictionaries(NAMES, ANYTHING, max_size=3) | ANYTHING,
    },
)
LISTED = some.fixed_dictionaries(
    {"_meta": some.fixed_dictionaries({"hostvars": some.dictionaries(NAMES, ANYTHING)}) | ANYTHING},
    optional=dict.fromkeys(("all", "g", "h", "ungrouped"), A_GROUP | ANYTHING),
)


@given(listed=LISTED)
def test_whatever_a_dynamic_inventory_prints_is_read_or_refused(
    listed: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "inventory.json"
    path.write_text(json.dumps(listed))

    with contextlib.suppress(BadInput):
        assert read_inventory(path).source == str(path)
    with contextlib.suppress(BadInput):
        draft = Draft(source=str(path))
        take(json.loads(path.read_text()), draft)
        draft.settle()
