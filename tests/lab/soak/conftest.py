"""The long tests, a folder for each family: `make lab-soak FAMILY=drain`."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let all that is in this folder be soak: it is not in the share of CI."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.soak)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell what a soak covers."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    ours = [item for item in session.items if HERE in item.path.parents]
    if not ours or terminal is None:
        return
    for path in dict.fromkeys(item.path for item in ours):
        count = sum(item.path == path for item in ours)
        says = _first_line(getattr(next(i for i in ours if i.path == path), "module", None))
        terminal.write_line(f"  {path.parent.name}/{path.name} ({count}): {says}")


def _first_line(module: object) -> str:
    return (getattr(module, "__doc__", "") or "").strip().partition("\n")[0]
