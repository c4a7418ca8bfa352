"""Pools."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.compat.recorder import Api, Area

area = Area("pool")


def sizes(api: Api, pool: Any, label: str = "sizes") -> None:
    api.note(label, (pool.size, pool.freesize, len(pool._used), pool.minsize, pool.maxsize))


@area.scenario
async def making_one(api: Api) -> None:
    for arguments in (
        {},
        {"minsize": 0},
        {"minsize": 3},
        {"maxsize": 0},
        {"minsize": 2, "maxsize": 2},
    ):
        pool = await api.pool(**arguments)
        sizes(api, pool, f"{arguments}")
        api.note("echo", pool.echo)
        api.note("closed", pool.closed)


@area.scenario
async def limits_that_make_no_sense(api: Api) -> None:
    for arguments in ({"minsize": -1}, {"minsize": 5, "maxsize": 2}):
        await api.attempt(f"{arguments}", api.pool, **arguments)


@area.scenario
async def unknown_arguments(api: Api) -> None:
    await api.attempt("nonsense", api.pool, nonsense=1)
    await api.attempt("wrong password", api.pool, password="wrong")
    await api.attempt("no connection at first", api.pool, password="wrong", minsize=0)


@area.scenario
async def acquiring_and_releasing(api: Api) -> None:
    pool = await api.pool(minsize=1, maxsize=2)
    one = await pool.acquire()
    sizes(api, pool, "one")
    two = await pool.acquire()
    sizes(api, pool, "two")
    await api.attempt("release", pool.release, one)
    sizes(api, pool, "released one")
    again = await pool.acquire()
    api.note("the same", again is one)
    pool.release(again)
    pool.release(two)
    sizes(api, pool, "released both")
    first = await pool.acquire()
    api.note("first in, first out", first is again)
    pool.release(first)


@area.scenario
async def within_a_context(api: Api) -> None:
    pool = await api.pool()
    async with pool.acquire() as connection:
        api.note("kind", type(connection))
        await api.rows(connection, "SELECT 1")
        sizes(api, pool, "inside")
    sizes(api, pool, "outside")
    try:
        async with pool.acquire() as connection:
            raise ValueError("inside")
    except ValueError as error:
        api.note("error", error)
    sizes(api, pool, "after an error")


@area.scenario
async def waiting_for_one(api: Api) -> None:
    pool = await api.pool(minsize=1, maxsize=1)
    held = await pool.acquire()
    order: list[int] = []

    async def take(number: int) -> None:
        async with pool.acquire() as connection:
            order.append(number)
            await connection.query("SELECT 1")

    waiting = [asyncio.ensure_future(take(number)) for number in range(5)]
    await asyncio.sleep(0.05)
    api.note("while held", order)
    sizes(api, pool)
    pool.release(held)
    await asyncio.gather(*waiting)
    api.note("order", order)
    sizes(api, pool)


@area.scenario
async def giving_up_waiting(api: Api) -> None:
    pool = await api.pool(minsize=1, maxsize=1)
    held = await pool.acquire()
    try:
        await asyncio.wait_for(pool.acquire(), 0.1)
    except asyncio.TimeoutError:
        api.note("timed out", True)
    pool.release(held)
    again = await asyncio.wait_for(pool.acquire(), 2)
    api.note("the same", again is held)
    pool.release(again)


@area.scenario
async def releasing_what_is_not_its(api: Api) -> None:
    pool = await api.pool()
    connection = await api.connect()
    _kind_of_error(api, "foreign", pool.release, connection)
    lent = await pool.acquire()
    pool.release(lent)
    _kind_of_error(api, "twice", pool.release, lent)
    sizes(api, pool)


def _kind_of_error(api: Api, label: str, call: Any, *args: Any) -> None:
    try:
        call(*args)
    except Exception as error:
        api.note(label, type(error))
    else:
        api.note(label, "no error")


@area.scenario
async def releasing_within_a_transaction(api: Api) -> None:
    table = await api.table("a INT")
    pool = await api.pool()
    connection = await pool.acquire()
    await connection.query(f"INSERT INTO {table} VALUES (1)")
    pool.release(connection)
    api.note("closed", connection.closed)
    sizes(api, pool)
    async with pool.acquire() as another:
        api.note("another", another is not connection)
        await api.rows(another, f"SELECT * FROM {table}")


@area.scenario
async def releasing_after_reading(api: Api) -> None:
    table = await api.table("a INT")
    pool = await api.pool()
    async with pool.acquire() as connection:
        await api.rows(connection, f"SELECT * FROM {table}")
    api.note("closed", connection.closed)
    sizes(api, pool)
    await api.run(f"INSERT INTO {table} VALUES (1)")
    async with pool.acquire() as again:
        api.note("the same", again is connection)
        await api.rows(again, f"SELECT * FROM {table}", "what was inserted meanwhile")


@area.scenario
async def releasing_after_a_commit(api: Api) -> None:
    table = await api.table("a INT")
    pool = await api.pool()
    for end in ("commit", "rollback"):
        async with pool.acquire() as connection:
            await connection.query(f"INSERT INTO {table} VALUES (1)")
            await getattr(connection, end)()
        api.note(f"closed after {end}", connection.closed)
    sizes(api, pool)


@area.scenario
async def releasing_with_rows_unread(api: Api) -> None:
    pool = await api.pool(autocommit=True)
    async with pool.acquire() as connection:
        cursor = await connection.cursor(api.aiomysql.SSCursor)
        await cursor.execute("SELECT 1 UNION SELECT 2")
    async with pool.acquire() as again:
        await api.rows(again, "SELECT 3")


@area.scenario
async def releasing_with_sets_unread(api: Api) -> None:
    pool = await api.pool(autocommit=True)
    async with pool.acquire() as connection:
        cursor = await connection.cursor()
        await cursor.execute("SELECT 1; SELECT 2")
    async with pool.acquire() as again:
        await api.rows(again, "SELECT 3")


@area.scenario
async def releasing_a_closed_one(api: Api) -> None:
    pool = await api.pool()
    connection = await pool.acquire()
    connection.close()
    pool.release(connection)
    sizes(api, pool)
    async with pool.acquire() as another:
        api.note("another", another is not connection)


@area.scenario
async def a_session_that_ended(api: Api) -> None:
    pool = await api.pool(autocommit=True)
    async with pool.acquire() as connection:
        number = connection.thread_id()
    await api.run(f"KILL {number}")
    await asyncio.sleep(0.2)
    async with pool.acquire() as another:
        await api.attempt("query", another.query, "SELECT 1")
        api.note("another", another.thread_id() != number)
    sizes(api, pool)


@area.scenario
async def recycling(api: Api) -> None:
    pool = await api.pool(pool_recycle=0.05)
    async with pool.acquire() as connection:
        pass
    async with pool.acquire() as again:
        api.note("at once", again is connection)
    await asyncio.sleep(0.1)
    async with pool.acquire() as later:
        api.note("later", later is connection)
    api.note("closed", connection.closed)
    sizes(api, pool)


@area.scenario
async def clearing(api: Api) -> None:
    pool = await api.pool(minsize=2)
    held = await pool.acquire()
    await api.attempt("clear", pool.clear)
    sizes(api, pool, "cleared")
    api.note("held is open", not held.closed)
    pool.release(held)
    sizes(api, pool, "released")


@area.scenario
async def closing(api: Api) -> None:
    pool = await api.pool(minsize=2)
    await api.attempt("too early", pool.wait_closed)
    held = await pool.acquire()
    api.call("close", pool.close)
    api.note("closed", pool.closed)
    await api.attempt("acquire", pool.acquire)
    waiting = asyncio.ensure_future(pool.wait_closed())
    await asyncio.sleep(0.05)
    api.note("still waiting", not waiting.done())
    await api.rows(held, "SELECT 1")
    pool.release(held)
    await api.attempt("wait_closed", lambda: waiting)
    api.note("closed", pool.closed)
    api.note("held is closed", held.closed)
    api.call("close again", pool.close)
    await api.attempt("wait again", pool.wait_closed)
    sizes(api, pool)


@area.scenario
async def terminating(api: Api) -> None:
    pool = await api.pool(minsize=2)
    held = await pool.acquire()
    api.call("terminate", pool.terminate)
    api.note("held is closed", held.closed)
    await api.attempt("release", pool.release, held)
    await api.attempt("wait_closed", pool.wait_closed)
    api.note("closed", pool.closed)
    await api.attempt("acquire", pool.acquire)


@area.scenario
async def the_pool_as_a_context(api: Api) -> None:
    async with api.aiomysql.create_pool(**api.arguments) as pool:
        api.note("kind", type(pool))
        async with pool.acquire() as connection:
            await api.rows(connection, "SELECT 1")
    api.note("closed", pool.closed)
    pool = await api.aiomysql.create_pool(**api.arguments)
    async with pool as same:
        api.note("same", same is pool)
    api.note("closed", pool.closed)


@area.scenario
async def the_old_way(api: Api) -> None:
    pool = await api.pool()
    try:
        with pool:
            pass
    except Exception as error:
        api.note("with pool", error)
    with await pool as connection:
        await api.rows(connection, "SELECT 1")
        sizes(api, pool, "inside")
    sizes(api, pool, "outside")


@area.scenario
async def its_connections(api: Api) -> None:
    pool = await api.pool(
        autocommit=True, charset="latin1", cursorclass=api.aiomysql.DictCursor, echo=True
    )
    async with pool.acquire() as connection:
        api.note("autocommit", connection.get_autocommit())
        api.note("charset", connection.charset)
        api.note("echo", connection.echo)
        cursor = await connection.cursor()
        await api.execute(cursor, "SELECT 1 AS a")
    api.note("arguments", sorted(pool._conn_kwargs))


@area.scenario
async def its_parts(api: Api) -> None:
    pool = await api.pool(minsize=2)
    api.note("free", (type(pool._free), len(pool._free)))
    api.note("used", (type(pool._used), len(pool._used)))
    api.note("terminated", pool._terminated)
    api.note("recycle", pool._recycle)
    api.note("flags", (pool._closing, pool._closed))
    api.note("condition", type(pool._cond))
    held = await pool.acquire()
    api.note("among the used", held in pool._used)
    pool.release(held)
    api.note("last of the free", pool._free[-1] is held)


@area.scenario
async def what_acquire_returns(api: Api) -> None:
    from collections.abc import Coroutine

    pool = await api.pool()
    waiting = pool.acquire()
    api.note("kind", type(waiting))
    api.note("is a coroutine", isinstance(waiting, Coroutine))
    pool.release(await waiting)
    made = api.aiomysql.create_pool(**api.arguments)
    api.note("create_pool", type(made))
    another = await made
    another.close()
    await another.wait_closed()
    api.note("base", isinstance(pool, asyncio.AbstractServer))


@area.scenario
async def many_at_once(api: Api) -> None:
    pool = await api.pool(minsize=1, maxsize=4)

    async def work(number: int) -> Any:
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute("SELECT %s", (number,))
            return (await cursor.fetchone())[0]

    found = await asyncio.gather(*(work(number) for number in range(50)))
    api.note("all", found == list(range(50)))
    api.note("at most", pool.size <= 4)


@area.scenario
async def cancelled_within(api: Api) -> None:
    pool = await api.pool(minsize=1, maxsize=1)

    async def work() -> None:
        async with pool.acquire() as connection:
            await connection.query("SELECT SLEEP(5)")

    running = asyncio.ensure_future(work())
    await asyncio.sleep(0.1)
    running.cancel()
    try:
        await running
    except asyncio.CancelledError:
        api.note("cancelled", True)
    sizes(api, pool)
    async with pool.acquire() as connection:
        await api.rows(connection, "SELECT 1")


@area.scenario
async def removing_from_the_free(api: Api) -> None:
    pool = await api.pool(minsize=2)
    gone = pool._free.popleft()
    sizes(api, pool)
    async with pool.acquire() as connection:
        api.note("another", connection is not gone)
    gone.close()


@area.scenario
async def the_fill(api: Api) -> None:
    pool = await api.pool(minsize=0, maxsize=3)
    sizes(api, pool)
    await api.attempt("fill", pool._fill_free_pool, False)
    sizes(api, pool, "filled")
    await api.attempt("fill beyond", pool._fill_free_pool, True)
    sizes(api, pool, "filled beyond")
