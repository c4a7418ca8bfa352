"""What the library takes before it does anything: memory of an idle connection, time to import,
connections opened in a second.

Needs AIOMYSQL_TEST_MARIADB (`make bench ARGS=footprint` starts a throw-away server).
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benches.python import held, imports, report
from benches.python.crew import Crew
from benches.python.imports import Import
from benches.python.results import Result, Setting, median_and_spread, save_json
from benches.python.run import FAIR, about, fill, measure
from tests.servers import Address, from_environment
from tools import environment

MEASURED = ("ours", "asyncmy", "reference")


def main() -> int:
    given = _arguments()
    address = from_environment("mariadb")
    if address is None:
        raise SystemExit("AIOMYSQL_TEST_MARIADB must name a server")
    chosen = tuple(given.driver or MEASURED)
    fill(address)
    pythons = {"ours": given.ours, "asyncmy": given.ours, "reference": given.reference}
    pythons = {driver: pythons[driver] for driver in chosen}
    memory = held.measure(pythons, given.rounds, given.connections)
    imported = imports.measure(pythons, given.imports)
    connects = _connects(address, chosen, given)
    facts = {**about(), **FAIR}
    text = _markdown(memory, imported, connects, facts, given)
    print(text)
    folder: Path = given.output
    content = {
        "about": facts,
        "memory": memory,
        "imports": [{**asdict(each), **figures} for each, figures in imported.items()],
        "connects": [asdict(each) for each in connects],
    }
    save_json(folder / "footprint.json", content)
    (folder / "footprint.md").write_text(text)
    print(f"written to {folder}/footprint.json and .md", file=sys.stderr)
    return 0


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
    imported: dict[Import, dict[str, list[float]]],
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
    for each, figures in imported.items():
        if not each.floor:
            # asyncmy's interpreter is ours.
            home = "reference" if each.driver == "reference" else "ours"
            floor = next(
                figure for of, figure in imported.items() if of.floor and of.driver == home
            )
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
    parser.add_argument("--reference", default=str(environment.reference_python()))
    parser.add_argument("--driver", action="append", choices=MEASURED, help="repeatable (all)")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
