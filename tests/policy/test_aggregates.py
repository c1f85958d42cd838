"""What aggregates keep a server off, row by row as Nova's scheduler decides it.

Each row is what nova 31.0's own filters answer; the module under test names their files.
"""

from dataclasses import replace
from typing import Any

import pytest

from builders import a_flavor, a_server, extra_specs
from stackward.facts.needs import need_of
from stackward.model.aggregate import Aggregate
from stackward.policy.aggregates import Aggregates, Force, matches

HERE, THERE = "compute-07", "compute-08"
SCOPED = "aggregate_instance_extra_specs__ssd"


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        pytest.param("ssd", "ssd", True, id="no operator: the whole value"),
        pytest.param("ssd", "SSD", False, id="no operator: letters count"),
        pytest.param("a b", "a b", True, id="no operator: with a blank"),
        pytest.param("> 1", "> 1", True, id="> is no operator of Nova's"),
        pytest.param("3", "> 1", False, id="> is no operator: 3 is not the text `> 1`"),
        pytest.param("8", "= 4", True, id="=: at least"),
        pytest.param("2", "= 4", False, id="=: less is not enough"),
        pytest.param("4.0", "== 4", True, id="==: as numbers"),
        pytest.param("5", "== 4", False, id="==: another number"),
        pytest.param("5", "!= 4", True, id="!=: another number"),
        pytest.param("4", "!= 4.0", False, id="!=: the same number"),
        pytest.param("10", ">= 9", True, id=">=: as numbers, not as text"),
        pytest.param("8", ">= 9", False, id=">=: less"),
        pytest.param("9", "<= 10", True, id="<=: as numbers"),
        pytest.param("11", "<= 10", False, id="<=: more"),
        pytest.param("many", ">= 9", False, id="no number: Nova fails the request"),
        pytest.param("9", ">= many", False, id="no number wanted: Nova fails the request"),
        pytest.param("ssd", "s== ssd", True, id="s==: the same text"),
        pytest.param("ssd", "s== nvme", False, id="s==: another text"),
        pytest.param("4.0", "s== 4", False, id="s==: not as numbers"),
        pytest.param("ssd", "s!= nvme", True, id="s!=: another text"),
        pytest.param("ssd", "s!= ssd", False, id="s!=: the same text"),
        pytest.param("a", "s< b", True, id="s<: before"),
        pytest.param("b", "s< b", False, id="s<: not before itself"),
        pytest.param("b", "s<= b", True, id="s<=: itself"),
        pytest.param("c", "s> b", True, id="s>: after"),
        pytest.param("10", "s> 9", False, id="s>: text, so 10 is before 9"),
        pytest.param("b", "s>= b", True, id="s>=: itself"),
        pytest.param("vmx avx2", "<in> avx2", True, id="<in>: a part of the value"),
        pytest.param("avx", "<in> avx2", False, id="<in>: not the other way round"),
        pytest.param("vmx avx2", "<all-in> avx2 vmx", True, id="<all-in>: all of them"),
        pytest.param("vmx", "<all-in> avx2 vmx", False, id="<all-in>: one is missing"),
        pytest.param("b", "<or> a <or> b", True, id="<or>: the second"),
        pytest.param("a", "<or> a <or> b", True, id="<or>: the first"),
        pytest.param("c", "<or> a <or> b", False, id="<or>: none of them"),
        pytest.param("<or>", "<or> a <or> b", False, id="<or>: the word itself is no value"),
        pytest.param("", "<or>", False, id="<or> of nothing"),
        pytest.param("", "s==", False, id="an operator with nothing behind it"),
        pytest.param("", "", True, id="nothing is wanted, and that is there"),
    ],
)
def test_a_value_matches_an_extra_spec_as_in_nova(value: str, wanted: str, expected: bool) -> None:  # noqa: FBT001  # a row
    assert matches(value, wanted) is expected


def aggregate(name: str, *hosts: str, **metadata: str) -> Aggregate:
    pairs = tuple((key.replace("__", ":"), value) for key, value in metadata.items())
    return Aggregate(uuid=name, name=name, hosts=hosts, metadata=pairs)


def force(server: dict[str, Any], *aggregates: Aggregate) -> Force:
    """Return how surely a server of `compute-07` is kept off `compute-08`."""
    given = a_server(**server)
    found = Aggregates(aggregates).keeping_off(given, need_of(given), [THERE])
    return found[THERE].force if THERE in found else Force.NONE


def flavor(**specs: str) -> dict[str, Any]:
    return {"flavor": replace(a_flavor(), extra_specs=extra_specs(specs))}


def image(**properties: str) -> dict[str, Any]:
    return {"image_properties": tuple(properties.items())}


NO, PERHAPS, YES = Force.NONE, Force.PERHAPS, Force.CERTAIN


@pytest.mark.parametrize(
    ("server", "aggregates", "expected"),
    [
        # AggregateMultiTenancyIsolation
        pytest.param({}, [aggregate("a", THERE, filter_tenant_id="demo")], NO, id="its project"),
        pytest.param({}, [aggregate("a", THERE, filter_tenant_id="x")], YES, id="another project"),
        pytest.param(
            {},
            [aggregate("a", THERE, filter_tenant_id="x, demo")],
            NO,
            id="one of several projects",
        ),
        pytest.param(
            {},
            [aggregate("a", THERE, filter_tenant_id="x", filter_tenant_id_2="demo")],
            NO,
            id="its project under a key with a suffix",
        ),
        pytest.param(
            {}, [aggregate("a", THERE, filter_tenant_id3="x")], YES, id="a suffix alone counts too"
        ),
        pytest.param(
            {},
            [
                aggregate("a", THERE, filter_tenant_id="x"),
                aggregate("b", THERE, filter_tenant_id="demo"),
            ],
            NO,
            id="two aggregates: one of them is enough",
        ),
        pytest.param(
            {},
            [aggregate("a", THERE, HERE, filter_tenant_id="x")],
            PERHAPS,
            id="kept for others, as is the node that it runs on: not in force, it seems",
        ),
        pytest.param(
            {},
            [aggregate("a", HERE, filter_tenant_id="demo")],
            PERHAPS,
            id="its project's own aggregate is here: limit_tenants_to_placement_aggregate",
        ),
        pytest.param(
            {},
            [aggregate("a", "compute-09", filter_tenant_id="demo")],
            NO,
            id="its project's own aggregate is elsewhere, and it runs here all the same",
        ),
        # AggregateInstanceExtraSpecsFilter
        pytest.param(
            flavor(ssd="true"), [aggregate("a", HERE, ssd="true")], PERHAPS, id="F10: without scope"
        ),
        pytest.param(
            flavor(ssd="true"),
            [aggregate("a", HERE, THERE, ssd="true")],
            NO,
            id="F10: both have",
        ),
        pytest.param(
            flavor(ssd="true"), [], NO, id="without scope, and the node here lacks it too"
        ),
        pytest.param(
            flavor(**{SCOPED: "true"}), [aggregate("a", HERE, ssd="true")], YES, id="with scope"
        ),
        pytest.param(
            flavor(**{SCOPED: "true"}),
            [aggregate("a", HERE, THERE, ssd="true")],
            NO,
            id="with scope, and there",
        ),
        pytest.param(
            flavor(**{SCOPED: "true"}), [], PERHAPS, id="with scope, and the node here lacks it too"
        ),
        pytest.param(
            flavor(
                hw__cpu_policy="shared",
                trait__CUSTOM_A="required",
                resources__VGPU="1",
                quota__cpu_shares="1",
                capabilities__hypervisor_type="QEMU",
            ),
            [aggregate("a", HERE, ssd="true")],
            NO,
            id="keys of other scopes do not count",
        ),
        pytest.param(
            flavor(**{f"{SCOPED}__size": ">= 4"}),
            [aggregate("a", HERE, THERE, ssd__size="8")],
            NO,
            id="only the first colon parts the scope",
        ),
        pytest.param(
            flavor(disk="s== ssd"),
            [aggregate("a", HERE, THERE, disk="hdd,ssd")],
            NO,
            id="several values: one is enough",
        ),
        pytest.param(
            flavor(disk="s== ssd"),
            [aggregate("a", HERE, THERE, disk="hdd"), aggregate("b", THERE, HERE, disk=" ssd ")],
            NO,
            id="several aggregates: their values are one set, without blanks",
        ),
        pytest.param(
            flavor(disk="s!= ssd"),
            [aggregate("a", HERE, disk="hdd"), aggregate("b", THERE, disk="ssd")],
            PERHAPS,
            id="an operator that does not hold",
        ),
        pytest.param(
            flavor(group_policy="none", ssd="true"),
            [aggregate("a", HERE, ssd="true")],
            PERHAPS,
            id="a key that no aggregate has hides no other",
        ),
        # AggregateImagePropertiesIsolation
        pytest.param(
            image(os_distro="windows"),
            [aggregate("a", THERE, os_distro="debian")],
            PERHAPS,
            id="another property than its image has",
        ),
        pytest.param(
            image(os_distro="windows"),
            [aggregate("a", THERE, os_distro="debian,windows")],
            NO,
            id="one of several values",
        ),
        pytest.param(
            image(),
            [aggregate("a", THERE, os_distro="debian")],
            NO,
            id="no such property",
        ),
        pytest.param(
            {"image_properties": None},
            [aggregate("a", THERE, os_distro="debian")],
            NO,
            id="an image that cannot be seen",
        ),
        pytest.param(
            image(team="red"), [aggregate("a", THERE, team="blue")], NO, id="Nova does not know it"
        ),
        pytest.param(
            image(architecture="x86_64"),
            [aggregate("a", THERE, hw_architecture="aarch64")],
            PERHAPS,
            id="the old name of a property",
        ),
        pytest.param(
            image(hw_time_hpet="true"),
            [aggregate("a", THERE, hw_time_hpet="True")],
            NO,
            id="a Boolean is written `True` by Nova",
        ),
        # isolate_aggregates
        pytest.param(
            {}, [aggregate("a", THERE, trait__CUSTOM_WIN="required")], PERHAPS, id="an isolated one"
        ),
        pytest.param(
            flavor(trait__CUSTOM_WIN="required"),
            [aggregate("a", THERE, trait__CUSTOM_WIN="required")],
            NO,
            id="isolated, for servers of its flavor",
        ),
        pytest.param(
            {"image_properties": (("trait:CUSTOM_WIN", "required"),)},
            [aggregate("a", THERE, trait__CUSTOM_WIN="required")],
            NO,
            id="isolated, for servers of its image",
        ),
    ],
)
def test_who_is_kept_off(
    server: dict[str, Any], aggregates: list[Aggregate], expected: Force
) -> None:
    assert force(server, *aggregates) is expected
