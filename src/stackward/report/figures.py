"""The health of a cloud as gauges; their names are a contract with alert rules."""

from collections import Counter
from collections.abc import Iterator

from stackward.model.health import Health, State
from stackward.ports.figures import Figure

STATE_VALUES = {
    State.OK: 0.0,
    State.DEGRADED: 1.0,
    State.BROKEN: 2.0,
    State.UNKNOWN: 3.0,
    State.NOT_PROVED: -1.0,  # alert rules ask for more than 0
}
_STATES = "0 ok, -1 nothing against it but not proved, 1 degraded, 2 broken, 3 not looked at"


def figures_of(health: Health) -> Iterator[Figure]:
    """Return all gauges of one look."""
    yield Figure(
        name="stackward_state",
        says=f"How the cloud is: {_STATES}.",
        values={(): STATE_VALUES[health.state]},
    )
    yield Figure(
        name="stackward_component_state",
        says=f"How a component is: {_STATES}.",
        labels=("component",),
        values={(one.name,): STATE_VALUES[one.state] for one in health.components},
    )
    found = Counter(
        (one.component, one.node or "", one.rule, one.state.value, one.under or "")
        for one in health.findings
    )
    yield Figure(
        name="stackward_finding",
        says="Findings; `under` names the broken component that explains it.",
        labels=("component", "node", "rule", "state", "under"),
        values={labels: float(count) for labels, count in found.items()},
    )
    yield Figure(
        name="stackward_probe_seconds",
        says="How long a functional probe took, such as a list of servers.",
        labels=("component",),
        values={(one.name,): one.took_s for one in health.components if one.took_s is not None},
    )
    yield Figure(
        name="stackward_token_seconds",
        says="How long a fresh token took.",
        values={} if health.token_s is None else {(): health.token_s},
    )
    yield Figure(
        name="stackward_unknown",
        says="Answers that we were kept from, for want of a right, of a way, or of time.",
        values={(): float(len(health.unknown))},
    )
    yield Figure(
        name="stackward_not_proved",
        says="Things that nothing can be asked of here, or that are switched off.",
        values={(): float(len(health.not_proved))},
    )
    yield Figure(
        name="stackward_check_seconds",
        says="How long the look took.",
        values={(): health.took_s},
    )
    yield Figure(
        name="stackward_check_timestamp_seconds",
        says="When it began.",
        values={(): health.read_at.timestamp()},
    )
