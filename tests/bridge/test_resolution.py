"""Host names: resolved in a thread, which wakes the loop from outside."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiomysql
import pytest

from tests.bridge import process
from tests.bridge.fake_server import FakeServer
from tests.fix_asyncio import new_event_loop


async def test_a_name(fake: FakeServer) -> None:
    for _ in range(5):
        async with aiomysql.connect(**fake.connect_kwargs(host="localhost")) as connection:
            await connection.ping()


async def test_many_at_once(fake: FakeServer) -> None:
    connections: list[Any] = await asyncio.gather(
        *(aiomysql.connect(**fake.connect_kwargs(host="localhost")) for _ in range(50))
    )
    await asyncio.gather(*(connection.ping() for connection in connections))
    for connection in connections:
        connection.close()


async def test_an_unknown_name() -> None:
    with pytest.raises(aiomysql.OperationalError) as raised:
        await aiomysql.connect(host="no-such-host.invalid", user="u", connect_timeout=20)
    assert raised.value.args == (2003, "Can't connect to MySQL server on 'no-such-host.invalid'")
    assert isinstance(raised.value.__cause__, OSError)


async def test_cancelled_while_resolving(fake: FakeServer) -> None:
    tasks = [
        asyncio.ensure_future(aiomysql.connect(**fake.connect_kwargs(host="localhost")))
        for _ in range(20)
    ]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in done)


@process.linux_only
def test_a_loop_closes_while_a_name_is_being_resolved(fake: FakeServer) -> None:
    before = len(process.descriptors())
    for _ in range(10):
        loop = new_event_loop()
        connecting = aiomysql.connect(**fake.connect_kwargs(host="localhost"))
        task = loop.create_task(connecting)
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        connecting.close()
        if task.done():  # the resolver was quick
            task.result().close()
        del connecting, task
    assert process.eventually(lambda: len(process.descriptors()) <= before)


async def test_a_port_that_nobody_listens_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(aiomysql.OperationalError) as raised:
        await aiomysql.connect(host="localhost", port=port, user="u")
    assert raised.value.args[0] == 2003
    assert isinstance(raised.value.__cause__, ConnectionRefusedError)
