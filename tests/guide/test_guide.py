"""The users' guide, section by section: its calls, with its arguments, in its order.

Only what names the server differs, and the tables are made beforehand.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

import aiomysql
import pytest

from tests.fix_servers import RunningServer

DATABASE = "guide"


@pytest.fixture(autouse=True)
def _tables(server: RunningServer) -> Iterator[None]:
    with server.admin() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
        cursor.execute(f"USE {DATABASE}")
        cursor.execute(
            "CREATE TABLE users (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100), "
            "email VARCHAR(100), active BOOLEAN NOT NULL DEFAULT TRUE)"
        )
        cursor.execute("CREATE TABLE accounts (id INT PRIMARY KEY, balance DECIMAL(10, 2))")
        cursor.execute("INSERT INTO accounts VALUES (1, 100), (2, 5)")
        cursor.execute(
            "CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, user_id INT, total DOUBLE)"
        )
        cursor.execute("CREATE TABLE large_table (id INT PRIMARY KEY, text VARCHAR(50))")
        cursor.executemany(
            "INSERT INTO large_table VALUES (%s, %s)",
            [(number, f"row {number}") for number in range(1200)],
        )
    yield
    server.query("DROP DATABASE guide")


@pytest.fixture
def where(server: RunningServer) -> dict[str, Any]:
    """What stands for the guide's host, port, user, password and db."""
    return server.connect_kwargs(db=DATABASE)


@pytest.fixture
async def pool(where: dict[str, Any]) -> Any:
    async with aiomysql.create_pool(**where) as pool:
        yield pool


@pytest.fixture
async def conn(pool: aiomysql.Pool) -> Any:
    async with pool.acquire() as conn:
        yield conn


@pytest.fixture
async def cur(conn: Any) -> Any:
    async with conn.cursor() as cur:
        yield cur


# Core principles


async def test_core_principles_autocommit_defaults_to_false(
    server: RunningServer, where: dict[str, Any]
) -> None:
    async with aiomysql.connect(**where) as connection, connection.cursor() as cursor:
        assert connection.get_autocommit() is False
        await cursor.execute("INSERT INTO users (name) VALUES ('unsaved')")
    assert server.query("SELECT * FROM guide.users") == []


async def test_core_principles_context_managers_guarantee_the_release(
    where: dict[str, Any],
) -> None:
    async with aiomysql.create_pool(maxsize=1, **where) as pool:
        for _ in range(3):
            with contextlib.suppress(LookupError):
                async with pool.acquire() as connection, connection.cursor() as cursor:
                    await cursor.execute("SELECT 1")
                    raise LookupError
            assert cursor.closed
            assert pool.freesize == 1
    assert connection.closed


# Connection pool (preferred pattern)


async def test_connection_pool(where: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    async def create_app_pool() -> aiomysql.Pool:
        return await aiomysql.create_pool(
            host=where["host"],
            port=where["port"],
            user=where["user"],
            password=where["password"],
            db=where["db"],
            minsize=2,
            maxsize=10,
            autocommit=False,
            pool_recycle=3600,
            charset="utf8mb4",
        )

    pool = await create_app_pool()
    assert (pool.minsize, pool.maxsize, pool.size, pool.freesize) == (2, 10, 2, 2)
    try:
        async with pool.acquire() as conn:
            assert (conn.get_autocommit(), conn.charset) == (False, "utf8mb4")
            async with conn.cursor() as cur:
                await cur.execute("SELECT 1")
                (result,) = await cur.fetchone()
                print(result)
    finally:
        pool.close()
        await pool.wait_closed()
    assert capfd.readouterr().out == "1\n"
    assert pool.closed


def test_connection_pool_runs_under_asyncio_run(where: dict[str, Any]) -> None:
    async def main() -> Any:
        pool = await aiomysql.create_pool(minsize=2, **where)
        try:
            async with pool.acquire() as conn:
                async with conn.cursor() as cur:
                    await cur.execute("SELECT 1")
                    return await cur.fetchone()
        finally:
            pool.close()
            await pool.wait_closed()

    assert asyncio.run(main()) == (1,)


def test_connection_pool_key_parameters() -> None:
    pool = inspect.signature(aiomysql.create_pool).parameters
    connection = inspect.signature(aiomysql.connect).parameters
    assert pool["minsize"].default == 1
    assert pool["maxsize"].default == 10
    assert pool["pool_recycle"].default == -1
    assert connection["autocommit"].default is False
    assert connection["charset"].default == ""


# Parameterized queries


async def test_parameterized_queries(cur: aiomysql.Cursor) -> None:
    rows = [("Alice", "alice@example.com"), ("Bob", "bob@example.com")]
    assert (
        await cur.executemany(
            "INSERT INTO users (name, email) VALUES (%s, %s)",
            rows,
        )
        == 2
    )
    # Batched: one statement carried both.
    assert cur._executed == (
        b"INSERT INTO users (name, email) VALUES "
        b"('Alice', 'alice@example.com'),('Bob', 'bob@example.com')"
    )
    email = "bob@example.com"
    await cur.execute(
        "SELECT id, name FROM users WHERE email = %s AND active = %s",
        (email, True),
    )
    assert await cur.fetchall() == ((2, "Bob"),)


async def test_parameterized_queries_prevent_injection(cur: aiomysql.Cursor) -> None:
    email = "' OR '1'='1"
    await cur.executemany(
        "INSERT INTO users (name, email) VALUES (%s, %s)", [("Alice", "a@b"), ("Eve", email)]
    )
    await cur.execute("SELECT name FROM users WHERE email = %s AND active = %s", (email, True))
    assert await cur.fetchall() == (("Eve",),)
    # What the guide shows as wrong finds everybody.
    await cur.execute(f"SELECT * FROM users WHERE email = '{email}'")
    assert cur.rowcount == 2


# Cursor types


async def test_cursor_types(conn: Any) -> None:
    names = ("Cursor", "DictCursor", "SSCursor", "SSDictCursor")
    for name, row in zip(names, [(1, "a"), {"n": 1, "s": "a"}] * 2):
        async with conn.cursor(getattr(aiomysql, name)) as cur:
            await cur.execute("SELECT 1 AS n, 'a' AS s")
            fetched = await cur.fetchone()
            assert (type(fetched), fetched) == (type(row), row)
    async with conn.cursor() as cur:
        assert type(cur) is aiomysql.Cursor


async def test_cursor_types_dict_cursor(conn: Any) -> None:
    async with conn.cursor() as cur:
        await cur.execute("INSERT INTO users (id, name) VALUES (42, 'Alice')")
    async with conn.cursor(aiomysql.DictCursor) as cur:
        await cur.execute("SELECT id, name FROM users WHERE id = %s", (42,))
        row = await cur.fetchone()
        assert row["name"] == "Alice"
        assert row == {"id": 42, "name": "Alice"}


async def test_cursor_types_ss_cursor(conn: Any) -> None:
    processed = []
    async with conn.cursor(aiomysql.SSCursor) as cur:
        await cur.execute("SELECT * FROM large_table")
        async for row in cur:
            processed.append(row)
    assert processed == [(number, f"row {number}") for number in range(1200)]


# Transaction management


async def transfer_funds(pool: aiomysql.Pool, from_id: int, to_id: int, amount: float) -> None:
    async with pool.acquire() as conn:
        async with conn.cursor() as cur:
            try:
                await conn.begin()
                await cur.execute(
                    "UPDATE accounts SET balance = balance - %s WHERE id = %s",
                    (amount, from_id),
                )
                await cur.execute(
                    "UPDATE accounts SET balance = balance + %s WHERE id = %s",
                    (amount, to_id),
                )
                await conn.commit()
            except Exception:
                await conn.rollback()
                raise


async def test_transaction_management(server: RunningServer, pool: aiomysql.Pool) -> None:
    await transfer_funds(pool, 1, 2, 30.5)
    balances = server.query("SELECT balance FROM guide.accounts ORDER BY id")
    assert [float(balance) for (balance,) in balances] == [69.5, 35.5]
    # Committed: the connection went back to the pool.
    assert pool.freesize == 1


async def test_transaction_management_rolls_back(
    server: RunningServer, pool: aiomysql.Pool
) -> None:
    with pytest.raises(aiomysql.DataError) as caught:
        # The first statement succeeds, the second is out of DECIMAL(10, 2)'s range.
        await transfer_funds(pool, 1, 2, 99_999_999.0)
    assert caught.value.args[0] == 1264
    balances = server.query("SELECT balance FROM guide.accounts ORDER BY id")
    assert [float(balance) for (balance,) in balances] == [100.0, 5.0]
    assert pool.freesize == 1


# Fetch strategies


async def test_fetch_strategies(cur: aiomysql.Cursor) -> None:
    await cur.execute("SELECT * FROM large_table ORDER BY id")
    row = await cur.fetchone()
    assert row == (0, "row 0")
    rows = await cur.fetchall()
    assert len(rows) == 1199
    assert rows[-1] == (1199, "row 1199")


@pytest.mark.parametrize("kind", [aiomysql.Cursor, aiomysql.SSCursor])
async def test_fetch_strategies_in_chunks(conn: Any, kind: Any) -> None:
    chunks: list[Any] = []
    async with conn.cursor(kind) as cur:
        await cur.execute("SELECT id FROM large_table ORDER BY id")
        while True:
            chunk = await cur.fetchmany(size=500)
            if not chunk:
                break
            chunks.append(chunk)
    assert [len(chunk) for chunk in chunks] == [500, 500, 200]
    assert [row for chunk in chunks for row in chunk] == [(number,) for number in range(1200)]


# Accessing INSERT ids and row counts


async def test_insert_ids_and_row_counts(
    server: RunningServer, conn: Any, cur: aiomysql.Cursor
) -> None:
    user_id, total = 7, 12.5
    for expected in (1, 2):
        await cur.execute(
            "INSERT INTO orders (user_id, total) VALUES (%s, %s)",
            (user_id, total),
        )
        await conn.commit()
        new_id = cur.lastrowid
        affected = cur.rowcount
        assert (new_id, affected) == (expected, 1)
    assert server.query("SELECT * FROM guide.orders") == [(1, 7, 12.5), (2, 7, 12.5)]
    await cur.execute("UPDATE orders SET total = total + 1")
    assert cur.rowcount == 2


# Lifecycle: single connection


async def test_single_connection(
    server: RunningServer, where: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    conn = await aiomysql.connect(
        host=where["host"], port=where["port"],
        user=where["user"], password=where["password"], db=where["db"],
        charset="utf8mb4",
    )  # fmt: skip
    try:
        async with conn.cursor() as cur:
            await cur.execute("SELECT VERSION()")
            (version,) = await cur.fetchone()
            print(f"MySQL {version}")
    finally:
        conn.close()
    assert capfd.readouterr().out == f"MySQL {server.version_text}\n"
    assert conn.closed


async def test_single_connection_ensure_closed(where: dict[str, Any]) -> None:
    conn = await aiomysql.connect(**where)
    assert inspect.iscoroutinefunction(conn.ensure_closed)
    assert not inspect.iscoroutinefunction(conn.close)
    await conn.ensure_closed()
    assert conn.closed


# Common mistakes


async def test_common_mistakes_forgetting_await_on_close(conn: Any) -> None:
    cur = await conn.cursor()
    forgotten = cur.close()
    assert inspect.isawaitable(forgotten)
    assert not cur.closed
    await forgotten
    assert cur.closed


async def test_common_mistakes_stale_connections(
    server: RunningServer, where: dict[str, Any]
) -> None:
    arguments = {**where, "init_command": "SET wait_timeout = 1"}
    async with aiomysql.create_pool(pool_recycle=0.5, **arguments) as pool:
        await asyncio.sleep(1.5)
        async with pool.acquire() as conn, conn.cursor() as cur:
            await cur.execute("SELECT 1")
            assert await cur.fetchone() == (1,)


async def test_common_mistakes_mixing_autocommit_modes(
    server: RunningServer, where: dict[str, Any]
) -> None:
    async with aiomysql.create_pool(autocommit=True, **where) as pool:
        async with pool.acquire() as conn, conn.cursor() as cur:
            await cur.execute("INSERT INTO users (name) VALUES ('Alice')")
            assert server.query("SELECT name FROM guide.users") == [("Alice",)]
            await conn.commit()
            assert server.query("SELECT name FROM guide.users") == [("Alice",)]


async def test_common_mistakes_passing_loop(where: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    conn = await aiomysql.connect(loop=loop, **where)
    assert conn.loop is loop
    await conn.ensure_closed()
    async with aiomysql.create_pool(loop=loop, **where) as pool:
        assert pool.size == 1
