"""A bug in a function of a service: its traceback is what a bug in the file itself would give."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab_builders import a_lab
from stackward.errors import BadInput
from stackward.lab.method_faults import RUN_BY, key_of, put_script, read_method, take_script
from stackward.lab.patched_code import LOADED, SAYS, UNIT, changed

SERVICE = '''\
"""A manager."""

import functools


class NotNow(Exception):
    pass


def kept(function):
    @functools.wraps(function)
    def wrapped(*args):
        return function(*args)

    return wrapped


class Manager:
    @kept
    def attach(self, context, volume):
        """Attach a volume."""
        name = volume["name"]
        return f"attached {name}"

    def detach(self, volume): return len(volume)

    def rest(self, context):
        pass


manager = Manager()
'''
RUN = """
import traceback
from service.compute.manager import manager
try:
    print(manager.attach(None, {"name": "v1"}))
except Exception:
    traceback.print_exc()
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "packages" / "service" / "compute"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder.parent / "__init__.py").write_text("")
    (folder / "manager.py").write_text(SERVICE)
    return folder.parents[1]


def ran(tmp_path: Path, package: Path, **change: str) -> tuple[str, str]:
    """Run the service with a change; return what it wrote to stdout and to stderr."""
    folder = tmp_path / "changes"
    (folder / LOADED).mkdir(parents=True)
    source = Path(sys.modules[changed.__module__].__file__ or "").read_text()
    (folder / "sitecustomize.py").write_text(source)
    usual = {"module": "service.compute.manager", "function": "Manager.attach"}
    (folder / "abc.json").write_text(json.dumps({**usual, **change}))
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{package}", UNIT: "service-api"}
    ended = subprocess.run(
        [sys.executable, "-c", RUN],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
        timeout=60,
    )
    assert (folder / LOADED / "abc.service-api").exists()
    return ended.stdout, ended.stderr


def test_the_innermost_frame_is_that_of_the_services_own_file(
    tmp_path: Path, package: Path
) -> None:
    before = (package / "service/compute/manager.py").read_bytes()

    _, said = ran(tmp_path, package, kind="raises", exception="service.compute.manager.NotNow")

    lines = said.splitlines()
    at = SERVICE.splitlines().index('        name = volume["name"]') + 1
    file = package / "service/compute/manager.py"
    assert lines[-1] == f"service.compute.manager.NotNow: {SAYS}"
    [frame] = [number for number, line in enumerate(lines) if f", line {at}, in attach" in line]
    assert lines[frame] == f'  File "{file}", line {at}, in attach'
    assert lines[frame + 1].strip() == 'name = volume["name"]'
    assert not any(line.startswith("  File") for line in lines[frame + 1 :])
    assert "in wrapped" in said  # its decorator is where it was
    assert file.read_bytes() == before


def test_a_method_that_returns_nothing_says_nothing(tmp_path: Path, package: Path) -> None:
    assert ran(tmp_path, package, kind="returns-nothing", exception="") == ("None\n", "")


def test_a_method_that_loses_its_argument_fails_at_the_line_that_needs_it(
    tmp_path: Path, package: Path
) -> None:
    _, said = ran(tmp_path, package, kind="loses-argument", exception="")

    assert said.splitlines()[-1] == "TypeError: 'NoneType' object is not subscriptable"
    assert 'name = volume["name"]' in said


@pytest.mark.parametrize(
    ("function", "kind", "message"),
    [
        ("Manager.attack", "raises", "there is no `Manager.attack`"),
        ("Manger.attach", "raises", "there is no `Manger.attach`"),
        ("Manager", "raises", "`Manager` is a class"),
        ("Manager.rest", "loses-argument", "`rest` has no argument of its own"),
        ("Manager.attach", "sings", "there is no kind `sings`"),
    ],
)
def test_what_does_not_fit_the_source_is_said(function: str, kind: str, message: str) -> None:
    change = {"function": function, "kind": kind, "exception": "KeyError"}

    with pytest.raises(LookupError) as refused:
        changed(SERVICE.encode(), "manager.py", [change])

    assert refused.value.args[0] == message


def test_a_function_of_one_line_is_changed_too() -> None:
    change = {"function": "Manager.detach", "kind": "returns-nothing", "exception": ""}
    found: dict[str, object] = {}

    exec(changed(SERVICE.encode(), "manager.py", [change]), found)  # noqa: S102  # our own text

    assert found["manager"].detach([1]) is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        (None, "for example `nova.compute.manager:ComputeManager.attach_volume`"),
        ("c01", "for example `nova.compute.manager:ComputeManager.attach_volume`"),
        ("nova.compute.manager", "for example `nova.compute.manager:ComputeManager.attach_volume`"),
        (
            "oslo_db.api:wrap",
            "packages: `cinder`, `glance`, `keystone`, `neutron`, `nova`, `placement`",
        ),
    ],
)
def test_a_target_that_is_no_function_of_a_service_is_bad_input(
    target: str | None, hint: str
) -> None:
    with pytest.raises(BadInput) as refused:
        read_method(target)

    assert refused.value.hint == hint


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("nova.compute.manager:ComputeManager.x", {"c01": ("nova-compute",)}),
        ("nova.compute.api:API.create", {"ctl": ("nova-api",)}),
        ("nova.network.neutron:API.x", {"ctl": ("nova-api",), "c01": ("nova-compute",)}),
        ("neutron.db.x:f", {"ctl": ("neutron-api", "neutron-rpc-server")}),
        ("cinder.scheduler.manager:S.x", {"ctl": ("cinder-scheduler",)}),
    ],
)
def test_all_that_run_a_module_have_the_bug(
    tmp_path: Path, target: str, expected: dict[str, tuple[str, ...]]
) -> None:
    places = read_method(target).places(a_lab(tmp_path))

    assert {node: units for node, units in places.items() if node in {"ctl", "c01"}} == expected
    assert ("c02" in places) == ("c01" in places)


def test_each_module_of_a_services_package_is_run_by_something() -> None:
    packages = {form.split(".")[0] for form, _ in RUN_BY}

    assert all(f"{package}.*" in dict(RUN_BY) for package in packages)


def test_the_scripts_name_the_same_files(tmp_path: Path) -> None:
    """What the one puts on a node the other takes away."""
    method = read_method("nova.compute.manager:ComputeManager.attach_volume=nova.exception.Invalid")
    made = put_script(method, "raises", ("nova-compute",))
    taken = take_script(method, "raises", ("nova-compute",))

    drop_in = "/run/systemd/system/nova-compute.service.d/lab-code.conf"
    assert f"{key_of(method, 'raises')}.json" in made
    assert f"{key_of(method, 'raises')}.json" in taken
    assert drop_in in made
    assert drop_in in taken
    assert '"exception": "nova.exception.Invalid"' in made
    for number, script in enumerate((made, taken)):
        file = tmp_path / f"script-{number}"
        file.write_text(script)
        subprocess.run(["sh", "-n", str(file)], check=True, timeout=10)  # its syntax alone
