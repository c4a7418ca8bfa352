"""Memory of connections: a process opens them, and prints what each of them added, in KiB.

python -m benches.python.held DRIVER COUNT   (needs AIOMYSQL_TEST_MARIADB)
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benches.python import drivers
from benches.python.workloads import POINT
from tests.servers import Address, from_environment

# As /proc/self/smaps_rollup names them.
_MEMORY = ("Rss", "Pss")


def measure(pythons: dict[str, str], rounds: int, count: int) -> dict[str, list[dict[str, Any]]]:
    """Of each driver, rounds in processes of their own, as an application would run."""
    found: dict[str, list[dict[str, Any]]] = {driver: [] for driver in pythons}
    for _ in range(rounds):
        for driver, python in pythons.items():
            command = [python, "-m", "benches.python.held", driver, str(count)]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            found[driver].append(json.loads(done.stdout))
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


if __name__ == "__main__":
    server = from_environment("mariadb")
    assert server is not None
    asyncio.run(_hold(sys.argv[1], server, int(sys.argv[2])))
