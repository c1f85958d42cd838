"""Which projects an operator's words mean."""

import pytest

from fakes import DEMO, FakeCloud
from stackward.errors import BadInput
from stackward.facts.projects import read_projects
from stackward.model.project import Project

OTHER = Project(id="other", name="Other")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["demo"], id="by id"),
        pytest.param(["Demonstrations"], id="by name"),
        pytest.param(["demo", "Demonstrations"], id="both words are one project"),
    ],
)
def test_a_project_is_meant_by_its_id_or_its_name(words: list[str]) -> None:
    assert read_projects(FakeCloud(projects=(DEMO, OTHER)), words) == (DEMO,)


def test_without_a_word_nobody_is_asked() -> None:
    assert read_projects(FakeCloud(projects=()), []) == ()


@pytest.mark.parametrize("word", ["typo", "demonstrations", "", " "])
def test_a_word_that_names_no_project_is_bad_input(word: str) -> None:
    """An empty one too: taken for no filter at all, it would move everybody's servers."""
    with pytest.raises(BadInput, match="there is no project"):
        read_projects(FakeCloud(), [word])


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Project(id="other", name="Demonstrations"), id="one name in two domains"),
        pytest.param(Project(id="Demonstrations", name="x"), id="the name of one, the id of other"),
    ],
)
def test_a_word_for_two_projects_is_bad_input_that_names_both(other: Project) -> None:
    with pytest.raises(BadInput, match="several projects") as refused:
        read_projects(FakeCloud(projects=(DEMO, other)), ["Demonstrations"])

    named = ", ".join(f"`{each}`" for each in sorted([DEMO.id, other.id]))
    assert refused.value.hint == f"give the id of one: {named}"
