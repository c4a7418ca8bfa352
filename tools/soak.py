"""`make soak`: the library at work for a long time, and what its processes hold meanwhile.

Each phase is a process of its own (tests/soak/work.py). After its first tenth it may grow by 2 MiB,
and must end with no more descriptors and threads. The figures go to docs/performance/soak.md.
"""

from __future__ import annotations

import argparse
import json
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.servers import Address, Fleet
from tests.servers.process import die_with_parent
from tools import environment
from tools.console import give_up, say

PHASES = {
    "queries": (1_000_000, "queries, a row of six values each, on one connection"),
    "connects": (100_000, "connections over TCP, opened, pinged and closed"),
    "cancels": (10_000, "queries cancelled while the server works, each on a new connection"),
    "pools": (1_000, "pools of 2 to 5 connections, with ten tasks each"),
    "loops": (1_000, "event loops, with a connection each"),
}
MOST_KIB = 2048
REPORT = environment.ROOT / "docs" / "performance" / "soak.md"


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(prog="python3 -m tools.soak", description=__doc__)
    parser.add_argument("--divide", type=int, default=1, help="do a Nth of it, and write no report")
    parser.add_argument("--python", type=Path, help="another Python, with the library in it")
    parser.add_argument("phase", nargs="*", help=f"{', '.join(PHASES)} (default: all)")
    given = parser.parse_args()
    python = given.python or environment.library()
    found = {}
    with Fleet(["mariadb"]) as fleet:
        for reason in fleet.missing.values():
            give_up(reason)
        for name in given.phase or PHASES:
            count = PHASES[name][0] // given.divide
            found[name] = _run(python, name, count, fleet.addresses["mariadb"])
    failed = [name for name, result in found.items() if not result["flat"]]
    if given.divide == 1 and not given.phase:
        REPORT.write_text(_report(found))
    if failed:
        give_up(f"not flat: {', '.join(failed)}")
    return 0


def _run(python: Path, name: str, count: int, server: Address) -> dict[str, Any]:
    done = subprocess.run(
        [str(python), "-m", "tests.soak.work", name, str(count), server.url],
        cwd=environment.ROOT,
        stdout=subprocess.PIPE,
        preexec_fn=die_with_parent,
        check=False,
    )
    if done.returncode:
        give_up(f"{name}: status {done.returncode}")
    result: dict[str, Any] = json.loads(done.stdout)
    kib, descriptors, threads = zip(*result["tenths"])
    result["growth"] = kib[-1] - kib[0]
    result["flat"] = (
        result["growth"] <= MOST_KIB
        and descriptors[-1] <= descriptors[0]
        and threads[-1] <= threads[0]
    )
    verdict = "flat" if result["flat"] else "NOT FLAT"
    say(
        f"{name}: {count} in {result['seconds']:.0f} s; resident KiB after each tenth {kib}; "
        f"descriptors {descriptors[0]} → {descriptors[-1]}; {verdict}"
    )
    return result


def _report(found: dict[str, dict[str, Any]]) -> str:
    lines = [
        "# What a process holds after long work",
        "",
        "Written by `make soak`. Each line is a process of its own, on a throw-away MariaDB;",
        "growth is that of resident memory after the first tenth, of which 2 MiB are allowed.",
        "",
        f"measured: {time.strftime('%Y-%m-%d')}  ",
        f"Python: {platform.python_version()}  ",
        f"machine: {platform.system()} {platform.machine()}  ",
        "",
        "| times | what | seconds | resident MiB, first tenth → last | growth KiB | descriptors |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for name, result in found.items():
        count, what = PHASES[name]
        (first, before, _), (last, after, _) = result["tenths"][0], result["tenths"][-1]
        lines.append(
            f"| {count:,} | {what} | {result['seconds']:.0f} | {first / 1024:.1f} → "
            f"{last / 1024:.1f} | {result['growth']} | {before} → {after} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    raise SystemExit(main())
