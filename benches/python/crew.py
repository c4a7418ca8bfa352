"""The worker processes: ours and asyncmy share one, the others have their own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.servers.process import die_with_parent

_ROOT = Path(__file__).resolve().parents[2]

# asyncio's StreamReader takes 256 KiB for each read. glibc maps and unmaps that much anew every
# time, until something else in the process has raised its threshold: the same driver then costs a
# third less. Fixed thresholds put every worker in the cheap state, whatever ran in it before.
_MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
}


class WorkerFailed(Exception):
    """What went wrong in the worker, in a line."""


class Worker:
    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, "-m", "benches.python.worker"],
            cwd=_ROOT,
            env={**os.environ, **_MALLOC},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line or '{"error": "the worker died"}')
        if "error" in answer:
            raise WorkerFailed(answer["error"])
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Crew:
    """Which Python measures which driver."""

    def __init__(self, ours: str, reference: str) -> None:
        # mysqlclient is installed beside the reference, and needs no more of it.
        self._python = {
            "ours": ours,
            "asyncmy": ours,
            "reference": reference,
            "mysqlclient": reference,
            "bare": ours,
        }
        self._shared = {"asyncmy": "ours", "bare": "ours"}
        self._workers: dict[str, Worker] = {}
        self.versions: dict[str, str] = {}
        self.missing: dict[str, str] = {}

    def hire(self, drivers: tuple[str, ...]) -> None:
        for driver in drivers:
            try:
                answer = self.worker(driver).ask(version=driver)
                self.versions[driver] = answer["version"]
            except WorkerFailed as error:
                self.missing[driver] = str(error)

    def worker(self, driver: str) -> Worker:
        name = self._shared.get(driver, driver)
        if name not in self._workers:
            self._workers[name] = Worker(self._python[driver])
        return self._workers[name]

    @contextlib.contextmanager
    def fresh(self, driver: str) -> Iterator[Worker]:
        """A worker that has done nothing yet: memory that was freed before hides a peak."""
        worker = Worker(self._python[driver])
        try:
            yield worker
        finally:
            worker.close()

    def dismiss(self) -> None:
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()
