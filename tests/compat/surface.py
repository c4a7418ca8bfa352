"""What the public modules of the library that this Python has look like: a fact for each name.

    python -m tests.compat.surface > tests/compat/surface.json

recorded aiomysql 0.3.2's, with SQLAlchemy beside it: kinds, signatures and defaults, modules,
bases, what is a coroutine function, what can be assigned. No text of it.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from typing import Any

MODULES = (
    "aiomysql",
    "aiomysql.connection",
    "aiomysql.cursors",
    "aiomysql.pool",
    "aiomysql.utils",
    "aiomysql.log",
    "aiomysql.sa",
    "aiomysql.sa.connection",
    "aiomysql.sa.engine",
    "aiomysql.sa.exc",
    "aiomysql.sa.result",
    "aiomysql.sa.transaction",
)

#: Dunders that are part of how objects behave.
DUNDERS = [
    "__aenter__",
    "__aexit__",
    "__aiter__",
    "__anext__",
    "__await__",
    "__enter__",
    "__exit__",
    "__iter__",
    "__next__",
    "__init__",
    "__del__",
    "__call__",
    "__getattr__",
    "__getitem__",
    "__len__",
    "__contains__",
]


def record() -> dict[str, str]:
    """The facts of every name."""
    facts = {}
    for module in MODULES:
        for name in vars(importlib.import_module(module)):
            if not _belongs(module, name):
                continue
            path = f"{module}.{name}"
            facts[path] = describe(path)
            value = find(path)
            if inspect.isclass(value) and value.__module__ == module:
                facts.update(_members(value))
    return dict(sorted(facts.items()))


def _members(kind: type) -> dict[str, str]:
    paths = []
    for name in vars(kind):
        if not name.startswith("__") or name in DUNDERS:
            paths.append(f"{kind.__module__}.{kind.__name__}.{name}")
    return {path: describe(path) for path in paths}


def _belongs(module: str, name: str) -> bool:
    """Whether a name is the library's, rather than one that a module imports for its own use."""
    namespace = vars(sys.modules[module])
    if name in namespace.get("__all__", ()) or name == "__all__":
        return True
    value = namespace[name]
    if name.startswith("__") or inspect.ismodule(value):
        return False
    if not inspect.isclass(value) and not inspect.isroutine(value):
        # A constant. The logger is at home in one module, and imported by others.
        return not name.startswith("_") and (name != "logger" or module == "aiomysql.log")
    return str(value.__module__).startswith("aiomysql")


def find(path: str) -> Any:
    """What a dotted path leads to; raises AttributeError or ImportError."""
    module = max((name for name in MODULES if f"{path}.".startswith(f"{name}.")), key=len)
    value: Any = importlib.import_module(module)
    for name in path[len(module) :].strip(".").split("."):
        value = getattr(value, name)
    return value


def describe(path: str) -> str:
    """The fact about one name."""
    value = find(path)
    owner, _, name = path.rpartition(".")
    if name == "__all__":
        return " ".join(sorted(value))
    if owner not in MODULES:
        raw = inspect.getattr_static(find(owner), name)
        if isinstance(raw, property):
            return "property, assignable" if raw.fset else "property"
        if inspect.isgetsetdescriptor(raw) or inspect.ismemberdescriptor(raw):
            return "property"
    if inspect.isclass(value):
        return _class(value, path)
    if callable(value) and (inspect.isroutine(value) or inspect.isfunction(value)):
        return _function(value, owner in MODULES)
    return f"a {type(value).__name__}"


def _class(kind: type, path: str) -> str:
    home = f"{kind.__module__}.{kind.__qualname__}"
    if home != path:
        return f"class {home}"
    bases = [
        base.__name__
        for base in kind.__mro__[1:-1]
        if base.__module__ not in ("aiomysql._native", "typing")
    ]
    return f"class {home}({', '.join(bases)})"


def _function(function: Any, with_module: bool) -> str:
    kind = "function"
    if inspect.iscoroutinefunction(function):
        kind = "coroutine function"
    elif inspect.isasyncgenfunction(function):
        kind = "asynchronous generator function"
    try:
        parameters = inspect.signature(function).parameters.values()
        # A native method takes its self by position alone; nobody gives it by name.
        signature = ", ".join(map(_parameter, parameters)).replace("self by position", "self", 1)
    except (TypeError, ValueError):
        signature = "?"
    return f"{kind} {function.__module__ if with_module else ''}({signature})"


def _parameter(parameter: inspect.Parameter) -> str:
    star = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
    note = {"POSITIONAL_ONLY": " by position", "KEYWORD_ONLY": " by name"}
    text = star + parameter.name + note.get(parameter.kind.name, "")
    default = parameter.default
    if default is inspect.Parameter.empty:
        return text
    if isinstance(default, dict):
        return f"{text}={{…}}"
    return f"{text}={re.sub(r' at 0x[0-9a-f]+', '', repr(default))}"


if __name__ == "__main__":
    json.dump(record(), sys.stdout, indent=0, ensure_ascii=False)
    sys.stdout.write("\n")
