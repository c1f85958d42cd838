"""What was changed of a component shortly before it was not well."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from stackward.anatomy import MACHINE, Anatomy, Deployed
from stackward.model.changes import Changed, Changes

SHORTLY = timedelta(hours=1)  # before it began: an operator's change mostly shows at once
_CLOCKS = timedelta(seconds=2)  # of a file system and of dpkg: they keep whole seconds
_MOST = 3


def shortly_before(
    name: str,
    node: str | None,
    began: datetime,
    changed: Mapping[str, Changes],
    anatomy: Anatomy,
) -> tuple[str, ...]:
    """Return in sentences what was changed of a component on its node, the latest first."""
    here = changed.get(node or "")
    if here is None:
        return ()
    component = anatomy.components.get(name)
    deployed = tuple(component.flavours.values()) if component else ()
    found = [
        one
        for one in _about(here, deployed, is_machine=name == MACHINE)
        if timedelta() <= began - one.at + _CLOCKS <= SHORTLY
    ]
    found.sort(key=lambda one: one.at, reverse=True)
    return tuple(_sentence(one, began, here.node) for one in found[:_MOST])


def _about(here: Changes, deployed: tuple[Deployed, ...], *, is_machine: bool) -> Iterator[Changed]:
    places = [path for each in deployed for path in each.configuration]
    packages = {name for each in deployed for name in each.packages}
    for one in here.files:
        if any(one.what == path or one.what.startswith(f"{path}/") for path in places):
            yield one
    for one in here.packages or ():
        if one.what in packages:
            yield one
    if here.booted is not None and (is_machine or deployed):
        yield here.booted


def _sentence(one: Changed, began: datetime, node: str) -> str:
    before = began - one.at
    span = f"{max(0, round(before.total_seconds()))} s before"
    what = f"`{one.what}`" if one.what else node
    return f"{what} {one.says} {span}"
