"""What comes back, in what state, and what is lent again."""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
from typing import Any

import aiomysql
import pytest

from tests.farewell import assert_farewells
from tests.fix_servers import RunningServer
from tests.pool.support import MANY_ROWS, Connects, CreatePool, counts, killed, session, settled

pytestmark = pytest.mark.bridge


async def waiter_of(pool: aiomysql.Pool) -> Any:
    waiting = asyncio.ensure_future(pool.acquire())
    await settled()
    assert not waiting.done()
    return waiting


# The forms


async def test_release_is_a_function_whose_result_may_be_awaited(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    connection = await pool.acquire()
    released = pool.release(connection)
    assert counts(pool) == (1, 1, 0)
    assert await released is None
    connection = await pool.acquire()
    pool.release(connection)
    assert counts(pool) == (1, 1, 0)


async def test_acquire_in_every_form(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    async with pool.acquire() as connection:
        assert await session(connection)
    connection = await pool.acquire()
    pool.release(connection)
    connection = await asyncio.create_task(pool.acquire())
    await pool.release(connection)
    connection = await asyncio.wait_for(pool.acquire(), 5)
    await pool.release(connection)
    async with await pool.acquire() as connection:
        pass
    assert connection.closed
    pool.release(connection)
    assert counts(pool) == (0, 0, 0)


async def test_an_exception_gives_the_connection_back(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    with pytest.raises(KeyError):
        async with pool.acquire() as connection:
            raise KeyError
    assert list(pool._free) == [connection]


async def test_the_old_form(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    with pytest.warns(DeprecationWarning, match="pool.acquire") as caught:
        manager = await pool
    assert caught[0].filename == __file__
    with manager as connection:
        assert await session(connection)
        assert counts(pool) == (1, 0, 1)
    assert counts(pool) == (1, 1, 0)


async def test_a_pool_is_no_plain_context_manager(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    with pytest.raises(RuntimeError, match="await"), pool:
        pass


async def test_a_foreign_connection(server: RunningServer, create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    other = await create_pool(minsize=1, maxsize=1)
    connection = await other.acquire()
    with pytest.raises(AssertionError):
        pool.release(connection)
    assert (counts(pool), counts(other)) == ((1, 1, 0), (1, 0, 1))
    other.release(connection)


async def test_a_second_release(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    connection = await pool.acquire()
    pool.release(connection)
    with pytest.raises(AssertionError):
        pool.release(connection)
    assert counts(pool) == (1, 1, 0)


# What comes back


@pytest.mark.parametrize("state", ["closed", "in a transaction", "busy", "unread"])
async def test_what_is_unfit_is_replaced_and_the_next_waiter_served(
    create_pool: CreatePool, state: str
) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    connection = await pool.acquire()
    waiting = await waiter_of(pool)
    running = None
    if state == "closed":
        connection.close()
    elif state == "in a transaction":
        await connection.begin()
    elif state == "busy":
        running = asyncio.ensure_future(connection.query("SELECT SLEEP(20)"))
        await asyncio.sleep(0.05)
    else:
        cursor = await connection.cursor(aiomysql.SSCursor)
        await cursor.execute(MANY_ROWS)
        await cursor.fetchone()
    pool.release(connection)
    assert connection.closed
    other = await asyncio.wait_for(waiting, 5)
    assert other is not connection
    async with other.cursor() as cursor:
        await cursor.execute("SELECT 'mine'")
        assert await cursor.fetchall() == (("mine",),)
    pool.release(other)
    assert counts(pool) == (1, 1, 0)
    if running is not None:
        with pytest.raises(aiomysql.OperationalError):
            await running


async def test_sets_that_nobody_read_are_not_lent(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    connection = await pool.acquire()
    cursor = await connection.cursor()
    await cursor.execute("SELECT 1; SELECT 2; SELECT 3")
    pool.release(connection)
    async with pool.acquire() as other, other.cursor() as cursor:
        await cursor.execute("SELECT 'mine'")
        assert await cursor.fetchall() == (("mine",),)
        assert await cursor.nextset() is None


async def test_a_transaction_is_not_lent(
    server: RunningServer, create_pool: CreatePool, table: Any
) -> None:
    name = table("id INT PRIMARY KEY")
    pool = await create_pool(minsize=1, maxsize=1)
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await cursor.execute(f"INSERT INTO {name} VALUES (1)")
    assert counts(pool) == (0, 0, 0)
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await cursor.execute(f"SELECT * FROM {name}")
        assert await cursor.fetchall() == ()


async def test_a_cancelled_command_costs_its_connection_alone(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=2, maxsize=2)

    async def sleep() -> None:
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute("SELECT SLEEP(20)")

    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(sleep(), 0.1)
    assert counts(pool) == (1, 1, 0)
    async with pool.acquire() as connection:
        assert await session(connection) == connection.thread_id()


async def test_a_waiter_that_is_cancelled_loses_nothing(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    held = await pool.acquire()
    waiting = [await waiter_of(pool) for _ in range(4)]
    waiting[0].cancel()
    waiting[2].cancel()
    await settled()
    pool.release(held)
    assert await asyncio.wait_for(waiting[1], 5) is held
    assert not waiting[3].done()
    pool.release(held)
    assert await asyncio.wait_for(waiting[3], 5) is held
    pool.release(held)
    assert counts(pool) == (1, 1, 0)


async def test_a_waiter_that_is_cancelled_when_its_turn_has_come(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    for cancel_first in (False, True):
        held = await pool.acquire()
        first, second = await waiter_of(pool), await waiter_of(pool)
        if cancel_first:
            first.cancel()
            pool.release(held)
        else:
            pool.release(held)
            first.cancel()
        assert await asyncio.wait_for(second, 5) is held
        pool.release(held)
        await settled()
        assert first.cancelled()
        assert counts(pool) == (1, 1, 0)


async def test_a_waiter_whose_connection_is_being_opened_is_cancelled(
    create_pool: CreatePool, connects: Connects
) -> None:
    pool = await create_pool(minsize=0, maxsize=1)
    connects.delay = 0.1
    waiting = await waiter_of(pool)
    waiting.cancel()
    await settled()
    # What was opened for it serves the next.
    async with pool.acquire() as connection:
        await session(connection)
    assert len(connects.calls) == 1
    assert counts(pool) == (1, 1, 0)


# What is free


async def test_killed_connections_are_never_lent(
    server: RunningServer, create_pool: CreatePool
) -> None:
    pool = await create_pool(minsize=4, maxsize=4)
    dead = list(pool._free)[:3]
    await killed(server, *dead)
    connections = [await pool.acquire() for _ in range(4)]
    assert not set(dead) & set(connections)
    assert all(connection.closed for connection in dead)
    for connection in connections:
        assert await session(connection) == connection.thread_id()
        pool.release(connection)
    assert counts(pool) == (4, 4, 0)


async def test_a_connection_killed_while_it_is_lent(
    server: RunningServer, create_pool: CreatePool
) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    async with pool.acquire() as connection:
        await killed(server, connection)
    async with pool.acquire() as other:
        assert await session(other) == other.thread_id()
    assert other is not connection
    assert counts(pool) == (1, 1, 0)


async def test_what_is_long_idle_is_asked_first(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    (connection,) = pool._free
    await asyncio.sleep(1.1)
    usage = connection.last_usage
    async with pool.acquire() as lent:
        assert lent is connection
        assert connection.last_usage > usage + 1


async def test_recycling(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1, pool_recycle=0.2)
    async with pool.acquire() as first:
        pass
    async with pool.acquire() as again:
        assert again is first
    await asyncio.sleep(0.3)
    async with pool.acquire() as later:
        assert later is not first
    assert first.closed
    assert counts(pool) == (1, 1, 0)


async def test_no_recycling(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    (connection,) = pool._free
    await asyncio.sleep(0.3)
    async with pool.acquire() as lent:
        assert lent is connection


async def test_what_somebody_took_out_of_free_is_gone(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=2, maxsize=2)
    taken = pool._free.popleft()
    assert counts(pool) == (1, 1, 0)
    one, two = await asyncio.gather(pool.acquire(), pool.acquire())
    assert taken not in (one, two)
    assert not taken.closed
    taken.close()
    pool.release(one)
    pool.release(two)
    pool._free.clear()
    assert counts(pool) == (0, 0, 0)
    one.close()
    two.close()
    async with pool.acquire() as connection:
        await session(connection)


async def test_what_somebody_closed_in_free_is_not_lent(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=2, maxsize=2)
    closed, other = pool._free
    closed.close()
    async with pool.acquire() as connection:
        assert connection is other
    assert closed not in pool._free


async def test_the_containers_are_the_real_ones(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=2, maxsize=2)
    free, used = pool._free, pool._used
    first, second = free
    async with pool.acquire() as connection:
        assert connection is first
        assert (list(free), used) == ([second], {first})
    assert (list(free), used) == ([second, first], set())
    assert (pool._free, pool._used) == (free, used)


async def test_clear(server: RunningServer, create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=2, maxsize=3)
    held = await pool.acquire()
    freed = list(pool._free)
    await pool.clear()
    assert all(connection.closed for connection in freed)
    assert counts(pool) == (1, 0, 1)
    pool.release(held)
    async with pool.acquire() as connection:
        assert connection is held


async def test_connections_of_a_pool_say_goodbye(
    server: RunningServer, create_pool: CreatePool
) -> None:
    async def ended() -> list[int]:
        pool = await create_pool(minsize=3, maxsize=3, pool_recycle=0)
        numbers = [connection.thread_id() for connection in pool._free]
        await asyncio.sleep(0.01)
        async with pool.acquire() as connection:
            numbers.append(connection.thread_id())
            await connection.begin()
        await pool.clear()
        pool.close()
        await pool.wait_closed()
        return numbers

    await assert_farewells(server, ended)


async def test_a_streamed_result_keeps_the_connection_of_others_free(
    create_pool: CreatePool,
) -> None:
    pool = await create_pool(minsize=2, maxsize=2)
    async with pool.acquire() as streaming, streaming.cursor(aiomysql.SSCursor) as stream:
        await stream.execute("SELECT 1 UNION SELECT 2")
        assert await stream.fetchone() == (1,)
        async with pool.acquire() as other:
            assert await session(other) == other.thread_id()
        assert await stream.fetchone() == (2,)


# The end


async def test_close_and_wait_closed(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=2, maxsize=2)
    free = list(pool._free)
    pool.close()
    assert not pool.closed
    await pool.wait_closed()
    assert pool.closed
    assert all(connection.closed for connection in free)
    assert counts(pool) == (0, 0, 0)
    pool.close()
    await pool.wait_closed()


async def test_wait_closed_before_close(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1)
    with pytest.raises(RuntimeError, match=r"\.wait_closed\(\) should be called after \.close\(\)"):
        await pool.wait_closed()
    async with pool.acquire() as connection:
        await session(connection)


async def test_wait_closed_waits_for_what_is_lent(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=2)
    first, second = await pool.acquire(), await pool.acquire()
    pool.close()
    waiting = [asyncio.ensure_future(pool.wait_closed()) for _ in range(3)]
    await asyncio.sleep(0.05)
    assert await session(first)
    pool.release(first)
    assert first.closed
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in waiting)
    pool.release(second)
    await asyncio.wait_for(asyncio.gather(*waiting), 5)
    assert pool.closed


async def test_a_closing_pool_lends_nothing(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    held = await pool.acquire()
    waiting = [await waiter_of(pool) for _ in range(3)]
    pool.close()
    message = "Cannot acquire connection after closing pool"
    for task in waiting:
        with pytest.raises(RuntimeError, match=message):
            await asyncio.wait_for(task, 5)
    with pytest.raises(RuntimeError, match=message):
        await pool.acquire()
    pool.release(held)
    await pool.wait_closed()
    with pytest.raises(RuntimeError, match=message):
        async with pool.acquire():
            pass


async def test_terminate(server: RunningServer, create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=2, maxsize=3)
    idle = await pool.acquire()
    busy = await pool.acquire()
    running = asyncio.ensure_future(busy.query("SELECT SLEEP(20)"))
    await asyncio.sleep(0.05)
    pool.terminate()
    assert idle.closed
    assert busy.closed
    began = time.monotonic()
    await pool.wait_closed()
    assert time.monotonic() - began < 1
    assert pool.closed
    with pytest.raises(aiomysql.OperationalError):
        await running
    # What is given back late is no error.
    pool.release(idle)
    pool.release(busy)
    assert counts(pool) == (0, 0, 0)
    assert not pool._terminated


async def test_closing_while_connections_are_opened(
    create_pool: CreatePool, connects: Connects
) -> None:
    pool = await create_pool(minsize=0, maxsize=2)
    connects.delay = 0.1
    waiting = await waiter_of(pool)
    pool.close()
    with pytest.raises(RuntimeError, match="after closing"):
        await waiting
    await pool.wait_closed()
    assert connects.running == 0
    assert counts(pool) == (0, 0, 0)


async def test_create_pool_that_is_cancelled(server: RunningServer, connects: Connects) -> None:
    for delay in (0.0, 0.05):
        connects.delay = delay
        making = asyncio.ensure_future(aiomysql.create_pool(minsize=2, **server.connect_kwargs()))
        await asyncio.sleep(0.02)
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            made = await making
            made.close()
            await made.wait_closed()
            raise asyncio.CancelledError
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        await asyncio.sleep(0.2)
        gc.collect()


async def test_a_pool_that_is_forgotten(server: RunningServer) -> None:
    pool = await aiomysql.create_pool(minsize=1, **server.connect_kwargs())
    with pytest.warns(ResourceWarning, match="Unclosed connection"):
        del pool
        gc.collect()
