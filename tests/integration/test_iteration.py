"""The step of `async for`: native, unless somebody wants to have a say."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from typing import Any

import aiomysql
import pytest
from aiomysql import cursors

from tests.integration.support import failing_rows, numbers

CLASSES = [aiomysql.Cursor, aiomysql.DictCursor, aiomysql.SSCursor, aiomysql.SSDictCursor]


@pytest.fixture(params=CLASSES, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


def value(row: Any) -> Any:
    return row["i"] if isinstance(row, dict) else row[0]


async def test_rows_of_a_loop_are_objects_of_their_own(connection: Any, kind: Any) -> None:
    """What the step hands out is used again; rows never are."""
    async with connection.cursor(kind) as cursor:
        await cursor.execute(numbers(600))
        rows = [row async for row in cursor]
        assert [value(row) for row in rows] == list(range(1, 601))
        assert len({id(row) for row in rows}) == 600
        assert cursor.rownumber == 600


async def test_steps_taken_ahead_keep_their_rows(connection: Any, kind: Any) -> None:
    async with connection.cursor(kind) as cursor:
        await cursor.execute(numbers(4))
        first = value(await cursor.__anext__())
        ahead = [cursor.__anext__(), cursor.__anext__()]
        assert [first] + [value(await step) for step in ahead] == [1, 2, 3]
        with pytest.raises(RuntimeError, match="already awaited"):
            await ahead[0]
        assert value(await asyncio.create_task(cursor.__anext__())) == 4
        with pytest.raises(StopAsyncIteration):
            await cursor.__anext__()
        with pytest.raises(StopAsyncIteration):
            await cursor.__anext__()


async def test_a_row_is_let_go(connection: Any, kind: Any) -> None:
    class Mine(aiomysql.SSCursor):
        pass

    class Row(dict):
        pass

    class Rows(aiomysql.SSDictCursor):
        dict_type = Row

    async with connection.cursor(Rows) as cursor:
        await cursor.execute(numbers(3))
        async for row in cursor:
            last = weakref.ref(row)
        del row
        gc.collect()
        assert last() is None
    async with connection.cursor(Mine) as cursor:
        await cursor.execute("SELECT 'a text of its own' FROM DUAL UNION ALL SELECT 'another'")
        row = await cursor.__anext__()
        assert sys.getrefcount(row) <= 3


async def test_fetching_and_iterating_take_turns(connection: Any, kind: Any) -> None:
    async with connection.cursor(kind) as cursor:
        await cursor.execute(numbers(300))
        assert value(await cursor.fetchone()) == 1
        assert value(await cursor.__anext__()) == 2
        assert [value(row) for row in await cursor.fetchmany(3)] == [3, 4, 5]
        assert value(await cursor.__anext__()) == 6
        assert len(await cursor.fetchall()) == 294
        assert [row async for row in cursor] == []


async def test_a_class_that_changes_on_the_way(
    connection: Any, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next step asks the hook that was assigned meanwhile, on any class of the hierarchy."""
    seen: list[Any] = []
    original = kind.fetchone

    async def fetchone(self: Any) -> Any:
        seen.append(row := await original(self))
        return row

    async with connection.cursor(kind) as cursor:
        await cursor.execute(numbers(5))
        await cursor.__anext__()
        assert seen == []
        with monkeypatch.context() as patch:
            patch.setattr(kind, "fetchone", fetchone)
            assert value(await cursor.__anext__()) == 2
            assert [value(row) for row in seen] == [2]
        assert value(await cursor.__anext__()) == 3
        cursor.fetchone = lambda: fetchone(cursor)
        assert [value(row) async for row in cursor] == [4, 5]
        assert [value(row) for row in seen if row] == [2, 4, 5]


async def test_hooks_of_a_stream_count(connection: Any) -> None:
    class Mine(cursors.SSCursor):
        async def _read_next(self) -> Any:
            row = await super()._read_next()
            return row and (row[0] * 10,)

    async with connection.cursor(Mine) as cursor:
        await cursor.execute(numbers(2))
        assert [row async for row in cursor] == [(10,), (20,)]

    class Converted(cursors.SSCursor):
        def _conv_row(self, row: Any) -> Any:
            return None if row is None else list(row)

    async with connection.cursor(Converted) as cursor:
        await cursor.execute(numbers(2))
        assert [row async for row in cursor] == [[1], [2]]


async def test_before_a_statement_and_after_one_without_rows(connection: Any, kind: Any) -> None:
    async with connection.cursor(kind) as cursor:
        with pytest.raises(aiomysql.ProgrammingError, match=r"execute\(\) first"):
            [row async for row in cursor]
        await cursor.execute("DO 1")
        assert [row async for row in cursor] == []


@pytest.mark.parametrize("streaming", [aiomysql.SSCursor, aiomysql.SSDictCursor])
async def test_an_error_among_the_rows_follows_those_before_it(
    connection: Any, streaming: Any
) -> None:
    seen = []
    async with connection.cursor(streaming) as cursor:
        await cursor.execute(failing_rows(300))
        with pytest.raises(aiomysql.Error) as raised:
            async for row in cursor:
                seen.append(row)
        assert raised.value.args[0] == 1242
        assert len(seen) == 300
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT 1")
        assert await cursor.fetchall() == ((1,),)
