"""`make test`: formatting, lints, types, Rust's tests, then the suite on real servers.

`make test-all` runs the whole suite on every driver and loop; `make lint` what needs no server.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.servers import VENDORS, Fleet, PackagesUnavailable
from tools import environment, libpython, suite
from tools.lanes import run_all
from tools.stages import CargoTest, Stage

_PYTHON_FOLDERS = ("python", "tests", "tools", "benches", "examples")
# Annotated throughout; the tests themselves are not held to it.
_TYPED_FOLDERS = ("python", "tools", "tests/servers", "tests/types", "benches/python")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tools.check", description=__doc__)
    parser.add_argument("--lint", action="store_true", help="only what needs no server")
    parser.add_argument("--all", action="store_true", help="every driver with every loop")
    given = parser.parse_args()
    # SIGTERM unwinds the stack as Ctrl-C does, so that the servers stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    python = environment.library()
    stages = [*_rust_stages(python), *_python_stages(python)]
    if given.lint:
        return run_all(stages, [{}])
    environment.reference()
    with ExitStack() as running:
        fleets = [running.enter_context(Fleet(list(VENDORS))) for _ in range(suite.lanes())]
        tests = suite.stages(python, environment.OWN_VERSION, given.all)
        stages = [*suite.missing_servers(fleets[0]), *tests, *stages]
        return run_all(stages, [fleet.environment() for fleet in fleets])


def _rust_stages(python: Path) -> list[Stage]:
    variables = {"PYO3_PYTHON": str(python)}
    missing = None
    try:
        variables = libpython.environment(python)
    except PackagesUnavailable as error:
        missing = f"cargo test needs libpython: {error}"
    clippy = ("cargo", "clippy", "--locked", "--quiet", "--all-targets", "--", "-D", "warnings")
    return [
        Stage("cargo fmt", ("cargo", "fmt", "--check")),
        Stage("cargo clippy", clippy, variables),
        _licences(),
        Stage("licence notices", (sys.executable, "-m", "tools.notices", "--check")),
        CargoTest("cargo test", ("cargo", "test", "--locked", "--lib"), variables, missing),
        *_valgrind(missing),
    ]


def _valgrind(missing: str | None) -> list[Stage]:
    """Where it is installed: getting it with the symbols that it needs is a matter of root."""
    if shutil.which("valgrind") is None:
        return []
    return [Stage("valgrind", (sys.executable, "-m", "tools.valgrind"), missing=missing)]


def _licences() -> Stage:
    if shutil.which("cargo-deny"):
        return Stage("licences", ("cargo", "deny", "check", "licenses", "bans", "sources"))
    # Building cargo-deny takes many minutes; the script knows the same rules.
    return Stage("licences", (sys.executable, "-m", "tools.licences"))


def _python_stages(python: Path) -> list[Stage]:
    folders = [name for name in _PYTHON_FOLDERS if (environment.ROOT / name).is_dir()]
    typed = [name for name in _TYPED_FOLDERS if (environment.ROOT / name).is_dir()]
    ruff = str(python.with_name("ruff"))
    stubs = environment.ROOT / "python/aiomysql/_native.pyi"
    return [
        Stage("ruff check", (ruff, "check", *folders)),
        Stage("ruff format", (ruff, "format", "--check", *folders)),
        Stage("mypy --strict", (str(python), "-m", "mypy", "--strict", *typed)),
        Stage(
            "stubtest",
            (str(python), "-m", "mypy.stubtest", "aiomysql._native"),
            missing=None if stubs.exists() else "there is no python/aiomysql/_native.pyi",
        ),
        Stage("basedpyright", (str(python), "-m", "tools.typed")),
        Stage(
            "documentation",
            (str(python), "-m", "tools.site"),
            missing="mkdocstrings needs Python 3.10" if sys.version_info < (3, 10) else None,
        ),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
