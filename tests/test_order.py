"""The files that begin first are there; those that read the product's code are for one process."""

import re
from types import SimpleNamespace
from typing import cast

import pytest
from xdist.remote import Producer

from order import (
    LONGEST,
    READ_THE_CODE,
    TESTS,
    FilesForProcesses,
    pytest_ignore_collect,
    reads_the_code,
)

READER = re.compile(
    r"^from (?:sources|prose|raising|draw_texts|docs\.draw_texts) import", re.MULTILINE
)


def test_each_file_that_begins_first_is_there() -> None:
    assert [each for each in LONGEST if not (TESTS / each).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)


@pytest.mark.parametrize(
    ("file", "asked", "is_left_out"),
    [
        (LONGEST[0], "not soak and not long", True),
        (LONGEST[0], "long and not soak", None),
        (LONGEST[0], "not soak", None),
        ("test_order.py", "not soak and not long", None),
        ("", "not soak and not long", None),
    ],
)
def test_a_file_that_takes_long_is_not_read_where_its_tests_would_be_left_out(
    file: str, asked: str, is_left_out: object
) -> None:
    config = cast("pytest.Config", SimpleNamespace(getoption={"markexpr": asked}.__getitem__))

    assert pytest_ignore_collect(TESTS / file, config) is is_left_out


def test_whoever_looks_through_the_code_is_for_the_process_that_parses_it() -> None:
    files = [path for path in TESTS.rglob("test_*.py") if READER.search(path.read_text())]
    names = {path.relative_to(TESTS).as_posix() for path in files}

    assert len(names) > 20
    assert {each for each in names if not reads_the_code(each)} == set()
    assert [each for each in READ_THE_CODE if not any(TESTS.glob(each))] == []


class Node:
    """A process of tests, as the one that gives them out sees it: it notes what it is given."""

    def __init__(self) -> None:
        self.gateway = SimpleNamespace(id=id(self))
        self.shutting_down = False
        self.given: list[int] = []

    def send_runtest_some(self, places: list[int]) -> None:
        self.given += places

    def shutdown(self) -> None:
        self.shutting_down = True


class Config:
    """What xdist reads of pytest's, for two processes that take a file each."""

    option = SimpleNamespace(loadscopereorder=False)

    def getoption(self, _: str) -> str:
        return "loadfile"

    def getvalue(self, _: str) -> list[str]:
        return ["2*popen"]


def test_each_test_is_given_once_and_all_that_read_the_code_to_one_process() -> None:
    files = ["a/test_a.py", "docs/test_style.py", "b/test_b.py", "c/test_c.py", "test_wording.py"]
    tests = [f"tests/{file}::test_it[{number}]" for file in files for number in range(4)]
    nodes = [Node(), Node()]
    scheduler = FilesForProcesses(cast("pytest.Config", Config()), Producer("tests"))
    for node in nodes:
        scheduler.add_node(node)
        scheduler.add_node_collection(node, tests)
    scheduler.schedule()
    done: dict[Node, int] = dict.fromkeys(nodes, 0)
    while any(done[node] < len(node.given) for node in nodes):
        for node in nodes:
            if done[node] < len(node.given):
                scheduler.mark_test_complete(node, node.given[done[node]])
                done[node] += 1

    assert all(node.shutting_down for node in nodes)
    assert sorted(place for node in nodes for place in node.given) == [*range(len(tests))]
    by = [{tests[place].partition("::")[0] for place in node.given} for node in nodes]
    assert not by[0] & by[1]
    assert [{"tests/docs/test_style.py", "tests/test_wording.py"} <= each for each in by].count(
        True
    ) == 1
