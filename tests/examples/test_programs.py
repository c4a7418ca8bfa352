"""The programs, each in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from examples.streaming_worker import SCHEMA
from tests.fix_servers import RunningServer

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120


def run(module: str, variables: dict[str, str]) -> str:
    """What it prints; nothing may come on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_tour(variables: dict[str, str]) -> None:
    assert "Ada's account has the number 1." in run("examples.tour", variables)


def test_sqlalchemy_orm(variables: dict[str, str]) -> None:
    lines = run("examples.sqlalchemy_orm", variables).splitlines()
    assert lines == ["Stanisław ['C']", "Ursula ['A', 'B']", "3 books", "A", "B", "C"]


@pytest.mark.seconds(SECONDS)
async def test_streaming_worker(server: RunningServer, variables: dict[str, str]) -> None:
    """Ended in the midst of its work, it goes on from there; nothing is counted twice."""
    with server.admin() as cursor:
        cursor.execute("USE examples")
        for statement in SCHEMA:
            cursor.execute(statement)
        cursor.executemany(
            "INSERT INTO worker_readings (taken, value)"
            " VALUES (TIMESTAMP'2024-02-29 23:00:00' + INTERVAL %s MINUTE, %s)",
            [(number, number) for number in range(1000)],
        )
        for _ in range(7):
            cursor.execute(
                "INSERT INTO worker_readings (taken, value)"
                " SELECT taken, value FROM worker_readings"
            )

    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "examples.streaming_worker", cwd=ROOT, env={**os.environ, **variables}
    )
    while worker.returncode is None and not totals(server):
        await asyncio.sleep(0.01)
    if worker.returncode is None:
        worker.send_signal(signal.SIGTERM)
    assert await worker.wait() == 0

    run("examples.streaming_worker", variables)
    assert run("examples.streaming_worker", variables) == "0 readings were added\n"
    assert totals(server) == 128 * sum(range(1000))
    hours = server.query("SELECT COUNT(DISTINCT hour) FROM examples.worker_hours")
    assert hours == [(17,)]


def totals(server: RunningServer) -> float:
    ((total,),) = server.query("SELECT COALESCE(SUM(total), 0) FROM examples.worker_hours")
    return float(total)
