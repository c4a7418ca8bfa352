"""How many connections there are, who gets one, and when they are opened."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiomysql
import pytest

from tests.fix_servers import RunningServer
from tests.pool.support import Connects, CreatePool, counts, session, settled

pytestmark = pytest.mark.bridge


async def test_the_defaults(server: RunningServer) -> None:
    async with aiomysql.create_pool(**server.connect_kwargs()) as pool:
        assert isinstance(pool, aiomysql.Pool)
        assert isinstance(pool, asyncio.AbstractServer)
        assert (pool.minsize, pool.maxsize, pool.echo, pool.closed) == (1, 10, False, False)
        assert counts(pool) == (1, 1, 0)
    assert pool.closed
    assert counts(pool) == (0, 0, 0)


async def test_minsize_connections_are_there_at_once(
    server: RunningServer, create_pool: CreatePool
) -> None:
    pool = await create_pool(minsize=3, maxsize=5)
    assert counts(pool) == (3, 3, 0)
    numbers = {connection.thread_id() for connection in pool._free}
    sql = "SELECT id FROM information_schema.processlist"
    assert numbers <= {row[0] for row in server.query(sql)}


async def test_minsize_zero_opens_nothing(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=0)
    assert counts(pool) == (0, 0, 0)
    async with pool.acquire() as connection:
        assert await session(connection) == connection.thread_id()
        assert counts(pool) == (1, 0, 1)
    assert counts(pool) == (1, 1, 0)


@pytest.mark.parametrize(
    ("minsize", "maxsize", "message"),
    [
        (-1, 10, "minsize should be zero or greater"),
        (5, 2, "maxsize should be not less than minsize"),
    ],
)
async def test_senseless_limits(
    server: RunningServer, minsize: int, maxsize: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        await aiomysql.create_pool(minsize=minsize, maxsize=maxsize, **server.connect_kwargs())


async def test_no_more_than_maxsize(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=0, maxsize=2)
    most = 0

    async def work() -> None:
        nonlocal most
        async with pool.acquire() as connection:
            most = max(most, counts(pool)[0])
            await session(connection)

    await asyncio.gather(*(work() for _ in range(20)))
    assert most == 2
    while pool.freesize < pool.size:
        # One connection may have served them all before the other was open.
        await asyncio.sleep(0.01)
    assert counts(pool) == (2, 2, 0)


async def test_maxsize_zero_is_no_limit(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=0, maxsize=0)
    assert pool.maxsize is None
    connections = await asyncio.gather(*(pool.acquire() for _ in range(15)))
    assert counts(pool) == (15, 0, 15)
    assert len({connection.thread_id() for connection in connections}) == 15
    for connection in connections:
        pool.release(connection)
    assert counts(pool) == (15, 15, 0)


async def test_the_connection_that_was_free_longest_is_lent_first(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=3, maxsize=3)
    first, second, third = list(pool._free)
    for expected in (first, second, third, first):
        async with pool.acquire() as connection:
            assert connection is expected


async def test_waiters_are_served_in_order(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    held = await pool.acquire()
    order: list[int] = []

    async def wait(number: int) -> None:
        async with pool.acquire() as connection:
            order.append(number)
            await session(connection)

    tasks = [asyncio.ensure_future(wait(number)) for number in range(10)]
    await settled()
    assert order == []
    pool.release(held)
    await asyncio.gather(*tasks)
    assert order == list(range(10))


async def test_a_newcomer_does_not_overtake(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1)
    held = await pool.acquire()
    waiting = asyncio.ensure_future(pool.acquire())
    await settled()
    # The connection is free now, but it is promised: the same turn's acquire must not take it.
    pool.release(held)
    newcomer = asyncio.ensure_future(pool.acquire())
    done, _ = await asyncio.wait({waiting, newcomer}, return_when=asyncio.FIRST_COMPLETED)
    assert done == {waiting}
    pool.release(waiting.result())
    pool.release(await newcomer)


async def test_connections_are_opened_in_parallel(
    create_pool: CreatePool, connects: Connects
) -> None:
    connects.delay = 0.3
    began = time.monotonic()
    pool = await create_pool(minsize=4, maxsize=10)
    assert connects.most_running == 4
    assert time.monotonic() - began < 4 * 0.3
    connects.most_running = 0
    began = time.monotonic()
    connections = await asyncio.gather(*(pool.acquire() for _ in range(10)))
    assert connects.most_running == 6
    assert time.monotonic() - began < 6 * 0.3
    for connection in connections:
        pool.release(connection)


async def test_an_opening_holds_nobody_up(create_pool: CreatePool, connects: Connects) -> None:
    pool = await create_pool(minsize=1, maxsize=2)
    held = await pool.acquire()
    connects.delay = 5
    waiting = asyncio.ensure_future(pool.acquire())
    await settled()
    assert counts(pool) == (2, 0, 1)
    pool.release(held)
    # Released, it serves the waiter long before the opening ends.
    assert await asyncio.wait_for(waiting, 1) is held
    pool.release(held)


async def test_a_waiter_that_comes_between_an_opening_and_its_lending(
    create_pool: CreatePool, connects: Connects
) -> None:
    pool = await create_pool(minsize=0, maxsize=3)
    came: list[Any] = []

    loop, real = asyncio.get_running_loop(), connects.real
    served = False

    def come() -> None:
        # The connection is there, and whoever waits for it has been called but has not run.
        if pool._free:
            came.append(asyncio.ensure_future(pool.acquire()))
        elif not served:
            loop.call_soon(come)

    async def connect_and_come(**options: Any) -> Any:
        connection = await real(**options)
        if not came:
            loop.call_soon(come)
        return connection

    connects.real = connect_and_come
    first = await asyncio.wait_for(pool.acquire(), 5)
    served = True
    await settled()
    # There is room: both are served although nobody gives anything back.
    taken = [first]
    for acquiring in came:
        taken.append(await asyncio.wait_for(acquiring, 5))
    assert counts(pool)[2] == len(taken)
    for connection in taken:
        pool.release(connection)


async def test_the_room_is_used_for_all_who_wait(
    create_pool: CreatePool, connects: Connects
) -> None:
    pool = await create_pool(minsize=0, maxsize=8)
    # Newcomers in every phase of an opening.
    for delay in (0, 0.001, 0.005):
        connects.delay = delay
        tasks = []
        for _ in range(8):
            tasks.append(asyncio.ensure_future(pool.acquire()))
            await asyncio.sleep(0.0007)
        connections = await asyncio.wait_for(asyncio.gather(*tasks), 5)
        assert len(set(connections)) == 8
        for connection in connections:
            pool.release(connection)
        await pool.clear()


async def test_connect_is_looked_up_each_time(
    create_pool: CreatePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = await create_pool(minsize=0, maxsize=2)
    first = Connects()
    monkeypatch.setattr("aiomysql.pool.connect", first)
    one = await pool.acquire()
    second = Connects()
    monkeypatch.setattr("aiomysql.pool.connect", second)
    two = await pool.acquire()
    assert (len(first.calls), len(second.calls)) == (1, 1)
    pool.release(one)
    pool.release(two)


async def test_what_connect_is_given(
    server: RunningServer, create_pool: CreatePool, connects: Connects
) -> None:
    pool = await create_pool(minsize=1, maxsize=1, pool_recycle=9, charset="latin1", echo=True)
    (options,) = connects.calls
    assert options["charset"] == "latin1"
    assert options["echo"] is True
    assert options["host"] == server.address.host
    assert not {"minsize", "maxsize", "pool_recycle"} & set(options)
    assert set(pool._conn_kwargs) == {"host", "port", "user", "password", "db", "charset"}
    async with pool.acquire() as connection:
        assert connection.charset == "latin1"
        assert connection.echo
    pool._conn_kwargs["charset"] = "utf8mb4"
    await pool.clear()
    async with pool.acquire() as connection:
        assert connection.charset == "utf8mb4"


async def test_unknown_keywords(server: RunningServer) -> None:
    with pytest.raises(TypeError, match="no_such_keyword"):
        await aiomysql.create_pool(no_such_keyword=1, **server.connect_kwargs())


async def test_the_loop_argument_is_ignored(server: RunningServer) -> None:
    loop = asyncio.get_running_loop()
    async with aiomysql.create_pool(loop=loop, **server.connect_kwargs()) as pool:
        async with pool.acquire() as connection:
            assert connection.loop is loop


# Openings that fail


async def test_create_pool_raises_what_connect_raises(server: RunningServer) -> None:
    arguments = server.connect_kwargs(password="wrong")
    with pytest.raises(aiomysql.OperationalError) as caught:
        await aiomysql.create_pool(minsize=3, **arguments)
    assert caught.value.args[0] == 1045


async def test_a_failed_opening_is_one_waiters_alone(
    create_pool: CreatePool, connects: Connects
) -> None:
    pool = await create_pool(minsize=0, maxsize=2)
    connects.delay = 0.05
    connects.failing = 1
    tasks = [asyncio.ensure_future(pool.acquire()) for _ in range(2)]
    results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
    failures = [result for result in results if isinstance(result, BaseException)]
    assert [type(failure) for failure in failures] == [aiomysql.OperationalError]
    for result in results:
        if not isinstance(result, BaseException):
            assert await session(result) == result.thread_id()
            pool.release(result)
    assert counts(pool) == (1, 1, 0)


async def test_others_are_served_after_failures(
    create_pool: CreatePool, connects: Connects
) -> None:
    pool = await create_pool(minsize=0, maxsize=1)
    connects.failing = 3

    async def take() -> str:
        async with pool.acquire() as connection:
            await session(connection)
        return "served"

    tasks = [take() for _ in range(10)]
    results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
    # One opening at a time, so the first three are told.
    assert [type(result).__name__ for result in results[:3]] == ["OperationalError"] * 3
    assert results[3:] == ["served"] * 7
    assert counts(pool) == (1, 1, 0)


async def test_a_refusal_is_not_repeated_without_being_asked(
    create_pool: CreatePool, connects: Connects
) -> None:
    pool = await create_pool(minsize=1, maxsize=3)
    await pool.clear()
    connects.failing = 1000
    before = len(connects.calls)
    with pytest.raises(aiomysql.OperationalError):
        await pool.acquire()
    await asyncio.sleep(0.1)
    assert len(connects.calls) == before + 1
    connects.failing = 0
    async with pool.acquire() as connection:
        await session(connection)


@pytest.mark.parametrize("turns", [1, 2, 20])
async def test_an_opening_that_is_cancelled_from_outside(
    create_pool: CreatePool, connects: Connects, turns: int
) -> None:
    pool = await create_pool(minsize=0, maxsize=1)
    connects.delay = 30
    before = asyncio.all_tasks()
    waiting = asyncio.ensure_future(pool.acquire())
    # After one turn the task exists and has not begun.
    await settled(turns)
    assert counts(pool) == (1, 0, 0)
    connects.delay = 0
    for task in asyncio.all_tasks() - before - {waiting}:
        task.cancel()
    # The waiter is not left alone with it: it is told, or served by another opening.
    done, _ = await asyncio.wait({waiting}, timeout=5)
    assert done
    if waiting.exception() is None:
        pool.release(waiting.result())
    async with pool.acquire() as connection:
        await session(connection)
