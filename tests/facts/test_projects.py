"""Which projects an operator's words mean."""

import pytest

from builders import a_server
from fakes.cloud import FakeCloud
from fakes.keystone import DEMO, FakeKeystone
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.errors import BadInput
from stackward.facts.projects import read_projects
from stackward.model.project import Project

OTHER = Project(id="other", name="Other")
GONE = "0123456789abcdef0123456789abcdef"


def read(words: list[str], cloud: FakeCloud | None = None) -> tuple[Project, ...]:
    """Return the projects that words mean for a drain of `compute-07`."""
    cloud = cloud or FakeCloud()
    return read_projects(a_world(cloud, FakeShell(cloud)), words, "compute-07")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["demo"], id="by id"),
        pytest.param(["Demonstrations"], id="by name"),
        pytest.param(["demo", "Demonstrations"], id="both words are one project"),
    ],
)
def test_a_project_is_meant_by_its_id_or_its_name(words: list[str]) -> None:
    assert read(words, FakeCloud(keystone=FakeKeystone(projects=(DEMO, OTHER)))) == (DEMO,)


def test_without_a_word_nobody_is_asked() -> None:
    assert read([], FakeCloud(keystone=FakeKeystone(projects=()))) == ()


@pytest.mark.parametrize("word", ["typo", "demonstrations", "", " "])
def test_a_word_that_names_no_project_is_bad_input(word: str) -> None:
    """An empty one too: taken for no filter at all, it would move everybody's servers."""
    with pytest.raises(BadInput, match="there is no project"):
        read([word])


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Project(id="other", name="Demonstrations"), id="one name in two domains"),
        pytest.param(Project(id="Demonstrations", name="x"), id="the name of one, the id of other"),
    ],
)
def test_a_word_for_two_projects_is_bad_input_that_names_both(other: Project) -> None:
    with pytest.raises(BadInput, match="2 projects are called") as refused:
        read(["Demonstrations"], FakeCloud(keystone=FakeKeystone(projects=(DEMO, other))))

    assert list(refused.value.details) == sorted([DEMO.id, other.id])


def test_f19_a_project_that_keystone_has_no_more_is_known_by_its_servers() -> None:
    cloud = FakeCloud()
    cloud.nova.add(a_server(project=GONE))

    assert read([GONE], cloud) == (Project(id=GONE, name=GONE, is_gone=True),)


def test_f19_servers_on_other_nodes_make_no_project_known() -> None:
    cloud = FakeCloud()
    cloud.nova.add(a_server(project=GONE, host="compute-08"))

    with pytest.raises(BadInput, match="there is no project"):
        read([GONE], cloud)
