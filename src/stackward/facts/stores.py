"""Where Glance, Cinder and Nova keep what users have, as a node reported it; nothing is written.

Each reader knows one shape and raises on another: `survey.py` makes an unknown of that.
"""

from collections.abc import Iterable, Mapping, Sequence

from stackward.anatomy import Anatomy
from stackward.answers import lines, mapping, rows, shortly, text, text_or_none, texts, truth, whole
from stackward.facts.services_on_node import TIMED_OUT, Said
from stackward.model.blind import Blind
from stackward.model.cloud_state import NO_TIME
from stackward.model.survey import Room, Store, StoresOf, Unseen, VolumeGroup
from stackward.ports.shell import Answer, refusal

SETTINGS, WRITABLE, ROOM = "store settings", "store writable", "store room"
GROUPS = "store groups"
_NOT_THERE = "No such file or directory"
_FALSE = 1  # of test(1)


def as_asked(anatomy: Anatomy) -> list[dict[str, object]]:
    """Return all stores as the script on a node reads them."""
    return [
        {
            "component": component.name,
            "kind": store.kind,
            "settings": store.settings,
            "path": store.path,
            "user": deployed.user,
            "units": list(deployed.units),
            "container": deployed.containers[0] if deployed.containers else None,
        }
        for component, deployed in anatomy.deployed()
        for store in deployed.stores
    ]


def parse_stores(given: object, commands: Mapping[str, Said]) -> tuple[StoresOf, ...]:
    """Return the stores of each component that runs there."""
    own: dict[str, list[Mapping[str, object]]] = {}
    for one in map(mapping, rows(given)):
        own.setdefault(text(one["component"]), []).append(one)
    return tuple(_stores_of(name, those, commands) for name, those in own.items())


def _stores_of(
    name: str, those: Sequence[Mapping[str, object]], commands: Mapping[str, Said]
) -> StoresOf:
    first = those[0]
    is_known, groups = truth(first["is_known"]), texts(first["groups"])
    return StoresOf(
        component=name,
        kind=text(first["kind"]),
        settings=text(first["settings"]),
        unread=None if is_known else _unread(commands.get(f"{SETTINGS} {name}")),
        elsewhere=texts(first["elsewhere"]),
        stores=tuple(_store(one, commands) for one in those if one["path"] is not None),
        groups=_groups(commands.get(GROUPS), groups) if groups else (),
    )


def _unread(answer: Said | None) -> Unseen:
    if answer is None:
        return Unseen("there is no `grep` on the node", Blind.USELESS)
    return _kept_from(answer) or Unseen("its settings are not there", Blind.USELESS)


def _store(one: Mapping[str, object], commands: Mapping[str, Said]) -> Store:
    path = text(one["path"])
    is_there = one["is_there"] is None or truth(one["is_there"])
    answer = commands.get(f"{ROOM} {path}")
    room = _room(one["room"], answer)
    if answer and answer["code"] and _NOT_THERE in answer["err"]:
        is_there = False
    by_mode = None if one["by_mode"] is None else truth(one["by_mode"])
    return Store(
        path=path,
        user=text(one["user"]),
        engine=text_or_none(one["engine"]),
        mount=text(one["mount"]),
        is_read_only=truth(one["read_only"]),
        is_there=is_there,
        takes_writes=_takes_writes(commands.get(f"{WRITABLE} {path}"), by_mode=by_mode),
        room=room if is_there else None,
    )


def _takes_writes(answer: Said | None, *, by_mode: bool | None) -> bool | Unseen:
    """Return what its user found; without that answer, what owners and modes show."""
    if answer is None:
        none = Unseen("there is no tool to ask with", Blind.USELESS)
        return none if by_mode is None else by_mode
    if answer["code"] == 0:
        return True
    if answer["code"] == _FALSE and not answer["err"].strip():
        return False
    unseen = _kept_from(answer) or Unseen(_says(answer), Blind.USELESS)
    return unseen if by_mode is None or unseen.kind is Blind.SILENT else by_mode


def _kept_from(answer: Said) -> Unseen | None:
    """Return what prevented the question; None where it was asked."""
    if refused := refusal(Answer(1, "", answer["err"])):
        return Unseen(shortly(refused), Blind.REFUSED)
    if answer["err"] == NO_TIME:
        return Unseen(NO_TIME, Blind.NOT_ASKED)
    if answer["code"] is None or answer["code"] in TIMED_OUT:
        return Unseen("no answer in time", Blind.SILENT)
    return None


def _says(answer: Said) -> str:
    said = lines(answer["err"])
    return shortly(said[0]) if said else f"it ended with {answer['code']}"


def _room(given: object, answer: Said | None) -> Room | Unseen | None:
    if given is not None:
        return _to_room(rows(given))
    if answer is None:
        return None
    if answer["code"] != 0:
        return _kept_from(answer) or Unseen(_says(answer), Blind.USELESS)
    return _to_room(answer["out"].split())


def _to_room(given: Iterable[object]) -> Room:
    block, blocks, free, inodes, inodes_free = map(whole, given)
    return Room(size=block * blocks, free=block * free, inodes=inodes, inodes_free=inodes_free)


def _groups(answer: Said | None, names: Iterable[str]) -> tuple[VolumeGroup | Unseen, ...]:
    """Read `vgs`: a name, nine letters of attributes, two sizes."""
    if answer is None:
        return (Unseen("there is no `vgs` on the node", Blind.USELESS),)
    if answer["code"] != 0:
        return (_kept_from(answer) or Unseen(_says(answer), Blind.USELESS),)
    known = {}
    for line in lines(answer["out"]):
        name, attributes, size, free = line.split()
        if attributes[0] not in "rw" or attributes[3] not in "-p":
            raise ValueError(line)
        known[name] = VolumeGroup(
            name=name,
            is_there=True,
            is_read_only=attributes[0] == "r",
            is_partial=attributes[3] == "p",
            size=whole(size),
            free=whole(free),
        )
    return tuple(known.get(name, VolumeGroup(name=name, is_there=False)) for name in names)
