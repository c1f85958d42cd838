"""One function of a service, changed as a bug would change it; the files of its package are not.

A node gets this file as `sitecustomize.py`, in a folder that PYTHONPATH names. There Python runs it
before anything else. Next to it lies one `*.json` for each change. When a service imports a module
that a change names, the module's source is read and parsed. A statement is put before the first one
of the function, and the tree is compiled under the name of the module's own file. So the new
statement has the file, the function and the line of the code at that place. All else keeps its
line. Each traceback is the one that a bug in that place would give. Decorators are kept: they wrap
the changed function as they wrap the right one.

It needs only the standard library, and imports little of it: services replace parts of that once
they run.
"""

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import re
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType

UNIT = "STACKWARD_LAB_UNIT"  # in the environment: whose process this is
LOADED = "loaded"  # the folder in which a process notes that it runs a changed function
# Kinds of changes.
RAISES = "raises"
RETURNS_NOTHING = "returns-nothing"
LOSES_ARGUMENT = "loses-argument"
SAYS = "the operation could not be completed"  # of the exception
# No caller gives these without a need: what is lost is an argument that the work is about.
_OF_ALL = frozenset({"self", "cls", "context", "ctxt", "ctx", "req", "request"})
_NAME = re.compile(r"\w+")

Change = dict[str, str]  # module, function, kind, exception


def changed(source: bytes, file: str, changes: Sequence[Change]) -> CodeType:
    """Return the code of a module with its functions changed.

    Raises LookupError where there is no such function, or none of its arguments can be lost.
    """
    tree = ast.parse(source, file)
    for change in changes:
        found = _function(tree, change["function"])
        has_text = ast.get_docstring(found, clean=False) is not None
        at = 1 if has_text and len(found.body) > 1 else 0
        [new] = ast.parse(_statement(change, found)).body
        for node in ast.walk(new):
            ast.copy_location(node, found.body[at])
        found.body.insert(at, new)
    return compile(tree, file, "exec", dont_inherit=True)


def _function(tree: ast.Module, called: str) -> ast.FunctionDef:
    here: ast.Module | ast.ClassDef | ast.FunctionDef = tree
    for name in _NAME.findall(called):
        kinds = (ast.ClassDef, ast.FunctionDef)
        found = [one for one in ast.walk(here) if isinstance(one, kinds) and one.name == name]
        direct = [one for one in found if one in here.body]
        if not found:
            raise LookupError(f"there is no `{called}`")
        here = (direct or found)[-1]
    if not isinstance(here, ast.FunctionDef):
        raise LookupError(f"`{called}` is a class")  # noqa: TRY004  # the caller asks for a name
    return here


def _statement(change: Change, function: ast.FunctionDef) -> str:
    match change["kind"]:
        case "raises":
            module, _, name = change["exception"].rpartition(".")
            kind = f"__import__('importlib').import_module({module!r}).{name}" if module else name
            return f"raise {kind}({SAYS!r})"
        case "returns-nothing":
            return "return None"
        case "loses-argument":
            given = [one.arg for one in [*function.args.posonlyargs, *function.args.args]]
            own = [name for name in given if name not in _OF_ALL]
            if not own:
                raise LookupError(f"`{function.name}` has no argument of its own")
            return f"{own[0]} = None"
        case kind:
            raise LookupError(f"there is no kind `{kind}`")


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module with changes; what Python has compiled of it before does not count."""

    def __init__(self, name: str, file: str, changes: Sequence[Change]) -> None:
        """Take the module's name, its file, and its changes."""
        super().__init__(name, file)
        self.changes = changes

    def get_code(self, fullname: str) -> CodeType:  # type: ignore[explicit-override]
        """Return the changed code."""
        file = self.get_filename(fullname)
        return changed(self.get_data(file), file, self.changes)

    def exec_module(self, module: ModuleType) -> None:  # type: ignore[explicit-override]
        """Run it, and note that this has been done."""
        super().exec_module(module)
        for change in self.changes:
            note(change["key"])


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules to change, where Python finds them by itself."""

    def __init__(self, changes: Sequence[Change]) -> None:
        """Take all changes."""
        self.changes = changes

    def find_spec(  # type: ignore[explicit-override]
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where a module is, if it is one to change; None for all others."""
        mine = [one for one in self.changes if one["module"] == fullname]
        if not mine:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            return None
        return importlib.util.spec_from_file_location(
            fullname,
            spec.origin,
            loader=Loader(fullname, spec.origin, mine),
            submodule_search_locations=spec.submodule_search_locations,
        )


def note(key: str) -> None:
    """Note that a process of this unit has loaded the change."""
    folder = os.path.join(os.path.dirname(__file__), LOADED)  # noqa: PTH118, PTH120  # few imports
    try:
        os.close(os.open(f"{folder}/{key}.{os.environ.get(UNIT, '')}", os.O_CREAT | os.O_WRONLY))
    except OSError:
        return  # a process without the right to say so is changed all the same


def read_changes(folder: str) -> list[Change]:
    """Return the changes that lie in a folder."""
    found = []
    for name in sorted(os.listdir(folder)):  # noqa: PTH208  # as above
        if name.endswith(".json"):
            with open(f"{folder}/{name}", encoding="utf-8") as file:  # noqa: PTH123  # as above
                found.append({**json.load(file), "key": name.removesuffix(".json")})
    return found


def check(change: Change) -> None:
    """Raise LookupError unless the module is here, and the change fits its source."""
    file: str | None = None
    path: list[str] | None = None
    name = ""
    # Step by step: to ask for a module by its whole name would run the packages around it.
    for part in _NAME.findall(change["module"]):
        name = f"{name}.{part}" if name else part
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.origin is None:
            raise LookupError(f"there is no module `{name}` here")
        file, path = spec.origin, list(spec.submodule_search_locations or ())
    with open(str(file), "rb") as source:  # noqa: PTH123  # as above
        changed(source.read(), str(file), [change])


if __name__ == "sitecustomize":
    sys.meta_path.insert(0, Finder(read_changes(os.path.dirname(__file__))))  # noqa: PTH120
elif __name__ == "__main__":
    try:
        check(json.loads(sys.argv[1]))
    except LookupError as missing:
        sys.exit(str(missing.args[0]))
