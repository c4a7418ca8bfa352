"""The sweep over the public coroutines, on a connection of one's own and on a pool's own ones."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any, Callable

import aiomysql
import pytest

from tests.faults.steps import Steps, awaited, sweep
from tests.faults.support import answers, at_full_strength, eventually, no_noise
from tests.fix_servers import RunningServer
from tests.integration.support import numbers

pytestmark = pytest.mark.bridge

Work = Callable[[Any], Awaitable[Any]]


async def query(connection: Any) -> None:
    assert await connection.query("SELECT 1; SELECT 2") == 1
    assert await connection.next_result() == 1


async def callproc(connection: Any) -> None:
    async with connection.cursor() as cursor:
        await cursor.callproc("of_the_sweep", (7,))
        assert await cursor.fetchall() == ((7,),)


async def rollback(connection: Any) -> None:
    await connection.begin()
    await connection.rollback()


async def reset(connection: Any) -> None:
    await connection.reset()


async def reconnect(connection: Any) -> None:
    connection.close()
    await connection.ping()


async def kill(connection: Any) -> None:
    with contextlib.suppress(aiomysql.OperationalError, aiomysql.InternalError):
        await connection.kill(2**31)


async def close(connection: Any) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT 1")
    await connection.ensure_closed()


async def iterate(connection: Any) -> None:
    async with connection.cursor(aiomysql.SSDictCursor) as cursor:
        await cursor.execute(numbers(1500))
        count = 0
        async for row in cursor:
            count += 1
            assert list(row.values()) == [count]
        assert count == 1500


async def leave_a_stream(connection: Any) -> None:
    cursor = await connection.cursor(aiomysql.SSCursor)
    await cursor.execute(numbers(1500))
    await cursor.fetchone()
    await cursor.close()


async def many(connection: Any) -> None:
    async with connection.cursor() as cursor:
        await cursor.executemany("SELECT %s", [(1,), (2,)])


WORKS = [
    query,
    callproc,
    rollback,
    reset,
    reconnect,
    kill,
    close,
    iterate,
    leave_a_stream,
    many,
]


@pytest.fixture
def procedure(server: RunningServer) -> Any:
    server.query("DROP PROCEDURE IF EXISTS of_the_sweep")
    server.query("CREATE PROCEDURE of_the_sweep(IN a INT) SELECT a")
    yield
    server.query("DROP PROCEDURE of_the_sweep")


@pytest.mark.parametrize("work", WORKS)
async def test_work_on_a_connection(connect: Any, procedure: None, work: Work) -> None:
    """It is closed then, or as good as before."""
    connection = await connect(autocommit=True)
    used = [connection]

    async def round_(steps: int) -> bool:
        if used[0].closed:
            used[0] = await connect(autocommit=True)
        connection = used[0]
        cancelling = Steps(work(connection), steps)
        await cancelling
        if connection.closed:
            with pytest.raises(aiomysql.InterfaceError):
                await connection.query("SELECT 1")
            # The object is good for another session.
            await connection.ping(reconnect=True)
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT %s, CONNECTION_ID()", (f"after {steps}",))
            assert await cursor.fetchall() == ((f"after {steps}", connection.thread_id()),)
        return cancelling.completed

    with no_noise():
        await sweep(round_)


@contextlib.asynccontextmanager
async def a_pool(server: RunningServer, **changes: Any) -> AsyncIterator[aiomysql.Pool]:
    pool = await aiomysql.create_pool(minsize=2, maxsize=2, **server.connect_kwargs(), **changes)
    try:
        yield pool
    finally:
        pool.terminate()
        await asyncio.wait_for(pool.wait_closed(), 10)


async def test_clear(server: RunningServer) -> None:
    async with a_pool(server) as pool:

        async def round_(steps: int) -> bool:
            await at_full_strength(pool)
            cancelling = Steps(pool.clear(), steps)
            await cancelling
            assert not pool._used
            await answers(pool, f"after step {steps}")
            return cancelling.completed

        with no_noise():
            await sweep(round_)
            await at_full_strength(pool)


async def test_release(server: RunningServer) -> None:
    """What release() returns may be awaited, and cancelled: the connection is back already."""
    async with a_pool(server) as pool:

        async def round_(steps: int) -> bool:
            connection = await pool.acquire()
            cancelling = Steps(pool.release(connection), steps)
            await cancelling
            assert not pool._used
            return cancelling.completed

        with no_noise():
            await sweep(round_)
            await at_full_strength(pool)


async def test_wait_closed(server: RunningServer) -> None:
    async def round_(steps: int) -> bool:
        async with a_pool(server) as pool:
            lent = await pool.acquire()
            pool.close()
            cancelling = Steps(pool.wait_closed(), steps)
            waiting = asyncio.ensure_future(awaited(cancelling))
            await asyncio.sleep(0)
            pool.release(lent)
            await asyncio.wait_for(waiting, 10)
            # Who asks again is told.
            await asyncio.wait_for(pool.wait_closed(), 10)
            assert pool.closed
            return cancelling.completed

    with no_noise():
        await sweep(round_)


async def test_acquire_with_a_time_limit(server: RunningServer) -> None:
    async with a_pool(server) as pool:
        held = [await pool.acquire() for _ in range(2)]

        async def round_(steps: int) -> bool:
            cancelling = Steps(acquire(pool), steps)
            await cancelling
            assert pool._used == set(held)
            return cancelling.completed

        async def acquire(pool: aiomysql.Pool) -> None:
            with pytest.raises(asyncio.TimeoutError):
                async with pool.acquire(timeout=0.05):
                    raise AssertionError("there was none")

        with no_noise():
            await sweep(round_)
        for connection in held:
            pool.release(connection)
        await eventually(lambda: pool.freesize == 2)
        await at_full_strength(pool)


def test_every_public_coroutine_is_swept() -> None:
    here = Path(__file__).parent
    text = "".join(path.read_text() for path in here.glob("test_cancellation*.py"))
    # Of the abstract server that a pool is said to be.
    others = {"serve_forever", "start_serving"}
    for owner in (aiomysql.Connection, aiomysql.Cursor, aiomysql.SSCursor, aiomysql.Pool):
        for name in set(dir(owner)) - others:
            if not name.startswith("_") and inspect.iscoroutinefunction(getattr(owner, name)):
                assert f".{name}(" in text, f"{owner.__name__}.{name}"
