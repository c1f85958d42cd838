"""Read what Pacemaker says: `crm_mon --output-as=xml`, or the XML of versions before 2.0.3."""

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

from stackward.answers import one_of, whole
from stackward.facts.services_on_node import TIMED_OUT, Said, kept_out
from stackward.model.blind import Blind
from stackward.model.cluster import Cluster, FailedAction, Member, Resource
from stackward.model.survey import Unseen

PACEMAKER, PACEMAKER_OLD = "pacemaker", "pacemaker before 2.0.3"
_MOST = 4_000_000  # characters: a cluster of hundreds of resources has a tenth of that
_BOOL = ("true", "false")


def parse_cluster(commands: Mapping[str, Said]) -> Cluster | Unseen | None:
    """Read Pacemaker's answer; None where it does not run."""
    answer = commands.get(PACEMAKER_OLD) or commands.get(PACEMAKER)
    if answer is None:
        return None
    if unseen := kept_out(answer):
        return unseen
    if answer["code"] is None or answer["code"] in TIMED_OUT:
        return Unseen("`crm_mon` gave no answer in time", Blind.LATE)
    root = tree(answer["out"]) if answer["out"].lstrip().startswith("<") else None
    errors = [one.text or "" for one in root.iter("error")] if root is not None else []
    if answer["code"] != 0 or errors:
        said = [*errors, *answer["err"].splitlines(), f"it ended with {answer['code']}"]
        return Unseen(f"`crm_mon` says: {said[0].strip()}", Blind.SILENT)
    if root is None:
        raise ValueError(answer["out"])
    return _cluster(root)


def tree(given: str) -> ET.Element:
    """Return a document of XML that has no document type: so no entity can make it large.

    Raises ValueError.
    """
    if len(given) > _MOST or "<!DOCTYPE" in given or "<!ENTITY" in given:
        raise ValueError(given[:80])
    try:
        return ET.fromstring(given)  # noqa: S314  # no document type, so no entity
    except ET.ParseError as error:
        raise ValueError(given[:80]) from error


def _cluster(root: ET.Element) -> Cluster:
    summary, nodes, resources = (_part(root, name) for name in ("summary", "nodes", "resources"))
    options, master = summary.find("cluster_options"), summary.find("current_dc")
    return Cluster(
        members=tuple(_member(one) for one in nodes.findall("node")),
        resources=tuple(_resources(resources)),
        failed=tuple(_failed(root)),
        is_in_maintenance=options is not None and _is(options, "maintenance-mode"),
        has_quorum=master is None or _is(master, "with_quorum", default=True),
    )


def _part(root: ET.Element, name: str) -> ET.Element:
    found = root.find(name)
    if found is None:
        raise LookupError(name)
    return found


def _is(one: ET.Element, name: str, *, default: bool = False) -> bool:
    given = one.get(name)
    return default if given is None else one_of(given, *_BOOL) == "true"


def _named(one: ET.Element, name: str) -> str:
    given = one.get(name)
    if not given:
        raise LookupError(name)
    return given


def _member(one: ET.Element) -> Member:
    return Member(
        name=_named(one, "name"),
        is_online=_is(one, "online"),
        is_unclean=_is(one, "unclean"),
        is_standby=_is(one, "standby") or _is(one, "standby_onfail"),
        is_in_maintenance=_is(one, "maintenance"),
    )


def _resources(
    within: ET.Element, *, managed: bool = True, off: bool = False
) -> Iterator[Resource]:
    """Return all resources: of groups, clones and bundles, those that they consist of."""
    for one in within:
        is_managed = managed and _is(one, "managed", default=True)
        is_off = off or _is(one, "disabled") or one.get("target_role") == "Stopped"
        if one.tag == "resource":
            yield _resource(one, managed=is_managed, off=is_off)
        elif one.tag in {"clone", "group", "bundle", "replica"}:
            yield from _resources(one, managed=is_managed, off=is_off)


def _resource(one: ET.Element, *, managed: bool, off: bool) -> Resource:
    nodes = tuple(_named(each, "name") for each in one.findall("node"))
    if len(nodes) != whole(_named(one, "nodes_running_on")):
        raise ValueError(one.get("nodes_running_on"))
    return Resource(
        name=_named(one, "id"),
        agent=_named(one, "resource_agent"),
        role=_named(one, "role"),
        wanted_role="Stopped" if off else one.get("target_role"),
        nodes=nodes,
        is_managed=managed,
        is_failed=_is(one, "failed"),
        is_blocked=_is(one, "blocked"),
    )


def _failed(root: ET.Element) -> Iterator[FailedAction]:
    for one in root.iterfind("failures/failure"):
        key = one.get("op_key") or _named(one, "id")
        resource, _, _ = key.rsplit("_", 2) if key.count("_") > 1 else (key, "", "")
        task, code = one.get("task", ""), one.get("exitstatus", "")
        reason = one.get("exitreason") or one.get("status", "")
        says = f"{task} on {_named(one, 'node')} failed: {code} ({reason})"
        yield FailedAction(resource=resource, node=_named(one, "node"), says=says)
