"""The script that is sent to nodes, on this machine, with its own python3."""

from collections.abc import Iterator

import pytest

from stackward.adapters.clock import SystemClock
from stackward.adapters.ssh import Ssh
from stackward.anatomy import read_anatomy
from stackward.facts.survey import survey_node
from stackward.model.blind import Blind
from stackward.model.inventory import Inventory, Node
from stackward.model.survey import Survey, Unseen

HERE = Inventory(source="inventory", nodes=(Node(name="here", address="here", is_local=True),))


@pytest.fixture
def shell() -> Iterator[Ssh]:
    opened = Ssh(HERE)
    yield opened
    opened.close()


def test_a_machine_tells_of_itself_in_one_answer(shell: Ssh) -> None:
    survey = survey_node(shell, SystemClock(), read_anatomy(), "here", within_s=30)

    assert isinstance(survey, Survey)
    assert survey.memory_total > survey.memory_available > 0
    assert survey.filesystems
    assert survey.started is not None


def test_a_machine_that_takes_too_long_is_given_up(shell: Ssh) -> None:
    survey = survey_node(shell, SystemClock(), read_anatomy(), "here", within_s=0.001)

    assert survey == Unseen("`here` gave no answer within 0.001 s", Blind.SILENT)
