"""`on_query`: what it is told of each statement."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from typing import Any

import aiomysql
import pytest

from tests.fix_servers import RunningServer
from tests.integration.support import numbers


class Seen:
    """A hook that notes what it is called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, str, float, int | None, BaseException | None]] = []

    def __call__(self, connection: Any, sql: str, duration: float, rows: Any, error: Any) -> None:
        self.calls.append((connection, sql, duration, rows, error))

    def take(self) -> list[tuple[str, int | None]]:
        """Statements and rows; none of them failed."""
        calls, self.calls = self.calls, []
        assert all(isinstance(duration, float) and duration >= 0 for _, _, duration, _, _ in calls)
        assert all(error is None for *_, error in calls)
        return [(sql, rows) for _, sql, _, rows, _ in calls]


@pytest.fixture
def seen() -> Seen:
    return Seen()


async def test_what_it_is_told(connect: Any, table: Any, seen: Seen) -> None:
    name = table("id INT PRIMARY KEY")
    connection = await connect(on_query=seen, autocommit=True)
    seen.take()
    async with connection.cursor() as cursor:
        await cursor.execute(f"SELECT * FROM ({numbers(3)}) AS t WHERE 'ä' = %s", ("ä",))
        await cursor.execute(f"INSERT INTO {name} VALUES (%s)", (1,))
        await cursor.executemany(f"INSERT INTO {name} VALUES (%s)", [(2,), (3,)])
    await connection.query("SELECT 1 UNION SELECT 2")
    await connection.begin()
    await connection.rollback()
    assert seen.take() == [
        (f"SELECT * FROM ({numbers(3)}) AS t WHERE 'ä' = 'ä'", 3),
        (f"INSERT INTO {name} VALUES (1)", 1),
        (f"INSERT INTO {name} VALUES (2),(3)", 2),
        ("SELECT 1 UNION SELECT 2", 2),
        ("BEGIN", None),
        ("ROLLBACK", None),
    ]


async def test_the_connection_and_the_time(connect: Any, seen: Seen) -> None:
    connection = await connect()
    assert connection.on_query is None
    connection.on_query = seen
    await connection.query("SELECT SLEEP(0.2)")
    ((its, sql, duration, rows, error),) = seen.calls
    assert its is connection
    assert (sql, rows, error) == ("SELECT SLEEP(0.2)", 1, None)
    assert duration >= 0.19
    connection.on_query = None
    await connection.query("SELECT 1")
    assert len(seen.calls) == 1


async def test_streams(connect: Any, seen: Seen) -> None:
    connection = await connect(on_query=seen, autocommit=True)
    seen.take()
    async with connection.cursor(aiomysql.SSCursor) as cursor:
        await cursor.execute("SELECT 1")
        assert seen.take() == [("SELECT 1", None)]


async def test_hooks_of_subclasses(server: RunningServer, seen: Seen) -> None:
    class Traced(aiomysql.Cursor):
        async def _query(self, q: Any) -> Any:
            return await super()._query(q)

    class Own(aiomysql.Connection):
        async def query(self, sql: Any, unbuffered: bool = False) -> int:
            return await super().query(sql, unbuffered)

    connection = await aiomysql.connect(on_query=seen, **server.connect_kwargs())
    seen.take()
    async with connection.cursor(Traced) as cursor:
        await cursor.execute("SELECT %s", (1,))
    assert seen.take() == [("SELECT 1", 1)]
    connection.close()
    own = Own(on_query=seen, **server.connect_kwargs())
    await own._connect()
    seen.take()
    async with own.cursor() as other:
        await other.execute("SELECT 1")
    assert [sql for sql, _ in seen.take()] == ["SELECT 1"]
    own.close()


async def test_errors(connect: Any, seen: Seen) -> None:
    connection = await connect(on_query=seen)
    seen.take()
    with pytest.raises(aiomysql.ProgrammingError) as caught:
        await connection.query("SELEC 1")
    ((_, sql, _, rows, error),) = seen.calls
    assert (sql, rows) == ("SELEC 1", None)
    assert error is caught.value
    seen.calls.clear()
    # What is never sent is no statement.
    async with connection.cursor() as cursor:
        with pytest.raises(TypeError):
            await cursor.execute("SELECT %s", (1, 2))
    assert not seen.calls


@pytest.mark.bridge
async def test_a_statement_that_is_cancelled(connect: Any, seen: Seen) -> None:
    connection = await connect(on_query=seen)
    seen.take()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(connection.query("SELECT SLEEP(20)"), 0.1)
    ((_, sql, _, rows, error),) = seen.calls
    assert (sql, rows) == ("SELECT SLEEP(20)", None)
    assert isinstance(error, asyncio.CancelledError)


async def test_in_a_pool(create_pool: Any, seen: Seen) -> None:
    pool = await create_pool(minsize=1, on_query=seen)
    seen.take()
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await cursor.execute("SELECT 1")
    assert seen.take() == [("SELECT 1", 1)]


@pytest.mark.bridge
async def test_it_runs_in_the_callers_context(connect: Any) -> None:
    request: contextvars.ContextVar[int] = contextvars.ContextVar("request", default=0)
    seen: list[int] = []
    connections = [
        await connect(on_query=lambda *_told: seen.append(request.get())) for _ in range(3)
    ]
    seen.clear()

    async def use(number: int) -> None:
        request.set(number)
        await connections[number - 1].query("SELECT SLEEP(0.01)")

    await asyncio.gather(*map(use, (1, 2, 3)))
    assert sorted(seen) == [1, 2, 3]


async def test_one_that_raises(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", heard.append)

    def refuse(*_told: Any) -> None:
        raise KeyError("hook")

    connection = await connect(on_query=refuse)
    heard.clear()
    assert await connection.query("SELECT 1") == 1
    with pytest.raises(aiomysql.ProgrammingError):
        await connection.query("SELEC 1")
    assert [type(each.exc_value) for each in heard] == [KeyError, KeyError]
