"""The pinned rig: a replaying server on a core of its own, and then on the client's core.

Against a real server on shared cores, identical clients differ by a quarter; here by a few per
cent. Across cores every answer wakes an idle one, which a virtual machine pays dearly; on one core
nobody sleeps, but each runs on caches that the other has left cold. Needs AIOMYSQL_TEST_MARIADB
with a unix socket, to record from.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benches.python import run
from benches.python.crew import Crew
from benches.python.drivers import DRIVERS
from benches.python.results import Result, Setting
from benches.python.workloads import WORKLOADS
from tests.servers import from_environment
from tests.servers.process import die_with_parent
from tools import environment


def main() -> int:
    given = _arguments()
    address = from_environment("mariadb")
    cores = sorted(os.sched_getaffinity(0))
    if address is None or address.socket is None:
        raise SystemExit("AIOMYSQL_TEST_MARIADB must name a server with its unix socket")
    if len(cores) < 2:
        raise SystemExit("the pinned rig needs two cores")
    run.fill(address)
    crew = Crew(given.ours, given.reference)
    crew.hire(tuple(given.driver or DRIVERS))
    results: list[Result] = []
    for (where, core), loop in itertools.product(_placements(cores).items(), ("asyncio", "uvloop")):
        with contextlib.ExitStack() as servers:
            # Each driver talks to a recording of its own: the flags it sets shape the answers.
            sockets = {
                driver: servers.enter_context(replaying(address.socket, cores[0]))
                for driver in crew.versions
            }
            setting = Setting(given.workload, where, "unix", loop)
            results += _measure(crew, sockets, given, setting, core, address.password)
    crew.dismiss()
    return run.publish(results, given.output, "pinned")


def _placements(cores: list[int]) -> dict[str, int]:
    """The client's core, by the name of the setting; the server has the first."""
    return {"replay on another core": cores[1], "replay on the same core": cores[0]}


def _measure(
    crew: Crew,
    sockets: dict[str, str],
    given: argparse.Namespace,
    setting: Setting,
    core: int,
    password: str,
) -> list[Result]:
    arguments = {
        driver: {"unix_socket": path, "user": "root", "password": password, "db": "test"}
        for driver, path in sockets.items()
    }
    # The first connection is the one that is recorded: not measured.
    run.measure(crew, tuple(sockets), setting, arguments, 1, core)
    return run.measure(crew, tuple(sockets), setting, arguments, given.rounds, core)


@contextlib.contextmanager
def replaying(real: str, core: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="replay-", dir="/tmp") as folder:
        path = f"{folder}/s"
        process = subprocess.Popen(
            [sys.executable, "-m", "benches.python.replay", path, real, str(core)],
            preexec_fn=die_with_parent,
        )
        try:
            while not Path(path).exists():
                if process.poll() is not None:
                    raise SystemExit("the replaying server did not start")
                time.sleep(0.01)
            yield path
        finally:
            process.kill()
            process.wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    sequences = [name for name, work in WORKLOADS.items() if work.kind == "sequence"]
    parser.add_argument("--workload", choices=sequences, default="point")
    parser.add_argument("--driver", action="append", choices=DRIVERS, help="repeatable")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, default=Path("docs/performance"))
    parser.add_argument("--ours", default=sys.executable, help="the Python that holds the library")
    parser.add_argument("--reference", default=str(environment.reference_python()))
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
