"""Read what was changed on nodes lately: packages, files of configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files

from stackward.anatomy import Anatomy
from stackward.answers import document, figure, rows, text, texts, truth, understood, whole
from stackward.errors import NotUnderstood, StackwardError
from stackward.masking import masked
from stackward.model.changes import Changed, Changes
from stackward.model.clock_offset import Offset
from stackward.model.cloud_state import CloudState
from stackward.model.survey import Survey, Unseen
from stackward.ports.log_source import LogSource
from stackward.ports.together import Together

WITHIN_S = 20.0
_AT_ONCE = 50
_VERSION = 1
_DONE = {
    "install": "was installed", "upgrade": "was upgraded", "remove": "was removed",
    "purge": "was purged",
}  # fmt: skip


@cache
def script() -> str:
    """Return what is run on a node."""
    return files(__package__).joinpath("on_node/changes.py").read_text("utf-8")


def configuration_of(anatomy: Anatomy) -> tuple[str, ...]:
    """Return where components have their configuration."""
    paths = (path for _, each in anatomy.deployed() for path in each.configuration)
    return tuple(dict.fromkeys(paths))


def read_changes(
    source: LogSource,
    together: Together,
    anatomy: Anatomy,
    since: datetime,
    *,
    within_s: float = WITHIN_S,
) -> Mapping[str, Changes]:
    """Return what was changed since then on each node; what is not known is named in the answer."""
    paths = configuration_of(anatomy)
    told = together.ask(
        {node: _Question(source, node, paths, since, within_s) for node in source.nodes},
        within_s=within_s,
        at_once=_AT_ONCE,
    )
    late = "no answer in time"
    return {node: told.get(node) or Changes(node=node, unread=(late,)) for node in source.nodes}


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of one node."""

    source: LogSource
    node: str
    paths: tuple[str, ...]
    since: datetime
    within_s: float

    def __call__(self) -> Changes:
        try:
            out = self.source.scan(
                self.node,
                script(),
                {"since": self.since.timestamp(), "files": list(self.paths)},
                within_s=self.within_s,
            )
            return parse_changes(self.node, out, self.source.offset(self.node))
        except NotUnderstood as error:
            return Changes(node=self.node, unread=(error.message,))
        except StackwardError as error:
            return Changes(node=self.node, unread=((error.says or error.message).strip(),))


def parse_changes(node: str, out: str, offset: Offset | None) -> Changes:
    """Read the answer of a node. Raises NotUnderstood for one of another form."""
    ahead = timedelta(seconds=offset.ahead_s if offset else 0.0)
    with understood(f"the changes of `{node}`", out):
        told = document(out)
        if whole(told["version"]) != _VERSION:
            raise ValueError(out)
        cut = ("there are more files of configuration than are looked at",)
        packages = told["packages"]
        return Changes(
            node=node,
            files=tuple(_file(rows(one), ahead) for one in rows(told["files"])),
            packages=None
            if packages is None
            else tuple(_package(rows(one), ahead) for one in rows(packages)),
            unread=(*map(masked, texts(told["refused"])), *(cut if truth(told["is_cut"]) else ())),
        )


def _file(given: Sequence[object], ahead: timedelta) -> Changed:
    at, path = given
    return Changed(at=_at(at, ahead), what=text(path), says="was written")


def _package(given: Sequence[object], ahead: timedelta) -> Changed:
    at, how, name, version = given
    return Changed(at=_at(at, ahead), what=text(name), says=f"{_DONE[text(how)]}, {text(version)},")


def _at(seconds: object, ahead: timedelta) -> datetime:
    try:
        return datetime.fromtimestamp(figure(seconds), UTC) - ahead
    except (OverflowError, OSError) as error:
        raise ValueError(seconds) from error


def with_boots(changed: Mapping[str, Changes], state: CloudState) -> Mapping[str, Changes]:
    """Add when each node was booted: when its first process began, as a look saw it."""
    return {
        node: replace(one, booted=_booted(state.surveys.get(node))) for node, one in changed.items()
    }


def _booted(survey: Survey | Unseen | None) -> Changed | None:
    if not isinstance(survey, Survey) or survey.started is None:
        return None
    return Changed(at=datetime.fromtimestamp(survey.started, UTC), what="", says="was booted")
