"""Every argument of connect(), by its effect on the server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import aiomysql
import pymysql.err
import pytest
from pymysql.charset import charset_by_name
from pymysql.constants import CLIENT, FIELD_TYPE
from pymysql.converters import decoders

from tests.fix_servers import RunningServer

pytestmark = pytest.mark.newest

Connect = Callable[..., Any]


async def ask(connection: Any, sql: str) -> Any:
    """The first row of an answer."""
    async with connection.cursor(aiomysql.Cursor) as cursor:
        await cursor.execute(sql)
        return await cursor.fetchone()


async def failure(connect: Connect, **arguments: Any) -> pymysql.err.Error:
    with pytest.raises(pymysql.err.Error) as caught:
        await connect(**arguments)
    return caught.value


# Who and where.


async def test_host_port_user_password_and_db(server: RunningServer, connect: Connect) -> None:
    connection = await connect()
    assert await ask(connection, "SELECT DATABASE(), SUBSTRING_INDEX(USER(), '@', 1), @@port") == (
        server.address.db,
        server.address.user,
        server.address.port,
    )
    assert (connection.host, connection.port) == (server.address.host, server.address.port)
    assert (connection.user, connection.db) == (server.address.user, server.address.db)
    assert connection.unix_socket is None
    assert connection.get_host_info() == f"socket {connection.host}:{connection.port}"
    assert connection.thread_id() == (await ask(connection, "SELECT CONNECTION_ID()"))[0]


async def test_the_wrong_password(connect: Connect) -> None:
    caught = await failure(connect, password="wrong")
    assert isinstance(caught, pymysql.err.OperationalError)
    assert caught.args[0] == 1045


async def test_a_database_that_does_not_exist(connect: Connect) -> None:
    caught = await failure(connect, db="nosuch")
    assert isinstance(caught, pymysql.err.OperationalError)
    assert caught.args == (1049, "Unknown database 'nosuch'")


async def test_no_database(connect: Connect) -> None:
    connection = await connect(db=None)
    assert await ask(connection, "SELECT DATABASE()") == (None,)


async def test_the_other_names(server: RunningServer) -> None:
    arguments = server.connect_kwargs()
    given = {"database": arguments.pop("db"), "passwd": arguments.pop("password")}
    connection = await aiomysql.connect(**arguments, **given)
    assert await ask(connection, "SELECT DATABASE()") == (given["database"],)
    connection.close()


@pytest.mark.parametrize("both", [{"db": "a", "database": "b"}, {"password": "a", "passwd": "b"}])
async def test_both_names_at_once(both: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="same argument"):
        await aiomysql.connect(**both)


async def test_an_unknown_keyword_fails_at_the_call() -> None:
    with pytest.raises(TypeError, match="nonsense"):
        aiomysql.connect(nonsense=1)  # type: ignore[call-arg]


async def test_unix_socket(connect: Connect) -> None:
    connection = await connect(unix_socket=True)
    path = connection.unix_socket
    assert connection.get_host_info() == f"Localhost via UNIX socket: {path}"
    assert connection._secure
    (host,) = await ask(
        connection,
        "SELECT PROCESSLIST_HOST FROM performance_schema.threads "
        "WHERE PROCESSLIST_ID = CONNECTION_ID()",
    )
    assert host == "localhost"


async def test_keepalive_and_nodelay(server: RunningServer, connect: Connect) -> None:
    await connect()
    options = [
        (
            each.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY),
        )
        for each in sockets_to(server.address.port)
    ]
    assert options == [(1, 1)]


def sockets_to(port: int) -> Iterator[socket.socket]:
    """This process's TCP connections to a port."""
    for name in os.listdir("/proc/self/fd"):
        try:
            copy = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue
        with copy:
            if copy.family == socket.AF_INET and copy.type == socket.SOCK_STREAM:
                with contextlib.suppress(OSError):
                    if copy.getpeername()[1] == port:
                        yield copy


# Character sets.

SETS = "SELECT @@character_set_client, @@character_set_connection, @@character_set_results"


@pytest.mark.parametrize(
    "name",
    [
        *("", "utf8mb4", "utf8", "utf8mb3", "latin1", "latin2", "ascii", "cp1251", "koi8r"),
        *("gbk", "gb2312", "big5", "sjis", "cp932", "ujis", "euckr", "greek", "hebrew"),
    ],
)
async def test_charset(server: RunningServer, connect: Connect, name: str) -> None:
    connection = await connect(charset=name)
    expected: Any = charset_by_name(name or "utf8mb4")
    assert await ask(connection, SETS) == (expected.name,) * 3
    collation = expected.collation
    if server.is_mariadb and server.version >= (11, 5) and "utf8" in expected.name:
        # MariaDB takes the default collation of a handshake for the one it prefers today.
        collation = f"{expected.name}_uca1400_ai_ci"
    assert await ask(connection, "SELECT @@collation_connection") == (collation,)
    assert connection.charset == (name or "utf8mb4")
    assert connection.character_set_name() == connection.charset
    assert connection.encoding == expected.encoding


@pytest.mark.parametrize(
    ("name", "text"),
    [("utf8mb4", "é漢🔑"), ("latin1", "é€"), ("gbk", "漢字"), ("sjis", "表"), ("cp1251", "Ж")],
)
async def test_text_survives_every_charset(connect: Connect, name: str, text: str) -> None:
    connection = await connect(charset=name)
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT %s, CHAR_LENGTH(%s)", (text, text))
        assert await cursor.fetchone() == (text, len(text))


async def test_charset_binary(connect: Connect) -> None:
    connection = await connect(charset="binary")
    assert await ask(connection, SETS) == (b"binary",) * 3
    assert await ask(connection, "SELECT 'é'") == ("é".encode(),)


async def test_an_unknown_charset(connect: Connect) -> None:
    caught = await failure(connect, charset="nonsense")
    assert isinstance(caught, pymysql.err.ProgrammingError)
    assert "nonsense" in str(caught)


async def test_use_unicode(connect: Connect) -> None:
    assert await ask(await connect(use_unicode=False), "SELECT 'é', 1") == ("é".encode(), 1)
    assert await ask(await connect(use_unicode=None), "SELECT 'é', 1") == ("é", 1)
    assert await ask(await connect(use_unicode=True), "SELECT 'é', 1") == ("é", 1)


# The session.


async def test_sql_mode(connect: Connect) -> None:
    connection = await connect(sql_mode="'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'")
    (mode,) = await ask(connection, "SELECT @@sql_mode")
    assert set(mode.split(",")) == {"ANSI_QUOTES", "NO_BACKSLASH_ESCAPES"}
    assert connection.sql_mode == "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'"
    assert connection.escape("a'b\\") == "'a''b\\'"


async def test_a_bad_sql_mode(connect: Connect) -> None:
    assert (await failure(connect, sql_mode="'NONSENSE'")).args[0] == 1231


async def test_init_command_is_committed(
    table: Callable[..., str], server: RunningServer, connect: Connect
) -> None:
    name = table("n INT")
    connection = await connect(init_command=f"INSERT INTO {name} VALUES (1)")
    assert server.query(f"SELECT n FROM {name}") == [(1,)]
    assert connection.get_autocommit() is False


async def test_a_bad_init_command(connect: Connect) -> None:
    caught = await failure(connect, init_command="SELEC")
    assert isinstance(caught, pymysql.err.ProgrammingError)
    assert caught.args[0] == 1064


async def test_settings_apply_again_after_a_reconnect(
    server: RunningServer, connect: Connect
) -> None:
    connection = await connect(
        charset="latin1", sql_mode="'ANSI'", init_command="SET @mark = 7", autocommit=True
    )
    connection.close()
    await connection.ping()
    assert await ask(connection, "SELECT @mark, @@autocommit, @@collation_connection") == (
        7,
        1,
        "latin1_swedish_ci",
    )
    assert "ANSI_QUOTES" in (await ask(connection, "SELECT @@sql_mode"))[0]


@pytest.mark.parametrize("autocommit", [True, False, None])
@pytest.mark.parametrize("by_default", [True, False])
async def test_autocommit(
    server: RunningServer, connect: Connect, autocommit: bool | None, by_default: bool
) -> None:
    before = server.query("SELECT @@GLOBAL.autocommit")[0][0]
    server.query(f"SET GLOBAL autocommit = {int(by_default)}")
    try:
        connection = await connect(autocommit=autocommit)
    finally:
        server.query(f"SET GLOBAL autocommit = {before}")
    expected = by_default if autocommit is None else autocommit
    assert await ask(connection, "SELECT @@autocommit") == (int(expected),)
    # MySQL's flag is wrong in sessions that begin without autocommit, until it is switched on.
    if by_default or server.is_mariadb or expected:
        assert connection.get_autocommit() is expected


async def test_connection_attributes(server: RunningServer, connect: Connect) -> None:
    connection = await connect(program_name="the program")
    rows = server.query(
        "SELECT ATTR_NAME, ATTR_VALUE FROM performance_schema.session_connect_attrs "
        "WHERE PROCESSLIST_ID = %s",
        (connection.thread_id(),),
    )
    assert dict(rows) == {
        "_client_name": "aiomysql",
        "_client_version": aiomysql.__version__,
        "_pid": str(os.getpid()),
        "program_name": "the program",
    }


# client_flag.


async def test_found_rows(table: Callable[..., str], connect: Connect) -> None:
    name = table("n INT")
    for flag, expected in ((0, 0), (CLIENT.FOUND_ROWS, 1)):
        connection = await connect(client_flag=flag, autocommit=True)
        async with connection.cursor() as cursor:
            await cursor.execute(f"DELETE FROM {name}")
            await cursor.execute(f"INSERT INTO {name} VALUES (1)")
            assert await cursor.execute(f"UPDATE {name} SET n = 1") == expected


@pytest.mark.parametrize("sql_mode", [None, "''", "'ANSI_QUOTES'"])
async def test_ignore_space(connect: Connect, sql_mode: str | None) -> None:
    connection = await connect(client_flag=CLIENT.IGNORE_SPACE, sql_mode=sql_mode)
    (mode,) = await ask(connection, "SELECT @@sql_mode")
    assert ("IGNORE_SPACE" in mode.split(",")) == (sql_mode is None)


async def test_interactive(server: RunningServer, connect: Connect) -> None:
    ((wait, interactive),) = server.query(
        "SELECT @@GLOBAL.wait_timeout, @@GLOBAL.interactive_timeout"
    )
    server.query("SET GLOBAL interactive_timeout = 1234")
    try:
        connection = await connect(client_flag=CLIENT.INTERACTIVE)
        plain = await connect()
    finally:
        server.query(f"SET GLOBAL interactive_timeout = {interactive}")
    assert await ask(connection, "SELECT @@wait_timeout") == (1234,)
    assert await ask(plain, "SELECT @@wait_timeout") == (wait,)


@pytest.mark.parametrize(
    "name", ["NO_SCHEMA", "COMPRESS", "SSL", "HANDLE_EXPIRED_PASSWORDS", "SESSION_TRACK"]
)
async def test_flags_that_cannot_be_honoured(connect: Connect, name: str) -> None:
    caught = await failure(connect, client_flag=getattr(CLIENT, name))
    assert isinstance(caught, pymysql.err.NotSupportedError)
    assert name in str(caught)


async def test_a_flag_without_a_name(connect: Connect) -> None:
    assert "0x40000000" in str(await failure(connect, client_flag=1 << 30))


async def test_flags_that_are_always_set(connect: Connect) -> None:
    flags = CLIENT.CAPABILITIES | CLIENT.MULTI_STATEMENTS | CLIENT.PS_MULTI_RESULTS | CLIENT.ODBC
    connection = await connect(client_flag=flags)
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT 1; SELECT 2")
        assert await cursor.nextset()
    assert connection.client_flag & flags == flags
    assert connection.server_capabilities & CLIENT.MULTI_STATEMENTS


class OneStatement(aiomysql.Connection):
    """What an application does that wants no statement smuggled in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client_flag &= ~CLIENT.MULTI_STATEMENTS


@pytest.fixture
async def one_statement(server: RunningServer) -> Any:
    made = OneStatement(**server.connect_kwargs(sql_mode="''", charset="latin1", autocommit=True))
    await made._connect()
    yield made
    made.close()


SEVERAL = [
    "SELECT 1; {drop}",
    "DO 1;{drop}",
    ";{drop}",
    "SELECT 'it\\'; {drop} -- '",
    'SELECT "a\\"; {drop} -- "',
    "SELECT 1 /* ; */; {drop}",
    "SELECT 1 -- ;\n; {drop}",
    "/*!50000 SELECT 1 */; {drop}",
    "SET @x = 1; {drop}",
    "SET @@nothing_of_this_name = 1; {drop}",
    "SELECT * FROM nothing_of_this_name; {drop}",
    "LOCK TABLES {table} WRITE; {drop}",
    "LOAD DATA LOCAL INFILE '/nowhere' INTO TABLE {table}; {drop}",
    "PREPARE p FROM 'SELECT 1'; {drop}",
    "HELP 'nothing'; {drop}",
    "USE mysql; {drop}",
]


@pytest.mark.parametrize("mode", ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"])
async def test_cleared_multi_statements(
    server: RunningServer, one_statement: Any, table: Any, mode: str
) -> None:
    """No second statement is ever run; whether the text is one is for the server's parser."""
    name = table("a INT")
    await one_statement.query(f"SET sql_mode = '{mode}'")
    refused = []
    for sql in SEVERAL:
        text = sql.format(drop=f"DROP TABLE {name}", table=name)
        try:
            await one_statement.query(text)
        except pymysql.err.MySQLError as error:
            refused.append(error.args[0])
        # Not even by the statement after the next.
        await one_statement.query("DO 1")
        assert server.query(f"SHOW TABLES LIKE '{name}'"), text
    # With a quote that the mode does not take for escaped, the rest is text or a comment.
    assert len(refused) >= len(SEVERAL) - 2
    assert refused[0] == 1064


async def test_single_statements_without_multi_statements(one_statement: Any, table: Any) -> None:
    name = table("a VARCHAR(50)")
    assert not one_statement.server_capabilities & CLIENT.MULTI_STATEMENTS
    async with one_statement.cursor() as cursor:
        await cursor.execute("SELECT @@character_set_client, @@sql_mode")
        assert await cursor.fetchone() == ("latin1", "")
        await cursor.execute("SELECT %s, 'b;c' -- ;", ("it's; a",))
        assert await cursor.fetchone() == ("it's; a", "b;c")
        await cursor.executemany(f"INSERT INTO {name} VALUES (%s)", [("x; y",), (";",)])
        await cursor.execute(f"SELECT COUNT(*) FROM {name} WHERE a LIKE '%;%' ; ")
        assert await cursor.fetchone() == (2,)


async def test_a_pool_resets_sessions_without_multi_statements(one_statement: Any) -> None:
    await one_statement.query("SET @left = 1")
    await one_statement.reset()
    async with one_statement.cursor() as cursor:
        await cursor.execute("SELECT @left, @@character_set_client")
        assert await cursor.fetchone() == (None, "latin1")


# The client's side.


async def test_conv(connect: Connect) -> None:
    conv = {**decoders, FIELD_TYPE.DATE: lambda text: f"<{text}>"}
    assert await ask(await connect(conv=conv), "SELECT DATE'2020-01-02', 'x'") == (
        "<2020-01-02>",
        "x",
    )


async def test_cursorclass(connect: Connect) -> None:
    connection = await connect(cursorclass=aiomysql.DictCursor)
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT 1 AS n")
        assert await cursor.fetchall() == [{"n": 1}]


async def test_echo(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="aiomysql")
    assert await ask(await connect(), "SELECT 'silent'")
    assert caplog.messages == []
    connection = await connect(echo=True)
    assert connection.echo
    await ask(connection, "SELECT 'loud'")
    assert "SELECT 'loud'" in caplog.messages


async def test_loop_is_accepted_and_ignored(connect: Connect) -> None:
    connection = await connect(loop=asyncio.get_running_loop())
    assert connection.loop is asyncio.get_running_loop()


async def test_connect_timeout_does_not_outlive_the_connect(connect: Connect) -> None:
    connection = await connect(connect_timeout=2)
    assert await ask(connection, "SELECT SLEEP(2.2)") == (0,)


# Option files.


def option_file(path: Path, server: RunningServer, group: str, **more: Any) -> str:
    address = server.address
    options = {
        "user": address.user,
        "password": address.password,
        "host": address.host,
        "port": address.port,
        "database": address.db,
        **more,
    }
    lines = [f"{name} = {value}" for name, value in options.items()]
    path.write_text("\n".join(["[another]", "user = nobody", f"[{group}]", *lines, ""]))
    return str(path)


async def test_read_default_file(server: RunningServer, tmp_path: Path) -> None:
    more = {"default-character-set": "latin1"}
    path = option_file(tmp_path / "my.cnf", server, "client", **more)
    connection = await aiomysql.connect(read_default_file=path, user="nobody", port=1)
    assert await ask(connection, "SELECT DATABASE(), @@character_set_client") == (
        server.address.db,
        "latin1",
    )
    connection.close()


async def test_read_default_group_and_home(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    option_file(tmp_path / "my.cnf", server, "group")
    monkeypatch.setenv("HOME", str(tmp_path))
    connection = await aiomysql.connect(read_default_file="~/my.cnf", read_default_group="group")
    assert await ask(connection, "SELECT DATABASE()") == (server.address.db,)
    connection.close()


async def test_a_socket_in_the_file(server: RunningServer, tmp_path: Path) -> None:
    path = option_file(tmp_path / "my.cnf", server, "client", socket=server.address.socket)
    if server.address.socket is None:
        pytest.skip("the server is reached over TCP only")
    connection = await aiomysql.connect(read_default_file=path)
    assert "UNIX" in connection.get_host_info()
    connection.close()


async def test_a_file_that_is_missing(connect: Connect) -> None:
    assert await ask(await connect(read_default_file="/nowhere/my.cnf"), "SELECT 1") == (1,)
