"""Connections: transactions, databases, pings, endings, errors and what they tell of themselves."""

from __future__ import annotations

import asyncio
import gc
import linecache
import warnings
from typing import Any, Callable

import aiomysql
import pymysql
import pytest

from tests.farewell import assert_farewells
from tests.fix_servers import RunningServer

pytestmark = pytest.mark.newest

Connect = Callable[..., Any]
Table = Callable[..., str]


async def value(connection: aiomysql.Connection, sql: str) -> Any:
    async with connection.cursor() as cursor:
        await cursor.execute(sql)
        row = await cursor.fetchone()
        return row[0]


def status(server: RunningServer, name: str) -> int:
    return int(server.query("SHOW GLOBAL STATUS LIKE %s", (name,))[0][1])


async def gone(server: RunningServer, thread: int) -> None:
    """Waits until the server has ended a session."""
    sql = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = %s"
    for _ in range(200):
        if server.query(sql, (thread,))[0][0] == 0:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"session {thread} is still there")


# Transactions


@pytest.mark.parametrize(("given", "on_server"), [(False, 0), (True, 1)])
async def test_autocommit_at_connect(connect: Connect, given: bool, on_server: int) -> None:
    connection = await connect(autocommit=given)
    assert connection.get_autocommit() is given
    assert await value(connection, "SELECT @@autocommit") == on_server


async def test_autocommit_none_keeps_the_servers_mode(connect: Connect) -> None:
    connection = await connect(autocommit=None)
    assert connection.get_autocommit() is True
    assert connection.autocommit_mode is None
    assert await value(connection, "SELECT @@autocommit") == 1


async def test_autocommit_is_switched(connection: aiomysql.Connection) -> None:
    for mode in (True, True, False):
        await connection.autocommit(mode)
        assert connection.get_autocommit() is mode
        assert await value(connection, "SELECT @@autocommit") == int(mode)


async def test_commit_keeps_and_rollback_undoes(
    server: RunningServer, connection: aiomysql.Connection, table: Table
) -> None:
    name = table("id INT PRIMARY KEY")
    async with connection.cursor() as cursor:
        await connection.begin()
        await cursor.execute(f"INSERT INTO {name} VALUES (1)")
        assert server.query(f"SELECT id FROM {name}") == []
        await connection.commit()
        assert server.query(f"SELECT id FROM {name}") == [(1,)]
        await connection.begin()
        await cursor.execute(f"INSERT INTO {name} VALUES (2)")
        await connection.rollback()
    assert server.query(f"SELECT id FROM {name}") == [(1,)]


async def test_a_transaction_shows_in_the_status(
    connection: aiomysql.Connection, table: Table
) -> None:
    name = table("id INT PRIMARY KEY")
    assert connection.get_transaction_status() is False
    await connection.begin()
    assert connection.get_transaction_status() is True
    async with connection.cursor() as cursor:
        await cursor.execute(f"INSERT INTO {name} VALUES (1)")
        assert connection.get_transaction_status() is True
        with pytest.raises(aiomysql.IntegrityError):
            await cursor.execute(f"INSERT INTO {name} VALUES (1)")
        assert connection.get_transaction_status() is True
    await connection.rollback()
    assert connection.get_transaction_status() is False


async def test_a_transaction_ends_with_its_connection(
    server: RunningServer, connect: Connect, table: Table
) -> None:
    name = table("id INT PRIMARY KEY")
    connection = await connect()
    async with connection.cursor() as cursor:
        await cursor.execute(f"INSERT INTO {name} VALUES (1)")
    thread = connection.thread_id()
    connection.close()
    await gone(server, thread)
    assert server.query(f"SELECT id FROM {name}") == []


# Databases, character sets, sessions


async def test_select_db(server: RunningServer, connection: aiomysql.Connection) -> None:
    name = "other ``db"
    quoted = "`" + name.replace("`", "``") + "`"
    server.query(f"CREATE DATABASE IF NOT EXISTS {quoted}")
    try:
        await connection.select_db(name)
        assert await value(connection, "SELECT DATABASE()") == name
    finally:
        server.query(f"DROP DATABASE {quoted}")


async def test_select_db_that_is_not_there(connection: aiomysql.Connection) -> None:
    with pytest.raises(aiomysql.OperationalError) as caught:
        await connection.select_db("no_such_database")
    assert caught.value.args[0] == 1049
    assert await value(connection, "SELECT 1") == 1


async def test_set_charset(connection: aiomysql.Connection) -> None:
    await connection.set_charset("latin1")
    assert (connection.charset, connection.encoding) == ("latin1", "cp1252")
    assert connection.character_set_name() == "latin1"
    assert await value(connection, "SELECT @@character_set_client") == "latin1"
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT %s, HEX(%s)", ("Grüße", "ü"))
        assert await cursor.fetchone() == ("Grüße", "FC")
    await connection.set_charset("utf8mb4")
    assert await value(connection, "SELECT '🐬'") == "🐬"


async def test_set_charset_that_is_not_there(connection: aiomysql.Connection) -> None:
    with pytest.raises(aiomysql.Error, match="klingon"):
        await connection.set_charset("klingon")
    assert connection.charset == "utf8mb4"
    assert await value(connection, "SELECT 'ü'") == "ü"


async def test_what_a_connection_tells(
    server: RunningServer, connection: aiomysql.Connection
) -> None:
    address = server.address
    assert connection.get_host_info() == f"socket {address.host}:{address.port}"
    assert (connection.host, connection.port) == (address.host, address.port)
    assert (connection.user, connection.db) == (address.user, address.db)
    assert connection.get_proto_info() == 10
    # MariaDB before 11 greets with a prefix, for replicas of old.
    prefix = "5.5.5-" if server.is_mariadb and server.version < (11,) else ""
    assert connection.get_server_info() == prefix + server.version_text
    assert connection.thread_id() == await value(connection, "SELECT CONNECTION_ID()")
    assert connection.loop is asyncio.get_running_loop()


async def test_host_info_over_the_unix_socket(server: RunningServer, connect: Connect) -> None:
    connection = await connect(unix_socket=True)
    assert connection.get_host_info() == f"Localhost via UNIX socket: {server.address.socket}"


async def test_kill(server: RunningServer, connect: Connect) -> None:
    killer, victim = await connect(), await connect()
    await killer.kill(victim.thread_id())
    await gone(server, victim.thread_id())
    with pytest.raises(aiomysql.OperationalError) as caught:
        await value(victim, "SELECT 1")
    assert caught.value.args[0] in (2013, 4031, 1927)
    assert victim.closed
    assert await value(killer, "SELECT 1") == 1


async def test_kill_of_nobody(connection: aiomysql.Connection) -> None:
    with pytest.raises(aiomysql.OperationalError) as caught:
        await connection.kill(4_000_000_000)
    assert caught.value.args[0] == 1094
    assert not connection.closed


# Pings and endings


async def test_ping(server: RunningServer, connection: aiomysql.Connection) -> None:
    thread = connection.thread_id()
    await connection.ping()
    assert connection.thread_id() == thread


async def test_ping_reconnects_what_was_closed(connect: Connect) -> None:
    connection = await connect(autocommit=True, init_command="SET @mark = 7")
    thread = connection.thread_id()
    connection.close()
    await connection.ping()
    assert connection.thread_id() != thread
    assert await value(connection, "SELECT @mark") == 7
    assert await value(connection, "SELECT @@autocommit") == 1


async def test_ping_reconnects_what_was_killed(server: RunningServer, connect: Connect) -> None:
    connection = await connect()
    thread = connection.thread_id()
    server.query(f"KILL {thread}")
    await gone(server, thread)
    await connection.ping(reconnect=True)
    assert connection.thread_id() != thread
    assert await value(connection, "SELECT 1") == 1


async def test_ping_without_reconnecting(server: RunningServer, connect: Connect) -> None:
    connection = await connect()
    server.query(f"KILL {connection.thread_id()}")
    await gone(server, connection.thread_id())
    with pytest.raises(aiomysql.OperationalError):
        await connection.ping(reconnect=False)
    assert connection.closed
    with pytest.raises(aiomysql.Error, match="Already closed"):
        await connection.ping(reconnect=False)


async def test_ping_drops_unread_rows_with_a_warning(connection: aiomysql.Connection) -> None:
    cursor = await connection.cursor(aiomysql.SSCursor)
    await cursor.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) "
        "SELECT i FROM n"
    )
    assert await cursor.fetchone() == (1,)
    with pytest.warns(UserWarning, match="left incomplete"):
        await connection.ping()
    assert await value(connection, "SELECT 'next'") == "next"
    await cursor.close()


async def test_closing_again_does_nothing(connect: Connect) -> None:
    connection = await connect()
    assert not connection.closed
    connection.close()
    assert connection.closed
    connection.close()
    await connection.ensure_closed()
    await connection.ensure_closed()
    assert connection.closed


@pytest.mark.parametrize("how", ["close", "ensure_closed"])
async def test_use_after_close(connect: Connect, how: str) -> None:
    connection = await connect()
    cursor = await connection.cursor()
    ended = getattr(connection, how)()
    if ended is not None:
        await ended
    with pytest.raises(aiomysql.InterfaceError) as caught:
        await cursor.execute("SELECT 1")
    assert str(caught.value) == "(0, 'Not connected')"
    for use in (connection.begin, connection.commit, connection.rollback, connection.show_warnings):
        with pytest.raises(aiomysql.InterfaceError):
            await use()
    with pytest.raises(aiomysql.InterfaceError):
        await connection.query("SELECT 1")
    with pytest.raises(aiomysql.InterfaceError):
        await connection.select_db("test")
    with pytest.raises(aiomysql.InterfaceError):
        connection.cursor()
    await cursor.close()
    assert connection.escape("it's") == "'it\\'s'"


async def test_rows_that_have_arrived_outlive_the_connection(connect: Connect) -> None:
    connection = await connect()
    cursor = await connection.cursor()
    await cursor.execute("SELECT 1 UNION SELECT 2")
    connection.close()
    assert await cursor.fetchall() == ((1,), (2,))


async def test_closing_ends_a_running_command(connect: Connect) -> None:
    connection = await connect()
    running = asyncio.ensure_future(value(connection, "SELECT SLEEP(20)"))
    await asyncio.sleep(0.1)
    connection.close()
    with pytest.raises(aiomysql.OperationalError) as caught:
        await running
    assert caught.value.args[0] == 2013


async def test_the_context_manager_closes(server: RunningServer) -> None:
    async with aiomysql.connect(**server.connect_kwargs()) as connection:
        assert await value(connection, "SELECT 1") == 1
    assert connection.closed
    with pytest.raises(KeyError):
        async with aiomysql.connect(**server.connect_kwargs()) as connection:
            raise KeyError
    assert connection.closed


async def test_the_server_gets_a_farewell(server: RunningServer, connect: Connect) -> None:
    async def ended() -> list[int]:
        threads = []
        for unix_socket in (False, True):
            for how in ("close", "ensure_closed"):
                connection = await connect(unix_socket)
                threads.append(connection.thread_id())
                assert await value(connection, "SELECT 1") == 1
                end = getattr(connection, how)()
                if end is not None:
                    await end
        return threads

    await assert_farewells(server, ended)


async def test_a_connection_that_is_forgotten(server: RunningServer) -> None:
    connection = await aiomysql.connect(**server.connect_kwargs())
    thread = connection.thread_id()
    with pytest.warns(ResourceWarning, match="Unclosed connection"):
        del connection
        gc.collect()
    await gone(server, thread)


def test_a_connection_that_outlives_its_loop(
    server: RunningServer, capfd: pytest.CaptureFixture[str]
) -> None:
    async def leave() -> aiomysql.Connection:
        return await aiomysql.connect(**server.connect_kwargs())

    connection = asyncio.run(leave())
    with pytest.warns(ResourceWarning):
        del connection
        gc.collect()
    assert "Event loop is closed" not in capfd.readouterr().err


# Errors and warnings of the server


@pytest.mark.parametrize(
    ("sql", "kind", "errno", "sqlstate"),
    [
        ("SELEKT 1", aiomysql.ProgrammingError, 1064, "42000"),
        ("SELECT * FROM no_such_table", aiomysql.ProgrammingError, 1146, "42S02"),
        ("SELECT no_such_column", aiomysql.OperationalError, 1054, "42S22"),
        ("INSERT INTO {t} VALUES (1, 1)", aiomysql.IntegrityError, 1062, "23000"),
        ("INSERT INTO {t} VALUES (2, NULL)", aiomysql.IntegrityError, 1048, "23000"),
        ("INSERT INTO {t} VALUES (3, 1000)", aiomysql.DataError, 1264, "22003"),
        ("SELECT 1 INTO @a, @b", aiomysql.OperationalError, 1222, "21000"),
        ("", aiomysql.OperationalError, 1065, "42000"),
    ],
)
async def test_server_errors(
    connection: aiomysql.Connection, table: Table, sql: str, kind: Any, errno: int, sqlstate: str
) -> None:
    name = table("id INT PRIMARY KEY, v TINYINT NOT NULL")
    async with connection.cursor() as cursor:
        await cursor.execute(f"INSERT INTO {name} VALUES (1, 1)")
        with pytest.raises(pymysql.err.MySQLError) as caught:
            await cursor.execute(sql.format(t=name))
        error: Any = caught.value
        assert type(error) is kind
        assert error.args[0] == errno
        assert isinstance(error.args[1], str)
        assert error.args[1]
        assert error.sqlstate == sqlstate
        assert (cursor.rowcount, cursor.lastrowid, cursor.description) == (0, None, None)
    assert await value(connection, "SELECT 'usable'") == "usable"


async def test_show_warnings(connection: aiomysql.Connection) -> None:
    assert await connection.show_warnings() == ()
    await connection.query("SELECT 1/0")
    ((level, code, message),) = await connection.show_warnings()
    assert (level, code) == ("Warning", 1365)
    assert "ivision by" in message


async def test_warnings_point_at_the_callers_line(connection: aiomysql.Connection) -> None:
    async with connection.cursor() as cursor:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            await cursor.execute("DROP TABLE IF EXISTS no_such_table")  # this line
        (warning,) = caught
        assert warning.category is pymysql.err.Warning
        assert "no_such_table" in str(warning.message)
        assert warning.filename == __file__
        assert "# this line" in linecache.getline(__file__, warning.lineno)


async def test_a_warning_for_each_row_of_warnings(
    connection: aiomysql.Connection, table: Table
) -> None:
    name = table("v TINYINT")
    await connection.query("SET sql_mode = ''")
    async with connection.cursor() as cursor:
        with pytest.warns(pymysql.err.Warning, match="Out of range") as caught:
            await cursor.execute(f"INSERT INTO {name} VALUES (1000), (1), (-1000)")
        assert len(caught) == 2
        with pytest.warns(pymysql.err.Warning, match="Out of range") as caught:
            await cursor.executemany(f"INSERT INTO {name} VALUES (%s)", [(1000,), (2,)])
        assert len(caught) == 1


async def test_a_warning_as_an_error_leaves_the_connection_usable(
    connection: aiomysql.Connection,
) -> None:
    async with connection.cursor() as cursor:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(pymysql.err.Warning):
                await cursor.execute("DROP TABLE IF EXISTS no_such_table")
    assert await value(connection, "SELECT 1") == 1


# Two tasks on one connection


async def test_a_second_command_is_refused_and_disturbs_nothing(
    connection: aiomysql.Connection,
) -> None:
    first = asyncio.ensure_future(value(connection, "SELECT SLEEP(0.2), 'first'"))
    await asyncio.sleep(0.05)
    with pytest.raises(RuntimeError, match="another command is running"):
        await value(connection, "SELECT 'second'")
    with pytest.raises(RuntimeError, match="another command is running"):
        await connection.commit()
    assert await first == 0
    assert await value(connection, "SELECT 'third'") == "third"


async def test_cancelling_closes_the_connection(connect: Connect) -> None:
    connection = await connect()
    cursor = await connection.cursor()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(cursor.execute("SELECT SLEEP(20)"), 0.1)
    assert connection.closed
    with pytest.raises(aiomysql.InterfaceError) as caught:
        await cursor.execute("SELECT 1")
    assert str(caught.value) == "Cancelled during execution"
    await cursor.close()
    assert cursor.closed


async def test_low_level_commands(connection: aiomysql.Connection) -> None:
    assert await connection.query("SELECT 1 UNION SELECT 2; SELECT 3") == 2
    assert connection.affected_rows() == 2
    assert await connection.next_result() == 1
    await connection.query("SELECT 1")
    assert connection._result.rows == ((1,),)


async def test_insert_id(connection: aiomysql.Connection, table: Table) -> None:
    name = table("id INT AUTO_INCREMENT PRIMARY KEY, v INT")
    await connection.query(f"INSERT INTO {name} (v) VALUES (1), (2)")
    assert (connection.insert_id(), connection.affected_rows()) == (1, 2)
