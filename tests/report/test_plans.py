"""A plan as the operator reads it: whole texts."""

from pathlib import Path
from textwrap import dedent

import pytest

from builders import a_candidate, a_flavor, a_node, a_server, an_id, asking
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.report.errors import render_error
from stackward.report.plans import moves_table, refusal, render_plan
from texts import too_wide

NODE = a_node(
    a_server(),
    a_server("SHUTOFF", name="web-1"),
    candidates=(a_candidate(),),
    instances_filesystem="ext4",
)


def test_a_whole_plan() -> None:
    expected = (Path(__file__).parent / "samples/plan.txt").read_text()

    assert render_plan(plan_drain(NODE, asking())) == expected


def test_a_blocked_plan_is_refused_with_every_thing_its_reason_and_its_remedy() -> None:
    servers = (
        a_server(name="gpu-4", flavor=a_flavor(pci_passthrough__alias="gpu:1")),
        a_server(task_state="resize_prep"),
    )
    plan = plan_drain(a_node(*servers), asking())

    assert render_error(refusal(plan)) == dedent(f"""\
        error: cannot drain `compute-07`: 2 blockers
          `gpu-4`: holds a PCI device (gpu:1) - pass `--allow-downtime`: it is stopped while it \
moves; or pass `--leave-behind {an_id("gpu-4")}`
          `db-01`: is busy (resize_prep) - wait until it is done, then plan again; if it never is, \
`openstack server event list {an_id("db-01")}` shows who asked for it
        nothing was changed

        hint: follow the remedies, then give the same command again
        """)


def test_blockers_of_one_kind_stand_together() -> None:
    servers = (
        a_server("ERROR", name="a"),
        a_server(name="b", task_state="x"),
        a_server("ERROR", name="c"),
    )

    text = render_plan(plan_drain(a_node(*servers), asking()))

    lines = [" ".join(line.split()) for line in text.splitlines() if "remedy: " not in line]
    at = lines.index("in-error:")
    assert lines[at : at + 3] == ["in-error:", "a is in ERROR", "c is in ERROR"]


def test_a_blocked_plan_shows_nothing_that_will_not_happen() -> None:
    plan = plan_drain(a_node(a_server("ERROR", name="a"), a_server(name="b")), asking())

    text = render_plan(plan)

    assert "in this order" not in text
    assert "what users will notice" not in text
    assert text.splitlines()[-1].strip().startswith("remedy: ")


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_refusal_fits_the_terminal_in_columns(width: int) -> None:
    names = ("db-01", "a-name-that-is-longer-than-its-column-may-be")
    plan = plan_drain(a_node(*(a_server("ERROR", name=name) for name in names)), asking())

    lines = render_plan(plan, width).splitlines()

    assert too_wide(lines, width) == []
    beside = {line.index("is in ERROR") for line in lines if "is in ERROR" in line}
    assert beside == {line.index("remedy: ") for line in lines if "remedy: " in line}
    assert len(beside) == 1


def test_a_pinned_target_is_shown_without_ifs() -> None:
    node = a_node(a_server(), candidates=(a_candidate(ram_mib=2100),))

    assert moves_table(plan_drain(node, asking())).rows[0][3] == "compute-08"


def test_a_servers_name_cannot_steer_the_terminal() -> None:
    text = render_plan(plan_drain(a_node(a_server(name="\x1b[2Jgone")), asking()))

    assert "\x1b" not in text
