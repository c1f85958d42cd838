"""A skip is a failure in CI, and only there."""

import pytest

SKIPS_ITSELF = """
    import pytest

    @pytest.mark.skip(reason="no root here")
    def test_marked(): ...

    def test_midway():
        pytest.skip("no lab here")

    @pytest.mark.xfail(reason="known", strict=True)
    def test_known_to_fail():
        assert False

    def test_well(): ...
"""


def test_in_ci_each_skip_fails_and_says_its_reason(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    pytester.makepyfile(SKIPS_ITSELF)

    ended = pytester.runpytest("-p", "no_skips")

    ended.assert_outcomes(passed=1, failed=1, errors=1, xfailed=1)
    ended.stdout.fnmatch_lines_random(
        ["*nothing may be skipped*no root here*", "*nothing may be skipped*no lab here*"]
    )


def test_in_ci_a_module_that_skips_itself_fails(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    pytester.makepyfile("import pytest; pytest.importorskip('no_such_module')")

    ended = pytester.runpytest("-p", "no_skips")

    ended.assert_outcomes(errors=1)


@pytest.mark.parametrize("ci", ["", "false"])
def test_elsewhere_a_skip_is_a_skip(
    ci: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    pytester.makepyfile(SKIPS_ITSELF)

    ended = pytester.runpytest("-p", "no_skips")

    ended.assert_outcomes(passed=1, skipped=2, xfailed=1)
