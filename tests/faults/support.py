"""What the fault tests share."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import time
from collections.abc import Iterator
from typing import Any, Callable

import aiomysql

from tests.fix_servers import RunningServer
from tests.proxy import Proxy


def through(server: RunningServer, proxy: Proxy, **changes: Any) -> dict[str, Any]:
    """Arguments that lead through the proxy."""
    return server.connect_kwargs(host=proxy.host, port=proxy.port, **changes)


async def answers(pool: aiomysql.Pool, marker: str, seconds: float = 10) -> None:
    """A query on a connection of the pool gets its own answer."""

    async def ask() -> None:
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute("SELECT %s, CONNECTION_ID()", (marker,))
            assert await cursor.fetchall() == ((marker, connection.thread_id()),)

    await asyncio.wait_for(ask(), seconds)


async def at_full_strength(pool: aiomysql.Pool, marker: str = "strength") -> None:
    """The pool lends as many connections as it may, each of them in step, and all come back."""
    assert pool.maxsize
    assert not pool._used
    lent = [await asyncio.wait_for(pool.acquire(), 10) for _ in range(pool.maxsize)]
    assert len(set(lent)) == pool.maxsize
    for number, connection in enumerate(lent):
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT %s", (f"{marker} {number}",))
            assert await cursor.fetchall() == ((f"{marker} {number}",),)
        pool.release(connection)
    assert (pool.size, pool.freesize) == (pool.maxsize, pool.maxsize)


def descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


@contextlib.contextmanager
def no_noise() -> Iterator[None]:
    """Nothing reaches the loop's exception handler."""
    loop = asyncio.get_running_loop()
    heard: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _loop, context: heard.append(context))
    try:
        yield
        gc.collect()
    finally:
        loop.set_exception_handler(None)
    assert heard == []


async def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Waits until a condition holds that others make true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happens"
        await asyncio.sleep(0.02)
