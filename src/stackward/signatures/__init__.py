"""Signatures: what is known to show by certain words or facts, and what it means. Data, no code.

Each file below `known/` is one, called as the file is. Its words are the fields of `Signature` in
`form.py`; `[[seen]]` is a `Trait`, its `in` the places. `server triage` and `diagnose` use them.
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

from stackward.anatomy import read_anatomy
from stackward.errors import BadInput
from stackward.signatures.conditions import CONDITIONS
from stackward.signatures.form import Kind, Place, Scope, Signature, Trait

GUEST = "guest"  # the component of what is in a guest
FILLED_IN = ("server", "node", "own_host")  # that a remedy may name
MOST_WAYS = 1_000_000  # in which the repeats of a form may match: more could cost seconds
_WORDS = {"means", "kind", "scope", "component", "remedy", "source", "seen"}
_OPTIONAL = {"kind", "scope"}
_SEEN = {"in", "words", "form", "fact", "components", "sample", "is_final"}
_REPEAT = re.compile(r"\\.|\[(?:\\.|[^\]\\])+\]|\{(\d+)(?:(,)(\d*))?\}|[*+]|\)[{*+]")


@cache
def read_signatures() -> tuple[Signature, ...]:
    """Read what is declared next to this file, in the order of the names."""
    folder = files(__package__).joinpath("known")
    found = {
        one.name.removesuffix(".toml"): one.read_text("utf-8")
        for one in folder.iterdir()
        if one.name.endswith(".toml")
    }
    return to_signatures(found)


def to_signatures(texts: Mapping[str, str]) -> tuple[Signature, ...]:
    """Make signatures of TOML, by name.

    Raises BadInput, which names the signature, where one would never be found, could not be
    filled in, or could take long.
    """
    return tuple(_signature(name, texts[name]) for name in sorted(texts))


def _signature(name: str, text: str) -> Signature:
    try:
        entry = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(name, f"it is no TOML: {error}") from error
    _refuse_words(name, entry, _WORDS, needed=_WORDS - _OPTIONAL)
    one = Signature(
        name=name,
        means=entry["means"],
        kind=_one_of(name, Kind, entry.get("kind", Kind.CAUSE)),
        scope=_one_of(name, Scope, entry.get("scope", Scope.SERVER)),
        component=entry["component"],
        remedy=entry["remedy"],
        source=entry["source"],
        traits=tuple(_trait(name, each) for each in entry["seen"]),
    )
    if one.component not in {GUEST, *read_anatomy().components}:
        raise _wrong(name, f"there is no component `{one.component}`")
    _refuse_what_is_not_filled_in(one)
    return one


def _trait(name: str, entry: dict[str, Any]) -> Trait:
    _refuse_words(name, entry, _SEEN, needed={"in"})
    given = entry["in"]
    places = tuple(
        _one_of(name, Place, each) for each in (given if isinstance(given, list) else [given])
    )
    one = Trait(
        places=places,
        words=entry.get("words", ""),
        form=entry.get("form"),
        fact=entry.get("fact"),
        components=tuple(entry.get("components", ())),
        sample=entry.get("sample", ""),
        is_final=entry.get("is_final", False),
    )
    if (Place.FACT in places) != (one.fact is not None) or (one.fact and len(places) > 1):
        raise _wrong(name, '`fact` and `in = "fact"` go together, and with nothing else')
    if one.fact is not None and one.fact not in CONDITIONS:
        raise _wrong(name, f"there is no fact `{one.fact}`")
    if one.fact is None and not (one.words and one.sample):
        raise _wrong(name, "what is looked for in a text needs `words` and a `sample`")
    if unknown := set(one.components) - read_anatomy().components.keys():
        raise _wrong(name, f"there is no component {_named(unknown)}")
    if one.form is not None:
        _refuse_slow(name, one.form)
    return one


def _refuse_slow(name: str, form: str) -> None:
    """Refuse a form that could take long on an odd line: each repeat has an end, none is in one."""
    try:
        re.compile(form)
    except re.error as error:
        raise _wrong(name, f"`{form}` is no regular expression: {error}") from error
    ways = 1
    for found in _REPEAT.finditer(form):
        sign = found[0]
        if sign in {"*", "+"} or (found[2] and not found[3]):
            raise _wrong(name, f"`{sign}` in `{form}` has no end; write `{{1,200}}`")
        if sign.startswith(")"):
            raise _wrong(name, f"`{form}` repeats a group")
        if found[2]:
            ways *= int(found[3]) - int(found[1]) + 1
    if ways > MOST_WAYS:
        raise _wrong(name, f"`{form}` could match in {ways} ways; at most {MOST_WAYS}")


def _refuse_what_is_not_filled_in(one: Signature) -> None:
    given = [_parts(each) for each in one.traits]
    always = set.intersection(*given) if given else set()
    if lacking := _braces(one.means) - always:
        raise _wrong(one.name, f"`means` has {_named(lacking)}, which not all that is seen has")
    if lacking := _braces(one.remedy) - always - set(FILLED_IN):
        raise _wrong(one.name, f"`remedy` has {_named(lacking)}, which not all that is seen has")
    if not given:
        raise _wrong(one.name, "it is seen nowhere")


def _parts(one: Trait) -> set[str]:
    if one.fact is not None:
        return set(CONDITIONS[one.fact].parts)
    return set(re.compile(one.form).groupindex) if one.form else set()


def _braces(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def _one_of(name: str, kind: Any, word: object) -> Any:  # noqa: ANN401  # any of the enums
    try:
        return kind(word)
    except ValueError as error:
        raise _wrong(name, f"`{word}` is none of {_named(each.value for each in kind)}") from error


def _refuse_words(
    name: str, entry: Mapping[str, object], known: Collection[str], *, needed: Collection[str]
) -> None:
    if unknown := entry.keys() - set(known):
        raise _wrong(name, f"nothing reads {_named(unknown)}")
    if lacking := set(needed) - entry.keys():
        raise _wrong(name, f"it has no {_named(lacking)}")


def _named(words: Any) -> str:  # noqa: ANN401  # any words
    return ", ".join(f"`{each}`" for each in sorted(words))


def _wrong(name: str, why: str) -> BadInput:
    return BadInput(
        f"the signature `{name}` cannot be read: {why}",
        hint="src/stackward/signatures/__init__.py says what a signature has",
    )
