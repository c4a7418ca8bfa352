"""Cursors: statements, parameters, rows, sets, procedures."""

from __future__ import annotations

import datetime
import decimal
import logging
from collections import OrderedDict
from typing import Any, Callable

import aiomysql
import pytest
from pymysql.constants import FIELD_TYPE

from tests.fix_servers import RunningServer
from tests.integration.support import numbers

pytestmark = pytest.mark.newest

Table = Callable[..., str]


async def ask(cursor: Any, sql: str, args: Any = None) -> Any:
    await cursor.execute(sql, args)
    return await cursor.fetchall()


# execute


async def test_before_the_first_statement(connection: Any) -> None:
    cursor = await connection.cursor()
    assert (cursor.description, cursor.rowcount, cursor.rownumber) == (None, -1, 0)
    assert (cursor.arraysize, cursor.lastrowid, cursor.closed) == (1, None, False)
    assert cursor.connection is connection
    for fetch in (cursor.fetchone, cursor.fetchmany, cursor.fetchall, lambda: cursor.scroll(1)):
        with pytest.raises(aiomysql.ProgrammingError, match=r"execute\(\) first"):
            fetch()
    await cursor.close()


async def test_cursor_is_awaited_or_entered(connection: Any) -> None:
    making = connection.cursor()
    cursor = await making
    assert await making is cursor
    async with connection.cursor() as other:
        assert other is not cursor
    assert other.closed
    assert not cursor.closed
    await cursor.close()
    await cursor.close()


async def test_a_closed_cursor(connection: Any) -> None:
    cursor = await connection.cursor()
    await cursor.execute("SELECT 1")
    await cursor.close()
    assert cursor.connection is None
    for use in (cursor.execute, cursor.callproc):
        with pytest.raises(aiomysql.ProgrammingError, match="Cursor closed"):
            await use("SELECT 1")
    with pytest.raises(aiomysql.ProgrammingError, match="Cursor closed"):
        await cursor.nextset()
    with pytest.raises(aiomysql.ProgrammingError, match="Cursor closed"):
        cursor.mogrify("SELECT 1")


async def test_cursor_classes(connection: Any) -> None:
    class Mine(aiomysql.Cursor):
        pass

    assert type(await connection.cursor()) is aiomysql.Cursor
    assert type(await connection.cursor(Mine)) is Mine
    mixed = await connection.cursor(aiomysql.DictCursor, aiomysql.DeserializationCursor)
    assert isinstance(mixed, aiomysql.DictCursor)
    assert type(mixed).__name__ == "DictDeserializationCursor"
    for wrong in (int, "Cursor", object()):
        with pytest.raises(TypeError, match="Custom cursor must be subclass of Cursor"):
            connection.cursor(wrong)


@pytest.mark.parametrize(
    ("query", "args", "row"),
    [
        ("SELECT 1", None, (1,)),
        ("SELECT '%%', '%s'", None, ("%%", "%s")),
        ("SELECT '%%'", (), ("%",)),
        ("SELECT %s, %s", (1, "a"), (1, "a")),
        ("SELECT %s, %s", [1, "a"], (1, "a")),
        ("SELECT %s", "scalar", ("scalar",)),
        ("SELECT %s", 5, (5,)),
        ("SELECT %(b)s, %(a)s, %(b)s", {"a": 1, "b": "ü"}, ("ü", 1, "ü")),
        ("SELECT 5 IN %s, 7 IN %s", ((1, 5), [1, 5]), (1, 0)),
        ("SELECT %s", ('it\'s "quoted" \\ \n \0 %s',), ('it\'s "quoted" \\ \n \0 %s',)),
        ("SELECT %s", (None,), (None,)),
        (b"SELECT 'bytes'", None, ("bytes",)),
    ],
)
async def test_parameters(cursor: Any, query: Any, args: Any, row: Any) -> None:
    assert await cursor.execute(query, args) == 1
    assert await cursor.fetchall() == (row,)


@pytest.mark.parametrize(
    ("query", "args", "kind"),
    [
        ("SELECT %s, %s", (1,), TypeError),
        ("SELECT %s", (1, 2), TypeError),
        ("SELECT %(a)s", {"b": 1}, KeyError),
        ("SELECT %s", ({"a": 1},), TypeError),
        ("SELECT %s", (float("inf"),), aiomysql.ProgrammingError),
    ],
)
async def test_parameters_that_do_not_fit(cursor: Any, query: str, args: Any, kind: Any) -> None:
    with pytest.raises(kind):
        await cursor.execute(query, args)
    assert await ask(cursor, "SELECT 'usable'") == (("usable",),)


async def test_mogrify_is_what_execute_sends(cursor: Any) -> None:
    args = ("it's", 5, None, 1.5, b"\xff", datetime.date(2024, 2, 29))
    query = "SELECT %s, %s, %s, %s, %s, %s"
    expected = "SELECT 'it\\'s', 5, NULL, 1.5e0, _binary'\udcff', '2024-02-29'"
    assert cursor.mogrify(query, args) == expected
    await cursor.execute(query, args)
    assert cursor._executed == expected
    assert cursor.mogrify("SELECT 1 %% 2") == "SELECT 1 %% 2"


async def test_rowcount_and_lastrowid(cursor: Any, table: Table) -> None:
    name = table("id INT AUTO_INCREMENT PRIMARY KEY, v INT")
    assert await cursor.execute(f"INSERT INTO {name} (v) VALUES (1), (2), (3)") == 3
    assert (cursor.rowcount, cursor.lastrowid, cursor.description) == (3, 1, None)
    assert (await cursor.fetchone(), await cursor.fetchmany(), await cursor.fetchall()) == (
        None,
        [],
        [],
    )
    assert await cursor.execute(f"UPDATE {name} SET v = 1") == 2
    assert (cursor.rowcount, cursor.lastrowid) == (2, 0)
    assert await cursor.execute(f"SELECT * FROM {name}") == 3
    assert (cursor.rowcount, cursor.lastrowid) == (3, None)
    assert await cursor.execute(f"DELETE FROM {name}") == 3
    assert await cursor.execute(f"SELECT * FROM {name}") == 0
    assert (cursor.rowcount, await cursor.fetchall()) == (0, ())


async def test_description(cursor: Any, table: Table) -> None:
    name = table("id INT NOT NULL, d DECIMAL(8, 3), s VARCHAR(7)")
    await cursor.execute(f"SELECT id, d, s AS 'an alias' FROM {name}")
    ids, numbers_, strings = cursor.description
    assert [column[0] for column in cursor.description] == ["id", "d", "an alias"]
    assert (ids[1], numbers_[1], strings[1]) == (
        FIELD_TYPE.LONG,
        FIELD_TYPE.NEWDECIMAL,
        FIELD_TYPE.VAR_STRING,
    )
    assert all(len(column) == 7 and column[2] is None for column in cursor.description)
    assert (ids[6], numbers_[6], strings[6]) == (False, True, True)
    assert numbers_[5] == 3


# Fetching


async def test_fetching(cursor: Any) -> None:
    assert await cursor.execute(numbers(10)) == 10
    assert await cursor.fetchone() == (1,)
    assert await cursor.fetchmany() == ((2,),)
    assert await cursor.fetchmany(2) == ((3,), (4,))
    assert await cursor.fetchmany(0) == ((5,),)
    cursor.arraysize = 2
    assert await cursor.fetchmany() == ((6,), (7,))
    assert cursor.rownumber == 7
    assert await cursor.fetchall() == ((8,), (9,), (10,))
    assert await cursor.fetchone() is None
    assert await cursor.fetchmany(3) == ()
    assert await cursor.fetchall() == ()
    assert cursor.rownumber == 10


async def test_iteration(cursor: Any) -> None:
    await cursor.execute(numbers(5))
    assert await cursor.fetchone() == (1,)
    assert [row async for row in cursor] == [(2,), (3,), (4,), (5,)]
    assert [row async for row in cursor] == []


async def test_scrolling(cursor: Any) -> None:
    await cursor.execute(numbers(5))
    await cursor.scroll(2)
    assert await cursor.fetchone() == (3,)
    await cursor.scroll(-2, mode="relative")
    assert await cursor.fetchone() == (2,)
    await cursor.scroll(4, mode="absolute")
    assert await cursor.fetchone() == (5,)
    await cursor.scroll(0, mode="absolute")
    for value, mode in ((-1, "relative"), (5, "absolute"), (99, "relative"), (-1, "absolute")):
        with pytest.raises(IndexError, match="out of range"):
            cursor.scroll(value, mode)
    with pytest.raises(aiomysql.ProgrammingError, match="unknown scroll mode sideways"):
        cursor.scroll(1, "sideways")
    assert await cursor.fetchone() == (1,)


async def test_dictionaries(connection: Any, table: Table) -> None:
    name = table("id INT, v INT")
    async with connection.cursor(aiomysql.DictCursor) as cursor:
        await cursor.execute(f"INSERT INTO {name} VALUES (1, 2)")
        assert await ask(cursor, f"SELECT * FROM {name}") == [{"id": 1, "v": 2}]
        assert await ask(cursor, f"SELECT a.id, b.id FROM {name} a, {name} b") == [
            {"id": 1, "b.id": 1}
        ]
        assert await ask(cursor, f"SELECT * FROM {name} WHERE FALSE") == ()
        await cursor.execute("SELECT 1 AS a UNION SELECT 2")
        assert await cursor.fetchone() == {"a": 1}
        assert [row async for row in cursor] == [{"a": 2}]


async def test_dictionaries_of_another_type(connection: Any) -> None:
    class Ordered(aiomysql.DictCursor):
        dict_type = OrderedDict

    async with connection.cursor(Ordered) as cursor:
        await cursor.execute("SELECT 2 AS b, 1 AS a")
        row = await cursor.fetchone()
    assert type(row) is OrderedDict
    assert list(row.items()) == [("b", 2), ("a", 1)]


# Values, there and back

VALUES: list[tuple[str, Any]] = [
    ("TINYINT", -128),
    ("BOOLEAN", 1),
    ("BIGINT", -(2**63)),
    ("BIGINT UNSIGNED", 2**64 - 1),
    ("DOUBLE", 1.7976931348623157e308),
    ("DOUBLE", -0.1),
    ("FLOAT", 0.5),
    ("DECIMAL(30, 10)", decimal.Decimal("12345678901234567890.0123456789")),
    ("DATE", datetime.date(9999, 12, 31)),
    ("DATETIME", datetime.datetime(2024, 2, 29, 23, 59, 59)),
    ("DATETIME(6)", datetime.datetime(2024, 2, 29, 23, 59, 59, 7)),
    ("TIMESTAMP(3) NULL", datetime.datetime(2024, 2, 29, 23, 59, 59, 123000)),
    ("TIME", datetime.timedelta(hours=838, minutes=59, seconds=59)),
    ("TIME(6)", -datetime.timedelta(hours=1, seconds=2, microseconds=3)),
    ("YEAR", 2024),
    ("VARCHAR(50)", "Grüße, 🐬 it's \\ \" \0 \n\r\x1a %s"),
    ("CHAR(5)", "a"),
    ("TEXT", ""),
    ("LONGTEXT", "ü" * 100_000),
    ("VARBINARY(300)", bytes(range(256))),
    ("BLOB", b""),
    ("LONGBLOB", b"\xff\x00" * 100_000),
    ("BIT(10)", b"\x02\xff"),
    ("ENUM('a', 'ü')", "ü"),
    ("SET('a', 'b', 'c')", "a,c"),
]


@pytest.mark.parametrize(("kind", "value"), VALUES, ids=[kind for kind, _ in VALUES])
async def test_values_there_and_back(cursor: Any, table: Table, kind: str, value: Any) -> None:
    name = table(f"id INT, v {kind}")
    await cursor.execute(f"INSERT INTO {name} VALUES (1, %s), (2, NULL)", (value,))
    assert await ask(cursor, f"SELECT v FROM {name} ORDER BY id") == ((value,), (None,))
    ((got,),) = await ask(cursor, f"SELECT v FROM {name} WHERE id = 1")
    assert type(got) is type(value)
    if kind not in ("FLOAT", "BIT(10)"):
        assert await ask(cursor, f"SELECT id FROM {name} WHERE v = %s", (value,)) == ((1,),)


async def test_json(server: RunningServer, connection: Any, table: Table) -> None:
    name = table("v JSON")
    async with connection.cursor() as cursor:
        await cursor.execute(f"INSERT INTO {name} VALUES (%s)", ('{"a": [1, "ü"]}',))
        assert await ask(cursor, f"SELECT v FROM {name}") == (('{"a": [1, "ü"]}',),)
    async with connection.cursor(aiomysql.DeserializationCursor) as cursor:
        ((got,),) = await ask(cursor, f"SELECT v FROM {name}")
        # On MariaDB the type is text in all but its name.
        assert got == ('{"a": [1, "ü"]}' if server.is_mariadb else {"a": [1, "ü"]})


async def test_zero_dates_stay_text(cursor: Any, table: Table) -> None:
    name = table("d DATE, t DATETIME")
    await cursor.execute("SET sql_mode = ''")
    await cursor.execute(f"INSERT INTO {name} VALUES (0, 0)")
    assert await ask(cursor, f"SELECT * FROM {name}") == (("0000-00-00", "0000-00-00 00:00:00"),)


async def test_a_packet_of_more_than_16_mib(cursor: Any) -> None:
    value = "x" * (17 << 20)
    ((length, back),) = await ask(cursor, "SELECT LENGTH(%s), %s", (value, value))
    assert length == len(value)
    assert back == value


# Several statements, several sets


async def test_several_statements(cursor: Any, table: Table) -> None:
    name = table("v INT")
    await cursor.execute(
        f"SELECT 1 UNION SELECT 2; INSERT INTO {name} VALUES (7), (8); SELECT v FROM {name}; "
        "SET @a = 1"
    )
    assert (await cursor.fetchall(), cursor.rowcount) == (((1,), (2,)), 2)
    assert await cursor.nextset() is True
    assert (cursor.rowcount, cursor.description, await cursor.fetchall()) == (2, None, [])
    assert await cursor.nextset() is True
    assert (await cursor.fetchall(), cursor.rownumber) == (((7,), (8,)), 2)
    assert await cursor.nextset() is True
    assert await cursor.nextset() is None
    assert await cursor.nextset() is None
    assert await ask(cursor, "SELECT @a") == ((1,),)


@pytest.mark.parametrize("first", ["SELECT 1", "SET @a = 1", "SELECT 1 FROM DUAL WHERE FALSE"])
@pytest.mark.parametrize("skipped", [0, 1, 2])
async def test_an_error_in_a_later_set(cursor: Any, first: str, skipped: int) -> None:
    await cursor.execute("; ".join([*[first] * (skipped + 1), "SELECT no_such_column", "SELECT 2"]))
    for _ in range(skipped):
        assert await cursor.nextset() is True
    with pytest.raises(aiomysql.OperationalError) as caught:
        await cursor.nextset()
    assert caught.value.args[0] == 1054
    assert await cursor.nextset() is None
    assert await ask(cursor, "SELECT 'usable'") == (("usable",),)


async def test_an_error_in_the_first_set(cursor: Any, table: Table) -> None:
    name = table("v INT")
    with pytest.raises(aiomysql.OperationalError):
        await cursor.execute(f"SELECT no_such_column; INSERT INTO {name} VALUES (1)")
    assert await cursor.nextset() is None
    assert await ask(cursor, f"SELECT * FROM {name}") == ()


async def test_sets_that_nobody_reads(connection: Any) -> None:
    for finish in ("execute", "close", "another cursor", "commit"):
        cursor = await connection.cursor()
        await cursor.execute(f"SELECT 1; {numbers(1500)}; SELECT 3")
        if finish == "execute":
            assert await ask(cursor, "SELECT 'next'") == (("next",),)
        elif finish == "close":
            await cursor.close()
        elif finish == "commit":
            await connection.commit()
        async with connection.cursor() as other:
            assert await ask(other, "SELECT 'other'") == (("other",),)
        # The old result is over: nothing of the other one shows through it.
        if finish != "close":
            assert await cursor.nextset() is None
            await cursor.close()


# Procedures


@pytest.fixture
def procedure(server: RunningServer, table: Table) -> Any:
    """To be asked for before any connection: a transaction that called it holds up its end."""
    server.query("DROP PROCEDURE IF EXISTS add_and_tell")
    server.query(
        "CREATE PROCEDURE add_and_tell (IN a INT, INOUT b INT, OUT c VARCHAR(20)) BEGIN "
        "SET c = CONCAT('sum ', a + b); SET b = a + b; SELECT a, b; SELECT c; END"
    )
    yield "add_and_tell"
    with server.admin() as admin:
        admin.execute("SET lock_wait_timeout = 5")
        admin.execute("DROP PROCEDURE add_and_tell")


async def test_callproc(procedure: str, cursor: Any) -> None:
    args = (1, 2, "")
    assert await cursor.callproc(procedure, args) is args
    assert cursor._executed == f"CALL {procedure}(@_{procedure}_0,@_{procedure}_1,@_{procedure}_2)"
    assert await cursor.fetchall() == ((1, 3),)
    assert await cursor.nextset() is True
    assert await cursor.fetchall() == (("sum 3",),)
    assert await cursor.nextset() is True
    assert await cursor.nextset() is None
    names = ", ".join(f"@_{procedure}_{index}" for index in range(3))
    assert await ask(cursor, f"SELECT {names}") == ((1, 3, "sum 3"),)


async def test_callproc_streamed(procedure: str, connection: Any) -> None:
    async with connection.cursor(aiomysql.SSCursor) as cursor:
        await cursor.callproc(procedure, (1, 2, ""))
        assert await cursor.fetchall() == [(1, 3)]
        assert await cursor.nextset() is True
        assert await cursor.fetchone() == ("sum 3",)


async def test_callproc_that_is_not_there(cursor: Any) -> None:
    with pytest.raises(aiomysql.OperationalError) as caught:
        await cursor.callproc("no_such_procedure", (1,))
    assert caught.value.args[0] == 1305
    assert await ask(cursor, "SELECT 1") == ((1,),)


# executemany


async def questions(cursor: Any) -> int:
    """Statements that the server has counted in this session; asking is one of them."""
    ((_, count),) = await ask(cursor, "SHOW SESSION STATUS LIKE 'Questions'")
    return int(count)


BULK = [
    "INSERT INTO {t} (id, v) VALUES (%s, %s)",
    "insert into {t}(id,v)values(%s,%s)",
    "REPLACE INTO {t} (id, v) VALUES (%s, %s)",
    "INSERT IGNORE INTO {t} VALUES (%s, UPPER(%s))",
    "INSERT INTO {t} (id, v) VALUES (%s, %s) ON DUPLICATE KEY UPDATE v = 'again'",
    "INSERT INTO {t} (id, v) /* VALUES (%% */ VALUES (%s, CONCAT(%s, '%%', ')'))",
    "INSERT INTO {t} (id, v) VALUE (%s, %s) ;",
]


@pytest.mark.parametrize("query", BULK)
@pytest.mark.parametrize("how", [list, tuple, iter, lambda rows: (row for row in rows)])
async def test_bulk_inserts(cursor: Any, table: Table, query: str, how: Any) -> None:
    name = table("id INT PRIMARY KEY, v VARCHAR(20)")
    rows = [(number, f"v{number}%s'") for number in range(50)]
    before = await questions(cursor)
    assert await cursor.executemany(query.format(t=name), how(rows)) == 50
    assert cursor.rowcount == 50
    assert await questions(cursor) - before == 2
    got = await ask(cursor, f"SELECT * FROM {name} ORDER BY id")
    expected = [
        (number, (v.upper() if "UPPER" in query else v) + ("%)" if "CONCAT" in query else ""))
        for number, v in rows
    ]
    assert list(got) == expected


@pytest.mark.vendor("mysql")
async def test_bulk_inserts_with_an_alias(cursor: Any, table: Table) -> None:
    name = table("id INT PRIMARY KEY, v INT")
    query = (
        f"INSERT INTO {name} (id, v) VALUES (%s, %s) AS new ON DUPLICATE KEY UPDATE v = new.v + 1"
    )
    before = await questions(cursor)
    assert await cursor.executemany(query, [(1, 1), (2, 2)]) == 2
    # An updated row counts twice.
    assert await cursor.executemany(query, [(1, 10), (3, 3)]) == 3
    assert await questions(cursor) - before == 3
    assert await ask(cursor, f"SELECT * FROM {name} ORDER BY id") == ((1, 11), (2, 2), (3, 3))


async def test_bulk_inserts_of_mappings(cursor: Any, table: Table) -> None:
    name = table("id INT PRIMARY KEY, v VARCHAR(20), w VARCHAR(20)")
    query = f"INSERT INTO {name} VALUES (%(id)s, %(v)s, %(v)s)"
    rows = [{"id": number, "v": f"ü{number}"} for number in range(3)]
    assert await cursor.executemany(query, rows) == 3
    assert await ask(cursor, f"SELECT * FROM {name} ORDER BY id") == tuple(
        (row["id"], row["v"], row["v"]) for row in rows
    )


@pytest.mark.parametrize("length", [1, 60, 100, 500, 1_024_000])
async def test_bulk_inserts_are_split(cursor: Any, table: Table, length: int) -> None:
    name = table("id INT PRIMARY KEY, v VARCHAR(20)")
    cursor.max_stmt_length = length
    rows = [(number, "x" * (number % 20)) for number in range(100)]
    before = await questions(cursor)
    assert await cursor.executemany(f"INSERT INTO {name} VALUES (%s, %s)", rows) == 100
    sent = await questions(cursor) - before - 1
    assert (sent == 1) == (length > 5000)
    assert len(cursor._executed) <= max(length, 60)
    assert (sent == 100) == (length < 60)
    assert await ask(cursor, f"SELECT * FROM {name} ORDER BY id") == tuple(rows)


async def test_statements_are_no_longer_than_allowed(cursor: Any, table: Table) -> None:
    name = table("v VARCHAR(20)")
    cursor.max_stmt_length = 200
    await cursor.executemany(f"INSERT INTO {name} VALUES (%s)", [("x" * 20,)] * 6)
    # One row more would be too long.
    head, row = len(f"INSERT INTO {name} VALUES "), len("('" + "x" * 20 + "'),")
    most = (200 + 1 - head) // row
    assert len(cursor._executed) <= 200
    assert cursor._executed.count(b"x" * 20) == 6 % most or most


@pytest.mark.parametrize(
    ("query", "args", "count"),
    [
        ("UPDATE {t} SET v = %s WHERE id = %s", [(5, 1), (6, 2), (7, 99)], 2),
        ("DELETE FROM {t} WHERE id = %s", [(1,), (2,)], 2),
        ("DELETE FROM {t} WHERE id = %s", [1, 2, 98], 2),
        ("INSERT INTO {t} SELECT %s, %s", [(10, 1), (11, 2)], 2),
        ("INSERT INTO {t} VALUES (%s, 0), (%s, 0)", [(10, 11), (12, 13)], 4),
        ("INSERT INTO {t} VALUES (%s, 0) ON DUPLICATE KEY UPDATE v = %s", [(9, 1), (1, 2)], 3),
        ("INSERT INTO {t} VALUES (%s, (SELECT %s))", [(10, 1), (11, 2)], 2),
        ("SELECT * FROM {t} WHERE id = %s", [(1,), (2,), (3,)], 2),
    ],
)
async def test_row_by_row(cursor: Any, table: Table, query: str, args: Any, count: int) -> None:
    name = table("id INT PRIMARY KEY, v INT")
    await cursor.execute(f"INSERT INTO {name} VALUES (1, 1), (2, 2)")
    before = await questions(cursor)
    assert await cursor.executemany(query.format(t=name), args) == count
    assert cursor.rowcount == count
    assert await questions(cursor) - before == len(args) + 1


async def test_nothing_to_insert(cursor: Any, table: Table) -> None:
    name = table("v INT")
    for nothing in ([], (), None, {}):
        assert await cursor.executemany(f"INSERT INTO {name} VALUES (%s)", nothing) is None
    assert await ask(cursor, f"SELECT * FROM {name}") == ()


async def test_a_bulk_insert_that_fails(cursor: Any, table: Table) -> None:
    name = table("id INT PRIMARY KEY")
    with pytest.raises(aiomysql.IntegrityError):
        await cursor.executemany(f"INSERT INTO {name} VALUES (%s)", [(1,), (2,), (1,)])
    with pytest.raises(TypeError):
        await cursor.executemany(f"INSERT INTO {name} VALUES (%s)", [(5,), (6, 7)])

    def rows() -> Any:
        yield (8,)
        raise ArithmeticError("no more")

    with pytest.raises(ArithmeticError, match="no more"):
        await cursor.executemany(f"INSERT INTO {name} VALUES (%s)", rows())
    # All of it was one statement, or none.
    assert await ask(cursor, f"SELECT * FROM {name}") == ()


async def test_a_bulk_insert_tells_its_first_id(cursor: Any, table: Table) -> None:
    name = table("id INT AUTO_INCREMENT PRIMARY KEY, v INT")
    await cursor.executemany(f"INSERT INTO {name} (v) VALUES (%s)", [(1,), (2,), (3,)])
    assert cursor.lastrowid == 1


# Logging


async def test_echo(
    procedure: str, connect: Any, table: Table, caplog: pytest.LogCaptureFixture
) -> None:
    name = table("v INT")
    connection = await connect(echo=True)
    assert connection.echo
    async with connection.cursor() as cursor:
        assert cursor.echo
        with caplog.at_level(logging.INFO, logger="aiomysql"):
            await cursor.execute("SELECT %s", (5,))
            assert caplog.messages == ["SELECT 5", "(5,)"]
            caplog.clear()
            query = f"INSERT INTO {name} VALUES (%s)"
            await cursor.executemany(query, [(1,), (2,)])
            assert caplog.messages[:2] == [f"CALL {query}", "[(1,), (2,)]"]
            assert "VALUES (1),(2)" in caplog.messages[2]
            caplog.clear()
            await cursor.callproc(procedure, (1, 2, ""))
            assert caplog.messages[:2] == [f"CALL {procedure}", "(1, 2, '')"]


async def test_no_echo(cursor: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="aiomysql"):
        await cursor.execute("SELECT 1")
    assert caplog.messages == []
