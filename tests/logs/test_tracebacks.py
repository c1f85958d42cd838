"""Tracebacks: chains of causes, and those that came over RPC."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackward.logs import tracebacks
from stackward.logs.event import Frame
from stackward.logs.tracebacks import Continued, read_traceback
from stackward.masking import may_hide

CHAIN = """\
it failed
Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/nova/a.py", line 10, in first
    second()
    ~~~~~~^^
  File "/usr/lib/python3/dist-packages/nova/b.py", line 20, in second
    raise ValueError("x")
ValueError: x

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/nova/c.py", line 30, in third
    raise Other
nova.exception.Other""".splitlines()

REMOTE = (
    "Exception during message handling: Remote error: Timeout it was late\n"
    "['Traceback (most recent call last):\\n', '  File \"/usr/lib/nova/d.py\", line 7, in call\\n"
    "    wait()\\n', 'oslo_messaging.exceptions.Timeout: it was late\\n']."
).splitlines()


def test_a_chain_of_causes_is_read_in_order() -> None:
    first, last = read_traceback(CHAIN)

    assert (first.exception, first.message) == ("ValueError", "x")
    assert first.frames[-1] == Frame(
        file="/usr/lib/python3/dist-packages/nova/b.py", line=20, function="second"
    )
    assert (last.exception, last.message) == ("nova.exception.Other", "")
    assert last.code[-1] == "raise Other"
    assert all(len(one.code) == len(one.frames) for one in (first, last))


def test_a_traceback_in_an_error_of_rpc_is_unpacked() -> None:
    [found] = read_traceback(REMOTE)

    assert (found.exception, found.message) == (
        "oslo_messaging.exceptions.Timeout",
        "it was late",
    )
    assert found.frames == (Frame(file="/usr/lib/nova/d.py", line=7, function="call"),)


def test_what_is_no_traceback_has_no_exceptions() -> None:
    assert read_traceback(["ValueError: x", '  File "a.py", line 1, in b']) == ()


def test_a_traceback_that_is_cut_off_has_none_of_its_exceptions() -> None:
    assert read_traceback(CHAIN[:5]) == ()


def test_a_line_number_of_thousands_of_digits_is_no_frame() -> None:
    lines = [
        "Traceback (most recent call last):",
        f'  File "/usr/lib/python3/nova/x.py", line {"9" * 5000}, in create',
        '  File "/usr/lib/python3/nova/y.py", line 12, in create',
        "ValueError: x",
    ]

    [raised] = read_traceback(lines)

    assert [frame.line for frame in raised.frames] == [12]
    assert raised.code == ("",)


def test_marks_below_a_line_of_code_are_no_code() -> None:
    lines = [
        "Traceback (most recent call last):",
        '  File "/usr/lib/python3/nova/x.py", line 11, in create',
        "    run(name)",
        "    ^^^^^^^^^",
        '  File "/usr/lib/python3/nova/y.py", line 12, in run',
        "ValueError: x",
    ]

    [raised] = read_traceback(lines)

    assert raised.code == ("run(name)", "")


BODIES = st.lists(
    st.lists(
        st.one_of(st.sampled_from([*CHAIN, *REMOTE, "password=x", ""]), st.text(max_size=4)),
        min_size=1,
    ).map("\n".join),
    max_size=8,
)


@given(BODIES, st.sampled_from([1, 600, 8 << 20]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_read_once_is_what_is_read_each_time(
    monkeypatch: pytest.MonkeyPatch, bodies: list[str], most_kept: int
) -> None:
    """Also where not all of it is kept."""
    monkeypatch.setattr(tracebacks, "_MOST_KEPT", most_kept)
    continued = Continued()

    for body in bodies * 2:
        lines, raised = continued.read(body)
        assert "\n".join(lines) == body
        assert raised == read_traceback(body.split("\n"))
        assert continued.may_hide(lines) == may_hide(body)


def test_lines_that_are_the_same_are_kept_once_until_they_are_too_many() -> None:
    continued = Continued()
    lines, _ = continued.read("a\nb")

    assert continued.read("a\nb")[0] is lines

    for number in range(200):  # each fills a hundredth of what is kept
        continued.read(f"{number}" + "x" * (tracebacks._MOST_KEPT // 100))  # noqa: SLF001
    assert continued.read("a\nb")[0] is not lines
