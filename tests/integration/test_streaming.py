"""SSCursor and its kin: rows come off the network as they are fetched."""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import AsyncIterator
from typing import Any, Callable

import aiomysql
import pytest
from aiomysql.cursors import DeserializationCursor

from tests.bridge.process import resident_kib
from tests.fix_servers import RunningServer
from tests.integration.support import failing_rows, numbers

Connect = Callable[..., Any]

UNKNOWN = 18446744073709551615


@pytest.fixture
async def stream(connection: aiomysql.Connection) -> AsyncIterator[aiomysql.SSCursor]:
    async with connection.cursor(aiomysql.SSCursor) as cursor:
        yield cursor


async def marker(connection: aiomysql.Connection) -> None:
    """The connection is in step: it answers what it is asked."""
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT %s", ("marker",))
        assert await cursor.fetchall() == (("marker",),)


def assert_flat(resident: list[int], kib: int) -> None:
    """Half of the steps at least grew by less; what else allocates has its moments."""
    growth = sorted(after - before for before, after in zip(resident, resident[1:]))
    assert growth[len(growth) // 2] < kib, growth


async def test_fetching(stream: aiomysql.SSCursor) -> None:
    assert await stream.execute(numbers(10)) == UNKNOWN
    assert stream.rowcount == UNKNOWN
    assert stream.lastrowid is None
    assert [column[0] for column in stream.description] == ["i"]
    assert await stream.fetchone() == (1,)
    assert await stream.fetchmany() == [(2,)]
    assert await stream.fetchmany(3) == [(3,), (4,), (5,)]
    assert stream.rownumber == 5
    stream.arraysize = 2
    assert await stream.fetchmany() == [(6,), (7,)]
    assert await stream.fetchall() == [(8,), (9,), (10,)]
    assert await stream.fetchone() is None
    assert await stream.fetchmany(5) == []
    assert await stream.fetchall() == []


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 2000])
async def test_all_rows_arrive(stream: aiomysql.SSCursor, count: int) -> None:
    expected = [(number,) for number in range(1, count + 1)]
    where = "" if count else " WHERE FALSE"
    await stream.execute(numbers(max(count, 1)) + where)
    assert [row async for row in stream] == expected
    await stream.execute(numbers(max(count, 1)) + where)
    assert await stream.fetchall() == expected
    await stream.execute(numbers(max(count, 1)) + where)
    rows: list[Any] = []
    while chunk := await stream.fetchmany(100):
        assert len(chunk) <= 100
        rows += chunk
    assert rows == expected


async def test_before_execute(stream: aiomysql.SSCursor) -> None:
    for fetch in (stream.fetchone, stream.fetchmany, stream.fetchall):
        with pytest.raises(aiomysql.ProgrammingError, match="execute"):
            await fetch()


async def test_scrolling(stream: aiomysql.SSCursor) -> None:
    await stream.execute(numbers(1000))
    await stream.scroll(3)
    assert await stream.fetchone() == (4,)
    await stream.scroll(599, mode="absolute")
    assert await stream.fetchone() == (600,)
    for value, mode in ((-1, "relative"), (3, "absolute")):
        with pytest.raises(aiomysql.NotSupportedError, match="Backwards scrolling"):
            await stream.scroll(value, mode)
    with pytest.raises(aiomysql.ProgrammingError, match="unknown scroll mode sideways"):
        await stream.scroll(1, "sideways")
    assert await stream.fetchone() == (601,)


async def test_dictionaries(connection: aiomysql.Connection) -> None:
    async with connection.cursor(aiomysql.SSDictCursor) as cursor:
        await cursor.execute("SELECT 1 AS a, 'x' AS b UNION SELECT 2, 'y'")
        assert await cursor.fetchone() == {"a": 1, "b": "x"}
        assert await cursor.fetchmany(5) == [{"a": 2, "b": "y"}]


async def test_json(server: RunningServer, connection: aiomysql.Connection) -> None:
    sql = "SELECT CAST('{\"a\": [1, null]}' AS JSON), '[1]'"
    if server.is_mariadb:
        # JSON is a name for text there, and stays text.
        sql = "SELECT JSON_COMPACT('{\"a\": [1, null]}'), '[1]'"
    async with connection.cursor(DeserializationCursor) as cursor:
        await cursor.execute(sql)
        (row,) = await cursor.fetchall()
    assert row == ('{"a":[1,null]}' if server.is_mariadb else {"a": [1, None]}, "[1]")
    async with connection.cursor(DeserializationCursor, aiomysql.SSCursor) as cursor:
        await cursor.execute(sql)
        assert await cursor.fetchone() == row
        assert await cursor.fetchone() is None


async def test_statements_without_rows(stream: aiomysql.SSCursor, table: Any) -> None:
    name = table("id INT AUTO_INCREMENT PRIMARY KEY, v INT")
    assert await stream.execute(f"INSERT INTO {name} (v) VALUES (1), (2)") == 2
    assert (stream.rowcount, stream.lastrowid, stream.description) == (2, 1, None)
    assert await stream.fetchone() is None
    assert await stream.fetchall() == []


@pytest.mark.parametrize("fetched", [0, 1, 3])
async def test_nextset_keeps_the_rows(stream: aiomysql.SSCursor, fetched: int) -> None:
    await stream.execute(f"SELECT 1 UNION SELECT 2; {numbers(600)}; SET @a = 1; SELECT 'last'")
    for _ in range(fetched):
        await stream.fetchone()
    assert await stream.nextset() is True
    assert await stream.fetchmany(2) == [(1,), (2,)]
    assert await stream.nextset() is True
    assert await stream.fetchone() is None
    assert await stream.nextset() is True
    assert await stream.fetchall() == [("last",)]
    assert await stream.nextset() is None


async def test_nextset_raises_the_later_statements_error(stream: aiomysql.SSCursor) -> None:
    await stream.execute(f"{numbers(300)}; SELECT no_such_column; SELECT 3")
    assert len(await stream.fetchall()) == 300
    with pytest.raises(aiomysql.OperationalError) as caught:
        await stream.nextset()
    assert caught.value.args[0] == 1054
    await marker(stream.connection)


async def test_a_new_command_with_unread_rows(
    connection: aiomysql.Connection, stream: aiomysql.SSCursor
) -> None:
    await stream.execute(numbers(5000))
    assert await stream.fetchone() == (1,)
    async with connection.cursor() as other:
        with pytest.warns(UserWarning, match="left incomplete") as caught:
            await other.execute("SELECT 'other'")
        assert caught[0].filename == __file__
        assert await other.fetchall() == (("other",),)
    # The rows that had arrived are there still; those that were dropped are not made up.
    rest = await stream.fetchall()
    assert rest == [(number,) for number in range(2, len(rest) + 2)]
    assert len(rest) < 256


async def test_a_new_command_on_the_same_cursor(stream: aiomysql.SSCursor) -> None:
    await stream.execute(numbers(5000))
    await stream.fetchone()
    with pytest.warns(UserWarning, match="left incomplete"):
        await stream.execute("SELECT 'again'")
    assert await stream.fetchall() == [("again",)]
    # Read to its end, it warns no more.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await stream.execute(numbers(300))
        await stream.fetchall()
        await stream.execute("SELECT 1")
        await stream.fetchall()


async def test_close_drains(connection: aiomysql.Connection) -> None:
    cursor = await connection.cursor(aiomysql.SSCursor)
    await cursor.execute(f"{numbers(3000)}; {numbers(3000)}; SELECT 3")
    assert await cursor.fetchone() == (1,)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await cursor.close()
        await cursor.close()
        await marker(connection)
    assert await cursor.fetchone() is None
    with pytest.raises(aiomysql.ProgrammingError):
        await cursor.nextset()


async def test_close_after_the_end_of_the_connection(connect: Connect) -> None:
    connection = await connect()
    async with connection.cursor(aiomysql.SSCursor) as cursor:
        await cursor.execute(numbers(3000))
        await cursor.fetchone()
        connection.close()
    assert cursor.closed


async def test_cancelling_is_not_hidden_by_the_cursors_end(connect: Connect) -> None:
    connection = await connect()

    async def work() -> None:
        async with connection.cursor(aiomysql.SSCursor) as cursor:
            await cursor.execute("SELECT 1 UNION ALL SELECT SLEEP(20)")
            await cursor.fetchall()

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connection.closed


async def test_an_error_comes_after_the_rows_before_it(stream: aiomysql.SSCursor) -> None:
    await stream.execute(failing_rows(before=100))
    rows = [await stream.fetchone() for _ in range(100)]
    assert [row[0] for row in rows] == list(range(1, 101))
    with pytest.raises(aiomysql.Error) as caught:
        await stream.fetchone()
    assert caught.value.args[0] == 1242
    assert await stream.fetchone() is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await marker(stream.connection)


async def test_a_converter_that_fails(connect: Connect) -> None:
    def convert(text: str) -> int:
        if text == "50":
            raise ArithmeticError("fifty")
        return int(text)

    conv = {**aiomysql.connection.decoders, 3: convert, 8: convert}
    connection = await connect(conv=conv)
    async with connection.cursor(aiomysql.SSCursor) as cursor:
        await cursor.execute(numbers(1000))
        assert len([await cursor.fetchone() for _ in range(49)]) == 49
        with pytest.raises(ArithmeticError, match="fifty"):
            await cursor.fetchone()
        assert await cursor.fetchone() is None
    await marker(connection)


async def test_what_is_held_of_a_stream(connection: aiomysql.Connection) -> None:
    """The bound itself: 256 rows, or as many as make 1 MiB."""
    for size, most in ((10, 256), (100_000, 11), (3_000_000, 1)):
        async with connection.cursor(aiomysql.SSCursor) as cursor:
            await cursor.execute(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) "
                f"SELECT REPEAT('x', {size}) FROM n a, n b LIMIT {400 if size < 1000 else 30}"
            )
            await cursor.fetchone()
            arrived = sum(1 for held in _held(cursor))
            assert arrived == most - 1


def _held(cursor: Any) -> list[Any]:
    """The rows that have arrived and have not been fetched: the collector sees them."""
    import gc

    return [each for each in gc.get_referents(cursor._result) if isinstance(each, tuple)]


@pytest.mark.seconds(180)
@pytest.mark.parametrize("step", ["one by one", "in chunks"])
async def test_memory_stays_flat_while_millions_of_rows_stream(
    server: RunningServer, stream: aiomysql.SSCursor, connection: aiomysql.Connection, step: str
) -> None:
    """The rows themselves would take some hundred MiB."""
    if server.vendor == "mysql":
        await connection.query("SET cte_max_recursion_depth = 2500")
    else:
        await connection.query("SET max_recursive_iterations = 2500")
    # Five million where they are cheap; a row that is awaited costs more.
    width, height = (2500, 2000) if step == "in chunks" else (1000, 1000)
    await stream.execute(
        f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {width}) "
        f"SELECT a.i, REPEAT('x', 20) FROM n a, n b WHERE b.i <= {height}"
    )
    count = 0
    resident = []
    if step == "in chunks":
        while rows := await stream.fetchmany(500):
            count += len(rows)
            if count % 100_000 == 0:
                resident.append(resident_kib())
    else:
        async for _ in stream:
            count += 1
            if count % 100_000 == 0:
                resident.append(resident_kib())
    assert count == width * height
    # Of each step's rows a MiB is a fifteenth.
    assert_flat(resident, 1024)


async def test_a_reader_that_stops_makes_the_server_wait(
    server: RunningServer, connection: aiomysql.Connection
) -> None:
    state = f"SELECT state FROM information_schema.processlist WHERE id = {connection.thread_id()}"
    cursor = await connection.cursor(aiomysql.SSCursor)
    # 256 MiB: more than any socket's buffers take.
    await cursor.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 128) "
        "SELECT REPEAT('x', 16384) FROM n a, n b"
    )
    assert await cursor.fetchone() == ("x" * 16384,)
    expected = "Writing to net" if server.is_mariadb else "Sending to client"
    seen = {server.query(state)[0][0]}
    for _ in range(20):
        await asyncio.sleep(0.02)
        seen.add(server.query(state)[0][0])
        last = server.query(state)[0][0]
    assert last in (expected, "Sending data", "executing"), seen
    before = resident_kib()
    rows = 1
    while chunk := await cursor.fetchmany(64):
        rows += len(chunk)
    assert rows == 128 * 128
    assert resident_kib() < before + 32 * 1024
    await cursor.close()


async def test_the_loop_gets_its_turns_while_rows_stream(stream: aiomysql.SSCursor) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.ensure_future(count())
    await stream.execute(numbers(50_000))
    assert len(await stream.fetchall()) == 50_000
    counting.cancel()
    # One for each thousand rows, counted in steps of what a stream holds.
    assert turns >= 50_000 // (4 * 256)


async def test_a_subclass_that_converts_its_rows(connection: aiomysql.Connection) -> None:
    class Loud(aiomysql.SSCursor):
        def _conv_row(self, row: Any) -> Any:
            return None if row is None else ("loud", *row)

    async with connection.cursor(Loud) as cursor:
        await cursor.execute(numbers(3))
        assert await cursor.fetchone() == ("loud", 1)
        assert await cursor.fetchall() == [("loud", 2), ("loud", 3)]


def test_no_descriptor_of_a_stream_is_left(server: RunningServer) -> None:
    async def leave() -> None:
        connection = await aiomysql.connect(**server.connect_kwargs())
        cursor = await connection.cursor(aiomysql.SSCursor)
        await cursor.execute(numbers(5000))
        await cursor.fetchone()
        connection.close()

    asyncio.run(leave())
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        asyncio.run(leave())
    assert len(os.listdir("/proc/self/fd")) == before
