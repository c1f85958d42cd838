"""What the lab is declared to be made of is complete and does not contradict itself."""

import itertools
import re

import pytest

from lab_builders import a_lab
from stackward.errors import BadInput
from stackward.lab.claims import MOST_COMPUTES, MOST_LABS
from stackward.lab.declared import Image, Profile, Role, declared

IMAGES = declared().images.values()
ROLES = declared().roles.values()
PROFILES = declared().profiles.values()
INTERFACE_LENGTH = 15  # the kernel's


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_every_image_stands_on_one_that_exists_and_says_what_is_in_it(image: Image) -> None:
    assert image.on is None or image.on in declared().images
    assert image.packages
    assert len(set(image.packages)) == len(image.packages)
    assert not set(image.packages) & set(image.without)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_role_has_an_image_groups_and_units(role: Role) -> None:
    assert role.image in declared().images
    assert role.groups
    assert role.start
    assert len(set(role.start)) == len(role.start)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_no_role_starts_what_no_node_may_start(role: Role) -> None:
    units = {unit if "." in unit else f"{unit}.service" for unit in role.start}

    assert not units & set(declared().never_start)


@pytest.mark.parametrize("image", [i for i in IMAGES if i.on], ids=lambda image: image.name)
def test_every_image_that_nodes_boot_is_made_for_the_role_of_its_name(image: Image) -> None:
    """A node of another role on it masks what it does not start: it must know what that is."""
    assert declared().roles[image.name].image == image.name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_starts_nothing_that_its_image_does_not(role: Role) -> None:
    assert set(role.start) <= set(declared().roles[role.image].start)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_every_profile_has_one_controller_and_roles_that_exist(profile: Profile) -> None:
    assert set(profile.nodes) <= set(declared().roles)
    assert profile.nodes["control"] == 1
    assert "compute" in profile.nodes


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_nodes_never_share_a_name_an_address_or_an_interface(profile: Profile) -> None:
    lab = a_lab(profile=profile.name, computes=MOST_COMPUTES, number=MOST_LABS)

    interfaces = [node.host_interface for node in lab.nodes]
    interfaces += [node.host_data_interface for node in lab.nodes if node.host_data_interface]
    for those in (
        [node.name for node in lab.nodes],
        [lab.gateway, *(node.address for node in lab.nodes)],
        [node.bmc_address for node in lab.nodes],
        [node.machine_id for node in lab.nodes],
        [lab.bridge, lab.data_bridge, *interfaces],
    ):
        assert len(set(those)) == len(those)
    assert max(map(len, interfaces)) <= INTERFACE_LENGTH


def test_labs_side_by_side_share_no_interface_and_no_bmc() -> None:
    labs = [a_lab(number=number, profile="scale") for number in range(1, MOST_LABS + 1)]

    interfaces = [
        name
        for lab in labs
        for name in (lab.bridge, lab.data_bridge, *(node.host_interface for node in lab.nodes))
    ]
    bmcs = [node.bmc_address for lab in labs for node in lab.nodes]

    assert len(set(interfaces)) == len(interfaces)
    assert len(set(bmcs)) == len(bmcs)


def test_no_node_starts_a_unit_twice_by_another_name() -> None:
    doubled = [
        f"{role.name}: {one} and {other}"
        for role in ROLES
        for one, other in itertools.combinations(role.start, 2)
        if one.removesuffix(".service") == other.removesuffix(".service")
    ]

    assert doubled == []


def test_every_stand_in_says_instead_of_what_and_what_follows() -> None:
    texts = [text for it in declared().stand_ins for text in (it.instead_of, it.is_, it.so)]

    assert texts
    assert all(re.fullmatch(r"\S.*[^.\s]", text) for text in texts)


def test_an_unknown_profile_is_answered_with_those_there_are() -> None:
    with pytest.raises(BadInput) as refused:
        declared().profile("huge")

    assert refused.value.message == "there is no lab profile `huge`"
    assert refused.value.hint == "profiles: `small`, `scale`"
