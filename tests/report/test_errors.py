"""What the operator reads when something did not work."""

from textwrap import dedent

import pytest

from stackward.errors import Refused, StackwardError, StepFailed
from stackward.report.errors import render_error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(
            StackwardError("cannot read `x`"),
            """\
            error: cannot read `x`
            """,
            id="the least",
        ),
        pytest.param(
            StepFailed(
                "drain of `compute-07` stopped: live migration of `web-3` failed",
                service="Nova",
                says="No valid host was found.",
                request_id="req-5b1f",
                stands="30 of 31 servers have moved",
                hint="make room, then `stackward run resume 01J9`",
            ),
            """\
            error: drain of `compute-07` stopped: live migration of `web-3` failed
              Nova says: "No valid host was found." (req-5b1f)
            30 of 31 servers have moved

            hint: make room, then `stackward run resume 01J9`
            """,
            id="all of it",
        ),
        pytest.param(
            Refused(
                "cannot start the lab: 2 things are missing",
                details=["mmdebstrap   not installed", "root         you are `ann`"],
                hint="`apt-get install mmdebstrap`",
            ),
            """\
            error: cannot start the lab: 2 things are missing
              mmdebstrap   not installed
              root         you are `ann`
            nothing was changed

            hint: `apt-get install mmdebstrap`
            """,
            id="everything at once",
        ),
        pytest.param(
            StackwardError("no answer", says="two\n  lines", request_id="req-1"),
            """\
            error: no answer
              the answer was: "two lines" (req-1)
            """,
            id="words of many lines: one line",
        ),
        pytest.param(
            StackwardError("no answer", request_id="req-1"),
            """\
            error: no answer
              request req-1
            """,
            id="a request id without words",
        ),
    ],
)
def test_the_form_of_an_error(error: StackwardError, expected: str) -> None:
    assert render_error(error) == dedent(expected)


def test_a_name_cannot_rewrite_the_operators_screen() -> None:
    error = StackwardError("server `\x1b[2Jweb\r-1` is gone", says="\x9b31m\u202ered")

    assert render_error(error) == (
        'error: server `\\x1b[2Jweb\\r-1` is gone\n  the answer was: "\\x9b31m\\u202ered"\n'
    )
