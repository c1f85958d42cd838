"""What is in `policy/` is shared: a rule of one operation is in that operation's folder."""

import pytest

from raising import names_of_policy, users_of_policy

SHARED = {"moving", "operations"}  # by all operations that move servers, or by all


@pytest.mark.parametrize("name", names_of_policy())
def test_what_is_in_policy_is_used_by_two_operations_or_by_all_that_move_servers(name: str) -> None:
    users = users_of_policy()[name]

    assert users & SHARED or len(users) > 1, f"only {users or 'nobody'} uses {name}"


def test_rules_that_are_known_to_be_shared_are_seen_to_be() -> None:
    users = users_of_policy()

    assert users.keys() == set(names_of_policy())
    assert users["policy.maintenance.HELD"] == {
        "operations.change_boot_gate",
        "operations.evacuate_compute_node",
        "operations.fence_compute_node",
        "operations.reattach_volumes",
        "operations.reboot_compute_node",
        "operations.reboot_server",
        "operations.recover_compute_node",
        "operations.return_compute_node",
        "operations.start_servers",
    }
    assert users["policy.compute.ERROR"] == {"moving"}  # named in a table alone
