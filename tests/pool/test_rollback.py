"""A connection that comes back after reading: its transaction ends at once, before it is lent."""

from __future__ import annotations

import asyncio
import gc
import logging
import warnings
import weakref
from typing import Any

import aiomysql
import pytest

from tests.farewell import assert_farewells
from tests.fix_asyncio import new_event_loop
from tests.fix_servers import RunningServer
from tests.pool.support import CreatePool, counts, eventually_closed, no_complaints, settled
from tests.proxy import Direction, Proxy

pytestmark = pytest.mark.bridge


@pytest.fixture
def name(table: Any) -> str:
    made: str = table("id INT PRIMARY KEY")
    return made


async def read(connection: Any, name: str) -> Any:
    async with connection.cursor() as cursor:
        await cursor.execute(f"SELECT * FROM {name}")
        return await cursor.fetchall()


async def stalled(
    create_pool: CreatePool, proxy: Proxy, name: str, patience: float | None = None, **options: Any
) -> Any:
    """A pool whose only connection has come back, and the server's answer to that is held up."""
    pool = await create_pool(minsize=1, host=proxy.host, port=proxy.port, **options)
    connection = await pool.acquire()
    await read(connection, name)
    # For this one alone; opening another is to have all the time it needs.
    connection.connect_timeout = patience
    proxy.stall_all()
    await pool.release(connection)
    return pool, connection


async def test_locks_end_with_the_release(
    server: RunningServer, create_pool: CreatePool, name: str
) -> None:
    pool = await create_pool(minsize=1)
    async with pool.acquire() as connection:
        await read(connection, name)
    assert counts(pool) == (1, 1, 0)
    with server.admin() as cursor:
        cursor.execute("SET lock_wait_timeout = 20")
        cursor.execute(f"ALTER TABLE {name} ADD COLUMN other INT")
    async with pool.acquire() as again:
        assert again is connection


async def test_it_is_no_task(create_pool: CreatePool, name: str) -> None:
    pool = await create_pool(minsize=1)
    connection = await pool.acquire()
    await read(connection, name)
    await settled()
    before = asyncio.all_tasks()
    pool.release(connection)
    assert asyncio.all_tasks() == before


async def test_without_a_transaction_nothing_is_sent(create_pool: CreatePool, name: str) -> None:
    pool = await create_pool(minsize=1, autocommit=True)
    for _ in range(3):
        async with pool.acquire() as connection:
            await read(connection, name)
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await cursor.execute("SHOW SESSION STATUS LIKE 'Com_rollback'")
        assert await cursor.fetchall() == (("Com_rollback", "0"),)


async def test_a_waiter_gets_it_afterwards(
    server: RunningServer, create_pool: CreatePool, proxy: Proxy, name: str
) -> None:
    pool = await create_pool(minsize=1, maxsize=1, host=proxy.host, port=proxy.port)
    connection = await pool.acquire()
    assert await read(connection, name) == ()
    server.query(f"INSERT INTO {name} VALUES (1)")
    waiting = [asyncio.ensure_future(pool.acquire()) for _ in range(2)]
    await settled()
    proxy.stall_all()
    pool.release(connection)
    await settled()
    assert not any(task.done() for task in waiting)
    assert counts(pool) == (1, 1, 0)
    assert list(pool._free) == [connection]
    waiting[0].cancel()
    proxy.resume()
    assert await waiting[1] is connection
    assert await read(connection, name) == ((1,),)
    pool.release(connection)
    async with pool.acquire() as again:
        assert again is connection
    assert waiting[0].cancelled()


async def test_others_are_lent_meanwhile(create_pool: CreatePool, proxy: Proxy, name: str) -> None:
    pool = await create_pool(minsize=0, maxsize=2, host=proxy.host, port=proxy.port)
    first = await pool.acquire()
    second = await pool.acquire()
    await read(second, name)
    proxy.stall_latest_after(Direction.TO_CLIENT, 0)
    pool.release(second)
    pool.release(first)
    assert list(pool._free) == [second, first]
    async with pool.acquire() as lent:
        assert lent is first
        assert counts(pool) == (2, 1, 1)
    proxy.resume()
    async with pool.acquire() as lent:
        assert lent in (first, second)
    assert counts(pool) == (2, 2, 0)


async def test_a_server_that_does_not_answer(
    create_pool: CreatePool, proxy: Proxy, name: str
) -> None:
    with no_complaints():
        pool, connection = await stalled(create_pool, proxy, name, patience=0.5)
        await eventually_closed(connection)
        assert counts(pool) == (0, 0, 0)
        async with pool.acquire() as other:
            assert other is not connection
            await read(other, name)


async def test_a_connection_that_is_lost_meanwhile(
    create_pool: CreatePool, proxy: Proxy, name: str
) -> None:
    pool, connection = await stalled(create_pool, proxy, name, maxsize=1)
    waiting = asyncio.ensure_future(pool.acquire())
    await settled()
    proxy.cut_all(reset=True)
    other = await waiting
    assert other is not connection
    assert connection.closed
    assert counts(pool) == (1, 0, 1)
    pool.release(other)


async def test_wait_closed_waits_for_it(
    server: RunningServer, create_pool: CreatePool, proxy: Proxy, name: str
) -> None:
    pool, connection = await stalled(create_pool, proxy, name)
    pool.close()
    waiting = asyncio.ensure_future(pool.wait_closed())
    await settled()
    assert not waiting.done()
    proxy.resume()
    await waiting
    assert pool.closed
    assert connection.closed
    assert counts(pool) == (0, 0, 0)


async def test_clear_waits_for_it(create_pool: CreatePool, proxy: Proxy, name: str) -> None:
    pool, connection = await stalled(create_pool, proxy, name)
    waiting = asyncio.ensure_future(pool.clear())
    await settled()
    assert not waiting.done()
    assert counts(pool) == (0, 0, 0)
    proxy.resume()
    await waiting
    assert connection.closed
    async with pool.acquire() as other:
        await read(other, name)


async def test_terminate_does_not_wait(create_pool: CreatePool, proxy: Proxy, name: str) -> None:
    pool, connection = await stalled(create_pool, proxy, name)
    pool.terminate()
    assert connection.closed
    assert counts(pool) == (0, 0, 0)
    await pool.wait_closed()
    assert pool.closed


async def test_they_say_goodbye(server: RunningServer, create_pool: CreatePool, name: str) -> None:
    async def ended() -> list[int]:
        numbers = []
        for end in ("clear", "close"):
            pool = await create_pool(minsize=2)
            for connection in [await pool.acquire() for _ in range(2)]:
                numbers.append(connection.thread_id())
                await read(connection, name)
                pool.release(connection)
            if end == "clear":
                await pool.clear()
            pool.close()
            await pool.wait_closed()
        return numbers

    await assert_farewells(server, ended)


async def test_what_is_closed_or_taken_away_meanwhile(
    create_pool: CreatePool, proxy: Proxy, name: str
) -> None:
    pool, connection = await stalled(create_pool, proxy, name, maxsize=1)
    connection.close()
    async with pool.acquire() as other:
        await read(other, name)
        proxy.stall_all()
    taken = pool._free.popleft()
    assert taken is other
    assert counts(pool) == (0, 0, 0)
    async with pool.acquire() as third:
        assert third is not other
    proxy.resume()
    while True:
        try:
            await taken.ping(reconnect=False)
            break
        except RuntimeError:  # its transaction is still being ended
            await asyncio.sleep(0.01)
    taken.close()


def test_a_loop_that_closes_at_once(
    server: RunningServer, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def use() -> Any:
        pool = await aiomysql.create_pool(minsize=1, **server.connect_kwargs())
        async with pool.acquire() as connection:
            await read(connection, name)
        return pool

    caplog.set_level(logging.INFO, "asyncio")
    loop = new_event_loop()
    pool = loop.run_until_complete(use())
    loop.close()
    known = weakref.ref(pool)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        del pool, loop
        gc.collect()
    assert known() is None
    assert not caplog.records


async def test_a_release_outside_of_the_loop(create_pool: CreatePool, name: str) -> None:
    pool = await create_pool(minsize=1)
    connection = await pool.acquire()
    await read(connection, name)
    await asyncio.get_running_loop().run_in_executor(None, pool.release, connection)
    assert counts(pool) == (1, 1, 0)
    async with pool.acquire() as again:
        assert again is connection
        assert not connection.get_transaction_status()
