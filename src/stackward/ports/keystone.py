"""What may be asked of Keystone."""

from typing import Protocol

from stackward.model.project import Project


class Keystone(Protocol):
    """Keystone, asked as an administrator."""

    def projects_called(self, word: str, /) -> tuple[Project, ...]:
        """Return the projects of all domains whose name or id it is."""
        ...

    def tags_of(self, project: str, /) -> tuple[str, ...]:
        """Return the tags of a project, by its id; one that is gone has none."""
        ...
