"""Buffered cursors: Cursor, DictCursor, DeserializationCursor and mixtures of them."""

from __future__ import annotations

from typing import Any

from tests.compat.recorder import Api, Area

area = Area("cursors")

FIVE = "SELECT 1 AS n UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5"


def with_each(name: str, work: Any) -> None:
    """A scenario for each class of buffered cursors."""
    for class_name in ("Cursor", "DictCursor", "DeserializationCursor"):

        async def run(api: Api, class_name: str = class_name) -> None:
            from aiomysql import cursors

            await work(api, await api.cursor(getattr(cursors, class_name)))

        area.add(f"{name} ({class_name})", run)


def each(work: Any) -> Any:
    with_each(work.__name__, work)
    return work


@each
async def before_the_first_statement(api: Api, cursor: Any) -> None:
    api.state(cursor)
    api.note("arraysize", cursor.arraysize)
    api.note("closed", cursor.closed)
    api.note("echo", cursor.echo)
    api.note("rows", cursor._rows)
    api.note("result", cursor._result)
    api.note("executed", cursor._executed)
    for method in (cursor.fetchone, cursor.fetchmany, cursor.fetchall):
        api.call(method.__name__, method)
    api.call("scroll", cursor.scroll, 1)
    await api.attempt("nextset", cursor.nextset)


@each
async def fetching_one_by_one(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    for _ in range(7):
        await api.attempt("fetchone", cursor.fetchone)
        api.note("rownumber", cursor.rownumber)


@each
async def fetching_in_parts(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    for size in (None, 0, 2, 5, 1):
        await api.attempt(f"fetchmany {size}", cursor.fetchmany, size)
        api.note("rownumber", cursor.rownumber)
    await api.attempt("fetchall", cursor.fetchall)
    await api.attempt("fetchone", cursor.fetchone)


@each
async def fetching_by_arraysize(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    cursor.arraysize = 3
    await api.attempt("fetchmany", cursor.fetchmany)
    await api.attempt("fetchmany again", cursor.fetchmany)
    await api.attempt("fetchmany at the end", cursor.fetchmany)
    cursor.arraysize = 0
    api.note("arraysize", cursor.arraysize)


@each
async def fetching_all_after_some(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    await api.attempt("fetchone", cursor.fetchone)
    await api.attempt("fetchall", cursor.fetchall)
    api.note("rownumber", cursor.rownumber)
    await api.attempt("fetchall again", cursor.fetchall)
    api.note("rowcount", cursor.rowcount)


@each
async def scrolling(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    for value, mode in (
        (2, "relative"),
        (-1, "relative"),
        (0, "relative"),
        (4, "absolute"),
        (0, "absolute"),
        (5, "absolute"),
        (-1, "absolute"),
        (5, "relative"),
        (-9, "relative"),
        (1, "nonsense"),
    ):
        api.call(f"scroll {value} {mode}", cursor.scroll, value, mode)
        api.note("rownumber", cursor.rownumber)
    await api.attempt("fetchone", cursor.fetchone)


@each
async def iterating(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    async for row in cursor:
        api.note("row", row)
    async for row in cursor:
        api.note("another", row)
    api.note("rownumber", cursor.rownumber)


@each
async def no_rows(api: Api, cursor: Any) -> None:
    await api.execute(cursor, f"SELECT * FROM ({FIVE}) AS t WHERE n > 9")
    await api.attempt("fetchone", cursor.fetchone)
    await api.attempt("fetchmany", cursor.fetchmany, 2)
    api.call("scroll", cursor.scroll, 0)
    api.note("rows", cursor._rows)


@each
async def statements_without_rows(api: Api, cursor: Any) -> None:
    table = await api.table("a INT AUTO_INCREMENT PRIMARY KEY, b INT")
    for sql in (
        f"INSERT INTO {table} (b) VALUES (1)",
        f"INSERT INTO {table} (b) VALUES (2), (3)",
        f"UPDATE {table} SET b = 1",
        f"UPDATE {table} SET b = 1",
        f"DELETE FROM {table} WHERE b = 1",
        f"ALTER TABLE {table} ADD c INT",
        "SET @a = 1",
        "COMMIT",
    ):
        await api.execute(cursor, sql)
        await api.attempt("fetchone", cursor.fetchone)
        await api.attempt("fetchmany", cursor.fetchmany, 3)


@each
async def many_sets(api: Api, cursor: Any) -> None:
    await api.execute(cursor, "SELECT 1 AS a; SELECT 2 AS b, 3 AS c; SET @x = 1; SELECT @x + 0")
    for _ in range(5):
        await api.attempt("nextset", cursor.nextset)
        api.state(cursor)
        await api.attempt("fetchall", cursor.fetchall)


@each
async def a_new_statement_drains_the_old(api: Api, cursor: Any) -> None:
    await cursor.execute("SELECT 1; SELECT 2; SELECT 3")
    await api.execute(cursor, "SELECT 'new' AS a")
    await api.attempt("nextset", cursor.nextset)


@each
async def closing(api: Api, cursor: Any) -> None:
    await cursor.execute("SELECT 1; SELECT 2")
    await api.attempt("close", cursor.close)
    api.note("closed", cursor.closed)
    api.note("connection", cursor.connection)
    await api.attempt("close again", cursor.close)
    await api.attempt("execute", cursor.execute, "SELECT 1")
    await api.attempt("execute with args", cursor.execute, "SELECT %s", (1,))
    await api.attempt("executemany", cursor.executemany, "SELECT %s", [(1,)])
    await api.attempt("executemany, nothing", cursor.executemany, "SELECT %s", [])
    await api.attempt("nextset", cursor.nextset)
    api.call("mogrify", cursor.mogrify, "SELECT 1")
    await api.attempt("callproc", cursor.callproc, "p")
    await api.attempt("fetchone", cursor.fetchone)
    await api.attempt("fetchall", cursor.fetchall)
    api.call("scroll", cursor.scroll, 0)
    api.state(cursor)


@each
async def repeated_names(api: Api, cursor: Any) -> None:
    one = await api.table("a INT, b INT")
    two = await api.table("a INT, b INT")
    await api.run(f"INSERT INTO {one} VALUES (1, 2)", f"INSERT INTO {two} VALUES (3, 4)")
    await api.execute(cursor, f"SELECT * FROM {one}, {two}")
    await api.execute(cursor, f"SELECT x.*, y.*, x.a FROM {one} AS x, {two} AS y")
    await api.execute(cursor, "SELECT 1 AS n, 2 AS n, 3 AS n")
    await api.execute(cursor, "SELECT 1 AS n, 2 AS N")


@each
async def json(api: Api, cursor: Any) -> None:
    table = await api.table("id INT, j JSON, t TEXT")
    await api.run(
        f"INSERT INTO {table} VALUES (1, '{{\"a\": [1, 2.5, null]}}', '[1]'),"
        "(2, '\"text\"', 'nonsense'), (3, NULL, NULL), (4, '1', '1'), (5, 'null', '')"
    )
    await api.execute(cursor, f"SELECT * FROM {table} ORDER BY id")
    await api.execute(cursor, "SELECT JSON_OBJECT('a', 1) AS o, JSON_ARRAY() AS l, '{}' AS s")
    await cursor.execute(f"SELECT j FROM {table} ORDER BY id")
    await api.attempt("fetchone", cursor.fetchone)
    await api.attempt("fetchmany", cursor.fetchmany, 2)


@each
async def procedures(api: Api, cursor: Any) -> None:
    await api.run(
        "DROP PROCEDURE IF EXISTS p",
        "CREATE PROCEDURE p (IN a INT, INOUT b INT, OUT c TEXT)"
        " BEGIN SELECT a AS first; SELECT b AS second; SET b = b + a; SET c = 'out'; END",
    )
    await api.attempt("callproc", cursor.callproc, "p", (1, 2, None))
    api.note("executed", cursor._executed)
    for _ in range(4):
        api.state(cursor)
        await api.attempt("fetchall", cursor.fetchall)
        await api.attempt("nextset", cursor.nextset)
    await api.execute(cursor, "SELECT @_p_0, @_p_1, @_p_2")
    await api.attempt("a list", cursor.callproc, "p", [1, "x", b"y"])
    await api.attempt("wrong count", cursor.callproc, "p", (1,))
    await api.attempt("no arguments", cursor.callproc, "p")
    await api.attempt("unknown", cursor.callproc, "missing_procedure", ())
    await api.execute(cursor, "SELECT 1")


@each
async def executing_many_inserts(api: Api, cursor: Any) -> None:
    table = await api.table("a INT AUTO_INCREMENT PRIMARY KEY, b VARCHAR(20)")
    insert = f"INSERT INTO {table} (b) VALUES (%s)"
    await api.attempt("three", cursor.executemany, insert, [("a",), ("b",), ("c",)])
    api.state(cursor)
    api.note("executed", cursor._executed)
    api.note("last executed", cursor._last_executed)
    await api.attempt("one", cursor.executemany, insert, [("d",)])
    api.state(cursor)
    await api.attempt("none", cursor.executemany, insert, [])
    await api.attempt("None", cursor.executemany, insert, None)
    api.state(cursor)
    await api.attempt("a tuple", cursor.executemany, insert, (("e",), ["f"]))
    await api.attempt("dicts", cursor.executemany, insert.replace("%s", "%(b)s"), [{"b": "g"}])
    await api.attempt("a generator", cursor.executemany, insert, (x for x in [("h",), ("i",)]))
    await api.execute(cursor, f"SELECT * FROM {table} ORDER BY a")


def many(name: str, sql: str, args: Any, columns: str = "a INT PRIMARY KEY, b INT") -> None:
    """A scenario: executemany on a table; the statements that arrive and what they leave."""

    async def work(api: Api) -> None:
        table = await api.table(columns)
        await api.run(f"INSERT INTO {table} VALUES (1, 1)")
        cursor = await api.cursor()
        await api.attempt("executemany", cursor.executemany, sql.format(t=table), args)
        api.state(cursor)
        await api.execute(cursor, f"SELECT * FROM {table} ORDER BY a")

    area.add(f"executemany: {name}", work)


ROWS = [(10, 1), (11, 2), (12, 3)]
many("INSERT … VALUES", "INSERT INTO {t} (a, b) VALUES (%s, %s)", ROWS)
many("lower case", "insert into {t} (a, b) values (%s, %s)", ROWS)
many("VALUE", "INSERT INTO {t} (a, b) VALUE (%s, %s)", ROWS)
many("no spaces", "INSERT INTO {t}(a,b)VALUES(%s,%s)", ROWS)
many("many spaces", "  INSERT  INTO {t}\n(a, b)\n  VALUES  ( %s ,\n %s )  ", ROWS)
many("a semicolon at the end", "INSERT INTO {t} (a, b) VALUES (%s, %s);", ROWS)
many("REPLACE", "REPLACE INTO {t} (a, b) VALUES (%s, %s)", [(1, 5), (20, 6)])
many("INSERT IGNORE", "INSERT IGNORE INTO {t} (a, b) VALUES (%s, %s)", [(1, 5), (20, 6)])
many(
    "ON DUPLICATE KEY",
    "INSERT INTO {t} (a, b) VALUES (%s, %s) ON DUPLICATE KEY UPDATE b = b + 1",
    [(1, 5), (20, 6)],
)
many(
    "ON DUPLICATE KEY with VALUES",
    "INSERT INTO {t} (a, b) VALUES (%s, %s) ON DUPLICATE KEY UPDATE b = VALUES(b)",
    [(1, 5), (20, 6), (20, 7)],
)
many("a constant in the row", "INSERT INTO {t} (a, b) VALUES (%s, 5)", [(10,), (11,)])
many("an expression in the row", "INSERT INTO {t} (a, b) VALUES (%s, ABS(%s))", ROWS)
many("a percent sign", "INSERT INTO {t} (a, b) VALUES (%s, %s) /* 100%% */", ROWS)
many(
    "names", "INSERT INTO {t} (a, b) VALUES (%(a)s, %(b)s)", [{"a": 30, "b": 1}, {"b": 2, "a": 31}]
)
many("a missing name", "INSERT INTO {t} (a, b) VALUES (%(a)s, %(c)s)", [{"a": 30, "b": 1}])
many("too few values", "INSERT INTO {t} (a, b) VALUES (%s, %s)", [(30, 1), (31,)])
many("too many values", "INSERT INTO {t} (a, b) VALUES (%s, %s)", [(30, 1, 2)])
many(
    "a duplicate in the middle",
    "INSERT INTO {t} (a, b) VALUES (%s, %s)",
    [(30, 1), (1, 2), (31, 3)],
)
many("NULL", "INSERT INTO {t} (a, b) VALUES (%s, %s)", [(30, None), (31, None)])
many("INSERT … SELECT", "INSERT INTO {t} (a, b) SELECT %s, %s", ROWS)
many("INSERT … SET", "INSERT INTO {t} SET a = %s, b = %s", ROWS)
many(
    "several rows in VALUES", "INSERT INTO {t} (a, b) VALUES (%s, 1), (%s, 2)", [(40, 41), (42, 43)]
)
many("UPDATE", "UPDATE {t} SET b = %s WHERE a = %s", [(7, 1), (8, 1), (9, 99)])
many("DELETE", "DELETE FROM {t} WHERE a = %s", [(1,), (2,)])
many("SELECT", "SELECT %s + b FROM {t}", [(1,), (2,)])
many("single values", "INSERT INTO {t} (a) VALUES (%s)", [50, 51])
many("strings", "INSERT INTO {t} (a, b) VALUES (%s, %s)", ["60", "61"])
many("a syntax error", "INSERT INTO {t} (a, b) VALUES (%s, %s) NONSENSE", ROWS)
many("quotes around VALUES", "INSERT INTO {t} (a, b) SELECT %s, ' VALUES (%s)'", [(1,)])
many("a set of rows", "INSERT INTO {t} (a) VALUES (%s)", {(70,)})
many("a dict of rows", "INSERT INTO {t} (a) VALUES (%s)", {80: 1, 81: 2})


@area.scenario
async def executing_more_than_a_statement_holds(api: Api) -> None:
    table = await api.table("a INT PRIMARY KEY, b VARCHAR(200)")
    cursor = await api.cursor()
    cursor.max_stmt_length = 1000
    rows = [(number, "x" * 100) for number in range(50)]
    await api.attempt(
        "executemany", cursor.executemany, f"INSERT INTO {table} VALUES (%s, %s)", rows
    )
    api.note("rowcount", cursor.rowcount)
    api.note("executed", cursor._executed)
    await api.rows(cursor.connection, f"SELECT COUNT(*), SUM(a) FROM {table}")


@area.scenario
async def executing_many_with_every_type(api: Api) -> None:
    import datetime
    import decimal

    table = await api.table("a INT, b BLOB, c DECIMAL(9,3), d DATETIME(6), e DOUBLE, f TEXT")
    cursor = await api.cursor()
    moment = datetime.datetime(2024, 1, 2, 3, 4, 5, 6)
    rows = [
        (1, b"\x00'\\", decimal.Decimal("1.5"), moment, 1.5, "it's %s"),
        (None, None, None, None, None, None),
        (True, b"", decimal.Decimal("-0.001"), moment.date(), -1e-5, "日本"),
    ]
    sql = f"INSERT INTO {table} VALUES (%s, %s, %s, %s, %s, %s)"
    await api.attempt("executemany", cursor.executemany, sql, rows)
    api.note("executed", cursor._executed)
    await api.rows(cursor.connection, f"SELECT * FROM {table}")


@area.scenario
async def mixed_classes(api: Api) -> None:
    from aiomysql import cursors

    connection = await api.connect()
    sql = "SELECT JSON_OBJECT('a', 1) AS j, 1 AS n"
    for classes in (
        (cursors.DeserializationCursor, cursors.DictCursor),
        (cursors.DictCursor, cursors.DeserializationCursor),
        (cursors.Cursor,),
        (cursors.DictCursor, cursors.Cursor),
    ):
        label = "+".join(each.__name__ for each in classes)
        cursor = await api.attempt(label, connection.cursor, *classes)
        if cursor is not None:
            api.note("class", [each.__name__ for each in type(cursor).__mro__][:1])
            await api.execute(cursor, sql)


@area.scenario
async def what_is_no_cursor(api: Api) -> None:
    connection = await api.connect()
    for wrong in (int, object):
        await api.attempt(wrong.__name__, connection.cursor, wrong)
    await api.attempt("two", connection.cursor, api.aiomysql.Cursor, int)


@area.scenario
async def cursors_by_default(api: Api) -> None:
    connection = await api.connect(cursorclass=api.aiomysql.DictCursor)
    api.note("cursorclass", connection.cursorclass)
    cursor = await connection.cursor()
    await api.execute(cursor, "SELECT 1 AS a")
    cursor = await connection.cursor(api.aiomysql.Cursor)
    await api.execute(cursor, "SELECT 1 AS a")


@area.scenario
async def a_class_of_dictionaries(api: Api) -> None:
    from collections import OrderedDict

    class Ordered(api.aiomysql.DictCursor):  # type: ignore[name-defined,misc]
        dict_type = OrderedDict

    await api.execute(await api.cursor(Ordered), "SELECT 1 AS b, 2 AS a UNION SELECT 3, 4")


@area.scenario
async def two_cursors_of_one_connection(api: Api) -> None:
    connection = await api.connect()
    one, two = await connection.cursor(), await connection.cursor()
    await one.execute("SELECT 1 AS one UNION SELECT 2")
    await two.execute("SELECT 'two' AS two")
    await api.attempt("one", one.fetchall)
    await api.attempt("two", two.fetchall)
    api.state(one)
    api.state(two)
    await one.execute("SELECT 1; SELECT 2")
    await api.attempt("two while one has more", two.execute, "SELECT 3")
    await api.attempt("nextset", one.nextset)
    await api.attempt("two", two.fetchall)


@area.scenario
async def results_outlive_the_connection(api: Api) -> None:
    connection = await api.connect()
    cursor = await connection.cursor()
    await cursor.execute(FIVE)
    connection.close()
    await api.attempt("fetchone", cursor.fetchone)
    await api.attempt("fetchall", cursor.fetchall)
    await api.attempt("nextset", cursor.nextset)
    await api.attempt("execute", cursor.execute, "SELECT 1")
    api.call("mogrify", cursor.mogrify, "SELECT %s", ("x",))
    await api.attempt("close", cursor.close)


@area.scenario
async def entering_and_leaving(api: Api) -> None:
    connection = await api.connect()
    async with connection.cursor() as cursor:
        api.note("kind", type(cursor))
        await cursor.execute("SELECT 1")
    api.note("closed", cursor.closed)
    cursor = await connection.cursor()
    async with cursor as same:
        api.note("same", same is cursor)
    api.note("closed", cursor.closed)
    try:
        async with connection.cursor() as cursor:
            raise ValueError("inside")
    except ValueError as error:
        api.note("error", error)
    api.note("closed", cursor.closed)


@area.scenario
async def awaiting_twice(api: Api) -> None:
    connection = await api.connect()
    waiting = connection.cursor()
    one = await waiting
    await api.attempt("again", lambda: waiting)
    api.note("kind", type(one))


@area.scenario
async def fields_of_the_result(api: Api) -> None:
    table = await api.table("a INT PRIMARY KEY, b VARCHAR(10)")
    cursor = await api.cursor()
    await cursor.execute(f"SELECT a AS x, b FROM {table} AS y")
    result = cursor._result
    for field in result.fields:
        for name in ("name", "org_name", "table_name", "org_table", "db", "type_code", "flags"):
            api.note(name, getattr(field, name))
        for name in ("charsetnr", "length", "scale"):
            api.note(name, getattr(field, name))
    for name in ("field_count", "affected_rows", "insert_id", "warning_count", "has_next", "rows"):
        api.note(name, getattr(result, name))


@area.scenario
async def sizes_are_ignored(api: Api) -> None:
    cursor = await api.cursor()
    api.call("setinputsizes", cursor.setinputsizes, 1, 2)
    api.call("setoutputsizes", cursor.setoutputsizes, 1, 2)


@area.scenario
async def exceptions_of_the_class(api: Api) -> None:
    cursor = await api.cursor()
    for owner in (cursor, cursor.connection):
        for name in ("Error", "Warning", "DataError", "OperationalError", "NotSupportedError"):
            api.note(name, getattr(owner, name))


@area.scenario
async def logging_statements(api: Api) -> None:
    import logging

    seen: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(f"{record.levelname} {record.name} {record.getMessage()}")

    logger, handler = logging.getLogger("aiomysql"), Handler()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        table = await api.table("a INT")
        cursor = await api.cursor(echo=True)
        api.note("echo", cursor.echo)
        await cursor.execute("SELECT 1")
        await cursor.execute("SELECT %s", (1,))
        await cursor.execute("SELECT %(a)s", {"a": "é"})
        await cursor.executemany(f"INSERT INTO {table} VALUES (%s)", [(1,), (2,)])
        await cursor.executemany("SELECT %s", [(1,), (2,)])
        await api.attempt("an error", cursor.execute, "SELEC 1")
        await api.attempt("no procedure", cursor.callproc, "missing_procedure", (1,))
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    for line in seen:
        api.note("logged", line)


@area.scenario
async def large_results(api: Api) -> None:
    cursor = await api.cursor()
    digits = " CROSS JOIN ".join(
        f"(SELECT 0 AS n UNION SELECT 1 UNION SELECT 2) AS t{i}" for i in range(8)
    )
    await api.attempt("execute", cursor.execute, f"SELECT t0.n, t1.n FROM {digits}")
    api.note("rows", len(await cursor.fetchall()))
    await api.attempt("execute", cursor.execute, "SELECT REPEAT('x', 3000000) AS a")
    (text,) = await cursor.fetchone()
    api.note("length", len(text))
    columns = ", ".join(f"{number} AS c{number}" for number in range(300))
    await api.execute(cursor, f"SELECT {columns}")


@area.scenario
async def seventeen_megabytes(api: Api) -> None:
    cursor = await api.cursor()
    await cursor.execute("SELECT @@max_allowed_packet")
    (limit,) = await cursor.fetchone()
    size = 17 * 1024 * 1024
    if limit < 2 * size:
        await cursor.execute(f"SET GLOBAL max_allowed_packet = {64 * 1024 * 1024}")
        cursor = await api.cursor()
    await api.attempt("execute", cursor.execute, "SELECT %s AS a", ("y" * size,))
    row = await cursor.fetchone()
    api.note("length", row and len(row[0]))
    await cursor.execute(f"SET GLOBAL max_allowed_packet = {limit}")
