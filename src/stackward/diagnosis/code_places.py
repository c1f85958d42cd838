"""Where in a service's own code something is: by the file of a frame, or by the name of a logger.

What is passed over is declared here: layers that all calls go through, and functions that only wrap
others. An exception that passes them says nothing about them.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from stackward.logs.event import Frame

# The packages of services. What is no service's is a library.
OWN = frozenset(
    {
        "barbican", "cinder", "designate", "glance", "heat", "ironic", "keystone", "magnum",
        "manila", "masakari", "neutron", "nova", "octavia", "openstack_dashboard", "placement",
        "swift", "trove",
    }
)  # fmt: skip
# Libraries in which a part of a service's work is done: they are named where no own frame is.
NEAR = frozenset({"glance_store", "neutron_lib", "os_brick", "os_vif", "os_win", "ovsdbapp"})

# Layers that calls go through: what a library raises below them was handed to them.
PASSED_OVER = (
    "*/exception_wrapper.py", "*/safe_utils.py", "*/exception.py", "*/exceptions.py",
    "*/hooks.py", "*/rpcapi.py", "*/profiler.py", "*/context.py", "*/coordination.py",
    "nova/utils.py", "nova/compute/utils.py", "nova/rpc.py", "nova/service.py", "nova/manager.py",
    "nova/wsgi.py", "nova/quota.py", "nova/policy.py", "nova/conductor/api.py", "nova/privsep/*",
    "nova/virt/libvirt/guest.py", "nova/virt/libvirt/host.py",
    "cinder/utils.py", "cinder/rpc.py", "cinder/service.py", "cinder/manager.py",
    "cinder/quota.py", "cinder/policy.py", "cinder/privsep/*",
    "neutron/common/utils.py", "neutron/agent/linux/utils.py", "neutron/common/rpc.py",
    "neutron/agent/rpc.py", "neutron/service.py", "neutron/manager.py", "neutron/policy.py",
    "neutron/wsgi.py", "neutron/db/api.py", "neutron/db/_utils.py", "neutron/db/_model_query.py",
    "neutron/privileged/*", "neutron/plugins/ml2/managers.py", "neutron/callbacks/manager.py",
    "neutron/api/v2/resource.py", "neutron/pecan_wsgi/*",
    "glance/common/utils.py", "glance/common/wsgi.py", "glance/domain/proxy.py",
    "glance/api/policy.py", "glance/notifier.py", "glance/location.py",
    "keystone/common/wsgi.py", "keystone/common/manager.py", "keystone/server/flask/*",
    "placement/handler.py", "placement/wsgi_wrapper.py", "placement/fault_wrap.py",
    "placement/db_api.py", "placement/util.py", "placement/requestlog.py",
    "*/api/openstack/wsgi.py", "*/api/openstack/__init__.py", "*/api/middleware/*",
    "*/middleware/*", "*/cmd/*", "*/db/api.py", "*/db/sqlalchemy/models.py", "*/objects/base.py",
    "*/objects/fields.py", "*/api/validation/*",
)  # fmt: skip
# Functions that only wrap others, wherever they are.
WRAPPERS = frozenset(
    {
        "__call__", "__enter__", "__exit__", "_call_with_retry", "_do_wrap", "_inner",
        "_object_dispatch", "_wrap", "_wrapped", "decorated_function", "decorator", "dispatch",
        "do_wrap", "force_reraise", "func_retry", "func_wrapper", "inject_operation_decorator",
        "inner", "inner_filter", "lvo_inner1", "lvo_inner2", "object_action",
        "object_class_action", "object_class_action_versions", "process_response",
        "retry_wrapper", "trace_logging_wrapper", "trace_method_logging_wrapper",
        "trace_method_wrapper", "wrap", "wrapped", "wrapped_f", "wrapped_func", "wrapper",
        "wsgi_app",
    }
)  # fmt: skip
# What stores or carries values: where it finds one wrong or missing, its caller is accused.
STORES = (
    "nova/objects/*", "cinder/objects/*", "neutron/objects/*", "nova/db/*",
    "cinder/db/*", "glance/db/*", "placement/db/*",
    "*/backends/sql.py", "*/api/validation/*", "neutron/db/_utils.py", "neutron/db/models/*",
)  # fmt: skip
# Loggers that name a layer, not the place where something went wrong.
LAYERS = (
    "nova", "cinder", "neutron", "glance", "keystone", "placement", "heat", "*.wsgi", "*.wsgi.*",
    "*.osapi_compute.*", "*.osapi_volume.*", "*.eventlet.*", "oslo*", "*.api.openstack",
    "*.api.openstack.extensions", "*.api.v2.resource", "*.pecan_wsgi.*", "*.service", "nova.rpc",
    "cinder.rpc", "neutron.common.rpc", "neutron.agent.rpc", "wsme*", "eventlet*", "py.warnings",
    "*.requestlog", "root", "*.api.middleware.fault", "*.middleware*",
)  # fmt: skip

# The first folders in packages of services: by them a package is known from a folder of its name.
_FOLDERS = frozenset(
    {
        "agent", "api", "assignment", "async_", "backup", "brick", "cmd", "common", "compute",
        "conductor", "console", "core", "db", "domain", "handlers", "identity", "image", "ipam",
        "middleware", "network", "notifiers", "objects", "pecan_wsgi", "plugins", "policies",
        "privileged", "privsep", "scheduler", "server", "services", "storage", "token", "virt",
        "volume",
    }
)  # fmt: skip
_PACKAGES = re.compile(r"-packages/(?:[^/]+\.egg/)?(?P<rest>.+)$")
_FIRST = re.compile(r"\w+")
_LEVELS_OF_PATH = re.compile(r"[^/]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePlace:
    """A place in code."""

    module: str  # the path within the package: `nova/compute/manager.py`
    file: str | None = None  # as the traceback has it; None: only the logger is known
    line: int | None = None
    function: str | None = None

    @property
    def package(self) -> str:
        """Return the package that it is in."""
        return self.module.split("/", 1)[0]

    @property
    def is_own(self) -> bool:
        """Say whether it is a service's own code."""
        return self.package in OWN

    @property
    def is_wrapper(self) -> bool:
        """Say whether it only wraps another function."""
        return (self.function or "") in WRAPPERS

    @property
    def is_layer(self) -> bool:
        """Say whether all calls of a kind go through it."""
        return _is_one_of(self.module, PASSED_OVER)

    @property
    def is_store(self) -> bool:
        """Say whether it stores or carries values that others make."""
        return _is_one_of(self.module, STORES)


@cache
def _is_one_of(name: str, forms: tuple[str, ...]) -> bool:
    return any(has_form(name, form) for form in forms)


def has_form(name: str, form: str) -> bool:
    """Say whether a name has a form, in which `*` means anything.

    Most have that at the beginning or at the end only. To make a pattern of each of so many takes
    longer than to compare them.
    """
    middle = form.strip("*")
    if "*" in middle:
        return fnmatchcase(name, form)
    if form.startswith("*"):
        return middle in name if form.endswith("*") else name.endswith(middle)
    return name.startswith(middle) if form.endswith("*") else name == middle


@cache
def path_in_package(file: str) -> str | None:
    """Return the path of a source file within its package; None where that is not known."""
    if found := _PACKAGES.search(file):
        return found["rest"]
    parts = _LEVELS_OF_PATH.findall(file)
    known = [
        number for number, part in enumerate(parts[:-1]) if part.replace("-", "_") in OWN | NEAR
    ]
    if not known:
        return None
    # A work tree has the package in a folder that is called like it: /opt/stack/nova/nova/...
    # A home may be called like it too: /home/nova/src/nova/virt/...
    first = next((number for number in known if parts[number + 1] in _FOLDERS), known[0])
    if first + 1 in known:
        first += 1
    return "/".join(parts[first:])


def place_of(frame: Frame) -> CodePlace | None:
    """Return the place of a frame; None where its package is not known."""
    module = path_in_package(frame.file)
    if module is None:
        return None
    return CodePlace(module=module, file=frame.file, line=frame.line, function=frame.function)


def package_of(name: str) -> str:
    """Return the package of a dotted name."""
    found = _FIRST.match(name)
    return found[0] if found else ""


def place_of_logger(name: str) -> CodePlace | None:
    """Return the module that logs by this name; None where it is a layer's, or no service's."""
    if package_of(name) not in OWN | NEAR or _is_one_of(name, LAYERS):
        return None
    place = CodePlace(module=f"{name.replace('.', '/')}.py")
    return None if place.is_layer else place
