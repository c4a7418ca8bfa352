"""Random values go to both servers and come back as they went."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Callable

import aiomysql
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fix_asyncio import Runner
from tests.fix_servers import RunningServer

LONGEST_TIME = dt.timedelta(hours=838, minutes=59, seconds=59)


def _unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Column:
    """A column's type, the values for it, and what is sent and comes back for each."""

    sql: str
    values: st.SearchStrategy[Any]
    sent: Callable[[Any], Any] = _unchanged
    back: Callable[[Any], Any] = _unchanged


def _since_midnight(time: dt.time) -> dt.timedelta:
    return dt.datetime.combine(dt.date.min, time) - dt.datetime.min


texts = st.text(st.characters(codec="utf-8"), max_size=100)
# MySQL keeps a JSON number beyond 64 bits as a double, and refuses one beyond that.
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
times = st.times()
spans = st.timedeltas(-LONGEST_TIME, LONGEST_TIME)

COLUMNS = [
    Column("TEXT CHARACTER SET utf8mb4", texts),
    Column("VARCHAR(100) CHARACTER SET utf8mb4", texts),
    Column("BLOB", st.binary()),
    Column("VARBINARY(100)", st.binary(max_size=100).map(bytearray), back=bytes),
    Column("TINYINT", st.integers(-(2**7), 2**7 - 1)),
    Column("BOOLEAN", st.booleans(), back=int),
    Column("BIGINT", st.integers(-(2**63), 2**63 - 1)),
    Column("BIGINT UNSIGNED", st.integers(0, 2**64 - 1)),
    Column("DOUBLE", st.floats(allow_nan=False, allow_infinity=False)),
    Column("DECIMAL(65, 30)", st.decimals(-(10**35) + 1, 10**35 - 1, places=30)),
    Column("DECIMAL(20, 0)", st.integers(-(10**20) + 1, 10**20 - 1).map(Decimal)),
    Column("DATE", st.dates()),
    Column("DATETIME(6)", st.datetimes()),
    Column(
        "TIMESTAMP(6)", st.datetimes(dt.datetime(1970, 1, 1, 0, 0, 1), dt.datetime(2038, 1, 19))
    ),
    Column("TIME(6)", times, back=_since_midnight),
    Column("TIME(6)", spans),
    Column("YEAR", st.integers(1901, 2155)),
    Column("BIT(64)", st.integers(0, 2**64 - 1), back=lambda number: number.to_bytes(8, "big")),
    Column("JSON", json_values, sent=json.dumps),
]

CURSORS = st.sampled_from(
    [aiomysql.Cursor, aiomysql.DictCursor, aiomysql.SSCursor, aiomysql.SSDictCursor]
)


#: How text is escaped goes by the session's sql_mode.
MODES = ("", "NO_BACKSLASH_ESCAPES")
#: A quarter of what a test without a server tries.
_EXAMPLES = settings.default.max_examples // 4


class Session:
    """Connections with their loop, kept for all examples of the tests."""

    def __init__(self, server: RunningServer) -> None:
        self.runner = Runner()
        self.connections = {
            mode: self.runner.run(_connect(server, sql_mode=repr(mode))) for mode in MODES
        }
        self.connection = self.connections[""]

    def close(self) -> None:
        for connection in self.connections.values():
            connection.close()
        self.runner.close()


async def _connect(server: RunningServer, **arguments: Any) -> aiomysql.Connection:
    connection = await aiomysql.connect(**server.connect_kwargs(**arguments))
    await connection.query("SET time_zone = '+00:00'")
    return connection


@pytest.fixture(scope="module")
def session(server: RunningServer) -> Iterator[Session]:
    session = Session(server)
    yield session
    session.close()


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.sql)
def test_columns(session: Session, column: Column) -> None:
    connection = session.connection
    definition = f"id INT AUTO_INCREMENT PRIMARY KEY, v {column.sql} NULL"
    session.runner.run(connection.query(f"CREATE TEMPORARY TABLE round_trip ({definition})"))

    @settings(max_examples=_EXAMPLES)
    @given(st.lists(st.none() | column.values, min_size=1, max_size=30), CURSORS, st.booleans())
    def goes_and_comes(values: list[Any], cursor_class: type[aiomysql.Cursor], bulk: bool) -> None:
        sent = [value if value is None else column.sent(value) for value in values]
        wanted = [value if value is None else column.back(value) for value in values]
        rows = session.runner.run(_there_and_back(connection, sent, cursor_class, bulk))
        if column.sql == "JSON":
            rows = [row if row is None else json.loads(row) for row in rows]
        assert rows == wanted
        assert list(map(type, rows)) == list(map(type, wanted))

    try:
        goes_and_comes()
    finally:
        session.runner.run(connection.query("DROP TEMPORARY TABLE round_trip"))


async def _there_and_back(
    connection: aiomysql.Connection,
    values: list[Any],
    cursor_class: type[aiomysql.Cursor],
    bulk: bool,
) -> list[Any]:
    insert = "INSERT INTO round_trip (v) VALUES (%s)"
    async with connection.cursor() as cursor:
        if bulk:
            await cursor.executemany(insert, [(value,) for value in values])
        else:
            for value in values:
                await cursor.execute(insert, (value,))
    async with connection.cursor(cursor_class) as cursor:
        await cursor.execute("SELECT v FROM round_trip ORDER BY id")
        rows = await cursor.fetchall()
    await connection.rollback()
    return [row["v"] if isinstance(row, dict) else row[0] for row in rows]


@settings(max_examples=_EXAMPLES)
@given(st.sampled_from(MODES), st.lists(texts | st.binary(), min_size=1, max_size=20))
def test_literals(session: Session, mode: str, values: list[Any]) -> None:
    columns = ", ".join(f"%s AS c{number}" for number in range(len(values)))
    assert session.runner.run(_row(session, mode, f"SELECT {columns}", values)) == tuple(values)


@settings(max_examples=_EXAMPLES)
@given(st.sampled_from(MODES), st.lists(texts | st.text("ab\"'\\\0").map(str.encode), min_size=1))
def test_sequences(session: Session, mode: str, values: list[Any]) -> None:
    """Bytes in a list are text to the server, so these are ASCII."""
    together = "".join(part if isinstance(part, str) else part.decode() for part in values)
    assert session.runner.run(_row(session, mode, "SELECT CONCAT %s", (values,))) == (together,)


async def _row(session: Session, mode: str, query: str, parameters: Any) -> Any:
    async with session.connections[mode].cursor() as cursor:
        await cursor.execute(query, parameters)
        return await cursor.fetchone()
