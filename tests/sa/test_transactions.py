"""Root, inner and savepoint transactions."""

import pymysql
import pytest
import sqlalchemy as sa
from aiomysql.sa import InvalidRequestError
from aiomysql.sa.transaction import NestedTransaction, RootTransaction, Transaction

numbers = sa.Table("sa_numbers", sa.MetaData(), sa.Column("n", sa.Integer, primary_key=True))


@pytest.fixture
def stored(make_tables, observe):
    make_tables(numbers)
    return lambda: [n for (n,) in observe("SELECT n FROM sa_numbers ORDER BY n")]


async def add(conn, n):
    await conn.execute(numbers.insert().values(n=n))


async def test_commit(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        assert not conn.in_transaction
        transaction = await conn.begin()
        assert type(transaction) is RootTransaction
        assert transaction.connection is conn
        assert transaction.is_active
        assert conn.in_transaction
        await add(conn, 1)
        assert stored() == []
        await transaction.commit()
        assert stored() == [1]
        assert not transaction.is_active
        assert not conn.in_transaction


@pytest.mark.parametrize("end", ["rollback", "close"])
async def test_rollback(make_engine, stored, end):
    async with make_engine() as engine, engine.acquire() as conn:
        transaction = await conn.begin()
        await add(conn, 1)
        await getattr(transaction, end)()
        assert not transaction.is_active
        assert not conn.in_transaction
        await add(conn, 2)  # the connection is as it was
        assert stored() == [2]


async def test_ended_transaction(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        for end in ("commit", "rollback", "close"):
            transaction = await conn.begin()
            await getattr(transaction, end)()
            with pytest.raises(InvalidRequestError, match=r"^This transaction is inactive$"):
                await transaction.commit()
            await transaction.rollback()
            await transaction.close()


async def test_async_with(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        async with conn.begin() as transaction:
            await add(conn, 1)
        assert stored() == [1]
        assert not transaction.is_active

        async def fail():
            async with conn.begin():
                await add(conn, 2)
                raise LookupError

        with pytest.raises(LookupError):
            await fail()
        assert not conn.in_transaction
        async with conn.begin() as transaction:
            await add(conn, 3)
            await transaction.rollback()
        async with conn.begin() as transaction:
            await add(conn, 4)
            await transaction.commit()
        async with await conn.begin():
            await add(conn, 5)
    assert stored() == [1, 4, 5]


async def test_inner_commit_leaves_it_to_the_outer(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        outer = await conn.begin()
        inner = await conn.begin()
        assert type(inner) is Transaction
        await add(conn, 1)
        await inner.commit()
        assert (inner.is_active, outer.is_active, conn.in_transaction) == (False, True, True)
        assert stored() == []
        await outer.commit()
    assert stored() == [1]


async def test_inner_rollback_ends_the_outer(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        outer = await conn.begin()
        await add(conn, 1)
        inner = await conn.begin()
        await inner.rollback()
        assert (inner.is_active, outer.is_active, conn.in_transaction) == (False, False, False)
        with pytest.raises(InvalidRequestError, match="inactive"):
            await outer.commit()
        await outer.rollback()
    assert stored() == []


async def test_inner_close_leaves_the_outer(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        outer = await conn.begin()
        inner = await conn.begin()
        await add(conn, 1)
        await inner.close()
        assert (inner.is_active, outer.is_active) == (False, True)
        await outer.commit()
    assert stored() == [1]


async def test_outer_end_ends_the_inner(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        outer = await conn.begin()
        inner, nested = await conn.begin(), await conn.begin_nested()
        await outer.commit()
        assert (inner.is_active, nested.is_active, conn.in_transaction) == (False, False, False)
        for transaction in (inner, nested):
            with pytest.raises(InvalidRequestError, match="inactive"):
                await transaction.commit()
            await transaction.rollback()
        async with conn.begin():
            await add(conn, 1)
    assert stored() == [1]


async def test_savepoint_rollback(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        root = await conn.begin()
        await add(conn, 1)
        savepoint = await conn.begin_nested()
        assert type(savepoint) is NestedTransaction
        await add(conn, 2)
        await savepoint.rollback()
        assert (savepoint.is_active, root.is_active, conn.in_transaction) == (False, True, True)
        await savepoint.rollback()
        await add(conn, 3)
        await root.commit()
    assert stored() == [1, 3]


async def test_savepoint_commit(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        root = await conn.begin()
        savepoint = await conn.begin_nested()
        await add(conn, 1)
        await savepoint.commit()
        assert (savepoint.is_active, root.is_active) == (False, True)
        await savepoint.commit()  # again, as upstream lets it
        await savepoint.rollback()
        assert stored() == []
        await root.rollback()
    assert stored() == []


async def test_savepoint_close_keeps_its_changes(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        root = await conn.begin()
        savepoint = await conn.begin_nested()
        await add(conn, 1)
        await savepoint.close()
        assert (savepoint.is_active, root.is_active, conn.in_transaction) == (False, True, True)
        await root.commit()
    assert stored() == [1]


async def test_savepoints_within_savepoints(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn, conn.begin():
        async with conn.begin_nested():
            await add(conn, 1)
            inner = await conn.begin_nested()
            await add(conn, 2)
            await inner.rollback()
            async with conn.begin_nested():
                await add(conn, 3)
        outer = await conn.begin_nested()
        await add(conn, 4)
        inner = await conn.begin_nested()
        await add(conn, 5)
        await outer.rollback()  # and with it what is inside
        assert not inner.is_active
        await add(conn, 6)
    assert stored() == [1, 3, 6]


async def test_savepoint_by_async_with_survives_its_exception(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn, conn.begin():
        await add(conn, 1)

        async def fail():
            async with conn.begin_nested():
                await add(conn, 2)
                await add(conn, 1)

        with pytest.raises(pymysql.err.IntegrityError):
            await fail()
        await add(conn, 3)
    assert stored() == [1, 3]


async def test_savepoint_without_a_transaction_begins_one(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        transaction = await conn.begin_nested()
        assert type(transaction) is RootTransaction
        await add(conn, 1)
        await transaction.rollback()
    assert stored() == []


async def test_rollback_inside_a_savepoint_ends_the_savepoint_only(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        root = await conn.begin()
        await add(conn, 1)
        savepoint = await conn.begin_nested()
        await add(conn, 2)
        inner = await conn.begin()
        await inner.rollback()
        assert (savepoint.is_active, root.is_active) == (False, True)
        await root.commit()
    assert stored() == [1]


async def test_names_of_savepoints(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn, conn.begin():
        await conn.begin_nested()
        await conn.begin_nested()
        await conn.execute("ROLLBACK TO SAVEPOINT aiomysql_sa_savepoint_2")
        await conn.execute("ROLLBACK TO SAVEPOINT aiomysql_sa_savepoint_1")


async def test_close_of_the_connection_rolls_back(make_engine, stored):
    async with make_engine() as engine:
        conn = await engine.acquire()
        root = await conn.begin()
        await conn.begin_nested()
        await add(conn, 1)
        await conn.close()
        assert not root.is_active
        assert (engine.size, engine.freesize) == (1, 1)
    assert stored() == []


async def test_failed_begin_leaves_no_transaction(make_engine, observe):
    async with make_engine() as engine, engine.acquire() as conn:
        observe("KILL %s", (await conn.scalar("SELECT CONNECTION_ID()"),))
        with pytest.raises(pymysql.err.Error):
            await conn.begin()
        assert not conn.in_transaction


async def test_failed_commit_ends_the_transaction(make_engine, observe):
    async with make_engine() as engine, engine.acquire() as conn:
        transaction = await conn.begin()
        observe("KILL %s", (await conn.scalar("SELECT CONNECTION_ID()"),))
        with pytest.raises(pymysql.err.Error):
            await transaction.commit()
        assert not transaction.is_active
        assert not conn.in_transaction
