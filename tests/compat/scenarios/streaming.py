"""Unbuffered cursors: SSCursor, SSDictCursor and mixtures with them."""

from __future__ import annotations

from typing import Any

from tests.compat.recorder import Api, Area

area = Area("streaming")

FIVE = "SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5"


def each(work: Any) -> Any:
    for class_name in ("SSCursor", "SSDictCursor"):

        async def run(api: Api, class_name: str = class_name) -> None:
            await work(api, await api.cursor(getattr(api.aiomysql, class_name)))

        area.add(f"{work.__name__} ({class_name})", run)
    return work


@each
async def before_the_first_statement(api: Api, cursor: Any) -> None:
    api.state(cursor)
    for method in (cursor.fetchone, cursor.fetchmany, cursor.fetchall):
        await api.attempt(method.__name__, method)
    await api.attempt("scroll", cursor.scroll, 1)
    await api.attempt("close", cursor.close)


@each
async def fetching_one_by_one(api: Api, cursor: Any) -> None:
    await api.attempt("execute", cursor.execute, FIVE)
    api.state(cursor)
    for _ in range(7):
        await api.attempt("fetchone", cursor.fetchone)
        api.note("rownumber", cursor.rownumber)
    api.state(cursor)


@each
async def fetching_in_parts(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    for size in (None, 2, 0, 9, 1):
        await api.attempt(f"fetchmany {size}", cursor.fetchmany, size)
        api.note("rownumber", cursor.rownumber)
    await api.attempt("fetchall", cursor.fetchall)
    await api.attempt("fetchone", cursor.fetchone)


@each
async def fetching_by_arraysize(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    cursor.arraysize = 3
    await api.attempt("fetchmany", cursor.fetchmany)
    await api.attempt("fetchmany", cursor.fetchmany)
    await api.attempt("fetchmany", cursor.fetchmany)


@each
async def fetching_all(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    await api.attempt("fetchone", cursor.fetchone)
    await api.attempt("fetchall", cursor.fetchall)
    api.state(cursor)
    await api.attempt("fetchall again", cursor.fetchall)


@each
async def iterating(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    async for row in cursor:
        api.note("row", row)
    api.state(cursor)


@each
async def no_rows(api: Api, cursor: Any) -> None:
    await api.execute(cursor, f"SELECT * FROM ({FIVE}) AS t WHERE n > 9")
    await api.attempt("fetchone", cursor.fetchone)
    await api.attempt("fetchmany", cursor.fetchmany, 2)


@each
async def statements_without_rows(api: Api, cursor: Any) -> None:
    table = await api.table("a INT AUTO_INCREMENT PRIMARY KEY, b INT")
    for sql in (
        f"INSERT INTO {table} (b) VALUES (1), (2)",
        f"UPDATE {table} SET b = 3",
        "SET @a = 1",
        f"DELETE FROM {table}",
    ):
        await api.execute(cursor, sql)
        await api.attempt("fetchone", cursor.fetchone)
        await api.attempt("fetchmany", cursor.fetchmany, 2)


@each
async def scrolling(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    for value, mode in ((1, "relative"), (3, "absolute"), (3, "absolute"), (0, "relative")):
        await api.attempt(f"scroll {value} {mode}", cursor.scroll, value, mode)
        api.note("rownumber", cursor.rownumber)
    await api.attempt("fetchone", cursor.fetchone)
    for value, mode in ((-1, "relative"), (1, "absolute"), (1, "nonsense")):
        await api.attempt(f"scroll {value} {mode}", cursor.scroll, value, mode)
    await api.attempt("beyond", cursor.scroll, 9, "relative")
    await api.attempt("fetchone", cursor.fetchone)


@each
async def a_new_statement_with_rows_unread(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    await api.attempt("fetchone", cursor.fetchone)
    await api.attempt("execute", cursor.execute, "SELECT 'new' AS a")
    await api.attempt("fetchall", cursor.fetchall)


@each
async def another_cursor_with_rows_unread(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    await api.attempt("fetchone", cursor.fetchone)
    other = await cursor.connection.cursor()
    await api.attempt("execute", other.execute, "SELECT 'other' AS a")
    await api.attempt("fetchall", other.fetchall)
    await api.attempt("the first", cursor.fetchone)
    await api.attempt("the first's close", cursor.close)


@each
async def closing_with_rows_unread(api: Api, cursor: Any) -> None:
    connection = cursor.connection
    await cursor.execute(FIVE)
    await api.attempt("fetchone", cursor.fetchone)
    await api.attempt("close", cursor.close)
    await api.attempt("close again", cursor.close)
    api.note("closed", cursor.closed)
    await api.attempt("fetchone", cursor.fetchone)
    await api.rows(connection, "SELECT 2")


@each
async def leaving_with_rows_unread(api: Api, cursor: Any) -> None:
    connection = cursor.connection
    async with connection.cursor(type(cursor)) as another:
        await another.execute(FIVE)
        await api.attempt("fetchone", another.fetchone)
    await api.rows(connection, "SELECT 2")


@each
async def committing_with_rows_unread(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    await api.attempt("fetchone", cursor.fetchone)
    await api.attempt("commit", cursor.connection.commit)
    await api.rows(cursor.connection, "SELECT 2")


@each
async def pinging_with_rows_unread(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    await api.attempt("ping", cursor.connection.ping, reconnect=False)
    await api.rows(cursor.connection, "SELECT 2")


@each
async def closing_the_connection_with_rows_unread(api: Api, cursor: Any) -> None:
    await cursor.execute(FIVE)
    cursor.connection.close()
    api.note("closed", cursor.connection.closed)
    await api.attempt("close", cursor.close)


@each
async def an_error_at_once(api: Api, cursor: Any) -> None:
    await api.execute(cursor, "SELEC 1")
    await api.execute(cursor, "SELECT 1 AS a")


@each
async def an_error_in_the_middle(api: Api, cursor: Any) -> None:
    table = await api.table("a INT")
    await api.run(f"INSERT INTO {table} VALUES (1), (2), (3)")
    await api.attempt(
        "execute", cursor.execute, f"SELECT a, IF(a = 3, (SELECT 1 UNION SELECT 2), 0) FROM {table}"
    )
    for _ in range(4):
        await api.attempt("fetchone", cursor.fetchone)
    await api.execute(cursor, "SELECT 5 AS a")


@each
async def many_sets(api: Api, cursor: Any) -> None:
    await api.attempt("execute", cursor.execute, "SELECT 1 AS a; SELECT 2 AS b UNION SELECT 3")
    await api.attempt("fetchall", cursor.fetchall)
    await api.attempt("nextset", cursor.nextset)
    await api.attempt("fetchall of the next", cursor.fetchall)
    await api.attempt("nextset", cursor.nextset)


@each
async def many_sets_and_rows_unread(api: Api, cursor: Any) -> None:
    await api.attempt("execute", cursor.execute, f"{FIVE}; SELECT 6 AS b")
    await api.attempt("fetchone", cursor.fetchone)
    await api.attempt("nextset", cursor.nextset)
    await api.attempt("fetchall of the next", cursor.fetchall)


@each
async def parameters(api: Api, cursor: Any) -> None:
    await api.attempt("execute", cursor.execute, "SELECT %s AS a, %s AS b", (1, "x"))
    await api.attempt("fetchall", cursor.fetchall)
    await api.attempt("a dict", cursor.execute, "SELECT %(a)s AS a", {"a": None})
    await api.attempt("fetchall", cursor.fetchall)
    api.call("mogrify", cursor.mogrify, "SELECT %s", (1,))


@each
async def executing_many(api: Api, cursor: Any) -> None:
    table = await api.table("a INT")
    sql = f"INSERT INTO {table} VALUES (%s)"
    await api.attempt("executemany", cursor.executemany, sql, [(1,), (2,)])
    api.state(cursor)
    await api.attempt("one by one", cursor.executemany, f"DELETE FROM {table} WHERE a=%s", [(1,)])
    api.state(cursor)
    await api.execute(cursor, f"SELECT * FROM {table}")


@each
async def more_rows_than_are_held(api: Api, cursor: Any) -> None:
    digits = ", ".join(
        f"(SELECT {' AS n UNION ALL SELECT '.join('0123456789')}) AS d{place}" for place in range(4)
    )
    sql = f"SELECT d0.n + 10 * d1.n + 100 * d2.n + 1000 * d3.n AS n FROM {digits} ORDER BY n"
    await api.attempt("execute", cursor.execute, sql.replace("SELECT 0 AS n", "SELECT 0 AS n"))
    seen, total = 0, 0
    async for row in cursor:
        seen += 1
        total += int(row["n"] if isinstance(row, dict) else row[0])
    api.note("rows", seen)
    api.note("sum", total)
    api.note("rownumber", cursor.rownumber)


@each
async def wide_rows(api: Api, cursor: Any) -> None:
    await api.attempt("execute", cursor.execute, "SELECT REPEAT('x', 2000000) AS a, 1 AS b")
    row = await cursor.fetchone()
    api.note(
        "length", sum(len(str(part)) for part in (row.values() if isinstance(row, dict) else row))
    )
    await api.attempt("fetchone", cursor.fetchone)


@each
async def warnings_at_the_end(api: Api, cursor: Any) -> None:
    await api.attempt("execute", cursor.execute, "SELECT CAST('x' AS SIGNED) AS a")
    await api.attempt("fetchone", cursor.fetchone)
    await api.attempt("fetchone", cursor.fetchone)
    await api.attempt("close", cursor.close)


@each
async def calling_procedures(api: Api, cursor: Any) -> None:
    await api.run("DROP PROCEDURE IF EXISTS s", "CREATE PROCEDURE s (a INT) SELECT a AS x, 2 AS y")
    await api.attempt("callproc", cursor.callproc, "s", (1,))
    await api.attempt("fetchall", cursor.fetchall)


@area.scenario
async def json_and_streams(api: Api) -> None:
    from aiomysql import cursors

    class Streamed(cursors.DeserializationCursor, cursors.SSCursor):
        pass

    connection = await api.connect()
    for classes in (
        (cursors.SSCursor, cursors.DeserializationCursor),
        (cursors.DeserializationCursor, cursors.SSCursor),
        (cursors.SSCursor, cursors.DictCursor),
    ):
        label = "+".join(each.__name__ for each in classes)
        cursor = await api.attempt(label, connection.cursor, *classes)
        if cursor is not None:
            await api.attempt("execute", cursor.execute, "SELECT JSON_OBJECT('a', 1) AS j, 1 AS n")
            await api.attempt("fetchone", cursor.fetchone)
            await api.attempt("fetchall", cursor.fetchall)
            await api.attempt("close", cursor.close)


@area.scenario
async def kinds_of_what_fetching_returns(api: Api) -> None:
    import inspect

    cursor = await api.cursor(api.aiomysql.SSCursor)
    await cursor.execute(FIVE)
    for name, args in (("fetchone", ()), ("fetchmany", (1,)), ("scroll", (1,)), ("fetchall", ())):
        made = getattr(cursor, name)(*args)
        api.note(name, inspect.isawaitable(made))
        await made


@area.scenario
async def columns_of_a_stream(api: Api) -> None:
    table = await api.table("a INT, b INT")
    await api.run(f"INSERT INTO {table} VALUES (1, 2)")
    cursor = await api.cursor(api.aiomysql.SSDictCursor)
    await api.execute(cursor, f"SELECT x.a, y.a, y.b FROM {table} AS x, {table} AS y")
    await api.execute(cursor, "SELECT 1 AS n, 2 AS n")
