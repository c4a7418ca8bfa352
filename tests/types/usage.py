"""What users see in an editor: held by mypy --strict and by basedpyright, never run.

An ignored error is one that the checkers must find; one that they do not find is an error.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import Any, Optional

import aiomysql
from typing_extensions import assert_type

Row = tuple[Any, ...]
DictRow = dict[str, Any]


async def rows_of_a_plain_cursor() -> None:
    async with aiomysql.connect(host="127.0.0.1", user="app", db="mydb") as conn:
        assert_type(conn, aiomysql.Connection)
        async with conn.cursor() as cur:
            assert_type(cur, aiomysql.Cursor)
            assert_type(await cur.execute("SELECT %s, %s", (1, "a")), int)
            assert_type(await cur.fetchone(), Optional[Row])
            assert_type(await cur.fetchmany(5), Sequence[Row])
            assert_type(await cur.fetchall(), Sequence[Row])
            assert_type(await cur.nextset(), Optional[bool])
            assert_type(cur.rowcount, int)
            assert_type(cur.lastrowid, Optional[int])
            assert_type(cur.mogrify("SELECT %s", 1), str)
            async for row in cur:
                assert_type(row, Row)
            for column in cur.description or ():
                assert_type(column[0], str)
        assert_type(await conn.cursor(), aiomysql.Cursor)


async def rows_of_a_dict_cursor() -> None:
    conn = await aiomysql.connect()
    async with conn.cursor(aiomysql.DictCursor) as cur:
        assert_type(cur, aiomysql.DictCursor)
        assert_type(await cur.fetchone(), Optional[DictRow])
        assert_type(await cur.fetchall(), Sequence[DictRow])
        async for row in cur:
            assert_type(row["name"], Any)
    await conn.ensure_closed()


async def rows_that_are_streamed(conn: aiomysql.Connection) -> None:
    async with conn.cursor(aiomysql.SSDictCursor) as cur:
        assert_type(await cur.fetchone(), Optional[DictRow])
        assert_type(await cur.fetchmany(100), list[DictRow])
        async for row in cur:
            assert_type(row, DictRow)


async def a_cursor_class_for_the_connection() -> None:
    conn = await aiomysql.connect(cursorclass=aiomysql.DictCursor)
    assert_type(conn, "aiomysql.Connection[aiomysql.DictCursor]")
    async with conn.cursor() as cur:
        assert_type(await cur.fetchone(), Optional[DictRow])
    assert_type(
        aiomysql.Connection(cursorclass=aiomysql.SSDictCursor),
        "aiomysql.Connection[aiomysql.SSDictCursor]",
    )


class User:
    name: str


class UserCursor(aiomysql.Cursor[User]):
    """Rows of one's own type: `_conv_row` makes them."""


async def a_cursor_class_of_ones_own(conn: aiomysql.Connection) -> None:
    async with conn.cursor(UserCursor) as cur:
        user = await cur.fetchone()
        assert_type(user, Optional[User])
    async with conn.cursor(aiomysql.SSCursor, aiomysql.DeserializationCursor) as mixed:
        assert_type(mixed, Any)


async def pools() -> None:
    async with aiomysql.create_pool(
        host="127.0.0.1", minsize=1, maxsize=5, pool_recycle=60
    ) as pool:
        assert_type(pool, aiomysql.Pool)
        async with pool.acquire() as conn:
            assert_type(conn, aiomysql.Connection)
        borrowed = await pool.acquire()
        assert_type(borrowed, aiomysql.Connection)
        await pool.release(borrowed)
        assert_type(pool.maxsize, Optional[int])
        await pool.acquire(timeout=2)
        assert_type(pool.stats().acquired, int)
    dicts = await aiomysql.create_pool(cursorclass=aiomysql.DictCursor, autocommit=True)
    assert_type(dicts, "aiomysql.Pool[aiomysql.DictCursor]")
    async with dicts.acquire() as conn2, conn2.cursor() as cur:
        assert_type(await cur.fetchone(), Optional[DictRow])
    dicts.close()
    await dicts.wait_closed()


async def transactions(conn: aiomysql.Connection) -> None:
    await conn.begin()
    try:
        async with conn.cursor() as cur:
            assert_type(await cur.executemany("INSERT INTO t VALUES (%s)", [(1,)]), Optional[int])
        await conn.commit()
    except aiomysql.IntegrityError:
        await conn.rollback()
    assert_type(conn.get_transaction_status(), bool)


async def token() -> str:
    return "secret"


async def every_argument(tls: ssl.SSLContext) -> None:
    await aiomysql.connect(ssl=tls)
    await aiomysql.connect(ssl={"ca": "/etc/ca.pem"}, connect_timeout=2.5, read_timeout=30)
    await aiomysql.connect(database="mydb", passwd=b"secret", autocommit=None)
    await aiomysql.create_pool(password=token, acquire_timeout=5, reset=True, cancel="kill")
    await aiomysql.create_pool(ssl=True, database="mydb", init_command="SET time_zone = '+00:00'")


async def awaitables(conn: aiomysql.Connection) -> None:
    opened = asyncio.create_task(aiomysql.connect())
    assert_type(await opened, aiomysql.Connection)
    cur = await conn.cursor()
    running = asyncio.create_task(cur.execute("SELECT 1"))
    assert_type(await running, int)
    assert_type(await asyncio.wait_for(cur.fetchone(), timeout=5), Optional[Row])


async def mistakes(conn: aiomysql.Connection) -> None:
    aiomysql.connect(hots="127.0.0.1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    aiomysql.create_pool(maxsise=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    aiomysql.create_pool(port="3306")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    aiomysql.connect(cancel="maybe")  # type: ignore[arg-type]  # pyright: ignore
    conn.cursor(dict)  # type: ignore[type-var]  # pyright: ignore
    cur = await conn.cursor(aiomysql.DictCursor)
    row = await cur.fetchone()
    row["name"]  # type: ignore[index]  # pyright: ignore
    await cur.rowcount  # type: ignore[misc]  # pyright: ignore
