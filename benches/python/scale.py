"""Cost as work grows: CPU of each row from 10 rows to 10 million, and of each query from one
connection to 500.

Needs AIOMYSQL_TEST_MARIADB that lets 500 connections in (`make bench ARGS=scale` starts one).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benches.python import curves, report
from benches.python.chart import COLOURS
from benches.python.crew import Crew
from benches.python.drivers import DRIVERS, MODULES
from benches.python.results import Result, Setting, save
from benches.python.run import FAIR, about, fill, measure
from benches.python.workloads import POINT, ROWS, Workload
from tests.servers import from_environment
from tools import environment

# What bench_rows holds; more rows are its product with a table of a few.
STORED = 100_000
# How many rows, or queries, a round takes at least.
ENOUGH = 20_000
QUERIES = 4_000


@dataclass(frozen=True)
class Chart:
    """Curves of one kind in one picture."""

    name: str
    title: str
    x_title: str
    unit: str
    # What is drawn in full, what dashed; what they are called.
    kinds: dict[str, str]


CHARTS = (
    Chart(
        "rows",
        "CPU for each row, by how many rows a query returns",
        "rows of 8 columns",
        "µs of CPU per row",
        {"rows": "buffered", "stream": "streamed"},
    ),
    Chart(
        "connections",
        "CPU for each query, by how many connections of one pool work at once",
        "connections, a task each",
        "µs of CPU per query",
        {"pool": "row by primary key"},
    ),
)


def main() -> int:
    given = _arguments()
    address = from_environment("mariadb")
    if address is None:
        raise SystemExit("AIOMYSQL_TEST_MARIADB must name a server")
    fill(address)
    crew = Crew(given.ours, given.reference)
    chosen = tuple(given.driver or ("ours", "asyncmy"))
    crew.hire(chosen)
    connect = dict.fromkeys(crew.versions, address.connect_kwargs(unix_socket=True))
    began = time.monotonic()
    found: dict[str, list[Result]] = {}
    for kind, size, work in _plan(given.most_rows, given.most_connections):
        setting = Setting(work.name, "mariadb", "unix", given.loop)
        rounds = max(given.rounds // _divisor(kind, size), 1)
        results = measure(crew, tuple(connect), setting, connect, rounds, work=work)
        found[work.name] = results
    crew.dismiss()
    print(f"in all: {time.monotonic() - began:.0f} s", file=sys.stderr)
    _publish(found, given)
    return 0


def _plan(most_rows: int, most_connections: int) -> Iterator[tuple[str, int, Workload]]:
    for size in (10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000):
        count = max(ENOUGH // size, 1)
        for kind, limit in (("rows", 1_000_000), ("stream", 10_000_000)):
            if size <= min(limit, most_rows):
                name = _name(kind, size)
                work = Workload(name, name, kind, _rows(size), count=count, rows=size)
                yield kind, size, work
    for size in (1, 2, 5, 10, 20, 50, 100, 200, 500):
        if size <= most_connections:
            name = _name("pool", size)
            yield (
                "pool",
                size,
                Workload(
                    name,
                    name,
                    "pool",
                    POINT,
                    (42,),
                    count=QUERIES,
                    tasks=size,
                    connections=size,
                ),
            )


def _name(kind: str, size: int) -> str:
    return f"{kind} {size}"


def _rows(size: int) -> str:
    """A SELECT of so many rows, which the server makes as it sends them."""
    if size <= STORED:
        return f"{ROWS} LIMIT {size}"
    return (
        f"SELECT STRAIGHT_JOIN r.* FROM (SELECT id FROM bench_point WHERE id <= {size // STORED}) m"
        " JOIN bench_rows r"
    )


def _divisor(kind: str, size: int) -> int:
    """The largest take seconds each, and their spread is small."""
    return 1 if kind == "pool" or size < 1_000_000 else 2 if size < 10_000_000 else 3


def _publish(found: dict[str, list[Result]], given: argparse.Namespace) -> None:
    facts = {**about(), **FAIR}
    folder: Path = given.output
    everything = [result for results in found.values() for result in results]
    save(folder / "scale.json", everything, facts)
    text = _markdown(found, facts)
    print(text)
    (folder / "scale.md").write_text(text)
    for chart in CHARTS:
        if drawn := list(_curves(chart, everything)):
            picture = curves.svg(chart.title, chart.x_title, chart.unit, drawn)
            (folder / f"scale-{chart.name}.svg").write_text(picture)
    print(f"written to {folder}/scale.json, .md and scale-*.svg", file=sys.stderr)


def _curves(chart: Chart, results: list[Result]) -> Iterator[curves.Curve]:
    for driver in DRIVERS:
        for number, (kind, called) in enumerate(chart.kinds.items()):
            points = [
                _point(size, result.cpu)
                for result in results
                for of, size in (_kind_and_size(result),)
                if result.driver == driver and of == kind
            ]
            if points:
                name = report.NAMES[driver]
                name += f", {called}" if len(chart.kinds) > 1 else ""
                yield curves.Curve(name, COLOURS[driver], points, dashed=number > 0)


def _point(size: int, rounds: tuple[float, ...]) -> curves.Point:
    quartiles = statistics.quantiles(rounds, n=4) if len(rounds) > 2 else sorted(rounds)
    return curves.Point(size, quartiles[0], statistics.median(rounds), quartiles[-1])


def _kind_and_size(result: Result) -> tuple[str, int]:
    kind, _, size = result.setting.workload.partition(" ")
    return kind, int(size)


def _markdown(found: dict[str, list[Result]], facts: dict[str, Any]) -> str:
    lines = [
        "# Cost as work grows",
        "",
        "Written by `make bench ARGS=scale`: on MariaDB, over a unix socket. Medians ± half the",
        "distance between the quartiles; the ratio is the median of the rounds' own. A query's",
        "fixed cost is spread over its rows, so that rows get cheaper until it no longer counts.",
        "",
        *(f"{name}: {value}  " for name, value in facts.items()),
    ]
    for chart in CHARTS:
        lines += ["", f"## {chart.title}", "", f"![{chart.title}](scale-{chart.name}.svg)"]
        for kind, called in chart.kinds.items():
            rows = [results for results in found.values() if _is_of(kind, results)]
            if rows:
                lines += ["", *_table(chart, called, rows)]
    return "\n".join(lines) + "\n"


def _is_of(kind: str, results: list[Result]) -> bool:
    return bool(results) and _kind_and_size(results[0])[0] == kind


def _table(chart: Chart, called: str, rows: list[list[Result]]) -> Iterator[str]:
    drivers = [driver for driver in DRIVERS if any(r.driver == driver for r in rows[0])]
    names = [report.NAMES[driver] for driver in drivers]
    yield f"| {chart.x_title}, {called} | {' | '.join(names)} | ours / asyncmy | rounds |"
    yield "|---:" * (len(drivers) + 3) + "|"
    for results in rows:
        by_driver = {result.driver: result for result in results}
        cells = [
            report.figure(by_driver[driver].cpu) if driver in by_driver else ""
            for driver in drivers
        ]
        ratio = ""
        if "ours" in by_driver and "asyncmy" in by_driver:
            ratio = f"{report.ratio(by_driver['ours'].cpu, by_driver['asyncmy'].cpu):.2f}"
        size = _kind_and_size(results[0])[1]
        yield f"| {size:,} | {' | '.join(cells)} | {ratio} | {len(results[0].cpu)} |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=scale", description=__doc__)
    asynchronous = [driver for driver in DRIVERS if driver in MODULES]
    parser.add_argument(
        "--driver", action="append", choices=asynchronous, help="repeatable (ours and asyncmy)"
    )
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--most-rows", type=int, default=10_000_000)
    parser.add_argument("--most-connections", type=int, default=500)
    parser.add_argument("--output", type=Path, default=Path("docs/performance"))
    parser.add_argument("--ours", default=sys.executable, help="the Python that holds the library")
    parser.add_argument("--reference", default=str(environment.reference_python()))
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
