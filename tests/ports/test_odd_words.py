"""What virsh and systemctl print is read as they print it; any other form is not understood."""

from collections.abc import Callable

import pytest

from stackward.errors import NotUnderstood
from stackward.ports.libvirt import read_boot, read_daemon, read_ids, read_job, read_state
from stackward.ports.systemd import read_active, read_enabled, read_facts

ID = "84af16aa-743a-46ae-890a-872cbc025df1"


@pytest.mark.parametrize(
    ("read", "out", "expected"),
    [
        pytest.param(read_state, "running\n\n", "running", id="domstate"),
        pytest.param(read_state, "shut off\n\n", "shut off", id="domstate, two words"),
        pytest.param(read_boot, "7\n\n", "7", id="domid"),
        pytest.param(read_boot, "-\n\n", None, id="domid of one that is off"),
        pytest.param(read_job, "Job type:         None        \n\n", False, id="no job"),
        pytest.param(read_job, "Job type:         Unbounded   \nTime: 3\n", True, id="a job"),
        pytest.param(read_ids, f"{ID}\n\n", [ID], id="list"),
        pytest.param(read_ids, "\n", [], id="list of none"),
        pytest.param(read_daemon, "Running against daemon: 11.3.0\n", "11.3.0", id="version"),
        pytest.param(read_active, "inactive\n", "inactive", id="is-active"),
        pytest.param(read_enabled, "", "", id="is-enabled of no unit"),
        pytest.param(read_facts, "NRestarts=0\nResult=a=b\n", {"NRestarts": "0", "Result": "a=b"}),
    ],
)
def test_what_they_print_is_read(read: Callable[[str], object], out: str, expected: object) -> None:
    assert read(out) == expected


@pytest.mark.parametrize(
    ("read", "out"),
    [
        pytest.param(read_state, "", id="domstate, nothing"),
        pytest.param(read_state, "running\nWarning: x\n", id="domstate, a remark"),
        pytest.param(read_boot, "", id="domid, nothing"),
        pytest.param(read_boot, "-1\n", id="domid, below nothing"),
        pytest.param(read_boot, "7\nWarning: x\n", id="domid, a remark"),
        pytest.param(read_job, "", id="a job, nothing"),
        pytest.param(read_job, "Job type:\n", id="a job without its type"),
        pytest.param(read_ids, f"{ID}\n{ID[:20]}\n", id="list, half"),
        pytest.param(read_ids, " Id Name State\n", id="list, a table"),
        pytest.param(read_daemon, "Using library: libvirt 11.3.0\n", id="version, half"),
        pytest.param(read_active, "inactif\n", id="is-active in another language"),
        pytest.param(read_enabled, "maskiert\n", id="is-enabled in another language"),
        pytest.param(read_facts, "Failed to connect to bus\n", id="show, an error"),
    ],
)
def test_another_form_is_not_understood_and_shown(read: Callable[[str], object], out: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        read(out)

    assert (caught.value.says or "") in " ".join(out.split())
