"""The arguments of connect() and what they do to the session."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from tests.compat.recorder import Api, Area

area = Area("connecting")


def session(name: str, sql: str, *attributes: str, **arguments: Any) -> None:
    """A scenario: connect with these arguments, ask the server, and read attributes."""

    async def work(api: Api) -> None:
        try:
            connection = await api.connect(**arguments)
        except Exception as error:
            api.note("connect", error)
            return
        await api.rows(connection, sql)
        for attribute in attributes:
            api.note(attribute, getattr(connection, attribute))

    area.add(name, work)


session("sql_mode", "SELECT @@sql_mode", "sql_mode", sql_mode="'ANSI,STRICT_ALL_TABLES'")
session("sql_mode unquoted", "SELECT @@sql_mode", sql_mode="ANSI")
session("an empty sql_mode", "SELECT @@sql_mode", sql_mode="")
session("sql_mode by variable", "SELECT @@sql_mode", sql_mode="(SELECT @@global.sql_mode)")
session("init_command", "SELECT @a", "init_command", init_command="SET @a = 'x'")
session("init_command that selects", "SELECT 1", init_command="SELECT 5")
session("init_command of two statements", "SELECT @a, @b", init_command="SET @a = 1; SET @b = 2")
session("an empty init_command", "SELECT 1", init_command="")
session("init_command and autocommit", "SELECT @@autocommit", init_command="BEGIN", autocommit=True)
session("autocommit on", "SELECT @@autocommit", autocommit=True)
session("autocommit off", "SELECT @@autocommit", autocommit=False)
session("charset", "SELECT @@character_set_client", "charset", charset="latin1")
session("use_unicode", "SELECT 'é'", "use_unicode", use_unicode=True)
session("use_unicode 0", "SELECT 'é'", "use_unicode", use_unicode=0)
session("db None", "SELECT DATABASE()", "db", db=None)
session("db empty", "SELECT DATABASE()", "db", db="")
session("connect_timeout", "SELECT 1", "connect_timeout", connect_timeout=5)
session("echo", "SELECT 1", "echo", echo=True)
session("program_name", "SELECT 1", program_name="scenarios")
session("loop", "SELECT 1", loop=None)
session("ssl None", "SELECT 1", ssl=None)
session("ssl False", "SELECT 1", ssl=False)
session("auth_plugin", "SELECT 1", auth_plugin="")
session("multi statements", "SELECT 1; SELECT 2", "client_flag")
session("local_infile", "SELECT 1", "client_flag", local_infile=True)
session("client_flag found rows", "SELECT 1", "client_flag", client_flag=2)
session(
    "client_flag interactive", "SELECT @@wait_timeout = @@interactive_timeout", client_flag=1024
)
session("a password as bytes", "SELECT 1", password=b"throw-away")


@area.scenario
async def arguments_by_position(api: Api) -> None:
    given = api.arguments
    connection = await api.aiomysql.connect(
        given["host"], given["user"], given["password"], given["db"], given["port"]
    )
    await api.rows(connection, "SELECT DATABASE()")
    connection.close()


@area.scenario
async def unknown_arguments(api: Api) -> None:
    api.call("connect", api.aiomysql.connect, nonsense=1)
    api.call("Connection", api.aiomysql.Connection, nonsense=1)


@area.scenario
async def rows_found_count(api: Api) -> None:
    table = await api.table("a INT")
    await api.run(f"INSERT INTO {table} VALUES (1), (2)")
    for client_flag in (0, 2):
        cursor = await api.cursor(client_flag=client_flag, autocommit=True)
        await api.attempt(f"{client_flag}", cursor.execute, f"UPDATE {table} SET a = 1")
        await api.attempt(f"{client_flag}", cursor.execute, f"UPDATE {table} SET a = 1")


@area.scenario
async def a_flag_cleared_before_connecting(api: Api) -> None:
    from pymysql.constants import CLIENT

    connection = api.aiomysql.Connection(**api.arguments)
    connection.client_flag &= ~CLIENT.MULTI_STATEMENTS
    await api.attempt("connect", connection._connect)
    cursor = await connection.cursor()
    await api.execute(cursor, "SELECT 1")
    await api.execute(cursor, "SELECT 'a;b'; ")
    await api.execute(cursor, "SELECT 1; SELECT 2")
    await api.attempt(
        "a procedure", cursor.execute, "CREATE PROCEDURE several() BEGIN DO 1; DO 2; END"
    )
    connection.close()


@area.scenario
async def attributes_of_the_session(api: Api) -> None:
    connection = await api.connect(program_name="scenarios")
    await api.rows(
        connection,
        "SELECT ATTR_NAME, ATTR_VALUE FROM performance_schema.session_account_connect_attrs"
        " WHERE PROCESSLIST_ID = CONNECTION_ID() AND ATTR_NAME IN"
        " ('_client_name', 'program_name') ORDER BY ATTR_NAME",
    )


def option_file(name: str, text: str, sql: str = "SELECT DATABASE()", **arguments: Any) -> None:
    async def work(api: Api) -> None:
        given = {**api.arguments, **arguments}
        with tempfile.NamedTemporaryFile("w", suffix=".cnf", delete=False) as file:
            file.write(text.format(**{key: str(value) for key, value in api.arguments.items()}))
        try:
            connection = await api.aiomysql.connect(**{**given, "read_default_file": file.name})
            await api.rows(connection, sql)
            for attribute in ("host", "user", "db", "charset"):
                api.note(attribute, getattr(connection, attribute))
            connection.close()
        except Exception as error:
            api.note("connect", type(error))
            api.note("says", str(error).replace(file.name, "<path>"))
        finally:
            os.unlink(file.name)

    area.add(f"option file: {name}", work)


WHO = "host = {host}\nport = {port}\nuser = {user}\npassword = {password}\n"
option_file("everything", f"[client]\n{WHO}database = mysql\n")
option_file("it overrides arguments", "[client]\ndatabase = mysql\n")
option_file("a wrong password in it", "[client]\npassword = wrong\n")
option_file(
    "another group", "[client]\nuser=x\n[mine]\ndatabase = mysql\n", read_default_group="mine"
)
option_file("no such group", "[client]\nuser=x\n", read_default_group="mine")
option_file(
    "charset", "[client]\ndefault-character-set = latin1\n", "SELECT @@character_set_client"
)
option_file("quotes", "[client]\ndatabase = 'mysql'\n")
option_file("double quotes", '[client]\ndatabase = "mysql"\n')
option_file("flags without values", "[client]\nquick\ncompress\ndatabase = mysql\n")
option_file("comments", "# comment\n[client]\n; comment\ndatabase = mysql # comment\n")
option_file("empty", "")
option_file("an include", "!includedir /missing\n[client]\ndatabase = mysql\n")
option_file("no group at all", "database = mysql\n")
option_file("percent signs", "[client]\npassword = a%b\n")
option_file("twice the same", "[client]\ndatabase = mysql\ndatabase = information_schema\n")


@area.scenario
async def a_missing_option_file(api: Api) -> None:
    connection = await api.connect(read_default_file="/missing/my.cnf")
    await api.rows(connection, "SELECT 1")


def local_infile(name: str, enabled: bool, text: str | None, sql: str = "") -> None:
    async def work(api: Api) -> None:
        table = await api.table("a INT, b VARCHAR(20)")
        cursor = await api.cursor(local_infile=enabled, autocommit=True)
        await cursor.execute("SET GLOBAL local_infile = 1")
        path = "/missing/file"
        if text is not None:
            with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False) as file:
                file.write(text)
            path = file.name
        try:
            await cursor.execute(f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE {table} {sql}")
            api.state(cursor)
        except Exception as error:
            api.note("error", str(error).replace(path, "<path>"))
            api.note("class", type(error))
        if text is not None:
            os.unlink(path)
        await api.attempt("afterwards", cursor.execute, f"SELECT * FROM {table}")
        if cursor._rows is not None:
            await api.attempt("rows", cursor.fetchall)

    area.add(f"LOAD DATA LOCAL: {name}", work)


local_infile("rows", True, "1\tone\n2\ttwo\n")
local_infile("other separators", True, "1,one\n2,two\n", "FIELDS TERMINATED BY ','")
local_infile("an empty file", True, "")
local_infile("a missing file", True, None)
local_infile("bad values", True, "x\tone\n")
local_infile("switched off", False, "1\tone\n")


@area.scenario
async def over_the_unix_socket(api: Api) -> None:
    await api.rows(await api.connect(), "SELECT 1")
    cursor = await api.cursor()
    await cursor.execute("SELECT @@socket")
    (path,) = await cursor.fetchone()
    connection = await api.connect(unix_socket=path)
    api.note("unix_socket", connection.unix_socket == path)
    api.note("host info", connection.get_host_info().replace(path, "<path>"))
    await api.rows(connection, "SELECT 1")
