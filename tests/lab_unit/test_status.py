"""The status of a node is read from what the node says, also when that is odd."""

import pytest

from stackward.lab.status import used_of


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("  7%", "7% of 4 GiB"),
        ("100%", "100% of 4 GiB"),
        ("", "unknown"),
        ("-", "unknown"),
        ("Use%", "unknown"),
        ("nova-compute.service loaded failed failed", "unknown"),
    ],
)
def test_a_disk_of_which_df_says_nothing_sensible_is_unknown(said: str, expected: str) -> None:
    assert used_of(said, 4) == expected
