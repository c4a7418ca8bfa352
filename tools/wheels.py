"""`make wheels`: a wheel for each CPython that is to be had, and a source distribution.

Each is installed into an empty environment, where examples/tour.py runs on throw-away servers; a
wheel also runs a part of the suite. `make wheels ARGS=--suite` runs all of it, on the drivers and
loops of `make test`, and `ARGS="--only 3.9"` takes one version. The files are in dist/.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tarfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from tests.servers import VENDORS, Fleet, PackagesUnavailable
from tools import environment, pythons, suite
from tools.console import give_up, say
from tools.environment import ROOT, run
from tools.lanes import run_all
from tools.stages import Pytest, Stage

DIST = ROOT / "dist"
# What a build from the archive would do without in silence, or not at all.
_IN_THE_ARCHIVE = {"Cargo.lock", "LICENSE", "build.rs", "python/aiomysql/py.typed", "src/lib.rs"}
# What shows that a wheel works at all.
_SMOKE = ("tests/guide", "tests/integration")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make wheels", description=__doc__)
    parser.add_argument("--suite", action="store_true", help="run the whole suite on each")
    parser.add_argument("--only", action="append", choices=pythons.VERSIONS, help="repeatable")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tools = environment.library()
    shutil.rmtree(DIST, ignore_errors=True)
    stages = [] if given.only else [_source_distribution(tools)]
    for version in given.only or pythons.VERSIONS:
        stages += [replace(each, group=f"CPython {version}") for each in _version(version, given)]
    with ExitStack() as running:
        fleets = [running.enter_context(Fleet(list(VENDORS))) for _ in range(suite.lanes())]
        stages = [*suite.missing_servers(fleets[0]), *stages]
        return run_all(stages, [_variables(fleet) for fleet in fleets])


def _variables(fleet: Fleet) -> dict[str, str]:
    """The servers, as the suite and as the tour find them."""
    if "mariadb" not in fleet.addresses:
        give_up(fleet.missing["mariadb"])
    return {**fleet.environment(), **fleet.addresses["mariadb"].example_variables()}


def _version(version: str, given: argparse.Namespace) -> list[Stage]:
    """Builds and installs the wheel; what is to be run with it."""
    try:
        interpreter = pythons.find(version)
    except PackagesUnavailable as error:
        return [Stage("wheel", (), missing=str(error))]
    python = _installed(interpreter.path, _built(interpreter), version)
    run([*environment.pip(python), "--requirement", str(environment.REQUIREMENTS / "dev.txt")])
    if given.suite:
        numbers = tuple(map(int, version.split(".")))
        environment.reference(str(interpreter.path), numbers)
        return [_tour(python), *suite.stages(python, numbers)]
    smoke = Pytest(f"pytest {' '.join(_SMOKE)}", (str(python), "-m", "pytest", "-q", *_SMOKE))
    return [_tour(python), smoke]


def _tour(python: Path) -> Stage:
    return Stage("tour", (str(python), "examples/tour.py"))


def _built(interpreter: pythons.Interpreter) -> Path:
    say(f"building the wheel for CPython {interpreter.version} ({interpreter.path})")
    folder = DIST / ".new"
    shutil.rmtree(folder, ignore_errors=True)
    release = ("build", "--release", "--locked", "--quiet")
    _maturin(*release, "--interpreter", str(interpreter.path), "--out", str(folder))
    (wheel,) = folder.glob("*.whl")
    kept = wheel.rename(DIST / wheel.name)
    folder.rmdir()
    return kept


def _source_distribution(tools: Path) -> Stage:
    """Makes it, and installs it as pip does: built by itself, with the lock file that it brings."""
    say("making the source distribution")
    _maturin("sdist", "--out", str(DIST))
    (archive,) = DIST.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    if missing := _IN_THE_ARCHIVE - names:
        give_up(f"{archive.name} lacks {', '.join(sorted(missing))}")
    say(f"building and installing {archive.name}")
    # Into the same target folder: what was compiled already is not compiled again.
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
    python = _installed(tools, archive, "sdist", CARGO_TARGET_DIR=target)
    return replace(_tour(python), group="source distribution")


def _maturin(*arguments: str) -> None:
    run([str(environment.VENV / "bin" / "maturin"), *arguments])


def _installed(interpreter: Path, archive: Path, name: str, **variables: str) -> Path:
    """An empty environment with the wheel or source distribution in it; returns its Python."""
    venv = ROOT / ".cache" / "wheels" / name
    shutil.rmtree(venv, ignore_errors=True)
    run([str(interpreter), "-m", "venv", "--without-pip", str(venv)])
    python = environment.python_of(venv)
    run([*environment.pip(python), str(archive)], **variables)
    run([str(python), "-c", "import aiomysql; aiomysql.connect"], PYTHONPATH="")
    return python


if __name__ == "__main__":
    raise SystemExit(main())
