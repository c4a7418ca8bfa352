"""`make wheels`: a wheel for each CPython that is to be had, and a source distribution.

Each wheel is installed into an empty environment, where examples/tour.py and a part of the suite
run on throw-away servers; `make wheels ARGS=--suite` runs all of it. The files are in dist/.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tarfile
from pathlib import Path

from tests.servers import VENDORS, Fleet, PackagesUnavailable
from tools import environment, pythons
from tools.console import give_up, say
from tools.environment import ROOT, run
from tools.lanes import run_all
from tools.stages import Pytest, Stage

DIST = ROOT / "dist"
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
        try:
            interpreter = pythons.find(version)
        except PackagesUnavailable as error:
            stages.append(Stage(f"CPython {version}", (), missing=str(error)))
            continue
        python = _installed(tools, interpreter, _built(tools, interpreter))
        suite = () if given.suite else _SMOKE
        stages += [
            Stage(f"tour on CPython {version}", (str(python), "examples/tour.py")),
            Pytest(f"suite on CPython {version}", (str(python), "-m", "pytest", "-q", *suite)),
        ]
    environment.reference()
    with Fleet(list(VENDORS)) as fleet:
        if "mariadb" not in fleet.addresses:
            give_up(fleet.missing["mariadb"])
        address = fleet.addresses["mariadb"]
        return run_all(stages, [{**fleet.environment(), **address.example_variables()}])


def _built(tools: Path, interpreter: pythons.Interpreter) -> Path:
    say(f"building the wheel for CPython {interpreter.version} ({interpreter.path})")
    folder = DIST / ".new"
    shutil.rmtree(folder, ignore_errors=True)
    maturin = [str(tools.with_name("maturin")), "build", "--release", "--locked", "--quiet"]
    run([*maturin, "--interpreter", str(interpreter.path), "--out", str(folder)])
    (wheel,) = folder.glob("*.whl")
    kept = wheel.rename(DIST / wheel.name)
    folder.rmdir()
    return kept


def _installed(tools: Path, interpreter: pythons.Interpreter, wheel: Path) -> Path:
    """An empty environment with the wheel in it; what the tests need comes after it."""
    venv = ROOT / ".cache" / "wheels" / interpreter.version
    shutil.rmtree(venv, ignore_errors=True)
    run([str(interpreter.path), "-m", "venv", "--without-pip", str(venv)])
    python = environment.python_of(venv)
    pip = [str(tools), "-m", "pip", "--python", str(python), "install", "--quiet"]
    pip.append("--disable-pip-version-check")
    run([*pip, str(wheel)])
    run([str(python), "-c", "import aiomysql; aiomysql.connect"], PYTHONPATH="")
    run([*pip, "--requirement", str(environment.REQUIREMENTS / "dev.txt")])
    return python


def _source_distribution(tools: Path) -> Stage:
    say("making the source distribution")
    run([str(tools.with_name("maturin")), "sdist", "--quiet", "--out", str(DIST)])
    (archive,) = DIST.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    if missing := {"Cargo.lock", "src/lib.rs", "LICENSE", "python/aiomysql/py.typed"} - names:
        give_up(f"{archive.name} lacks {', '.join(sorted(missing))}")
    # Into the same target folder: what was compiled already is not compiled again.
    command = (str(tools), "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir")
    where = str(ROOT / ".cache" / "wheels" / "from-source")
    variables = {"CARGO_TARGET_DIR": os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))}
    return Stage("wheel from the sdist", (*command, where, str(archive)), variables)


if __name__ == "__main__":
    raise SystemExit(main())
