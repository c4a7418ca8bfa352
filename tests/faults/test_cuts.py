"""Connections that end at a chosen byte: a clear error, no hang, no mixed rows, a healed pool."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiomysql
import pytest

from tests.faults.support import answers, at_full_strength, descriptors, no_noise, through
from tests.fix_servers import RunningServer
from tests.integration.support import numbers
from tests.proxy import Direction, Proxy

#: The longest that any failure may take to show.
SECONDS = 5

LOST = {2013, 2006, 4031}


async def opened(server: RunningServer, proxy: Proxy, **changes: Any) -> Any:
    return await asyncio.wait_for(aiomysql.connect(**through(server, proxy, **changes)), SECONDS)


# While connecting


async def handshake_bytes(server: RunningServer, proxy: Proxy) -> tuple[int, int]:
    """How many bytes pass until a connection is ready, to the client and to the server."""
    connection = await opened(server, proxy)
    lengths = proxy.passed(Direction.TO_CLIENT), proxy.passed(Direction.TO_SERVER)
    await connection.ensure_closed()
    return lengths


@pytest.mark.parametrize("reset", [False, True], ids=["end", "reset"])
async def test_at_any_byte_of_the_connecting(
    server: RunningServer, proxy: Proxy, reset: bool
) -> None:
    to_client, to_server = await handshake_bytes(server, proxy)
    places = [(Direction.TO_CLIENT, at) for at in spread(to_client)]
    places += [(Direction.TO_SERVER, at) for at in spread(to_server)]
    await all_gone(proxy)
    before = descriptors()
    with no_noise():
        for direction, at in places:
            proxy.heal()
            proxy.cut(direction, at, reset)
            with pytest.raises(aiomysql.OperationalError) as caught:
                await opened(server, proxy)
            error = caught.value
            # As upstream has it: 2013 where the peer is lost in the handshake itself.
            assert error.args[0] in (2003, 2013), (direction, at)
            assert error.args[0] == 2013 or error.__cause__ is not None, (direction, at)
    proxy.heal()
    connection = await opened(server, proxy)
    await connection.ensure_closed()
    await all_gone(proxy)
    assert descriptors() == before


async def all_gone(proxy: Proxy) -> None:
    """The proxy shares our descriptors, and closes its own a little later."""
    for _ in range(500):
        if proxy.open == 0:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.01)


def spread(length: int) -> list[int]:
    """All offsets of a short exchange; of a longer one the first, the last and some between."""
    return sorted({0, 1, 3, 4, 5, length // 4, length // 2, length - 20, length - 5, length - 1})


@pytest.mark.parametrize("direction", list(Direction))
async def test_a_stall_while_connecting_ends_by_the_timeout(
    server: RunningServer, proxy: Proxy, direction: Direction
) -> None:
    to_client, to_server = await handshake_bytes(server, proxy)
    length = to_client if direction is Direction.TO_CLIENT else to_server
    for at in (0, 10, length // 2, length - 1):
        proxy.heal()
        proxy.stall(direction, at)
        began = time.monotonic()
        with pytest.raises(aiomysql.OperationalError) as caught:
            await opened(server, proxy, connect_timeout=0.2)
        assert caught.value.args[0] == 2003
        assert time.monotonic() - began < 2
        proxy.cut_all()


async def test_a_pool_that_cannot_connect_at_first(server: RunningServer, proxy: Proxy) -> None:
    proxy.cut(Direction.TO_CLIENT, 10)
    with pytest.raises(aiomysql.OperationalError):
        await aiomysql.create_pool(minsize=2, **through(server, proxy))
    async with aiomysql.create_pool(minsize=0, maxsize=2, **through(server, proxy)) as pool:
        for _ in range(3):
            with pytest.raises(aiomysql.OperationalError):
                await asyncio.wait_for(pool.acquire(), SECONDS)
            assert pool.size == 0
        proxy.heal()
        await at_full_strength(pool)


# In the middle of a command

COMMANDS = {
    "rows": f"SELECT i, 'a value', NULL FROM ({numbers(30)}) AS t",
    "no rows": "SET @a = 1",
    "sets": "SELECT 1; SELECT 2; SET @a = 1; SELECT 3",
    "failure": "SELECT no_such_column",
}


async def run(cursor: Any, sql: str) -> list[Any]:
    """All that a statement gives."""
    await cursor.execute(sql)
    got = [list(await cursor.fetchall())]
    while await cursor.nextset():
        got.append(list(await cursor.fetchall()))
    return got


async def length_of(connection: Any, proxy: Proxy, kind: Any, sql: str) -> int:
    before = proxy.passed(Direction.TO_CLIENT)
    async with connection.cursor(kind) as cursor:
        try:
            await run(cursor, sql)
        except aiomysql.OperationalError as error:
            if error.args[0] != 1054:
                raise
    return proxy.passed(Direction.TO_CLIENT) - before


@pytest.mark.parametrize("kind", [aiomysql.Cursor, aiomysql.SSCursor])
@pytest.mark.parametrize("command", COMMANDS)
async def test_at_any_byte_of_an_answer(
    server: RunningServer, proxy: Proxy, command: str, kind: Any
) -> None:
    sql = COMMANDS[command]
    async with aiomysql.create_pool(minsize=1, maxsize=2, **through(server, proxy)) as pool:
        async with pool.acquire() as connection:
            length = await length_of(connection, proxy, kind, sql)
        before = descriptors()
        # Every byte of a short answer: header, column definitions, rows, end.
        step = max(1, length // 60)
        with no_noise():
            for at in range(0, length, step):
                async with pool.acquire() as connection:
                    proxy.cut_latest_after(Direction.TO_CLIENT, at, reset=at % 2 == 0)
                    cursor = await connection.cursor(kind)
                    with pytest.raises(aiomysql.OperationalError) as caught:
                        await asyncio.wait_for(run(cursor, sql), SECONDS)
                    assert caught.value.args[0] in LOST, at
                    assert connection.closed
                    await cursor.close()
                assert not pool._used
                await answers(pool, f"after byte {at}")
        assert descriptors() <= before
        await at_full_strength(pool)


async def test_at_any_byte_of_a_statement(server: RunningServer, proxy: Proxy, table: Any) -> None:
    name = table("v VARCHAR(100)")
    sql = f"INSERT INTO {name} VALUES ('{'x' * 50}')"
    arguments = through(server, proxy, autocommit=True)
    async with aiomysql.create_pool(minsize=1, maxsize=2, **arguments) as pool:
        for at in range(0, len(sql) + 5, 4):
            async with pool.acquire() as connection, connection.cursor() as cursor:
                proxy.cut_latest_after(Direction.TO_SERVER, at)
                with pytest.raises(aiomysql.OperationalError) as caught:
                    await asyncio.wait_for(cursor.execute(sql), SECONDS)
                assert caught.value.args[0] in LOST
            await answers(pool, "still there")
        # Half a statement is none.
        assert server.query(f"SELECT * FROM {name}") == []
        await at_full_strength(pool)


@pytest.mark.parametrize("at", [0, 3, 40])
async def test_a_half_closed_connection(server: RunningServer, proxy: Proxy, at: int) -> None:
    async with aiomysql.create_pool(minsize=1, maxsize=1, **through(server, proxy)) as pool:
        used = proxy.passed(Direction.TO_CLIENT)
        await pool.clear()
        proxy.half_close(Direction.TO_CLIENT, used + at)
        async with pool.acquire() as connection, connection.cursor() as cursor:
            with pytest.raises(aiomysql.OperationalError) as caught:
                await asyncio.wait_for(run(cursor, COMMANDS["rows"]), SECONDS)
            assert caught.value.args[0] in LOST
        proxy.heal()
        await at_full_strength(pool)


async def test_a_slow_network_changes_nothing(server: RunningServer, proxy: Proxy) -> None:
    proxy.throttle(Direction.TO_CLIENT, 1)
    connection = await opened(server, proxy)
    for kind in (aiomysql.Cursor, aiomysql.SSCursor):
        async with connection.cursor(kind) as cursor:
            got = await run(cursor, COMMANDS["rows"])
            assert got == [[(number, "a value", None) for number in range(1, 31)]]
            assert [len(rows) for rows in await run(cursor, COMMANDS["sets"])] == [1, 1, 0, 1]
    await connection.ensure_closed()


async def test_a_stalled_answer_ends_by_read_timeout(server: RunningServer, proxy: Proxy) -> None:
    connection = await opened(server, proxy, read_timeout=0.2)
    for wait in (0, 30):
        if connection.closed:
            await connection.ping()
        proxy.stall_latest_after(Direction.TO_CLIENT, wait)
        async with connection.cursor() as cursor:
            began = time.monotonic()
            with pytest.raises(aiomysql.OperationalError) as caught:
                await cursor.execute(COMMANDS["rows"])
            assert caught.value.args[0] == 2013
            assert time.monotonic() - began < 2
        assert connection.closed
    proxy.resume()


# While nothing runs


@pytest.mark.parametrize("reset", [False, True], ids=["end", "reset"])
async def test_idle_connections_that_end(server: RunningServer, proxy: Proxy, reset: bool) -> None:
    async with aiomysql.create_pool(minsize=4, maxsize=4, **through(server, proxy)) as pool:
        dead = list(pool._free)
        proxy.cut_all(reset)
        await asyncio.sleep(0.02)
        with no_noise():
            await at_full_strength(pool)
        assert all(connection.closed for connection in dead)


async def test_idle_connections_that_do_not_answer(server: RunningServer, proxy: Proxy) -> None:
    """A network that swallows everything: only the ping's deadline can tell."""
    arguments = through(server, proxy, connect_timeout=0.3)
    async with aiomysql.create_pool(minsize=1, maxsize=2, **arguments) as pool:
        (dead,) = pool._free
        await asyncio.sleep(1.05)
        proxy.stall_all()
        began = time.monotonic()
        await answers(pool, "another")
        assert time.monotonic() - began < 2
        assert dead.closed
        proxy.resume()
        await at_full_strength(pool)


async def test_all_connections_of_a_busy_pool_end(server: RunningServer, proxy: Proxy) -> None:
    async with aiomysql.create_pool(minsize=1, maxsize=5, **through(server, proxy)) as pool:
        stop = False
        served = 0
        errors: list[Exception] = []

        async def work(number: int) -> None:
            nonlocal served
            while not stop:
                try:
                    await answers(pool, f"{number}/{served}")
                    served += 1
                except aiomysql.Error as error:
                    errors.append(error)

        workers = [asyncio.ensure_future(work(number)) for number in range(12)]
        for turn in range(8):
            await asyncio.sleep(0.05)
            proxy.cut_all(reset=turn % 2 == 0)
        stop = True
        await asyncio.wait_for(asyncio.gather(*workers), 10)
        assert served > 20
        assert {error.args[0] for error in errors} <= LOST | {2003}
        await at_full_strength(pool)
