"""What the library takes before it does anything: memory of an idle connection, time to import,
connections opened in a second.

Needs AIOMYSQL_TEST_MARIADB (`make bench ARGS=footprint` starts a throw-away server).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benches.python import drivers, report
from benches.python.crew import Crew
from benches.python.results import Result, Setting, median_and_spread, save_json
from benches.python.run import FAIR, about, fill, measure
from benches.python.workloads import POINT
from tests.servers import Address, from_environment

MEASURED = ("ours", "asyncmy", "reference")
# In KiB, as /proc/self/smaps_rollup names them.
_MEMORY = ("Rss", "Pss")


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


def main() -> int:
    given = _arguments()
    address = from_environment("mariadb")
    if address is None:
        raise SystemExit("AIOMYSQL_TEST_MARIADB must name a server")
    if given.hold:
        asyncio.run(_hold(given.hold, address, given.connections))
        return 0
    chosen = tuple(given.driver or MEASURED)
    fill(address)
    pythons = {"ours": given.ours, "asyncmy": given.ours, "reference": given.reference}
    pythons = {driver: pythons[driver] for driver in chosen}
    memory = _memory(pythons, given)
    imports = _imports(pythons, given.imports)
    connects = _connects(address, chosen, given)
    facts = {**about(), **FAIR}
    text = _markdown(memory, imports, connects, facts, given)
    print(text)
    folder: Path = given.output
    content = {
        "about": facts,
        "memory": memory,
        "imports": [{**asdict(each), **figures} for each, figures in imports.items()],
        "connects": [asdict(each) for each in connects],
    }
    save_json(folder / "footprint.json", content)
    (folder / "footprint.md").write_text(text)
    print(f"written to {folder}/footprint.json and .md", file=sys.stderr)
    return 0


def _memory(pythons: dict[str, str], given: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """Of each driver, rounds in processes of their own, as an application would run."""
    found: dict[str, list[dict[str, Any]]] = {driver: [] for driver in pythons}
    for _ in range(given.rounds):
        for driver, rounds in found.items():
            command = [pythons[driver], "-m", "benches.python.footprint", "--hold", driver]
            command += ["--connections", str(given.connections)]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            rounds.append(json.loads(done.stdout))
    return found


async def _hold(driver: str, address: Address, count: int) -> None:
    """Open so many connections; print what each of them added, and what a query of each did."""
    module = importlib.import_module(drivers.MODULES[driver])
    kwargs = {**drivers.SETTINGS, **address.connect_kwargs(unix_socket=True)}
    # What the first ones bring is the library's, not theirs.
    held = [await module.connect(**kwargs) for _ in range(2)]
    before = _resident()
    held += [await module.connect(**kwargs) for _ in range(count)]
    idle = _resident()
    for connection in held:
        async with connection.cursor() as cursor:
            await cursor.execute(POINT, (42,))
            await cursor.fetchone()
    used = _resident()
    each = {
        "idle": {name: (idle[name] - before[name]) / count for name in _MEMORY},
        "used": {name: (used[name] - before[name]) / count for name in _MEMORY},
    }
    print(json.dumps(each))
    for connection in held:
        await connection.ensure_closed()


def _resident() -> dict[str, int]:
    gc.collect()
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    found = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return {name: found[name] for name in _MEMORY}


def _imports(pythons: dict[str, str], rounds: int) -> dict[Import, dict[str, list[float]]]:
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


def _connects(address: Address, chosen: tuple[str, ...], given: argparse.Namespace) -> list[Result]:
    crew = Crew(given.ours, given.reference)
    crew.hire(chosen)
    results: list[Result] = []
    for transport in ("unix", "tcp"):
        setting = Setting("connect", "mariadb", transport, "asyncio")
        kwargs = address.connect_kwargs(unix_socket=transport == "unix")
        connect = dict.fromkeys(crew.versions, kwargs)
        results += measure(crew, tuple(connect), setting, connect, given.connects)
    crew.dismiss()
    return results


def _markdown(
    memory: dict[str, list[dict[str, Any]]],
    imports: dict[Import, dict[str, list[float]]],
    connects: list[Result],
    facts: dict[str, str],
    given: argparse.Namespace,
) -> str:
    lines = [
        "# What it takes before it does anything",
        "",
        "Written by `make bench ARGS=footprint`: on MariaDB. Medians ± half the distance between",
        "the quartiles.",
        "",
        *(f"{name}: {value}  " for name, value in facts.items()),
        "",
        "## Memory of a connection",
        "",
        f"What each of {given.connections} connections over a unix socket adds to a fresh process,",
        "KiB; idle: opened only; used: after a query for one row.",
        "",
        "| driver | idle, PSS | idle, RSS | used, PSS |",
        "|---|---:|---:|---:|",
    ]
    for driver, rounds in memory.items():
        cells = [
            f"{statistics.median(each[state][name] for each in rounds):.1f}"
            for state, name in (("idle", "Pss"), ("idle", "Rss"), ("used", "Pss"))
        ]
        lines.append(f"| {report.NAMES[driver]} | {' | '.join(cells)} |")
    lines += [
        "",
        "## Import",
        "",
        "An interpreter that imports the library and ends, less one that does nothing, ms. All",
        "three import `cryptography` where it is installed (as PyMySQL does), which is most of it.",
        "",
        "| driver | CPU | wall | the interpreter alone, CPU | wall |",
        "|---|---:|---:|---:|---:|",
    ]
    for each, figures in imports.items():
        if not each.floor:
            # asyncmy's interpreter is ours.
            home = "reference" if each.driver == "reference" else "ours"
            floor = next(figure for of, figure in imports.items() if of.floor and of.driver == home)
            own = [_less(figures[name], floor[name]) for name in ("cpu", "wall")]
            alone = [report.figure(tuple(floor[name])) for name in ("cpu", "wall")]
            lines.append(f"| {report.NAMES[each.driver]} | {' | '.join([*own, *alone])} |")
    lines += [
        "",
        "## Connecting",
        "",
        "Connections opened and closed, one after another.",
        "",
        "| over | driver | CPU, µs | wall, µs | in a second |",
        "|---|---|---:|---:|---:|",
    ]
    for result in connects:
        rate = 1e6 / median_and_spread(result.wall)[0]
        figures_of = f"{report.figure(result.cpu)} | {report.figure(result.wall)} | {rate:,.0f}"
        lines.append(
            f"| {result.setting.transport} | {report.NAMES[result.driver]} | {figures_of} |"
        )
    return "\n".join(lines) + "\n"


def _less(figures: list[float], floor: list[float]) -> str:
    """The median of the rounds' own differences."""
    return report.figure(tuple(each - least for each, least in zip(figures, floor)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=footprint", description=__doc__)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5, help="of memory")
    parser.add_argument("--imports", type=int, default=31, help="rounds of importing")
    parser.add_argument("--connects", type=int, default=15, help="rounds of connecting")
    parser.add_argument("--output", type=Path, default=Path("docs/performance"))
    parser.add_argument("--ours", default=sys.executable, help="the Python that holds the library")
    parser.add_argument("--reference", default=".cache/reference/bin/python")
    parser.add_argument("--driver", action="append", choices=MEASURED, help="repeatable (all)")
    parser.add_argument("--hold", choices=MEASURED, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
