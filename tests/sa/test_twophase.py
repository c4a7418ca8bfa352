"""Two-phase (XA) transactions."""

import asyncio
from contextlib import suppress

import pymysql
import pytest
import sqlalchemy as sa
from aiomysql.sa import InvalidRequestError
from aiomysql.sa.transaction import NestedTransaction, Transaction, TwoPhaseTransaction

numbers = sa.Table("sa_xa_numbers", sa.MetaData(), sa.Column("n", sa.Integer, primary_key=True))


def forget_prepared(observe):
    """Roll back what a test that failed has left: it holds locks, even when its client is gone."""
    for format_id, length, _, data in observe("XA RECOVER"):
        data = data if isinstance(data, bytes) else data.encode()
        if data.startswith((b"sa_test", b"_sa_")):
            with suppress(pymysql.err.OperationalError):
                observe("XA ROLLBACK %s, %s, %s", (data[:length], data[length:], format_id))


@pytest.fixture
def stored(make_tables, observe):
    forget_prepared(observe)
    make_tables(numbers)
    yield lambda: [n for (n,) in observe("SELECT n FROM sa_xa_numbers ORDER BY n")]
    forget_prepared(observe)


async def until_gone(observe, thread_id):
    """Wait until the server has noticed that a client left: then its transaction is detached."""
    for _ in range(500):
        if not observe("SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = %s", (thread_id,)):
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"connection {thread_id} is still there")


async def add(conn, n):
    await conn.execute(numbers.insert().values(n=n))


async def test_prepare_and_commit(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        transaction = await conn.begin_twophase("sa_test_1")
        assert type(transaction) is TwoPhaseTransaction
        assert (transaction.xid, transaction.is_active, conn.in_transaction) == (
            "sa_test_1",
            True,
            True,
        )
        await add(conn, 1)
        await transaction.prepare()
        assert transaction.is_active
        assert "sa_test_1" in await conn.recover_twophase()
        assert stored() == []
        await transaction.commit()
        assert (transaction.is_active, conn.in_transaction) == (False, False)
        assert stored() == [1]
        with pytest.raises(InvalidRequestError, match="inactive"):
            await transaction.commit()
        with pytest.raises(InvalidRequestError, match="inactive"):
            await transaction.prepare()


async def test_prepare_and_rollback(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        transaction = await conn.begin_twophase()
        assert transaction.xid.startswith("_sa_")
        await add(conn, 1)
        await transaction.prepare()
        await transaction.rollback()
        assert (transaction.is_active, conn.in_transaction) == (False, False)
        assert transaction.xid not in await conn.recover_twophase()
        await add(conn, 2)
    assert stored() == [2]


async def test_without_prepare(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        transaction = await conn.begin_twophase()
        await add(conn, 1)
        await transaction.commit()
        for end in ("rollback", "close"):
            transaction = await conn.begin_twophase()
            await add(conn, 2)
            await getattr(transaction, end)()
            assert (transaction.is_active, conn.in_transaction) == (False, False)
    assert stored() == [1]


async def test_async_with(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        async with conn.begin_twophase() as transaction:
            await add(conn, 1)
            await transaction.prepare()
        assert not transaction.is_active

        async def fail():
            async with conn.begin_twophase() as transaction:
                await add(conn, 2)
                await transaction.prepare()
                raise LookupError

        with pytest.raises(LookupError):
            await fail()
        assert not conn.in_transaction
    assert stored() == [1]


async def test_not_inside_another_transaction(make_engine, stored):
    message = "^Cannot start a two phase transaction when a transaction is already in progress.$"
    async with make_engine() as engine, engine.acquire() as conn:
        for begin in (conn.begin, conn.begin_twophase):
            async with begin():
                with pytest.raises(InvalidRequestError, match=message):
                    await conn.begin_twophase()


async def test_transactions_inside(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        transaction = await conn.begin_twophase()
        inner = await conn.begin()
        assert type(inner) is Transaction
        await inner.commit()
        savepoint = await conn.begin_nested()
        assert type(savepoint) is NestedTransaction
        await add(conn, 1)
        await savepoint.rollback()
        await conn.begin_nested()  # left open
        await add(conn, 2)
        await transaction.prepare()
        await transaction.commit()
        assert not conn.in_transaction
    assert stored() == [2]


@pytest.mark.parametrize("xid", ["sa_test it's \\", "sa_test_é"])
async def test_xids_are_quoted(make_engine, stored, xid):
    async with make_engine(charset="utf8mb4") as engine, engine.acquire() as conn:
        transaction = await conn.begin_twophase(xid)
        await transaction.prepare()
        assert xid in await conn.recover_twophase()
        await transaction.rollback()


@pytest.mark.parametrize("autocommit", [True, False])
@pytest.mark.parametrize("end", ["commit_prepared", "rollback_prepared"])
async def test_recovery_after_the_connection_is_lost(make_engine, stored, observe, end, autocommit):
    used = []
    async with make_engine(autocommit=autocommit) as engine:

        async def prepare_and_leave():
            async with engine.acquire() as conn:
                used.extend((conn.connection, conn.connection.thread_id()))
                transaction = await conn.begin_twophase("sa_test_recover")
                await add(conn, 1)
                await transaction.prepare()

        with pytest.raises(InvalidRequestError, match="not finished transaction"):
            await prepare_and_leave()
        if used[0].closed:  # MySQL leaves a prepared transaction to itself; its connection goes on
            await until_gone(observe, used[1])
        async with engine.acquire() as conn:
            assert "sa_test_recover" in await conn.recover_twophase()
            await getattr(conn, end)("sa_test_recover")
            assert "sa_test_recover" not in await conn.recover_twophase()
            with pytest.raises(pymysql.err.OperationalError) as caught:
                await getattr(conn, end)("sa_test_recover")
            assert caught.value.args[0] == 1397
            assert conn.connection.get_autocommit() is autocommit
    assert stored() == ([1] if end == "commit_prepared" else [])


async def test_recovery_of_a_transaction_that_changed_nothing(make_engine, stored, observe):
    async with make_engine() as engine:
        conn = await engine.acquire()
        transaction = await conn.begin_twophase("sa_test_empty")
        await transaction.prepare()
        lost = conn.connection.thread_id()
        await conn.connection.ensure_closed()
        await until_gone(observe, lost)
        async with engine.acquire() as other:
            for xid in await other.recover_twophase():
                if xid == "sa_test_empty":
                    await other.rollback_prepared(xid)
            assert "sa_test_empty" not in await other.recover_twophase()
        with pytest.raises(pymysql.err.Error):
            await conn.close()


@pytest.mark.parametrize("end", ["commit_prepared", "rollback_prepared"])
@pytest.mark.parametrize("prepared", [True, False])
async def test_ending_by_xid_ends_the_transaction(make_engine, stored, end, prepared):
    async with make_engine() as engine, engine.acquire() as conn:
        transaction = await conn.begin_twophase("sa_test_2")
        await add(conn, 1)
        if prepared:
            await transaction.prepare()
        await getattr(conn, end)("sa_test_2", is_prepared=prepared)
        assert (transaction.is_active, conn.in_transaction) == (False, False)
    assert stored() == ([1] if end == "commit_prepared" else [])


async def test_foreign_branches_are_not_listed(make_engine, stored, observe):
    async with make_engine() as engine, engine.acquire() as conn:
        before = await conn.recover_twophase()
        for command in ("START", "END", "PREPARE"):
            await conn.execute(f"XA {command} 'sa_test_global', 'branch', 7")
        assert await conn.recover_twophase() == before
        await conn.execute("XA ROLLBACK 'sa_test_global', 'branch', 7")


async def test_close_of_the_connection_rolls_back(make_engine, stored):
    async with make_engine() as engine:
        conn = await engine.acquire()
        transaction = await conn.begin_twophase()
        await add(conn, 1)
        await transaction.prepare()
        await conn.close()
        assert not transaction.is_active
    assert stored() == []
