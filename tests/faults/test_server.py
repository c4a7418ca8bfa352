"""What servers do to their clients: kills, time-outs, deadlocks, restarts."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any, Callable

import aiomysql
import pytest

from tests.faults.support import answers, at_full_strength, no_noise
from tests.fix_servers import RunningServer
from tests.integration.support import numbers
from tests.pool.support import killed

LOST = {2013, 2006, 4031, 1927}


async def usable(connection: Any) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT 'marker'")
        assert await cursor.fetchall() == (("marker",),)


async def running(server: RunningServer, connection: Any) -> None:
    """Waits until the server works on a statement of this connection."""
    sql = f"SELECT info FROM information_schema.processlist WHERE id = {connection.thread_id()}"
    for _ in range(300):
        if server.query(sql)[0][0]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nothing runs")


# Kills


@pytest.mark.parametrize("kind", [aiomysql.Cursor, aiomysql.SSCursor])
async def test_kill_query(server: RunningServer, connection: Any, kind: Any) -> None:
    async with connection.cursor(kind) as cursor:

        async def run() -> None:
            await cursor.execute(f"SELECT SLEEP(20) FROM ({numbers(3)}) AS t")
            await cursor.fetchall()

        task = asyncio.ensure_future(run())
        await running(server, connection)
        server.query(f"KILL QUERY {connection.thread_id()}")
        # SLEEP alone tells of it by its value; among rows the statement fails.
        with contextlib.suppress(aiomysql.OperationalError):
            await asyncio.wait_for(task, 5)
    assert not connection.closed
    await usable(connection)


async def test_kill_query_fails_the_statement_alone(server: RunningServer, connection: Any) -> None:
    async with connection.cursor() as cursor:
        slow = asyncio.ensure_future(
            cursor.execute(
                "SELECT COUNT(*) FROM information_schema.collations a, "
                "information_schema.collations b, information_schema.collations c, "
                "information_schema.collations d WHERE a.id + b.id + c.id = SQRT(d.id)"
            )
        )
        await running(server, connection)
        server.query(f"KILL QUERY {connection.thread_id()}")
        with pytest.raises(aiomysql.OperationalError) as caught:
            await asyncio.wait_for(slow, 10)
        assert caught.value.args[0] == 1317
        assert caught.value.sqlstate == "70100"
        assert cursor.rowcount == 0
    assert not connection.closed
    await usable(connection)


async def test_kill_query_in_the_middle_of_a_stream(server: RunningServer, connection: Any) -> None:
    cursor = await connection.cursor(aiomysql.SSCursor)
    await cursor.execute(f"SELECT i, REPEAT('x', 20000) FROM ({numbers(50_000)}) AS t")
    assert (await cursor.fetchone())[0] == 1
    server.query(f"KILL QUERY {connection.thread_id()}")
    rows = 1
    with pytest.raises(aiomysql.OperationalError) as caught:
        while (row := await cursor.fetchone()) is not None:
            rows += 1
            assert row[0] == rows
    assert caught.value.args[0] == 1317
    assert rows < 50_000
    assert not connection.closed
    await cursor.close()
    await usable(connection)


async def test_killed_in_the_middle_of_a_command(server: RunningServer, create_pool: Any) -> None:
    pool = await create_pool(minsize=1, maxsize=2)
    async with pool.acquire() as connection, connection.cursor() as cursor:
        task = asyncio.ensure_future(cursor.execute("SELECT SLEEP(20)"))
        await running(server, connection)
        server.query(f"KILL {connection.thread_id()}")
        with pytest.raises(aiomysql.OperationalError) as caught:
            await asyncio.wait_for(task, 5)
        # MariaDB says so; the connection is lost all the same.
        assert caught.value.args[0] in LOST | {1317}
    await at_full_strength(pool)


@pytest.mark.parametrize("lent", [False, True])
async def test_killed_while_idle(server: RunningServer, create_pool: Any, lent: bool) -> None:
    pool = await create_pool(minsize=3, maxsize=3)
    for _ in range(5):
        victims = list(pool._free)[:2]
        if lent:
            taken = [await pool.acquire() for _ in victims]
            await killed(server, *taken)
            for connection in taken:
                pool.release(connection)
        else:
            await killed(server, *victims)
        with no_noise():
            await at_full_strength(pool)
        assert all(connection.closed for connection in victims)


async def test_idle_for_longer_than_wait_timeout(server: RunningServer, create_pool: Any) -> None:
    pool = await create_pool(minsize=2, maxsize=2, init_command="SET wait_timeout = 1")
    old = list(pool._free)
    await asyncio.sleep(1.6)
    with no_noise():
        await at_full_strength(pool)
    assert all(connection.closed for connection in old)


async def test_a_connection_of_ones_own_past_wait_timeout(connect: Any) -> None:
    connection = await connect(init_command="SET wait_timeout = 1")
    await asyncio.sleep(1.6)
    with pytest.raises(aiomysql.OperationalError) as caught:
        await usable(connection)
    # MySQL says good-bye with an error of its own.
    assert caught.value.args[0] in LOST
    if not connection.closed:
        with pytest.raises(aiomysql.OperationalError):
            await usable(connection)
    assert connection.closed
    await connection.ping(reconnect=True)
    await usable(connection)


# Locks


@pytest.fixture
async def two(connect: Any) -> AsyncIterator[Any]:
    """Two connections in a transaction each, that wait no longer than a second for a lock."""
    both = [await connect(init_command="SET innodb_lock_wait_timeout = 1") for _ in range(2)]
    for connection in both:
        await connection.begin()
    return both


async def update(connection: Any, table: str, row: int) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute(f"UPDATE {table} SET v = v + 1 WHERE id = %s", (row,))


async def test_a_lock_that_is_not_given(
    server: RunningServer, table: Callable[..., str], two: Any
) -> None:
    name = table("id INT PRIMARY KEY, v INT")
    server.query(f"INSERT INTO {name} VALUES (1, 0), (2, 0)")
    holder, other = two
    await update(holder, name, 1)
    await update(other, name, 2)
    with pytest.raises(aiomysql.OperationalError) as caught:
        await update(other, name, 1)
    assert caught.value.args[0] == 1205
    # The statement has failed, the transaction goes on.
    assert other.get_transaction_status()
    await holder.rollback()
    await update(other, name, 1)
    await other.commit()
    assert server.query(f"SELECT v FROM {name}") == [(1,), (1,)]


async def test_a_deadlock(server: RunningServer, table: Callable[..., str], two: Any) -> None:
    name = table("id INT PRIMARY KEY, v INT")
    server.query(f"INSERT INTO {name} VALUES (1, 0), (2, 0)")
    await update(two[0], name, 1)
    await update(two[1], name, 2)
    results = await asyncio.wait_for(
        asyncio.gather(update(two[0], name, 2), update(two[1], name, 1), return_exceptions=True), 10
    )
    (victim,) = (index for index, result in enumerate(results) if result is not None)
    error: Any = results[victim]
    assert type(error) is aiomysql.OperationalError
    assert (error.args[0], error.sqlstate) == (1213, "40001")
    await two[1 - victim].commit()
    # The victim begins again, on the same connection.
    await two[victim].begin()
    await update(two[victim], name, 1)
    await two[victim].commit()
    assert server.query(f"SELECT id, v FROM {name} ORDER BY id") == [(1, 2), (2, 1)]


# The server goes and comes back


@pytest.mark.seconds(120)
@pytest.mark.parametrize("kind", ["mariadb", "mysql"])
async def test_a_restart_under_load(own_server: Callable[..., Any], kind: str) -> None:
    server = own_server(kind)
    arguments = server.address.connect_kwargs()
    async with aiomysql.create_pool(minsize=2, maxsize=4, connect_timeout=3, **arguments) as pool:
        stop = False
        served: list[float] = []
        errors: list[Exception] = []

        async def work(number: int) -> None:
            while not stop:
                try:
                    await answers(pool, f"worker {number}, turn {len(served)}")
                    served.append(time.monotonic())
                except aiomysql.Error as error:
                    errors.append(error)
                    await asyncio.sleep(0.02)

        loop = asyncio.get_running_loop()
        workers = [asyncio.ensure_future(work(number)) for number in range(10)]
        for end in (server.kill, server.terminate):
            while len(served) < 50:
                await asyncio.sleep(0.01)
            await loop.run_in_executor(None, end)
            await asyncio.sleep(0.1)
            served.clear()
            await loop.run_in_executor(None, server.start)
        while len(served) < 50:
            await asyncio.sleep(0.01)
        stop = True
        await asyncio.wait_for(asyncio.gather(*workers), 10)
        assert errors
        # 1053: the server is shutting down; 1045 and 1130 do not belong here.
        assert {error.args[0] for error in errors} <= LOST | {2003, 1053, 1152}
        await at_full_strength(pool)
