"""What stands for Keystone in the fast tests."""

from dataclasses import dataclass, field

from stackward.model.project import Project

DEMO = Project(id="demo", name="Demonstrations")


@dataclass
class FakeKeystone:
    """Keystone, with one project."""

    projects: tuple[Project, ...] = (DEMO,)

    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by project

    def tags_of(self, project: str, /) -> tuple[str, ...]:
        return self.tags.get(project, ())

    def projects_called(self, word: str, /) -> tuple[Project, ...]:
        return tuple(each for each in self.projects if word in {each.id, each.name})
