"""How long the event loop stands still while 100,000 rows arrive, garbage collection on.

A callback asks to be called in each iteration of the loop; a gap between two of its calls is a
time in which no other task of the application could run. Needs AIOMYSQL_TEST_MARIADB
(`make bench ARGS=stall` starts a throw-away server).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import time
from typing import Any

from benches.python import drivers
from benches.python.results import percentile
from benches.python.run import fill
from benches.python.workloads import WORKLOADS
from tests.servers import from_environment


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench ARGS=stall", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    address = from_environment("mariadb")
    if address is None:
        parser.error("there is no server")
    fill(address)
    kwargs = address.connect_kwargs(unix_socket=True)
    print("| 100,000 rows of 8 | driver | p99 of the gaps, ms | longest gap, ms |")
    print("|---|---|---:|---:|")
    for workload in ("rows_tuples", "rows_dicts", "stream"):
        gaps: dict[str, list[list[float]]] = {"ours": [], "asyncmy": []}
        for _ in range(given.rounds):
            for driver, rounds in gaps.items():
                rounds.append(asyncio.run(_gaps(driver, workload, kwargs)))
        for driver, rounds in gaps.items():
            p99 = statistics.median(percentile(each, 0.99) for each in rounds)
            longest = statistics.median(max(each) for each in rounds)
            print(f"| {workload} | {driver} | {p99 * 1e3:.2f} | {longest * 1e3:.2f} |")
    return 0


async def _gaps(driver: str, workload: str, kwargs: dict[str, Any]) -> list[float]:
    loop = asyncio.get_running_loop()
    gaps: list[float] = []
    last = time.perf_counter()
    ticking = True

    def tick() -> None:
        nonlocal last
        # One that was asked for before is still called; freeing 100,000 rows, 13 ms, lies between.
        if not ticking:
            return
        now = time.perf_counter()
        gaps.append(now - last)
        last = now
        loop.call_soon(tick)

    async with drivers.opened(driver, WORKLOADS[workload], kwargs) as run:
        # What rounds before left behind is no stall of this one; collection itself stays on.
        gc.collect()
        last = time.perf_counter()
        loop.call_soon(tick)
        rows = await run(1)
        ticking = False
        del rows
    return gaps


if __name__ == "__main__":
    raise SystemExit(main())
