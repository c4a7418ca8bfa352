"""Cancelled at its n-th step, for every n: nothing is lost, and nobody gets another's rows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Callable

import aiomysql
import pytest

from tests.faults.steps import Steps, awaited, sweep
from tests.faults.support import answers, at_full_strength, descriptors, no_noise, through
from tests.fix_servers import RunningServer
from tests.integration.support import numbers
from tests.proxy import Direction, Proxy

pytestmark = pytest.mark.bridge

Work = Callable[..., Awaitable[Any]]


async def execute(cursor: Any) -> None:
    await cursor.execute("SELECT 'other', SLEEP(0.002)")
    await cursor.fetchall()


async def execute_many_rows(cursor: Any) -> None:
    await cursor.execute(numbers(3000))
    assert len(await cursor.fetchall()) == 3000


async def several_sets(cursor: Any) -> None:
    await cursor.execute("SELECT 'other', SLEEP(0.002); SELECT 'another', SLEEP(0.002); SELECT 3")
    while await cursor.nextset():
        await cursor.fetchall()


async def transaction(cursor: Any) -> None:
    connection = cursor.connection
    await connection.begin()
    await cursor.execute("SELECT 'other'")
    await connection.commit()


async def ping(cursor: Any) -> None:
    await cursor.connection.ping()


async def session(cursor: Any) -> None:
    connection = cursor.connection
    await connection.select_db("test")
    await connection.set_charset("utf8mb4")
    await connection.autocommit(True)
    await connection.show_warnings()


async def stream_rows(cursor: Any) -> None:
    connection = cursor.connection
    async with connection.cursor(aiomysql.SSCursor) as stream:
        await stream.execute(numbers(2000))
        assert await stream.fetchone() == (1,)
        assert len(await stream.fetchmany(700)) == 700
        await stream.scroll(10)
        assert len(await stream.fetchall()) == 2000 - 711


async def stream_and_leave(cursor: Any) -> None:
    connection = cursor.connection
    async with connection.cursor(aiomysql.SSCursor) as stream:
        await stream.execute(f"{numbers(2000)}; {numbers(1000)}")
        await stream.fetchone()
        await stream.nextset()
        await stream.fetchone()


@pytest.mark.parametrize(
    "work",
    [
        execute,
        execute_many_rows,
        several_sets,
        transaction,
        ping,
        session,
        stream_rows,
        stream_and_leave,
    ],
)
async def test_work_on_a_lent_connection(create_pool: Any, work: Work) -> None:
    pool = await create_pool(minsize=1, maxsize=2, autocommit=True)

    async def use() -> None:
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await work(cursor)

    async def round_(steps: int) -> bool:
        cancelling = Steps(use(), steps)
        await cancelling
        assert not pool._used
        assert pool.size == pool.freesize <= 2
        await answers(pool, f"after step {steps}")
        return cancelling.completed

    with no_noise():
        steps = await sweep(round_)
        assert steps > 0
        await at_full_strength(pool)


async def test_executemany(create_pool: Any, table: Any, server: RunningServer) -> None:
    name = table("id INT PRIMARY KEY, v VARCHAR(100)")
    pool = await create_pool(minsize=1, maxsize=2)
    rows = [(number, "x" * 80) for number in range(60)]

    async def insert() -> None:
        async with pool.acquire() as connection, connection.cursor() as cursor:
            cursor.max_stmt_length = 1000
            await cursor.executemany(f"INSERT INTO {name} VALUES (%s, %s)", rows)
            await connection.commit()

    async def round_(steps: int) -> bool:
        cancelling = Steps(insert(), steps)
        await cancelling
        assert not pool._used
        await answers(pool, f"after step {steps}")
        ((count,),) = server.query(f"SELECT COUNT(*) FROM {name}")
        # All or nothing; a COMMIT that was sent may have been obeyed.
        assert count in (0, 60)
        if not cancelling.completed:
            server.query(f"DELETE FROM {name}")
        return cancelling.completed

    steps = await sweep(round_)
    assert steps >= 1
    assert server.query(f"SELECT COUNT(*) FROM {name}") == [(60,)]
    await at_full_strength(pool)


async def test_acquire(create_pool: Any) -> None:
    """One that takes a free connection, one that opens one."""
    pool = await create_pool(minsize=1, maxsize=2)

    async def take_two() -> None:
        async with pool.acquire() as first:
            await pool.clear()
            async with pool.acquire() as second:
                assert first is not second

    async def round_(steps: int) -> bool:
        cancelling = Steps(take_two(), steps)
        await cancelling
        for _ in range(3):
            await asyncio.sleep(0)
        await answers(pool, f"after step {steps}")
        await asyncio.sleep(0.005)
        assert not pool._used
        assert pool.size <= 2
        return cancelling.completed

    with no_noise():
        assert await sweep(round_) >= 1
        await at_full_strength(pool)


async def test_waiting_in_the_queue(create_pool: Any) -> None:
    pool = await create_pool(minsize=1, maxsize=1)

    async def take() -> None:
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute("SELECT 'other'")

    async def round_(steps: int) -> bool:
        held = await pool.acquire()
        cancelling = Steps(take(), steps)
        first = asyncio.ensure_future(awaited(cancelling))
        await asyncio.sleep(0)
        last = asyncio.ensure_future(answers(pool, "last in the queue"))
        await asyncio.sleep(0)
        pool.release(held)
        await asyncio.wait_for(asyncio.gather(first, last), 10)
        assert not pool._used
        return cancelling.completed

    assert await sweep(round_) >= 1
    await at_full_strength(pool)


async def test_an_acquire_that_asks_the_server_first(
    server: RunningServer, create_pool: Any
) -> None:
    """The ping of a connection that was idle for long."""
    pool = await create_pool(minsize=2, maxsize=2)

    async def take() -> None:
        async with pool.acquire() as connection:
            assert not connection.closed

    async def round_(steps: int) -> bool:
        await asyncio.sleep(1.05)
        cancelling = Steps(take(), steps)
        await cancelling
        assert not pool._used
        assert pool.size <= 2
        await answers(pool, f"after step {steps}")
        return cancelling.completed

    assert await sweep(round_) >= 1
    await at_full_strength(pool)


@pytest.mark.parametrize("unix_socket", [False, True], ids=["tcp", "unix"])
async def test_connect(server: RunningServer, unix_socket: bool) -> None:
    await (await aiomysql.connect(**server.connect_kwargs(unix_socket))).ensure_closed()
    before = descriptors()
    kept: list[Any] = []

    async def connect() -> None:
        kept.append(await aiomysql.connect(**server.connect_kwargs(unix_socket, autocommit=True)))

    async def round_(steps: int) -> bool:
        cancelling = Steps(connect(), steps)
        await cancelling
        return cancelling.completed

    with no_noise():
        assert await sweep(round_) >= 1
    (connection,) = kept
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT 'marker'")
        assert await cursor.fetchall() == (("marker",),)
    await connection.ensure_closed()
    kept.clear()
    del connection, cursor
    await asyncio.sleep(0.05)
    assert descriptors() == before


async def test_create_pool(server: RunningServer) -> None:
    await (await aiomysql.connect(**server.connect_kwargs())).ensure_closed()
    before = descriptors()
    made: list[Any] = []

    async def create() -> None:
        made.append(await aiomysql.create_pool(minsize=3, **server.connect_kwargs()))

    async def round_(steps: int) -> bool:
        cancelling = Steps(create(), steps)
        await cancelling
        await asyncio.sleep(0.01)
        return cancelling.completed

    with no_noise():
        await sweep(round_)
    (pool,) = made
    await answers(pool, "marker")
    pool.close()
    await pool.wait_closed()
    made.clear()
    del pool
    await asyncio.sleep(0.05)
    assert descriptors() == before


async def test_the_cancelled_answer_arrives_late(server: RunningServer, proxy: Proxy) -> None:
    """The worst case: the cancelled query's rows are on the wire when the next one is sent."""
    async with aiomysql.create_pool(minsize=1, maxsize=1, **through(server, proxy)) as pool:
        for _ in range(3):
            proxy.stall_latest_after(Direction.TO_CLIENT, 0)

            async def stalled() -> None:
                async with pool.acquire() as connection, connection.cursor() as cursor:
                    await cursor.execute("SELECT 'of the cancelled one'")

            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(stalled(), 0.1)
            proxy.resume()
            await answers(pool, "of the next one")


async def test_a_cancelled_command_ends_at_the_server_too(
    server: RunningServer, create_pool: Any
) -> None:
    """Its connection is closed, so the server notices, and rolls back."""
    pool = await create_pool(minsize=1, maxsize=1)

    async def sleep() -> None:
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute("SELECT SLEEP(3)")

    task = asyncio.ensure_future(sleep())
    await asyncio.sleep(0.1)
    (connection,) = pool._used
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connection.closed
    await answers(pool, "at once", seconds=2)
