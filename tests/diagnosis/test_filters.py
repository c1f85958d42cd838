"""In which module the filter is that leaves no host."""

from datetime import UTC, datetime

import pytest

from stackward.diagnosis.witnesses import witness_of
from stackward.logs.event import Event, Level


def said(message: str, module: str = "nova.filters") -> Event:
    return Event(
        at=datetime(2026, 11, 28, tzinfo=UTC), node="ctl", component="nova-scheduler",
        file="nova/nova-scheduler.log", offset=0, format="oslo", level=Level.INFO,
        message=message, module=module,
    )  # fmt: skip


def module_told_by(event: Event) -> str | None:
    witness = witness_of(event, event.component, frozenset(), frozenset())
    return witness.place.module if witness and witness.place else None


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("ComputeFilter", "compute_filter"),
        ("IoOpsFilter", "io_ops_filter"),
        ("NUMATopologyFilter", "numa_topology_filter"),
        ("ImagePropertiesFilter", "image_props_filter"),
        ("ServerGroupAntiAffinityFilter", "affinity_filter"),
        ("AggregateInstanceExtraSpecsFilter", "aggregate_instance_extra_specs"),
        ("AggregateRamFilter", "ram_filter"),
    ],
)
def test_a_filter_is_named_by_the_module_that_it_is_in(name: str, module: str) -> None:
    event = said(f"Filter {name} returned 0 hosts")

    assert module_told_by(event) == f"nova/scheduler/filters/{module}.py"


def test_of_the_results_of_all_filters_the_one_that_ends_at_none_is_named() -> None:
    event = said(
        "Filtering removed all hosts for the request with volume ID 'x'. Filter results: "
        "AvailabilityZoneFilter: (start: 2, end: 1), CapacityFilter: (start: 1, end: 0)",
        module="cinder.scheduler.base_filter",
    )

    assert module_told_by(event) == "cinder/scheduler/filters/capacity_filter.py"
