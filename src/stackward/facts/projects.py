"""Read which projects are meant by the words of an operator: ids or names, each exactly one."""

from collections.abc import Sequence

from stackward.errors import BadInput
from stackward.model.project import Project
from stackward.ports.cloud import Cloud


def read_projects(cloud: Cloud, words: Sequence[str]) -> tuple[Project, ...]:
    """Return the projects in the order given, each once; a word that names no single one is bad."""
    found = {project.id: project for project in (_the_one(cloud, word) for word in words)}
    return tuple(found.values())


def _the_one(cloud: Cloud, word: str) -> Project:
    # An empty word, of a shell variable that is not set, say, must not become a search for all.
    called = {each.id: each for each in cloud.projects_called(word)} if word.strip() else {}
    if not called:
        raise BadInput(
            f"there is no project `{word}`",
            hint="give its id, or its name to the letter: `openstack project list`",
        )
    if len(called) > 1:
        ids = ", ".join(f"`{each}`" for each in sorted(called))
        raise BadInput(f"several projects are called `{word}`", hint=f"give the id of one: {ids}")
    [project] = called.values()
    return project
