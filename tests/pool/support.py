"""What the tests of the pool share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any, Callable

import aiomysql
import pytest

from tests.fix_servers import RunningServer

#: More rows than a stream reads ahead.
MANY_ROWS = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) SELECT i FROM n"
)


async def session(connection: Any) -> int:
    """The server's number of the session, as the server itself tells it."""
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT CONNECTION_ID()")
        (number,) = await cursor.fetchone()
        return int(number)


async def killed(server: RunningServer, *connections: Any) -> None:
    """Kills sessions and waits until the server has closed their sockets."""
    numbers = [connection.thread_id() for connection in connections]
    with server.admin() as cursor:
        for number in numbers:
            cursor.execute(f"KILL {number}")
        marks = ", ".join(map(str, numbers))
        for _ in range(500):
            cursor.execute(
                f"SELECT COUNT(*) FROM information_schema.processlist WHERE id IN ({marks})"
            )
            if cursor.fetchone()[0] == 0:
                return
            await asyncio.sleep(0.01)
    raise AssertionError("sessions survive KILL")


async def eventually_closed(connection: Any) -> None:
    for _ in range(2000):
        if connection.closed:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("still open")


async def settled(turns: int = 20) -> None:
    """Lets everything run that needs no waiting."""
    for _ in range(turns):
        await asyncio.sleep(0)


def counts(pool: aiomysql.Pool) -> tuple[int, int, int]:
    """Size, free and used; the counts must always be in step with the containers."""
    assert pool.size == len(pool._free) + len(pool._used) + pool._acquiring
    assert pool.freesize == len(pool._free)
    assert not set(pool._free) & pool._used
    assert len(set(pool._free)) == len(pool._free)
    return pool.size, pool.freesize, len(pool._used)


class Connects:
    """Stands in for `aiomysql.pool.connect`: counts, delays and refuses."""

    def __init__(self, delay: float = 0.0) -> None:
        self.real = aiomysql.connection.connect
        self.delay = delay
        self.calls: list[dict[str, Any]] = []
        self.running = 0
        self.most_running = 0
        #: How many of the next calls fail.
        self.failing = 0

    def __call__(self, **options: Any) -> Any:
        self.calls.append(options)
        return self._connect(options)

    async def _connect(self, options: dict[str, Any]) -> Any:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(self.delay)
            if self.failing:
                self.failing -= 1
                raise aiomysql.OperationalError(2003, "refused by the test")
            return await self.real(**options)
        finally:
            self.running -= 1


@pytest.fixture
def connects(monkeypatch: pytest.MonkeyPatch) -> Connects:
    """Every opening of a pool goes through it."""
    stand_in = Connects()
    monkeypatch.setattr("aiomysql.pool.connect", stand_in)
    return stand_in


@contextlib.contextmanager
def no_complaints() -> Iterator[list[dict[str, Any]]]:
    """Fails where the loop's exception handler was called meanwhile."""
    loop = asyncio.get_running_loop()
    heard: list[dict[str, Any]] = []
    previous = loop.get_exception_handler()
    loop.set_exception_handler(lambda _loop, context: heard.append(context))
    try:
        yield heard
    finally:
        loop.set_exception_handler(previous)
    assert heard == []


CreatePool = Callable[..., Any]
