"""Keystone's API as the port `Keystone`, and its JSON as values."""

from stackward.adapters.openstack.answers import Json, text
from stackward.adapters.openstack.http import Api
from stackward.adapters.openstack.paths import at
from stackward.model.project import Project


class KeystoneApi:
    """Keystone, behind openstacksdk."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def projects_called(self, word: str, /) -> tuple[Project, ...]:
        """Return the projects of all domains whose name or id it is."""
        by_id = self._api.find(at("/projects/{}", word), lambda body: to_project(body["project"]))
        by_name = self._api.every("/projects", "projects", to_project, [("name", word)])
        found = [*([by_id] if by_id else []), *by_name]
        # Names are compared again: a database may ignore case, a server a filter.
        named = {one.id: one for one in found if word in {one.id, one.name}}
        return tuple(named.values())

    def tags_of(self, project: str, /) -> tuple[str, ...]:
        """Return the tags of a project; one that is gone has none."""
        return self._api.find(at("/projects/{}", project), to_tags) or ()


def to_tags(given: Json) -> tuple[str, ...]:
    """Read the tags of `GET /projects/{id}`."""
    return tuple(map(text, given["project"]["tags"]))


def to_project(given: Json) -> Project:
    """Read an element of Keystone's `GET /projects`."""
    return Project(id=given["id"], name=given["name"])
