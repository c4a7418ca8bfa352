"""cancel="kill": what is cancelled here also ends at the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Callable

import aiomysql
import pytest

from tests.faults.support import at_full_strength, descriptors, eventually, no_noise, through
from tests.faults.test_server import running
from tests.fix_servers import RunningServer
from tests.proxy import Direction, Proxy


def is_alive(server: RunningServer, session: int) -> bool:
    sql = f"SELECT COUNT(*) FROM information_schema.processlist WHERE id = {session}"
    return bool(server.query(sql)[0][0])


def sessions(server: RunningServer) -> set[int]:
    sql = "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID()"
    return {number for (number,) in server.query(sql)}


@pytest.fixture
async def locked(
    server: RunningServer, table: Callable[..., str], connect: Any
) -> AsyncIterator[str]:
    """A statement that waits for a lock: a server does not look for its client meanwhile."""
    name = table("id INT PRIMARY KEY, v INT")
    server.query(f"INSERT INTO {name} VALUES (1, 0)")
    holder = await connect()
    await holder.begin()
    async with holder.cursor() as cursor:
        await cursor.execute(f"UPDATE {name} SET v = 1")
        yield f"UPDATE {name} SET v = v + 1"
    await holder.rollback()


async def begin(server: RunningServer, connection: Any, sql: str) -> asyncio.Task[Any]:
    """The statement, once the server works on it."""
    cursor = await connection.cursor()
    task = asyncio.ensure_future(cursor.execute(sql))
    await running(server, connection)
    return task


async def cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.bridge
async def test_a_cancelled_statement_ends_at_the_server(
    server: RunningServer, connect: Any, locked: str
) -> None:
    connection = await connect(cancel="kill")
    with no_noise():
        await cancel(await begin(server, connection, locked))
        assert connection.closed
        await eventually(lambda: not is_alive(server, connection.thread_id()))


async def test_by_default_the_server_goes_on(
    server: RunningServer, connect: Any, locked: str
) -> None:
    connection = await connect()
    await cancel(await begin(server, connection, locked))
    assert connection.closed
    # As long as a killed one takes to go, and much longer.
    await asyncio.sleep(0.3)
    assert is_alive(server, connection.thread_id())


@pytest.mark.bridge
async def test_a_timeout_ends_it_too(server: RunningServer, connect: Any, locked: str) -> None:
    connection = await connect(cancel="kill", read_timeout=0.3)
    cursor = await connection.cursor()
    with pytest.raises(aiomysql.OperationalError) as caught:
        await cursor.execute(locked)
    assert caught.value.args[0] == 2013
    await eventually(lambda: not is_alive(server, connection.thread_id()))


async def test_what_is_idle_or_closed_in_order_kills_nobody(
    server: RunningServer, proxy: Proxy
) -> None:
    connection = await aiomysql.connect(**through(server, proxy, cancel="kill"))
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT 1")
        await cursor.fetchall()
        never = cursor.execute("SELECT 2")
        never.close()
    await connection.ensure_closed()
    await asyncio.sleep(0.05)
    assert proxy.accepted == 1


@pytest.mark.bridge
async def test_a_pool_of_cancelled_statements(
    server: RunningServer, create_pool: Any, locked: str
) -> None:
    before = sessions(server)
    pool = await create_pool(minsize=1, maxsize=8, cancel="kill", autocommit=True)
    await at_full_strength(pool)
    await eventually(lambda: len(sessions(server) - before) == 8)
    held = descriptors()

    async def update() -> None:
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(locked)

    with no_noise():
        for _ in range(3):
            old = {connection.thread_id() for connection in pool._free}
            tasks = [asyncio.ensure_future(update()) for _ in range(8)]
            for connection in [*pool._free]:
                await running(server, connection)
            for task in tasks:
                await cancel(task)
            assert not pool._used
            await eventually(lambda old=old: not old & sessions(server))
            await at_full_strength(pool)
        # Neither those that were cancelled nor those that killed them are left.
        await eventually(lambda: len(sessions(server) - before) == 8)
        await eventually(lambda: descriptors() <= held)


async def test_a_transaction_is_rolled_back_at_once(
    server: RunningServer, connect: Any, table: Callable[..., str], locked: str
) -> None:
    name = table("id INT PRIMARY KEY")
    connection = await connect(cancel="kill")
    await connection.begin()
    async with connection.cursor() as cursor:
        await cursor.execute(f"INSERT INTO {name} VALUES (1)")
    await cancel(await begin(server, connection, locked))
    await eventually(lambda: not is_alive(server, connection.thread_id()))
    # The lock on the row that was inserted is free.
    server.query(f"INSERT INTO {name} VALUES (1)")
    assert server.query(f"SELECT * FROM {name}") == [(1,)]


@pytest.mark.parametrize("how", ["cut", "stall"])
async def test_a_second_connection_that_cannot_be_made(
    server: RunningServer, proxy: Proxy, how: str
) -> None:
    """Nobody hears of it, nothing waits for it, and nothing of it is left."""
    arguments = through(server, proxy, cancel="kill", connect_timeout=1)
    connection = await aiomysql.connect(**arguments)
    held = descriptors()
    task = await begin(server, connection, "SELECT SLEEP(20)")
    if how == "cut":
        proxy.cut(Direction.TO_CLIENT, 10)
    else:
        proxy.stall(Direction.TO_CLIENT, 10)
    with no_noise():
        await cancel(task)
        await eventually(lambda: proxy.accepted == 2)
        await eventually(lambda: proxy.open == 0)
        await eventually(lambda: descriptors() < held)


async def test_the_word_is_one_of_two(server: RunningServer) -> None:
    for wrong in ("KILL", "", None, True):
        with pytest.raises(ValueError, match="cancel is 'close' or 'kill'"):
            await aiomysql.connect(**server.connect_kwargs(cancel=wrong))
