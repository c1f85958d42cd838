"""`stackward node fence --check`: whether a fence would work, without switching anything."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from stackward.cli.checking import open_probes
from stackward.cli.options import InventoryChoice, Output
from stackward.cli.show import show, write
from stackward.cli.width import width_here
from stackward.errors import BadInput, ExitCode

if TYPE_CHECKING:
    from stackward.model.power import PowerCheck


def check_power_of(
    context: typer.Context,
    node: str | None,
    *,
    timeout: float,
    choice: InventoryChoice,
    output: Output,
) -> ExitCode:
    """Ask the device of a node, or those of all nodes, and show what was found."""
    from stackward.health.power import check_power
    from stackward.report.power import ONLY_FOR_PROGRAMS, power_findings, power_table
    from stackward.report.tables import Form

    with open_probes(context, choice) as probes:
        if probes.power is None:
            raise BadInput("there is nothing here that asks the devices of nodes")
        if node is not None and node not in probes.nodes:
            raise BadInput(
                f"the inventory has no node `{node}`",
                hint="`stackward node list` shows the nodes by their names there",
            )
        nodes = probes.nodes if node is None else (node,)
        checks = check_power(probes, probes.power, nodes, timeout)
    table = power_table(checks)
    if output.form is not Form.TABLE or output.columns:
        show(table, output)
    else:
        for name in ONLY_FOR_PROGRAMS:
            table = table.without(name)
        show(table, output)
        lines = "".join(f"{line}\n" for line in power_findings(checks, width_here()))
        write(lines, output.form)
    return _ended(checks)


def _ended(checks: Sequence["PowerCheck"]) -> ExitCode:
    from stackward.model.health import State

    states = {each.state for each in checks}
    if states == {State.UNKNOWN}:
        return ExitCode.UNSEEN
    if State.BROKEN in states:
        return ExitCode.BROKEN
    return ExitCode.DEGRADED if states - {State.OK} else ExitCode.DONE
