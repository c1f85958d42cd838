"""Recorded answers, changed at random: the same seed makes the same changes."""

import json
from collections.abc import Callable, Iterator, MutableMapping, MutableSequence
from random import Random
from typing import Any

# What may stand where another value stood.
_OTHERS: tuple[object, ...] = (
    None, True, False, 0, -1, 3.5, 10**30, 2**63, float("nan"), float("inf"), "", " ", "x" * 5000,
    "\u0000", "\ud800", "\ufffd", "数据库", "../../etc", "-1", "NaN", [], {}, [None], [[[]]], [1, "a"], {"": None},
    {"a": {"b": []}},
)  # fmt: skip
_GARBAGE = (
    "Warning: remote port forwarding failed", "Error: {badrpc,nodedown}", "\x1b[31mred\x1b[0m",
    "\x00\x01\x02", "=" * 400, "\t\t\t", "{", "]", "null", "*** stack smashing detected ***",
    "Last login: Thu Nov 26", "-" * 9999,
)  # fmt: skip
RUINED = (
    "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>",
    "Segmentation fault (core dumped)",
    "\ufffd\ufffd\ufffd\x00",
    "{'a': 1}",
)
_HUGE = ("9" * 30, "9" * 5000, "-1", "1e400", "0x10", "٣", "²", "3.0", "NaN", "")

Json = Any


def mutated(sample: str, chance: Random, *, is_json: bool) -> bytes:
    """Return a recorded answer with one to three changes."""
    text = sample
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        as_json = is_json and chance.random() < 0.7
        change = chance.choice(_OF_JSON if as_json else _OF_TEXT)
        text = change(text, chance)
    raw = text.encode("utf-8", "surrogatepass")
    return chance.choice(_OF_BYTES)(raw, chance) if chance.random() < 0.1 else raw


# --- JSON ---------------------------------------------------------------------------------------

Place = tuple[MutableMapping[str, Json] | MutableSequence[Json], Any]


def _places(value: Json) -> Iterator[Place]:
    """Return every place in a document: what holds it, and its key or number."""
    ahead = [value]
    while ahead:
        one = ahead.pop()
        pairs = (
            one.items()
            if isinstance(one, dict)
            else enumerate(one)
            if isinstance(one, list)
            else ()
        )
        for key, inner in pairs:
            yield one, key
            ahead.append(inner)


def _in_json(change: Callable[[Place, Random], None]) -> Callable[[str, Random], str]:
    def apply(text: str, chance: Random) -> str:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return text
        found = list(_places(document))
        if found:
            change(chance.choice(found), chance)
        return json.dumps(document)

    return apply


def _drop(place: Place, chance: Random) -> None:
    del place[0][place[1]]


def _replace(place: Place, chance: Random) -> None:
    place[0][place[1]] = chance.choice(_OTHERS)


def _rename(place: Place, chance: Random) -> None:
    where, key = place
    if isinstance(where, dict):
        where[chance.choice((key.upper(), f"{key}s", f"x_{key}", "", "\u0430" + key[1:]))] = (
            where.pop(key)
        )


def _double(place: Place, chance: Random) -> None:
    where, key = place
    if isinstance(where, list):
        where.insert(key, where[key])


def _turn(place: Place, chance: Random) -> None:
    where, _ = place
    if isinstance(where, list):
        where.reverse()
    elif isinstance(where, dict):
        turned = list(where.items())[::-1]
        where.clear()
        where.update(turned)


def _wrap(place: Place, chance: Random) -> None:
    where, key = place
    where[key] = chance.choice(([where[key]], {"value": where[key]}, json.dumps(where[key])))


def _empty(place: Place, chance: Random) -> None:
    inner = place[0][place[1]]
    if isinstance(inner, dict | list):
        inner.clear()


def _double_key(text: str, chance: Random) -> str:
    at = text.find("{")
    return f'{text[: at + 1]}"id": null, {text[at + 1 :]}' if at >= 0 else text


# --- text ---------------------------------------------------------------------------------------


def _in_lines(change: Callable[[list[str], int, Random], None]) -> Callable[[str, Random], str]:
    def apply(text: str, chance: Random) -> str:
        found = text.split("\n")
        change(found, chance.randrange(len(found)), chance)
        return "\n".join(found)

    return apply


def _drop_line(found: list[str], at: int, chance: Random) -> None:
    del found[at]


def _double_line(found: list[str], at: int, chance: Random) -> None:
    found.insert(at, found[at])


def _swap_lines(found: list[str], at: int, chance: Random) -> None:
    other = chance.randrange(len(found))
    found[at], found[other] = found[other], found[at]


def _add_garbage(found: list[str], at: int, chance: Random) -> None:
    found.insert(at, chance.choice(_GARBAGE))


def _cut_line(found: list[str], at: int, chance: Random) -> None:
    found[at] = found[at][: chance.randrange(len(found[at]) + 1)]


def _join_lines(found: list[str], at: int, chance: Random) -> None:
    if at + 1 < len(found):
        found[at] += found.pop(at + 1)


def _change_words(found: list[str], at: int, chance: Random) -> None:
    words = found[at].split(" ") if chance.random() < 0.5 else found[at].split("\t")
    place = chance.randrange(len(words))
    words[place] = chance.choice((*_HUGE, words[place].upper(), words[place][::-1], "\u2028"))
    found[at] = chance.choice((" ", "\t", "  ")).join(words)


def _truncate(text: str, chance: Random) -> str:
    return text[: chance.randrange(len(text) + 1)]


def _cut_the_head(text: str, chance: Random) -> str:
    return text[chance.randrange(len(text) + 1) :]


def _ruin(text: str, chance: Random) -> str:
    return chance.choice(("", "\n", "null", "[]", "{}", *RUINED, text * 2))


def _change_letter(text: str, chance: Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice('\x00"\\{}[],:=\t\n\ufffd\u2028é٣') + text[at + 1 :]


def _to_crlf(text: str, chance: Random) -> str:
    return text.replace("\n", "\r\n")


def _nest(text: str, chance: Random) -> str:
    return text.replace("{", "[" * 20_000, 1)


# --- bytes --------------------------------------------------------------------------------------


def _latin_1(raw: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + "café".encode("latin-1") + raw[at:]


def _utf_16(raw: bytes, chance: Random) -> bytes:
    return raw.decode("utf-8", "replace").encode("utf-16")


def _with_mark(raw: bytes, chance: Random) -> bytes:
    return b"\xef\xbb\xbf" + raw


def _half_a_letter(raw: bytes, chance: Random) -> bytes:
    return raw + "数".encode()[:2]


_OF_JSON = [
    *map(_in_json, (_drop, _replace, _replace, _rename, _double, _turn, _wrap, _empty)), _double_key,
]  # fmt: skip
_OF_TEXT = [
    *map(_in_lines, (_drop_line, _double_line, _swap_lines, _add_garbage, _cut_line, _join_lines)),
    _in_lines(_change_words), _truncate, _cut_the_head, _ruin, _change_letter, _to_crlf, _nest,
]  # fmt: skip
_OF_BYTES = [_latin_1, _utf_16, _with_mark, _half_a_letter]
