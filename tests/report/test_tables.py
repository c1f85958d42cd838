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
from stackward.report.tables import Form, Table, render_one, render_rows

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
    assert len({len(line) for line in text.split("\n") if line}) == 1


@given(some.lists(some.tuples(some.text(alphabet="abc\"',\n é"), some.none()), max_size=5))
def test_json_and_yaml_and_csv_give_back_what_was_put_in(rows: list[tuple[str, None]]) -> None:
    table = Table(columns=("Name", "Port"), rows=tuple(rows))
    expected = [{"Name": name, "Port": None} for name, _ in rows]

    assert json.loads(render_rows(table, Form.JSON)) == expected
    assert yaml.safe_load(render_rows(table, Form.YAML)) == expected
    assert len(list(csv.reader(io.StringIO(render_rows(table, Form.CSV))))) == 1 + len(rows)
