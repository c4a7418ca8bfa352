"""The server's warnings and how they show."""

from __future__ import annotations

from typing import Any

from tests.compat.recorder import Api, Area

area = Area("warnings")


def warned(name: str, *statements: str, columns: str = "a TINYINT", sql_mode: str = "''") -> None:
    async def work(api: Api) -> None:
        table = await api.table(columns)
        connection = await api.connect(sql_mode=sql_mode)
        cursor = await connection.cursor()
        for sql in statements:
            await api.execute(cursor, sql.format(t=table))
            await api.attempt("show_warnings", connection.show_warnings)

    area.add(name, work)


warned("none", "SELECT 1", "INSERT INTO {t} VALUES (1)")
warned("out of range", "INSERT INTO {t} VALUES (1000)")
warned("many", "INSERT INTO {t} VALUES (1000), (-1000), ('x')")
warned("cut off", "INSERT INTO {t} VALUES ('long')", columns="a VARCHAR(2)")
warned("of a SELECT", "SELECT CAST('x' AS SIGNED), 1 / 0")
warned("a division by zero", "SELECT 1 / 0", sql_mode="'ERROR_FOR_DIVISION_BY_ZERO'")
warned("notes", "DROP TABLE IF EXISTS missing", "CREATE TABLE IF NOT EXISTS {t} (a INT)")
warned("IGNORE", "INSERT IGNORE INTO {t} VALUES (1), (1)", columns="a INT PRIMARY KEY")
warned("NULL made zero", "INSERT IGNORE INTO {t} VALUES (NULL)", columns="a INT NOT NULL")
warned("UPDATE", "INSERT INTO {t} VALUES (1)", "UPDATE {t} SET a = 1000", "DELETE FROM {t}")
warned("of one's own", "SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT = 'état', MYSQL_ERRNO = 1642")
warned("beyond ASCII", "INSERT INTO {t} VALUES ('日本')", columns="a ENUM('é')")
warned(
    "SHOW WARNINGS itself", "SELECT CAST('x' AS SIGNED)", "SHOW WARNINGS", "SHOW COUNT(*) WARNINGS"
)
warned("switched off", "SET max_error_count = 0", "SELECT CAST('x' AS SIGNED)")
warned("an error after it", "INSERT INTO {t} VALUES (1000)", "SELEC 1")


@area.scenario
async def in_several_sets(api: Api) -> None:
    cursor = await api.cursor()
    await api.attempt(
        "execute", cursor.execute, "SELECT CAST('x' AS SIGNED); SELECT CAST('y' AS SIGNED)"
    )
    await api.attempt("nextset", cursor.nextset)
    await api.attempt("fetchall", cursor.fetchall)


@area.scenario
async def in_the_first_set_only(api: Api) -> None:
    cursor = await api.cursor()
    await api.attempt("execute", cursor.execute, "SELECT CAST('x' AS SIGNED); SELECT 1")
    await api.attempt("nextset", cursor.nextset)


@area.scenario
async def in_executemany(api: Api) -> None:
    table = await api.table("a TINYINT")
    cursor = await api.cursor(sql_mode="''")
    rows = [(1000,), (1,), (-1000,)]
    await api.attempt("batched", cursor.executemany, f"INSERT INTO {table} VALUES (%s)", rows)
    await api.attempt("row by row", cursor.executemany, f"UPDATE {table} SET a = %s", rows)


@area.scenario
async def through_a_dict_cursor(api: Api) -> None:
    cursor = await api.cursor(api.aiomysql.DictCursor)
    await api.execute(cursor, "SELECT CAST('x' AS SIGNED) AS a")


@area.scenario
async def through_query(api: Api) -> None:
    connection = await api.connect()
    await api.attempt("query", connection.query, "SELECT CAST('x' AS SIGNED)")
    await api.attempt("show_warnings", connection.show_warnings)
    await api.attempt("again", connection.show_warnings)


@area.scenario
async def made_errors(api: Api) -> None:
    import warnings

    cursor = await api.cursor()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await api.attempt("execute", cursor.execute, "SELECT CAST('x' AS SIGNED)")
    await api.attempt("fetchall", cursor.fetchall)
    await api.attempt("afterwards", cursor.execute, "SELECT 1")


@area.scenario
async def a_hook_of_ones_own(api: Api) -> None:
    seen: list[Any] = []

    class Quiet(api.aiomysql.Cursor):  # type: ignore[name-defined,misc]
        async def _show_warnings(self, conn: Any) -> None:
            seen.append(await conn.show_warnings())

    cursor = await api.cursor(Quiet)
    await api.attempt("execute", cursor.execute, "SELECT CAST('x' AS SIGNED)")
    await api.attempt("execute", cursor.execute, "SELECT 1")
    api.note("seen", seen)


@area.scenario
async def the_class_of_the_warning(api: Api) -> None:
    import warnings

    cursor = await api.cursor()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        await cursor.execute("SELECT CAST('x' AS SIGNED)")
    for warning in seen:
        api.note("category", warning.category)
        api.note("is the module's", warning.category is api.aiomysql.Warning)
        api.note("args", warning.message.args)  # type: ignore[union-attr]
