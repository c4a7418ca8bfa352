"""Context variables: each task keeps its own, through every wait."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import weakref
from typing import Any

import aiomysql

from tests.bridge.fake_server import FakeServer
from tests.fix_asyncio import new_event_loop

request: contextvars.ContextVar[Any] = contextvars.ContextVar("request", default=None)


async def test_a_value_survives_each_wait(connection: Any, cursor: Any) -> None:
    request.set("mine")
    await connection.ping()
    assert request.get() == "mine"
    await cursor.execute("DO SLEEP(0.01)")
    assert request.get() == "mine"


async def test_tasks_do_not_see_each_others_values(fake: FakeServer) -> None:
    async def serve(number: int) -> None:
        request.set(number)
        async with aiomysql.connect(**fake.connect_kwargs()) as connection:
            for _ in range(20):
                await connection.ping()
                assert request.get() == number
                request.set(number)

    await asyncio.gather(*(serve(number) for number in range(20)))
    assert request.get() is None


async def test_a_value_set_between_waits_stays_in_the_task(fake_connection: Any) -> None:
    async def set_it() -> None:
        await fake_connection.ping()
        request.set("inner")
        await fake_connection.ping()
        assert request.get() == "inner"

    request.set("outer")
    await asyncio.ensure_future(set_it())
    assert request.get() == "outer"


async def test_a_done_callback_runs_in_its_own_context(fake_connection: Any) -> None:
    seen = []
    request.set("of the caller")
    task = asyncio.ensure_future(fake_connection.ping())
    task.add_done_callback(lambda _: seen.append(request.get()))
    request.set("later")
    await task
    await asyncio.sleep(0)
    assert seen == ["of the caller"]


def test_the_first_callers_context_is_not_kept(fake: FakeServer) -> None:
    class Heavy:
        pass

    async def first() -> weakref.ref[Heavy]:
        heavy = Heavy()
        request.set(heavy)
        async with aiomysql.connect(**fake.connect_kwargs(connect_timeout=60)) as connection:
            await connection.ping()
        return weakref.ref(heavy)

    loop = new_event_loop()
    try:
        heavy = loop.run_until_complete(loop.create_task(first()))
        # A cancelled timer of uvloop lets go of its context in the next iteration.
        loop.run_until_complete(asyncio.sleep(0))
        gc.collect()
        assert heavy() is None
    finally:
        loop.close()
