"""Measure the drivers side by side, in rounds that take turns.

Needs AIOMYSQL_TEST_MARIADB and AIOMYSQL_TEST_MYSQL (`make bench` starts throw-away servers).
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import platform
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benches.python import chart, report
from benches.python.crew import Crew, WorkerFailed
from benches.python.drivers import DRIVERS, fits
from benches.python.results import Result, Setting, load, merged, save
from benches.python.workloads import TABLES, WORKLOADS, Workload
from tests.servers import VENDORS, Address, from_environment, variable
from tools import environment

_CHARTED = "point"
# How the workers treat every driver.
FAIR = {"every driver": "autocommit on, utf8mb4, malloc's thresholds fixed"}


def main() -> int:
    given = _arguments()
    crew = Crew(given.ours, given.reference)
    drivers = tuple(given.driver or DRIVERS)
    crew.hire(drivers)
    for driver, reason in crew.missing.items():
        print(f"left out: {driver}: {reason}", file=sys.stderr)
    drivers = tuple(driver for driver in drivers if driver not in crew.missing)
    results: list[Result] = []
    for vendor in _both(given.server, VENDORS):
        address = from_environment(vendor)
        if address is None:
            print(f"left out: {vendor}: {variable(vendor)} is not set", file=sys.stderr)
            continue
        fill(address)
        settings = itertools.product(
            given.workload or WORKLOADS,
            _both(given.transport, ("unix", "tcp")),
            _both(given.loop, ("asyncio", "uvloop")),
        )
        for workload, transport, loop in settings:
            setting = Setting(workload, vendor, transport, loop)
            kwargs = address.connect_kwargs(unix_socket=transport == "unix")
            connect = dict.fromkeys(drivers, kwargs)
            results += measure(crew, drivers, setting, connect, given.rounds)
    crew.dismiss()
    return publish(results, given.output)


def measure(
    crew: Crew,
    drivers: tuple[str, ...],
    setting: Setting,
    connect: dict[str, dict[str, Any]],
    rounds: int,
    core: int | None = None,
    work: Workload | None = None,
) -> list[Result]:
    """Every driver's rounds in one setting, taking turns; `connect` holds arguments by driver.

    `work` is the setting's, where it is none of the table's.
    """
    work = work or WORKLOADS[setting.workload]
    fitting = [driver for driver in drivers if fits(driver, work, setting.loop)]
    request = {"workload": asdict(work), "loop": setting.loop, "core": core}
    cpu: dict[str, list[float]] = {driver: [] for driver in fitting}
    wall: dict[str, list[float]] = {driver: [] for driver in fitting}
    began = time.monotonic()
    for number in range(rounds):
        # Turn about, so that no driver always follows the same one.
        for driver in fitting if number % 2 else reversed(fitting):
            if driver not in cpu:
                continue
            try:
                answer = crew.worker(driver).ask(driver=driver, connect=connect[driver], **request)
            except WorkerFailed as error:
                print(f"left out of {setting}: {driver}: {error}", file=sys.stderr)
                del cpu[driver]
                continue
            cpu[driver].append(answer["cpu"] * work.scale)
            wall[driver].append(answer["wall"] * work.scale)
    results = []
    for driver in (driver for driver in fitting if driver in cpu):
        peak = None
        if work.kind in ("rows", "stream"):
            with crew.fresh(driver) as worker:
                answer = worker.ask(driver=driver, connect=connect[driver], **request)
                peak = answer["peak_kb"] / 1024
        figures = (tuple(cpu[driver]), tuple(wall[driver]), peak)
        results.append(Result(setting, driver, crew.versions[driver], *figures))
    where = f"{setting.workload} {setting.server} {setting.transport} {setting.loop}"
    print(f"{where}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return results


def fill(address: Address) -> None:
    """Make the tables, by PyMySQL."""
    import pymysql

    arguments = address.connect_kwargs(unix_socket=address.socket is not None)
    connection = pymysql.connect(**arguments, charset="utf8mb4", autocommit=True)
    with connection, connection.cursor() as cursor:
        for statement in TABLES:
            cursor.execute(statement)


def publish(results: list[Result], folder: Path, name: str = "results") -> int:
    """Print the table of this run; add its figures to those in `folder`, and draw the chart."""
    facts = {**about(), **FAIR}
    print(report.markdown(results, facts))
    everything = merged(load(folder / f"{name}.json"), results)
    save(folder / f"{name}.json", everything, facts)
    (folder / f"{name}.md").write_text(report.markdown(everything, facts))
    if any(result.setting.workload == _CHARTED for result in everything):
        (folder / f"{name}.svg").write_text(chart.svg(everything, _CHARTED))
    print(f"written to {folder}/{name}.json, .md and .svg", file=sys.stderr)
    return 0 if results else 1


def about() -> dict[str, str]:
    return {
        "measured": datetime.date.today().isoformat(),
        "Python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _both(choice: str, values: tuple[str, ...]) -> tuple[str, ...]:
    return values if choice == "both" else (choice,)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--workload", action="append", choices=WORKLOADS, help="repeatable")
    parser.add_argument("--driver", action="append", choices=DRIVERS, help="repeatable")
    parser.add_argument("--server", choices=(*VENDORS, "both"), default="both")
    parser.add_argument("--transport", choices=("unix", "tcp", "both"), default="both")
    parser.add_argument("--loop", choices=("asyncio", "uvloop", "both"), default="both")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, default=Path("docs/performance"))
    parser.add_argument("--ours", default=sys.executable, help="the Python that holds the library")
    parser.add_argument("--reference", default=str(environment.reference_python()))
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
