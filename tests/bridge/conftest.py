"""What the tests of the bridge share; each of them runs on both drivers and both loops."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.bridge.fake_server import FakeServer

ROOT = Path(__file__).resolve().parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("bridge")


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    """A server in this process that can hold its answers back."""
    with FakeServer() as server:
        yield server


@pytest.fixture
async def fake_connection(fake: FakeServer) -> Any:
    import aiomysql

    connection = await aiomysql.connect(**fake.connect_kwargs())
    yield connection
    connection.close()


@pytest.fixture
def script() -> Callable[..., str]:
    """Runs Python code in a process of its own, on the driver and loop under test; what it prints.

    The code finds `tests.bridge.script` to import; `arguments` reach it as `script.given`.
    """

    def run(code: str, arguments: Any = None, options: tuple[str, ...] = (), **env: str) -> str:
        done = subprocess.run(
            [sys.executable, *options, "-c", code, json.dumps(arguments)],
            cwd=ROOT,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.stderr == ""
        return done.stdout

    return run
