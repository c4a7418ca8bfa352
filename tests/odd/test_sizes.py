"""Packets around the protocol's limit of 0xFFFFFF bytes, many columns, many sets."""

from __future__ import annotations

import hashlib
from typing import Any, Callable

import aiomysql
import pymysql.err
import pytest

pytestmark = pytest.mark.newest

# The most that one packet carries; a longer payload goes on in the next, perhaps an empty one.
FULL = 0xFFFFFF

Connect = Callable[..., Any]


async def ask(connection: Any, sql: str, args: Any = None) -> Any:
    async with connection.cursor() as cursor:
        await cursor.execute(sql, args)
        return await cursor.fetchall()


@pytest.mark.parametrize("payload", [FULL - 1, FULL, FULL + 1])
async def test_a_statement_that_fills_a_packet(connect: Connect, payload: int) -> None:
    """The payload is the command's byte and the statement."""
    connection = await connect()
    statement = "SELECT LENGTH('{}'), 'the end'"
    filling = "x" * (payload - 1 - len(statement.format("")))
    assert await ask(connection, statement.format(filling)) == ((len(filling), "the end"),)
    assert await ask(connection, "SELECT 1") == ((1,),)


@pytest.mark.parametrize("payload", [FULL - 1, FULL, FULL + 1])
@pytest.mark.parametrize("cursor_class", [aiomysql.Cursor, aiomysql.SSCursor])
async def test_a_row_that_fills_a_packet(
    connect: Connect, payload: int, cursor_class: type[aiomysql.Cursor]
) -> None:
    """The payload is a cell with four bytes of length in front, and one cell more."""
    connection = await connect(cursorclass=cursor_class)
    size = payload - 4 - 2
    ((cell, last),) = await ask(
        connection, f"SELECT REPEAT('y', {size}), 'z' UNION ALL SELECT 1, 2 LIMIT 1"
    )
    assert (len(cell), cell.strip("y"), last) == (size, "", "z")
    assert list(await ask(connection, "SELECT 1")) == [(1,)]


async def test_forty_megabytes_there_and_back(connect: Connect) -> None:
    connection = await connect()
    value = bytes(range(256)) * (40_000_000 // 256)
    ((length, back),) = await ask(connection, "SELECT LENGTH(%s), %s", (b"", value))
    assert length == 0
    assert hashlib.sha1(back).digest() == hashlib.sha1(value).digest()
    assert await ask(connection, "SELECT 1") == ((1,),)


async def test_more_than_the_server_takes(connect: Connect, server: Any) -> None:
    """The server says so or only leaves; the connection says that it is closed, and no other is."""
    ((limit,),) = server.query("SELECT @@GLOBAL.max_allowed_packet")
    connection, other = await connect(), await connect()
    with pytest.raises(pymysql.err.OperationalError) as caught:
        await ask(connection, "SELECT LENGTH(%s)", ("x" * (limit + 100),))
    assert caught.value.args[0] in (1153, 2006, 2013, 2020)
    with pytest.raises(pymysql.err.Error):
        await ask(connection, "SELECT 1")
    assert connection.closed
    assert await ask(other, "SELECT 1") == ((1,),)
    await connection.ping()
    assert await ask(connection, "SELECT 1") == ((1,),)


async def test_as_many_columns_as_a_table_can_have(connect: Connect) -> None:
    connection = await connect()
    columns = [f"{n} AS c{n}" for n in range(4096)]
    sql = f"SELECT {', '.join(columns)}"
    assert await ask(connection, sql) == (tuple(range(4096)),)
    async with connection.cursor(aiomysql.DictCursor) as cursor:
        await cursor.execute(sql)
        assert await cursor.fetchone() == {f"c{n}": n for n in range(4096)}
        assert len(cursor.description) == 4096


@pytest.mark.parametrize("cursor_class", [aiomysql.Cursor, aiomysql.SSCursor])
async def test_a_hundred_sets(connect: Connect, cursor_class: type[aiomysql.Cursor]) -> None:
    connection = await connect()
    async with connection.cursor(cursor_class) as cursor:
        await cursor.execute("; ".join(f"SELECT {n}, 'x'" for n in range(100)))
        for n in range(100):
            assert list(await cursor.fetchall()) == [(n, "x")]
            assert await cursor.nextset() is (True if n < 99 else None)
    assert await ask(connection, "SELECT 1") == ((1,),)
    async with connection.cursor(cursor_class) as cursor:
        await cursor.execute("; ".join(f"SELECT {n}" for n in range(100)))
    assert await ask(connection, "SELECT 'not one of them'") == (("not one of them",),)
