"""Tasks that take their first step where they are made, with asyncio.eager_task_factory."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Any, Callable

import aiomysql
import pytest

from tests.bridge import process
from tests.bridge.fake_server import FakeServer
from tests.fix_asyncio import Runner, eager_task_factory
from tests.pool.support import counts, no_complaints

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are of Python 3.12")

Connect = Callable[..., Any]
CreatePool = Callable[..., Any]
Table = Callable[..., str]


@pytest.fixture(autouse=True)
def eager(runner: Runner) -> Iterator[None]:
    before = runner.loop.get_task_factory()
    runner.loop.set_task_factory(eager_task_factory)
    yield
    runner.loop.set_task_factory(before)


async def fetched(connection: Any, sql: str, arguments: Any = None) -> Any:
    async with connection.cursor() as cursor:
        await cursor.execute(sql, arguments)
        return await cursor.fetchall()


async def test_a_task_has_sent_its_statement_when_it_is_made(
    fake: FakeServer, fake_connection: Any
) -> None:
    fake.hold()
    task = asyncio.create_task(fetched(fake_connection, "DO 1"))
    # The loop under test does not run meanwhile; the server has a thread of its own.
    assert process.eventually(lambda: "DO 1" in fake.queries)
    assert not task.done()
    fake.release()
    await task


async def test_connections_beside_each_other(server: Any) -> None:
    async def one(number: int) -> Any:
        async with aiomysql.connect(**server.connect_kwargs()) as connection:
            return await fetched(connection, "SELECT %s", (number,))

    tasks = [asyncio.create_task(one(number)) for number in range(5)]
    assert await asyncio.gather(*tasks) == [((number,),) for number in range(5)]


@pytest.mark.parametrize("cursor_class", [aiomysql.Cursor, aiomysql.SSCursor])
async def test_every_way_to_fetch(connect: Connect, table: Table, cursor_class: Any) -> None:
    name = table("id INT PRIMARY KEY")
    connection = await connect(autocommit=True)

    async def work() -> list[Any]:
        seen: list[Any] = []
        async with connection.cursor(cursor_class) as cursor:
            assert await cursor.executemany(
                f"INSERT INTO {name} VALUES (%s)", [(number,) for number in range(10)]
            )
            await cursor.execute(f"SELECT id FROM {name} ORDER BY id")
            # A step of the cursor that is a task of its own, too.
            seen.append(await asyncio.create_task(cursor.fetchone()))
            seen += await asyncio.create_task(cursor.fetchmany(3))
            async for row in cursor:
                seen.append(row)
                if len(seen) == 7:
                    break
            seen += await cursor.fetchall()
        return seen

    assert await asyncio.create_task(work()) == [(number,) for number in range(10)]


async def test_cancelled_after_its_first_step(connect: Connect) -> None:
    connection, other = await connect(), await connect()
    task = asyncio.create_task(fetched(connection, "SELECT SLEEP(20)"))
    task.cancel("eager")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connection.closed
    assert await asyncio.create_task(fetched(other, "SELECT 7")) == ((7,),)


async def test_deadlines_and_groups(connect: Connect) -> None:
    slow, broken, timed = await connect(), await connect(), await connect()
    with pytest.raises(ExceptionGroup) as raised:  # noqa: F821 (of Python 3.11)
        async with asyncio.TaskGroup() as group:
            group.create_task(fetched(slow, "SELECT SLEEP(20)"))
            group.create_task(fetched(broken, "SELEC 1"))
    assert [type(error) for error in raised.value.exceptions] == [aiomysql.ProgrammingError]
    assert slow.closed
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(fetched(timed, "SELECT SLEEP(20)"), 0.05)
    assert timed.closed
    assert await fetched(broken, "SELECT 1") == ((1,),)


async def test_two_tasks_on_one_connection(connection: Any) -> None:
    """The second finds the first in the middle of its statement, and says so."""
    first = asyncio.create_task(fetched(connection, "SELECT SLEEP(0.1)"))
    second = asyncio.create_task(fetched(connection, "SELECT 2"))
    assert second.done()
    with pytest.raises(RuntimeError, match="a connection serves one task at a time"):
        await second
    assert await first == ((0,),)


async def test_a_free_connection_is_lent_within_the_first_step(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)

    async def lend() -> Any:
        return await pool.acquire()

    task = asyncio.create_task(lend())
    assert task.done()
    pool.release(task.result())
    assert counts(pool) == (1, 1, 0)


async def test_openings_that_fail_at_once(
    create_pool: CreatePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the first step of their tasks; each is told, and not tried again without end."""
    with pytest.raises(TypeError, match="no_such_keyword"):
        await create_pool(minsize=2, no_such_keyword=1)
    pool = await create_pool(minsize=1, maxsize=2)
    await pool.clear()
    calls = []

    async def refused(**options: Any) -> Any:
        calls.append(options)
        raise aiomysql.OperationalError(2003, "refused by the test")

    with monkeypatch.context() as patch:
        patch.setattr("aiomysql.pool.connect", refused)
        with pytest.raises(aiomysql.OperationalError, match="refused by the test"):
            await asyncio.create_task(pool.acquire().__aenter__())
    assert 1 <= len(calls) <= 2
    async with pool.acquire() as connection:
        assert await fetched(connection, "SELECT 1") == ((1,),)


async def test_more_tasks_than_connections(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=0, maxsize=3, autocommit=True)
    lent: set[Any] = set()

    async def turn(number: int) -> Any:
        async with pool.acquire() as connection:
            assert connection not in lent
            lent.add(connection)
            try:
                return await fetched(connection, "SELECT %s", (number,))
            finally:
                lent.remove(connection)

    with no_complaints():
        tasks = [asyncio.create_task(turn(number)) for number in range(60)]
        assert await asyncio.gather(*tasks) == [((number,),) for number in range(60)]
    # One may still be on its way that nobody waits for any more.
    size, free, used = counts(pool)
    assert 1 <= free <= size <= 3
    assert used == 0


async def test_a_cancelled_waiter_passes_its_turn_on(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    held = await pool.acquire()
    first, second, third = (asyncio.create_task(pool.acquire().__aenter__()) for _ in range(3))
    first.cancel()
    await asyncio.wait({first})
    pool.release(held)
    # Its turn has come, and it is cancelled before it takes it.
    second.cancel()
    connection = await asyncio.wait_for(third, 10)
    assert second.cancelled()
    assert counts(pool) == (1, 0, 1)
    pool.release(connection)


async def test_transactions(create_pool: CreatePool, table: Table) -> None:
    name = table("id INT PRIMARY KEY", "ENGINE=InnoDB")
    pool = await create_pool(minsize=2, maxsize=4)

    async def write(number: int) -> None:
        async with pool.acquire() as connection:
            await connection.begin()
            await fetched(connection, f"INSERT INTO {name} VALUES (%s)", (number,))
            # Half of them are kept; the others' connections go back in the middle.
            if number % 2:
                await connection.commit()
            elif number % 4:
                await connection.rollback()

    with no_complaints():
        await asyncio.gather(*(asyncio.create_task(write(number)) for number in range(20)))
    async with pool.acquire() as connection:
        kept = await fetched(connection, f"SELECT id FROM {name} ORDER BY id")
    assert kept == tuple((number,) for number in range(1, 20, 2))


async def test_a_pool_closes_while_tasks_give_back(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=3, maxsize=3)

    async def turn() -> None:
        async with pool.acquire() as connection:
            await fetched(connection, "SELECT SLEEP(0.05)")

    tasks = [asyncio.create_task(turn()) for _ in range(3)]
    pool.close()
    await asyncio.create_task(pool.wait_closed())
    await asyncio.gather(*tasks)
    assert counts(pool) == (0, 0, 0)
