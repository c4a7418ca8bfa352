"""What it takes to import a library: interpreters that do nothing else, taking turns."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Import:
    """Statements of one interpreter; `floor` is what it takes to start."""

    driver: str
    statement: str
    floor: bool = False


IMPORTS = (
    Import("ours", "pass", floor=True),
    Import("ours", "import aiomysql"),
    Import("asyncmy", "import asyncmy"),
    Import("reference", "pass", floor=True),
    Import("reference", "import aiomysql"),
)


def measure(pythons: dict[str, str], rounds: int) -> dict[Import, dict[str, list[float]]]:
    """Milliseconds of CPU and wall of an interpreter that does one thing, taking turns."""
    wanted = [each for each in IMPORTS if each.driver in pythons]
    found: dict[Import, dict[str, list[float]]] = {e: {"cpu": [], "wall": []} for e in wanted}
    with tempfile.TemporaryDirectory() as bytecode:
        # A library that lies in a checkout may have none, those that pip installed have.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        # The first round writes it, and reads files that are not in memory yet.
        for number in range(-1, rounds):
            for each in wanted if number % 2 else reversed(wanted):
                cpu, wall = _spawned([pythons[each.driver], "-c", each.statement], environment)
                if number >= 0:
                    found[each]["cpu"].append(cpu * 1e3)
                    found[each]["wall"].append(wall * 1e3)
    return found


def _spawned(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds of CPU and wall of a process."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: status {process.returncode}")
    return usage.ru_utime + usage.ru_stime, wall
