"""A bug in one function of a service: it raises, it returns nothing, or it loses an argument.

The target is the function, as `module:Class.method`. One that raises may be given the exception:
`module:Class.method=nova.exception.InvalidVolume`; without one it is a `RuntimeError`. All
processes that run the module get the bug, by a drop-in of their units, and are restarted;
`patched_code.py` says how, and how a traceback of it looks.
"""

import json
import re
import shlex
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from importlib.resources import files

from stackward.errors import BadInput
from stackward.lab.patched_code import LOADED, LOSES_ARGUMENT, RAISES, RETURNS_NOTHING, UNIT
from stackward.lab.scene import Scene
from stackward.lab.spec import Lab

FOLDER = "/run/stackward-lab-code"
USUAL_EXCEPTION = "RuntimeError"
FORM = "MODULE:CLASS.METHOD"
# Each kind of bug, and what the function does with it.
KINDS = {
    RAISES: "raises an exception before it does anything",
    RETURNS_NOTHING: "returns None before it does anything, and nothing is logged there",
    LOSES_ARGUMENT: "works on None in place of its first argument",
}
_TARGET = re.compile(
    r"(?P<module>\w+(?:\.\w+)+):(?P<function>\w+(?:\.\w+)*)(?:=(?P<exception>\w+(?:\.\w+)*))?"
)
_DROP_IN = "/run/systemd/system/{unit}.service.d/lab-code.conf"
_COMPUTE = "nova-compute"
# Whose processes run a module: the first that fits. What a library of a package is, all run.
RUN_BY: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("nova.api.*", ("nova-api",)),
    ("nova.compute.api", ("nova-api",)),
    ("nova.compute.*", (_COMPUTE,)),
    ("nova.virt.*", (_COMPUTE,)),
    ("nova.network.*", (_COMPUTE, "nova-api")),
    ("nova.volume.*", (_COMPUTE, "nova-api")),
    ("nova.image.*", (_COMPUTE, "nova-api")),
    ("nova.conductor.rpcapi", (_COMPUTE, "nova-api")),
    ("nova.conductor.*", ("nova-conductor",)),
    ("nova.scheduler.client.*", ("nova-scheduler", "nova-conductor", _COMPUTE)),
    ("nova.scheduler.*", ("nova-scheduler",)),
    ("nova.*", ("nova-conductor", "nova-scheduler", "nova-api", _COMPUTE)),
    ("cinder.api.*", ("cinder-api",)),
    ("cinder.volume.api", ("cinder-api",)),
    ("cinder.volume.flows.api.*", ("cinder-api",)),
    ("cinder.volume.rpcapi", ("cinder-api", "cinder-scheduler")),
    ("cinder.volume.*", ("cinder-volume",)),
    ("cinder.scheduler.rpcapi", ("cinder-api",)),
    ("cinder.scheduler.*", ("cinder-scheduler",)),
    ("cinder.*", ("cinder-api", "cinder-scheduler", "cinder-volume")),
    ("neutron.*", ("neutron-api", "neutron-rpc-server")),
    ("glance.*", ("glance-api",)),
    ("keystone.*", ("keystone",)),
    ("placement.*", ("placement-api",)),
)
_PUT = """
mkdir -p -m 0755 {folder}; mkdir -p -m 1777 {folder}/{loaded}
cat > {folder}/sitecustomize.py << 'END-OF-CODE'
{code}
END-OF-CODE
python3 {folder}/sitecustomize.py {change} || exit 1
rm -f {folder}/{loaded}/{key}.*
printf '%s' {change} > {folder}/{key}.json
"""
_PUT_INTO = """
mkdir -p $(dirname {drop_in})
printf '[Service]\\nEnvironment=PYTHONPATH={folder} {variable}={unit}\\n' > {drop_in}
"""
_RESTART = """
systemctl daemon-reload
systemctl restart --no-block {units}
"""
_TAKE = """
rm -f {folder}/{key}.json {folder}/{loaded}/{key}.*
ls {folder}/*.json > /dev/null 2>&1 || rm -rf {folder} {drop_ins}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A function of a service's code, and the exception that it is to raise."""

    module: str
    function: str
    exception: str = USUAL_EXCEPTION

    @property
    def units(self) -> tuple[str, ...]:
        """Return the units whose processes run it."""
        return next(units for form, units in RUN_BY if fnmatchcase(self.module, form))

    def places(self, lab: Lab) -> dict[str, tuple[str, ...]]:
        """Return the nodes of a lab that run it, each with its units."""
        found: dict[str, tuple[str, ...]] = {}
        of_control = tuple(unit for unit in self.units if unit != _COMPUTE)
        if of_control:
            found[lab.control.name] = of_control
        if _COMPUTE in self.units:
            found |= {node.name: (_COMPUTE,) for node in lab.compute_nodes}
        return found


def read_method(target: str | None) -> Method:
    """Read a target; raises BadInput where it names no function of a service."""
    found = _TARGET.fullmatch(target or "")
    if found is None:
        wrong = "a fault in code needs a function" if target is None else f"`{target}` is none"
        raise BadInput(
            f"{wrong}: {FORM}, with `=EXCEPTION` where it is to raise another than RuntimeError",
            hint="for example `nova.compute.manager:ComputeManager.attach_volume`",
        )
    module = found["module"]
    if not any(fnmatchcase(module, form) for form, _ in RUN_BY):
        packages = sorted({form[: form.index(".")] for form, _ in RUN_BY})
        raise BadInput(
            f"`{module}` is no module of a service of the lab",
            hint=f"packages: {', '.join(f'`{one}`' for one in packages)}",
        )
    return Method(
        module=module,
        function=found["function"],
        exception=found["exception"] or USUAL_EXCEPTION,
    )


def put(kind: str) -> Callable[[Scene], None]:
    """Return an action that puts a bug of this kind into the target."""

    def act(scene: Scene) -> None:
        method = read_method(scene.target)
        _on_each(scene, lambda units: put_script(method, kind, units), method)

    return act


def put_script(method: Method, kind: str, units: tuple[str, ...], *, restarts: bool = True) -> str:
    """Return the script that puts a bug into the code that units of a node run."""
    key = key_of(method, kind)
    change = json.dumps(
        {
            "module": method.module,
            "function": method.function,
            "kind": kind,
            "exception": method.exception,
        }
    )
    code = files(__package__).joinpath("patched_code.py").read_text()
    script = _PUT.format(
        folder=FOLDER, loaded=LOADED, code=code, change=shlex.quote(change), key=key
    )
    for unit in units:
        script += _PUT_INTO.format(
            drop_in=_DROP_IN.format(unit=unit), folder=FOLDER, variable=UNIT, unit=unit
        )
    return script + (_RESTART.format(units=" ".join(units)) if restarts else "")


def take(kind: str) -> Callable[[Scene], None]:
    """Return an action that takes a bug of this kind out of the target."""

    def act(scene: Scene) -> None:
        method = read_method(scene.target)
        _on_each(scene, lambda units: take_script(method, kind, units), method)

    return act


def take_script(method: Method, kind: str, units: tuple[str, ...], *, restarts: bool = True) -> str:
    """Return the script that takes a bug out of the code that units of a node run.

    Drop-ins go with the last bug of the node: another one may be in the same process.
    """
    drop_ins = " ".join(
        _DROP_IN.format(unit=unit) for unit in sorted({unit for _, run in RUN_BY for unit in run})
    )
    script = _TAKE.format(folder=FOLDER, loaded=LOADED, key=key_of(method, kind), drop_ins=drop_ins)
    return script + (_RESTART.format(units=" ".join(units)) if restarts else "")


def is_put(kind: str) -> Callable[[Scene], bool]:
    """Return the question whether all processes that run the target have loaded the bug."""

    def ask(scene: Scene) -> bool:
        method = read_method(scene.target)
        key = key_of(method, kind)
        return all(
            scene.holds(node, loaded_test(key, units))
            for node, units in method.places(scene.lab).items()
        )

    return ask


def loaded_test(key: str, units: tuple[str, ...]) -> str:
    """Return the test whether the processes of units have loaded a bug, and run."""
    files_of = " && ".join(f"test -e {FOLDER}/{LOADED}/{key}.{unit}" for unit in units)
    return f"{files_of} && systemctl is-active -q {' '.join(units)}"


def is_taken(scene: Scene) -> bool:
    """Say whether no process has the bug now, and the cloud works."""
    method = read_method(scene.target)
    return (
        all(
            scene.holds(node, clean_test(units)) for node, units in method.places(scene.lab).items()
        )
        and scene.all_work()
        and scene.grants()
    )


def clean_test(units: tuple[str, ...]) -> str:
    """Return the test whether units run, and none was started with changed code."""
    each = " && ".join(
        f"pid=$(systemctl show -P MainPID {unit}) && [ $pid -gt 0 ]"
        f" && {{ ! tr '\\0' '\\n' < /proc/$pid/environ | grep -q ^PYTHONPATH={FOLDER}"
        f" || ls {FOLDER}/*.json > /dev/null 2>&1; }}"
        for unit in units
    )
    return f"systemctl is-active -q {' '.join(units)} && {each}"


def key_of(method: Method, kind: str) -> str:
    """Return the name of a bug's files."""
    said = f"{method.module}:{method.function}:{kind}"
    return sha256(said.encode()).hexdigest()[:12]


def _on_each(scene: Scene, script: Callable[[tuple[str, ...]], str], method: Method) -> None:
    places = method.places(scene.lab)
    with ThreadPoolExecutor(max_workers=len(places)) as pool:
        done = [pool.submit(scene.on, node, script(units)) for node, units in places.items()]
        for one in done:
            one.result()
