"""System calls for each point query, and whether any thread but the loop's own wakes up for it.

python -m benches.python.syscalls --driver ours   (needs AIOMYSQL_TEST_MARIADB, and strace)
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benches.python import drivers, run
from benches.python.workloads import WORKLOADS
from tests.servers import from_environment

QUERIES = 1000


def main() -> int:
    given = _arguments()
    address = from_environment("mariadb")
    if address is None:
        raise SystemExit("AIOMYSQL_TEST_MARIADB must name a server")
    kwargs = address.connect_kwargs(unix_socket=address.socket is not None)
    if given.count is not None:
        print(json.dumps(asyncio.run(_switches(given.driver, kwargs, given.count))))
        return 0
    run.fill(address)
    command = [given.python, "-m", "benches.python.syscalls", "--driver", given.driver, "--count"]
    _report_switches(command)
    if shutil.which("strace") is None:
        print("left out: system calls: there is no strace here", file=sys.stderr)
        return 1
    _report_calls(command)
    return 0


def _report_switches(command: list[str]) -> None:
    done = subprocess.run([*command, str(QUERIES)], stdout=subprocess.PIPE, check=True)
    switches = json.loads(done.stdout)
    print(f"{QUERIES} point queries; voluntary context switches by thread:")
    for name, number in switches.items():
        print(f"  {name:<24} {number:>6}")


def _report_calls(command: list[str]) -> None:
    # Connecting, importing and closing are in both counts and fall out of the difference.
    few, many = (_strace([*command, str(n)]) for n in (QUERIES, 2 * QUERIES))
    print("system calls for each query:")
    total = 0.0
    for name in sorted(many, key=lambda each: few.get(each, 0) - many[each]):
        calls = (many[name] - few.get(name, 0)) / QUERIES
        if abs(calls) >= 0.01:
            print(f"  {name:<24} {calls:>6.2f}")
            total += calls
    print(f"  {'in all':<24} {total:>6.2f}")


def _strace(command: list[str]) -> dict[str, int]:
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as report:
        subprocess.run(
            ["strace", "-f", "-c", "-o", report.name, *command],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        # Columns: share, seconds, each, calls, errors (may be blank), name.
        pattern = r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)(?:\s+\d+)?\s+(\w+)$"
        rows = re.findall(pattern, report.read(), re.MULTILINE)
    return {name: int(calls) for calls, name in rows if name != "total"}


async def _switches(driver: str, connect: dict[str, Any], count: int) -> dict[str, int]:
    """Run `count` queries; the voluntary switches of every thread meanwhile, the loop's first."""
    before: dict[str, int] = {}
    work = WORKLOADS["point"]
    async with drivers.opened(driver, work, connect) as queries:
        await queries(100)
        before = _voluntary()
        await queries(count)
        after = _voluntary()
    return {name: number - before.get(name, 0) for name, number in after.items()}


def _voluntary() -> dict[str, int]:
    found: dict[str, int] = {}
    for task in sorted(Path("/proc/self/task").iterdir(), key=lambda path: int(path.name)):
        fields = dict(
            line.split(":", 1) for line in (task / "status").read_text().splitlines() if ":" in line
        )
        name = f"{fields['Name'].strip()} {len(found) or '(the loop)'}"
        found[name] = int(fields["voluntary_ctxt_switches"])
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    asynchronous = [driver for driver in drivers.DRIVERS if driver in drivers.MODULES]
    parser.add_argument("--driver", choices=asynchronous, default="ours")
    parser.add_argument("--python", default=sys.executable, help="the Python that holds the driver")
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
