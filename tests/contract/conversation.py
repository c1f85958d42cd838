"""What every conversation with a node promises."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from stackward.errors import Uncertain
from stackward.facts.talks import script
from stackward.ports.shell import Conversation

Opens = Callable[[str], AbstractContextManager[Conversation]]

ECHO = """
talk = Talk()
while True:
    heard = talk.hear()
    if heard is None or heard == b"end":
        break
    talk.say(heard)
"""


def with_talk(own: str) -> str:
    """Return what is sent: the node's side of a talk, and a script of a test."""
    return f"{script('clock').partition('def main(talk')[0]}\n{own}"


def say_until_it_is_over(talk: Conversation) -> None:
    """Say more than a pipe holds."""
    for _ in range(1000):
        talk.say(b"x" * 1000)


class ConversationContract:
    """Tests; a subclass gives the fixture `opens`."""

    def test_what_is_said_comes_as_one_piece_whatever_bytes_it_has(self, opens: Opens) -> None:
        said = [b"\x00", b"\n=stackward talks=\n", bytes(range(256)) * 4096]

        with opens(with_talk(ECHO)) as talk:
            heard = []
            for one in said:
                talk.say(one)
                heard.append(talk.hear(within_s=30))

        assert heard == said

    def test_the_nodes_side_may_end_it(self, opens: Opens) -> None:
        with opens(with_talk(ECHO)) as talk:
            talk.say(b"last")
            talk.say(b"end")

            assert talk.hear(within_s=30) == b"last"
            assert talk.hear(within_s=30) is None
            with pytest.raises(Uncertain, match="is over"):
                say_until_it_is_over(talk)

    def test_what_says_nothing_in_time_is_uncertain(self, opens: Opens) -> None:
        with (
            opens(with_talk(ECHO)) as talk,
            pytest.raises(Uncertain, match="said nothing in time"),
        ):
            talk.hear(within_s=0.3)

    def test_a_script_that_breaks_is_said_in_its_own_words(self, opens: Opens) -> None:
        with opens("1 / 0\n") as talk, pytest.raises(Uncertain) as caught:
            talk.hear(within_s=30)

        assert "ZeroDivisionError" in str(caught.value.says)

    def test_a_clock_is_told_as_often_as_it_is_asked(self, opens: Opens) -> None:
        with opens(script("clock")) as talk:
            told = []
            for _ in range(3):
                talk.say(b"?")
                told.append(float(talk.hear(within_s=30) or b""))

        assert told == sorted(told)
