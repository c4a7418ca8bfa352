"""What a busy connection leaves to the rest of the loop.

While rows arrive, or 50 connections ask as fast as they can, a timer wants to be called each
millisecond, and a second connection asks for one row after another. Measured is how late the timer
is, and how long each of those queries takes. Needs AIOMYSQL_TEST_MARIADB (`make bench
ARGS=fairness` starts a throw-away server).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benches.python import drivers, report
from benches.python.results import percentile, save_json
from benches.python.run import about, fill
from benches.python.workloads import POINT, WORKLOADS
from tests.servers import from_environment

TICK = 0.001
# What keeps the loop busy; None: nothing does, which shows what timer and query take by themselves.
LOADS = {
    "nothing else": None,
    "100,000 rows, buffered": WORKLOADS["rows_tuples"],
    "100,000 rows as dicts, buffered": WORKLOADS["rows_dicts"],
    "100,000 rows, streamed": WORKLOADS["stream"],
    "50 connections, a row each": WORKLOADS["pool_50_point"],
}


@dataclass(frozen=True)
class Delays:
    """Of one round, in milliseconds."""

    p50: float
    p99: float
    longest: float

    @classmethod
    def of(cls, seconds: list[float]) -> Delays:
        p50, p99, longest = (percentile(seconds, share) * 1e3 for share in (0.5, 0.99, 1))
        return cls(p50, p99, longest)


@dataclass(frozen=True)
class Round:
    timer: Delays
    query: Delays


def main() -> int:
    given = _arguments()
    address = from_environment("mariadb")
    if address is None:
        raise SystemExit("AIOMYSQL_TEST_MARIADB must name a server")
    fill(address)
    kwargs = address.connect_kwargs(unix_socket=True)
    chosen = given.driver or ["ours", "asyncmy"]
    found: dict[str, dict[str, list[Round]]] = {}
    for load in LOADS:
        found[load] = {driver: [] for driver in chosen}
        for number in range(given.rounds):
            for driver in chosen if number % 2 else reversed(chosen):
                measured = asyncio.run(_round(driver, load, kwargs, given.seconds))
                found[load][driver].append(measured)
    facts = {**about(), "rounds": f"{given.rounds} of {given.seconds:g} s"}
    text = _markdown(found, facts)
    print(text)
    folder: Path = given.output
    results = [
        {"load": load, "driver": driver, "rounds": [asdict(each) for each in rounds]}
        for load, by_driver in found.items()
        for driver, rounds in by_driver.items()
    ]
    save_json(folder / "fairness.json", {"about": facts, "results": results})
    (folder / "fairness.md").write_text(text)
    print(f"written to {folder}/fairness.json and .md", file=sys.stderr)
    return 0


async def _round(driver: str, load: str, kwargs: dict[str, Any], seconds: float) -> Round:
    late: list[float] = []
    took: list[float] = []
    async with contextlib.AsyncExitStack() as stack:
        probe = await stack.enter_async_context(_probe(driver, kwargs))
        run: Callable[[int], Awaitable[Any]] = _idle
        count = 1
        if (work := LOADS[load]) is not None:
            run = await stack.enter_async_context(drivers.opened(driver, work, kwargs))
            count = work.count
        # What is made once (plans, caches, the heap) is made now.
        await run(count)
        ends = time.perf_counter() + seconds
        await asyncio.gather(_busy(run, count, ends), _tick(late, ends), _ask(probe, took, ends))
    return Round(Delays.of(late), Delays.of(took))


@contextlib.asynccontextmanager
async def _probe(driver: str, kwargs: dict[str, Any]) -> Any:
    """A cursor of a connection of its own."""
    module = importlib.import_module(drivers.MODULES[driver])
    connection = await module.connect(**drivers.SETTINGS, **kwargs)
    try:
        async with connection.cursor() as cursor:
            yield cursor
    finally:
        await connection.ensure_closed()


async def _idle(_: int) -> None:
    await asyncio.sleep(0.05)


async def _busy(run: Callable[[int], Awaitable[Any]], count: int, ends: float) -> None:
    while time.perf_counter() < ends:
        await run(count)


async def _tick(late: list[float], ends: float) -> None:
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def tick(due: float) -> None:
        now = time.perf_counter()
        late.append(now - due)
        if now < ends:
            loop.call_later(TICK, tick, now + TICK)
        else:
            done.set_result(None)

    loop.call_later(TICK, tick, time.perf_counter() + TICK)
    await done


async def _ask(cursor: Any, took: list[float], ends: float) -> None:
    began = time.perf_counter()
    while began < ends:
        await cursor.execute(POINT, (42,))
        await cursor.fetchone()
        now = time.perf_counter()
        took.append(now - began)
        # As a task that has something else to do: the probe itself is no load.
        await asyncio.sleep(TICK)
        began = time.perf_counter()


def _markdown(found: dict[str, dict[str, list[Round]]], facts: dict[str, str]) -> str:
    lines = [
        "# What a busy connection leaves to the rest of the loop",
        "",
        "Written by `make bench ARGS=fairness`: on MariaDB, over a unix socket, with asyncio. A",
        "timer asks to be called each millisecond: how late is it? A second connection asks for a",
        "row by primary key, again and again: how long does it wait? Medians of the rounds, in",
        "milliseconds. asyncio itself waits in whole milliseconds, so the timer is late by half of",
        "one where nothing goes on.",
        "",
        *(f"{name}: {value}  " for name, value in facts.items()),
        "",
        "| what goes on beside | driver "
        "| timer late, p50 | p99 | most | query takes, p50 | p99 | most |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for load, by_driver in found.items():
        for driver, rounds in by_driver.items():
            cells = [
                f"{statistics.median(getattr(delays, name) for delays in each):.2f}"
                for each in ([r.timer for r in rounds], [r.query for r in rounds])
                for name in ("p50", "p99", "longest")
            ]
            lines.append(f"| {load} | {report.NAMES[driver]} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=fairness", description=__doc__)
    parser.add_argument(
        "--driver", action="append", choices=("ours", "asyncmy"), help="repeatable (both)"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each round")
    parser.add_argument("--output", type=Path, default=Path("docs/performance"))
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
