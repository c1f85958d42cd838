"""Call a machine at its addresses from other nodes, to hear whether anything of it answers.

Both an answer and a refusal are signs of life. Silence is one only where it was really called.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from importlib.resources import files

from stackward.answers import document, mapping, text, truth, understood, why
from stackward.errors import NotUnderstood, StackwardError
from stackward.model.witness import Witnesses
from stackward.ports.shell import Shell
from stackward.ports.world import World

ANSWER_S = 3.0  # for each call
WHOLE_S = 20.0  # for all of it, the way to those who call included
_BEGINS = '{"version"'
_SPOKEN = {"open": "takes connections at 22/tcp", "refused": "refuses connections at 22/tcp"}


@cache
def script() -> str:
    """Return what is run on a node that calls."""
    return files(__package__).joinpath("on_node/hail.py").read_text("utf-8")


def hail(world: World, addresses: Sequence[str], peers: Sequence[str]) -> Witnesses:
    """Call the addresses from each of these nodes, all at the same time."""
    if not addresses or not peers:
        return Witnesses(why="no other node is known that could call it")
    heard_by = world.together.ask(
        {
            ("calls", each, *addresses): partial(_told_by, world.shell, each, addresses)
            for each in peers
        },
        within_s=WHOLE_S,
    )
    told = {peer: one for (_, peer, *_), one in heard_by.items()}
    answers = {peer: one for peer, one in told.items() if isinstance(one, Mapping)}
    if not answers:
        reasons = [f"`{peer}`: {one or 'no answer in time'}" for peer, one in told.items()]
        return Witnesses(why=f"no other node could call it ({'; '.join(reasons)})")
    taken = {at for one in answers.values() for at, said in one.items() if said["own"]}
    called = [each for each in addresses if each not in taken]
    heard = {at: list(_heard(at, answers)) for at in called}
    silent = [
        at for at in called if not heard[at] and any(_is_silent(a, at) for a in answers.values())
    ]
    return Witnesses(
        heard=tuple(words for at in called for words in heard[at][:1]),
        silent=tuple(silent),
        unknown=tuple(
            f"{at} cannot be called ({_why_not(at, answers)})"
            for at in called
            if not heard[at] and at not in silent
        ),
        asked=tuple(answers),
    )


_Told = Mapping[str, Mapping[str, object]]


def _told_by(shell: Shell, peer: str, addresses: Sequence[str]) -> _Told | str:
    """Return what a node reports of each address; or why it reports nothing."""
    asked = json.dumps({"addresses": list(addresses), "within_s": ANSWER_S})
    try:
        answer = shell.run(peer, ["python3", "-", asked], given=script(), within_s=WHOLE_S)
        if answer.code != 0:
            return next(iter(answer.err.strip().splitlines()), f"it ended with {answer.code}")
        return parse_hail(answer.out, addresses)
    except NotUnderstood as error:
        return why(error)
    except StackwardError as error:
        return error.message


def parse_hail(out: str, addresses: Sequence[str]) -> _Told:
    """Read what the script printed; what a login's shell writes before it is none of it."""
    with understood("the script that calls a node", out):
        told = mapping(document(out[max(0, out.find(_BEGINS)) :])["told"])
        return {each: _read(mapping(told[each])) for each in addresses}


def _read(said: Mapping[str, object]) -> Mapping[str, object]:
    ping = said["ping"]
    return {
        "own": truth(said["own"]),
        "ssh": text(said["ssh"]),
        "ping": None if ping is None else truth(ping),
    }


def _heard(at: str, answers: Mapping[str, _Told]) -> Iterator[str]:
    for peer, told in answers.items():
        spoken = _SPOKEN.get(str(told[at]["ssh"]))
        if spoken or told[at]["ping"]:
            yield f"{at} {spoken or 'answers ping'} (asked from `{peer}`)"


def _is_silent(told: _Told, at: str) -> bool:
    """Say whether it was called from there, and nothing came; ping alone proves no silence."""
    return told[at]["ssh"] == "silent" and not told[at]["ping"]


def _why_not(at: str, answers: Mapping[str, _Told]) -> str:
    return "; ".join(f"`{peer}`: {told[at]['ssh']}" for peer, told in answers.items())
