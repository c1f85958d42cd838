"""Two servers do not boot, and placement has one of them twice: named, repaired, proved.

What placement has is asked of placement itself, not of the product.
"""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lab.reconciled import cases, providers_of
from lab.stage import Stage, scene
from lab.triaged import Triaged, triaged

DISK, PANIC = "disagreement-disk", "disagreement-panic"
FAULTS = {DISK: "disk-corrupt", PANIC: "guest-panic"}
DOUBLE = "allocation-double"


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """What was told of two servers; of an allocation, before and after its repair."""

    ids: dict[str, str]
    servers: Triaged
    cases: tuple[list[dict[str, Any]], list[dict[str, Any]]]  # before the repair, after it
    providers: tuple[set[str], set[str]]  # that placement has of the server: same
    code: int
    said: str


@scene(budget_s=100, is_later=True)
def disagreement(stage: Stage) -> Generator[Disagreement]:
    """Triage two servers that do not boot, and repair an allocation on a second node."""
    lab, drains = stage.lab, stage.drains
    stage.all_in_service()
    drains.remove_left_over("disagreement-")
    nodes = dict(zip(FAULTS, stage.nodes, strict=False))
    ids = {name: drains.boot(name, node) for name, node in nodes.items()}
    drains.wait_for_guests([*ids.values()])
    drains.environment["STACKWARD_RECONCILE_WAIT_S"] = "5"  # between the two looks
    stage.begins()

    faults = [*((fault, ids[name]) for name, fault in FAULTS.items()), (DOUBLE, ids[PANIC])]
    with ThreadPoolExecutor(max_workers=len(faults)) as pool:
        [*pool.map(lambda one: lab.run("break", *one), faults)]
        told = pool.submit(triaged, drains, *ids.values())
        found = cases(drains)
        held = providers_of(lab, ids[PANIC])
        servers = told.result()
    repaired = drains.call("cloud", "reconcile", "--repair", DOUBLE, "--yes")
    yield Disagreement(
        ids=ids,
        servers=servers,
        cases=(found, cases(drains)),
        providers=(held, providers_of(lab, ids[PANIC])),
        code=repaired.returncode,
        said=repaired.stdout + repaired.stderr,
    )
    drains.remove(*ids.values())
    for fault in faults:
        lab.run("mend", *fault)  # each went with its server: its record goes, too


def test_why_each_of_two_servers_does_not_boot_is_told_first(disagreement: Disagreement) -> None:
    assert disagreement.servers.code == 7
    assert disagreement.servers.first == [
        ("disk-corrupt", "certain", "no"),
        ("guest-kernel-panic", "certain", "no"),
    ]


def test_it_is_told_where_that_was_seen(disagreement: Disagreement) -> None:
    disk, guest = disagreement.servers.evidence

    assert "disk" in {one["in"] for one in disk}
    assert {one["in"] for one in guest} == {"console"}
    assert all(one["file"].endswith("/console.log") and one["line"] for one in guest)


def test_an_allocation_on_a_second_node_is_named_and_of_that_server(
    disagreement: Disagreement,
) -> None:
    doubled = [one["server"] for one in disagreement.cases[0] if one["class"] == DOUBLE]

    assert doubled == [disagreement.ids[PANIC]], disagreement.cases[0]


def test_its_repair_leaves_one_allocation_and_no_case(disagreement: Disagreement) -> None:
    before, after = disagreement.providers

    assert disagreement.code == 0, disagreement.said
    assert (len(before), len(after)) == (2, 1)
    assert after < before
    assert [one for one in disagreement.cases[1] if one["class"] == DOUBLE] == []
