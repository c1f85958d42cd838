"""Read which projects are meant by the words of an operator: ids or names, each exactly one."""

from collections.abc import Sequence

from stackward.errors import BadInput
from stackward.facts.named import find_node, several
from stackward.model.project import Project
from stackward.ports.world import World
from stackward.status.lookups import servers_on


def read_projects(world: World, words: Sequence[str], node: str) -> tuple[Project, ...]:
    """Return the projects in the order given, each once; a word that names no single one is bad.

    An id that Keystone does not have now is known if servers of the node are of that project.
    """
    found = {project.id: project for project in (_the_one(world, word, node) for word in words)}
    return tuple(found.values())


def _the_one(world: World, word: str, node: str) -> Project:
    # An empty word (such as a shell variable that is not set) must not become a search for all.
    called = (
        {each.id: each for each in world.keystone.projects_called(word)} if word.strip() else {}
    )
    if not called and word.strip() and _has_servers(world, word, node):
        return Project(id=word, name=word, is_gone=True)
    if not called:
        raise BadInput(
            f"there is no project `{word}`",
            hint="give its id, or its name to the letter: `openstack project list`",
        )
    if len(called) > 1:
        raise several("project", word, sorted(called))
    [project] = called.values()
    return project


def _has_servers(world: World, project: str, node: str) -> bool:
    """Say whether servers of the node are of a project that Keystone does not have."""
    host = find_node(world, world.nova.services(), node).service.host
    return any(each.project == project for each in servers_on(world.nova, host))
