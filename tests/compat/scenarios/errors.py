"""Errors of the server and of the library: their classes, numbers and texts."""

from __future__ import annotations

from typing import Any

from tests.compat.recorder import Api, Area

area = Area("errors")

area.statements(
    "SELEC 1",
    "SELECT",
    "SELECT * FROM missing",
    "SELECT missing",
    "SELECT missing FROM (SELECT 1 AS a) AS t",
    "SELECT a FROM (SELECT 1 AS a) AS t, (SELECT 2 AS a) AS u",
    "SELECT * FROM missing_database.missing",
    "USE missing_database",
    "DROP DATABASE missing_database",
    "DROP TABLE missing",
    "CREATE TABLE t (a INT, a INT)",
    "CREATE TABLE t (a NOTYPE)",
    "CREATE TABLE t ()",
    "CREATE DATABASE mysql",
    "INSERT INTO missing VALUES (1)",
    "SELECT NO_SUCH_FUNCTION(1)",
    "SELECT CONCAT()",
    "SELECT 1, 2 UNION SELECT 1",
    "SELECT (SELECT 1 UNION SELECT 2)",
    "SELECT 1 IN (SELECT 1, 2)",
    "SELECT 1 GROUP BY",
    "SELECT SUM(SUM(1))",
    "SELECT 18446744073709551615 + 1",
    "SELECT EXP(1000)",
    "SELECT CAST('x' AS NOTYPE)",
    "SELECT _latin1'x' = _utf8mb4'é' COLLATE utf8mb4_bin",
    "SELECT 'x' COLLATE latin1_bin",
    "SELECT @@no_such_variable",
    "SET no_such_variable = 1",
    "SET autocommit = 7",
    "SET NAMES nonsense",
    "SET SESSION sql_mode = 'NONSENSE'",
    "SET TRANSACTION ISOLATION LEVEL NONSENSE",
    "ROLLBACK TO SAVEPOINT missing",
    "RELEASE SAVEPOINT missing",
    "CALL missing()",
    "DROP PROCEDURE missing",
    "EXECUTE missing",
    "PREPARE s FROM 'SELEC 1'",
    "KILL 999999999",
    "LOAD DATA INFILE '/missing' INTO TABLE missing",
    "SELECT LOAD_FILE('/missing')",
    "LOCK TABLES missing READ",
    "GRANT SELECT ON missing.* TO nobody_at_all",
    "DROP USER nobody_at_all",
    "SHOW CREATE TABLE missing",
    "DESCRIBE missing",
    "ANALYZE TABLE missing",
    "SELECT ST_GeomFromText('nonsense')",
    "SELECT JSON_EXTRACT('nonsense', '$')",
    "SELECT JSON_EXTRACT('{}', 'nonsense')",
    "SELECT REGEXP_REPLACE('a', '(', 'b')",
    "SELECT UNHEX('zz'), INET_ATON('x')",
    "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'of one''s own', MYSQL_ERRNO = 5000",
    "SIGNAL SQLSTATE '45000'",
    "SIGNAL SQLSTATE '23000' SET MESSAGE_TEXT = 'état', MYSQL_ERRNO = 1062",
    "SELECT 'é' FROM `é`",
    "SELECT '%s' FROM `%s`",
    "ALTER TABLE missing ADD a INT",
    "TRUNCATE missing",
    "CREATE VIEW v AS SELECT * FROM missing",
    "HANDLER missing OPEN",
    "XA COMMIT 'missing'",
    "CHANGE NOTHING",
    "SHOW NONSENSE",
)


def in_table(name: str, columns: str, *statements: str, options: str = "") -> None:
    """A scenario: each statement runs in its turn on a table; `{t}` stands for its name."""

    async def work(api: Api) -> None:
        table = await api.table(columns, options)
        cursor = await api.cursor(autocommit=True)
        for sql in statements:
            await api.execute(cursor, sql.format(t=table))

    area.add(name, work)


in_table("a duplicate key", "a INT PRIMARY KEY", *["INSERT INTO {t} VALUES (1)"] * 2)
in_table("a duplicate name", "a VARCHAR(9) UNIQUE", "INSERT INTO {t} VALUES ('x'), ('x')")
in_table("NULL for NOT NULL", "a INT NOT NULL", "INSERT INTO {t} VALUES (NULL)")
in_table("no default", "a INT NOT NULL, b INT", "INSERT INTO {t} (b) VALUES (1)")
in_table("too long", "a VARCHAR(3)", "INSERT INTO {t} VALUES ('long')")
in_table("out of range", "a TINYINT", "INSERT INTO {t} VALUES (1000)")
in_table("not a number", "a INT", "INSERT INTO {t} VALUES ('x')")
in_table("not a date", "a DATE", "INSERT INTO {t} VALUES ('2024-02-31')")
in_table("not an ENUM's value", "a ENUM('x')", "INSERT INTO {t} VALUES ('y')")
in_table("a division by zero", "a INT", "INSERT INTO {t} VALUES (1 / 0)", "SELECT 1 / 0")
in_table("not JSON", "a JSON", "INSERT INTO {t} VALUES ('nonsense')")
in_table("too few values", "a INT, b INT", "INSERT INTO {t} VALUES (1)")
in_table("an unknown column", "a INT", "INSERT INTO {t} (b) VALUES (1)", "UPDATE {t} SET b = 1")
in_table("a check", "a INT, CONSTRAINT positive CHECK (a > 0)", "INSERT INTO {t} VALUES (-1)")
in_table("a table that exists", "a INT", "CREATE TABLE {t} (a INT)")
in_table("an index that exists", "a INT, KEY k (a)", "ALTER TABLE {t} ADD KEY k (a)")
in_table("a column that exists", "a INT", "ALTER TABLE {t} ADD a INT", "ALTER TABLE {t} DROP b")
in_table("a generated column", "a INT, b INT AS (a) VIRTUAL", "INSERT INTO {t} VALUES (1, 2)")
in_table(
    "a foreign key",
    "id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES t1 (id)",
    "INSERT INTO {t} VALUES (1, 2)",
    "INSERT INTO {t} VALUES (1, NULL)",
    "INSERT INTO {t} VALUES (2, 1)",
    "DELETE FROM {t} WHERE id = 1",
)


@area.scenario
async def two_keys_at_once(api: Api) -> None:
    table = await api.table("a INT AUTO_INCREMENT PRIMARY KEY, b INT UNIQUE")
    cursor = await api.cursor(autocommit=True)
    for sql in (
        f"INSERT INTO {table} (b) VALUES (1), (2), (1)",
        f"INSERT IGNORE INTO {table} (b) VALUES (1), (2), (1)",
        f"REPLACE INTO {table} (b) VALUES (1)",
        f"INSERT INTO {table} (b) VALUES (2) ON DUPLICATE KEY UPDATE b = 9",
        f"SELECT b FROM {table} ORDER BY b",
    ):
        await api.execute(cursor, sql)


@area.scenario
async def an_error_keeps_the_cursor_usable(api: Api) -> None:
    cursor = await api.cursor()
    await api.execute(cursor, "SELECT 1 AS a")
    await api.execute(cursor, "SELEC 1")
    await api.attempt("fetchone", cursor.fetchone)
    api.note("_executed", cursor._executed)
    api.note("_last_executed", cursor._last_executed)
    await api.execute(cursor, "SELECT 2 AS b")


@area.scenario
async def an_error_before_the_first_result(api: Api) -> None:
    cursor = await api.cursor()
    await api.execute(cursor, "SELEC 1")
    await api.attempt("fetchone", cursor.fetchone)
    await api.attempt("fetchmany", cursor.fetchmany)
    await api.attempt("scroll", cursor.scroll, 1)
    await api.attempt("nextset", cursor.nextset)


@area.scenario
async def errors_of_arguments_keep_the_last_result(api: Api) -> None:
    cursor = await api.cursor()
    await cursor.execute("SELECT 1 UNION SELECT 2")
    await api.attempt("execute", cursor.execute, "SELECT %s", (1, 2))
    api.state(cursor)
    await api.attempt("fetchall", cursor.fetchall)


@area.scenario
async def the_second_of_many_fails(api: Api) -> None:
    cursor = await api.cursor()
    await api.attempt("execute", cursor.execute, "SELECT 1; SELEC 2; SELECT 3")
    await api.execute(cursor, "SELECT 4")
    await api.attempt("execute", cursor.execute, "SELECT 1; SELECT * FROM missing; SELECT 3")
    await api.attempt("fetchall", cursor.fetchall)
    await api.attempt("nextset", cursor.nextset)
    api.state(cursor)
    await api.attempt("nextset again", cursor.nextset)
    await api.execute(cursor, "SELECT 5")


@area.scenario
async def a_statement_after_a_failed_set(api: Api) -> None:
    cursor = await api.cursor()
    await api.attempt("execute", cursor.execute, "SELECT 1; SELECT * FROM missing")
    await api.attempt("execute", cursor.execute, "SELECT 6")
    await api.attempt("execute again", cursor.execute, "SELECT 7")
    await api.attempt("fetchall", cursor.fetchall)


@area.scenario
async def classes_and_numbers(api: Api) -> None:
    cursor = await api.cursor()
    for number in (1022, 1040, 1048, 1062, 1064, 1146, 1205, 1213, 1264, 1366, 1406, 1451, 1690):
        sql = f"SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'said'"
        await api.attempt(str(number), cursor.execute, sql)
    for number in (1044, 1045, 1142, 1143, 1171, 1230, 1235, 1286, 1289, 1317, 3024, 4025, 999, 1):
        sql = f"SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'said'"
        await api.attempt(str(number), cursor.execute, sql)


@area.scenario
async def a_deadlock(api: Api) -> None:
    table = await api.table("a INT PRIMARY KEY, b INT")
    one, two = await api.connect(), await api.connect()
    first, second = await one.cursor(), await two.cursor()
    await first.execute(f"INSERT INTO {table} VALUES (1, 1), (2, 2), (3, 3)")
    await one.commit()
    await first.execute(f"UPDATE {table} SET b = 5 WHERE a IN (1, 3)")
    await second.execute(f"UPDATE {table} SET b = 5 WHERE a = 2")
    import asyncio

    waiting = asyncio.ensure_future(first.execute(f"UPDATE {table} SET b = 6 WHERE a = 2"))
    await asyncio.sleep(0.2)
    await api.attempt("deadlock", second.execute, f"UPDATE {table} SET b = 6 WHERE a = 1")
    api.note("waited", await waiting)
    api.note("in a transaction", two.get_transaction_status())


@area.scenario
async def a_lock_that_is_not_had(api: Api) -> None:
    table = await api.table("a INT PRIMARY KEY")
    one, two = await api.connect(), await api.connect()
    first, second = await one.cursor(), await two.cursor()
    await first.execute(f"INSERT INTO {table} VALUES (1)")
    await one.commit()
    await first.execute(f"SELECT * FROM {table} FOR UPDATE")
    await second.execute("SET innodb_lock_wait_timeout = 1")
    await api.attempt("wait", second.execute, f"SELECT * FROM {table} FOR UPDATE")
    await api.attempt("nowait", second.execute, f"SELECT * FROM {table} FOR UPDATE NOWAIT")
    await api.attempt("afterwards", second.execute, "SELECT 1")


@area.scenario
async def read_only(api: Api) -> None:
    table = await api.table("a INT")
    cursor = await api.cursor()
    await cursor.execute("START TRANSACTION READ ONLY")
    await api.attempt("insert", cursor.execute, f"INSERT INTO {table} VALUES (1)")
    await api.attempt("afterwards", cursor.execute, "SELECT 1")


@area.scenario
async def a_time_limit(api: Api) -> None:
    cursor = await api.cursor()
    sql = (
        "SET STATEMENT max_statement_time = 0.1 FOR SELECT SLEEP(3)"
        if api.is_mariadb
        else "SELECT /*+ MAX_EXECUTION_TIME(100) */ COUNT(*) FROM information_schema.columns a, "
        "information_schema.columns b, information_schema.columns c WHERE RAND() > 2"
    )
    await api.attempt("execute", cursor.execute, sql)
    await api.attempt("afterwards", cursor.execute, "SELECT 1")


@area.scenario
async def a_killed_query(api: Api) -> None:
    import asyncio

    one, two = await api.connect(), await api.connect()
    cursor = await one.cursor()
    running = asyncio.ensure_future(cursor.execute("SELECT COUNT(*), SLEEP(5) FROM DUAL"))
    await asyncio.sleep(0.2)
    await two.query(f"KILL QUERY {one.thread_id()}")
    await api.attempt("the query", lambda: running)
    await api.attempt("fetchall", cursor.fetchall)
    await api.attempt("afterwards", cursor.execute, "SELECT 1")


@area.scenario
async def a_killed_session(api: Api) -> None:
    import asyncio

    one, two = await api.connect(), await api.connect()
    cursor = await one.cursor()
    await two.query(f"KILL {one.thread_id()}")
    await asyncio.sleep(0.2)
    error: Any = None
    try:
        await cursor.execute("SELECT 1")
    except Exception as raised:
        error = raised
    api.note("class", type(error))
    api.note("is lost", error.args[0] in (2006, 2013, 1927, 4031))
    api.note("closed", one.closed)
    await api.attempt("afterwards", cursor.execute, "SELECT 1")
    await api.attempt("commit", one.commit)
    await api.attempt("cursor", one.cursor)
    await api.attempt("close the cursor", cursor.close)
    await api.attempt("ping", one.ping, reconnect=False)
    await api.attempt("ping and reconnect", one.ping)
    await api.rows(one, "SELECT 1")


@area.scenario
async def errors_of_connecting(api: Api) -> None:
    for arguments in (
        {"user": "nobody_at_all", "password": "x"},
        {"password": "wrong"},
        {"db": "missing_database"},
        {"port": 1},
        {"unix_socket": "/missing/socket"},
        {"init_command": "SELEC 1"},
        {"init_command": "SELECT * FROM missing"},
        {"sql_mode": "'NONSENSE'"},
        {"host": "host.invalid"},
    ):
        await api.attempt(f"{arguments}", api.connect, **arguments)


@area.scenario
async def errors_chain_their_causes(api: Api) -> None:
    for arguments in ({"port": 1}, {"unix_socket": "/missing/socket"}, {"host": "host.invalid"}):
        try:
            await api.connect(**arguments)
        except Exception as error:
            api.note(f"{arguments}", type(error.__cause__))


@area.scenario
async def a_packet_that_is_too_large(api: Api) -> None:
    cursor = await api.cursor()
    (limit,) = await _one(cursor, "SELECT @@max_allowed_packet")
    try:
        await cursor.execute("SELECT LENGTH(%s)", ("x" * (limit + 10),))
    except Exception as error:
        api.note("class", type(error))
        api.note("number", error.args[0] in (1153, 2006, 2013))
    await api.attempt("a new connection", _select_one, api)


async def _one(cursor: Any, sql: str) -> Any:
    await cursor.execute(sql)
    return await cursor.fetchone()


async def _select_one(api: Api) -> Any:
    return await _one(await api.cursor(), "SELECT 1")
