"""What switches the power of nodes, as rows, and what of it is not well."""

from collections.abc import Iterator, Sequence

from stackward.model.power import PowerCheck
from stackward.report.tables import Table
from stackward.report.text import printable, wrap

ONLY_FOR_PROGRAMS = ("Orders", "Findings")
_REASON, _REMEDY = "  reason  ", "  remedy  "


def power_table(checks: Sequence[PowerCheck]) -> Table:
    """Return a row for each node."""
    return Table(
        columns=(
            *("Node", "State", "Power", "Same machine by", "When power returns", "Device"),
            *ONLY_FOR_PROGRAMS,
        ),
        rows=tuple(
            (
                each.node,
                each.state.value,
                each.told.state.value if each.told else None,
                each.agreeing,
                each.told.power_returns.value if each.told else None,
                each.name.text if each.name else None,
                each.told.reset_types if each.told else (),
                tuple(found.name for found in each.findings),
            )
            for each in checks
        ),
        gives_way=("Device", "When power returns"),
    )


def power_findings(checks: Sequence[PowerCheck], width: int | None) -> Iterator[str]:
    """Return the lines that say what is not well, each with its remedy."""
    for each in sorted(checks, key=lambda one: one.state.rank):
        for found in each.findings:
            yield ""
            yield printable(f"{found.state}: {each.node} [{found.name}]")
            for label, words in ((_REASON, found.says), (_REMEDY, found.remedy)):
                yield from wrap(printable(words), width, first=label, rest=" " * len(label))
