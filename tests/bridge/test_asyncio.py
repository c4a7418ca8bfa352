"""What asyncio offers to do with an awaitable, done with ours."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Callable

import aiomysql
import pytest

from tests.bridge.fake_server import FakeServer


async def execute(connection: Any, sql: str) -> Any:
    async with connection.cursor() as cursor:
        await cursor.execute(sql)
        return await cursor.fetchall()


async def test_create_task_takes_what_connect_returns(server: Any) -> None:
    connection = await asyncio.create_task(aiomysql.connect(**server.connect_kwargs()))
    assert await asyncio.create_task(execute(connection, "SELECT 1")) == ((1,),)
    await asyncio.create_task(connection.ensure_closed())


async def test_native_operations_are_coroutines(fake_connection: Any) -> None:
    operation = fake_connection._ping()
    assert asyncio.iscoroutine(operation)
    task = asyncio.create_task(operation)
    assert "Connection.ping" in repr(task)
    assert await task is None
    assert await asyncio.ensure_future(fake_connection._ping()) is None
    assert await asyncio.gather(fake_connection._ping()) == [None]


async def test_gather(connect: Callable[..., Any]) -> None:
    connections = await asyncio.gather(*(connect() for _ in range(5)))
    sums = (execute(each, f"SELECT {n} + 1") for n, each in enumerate(connections))
    assert await asyncio.gather(*sums) == [((n + 1,),) for n in range(5)]


async def test_gather_gives_exceptions(connect: Callable[..., Any]) -> None:
    first, second = await connect(), await connect()
    good, bad = await asyncio.gather(
        execute(first, "SELECT 1"), execute(second, "SELEC 1"), return_exceptions=True
    )
    assert good == ((1,),)
    assert isinstance(bad, aiomysql.ProgrammingError)
    assert await execute(second, "SELECT 2") == ((2,),)


async def test_wait_for_in_time(connection: Any) -> None:
    assert await asyncio.wait_for(execute(connection, "SELECT 1"), 10) == ((1,),)


async def test_wait_for_that_times_out_closes_the_connection(connection: Any) -> None:
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(execute(connection, "SELECT SLEEP(20)"), 0.05)
    assert connection.closed
    with pytest.raises(aiomysql.InterfaceError, match="Cancelled during execution"):
        await execute(connection, "SELECT 1")


async def test_shield_keeps_the_query_running(connection: Any) -> None:
    query = asyncio.ensure_future(execute(connection, "SELECT SLEEP(0.2)"))
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.shield(query), 0.05)
    assert await query == ((0,),)
    assert await execute(connection, "SELECT 1") == ((1,),)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout is of Python 3.11")
async def test_timeout(connect: Callable[..., Any]) -> None:
    connection = await connect()
    async with asyncio.timeout(10):
        assert await execute(connection, "SELECT 1") == ((1,),)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await execute(connection, "SELECT SLEEP(20)")
    assert connection.closed


@pytest.mark.skipif(sys.version_info < (3, 11), reason="TaskGroup is of Python 3.11")
async def test_a_failing_task_group_cancels_its_queries(connect: Callable[..., Any]) -> None:
    slow, broken = await connect(), await connect()

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(execute(slow, "SELECT SLEEP(20)"))
            group.create_task(execute(broken, "SELEC 1"))

    with pytest.raises(ExceptionGroup) as raised:  # noqa: F821 (of Python 3.11)
        await both()
    assert [type(error) for error in raised.value.exceptions] == [aiomysql.ProgrammingError]
    assert slow.closed


@pytest.mark.skipif(sys.version_info < (3, 11), reason="uncancel is of Python 3.11")
async def test_a_cancel_that_is_caught_can_be_taken_back(fake: FakeServer) -> None:
    async with aiomysql.connect(**fake.connect_kwargs()) as connection:
        fake.hold()

        async def insist() -> str:
            try:
                await connection._perform("DO 1")
            except asyncio.CancelledError as error:
                asyncio.current_task().uncancel()
                return str(error)
            return "not cancelled"

        task = asyncio.ensure_future(insist())
        await asyncio.sleep(0.01)
        task.cancel("enough")
        assert await task == "enough"
