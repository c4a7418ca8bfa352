"""A process that measures on demand: a JSON request on each line of stdin, an answer on stdout."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

from benches.python import drivers
from benches.python.clock import Clock
from benches.python.workloads import Workload


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = _answer(request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    if "version" in request:
        return {"version": drivers.version(request["version"])}
    if request.get("core") is not None:
        os.sched_setaffinity(0, {request["core"]})
    gc.collect()
    before: list[int] = []

    def prepare() -> None:
        # 5 sets the high-water mark back to what is resident now.
        Path("/proc/self/clear_refs").write_text("5")
        before.append(_kilobytes("VmRSS"))

    clock = _measure(request, prepare)
    peak = _kilobytes("VmHWM") - before[0]
    return {"wall": clock.wall, "cpu": clock.cpu, "peak_kb": peak}


def _measure(request: dict[str, Any], prepare: Any) -> Clock:
    driver, work = request["driver"], Workload.of(request["workload"])
    if driver == "mysqlclient":
        return drivers.measure_mysqlclient(work, request["connect"], prepare)
    loop = _new_event_loop(request["loop"])
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(
            drivers.measure(driver, work, request["connect"], prepare),
        )
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _new_event_loop(kind: str) -> asyncio.AbstractEventLoop:
    if kind == "uvloop":
        import uvloop

        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop
    return asyncio.new_event_loop()


def _kilobytes(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    main()
