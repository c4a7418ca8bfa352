"""create_engine() and Engine."""

import asyncio
from collections.abc import Coroutine

import aiomysql
import pytest
from aiomysql.cursors import DeserializationCursor
from aiomysql.sa import ArgumentError, Engine, InvalidRequestError, SAConnection
from aiomysql.sa.engine import _dialect
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql


async def test_properties(make_engine):
    engine = await make_engine(minsize=1, maxsize=3)
    assert isinstance(engine, Engine)
    assert (engine.name, engine.driver) == ("mysql", "pymysql")
    assert engine.dialect is _dialect
    assert (engine.minsize, engine.maxsize, engine.size, engine.freesize) == (1, 3, 1, 1)
    conn = await engine.acquire()
    assert isinstance(conn, SAConnection)
    assert (engine.size, engine.freesize) == (1, 0)
    await engine.release(conn)
    assert (engine.size, engine.freesize) == (1, 1)
    engine.close()
    await engine.wait_closed()
    assert engine.size == 0


async def test_arguments_reach_the_pool(make_engine):
    async with make_engine(minsize=2, maxsize=0, pool_recycle=60, charset="latin1") as engine:
        assert (engine.size, engine.maxsize) == (2, None)
        async with engine.acquire() as conn:
            assert conn.connection.charset == "latin1"


async def test_pool_recycle(make_engine):
    async with make_engine(pool_recycle=0) as engine:
        seen = set()
        for _ in range(2):
            async with engine.acquire() as conn:
                seen.add(await conn.scalar("SELECT CONNECTION_ID()"))
            await asyncio.sleep(0.05)
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"minsize": -1}, ValueError),
        ({"minsize": 2, "maxsize": 1}, ValueError),
        ({"no_such_argument": 1}, TypeError),
    ],
)
async def test_wrong_arguments(make_engine, arguments, error):
    with pytest.raises(error):
        await make_engine(**arguments)


async def test_loop_is_ignored(make_engine):
    async with make_engine(loop=object()) as engine:
        assert engine.size == 1


@pytest.mark.parametrize(
    "cursorclass",
    [aiomysql.DictCursor, aiomysql.SSCursor, aiomysql.SSDictCursor, DeserializationCursor, dict],
)
async def test_cursor_classes_refused(make_engine, cursorclass):
    with pytest.raises(ArgumentError, match="SQLAlchemy engine does not support this cursor class"):
        await make_engine(cursorclass=cursorclass)


async def test_own_cursor_class(make_engine):
    class Shouting(aiomysql.Cursor):
        async def execute(self, query, args=None):
            return await super().execute(query.replace("whisper", "SHOUT"), args)

    async with make_engine(cursorclass=Shouting) as engine, engine.acquire() as conn:
        assert await conn.scalar("SELECT 'whisper'") == "SHOUT"


async def test_dialect_is_used(make_engine):
    own = MySQLDialect_pymysql(paramstyle="pyformat")
    async with make_engine(dialect=own) as engine, engine.acquire() as conn:
        assert engine.dialect is own
        assert (await conn.execute("SELECT 1")).dialect is own


async def test_dialect_with_positional_parameters_refused(make_engine):
    with pytest.raises(ArgumentError, match="'format'"):
        await make_engine(dialect=MySQLDialect_pymysql(paramstyle="format"))


async def test_what_is_returned_are_coroutines(make_engine):
    made = make_engine()
    assert isinstance(made, Coroutine)
    engine = await asyncio.create_task(made)
    conn = await asyncio.wait_for(engine.acquire(), 10)
    first, second = await asyncio.gather(conn.scalar("SELECT 1"), asyncio.sleep(0, 2))
    assert (first, second) == (1, 2)
    unused = conn.execute("SELECT 1")
    unused.close()
    await conn.close()
    async with engine:
        pass
    assert engine.size == 0


async def test_closed_engine_gives_no_connection(make_engine):
    engine = await make_engine()
    with pytest.raises(RuntimeError, match="should be called after"):
        await engine.wait_closed()
    engine.close()
    with pytest.raises(RuntimeError, match="Cannot acquire connection after closing pool"):
        await engine.acquire()
    await engine.wait_closed()


async def test_terminate_closes_connections_in_use(make_engine):
    engine = await make_engine()
    conn = await engine.acquire()
    engine.terminate()
    assert conn.closed
    await engine.wait_closed()


async def test_release_inside_a_transaction(make_engine):
    async with make_engine() as engine:
        conn = await engine.acquire()
        transaction = await conn.begin()
        with pytest.raises(InvalidRequestError, match="with not finished transaction"):
            engine.release(conn)
        assert not conn.closed
        await transaction.rollback()
        await engine.release(conn)
        assert engine.freesize == 1


async def test_release_closes_the_connection_and_is_repeatable(make_engine):
    async with make_engine() as engine:
        conn = await engine.acquire()
        raw = conn.connection
        engine.release(conn)  # need not be awaited
        assert conn.closed
        assert conn.connection is None
        assert not raw.closed
        await engine.release(conn)
        await conn.close()
        assert (engine.size, engine.freesize) == (1, 1)


async def test_release_of_a_foreign_connection(make_engine):
    async with make_engine() as one, make_engine() as other:
        conn = await one.acquire()
        with pytest.raises(AssertionError):
            other.release(conn)
        assert not conn.closed
        await one.release(conn)


async def test_leaving_with_an_open_transaction(make_engine):
    async with make_engine(maxsize=1) as engine:
        with pytest.raises(InvalidRequestError, match="with not finished transaction"):
            async with engine.acquire() as conn:
                transaction = await conn.begin()
        assert conn.closed
        assert not transaction.is_active
        async with engine.acquire() as conn:  # the only place in the pool is free again
            assert await conn.scalar("SELECT 1") == 1


async def test_leaving_with_an_open_transaction_keeps_the_exception(make_engine):
    async with make_engine(maxsize=1) as engine:

        async def fail():
            async with engine.acquire() as conn:
                await conn.begin()
                raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            await fail()
        async with engine.acquire() as conn:
            assert await conn.scalar("SELECT 1") == 1


async def test_leaving_after_close(make_engine):
    async with make_engine() as engine:
        async with engine.acquire() as conn:
            await conn.close()
        assert (engine.size, engine.freesize) == (1, 1)
