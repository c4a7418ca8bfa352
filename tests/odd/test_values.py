"""Empty names, NULL everywhere, zero dates, vectors, and procedures that fail half-way."""

from __future__ import annotations

import datetime
from typing import Any, Callable

import aiomysql
import pymysql.err
import pytest

pytestmark = pytest.mark.newest

Connect = Callable[..., Any]


async def ask(connection: Any, sql: str, args: Any = None) -> Any:
    async with connection.cursor() as cursor:
        await cursor.execute(sql, args)
        return await cursor.fetchall()


async def test_columns_without_a_name(connect: Connect) -> None:
    connection = await connect()
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT '' AS ``, 1 AS `a`, '' AS ``")
        assert [column[0] for column in cursor.description] == ["", "a", ""]
        assert await cursor.fetchall() == (("", 1, ""),)
    async with connection.cursor(aiomysql.DictCursor) as cursor:
        await cursor.execute("SELECT 1 AS ``, 2 AS `a`, '' AS ''")
        (row,) = await cursor.fetchall()
        assert row["a"] == 2
        assert len(row) == 3


TYPES = (
    *("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "BIGINT UNSIGNED", "FLOAT", "DOUBLE"),
    *("DECIMAL(20,5)", "BIT(9)", "YEAR", "DATE", "TIME(6)", "DATETIME(6)", "TIMESTAMP(6) NULL"),
    *("CHAR(3)", "VARCHAR(9)", "BINARY(3)", "VARBINARY(9)", "TINYBLOB", "BLOB", "LONGBLOB"),
    *("TINYTEXT", "TEXT", "LONGTEXT", "ENUM('a')", "SET('a', 'b')", "JSON", "GEOMETRY"),
)


@pytest.mark.parametrize("options", [{}, {"use_unicode": False}, {"conv": {}}])
async def test_null_in_every_type(connect: Connect, table: Any, options: dict[str, Any]) -> None:
    made = table(", ".join(f"c{n} {kind}" for n, kind in enumerate(TYPES)))
    connection = await connect(**options, autocommit=True)
    nulls = (None,) * len(TYPES)
    async with connection.cursor() as cursor:
        insert = f"INSERT INTO {made} VALUES ({', '.join(['%s'] * len(TYPES))})"
        assert await cursor.executemany(insert, [nulls] * 300) == 300
    for kind in (aiomysql.Cursor, aiomysql.SSCursor):
        async with connection.cursor(kind) as cursor:
            await cursor.execute(f"SELECT * FROM {made}")
            assert list(await cursor.fetchall()) == [nulls] * 300
    async with connection.cursor(aiomysql.DictCursor) as cursor:
        await cursor.execute(f"SELECT * FROM {made} LIMIT 1")
        assert await cursor.fetchone() == {f"c{n}": None for n in range(len(TYPES))}


ZEROES = ("0000-00-00", "2020-00-10", "2020-10-00", "0000-01-01")
DATE_MODES = ("", "NO_ZERO_DATE", "NO_ZERO_IN_DATE", "ALLOW_INVALID_DATES", "TRADITIONAL")


@pytest.mark.parametrize("mode", DATE_MODES)
async def test_zero_dates_in_every_mode(connect: Connect, table: Any, mode: str) -> None:
    """Whoever reads them, in whichever mode, gets what is stored: text, as it is no date."""
    made = table("d DATE, t DATETIME(3)")
    writer = await connect(autocommit=True, sql_mode="'ALLOW_INVALID_DATES'")
    dates = [*ZEROES, "2021-02-31", "2021-02-03"]
    lines = [(date, f"{date} 01:02:03.5") for date in dates]
    async with writer.cursor() as cursor:
        await cursor.executemany(f"INSERT INTO {made} VALUES (%s, %s)", lines)
    reader = await connect(sql_mode=f"'{mode}'")
    read = dict(zip(dates, await ask(reader, f"SELECT * FROM {made}")))
    for date in dates[:3] + dates[4:5]:
        assert read[date] == (date, f"{date} 01:02:03.500")
    assert read["2021-02-03"] == (
        datetime.date(2021, 2, 3),
        datetime.datetime(2021, 2, 3, 1, 2, 3, 500_000),
    )
    assert read["0000-01-01"] == ("0000-01-01", "0000-01-01 01:02:03.500")


async def test_zero_dates_that_the_mode_forbids(connect: Connect, table: Any) -> None:
    made = table("d DATE")
    connection = await connect(sql_mode="'TRADITIONAL'", autocommit=True)
    for date in ZEROES[:3]:
        with pytest.raises(pymysql.err.OperationalError) as caught:
            await ask(connection, f"INSERT INTO {made} VALUES (%s)", (date,))
        assert caught.value.args[0] == 1292
    assert await ask(connection, f"SELECT COUNT(*) FROM {made}") == ((0,),)


async def test_vectors(connect: Connect, server: Any, table: Any) -> None:
    if server.is_mariadb and server.version < (11, 7):
        with pytest.raises(pymysql.err.Error):
            table("v VECTOR(3)")
        return
    made = table("v VECTOR(3)")
    to_vector = "VEC_FromText" if server.is_mariadb else "STRING_TO_VECTOR"
    connection = await connect(autocommit=True)
    packed = b"\0\0\x80?\0\0\0@\0\0@@"
    insert = f"INSERT INTO {made} VALUES ({to_vector}(%s)), (%s), (NULL)"
    assert await ask(connection, insert, ("[1,2,3]", packed)) == []
    assert await ask(connection, f"SELECT v FROM {made}") == ((packed,), (packed,), (None,))


async def test_collations_of_unicode_14(connect: Connect, server: Any, table: Any) -> None:
    """utf8mb4_uca1400_ai_ci, or MySQL's utf8mb4_0900_ai_ci: by statement and of a column."""
    name = "utf8mb4_uca1400_ai_ci" if server.is_mariadb else "utf8mb4_0900_ai_ci"
    made = table(f"a VARCHAR(9) COLLATE {name}")
    connection = await connect(init_command=f"SET NAMES utf8mb4 COLLATE {name}", autocommit=True)
    assert await ask(connection, "SELECT @@collation_connection, 'É😀' = %s", ("e😀",)) == (
        (name, 1),
    )
    await ask(connection, f"INSERT INTO {made} VALUES (%s)", ("É😀",))
    assert await ask(connection, f"SELECT a FROM {made} WHERE a = %s", ("e😀",)) == (("É😀",),)


@pytest.fixture
def procedure(server: Any) -> Any:
    name = "sets_and_errors"
    server.query(f"DROP PROCEDURE IF EXISTS {name}")
    server.query(
        f"CREATE PROCEDURE {name}(IN fails_after INT) BEGIN "
        "SELECT 1, 'one'; "
        "IF fails_after = 1 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'first'; END IF; "
        "SELECT 2 WHERE 1 = 0; "
        "IF fails_after = 2 THEN SELECT * FROM missing_table; END IF; "
        "SELECT 3 UNION ALL SELECT 4; END"
    )
    yield name
    server.query(f"DROP PROCEDURE {name}")


@pytest.mark.parametrize("kind", [aiomysql.Cursor, aiomysql.SSCursor])
async def test_a_procedure_that_fails_between_its_sets(
    procedure: str, connect: Connect, kind: type[aiomysql.Cursor]
) -> None:
    # A transaction would keep the procedure's lock.
    connection = await connect(autocommit=True)
    async with connection.cursor(kind) as cursor:
        await cursor.callproc(procedure, (0,))
        sets = [list(await cursor.fetchall())]
        while await cursor.nextset():
            sets.append(list(await cursor.fetchall() or []))
        assert sets == [[(1, "one")], [], [(3,), (4,)], []]
        for fails_after, code in ((1, 1644), (2, 1146)):
            await cursor.callproc(procedure, (fails_after,))
            assert list(await cursor.fetchall()) == [(1, "one")]
            if fails_after == 2:
                assert await cursor.nextset() is True
                assert list(await cursor.fetchall()) == []
            with pytest.raises(pymysql.err.Error) as caught:
                await cursor.nextset()
            assert caught.value.args[0] == code
            # The connection is well, and no set is left over.
            assert await cursor.nextset() is None
            await cursor.execute("SELECT 'next'")
            assert list(await cursor.fetchall()) == [("next",)]


async def test_errors_between_statements(connect: Connect, table: Any) -> None:
    made = table("n INT PRIMARY KEY")
    connection = await connect(autocommit=True)
    async with connection.cursor() as cursor:
        await cursor.execute(
            f"INSERT INTO {made} VALUES (1); SELECT n FROM {made}; "
            f"INSERT INTO {made} VALUES (1); INSERT INTO {made} VALUES (2)"
        )
        assert cursor.rowcount == 1
        assert await cursor.nextset() is True
        assert await cursor.fetchall() == ((1,),)
        with pytest.raises(pymysql.err.IntegrityError):
            await cursor.nextset()
    # The statements after the error were not run.
    assert await ask(connection, f"SELECT n FROM {made}") == ((1,),)
