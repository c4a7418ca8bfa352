"""Instructions in user space for each query or row, by whose they are.

They do not depend on how busy the machine is. Counted by valgrind's callgrind in two runs of
different length, so that importing and connecting fall out of the difference. The kernel's share
is not in them. Needs AIOMYSQL_TEST_MARIADB (`make bench ARGS=instructions` starts a server).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benches.python import drivers, run
from benches.python.workloads import MANY, WORKLOADS, Workload
from tests.servers import from_environment

CHOSEN = (
    "select_1",
    "point",
    "pool_50_select_1",
    "pool_50_point",
    "rows_tuples",
    "rows_dicts",
    "stream",
    "stream_dicts",
    "stream_chunks",
    "executemany",
    "connect",
)
ROWS = 100_000

# The first that a function's name or its library's matches; the order decides.
KINDS = (
    ("mysql_async and tokio", r"mysql_async|mysql_common|tokio|\bbytes::|\bmio\b|futures_", ""),
    ("aiomysql (Rust)", r"aiomysql|memchr|itoa|slab", ""),
    ("pyo3", r"pyo3", ""),
    ("Rust: allocator, std", r"", r"_native\."),
    ("asyncmy (Cython)", r"", r"asyncmy"),
    ("decimal, datetime", r"", r"_decimal|_datetime"),
    ("CPython", r"", r"python|_asyncio|select|lib-dynload"),
    ("libc", r"", r""),
)


def main() -> int:
    given = _arguments()
    address = from_environment("mariadb")
    if address is None:
        raise SystemExit("AIOMYSQL_TEST_MARIADB must name a server")
    kwargs = address.connect_kwargs(unix_socket=True)
    if given.count is not None:
        asyncio.run(_work(given.driver, WORKLOADS[given.workload[0]], kwargs, given.count))
        return 0
    if shutil.which("valgrind") is None:
        print("there is no valgrind here", file=sys.stderr)
        return 1
    run.fill(address)
    report = _report(given.workload or list(CHOSEN))
    print(report)
    given.output.write_text(report)
    return 0


def _report(names: list[str]) -> str:
    lines = [__doc__.split("\n\n")[0], ""]
    for name in names:
        work = WORKLOADS[name]
        counts = {driver: _instructions(driver, work) for driver in ("ours", "asyncmy")}
        unit = "row" if work.is_one_statement else "connection" if name == "connect" else "query"
        lines += [
            f"## {work.title}, for each {unit}",
            "",
            "| | ours | asyncmy |",
            "|---|---:|---:|",
        ]
        for kind, _, _ in KINDS:
            row = [counts[driver][kind] for driver in counts]
            if max(row) >= 1:
                lines.append(f"| {kind} | {row[0]:,.0f} | {row[1]:,.0f} |")
        ours, theirs = (sum(count.values()) for count in counts.values())
        lines.append(f"| **in all** | **{ours:,.0f}** | **{theirs:,.0f}** |")
        lines += [f"| ratio | {ours / theirs:.2f} | 1 |", ""]
    return "\n".join(lines)


def _instructions(driver: str, work: Workload) -> Counter[str]:
    """By kind, for each query, or each row of a large result."""
    few, many = (1, 2) if work.is_one_statement else (500, 1500)
    short, long = (_callgrind(driver, work, count) for count in (few, many))
    rows = len(MANY) if work.kind == "many" else ROWS
    each = (many - few) * (rows if work.is_one_statement else 1)
    return Counter({kind: (long[kind] - short[kind]) / each for kind in long})


def _callgrind(driver: str, work: Workload, count: int) -> Counter[str]:
    with tempfile.NamedTemporaryFile("r", suffix=".callgrind") as output:
        command = [sys.executable, "-m", "benches.python.instructions"]
        command += ["--driver", driver, "--workload", work.name, "--count", str(count)]
        subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output.name}", *command],
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONHASHSEED": "0"},
            check=True,
        )
        return _sums(Path(output.name))


def _sums(path: Path) -> Counter[str]:
    """What each kind of function took itself, without those that it called."""
    sums: Counter[str] = Counter()
    names: dict[str, dict[str, str]] = {"ob": {}, "fn": {}}
    library, function = "", ""
    kinds: dict[tuple[str, str], str] = {}
    of_a_call = False
    for line in path.read_text(errors="replace").splitlines():
        if match := re.match(r"c?(ob|fn)=\((\d+)\)(?: (.*))?$", line):
            key, number, name = match.groups()
            if name is not None:
                names[key][number] = name
            if line.startswith("ob="):
                library = names["ob"].get(number, "")
            elif line.startswith("fn="):
                function = names["fn"].get(number, "")
        elif line.startswith("calls="):
            of_a_call = True
        elif line[:1].isdigit() or line[:1] in "+-*":
            # The line after `calls=` says what the called function took.
            if not of_a_call and len(parts := line.split()) == 2:
                where = (library, function)
                if where not in kinds:
                    kinds[where] = _kind(*where)
                sums[kinds[where]] += int(parts[1])
            of_a_call = False
    return sums


def _kind(library: str, function: str) -> str:
    for kind, functions, libraries in KINDS:
        if functions and "_native." not in library:
            continue
        if re.search(functions, function) and re.search(libraries, library):
            return kind
    raise AssertionError("the last kind takes everything")


async def _work(driver: str, work: Workload, kwargs: dict[str, Any], count: int) -> None:
    async with drivers.opened(driver, work, kwargs) as queries:
        if not work.is_one_statement:
            await queries(count)
            return
        for _ in range(count):
            await queries(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=instructions", description=__doc__)
    parser.add_argument("--workload", action="append", choices=WORKLOADS, help="repeatable")
    parser.add_argument("--output", type=Path, default=Path("docs/performance/instructions.md"))
    parser.add_argument("--driver", choices=("ours", "asyncmy"), help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
