"""Operations are found by their kind, each in its folder."""

from pkgutil import iter_modules

import pytest

from stackward import operations, requests
from stackward.operations import operation

FOLDERS = [each.name for each in iter_modules(operations.__path__)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_found_by_the_kind_of_its_request(folder: str) -> None:
    found = operation(folder.replace("_", "-"))

    assert found.kind.replace("-", "_") == folder
    assert requests.KINDS[found.kind] is found.request


def test_a_drain_is_among_them() -> None:
    assert "drain_compute_node" in FOLDERS
