"""Rows in each of the five forms."""

import ast
import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

import stackward
from sources import walked
from stackward.errors import BadInput
from stackward.model.inventory import Inventory, Node
from stackward.report.inventory import nodes_table
from stackward.report.tables import Form, Table, render_rows, width_of

NODES = Table(
    columns=("Name", "Groups", "Port"),
    rows=(("c01", ("cloud", "compute"), 2222), ("ctl", (), None)),
)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        pytest.param(
            Form.TABLE,
            """\
            +------+----------------+------+
            | Name | Groups         | Port |
            +------+----------------+------+
            | c01  | cloud, compute | 2222 |
            | ctl  |                |      |
            +------+----------------+------+
            """,
        ),
        pytest.param(Form.VALUE, "c01 cloud, compute 2222\nctl  \n"),
        pytest.param(
            Form.CSV,
            """\
            "Name","Groups","Port"
            "c01","cloud, compute","2222"
            "ctl","",""
            """,
        ),
        pytest.param(
            Form.YAML,
            """\
            - Name: c01
              Groups:
              - cloud
              - compute
              Port: 2222
            - Name: ctl
              Groups: []
              Port: null
            """,
        ),
    ],
)
def test_rows_in_each_form(form: Form, expected: str) -> None:
    assert render_rows(NODES, form) == dedent(expected)


def test_json_keeps_lists_numbers_and_absence() -> None:
    assert json.loads(render_rows(NODES, Form.JSON)) == [
        {"Name": "c01", "Groups": ["cloud", "compute"], "Port": 2222},
        {"Name": "ctl", "Groups": [], "Port": None},
    ]


def test_no_rows_is_a_table_with_its_head_and_an_empty_list_as_data() -> None:
    empty = Table(columns=("Name",), rows=())

    assert render_rows(empty, Form.TABLE) == "+------+\n| Name |\n+------+\n"
    assert json.loads(render_rows(empty, Form.JSON)) == []


def test_columns_come_in_the_order_asked_for_whatever_their_capitals() -> None:
    assert NODES.only(["port", "NAME"]).rows == ((2222, "c01"), (None, "ctl"))


def test_an_unknown_column_is_named_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="no column `Prot`") as refused:
        NODES.only(["Name", "Prot"])

    assert refused.value.hint == "the columns are `Name`, `Groups`, `Port`"


@given(some.lists(some.tuples(some.text(), some.integers()), max_size=5))
def test_whatever_a_name_holds_the_table_keeps_its_lines(rows: list[tuple[str, int]]) -> None:
    text = render_rows(Table(columns=("Name", "Port"), rows=tuple(rows)), Form.TABLE)

    assert text.count("\n") == 3 + len(rows) + bool(rows)
    assert len({width_of(line) for line in text.split("\n") if line}) == 1


@given(some.lists(some.tuples(some.text(alphabet="abc\"',\n é"), some.none()), max_size=5))
def test_json_and_yaml_and_csv_give_back_what_was_put_in(rows: list[tuple[str, None]]) -> None:
    table = Table(columns=("Name", "Port"), rows=tuple(rows))
    expected = [{"Name": name, "Port": None} for name, _ in rows]

    assert json.loads(render_rows(table, Form.JSON)) == expected
    assert yaml.safe_load(render_rows(table, Form.YAML)) == expected
    assert len(list(csv.reader(io.StringIO(render_rows(table, Form.CSV))))) == 1 + len(rows)


# --- what fits a terminal -----------------------------------------------------------------------

HEALTH = Table(
    columns=("Component", "State", "Nodes", "Shown by", "Caused by"),
    rows=(
        ("nova-compute", "not proved", ("ctl", "c01"), "looks alive: its queue is read", ""),
        ("keystone", "ok", "ctl", "a token in 0.2 s, a list of projects in 0.4 s", ""),
    ),
    gives_way=("Caused by", "Nodes"),
)


def test_a_table_that_fits_is_left_as_it_is() -> None:
    assert render_rows(HEALTH, Form.TABLE, 200) == render_rows(HEALTH, Form.TABLE)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = render_rows(HEALTH, Form.TABLE, width)

    assert max(map(width_of, text.splitlines())) <= width
    assert "nova-compute" in text


def test_an_empty_column_goes_first_and_needs_no_word() -> None:
    text = render_rows(HEALTH, Form.TABLE, 95)

    assert "Caused by" not in text
    assert "Nodes" in text


def test_what_is_told_elsewhere_goes_before_anything_is_narrowed_and_needs_no_word() -> None:
    rows = (("nova-compute", "c01, c02, c03", "unit-down, heartbeat-lost"),)
    table = Table(
        columns=("Component", "Nodes", "Findings"), rows=rows, told_elsewhere=("Findings",)
    )

    assert render_rows(table, Form.TABLE, 50) == render_rows(table.without("Findings"), Form.TABLE)
    assert "Findings" in render_rows(table, Form.TABLE, 80)
    assert "Findings" in render_rows(table.only(["Component", "Findings"]), Form.TABLE, 40)


def test_a_column_that_is_left_out_is_named() -> None:
    text = render_rows(HEALTH, Form.TABLE, 60)

    assert text.splitlines()[-1] == "not shown: Nodes; `--wide` shows all columns"


def test_an_id_is_never_broken() -> None:
    uuid = "0b1e2f3a-4c5d-6e7f-8091-a2b3c4d5e6f7"
    table = Table(columns=("Server", "ID"), rows=(("a name with many words in it", uuid),))

    assert uuid in render_rows(table, Form.TABLE, 60)


@pytest.mark.parametrize("form", [Form.JSON, Form.YAML, Form.VALUE, Form.CSV])
def test_what_programs_read_is_never_cut(form: Form) -> None:
    assert render_rows(HEALTH, form, 20) == render_rows(HEALTH, form)


# As `cloud check` prints it: a long text, short values in it, and nodes.
CHECK = Table(
    columns=("Component", "State", "Nodes", "Shown by", "Findings", "Caused by"),
    rows=(
        ("nova-compute", "degraded", ("c01", "c02", "c03"), "2 of 3 answer", ("unit-down",), ""),
        ("cinder-volume", "ok", ("ctl",), "1 of 1 answer over RPC, within 0.53 s", (), ""),
        ("nova-conductor", "ok", ("ctl",), "1 of 1 answer over RPC, within 12.55 s", (), ""),
        ("keystone", "ok", ("ctl",), "token in 0.52 s, project list in 0.25 s", (), ""),
        ("neutron-periodic-workers", "not proved", ("c01", "c02", "c03", "ctl"), "", (), ""),
    ),
    gives_way=("Caused by", "Findings", "Nodes"),
)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_a_number_keeps_its_unit(width: int) -> None:
    text = render_rows(CHECK, Form.TABLE, width)

    assert max(map(width_of, text.splitlines())) <= width
    for value in ("0.53 s", "12.55 s", "0.52 s", "0.25 s"):
        assert value in text


def test_what_makes_the_table_the_least_longer_gives_way() -> None:
    """The nodes of one row, and not the figures of three."""
    assert render_rows(CHECK.without("Findings"), Form.TABLE, 100) == dedent("""\
        +--------------------------+------------+----------------+-----------------------------------------+
        | Component                | State      | Nodes          | Shown by                                |
        +--------------------------+------------+----------------+-----------------------------------------+
        | nova-compute             | degraded   | c01, c02, c03  | 2 of 3 answer                           |
        | cinder-volume            | ok         | ctl            | 1 of 1 answer over RPC, within 0.53 s   |
        | nova-conductor           | ok         | ctl            | 1 of 1 answer over RPC, within 12.55 s  |
        | keystone                 | ok         | ctl            | token in 0.52 s, project list in 0.25 s |
        | neutron-periodic-workers | not proved | c01, c02, c03, |                                         |
        |                          |            | ctl            |                                         |
        +--------------------------+------------+----------------+-----------------------------------------+
        """)  # noqa: E501  # a table of 100 columns


# As `run show` prints it: a path with an id in it, a time, and words of a service.
UUID = "0b1e2f3a-4c5d-6e7f-8091-a2b3c4d5e6f7"
STEPS = Table(
    columns=("Step", "State", "Since", "Says", "Request"),
    rows=(
        (
            f"move/{UUID}/0",
            "failed",
            datetime(2026, 11, 26, 21, 35, 30, tzinfo=UTC),
            "No valid host was found. There are not enough hosts available.",
            f"req-{UUID}",
        ),
    ),
    goes_last=("Since", "Request"),
)


@pytest.mark.parametrize(
    ("width", "lost"),
    [
        pytest.param(70, ["Since", "Request"], id="70"),
        pytest.param(80, ["Since", "Request"], id="80"),
        pytest.param(100, ["Since", "Request"], id="100"),
        pytest.param(120, ["Since"], id="120"),
        pytest.param(200, [], id="200"),
    ],
)
def test_columns_of_weight_go_only_where_the_rest_would_not_fit(
    width: int, lost: list[str]
) -> None:
    text = render_rows(STEPS, Form.TABLE, width)

    assert max(map(width_of, text.splitlines()[:-1])) <= width
    assert [name for name in STEPS.columns if name not in text.splitlines()[1]] == lost
    assert UUID in text
    assert ("21:35:30 UTC" in text) == ("Since" not in lost)


def test_where_not_even_words_fit_they_are_broken_and_nothing_is_lost() -> None:
    table = Table(columns=("Step", "Request"), rows=((f"move/{UUID}/0", f"req-{UUID}"),))

    lines = render_rows(table, Form.TABLE, 50).splitlines()

    assert {width_of(line) for line in lines} == {50}
    cells = [line.strip("|").split("|") for line in lines[3:-1]]
    assert ["".join(cell.strip() for cell in column) for column in zip(*cells, strict=True)] == [
        f"move/{UUID}/0",
        f"req-{UUID}",
    ]


@given(
    some.lists(
        some.tuples(some.text(alphabet="ab /宽1s\ue000", max_size=60), some.text(max_size=90)),
        min_size=1,
        max_size=4,
    ),
    some.integers(30, 120),
)
def test_whatever_is_in_it_a_table_fits_and_keeps_its_columns(
    rows: list[tuple[str, str]], width: int
) -> None:
    text = render_rows(Table(columns=("Name", "Says"), rows=tuple(rows)), Form.TABLE, width)

    widths = {width_of(line) for line in text.split("\n") if line}
    assert len(widths) == 1
    assert widths.pop() <= width


MANY = 5


def many_columns() -> Iterator[tuple[str, ast.Call]]:
    """Find each table of the code with more columns than a narrow terminal may have."""
    for file in Path(stackward.__file__).parent.rglob("*.py"):
        for call in walked(file.read_text()):
            if not isinstance(call, ast.Call) or getattr(call.func, "id", "") != "Table":
                continue
            columns = {each.arg: each.value for each in call.keywords}.get("columns")
            few = isinstance(columns, ast.Tuple) and len(columns.elts) < MANY
            if columns is not None and isinstance(columns, ast.Tuple | ast.Name) and not few:
                yield f"{file.parent.name}/{file.name}:{call.lineno}", call


def test_each_table_with_many_columns_says_which_give_way_in_a_narrow_terminal() -> None:
    found = dict(many_columns())
    silent = [
        place
        for place, call in found.items()
        if "gives_way" not in {each.arg for each in call.keywords}
    ]

    assert len(found) > MANY
    assert silent == []


def test_nodes_with_long_addresses_of_their_bmcs_fit() -> None:
    bmc = "https://10.11.12.13:8443/redfish/v1/Systems/21614fcd-4006-5b16-8334-5c668159cd20"
    nodes = (Node(name="c01", address="10.1.2.3", bmc_url=bmc, groups=("compute", "rack-12")),)
    table = nodes_table(Inventory(source="lab", nodes=nodes))

    assert max(map(width_of, render_rows(table, Form.TABLE, 80).splitlines())) <= 80
    assert bmc in render_rows(table, Form.TABLE)


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        pytest.param(80, ("What", "Since", "Request"), id="all fits"),
        pytest.param(60, ("What", "Since"), id="another column goes first"),
        pytest.param(34, ("What", "Since"), id="nothing more can go: it is broken"),
    ],
)
def test_a_column_that_stays_whole_is_not_broken_while_another_can_go(
    width: int, shown: tuple[str, ...]
) -> None:
    """Seen in the picture of a run: each time on two lines, for the ids of its requests."""
    rows = (("live-migrate", "2026-11-27 15:14:34 UTC", "req-d5f81bba-b8b9-4587"),)
    table = Table(
        columns=("What", "Since", "Request"),
        rows=rows,
        gives_way=("Request",),
        stays_whole=("Since",),
    )

    text = render_rows(table, Form.TABLE, width)

    assert tuple(name for name in table.columns if f" {name} " in text) == shown
    assert ("2026-11-27 15:14:34 UTC" in text) == (width > 34)
