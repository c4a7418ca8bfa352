"""`python -m tests.soak.work PHASE COUNT URL`: does one thing COUNT times, in this process alone.

Prints what the process holds after each tenth, as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import sys
import time
from typing import Any, Callable

import aiomysql

from tests.bridge import process
from tests.servers import Address

Kwargs = dict[str, Any]
Times = Callable[[Kwargs, int], Any]


async def _query(connection: aiomysql.Connection) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT %s, %s, NOW(6), 1.50, 2e10, NULL", (1, "text"))
        (row,) = await cursor.fetchall()
        assert row[:2] == (1, "text"), row


async def queries(kwargs: Kwargs, count: int) -> None:
    """One connection, one query after another, each with a row of six values."""
    async with aiomysql.connect(**kwargs) as connection:
        for _ in range(count):
            await _query(connection)


async def connects(kwargs: Kwargs, count: int) -> None:
    """A connection is opened, asked once, and closed."""
    for _ in range(count):
        connection = await aiomysql.connect(**kwargs)
        await connection.ping(reconnect=False)
        await connection.ensure_closed()


async def cancels(kwargs: Kwargs, count: int) -> None:
    """A query is cancelled while the server works at it; its connection is closed by that."""
    cancelled = 0
    while cancelled < count:
        connection = await aiomysql.connect(**kwargs)
        cursor = await connection.cursor()
        task = asyncio.ensure_future(cursor.execute("SELECT SLEEP(0.05)"))
        await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
        # On a busy machine the answer may be there first.
        assert connection.closed is task.cancelled()
        cancelled += task.cancelled()
        connection.close()


async def pools(kwargs: Kwargs, count: int) -> None:
    """A pool of two to five connections serves ten tasks, and is closed."""

    async def borrow(pool: aiomysql.Pool) -> None:
        async with pool.acquire() as connection:
            await _query(connection)

    for _ in range(count):
        pool = await aiomysql.create_pool(minsize=2, maxsize=5, **kwargs)
        await asyncio.gather(*(borrow(pool) for _ in range(10)))
        pool.close()
        await pool.wait_closed()


def loops(kwargs: Kwargs, count: int) -> None:
    """An event loop is made, serves a connection, and is closed."""
    for _ in range(count):
        asyncio.run(_one(kwargs))


async def _one(kwargs: Kwargs) -> None:
    async with aiomysql.connect(**kwargs) as connection:
        await _query(connection)


PHASES: dict[str, Times] = {
    each.__name__: each for each in (queries, connects, cancels, pools, loops)
}


def held() -> tuple[int, int, int]:
    gc.collect()
    return process.resident_kib(), len(process.descriptors()), len(process.threads())


def main(phase: str, count: int, url: str) -> None:
    kwargs = Address.parse(url).connect_kwargs(phase != "connects")
    work = PHASES[phase]
    loop = asyncio.new_event_loop() if inspect.iscoroutinefunction(work) else None
    began = time.monotonic()
    tenths = []
    for _ in range(10):
        done = work({**kwargs, "autocommit": True}, count // 10)
        if loop is not None:
            loop.run_until_complete(done)
        tenths.append(held())
    seconds = time.monotonic() - began
    if loop is not None:
        loop.close()
    print(json.dumps({"seconds": seconds, "tenths": tenths}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
