"""The inventory that a lab writes is one that Stackward reads."""

from pathlib import Path

import yaml

from lab_builders import a_lab
from stackward.app.inventory import read_inventory
from stackward.lab.client import clouds, environment
from stackward.lab.cloud import inventory, write_inventory_with_agent
from stackward.lab.spec import Lab
from stackward.model.inventory import Inventory


def read_back(lab: Lab) -> Inventory:
    lab.inventory.write_text(yaml.safe_dump(inventory(lab), sort_keys=False))
    return read_inventory(lab.inventory)


def test_every_node_is_there_with_its_groups_and_address(tmp_path: Path) -> None:
    known = read_back(a_lab(tmp_path, profile="scale"))

    assert [(node.name, node.groups, node.address) for node in known.nodes] == [
        ("ctl", ("control", "network", "storage"), "192.0.2.10"),
        ("c01", ("compute",), "192.0.2.11"),
        ("c02", ("compute",), "192.0.2.12"),
        ("f01", ("fake_compute",), "192.0.2.91"),
    ]


def test_every_node_is_reached_as_an_operator_and_has_a_bmc(tmp_path: Path) -> None:
    lab = a_lab(tmp_path)

    known = read_back(lab)

    assert [(node.ssh.user, node.bmc_url) for node in known.nodes] == [
        ("ops", f"http://{node.bmc_address}:8000/redfish/v1/Systems/{node.system_uuid}")
        for node in lab.nodes
    ]


def test_each_node_has_an_outlet_of_the_fence_agent_in_the_other_one(tmp_path: Path) -> None:
    lab = a_lab(tmp_path, profile="scale")
    write_inventory_with_agent(lab, "ops")

    known = read_inventory(lab.inventory_with_agent)

    assert [(node.bmc_url, node.fence_agent, node.fence_options) for node in known.nodes] == [
        (None, str(lab.folder / "fence_lab"), ((("plug", node.name),),)) for node in lab.nodes
    ]


def test_it_holds_no_secret(tmp_path: Path) -> None:
    assert "password" not in yaml.safe_dump(inventory(a_lab(tmp_path)))


def test_the_environment_points_at_what_was_written(tmp_path: Path) -> None:
    lab = a_lab(tmp_path, name="two")

    given = environment(lab)

    assert given == {
        "OS_CLIENT_CONFIG_FILE": str(lab.clouds_yaml),
        "OS_CLOUD": "lab-two",
        "STACKWARD_BMC_AUTH": str(lab.bmc_logins),
        "STACKWARD_INVENTORY": str(lab.inventory),
        "STACKWARD_INVENTORY_READER": "",
        "STACKWARD_LAB": "two",
    }
    assert given["OS_CLOUD"] in clouds(lab)["clouds"]
    assert environment(lab, demo=True)["OS_CLOUD"] in clouds(lab)["clouds"]
