"""Transactions, autocommit and savepoints."""

from __future__ import annotations

from typing import Any

from tests.compat.recorder import Api, Area

area = Area("transactions")


def on_a_table(work: Any) -> Any:
    async def run(api: Api) -> None:
        table = await api.table("a INT PRIMARY KEY")
        connection, observer = await api.connect(), await api.connect(autocommit=True)

        async def look(label: str) -> None:
            await api.rows(observer, f"SELECT a FROM {table} ORDER BY a", f"{label}: others see")
            status = (connection.get_transaction_status(), connection.get_autocommit())
            api.note(f"{label}: status", status)

        async def insert(value: int) -> None:
            cursor = await connection.cursor()
            await cursor.execute(f"INSERT INTO {table} VALUES (%s)", (value,))

        await work(api, connection, table, insert, look)

    area.add(work.__name__, run)
    return work


@on_a_table
async def committing(api: Api, connection: Any, table: str, insert: Any, look: Any) -> None:
    await look("first")
    await insert(1)
    await look("inserted")
    await api.attempt("commit", connection.commit)
    await look("committed")
    await api.attempt("commit again", connection.commit)


@on_a_table
async def rolling_back(api: Api, connection: Any, table: str, insert: Any, look: Any) -> None:
    await insert(1)
    await api.attempt("rollback", connection.rollback)
    await look("rolled back")
    await api.attempt("rollback again", connection.rollback)


@on_a_table
async def beginning(api: Api, connection: Any, table: str, insert: Any, look: Any) -> None:
    await api.attempt("autocommit", connection.autocommit, True)
    await look("autocommit")
    await api.attempt("begin", connection.begin)
    await look("begun")
    await insert(1)
    await look("inserted")
    await api.attempt("rollback", connection.rollback)
    await look("rolled back")
    await api.attempt("begin", connection.begin)
    await insert(2)
    await api.attempt("begin within", connection.begin)
    await look("begun within")
    await insert(3)
    await api.attempt("commit", connection.commit)
    await look("committed")


@on_a_table
async def autocommit(api: Api, connection: Any, table: str, insert: Any, look: Any) -> None:
    for value in (True, True, False, None, 1, 0):
        await api.attempt(f"autocommit {value}", connection.autocommit, value)
        api.note("mode", connection.autocommit_mode)
        await look(f"{value}")
    await insert(1)
    await look("inserted")
    await api.attempt("switched on", connection.autocommit, True)
    await look("switched on")


@on_a_table
async def autocommit_by_statement(
    api: Api, connection: Any, table: str, insert: Any, look: Any
) -> None:
    cursor = await connection.cursor()
    await cursor.execute("SET autocommit = 1")
    await look("on")
    await api.attempt("the same again", connection.autocommit, True)
    await cursor.execute("SET autocommit = 0")
    await look("off")


@on_a_table
async def savepoints(api: Api, connection: Any, table: str, insert: Any, look: Any) -> None:
    cursor = await connection.cursor()
    await insert(1)
    await api.attempt("savepoint", cursor.execute, "SAVEPOINT s")
    await insert(2)
    await api.attempt("rollback to", cursor.execute, "ROLLBACK TO SAVEPOINT s")
    await insert(3)
    await api.attempt("release", cursor.execute, "RELEASE SAVEPOINT s")
    await api.attempt("release again", cursor.execute, "RELEASE SAVEPOINT s")
    await connection.commit()
    await look("committed")


@on_a_table
async def ddl_commits(api: Api, connection: Any, table: str, insert: Any, look: Any) -> None:
    await insert(1)
    await connection.query(f"ALTER TABLE {table} ADD b INT")
    await look("altered")
    await connection.rollback()
    await look("rolled back")


@on_a_table
async def errors_within(api: Api, connection: Any, table: str, insert: Any, look: Any) -> None:
    await insert(1)
    await api.attempt("duplicate", insert, 1)
    await look("failed")
    await insert(2)
    await connection.commit()
    await look("committed")


@on_a_table
async def closing_within(api: Api, connection: Any, table: str, insert: Any, look: Any) -> None:
    await insert(1)
    await connection.ensure_closed()
    api.note("closed", connection.closed)


@on_a_table
async def a_reading_transaction(
    api: Api, connection: Any, table: str, insert: Any, look: Any
) -> None:
    await api.rows(connection, f"SELECT * FROM {table}")
    await look("read")
    await connection.rollback()
    await look("rolled back")


@on_a_table
async def results_and_commit(api: Api, connection: Any, table: str, insert: Any, look: Any) -> None:
    cursor = await connection.cursor()
    await cursor.execute("SELECT 1 UNION SELECT 2")
    await connection.commit()
    await api.attempt("fetchall", cursor.fetchall)
    await cursor.execute("SELECT 1; SELECT 2")
    await api.attempt("commit with sets unread", connection.commit)
    await api.attempt("nextset", cursor.nextset)


@area.scenario
async def autocommit_at_connect(api: Api) -> None:
    for value in (True, False, None, 1, 0):
        connection = await api.connect(autocommit=value)
        api.note(f"{value}", (connection.get_autocommit(), connection.autocommit_mode))
        await api.rows(connection, "SELECT @@autocommit")


@area.scenario
async def isolation(api: Api) -> None:
    connection = await api.connect()
    cursor = await connection.cursor()
    name = "tx_isolation" if api.is_mariadb else "transaction_isolation"
    for level in ("READ COMMITTED", "SERIALIZABLE", "REPEATABLE READ"):
        await api.attempt(level, cursor.execute, f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
        await api.rows(connection, f"SELECT @@{name}")


@area.scenario
async def two_phases(api: Api) -> None:
    table = await api.table("a INT")
    cursor = await api.cursor()
    for sql in (
        "XA START 'compat'",
        f"INSERT INTO {table} VALUES (1)",
        "XA END 'compat'",
        "XA PREPARE 'compat'",
        "XA COMMIT 'compat'",
        f"SELECT * FROM {table}",
    ):
        await api.execute(cursor, sql)


@area.scenario
async def stale_reads(api: Api) -> None:
    table = await api.table("a INT")
    one, two = await api.connect(), await api.connect(autocommit=True)
    await api.rows(one, f"SELECT COUNT(*) FROM {table}")
    await two.query(f"INSERT INTO {table} VALUES (1)")
    await api.rows(one, f"SELECT COUNT(*) FROM {table}")
    await one.commit()
    await api.rows(one, f"SELECT COUNT(*) FROM {table}")


@area.scenario
async def locked_tables(api: Api) -> None:
    table = await api.table("a INT")
    cursor = await api.cursor()
    for sql in (
        f"LOCK TABLES {table} READ",
        f"INSERT INTO {table} VALUES (1)",
        "SELECT * FROM missing",
        "UNLOCK TABLES",
        f"INSERT INTO {table} VALUES (1)",
    ):
        await api.execute(cursor, sql)
