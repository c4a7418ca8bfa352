"""The stages in which a Python runs the suite: of `make test`, and of `make wheels` for each."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from tests.servers import VENDORS, Fleet, from_environment
from tools import environment
from tools.environment import Version
from tools.stages import Pytest, Stage

_DRIVERS = ("loop", "fallback")
_LOOPS = ("asyncio", "uvloop")
# About half of the suite's time, in a stage of its own.
_HALF = ("tests/charsets", "tests/connect", "tests/faults", "tests/odd", "tests/pool")
_SQLALCHEMYS = ("1.4", "2.1")


def lanes() -> int:
    """How many stages run beside each other, each on servers of its own; one where they are given.

    Tests wait for half of their time: one more than there are cores, as far as there is work.
    """
    given = any(from_environment(vendor) for vendor in VENDORS)
    return 1 if given else min((os.cpu_count() or 1) + 1, 3)


def missing_servers(fleet: Fleet) -> list[Stage]:
    return [Stage(f"{name} server", (), missing=why) for name, why in fleet.missing.items()]


def stages(python: Path, version: Version, everything: bool = False) -> list[Stage]:
    """All tests on the loop driver with asyncio; on the others the bridge's, or `everything`."""
    made: list[Stage] = []
    pytest = (str(python), "-m", "pytest", "-q")
    for driver, loop in itertools.product(_DRIVERS, _LOOPS):
        if not everything and (driver, loop) == ("fallback", "uvloop"):
            continue
        chosen = {"AIOMYSQL_TEST_DRIVER": driver, "AIOMYSQL_TEST_LOOP": loop}
        on = f"on {driver} + {loop}"
        if everything or (driver, loop) == ("loop", "asyncio"):
            rest = tuple(f"--ignore={folder}" for folder in _HALF)
            made.append(Pytest(f"pytest {' '.join(_HALF)} {on}", (*pytest, *_HALF), chosen))
            made.append(Pytest(f"pytest, the rest, {on}", (*pytest, *rest), chosen))
        else:
            made.append(Pytest(f"pytest -m bridge {on}", (*pytest, "-m", "bridge"), chosen))
    if version >= (3, 12):
        made.append(_eager(pytest))
    made += [_on_pymysql(age, python, version) for age in ("oldest", "newest")]
    made += [_on_sqlalchemy(release, python, version) for release in _SQLALCHEMYS]
    made.append(_third_parties(python, version))
    return made


def _eager(pytest: tuple[str, ...]) -> Stage:
    """The bridge's tests with tasks that take their first step where they are made."""
    name = "pytest -m bridge on loop + asyncio with eager tasks"
    return Pytest(name, (*pytest, "-m", "bridge"), {"AIOMYSQL_TEST_TASKS": "eager"})


def _on_sqlalchemy(release: str, python: Path, version: Version) -> Stage:
    """aiomysql.sa's tests on another SQLAlchemy than the suite's own."""
    name = f"pytest tests/sa on SQLAlchemy {release}"
    if release == "2.1" and version < (3, 11):
        return Pytest(name, (), missing="SQLAlchemy 2.1 needs Python 3.11")
    folder = environment.overlay(f"sqlalchemy-{release}", python, version)
    command = (str(python), "-m", "pytest", "-q", "tests/sa")
    return Pytest(name, command, {"PYTHONPATH": str(folder)})


def _on_pymysql(age: str, python: Path, version: Version) -> Stage:
    """What touches PyMySQL, with the oldest and the newest of them."""
    folder = environment.overlay(f"pymysql-{age}", python, version)
    parts = ("tests/unit", "tests/guide", "tests/integration/test_cursor.py")
    # The suite's observer calls pymysql.connect() as the versions of old want it.
    limits = ["-W", "default::DeprecationWarning", *(f"--server={name}" for name in VENDORS)]
    command = (str(python), "-m", "pytest", "-q", *limits, *parts)
    return Pytest(f"pytest on the {age} PyMySQL", command, {"PYTHONPATH": str(folder)})


def _third_parties(python: Path, version: Version) -> Stage:
    """Packages that applications use the library through; the suite itself skips most of them."""
    folder = environment.overlay("third-parties", python, version)
    parts = ("tests/third_parties", "tests/examples")
    command = (str(python), "-m", "pytest", "-q", *parts)
    return Pytest(f"pytest {' '.join(parts)}", command, {"PYTHONPATH": str(folder)})
