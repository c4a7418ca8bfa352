"""Use on another loop, or from another thread: refused before anything is sent."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Callable

import aiomysql
import pytest

from tests.bridge.fake_server import FakeServer
from tests.fix_asyncio import new_event_loop


def on_another_loop(work: Callable[[], Any]) -> BaseException | None:
    """What `await work()` raises on a loop of its own, in a thread of its own."""
    raised: list[BaseException | None] = []

    async def main() -> None:
        await work()

    def thread() -> None:
        loop = new_event_loop()
        try:
            loop.run_until_complete(main())
            raised.append(None)
        except BaseException as error:
            raised.append(error)
        finally:
            loop.close()

    running = threading.Thread(target=thread)
    running.start()
    running.join(20)
    return raised[0]


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
async def test_a_connection_belongs_to_its_loop(fake: FakeServer, busy: bool) -> None:
    connection = await aiomysql.connect(**fake.connect_kwargs())
    cursor = await connection.cursor()
    await connection.ping()
    sent = len(fake.queries)
    if busy:
        fake.hold()
        running = asyncio.ensure_future(connection._perform("DO 1"))
        await asyncio.sleep(0.01)
        sent += 1
    uses: list[Callable[[], Any]] = [
        connection.ping,
        connection.begin,
        lambda: cursor.execute("DO 2"),
        lambda: connection._perform("DO 2"),
    ]
    for use in uses:
        error = on_another_loop(use)
        assert isinstance(error, RuntimeError)
        assert "another event loop" in str(error)
    assert len(fake.queries) == sent
    if busy:
        fake.release()
        await asyncio.wait_for(running, 5)
    assert not connection.closed
    await connection.ping()
    await cursor.execute("DO 3")
    assert fake.queries[-1] == "DO 3"
    connection.close()


async def test_an_operation_belongs_to_its_loop(fake: FakeServer, fake_connection: Any) -> None:
    operation = fake_connection._perform("DO 2")
    assert "another event loop" in str(on_another_loop(lambda: operation))
    assert "DO 2" not in fake.queries
    await fake_connection.ping()


async def test_without_a_loop(fake_connection: Any) -> None:
    operation = fake_connection._perform("DO 2")
    raised: list[BaseException] = []

    def thread() -> None:
        try:
            operation.send(None)
        except BaseException as error:
            raised.append(error)

    running = threading.Thread(target=thread)
    running.start()
    running.join(20)
    assert isinstance(raised[0], RuntimeError)
    await fake_connection.ping()


async def test_closed_by_another_thread(fake: FakeServer) -> None:
    """close() is plain and may come from anywhere; the running command ends."""
    connection = await aiomysql.connect(**fake.connect_kwargs())
    fake.hold()
    running = asyncio.ensure_future(connection._perform("DO 1"))
    await asyncio.sleep(0.01)
    await asyncio.get_running_loop().run_in_executor(None, connection.close)
    with pytest.raises(aiomysql.OperationalError, match="Lost connection"):
        await asyncio.wait_for(running, 5)
    assert connection.closed


async def test_dropped_by_another_thread(fake: FakeServer) -> None:
    kept = [await aiomysql.connect(**fake.connect_kwargs())]
    kept[0].close()
    idle = [await aiomysql.connect(**fake.connect_kwargs())]

    def drop() -> None:
        kept.clear()
        with pytest.warns(ResourceWarning, match="Unclosed connection"):
            idle.clear()

    await asyncio.get_running_loop().run_in_executor(None, drop)
    async with aiomysql.connect(**fake.connect_kwargs()) as connection:
        await connection.ping()


def test_two_loops_at_once_share_nothing(fake: FakeServer) -> None:
    """Loops that take turns on one thread."""
    loops = [new_event_loop(), new_event_loop()]

    async def opened() -> Any:
        return await aiomysql.connect(**fake.connect_kwargs())

    connections = [loop.run_until_complete(opened()) for loop in loops]
    for _ in range(5):
        for loop, connection in zip(loops, connections):
            loop.run_until_complete(connection.ping())
    with pytest.raises(RuntimeError, match="another event loop"):
        loops[0].run_until_complete(connections[1].ping())
    for loop, connection in zip(loops, connections):
        loop.run_until_complete(connection.ping())
        loop.run_until_complete(connection.ensure_closed())
        loop.close()
