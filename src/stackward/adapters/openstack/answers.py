"""What a service answers, read under guard: an answer that makes no sense is said, never a defect.

Every parse of foreign JSON runs inside `understood`. It turns what Python raises for a missing key
or another type into `NotUnderstood`, and compares each value with the type that its class declares.
What nodes answer is read by `stackward.answers`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from math import isfinite
from types import UnionType
from typing import Any, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from requests import Response

from stackward.answers import ODD
from stackward.errors import NotUnderstood
from stackward.masking import masked, masked_in

Json = dict[str, Any]
Parsed = TypeVar("Parsed")

_HALF = re.compile("[\ud800-\udfff]")  # of a pair, which no terminal and no file takes
# Under which each service says what it refuses, should a proxy have taken its id away.
_REFUSALS = ("itemNotFound", "NeutronError", "error", "errors")
_SHORT = 200  # of an answer in a message
_LONG = 500  # of a service's own words
_KINDS: dict[type, str] = {
    dict: "object",
    list: "list",
    str: "text",
    bool: "truth value",
    int: "number",
    float: "number",
    type(None): "null",
}
_MOST = 2**63  # no service counts further


@contextmanager
def understood(service: str, asked: str, answers: Sequence[Response]) -> Iterator[None]:
    """Say what was asked, and what came instead, where the latest answer cannot be read."""
    try:
        yield
    except ODD as error:
        answer = answers[-1] if answers else None
        raise NotUnderstood(
            f"{service} answers `{asked}` in a form that Stackward does not understand",
            details=[f"{_in_words(error)}; the answer: {_shown(error, answer)}"],
            service=service,
            request_id=request_id_of(answer) if answer is not None else None,
            hint="look at the proxy or load balancer in front of its API, and which release it is",
        ) from error


_LINKS = "_links"  # after the name of a list: Nova, Neutron, Cinder


class _Unfit(ValueError):
    """A part of an answer that cannot be read."""

    def __init__(self, error: Exception, given: object) -> None:
        super().__init__(_in_words(error))
        self.given = given


def parsed(parse: Callable[[Json], Parsed], given: object) -> Parsed:
    """Return a part of an answer as the value that `parse` makes of it, its types checked."""
    try:
        if not isinstance(given, dict):
            raise TypeError(f"a {_kind(given)} where an object was expected")
        value = parse(given)
        checked(value)
    except ODD as error:
        raise _Unfit(error, given) from error
    return value


def body_of(answer: Response) -> Json:
    """Return the JSON object that an answer holds."""
    if not isinstance(body := answer.json(parse_constant=_no_number), dict):
        raise _Unfit(TypeError(f"a {_kind(body)} where an object was expected"), body)
    return body


def one_thing(body: Json) -> Json:
    """Return a body, unless it is a page of a list: read so, the rest of the list would be lost."""
    has_links = any(key.endswith(_LINKS) and isinstance(one, list) for key, one in body.items())
    # An image has its own fields and those that its owner wrote: `next` may be one of these.
    if "id" not in body and (has_links or link_to_next(body) is not None):
        raise _Unfit(ValueError("a page of a list came where one thing was asked for"), body)
    return body


def link_to_next(body: Json, *names: str) -> str | None:
    """Return the link from a page to the next one, in any form that a service gives it.

    `names` are the names of the list that may come before `_links`.
    """
    own = [body.get(f"{name}{_LINKS}") for name in names]
    for given in (*own, body.get("links"), body.get("next")):
        match given:
            case str():  # Glance
                return given
            case {"next": str() as link}:  # Keystone
                return link
            case list():  # Nova, Neutron, Cinder
                for one in given:
                    if one["rel"] == "next":
                        return str(one["href"])
            case _:
                continue
    return None


def list_in(body: Json, name: str) -> list[object]:
    """Return the list that an answer holds under a name."""
    if not isinstance(found := body[name], list):
        raise _Unfit(TypeError(f"`{name}` is a {_kind(found)}, not a list"), body)
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


# --- types ---


def text(given: object) -> str:
    """Return a text of an answer, where no class of ours declares that it is one."""
    if not isinstance(given, str) or not _is_text(given):
        raise TypeError(f"a {_kind(given)} where a text was expected")
    return given


def checked(value: object) -> None:
    """Compare a value with the types that its class declares, to the bottom; raise for another."""
    if is_dataclass(value) and not isinstance(value, type):
        for name, hint in _hints(type(value)).items():
            if not _fits(found := getattr(value, name), hint):
                raise TypeError(f"`{name}` would be a {_kind(found)}")
    elif isinstance(value, Mapping):
        for name, one in value.items():
            checked(name)
            checked(one)
    elif isinstance(value, tuple | list | frozenset):
        for one in value:
            checked(one)
    elif not (value is None or _fits(value, type(value))):
        raise TypeError(f"a {_kind(value)} that cannot be used")


@cache
def _hints(kind: type) -> dict[str, Any]:
    known = get_type_hints(kind)
    return {one.name: known[one.name] for one in fields(kind)}


def _fits(value: object, hint: Any) -> bool:  # noqa: ANN401, PLR0911  # a type, as `typing` has it; one line each
    origin, given = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return any(_fits(value, one) for one in given)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        inner = given[:1] * len(value) if given[-1] is Ellipsis else given
        return len(inner) == len(value) and all(map(_fits, value, inner))
    if origin is frozenset:
        return isinstance(value, frozenset) and all(_fits(one, given[0]) for one in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            _fits(name, given[0]) and _fits(one, given[1]) for name, one in value.items()
        )
    if hint is str:
        return isinstance(value, str) and _is_text(value)
    if hint in {int, float}:
        return _is_number(value, hint)
    if isinstance(hint, type) and is_dataclass(hint) and isinstance(value, hint):
        checked(value)
        return True
    return isinstance(value, hint)


def _is_text(value: str) -> bool:
    return _HALF.search(value) is None


def _is_number(value: object, hint: type) -> bool:
    is_one = isinstance(value, int if hint is int else int | float) and not isinstance(value, bool)
    return is_one and isfinite(value) and abs(value) < _MOST  # type: ignore[arg-type]  # it is a number


# --- words ---


def request_id_of(answer: Response) -> str | None:
    """Return the id under which the service logs the request."""
    return answer.headers.get("x-openstack-request-id")


def words_of(answer: Response) -> str:
    """Return the service's own words: each service has its own shape for them."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return _plain(answer.text or answer.reason or "")
    if isinstance(body, dict):
        if isinstance(errors := body.get("errors"), list) and errors:  # placement
            first = errors[0] if isinstance(errors[0], dict) else {}
            return _printable(str(first.get("detail") or first.get("title") or errors[0]))
        # Nova {"badRequest": {"message"}}, Neutron {"NeutronError": {}}
        for inner in body.values():
            if isinstance(inner, dict) and "message" in inner:
                return _printable(str(inner["message"]))
        if isinstance(said := body.get("message"), str):  # a part in front of a service: WebOb
            return _plain(said)
    return _printable(str(body))[:_LONG]


def is_own(answer: Response) -> bool:
    """Say whether a refusal is the service's own: a proxy in front of it gives no id of a request.

    The form does not show it: Glance answers with a page of HTML that it has no such image.
    """
    if request_id_of(answer):
        return True
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and any(
        isinstance(body.get(name), dict | list) for name in _REFUSALS
    )


def is_page(answer: Response) -> bool:
    """Say whether it is a page for people: no service answers so, a proxy in front of it may."""
    return "html" in answer.headers.get("Content-Type", "").lower()


def _in_words(error: Exception) -> str:
    match error:
        case _Unfit():
            return str(error)
        case json.JSONDecodeError() | UnicodeDecodeError():
            return "it is not JSON"
        case KeyError():
            return f"it has no `{_printable(str(error.args[0] if error.args else '?'))}`"
        case RecursionError():
            return "it is nested too deeply"
        case _:
            return _printable(str(error))[:_SHORT] or type(error).__name__


def _shown(error: Exception, answer: Response | None) -> str:
    """Return the part of the answer that cannot be read, masked first, then cut."""
    if isinstance(error, _Unfit):
        return masked(_printable(repr(masked_in(error.given))))[:_SHORT]
    if answer is None:
        return "none was kept"
    if is_page(answer):
        return f'a page of HTML, "{masked(_plain(answer.text))[:_SHORT]}"'
    return masked(_plain(answer.text))[:_SHORT] or "nothing"


def _plain(text: str) -> str:
    """Return a page's words, without its tags."""
    return _printable(" ".join(re.sub(r"<[^>]*>", " ", text[: 20 * _LONG]).split()))[:_LONG]


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _kind(value: object) -> str:
    return _KINDS.get(type(value), type(value).__name__)
