"""Rows in each of the five forms."""

import csv
import io
import json
from textwrap import dedent

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from stackward.errors import BadInput
from stackward.report.tables import Form, Table, render_one, render_rows, width_of

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


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        pytest.param(
            Form.TABLE,
            "+-------+-------+\n| Field | Value |\n+-------+-------+\n| Name  | c01   |\n"
            "+-------+-------+\n",
        ),
        pytest.param(Form.VALUE, "c01\n"),
        pytest.param(Form.YAML, "Name: c01\n"),
        pytest.param(Form.JSON, '{\n  "Name": "c01"\n}\n'),
        pytest.param(Form.CSV, '"Name"\n"c01"\n'),
    ],
)
def test_one_thing_in_each_form(form: Form, expected: str) -> None:
    assert render_one({"Name": "c01"}, form) == expected


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
    columns=("Component", "State", "Nodes", "Shown by", "Under"),
    rows=(
        ("nova-compute", "not proved", ("ctl", "c01"), "looks alive: its queue is read", ""),
        ("keystone", "ok", "ctl", "a token in 0.2 s, a list of projects in 0.4 s", ""),
    ),
    gives_way=("Under", "Nodes"),
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

    assert "Under" not in text
    assert "Nodes" in text


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
