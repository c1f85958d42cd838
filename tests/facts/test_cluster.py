"""What `crm_mon` of Pacemaker 2.1.5 wrote of a cluster that was made up: values come of it."""

from pathlib import Path

import pytest

from stackward.facts.cluster import PACEMAKER, PACEMAKER_OLD, parse_cluster, tree
from stackward.facts.services_on_node import Said
from stackward.model.blind import Blind
from stackward.model.cluster import Cluster
from stackward.model.survey import Unseen

SAMPLES = Path(__file__).parent / "samples"
TODAY = (SAMPLES / "crm_mon.xml").read_text()


def said(out: str, code: int | None = 0, err: str = "") -> Said:
    return Said(code=code, out=out, err=err)


def cluster(out: str = TODAY, name: str = PACEMAKER) -> Cluster:
    found = parse_cluster({name: said(out)})
    assert isinstance(found, Cluster)
    return found


def places(found: Cluster, name: str) -> list[tuple[str, ...]]:
    return [one.nodes for one in found.resources if one.name == name]


def test_where_each_resource_runs_is_read_of_clones_and_groups_too() -> None:
    found = cluster()

    assert places(found, "openstack-cinder-volume") == [("ctl3",)]
    assert places(found, "haproxy") == [("ctl1",), ("ctl3",), ()]
    assert places(found, "galera") == [("ctl1",), ("ctl3",), ()]
    assert places(found, "memcached") == [("ctl1",)]


def test_what_is_disabled_unmanaged_failed_or_in_standby_is_read() -> None:
    found = cluster()

    assert [one.name for one in found.resources if one.is_off] == ["openstack-cinder-backup"]
    assert [one.name for one in found.resources if not one.is_managed] == ["openstack-manila-share"]
    assert [one.name for one in found.resources if one.is_failed] == ["conductor"]
    assert [one.name for one in found.members if one.is_standby] == ["ctl2"]
    assert [one.name for one in found.members if one.is_unclean] == []
    assert [(one.resource, one.node) for one in found.failed] == [("conductor", "ctl1")]
    assert found.failed[0].says == "start on ctl1 failed: error (Connection refused)"


def test_the_xml_of_older_versions_says_the_same() -> None:
    old = (SAMPLES / "crm_mon-as-xml.xml").read_text()

    assert cluster(old, PACEMAKER_OLD) == cluster()


def test_maintenance_of_the_whole_cluster_is_read() -> None:
    found = cluster((SAMPLES / "crm_mon-maintenance.xml").read_text())

    assert found.is_in_maintenance
    assert not any(one.is_managed for one in found.resources)


BUNDLE = """<pacemaker-result><summary><cluster_options maintenance-mode="false"/></summary>
<nodes><node name="ctl1" online="true"/></nodes><resources>
<bundle id="rabbitmq-bundle" managed="true"><replica id="0">
<resource id="rabbitmq-bundle-podman-0" resource_agent="ocf:heartbeat:podman" role="Started"
 managed="true" failed="false" blocked="false" nodes_running_on="1"><node name="ctl1"/></resource>
<resource id="rabbitmq" resource_agent="ocf:heartbeat:rabbitmq-cluster" role="Started"
 managed="true" failed="false" blocked="false" nodes_running_on="1">
<node name="rabbitmq-bundle-0"/></resource></replica></bundle></resources></pacemaker-result>"""


def test_a_bundle_has_its_resources_in_replicas() -> None:
    assert places(cluster(BUNDLE), "rabbitmq-bundle-podman-0") == [("ctl1",)]


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    "<pacemaker-result><nodes>&b;</nodes></pacemaker-result>"
)


@pytest.mark.parametrize(
    "out",
    [
        pytest.param(BOMB, id="entities that grow"),
        pytest.param(TODAY[:900], id="half of it"),
        pytest.param("<crm_mon/>", id="nothing in it"),
        pytest.param(TODAY.replace('online="true"', 'online="perhaps"'), id="another word"),
        pytest.param(TODAY.replace('running_on="1"', 'running_on="7"'), id="miscounted"),
        pytest.param("<a>" * 9 + "x" * 4_000_001, id="too long"),
        pytest.param("Cluster Summary: ...", id="no XML"),
    ],
)  # fmt: skip
def test_another_form_is_not_understood(out: str) -> None:
    with pytest.raises((ValueError, LookupError, TypeError)):
        parse_cluster({PACEMAKER: said(out)})


@pytest.mark.parametrize("given", ["<!DOCTYPE a><a/>", '<a><!ENTITY b "c"></a>'])
def test_a_document_type_is_refused_before_anything_is_read(given: str) -> None:
    with pytest.raises(ValueError, match="<"):
        tree(given)


NO_CIB = """<pacemaker-result><status code="102" message="Not connected"><errors>
<error>Could not connect to the CIB: No such device or address</error></errors></status>
</pacemaker-result>"""


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(said(NO_CIB, 102), Blind.SILENT, id="no answer from the cluster"),
        pytest.param(said(NO_CIB, 0), Blind.SILENT, id="the same, ended with 0"),
        pytest.param(said("", None, "no answer in time"), Blind.LATE, id="late"),
        pytest.param(said("", 124), Blind.LATE, id="given up"),
        pytest.param(said("", 1, "sudo: a password is required"), Blind.REFUSED, id="no right"),
    ],
)
def test_what_keeps_it_from_being_read_is_told_apart(answer: Said, kind: Blind) -> None:
    found = parse_cluster({PACEMAKER: answer})

    assert isinstance(found, Unseen)
    assert found.kind is kind


def test_where_pacemaker_does_not_run_nothing_is_known_of_it() -> None:
    assert parse_cluster({}) is None
