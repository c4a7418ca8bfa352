"""A connection's attributes and methods, and how it ends."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.compat.recorder import Api, Area

area = Area("connection")


@area.scenario
async def attributes(api: Api) -> None:
    connection = await api.connect()
    for name in [
        "host",
        "user",
        "db",
        "unix_socket",
        "echo",
        "closed",
        "encoding",
        "charset",
        "use_unicode",
        "client_flag",
        "cursorclass",
        "connect_timeout",
        "host_info",
        "autocommit_mode",
        "sql_mode",
        "init_command",
        "protocol_version",
        "server_version",
        "server_status",
        "server_public_key",
    ]:
        await api.attempt(name, getattr, connection, name)
    api.note("port", type(connection.port))
    api.note("thread", (type(connection.server_thread_id), len(connection.server_thread_id)))
    api.note("thread_id", connection.thread_id() == connection.server_thread_id[0])
    api.note("last_usage", type(connection.last_usage))
    api.note("connected_time", type(connection.connected_time))
    api.note("loop", connection.loop is asyncio.get_running_loop())
    api.note("decoders", type(connection.decoders))
    api.note("encoders", type(connection.encoders))


@area.scenario
async def methods_that_ask(api: Api) -> None:
    connection = await api.connect()
    for name in [
        "get_host_info",
        "get_proto_info",
        "get_server_info",
        "get_transaction_status",
        "get_autocommit",
        "character_set_name",
        "affected_rows",
        "insert_id",
    ]:
        api.call(name, getattr(connection, name))
    await api.rows(connection, "SELECT CONNECTION_ID() > 0")
    cursor = await connection.cursor()
    await cursor.execute("SELECT CONNECTION_ID()")
    api.note("the same", (await cursor.fetchone()) == (connection.thread_id(),))
    await cursor.execute("SELECT VERSION()")
    (version,) = await cursor.fetchone()
    api.note("version", connection.get_server_info().removeprefix("5.5.5-") == version)


@area.scenario
async def before_it_is_opened(api: Api) -> None:
    connection = api.aiomysql.Connection(**api.arguments)
    for name in ("closed", "host_info", "echo", "charset", "encoding", "autocommit_mode"):
        await api.attempt(name, getattr, connection, name)
    for name in ("escape", "literal", "escape_string"):
        api.call(name, getattr(connection, name), "it's")
    api.call("cursor", connection.cursor)
    for name in ("begin", "commit", "rollback", "show_warnings", "next_result"):
        await api.attempt(name, getattr(connection, name))
    await api.attempt("query", connection.query, "SELECT 1")
    await api.attempt("ping", connection.ping, reconnect=False)
    api.call("close", connection.close)
    await api.attempt("ensure_closed", connection.ensure_closed)
    await api.attempt("_connect", connection._connect)
    api.note("closed", connection.closed)
    connection.close()


@area.scenario
async def after_close(api: Api) -> None:
    connection = await api.connect()
    cursor = await connection.cursor()
    await cursor.execute("SELECT 1")
    api.call("close", connection.close)
    api.note("closed", connection.closed)
    api.call("close again", connection.close)
    await api.attempt("ensure_closed", connection.ensure_closed)
    for name in ("begin", "commit", "rollback", "show_warnings"):
        await api.attempt(name, getattr(connection, name))
    await api.attempt("query", connection.query, "SELECT 1")
    await api.attempt("select_db", connection.select_db, "x")
    await api.attempt("set_charset", connection.set_charset, "latin1")
    await api.attempt("kill", connection.kill, 1)
    await api.attempt("autocommit", connection.autocommit, True)
    await api.attempt("ping", connection.ping, reconnect=False)
    api.call("cursor", connection.cursor)
    await api.attempt("execute", cursor.execute, "SELECT 1")
    for name in [
        "get_host_info",
        "get_proto_info",
        "get_transaction_status",
        "get_autocommit",
        "character_set_name",
        "affected_rows",
        "insert_id",
    ]:
        api.call(name, getattr(connection, name))


@area.scenario
async def ensure_closed(api: Api) -> None:
    connection = await api.connect()
    await api.attempt("ensure_closed", connection.ensure_closed)
    api.note("closed", connection.closed)
    await api.attempt("again", connection.ensure_closed)
    await api.attempt("query", connection.query, "SELECT 1")


@area.scenario
async def pinging(api: Api) -> None:
    connection = await api.connect()
    await api.attempt("ping", connection.ping)
    await api.attempt("by position", connection.ping, False)
    before = connection.thread_id()
    connection.close()
    await api.attempt("closed", connection.ping, reconnect=False)
    await api.attempt("reconnect", connection.ping)
    api.note("closed", connection.closed)
    api.note("another session", connection.thread_id() != before)
    await api.rows(connection, "SELECT DATABASE()")


@area.scenario
async def reconnecting_restores_the_session(api: Api) -> None:
    connection = await api.connect(
        charset="latin1", sql_mode="'ANSI'", autocommit=True, init_command="SET @a = 5"
    )
    sql = "SELECT @@character_set_client, @@sql_mode, @@autocommit, @a + 0"
    await api.rows(connection, sql)
    connection.close()
    await connection.ping()
    await api.rows(connection, sql)


@area.scenario
async def queries(api: Api) -> None:
    table = await api.table("a INT AUTO_INCREMENT PRIMARY KEY, b INT")
    connection = await api.connect()
    for sql in (
        "SELECT 1 UNION SELECT 2",
        f"INSERT INTO {table} (b) VALUES (1), (2)",
        f"UPDATE {table} SET b = 5",
        "SET @a = 1",
        b"SELECT 3",
        "SELEC 1",
    ):
        await api.attempt(f"{sql!r}", connection.query, sql)
        api.call("affected_rows", connection.affected_rows)
        api.call("insert_id", connection.insert_id)
        result = connection._result
        if result is not None:
            for name in (
                "affected_rows",
                "insert_id",
                "rows",
                "description",
                "message",
                "has_next",
            ):
                api.note(name, getattr(result, name) or None)


@area.scenario
async def several_results(api: Api) -> None:
    connection = await api.connect()
    await api.attempt("query", connection.query, "SELECT 1; SELECT 2 UNION SELECT 3; SET @a = 1")
    api.note("rows", connection._result.rows)
    for _ in range(2):
        await api.attempt("next_result", connection.next_result)
        api.note("rows", connection._result.rows)
        api.note("has_next", bool(connection._result.has_next))
    await api.rows(connection, "SELECT 4")


@area.scenario
async def selecting_databases(api: Api) -> None:
    connection = await api.connect()
    for name in ("information_schema", "mysql", "missing_database", "with`quote"):
        await api.attempt(name, connection.select_db, name)
        await api.rows(connection, "SELECT DATABASE()")
    api.note("db", connection.db)


@area.scenario
async def killing(api: Api) -> None:
    connection, victim = await api.connect(), await api.connect()
    await api.attempt("kill", connection.kill, victim.thread_id())
    await asyncio.sleep(0.2)
    await api.attempt("nobody", connection.kill, 999999999)
    await api.attempt("afterwards", connection.query, "SELECT 1")
    try:
        await victim.query("SELECT 1")
    except api.aiomysql.Error as error:
        api.note("victim", type(error))
    api.note("closed", victim.closed)


@area.scenario
async def commands(api: Api) -> None:
    from pymysql.constants import COMMAND

    connection = await api.connect()
    await api.attempt("query", connection._execute_command, COMMAND.COM_QUERY, "SET @a = 1")
    await api.attempt("ok", _is_ok, connection)
    await api.attempt("ping", connection._execute_command, COMMAND.COM_PING, "")
    await api.attempt("ok", _is_ok, connection)
    await api.attempt("init db", connection._execute_command, COMMAND.COM_INIT_DB, "mysql")
    await api.attempt("ok", _is_ok, connection)
    await api.rows(connection, "SELECT DATABASE()")


async def _is_ok(connection: Any) -> bool:
    await connection._read_ok_packet()
    return True


@area.scenario
async def one_statement_at_a_time(api: Api) -> None:
    connection = await api.connect()
    one, two = await connection.cursor(), await connection.cursor()
    running = asyncio.ensure_future(one.execute("SELECT SLEEP(0.3)"))
    await asyncio.sleep(0.05)
    try:
        await two.execute("SELECT 2")
    except Exception as error:
        api.note("class", type(error))
    await api.attempt("the first", lambda: running)
    await api.attempt("its rows", one.fetchall)
    await api.attempt("afterwards", two.execute, "SELECT 3")


@area.scenario
async def cancelling(api: Api) -> None:
    connection = await api.connect()
    cursor = await connection.cursor()
    running = asyncio.ensure_future(cursor.execute("SELECT SLEEP(2)"))
    await asyncio.sleep(0.1)
    running.cancel()
    try:
        await running
    except asyncio.CancelledError:
        api.note("cancelled", True)
    api.note("closed", connection.closed)
    await api.attempt("execute", cursor.execute, "SELECT 1")
    await api.attempt("query", connection.query, "SELECT 1")
    await api.attempt("commit", connection.commit)
    await api.attempt("close the cursor", cursor.close)
    await api.attempt("ping", connection.ping)
    await api.rows(connection, "SELECT 1")


@area.scenario
async def a_time_limit(api: Api) -> None:
    connection = await api.connect()
    cursor = await connection.cursor()
    try:
        await asyncio.wait_for(cursor.execute("SELECT SLEEP(2)"), 0.1)
    except asyncio.TimeoutError:
        api.note("timed out", True)
    api.note("closed", connection.closed)
    await api.attempt("close", cursor.close)


@area.scenario
async def the_context_manager_of_connect(api: Api) -> None:
    async with api.aiomysql.connect(**api.arguments) as connection:
        api.note("kind", type(connection))
        await api.rows(connection, "SELECT 1")
    api.note("closed", connection.closed)
    try:
        async with api.aiomysql.connect(**api.arguments) as connection:
            raise ValueError("inside")
    except ValueError as error:
        api.note("error", error)
    api.note("closed", connection.closed)
    connection = await api.connect()
    async with connection as same:
        api.note("same", same is connection)
    api.note("closed", connection.closed)


@area.scenario
async def what_connect_returns(api: Api) -> None:
    from collections.abc import Awaitable, Coroutine

    waiting = api.aiomysql.connect(**api.arguments)
    api.note("kind", type(waiting))
    api.note("is a coroutine", (isinstance(waiting, Coroutine), isinstance(waiting, Awaitable)))
    (await asyncio.wait_for(waiting, 10)).close()
    (await asyncio.create_task(api.aiomysql.connect(**api.arguments))).close()
    for connection in await asyncio.gather(
        api.aiomysql.connect(**api.arguments), api.aiomysql.connect(**api.arguments)
    ):
        connection.close()


@area.scenario
async def a_subclass_with_statements_of_its_own(api: Api) -> None:
    sent: list[Any] = []

    class Watched(api.aiomysql.Connection):  # type: ignore[name-defined,misc]
        async def _execute_command(self, command: int, sql: Any) -> None:
            sent.append((command, sql))
            await super()._execute_command(command, sql)

    connection = Watched(**api.arguments, sql_mode="'ANSI'", init_command="SET @a = 1")
    await connection._connect()
    cursor = await connection.cursor()
    await cursor.execute("SELECT %s", ("x",))
    api.note("rows", await cursor.fetchall())
    await connection.begin()
    await connection.rollback()
    await connection.autocommit(True)
    await connection.ping()
    await connection.select_db("mysql")
    await connection.set_charset("latin1")
    await connection.show_warnings()
    for command, sql in sent:
        api.note(f"command {command}", sql.encode() if isinstance(sql, str) else bytes(sql))
    connection.close()


@area.scenario
async def last_usage(api: Api) -> None:
    connection = await api.connect()
    before = connection.last_usage
    await asyncio.sleep(0.02)
    await connection.cursor()
    api.note("by cursor()", connection.last_usage > before)


@area.scenario
async def texts_of_objects(api: Api) -> None:
    connection = await api.connect()
    cursor = await connection.cursor()
    api.note("connection", connection)
    api.note("cursor", cursor)
    api.note("classes", (type(connection), type(cursor), type(connection.cursor())))
    api.note("dict cursor", api.aiomysql.DictCursor)


@area.scenario
async def attributes_of_ones_own(api: Api) -> None:
    import weakref

    connection = await api.connect()
    cursor = await connection.cursor()
    for each in (connection, cursor):
        each.mine = 1
        api.note("mine", (each.mine, "mine" in vars(each)))
        api.note("weak", weakref.ref(each)() is each)
        api.note("hash", hash(each) == hash(each))
        api.note("equal", each == each)
