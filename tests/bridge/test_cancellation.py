"""Cancellation at each moment, and exceptions that stop the loop."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiomysql
import pytest

from tests.bridge.fake_server import FakeServer
from tests.fix_asyncio import EAGER, new_event_loop

begins_later = pytest.mark.skipif(EAGER, reason="eager tasks take their first step where made")


async def perform(connection: Any) -> None:
    await connection._perform("DO 1")


async def woken_together(fake: FakeServer, count: int) -> list[Any]:
    """Connections whose commands are all answered by the time the loop looks."""
    fake.hold()
    return [await aiomysql.connect(**fake.connect_kwargs()) for _ in range(count)]


def let_answers_arrive(fake: FakeServer) -> None:
    fake.release()
    time.sleep(0.2)


@begins_later
async def test_before_the_first_step(fake: FakeServer, fake_connection: Any) -> None:
    task = asyncio.ensure_future(perform(fake_connection))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "DO 1" not in fake.queries
    await fake_connection.ping()


@begins_later
async def test_before_the_first_step_of_a_bare_operation(
    fake: FakeServer, fake_connection: Any
) -> None:
    task = asyncio.ensure_future(fake_connection._perform("DO 1"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "DO 1" not in fake.queries
    await fake_connection.ping()


async def test_while_waiting(fake: FakeServer, fake_connection: Any) -> None:
    fake.hold()
    messages = []

    async def work() -> None:
        try:
            await perform(fake_connection)
        except asyncio.CancelledError as error:
            messages.append(error.args)
            raise

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0.01)
    task.cancel("the reason")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert messages == [("the reason",)]
    assert fake_connection.closed


async def test_after_the_answer_before_the_task_goes_on(fake: FakeServer) -> None:
    first, second = await woken_together(fake, 2)
    order = []

    async def cancelling() -> None:
        await perform(first)
        order.append("first")
        tasks[1].cancel("late")

    async def cancelled() -> None:
        try:
            await perform(second)
            order.append("second")
        except asyncio.CancelledError as error:
            order.append(str(error))
            raise

    tasks = [asyncio.ensure_future(cancelling()), asyncio.ensure_future(cancelled())]
    await asyncio.sleep(0.05)
    let_answers_arrive(fake)
    done = await asyncio.gather(*tasks, return_exceptions=True)
    # Whichever was answered first; a cancelled task has a closed connection, always.
    if order == ["first", "late"]:
        assert isinstance(done[1], asyncio.CancelledError)
        assert second.closed
    else:
        assert order == ["second", "first"]
        await second.ping()
    await first.ping()
    first.close()
    second.close()


async def test_between_a_wake_up_by_call_soon_and_the_step(
    fake: FakeServer, fake_connection: Any
) -> None:
    """Closing the connection wakes its command; cancelling comes before the task goes on."""
    fake.hold()
    task = asyncio.ensure_future(perform(fake_connection))
    await asyncio.sleep(0.01)
    fake_connection.close()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_closing_ends_the_running_command(fake: FakeServer, fake_connection: Any) -> None:
    fake.hold()
    task = asyncio.ensure_future(perform(fake_connection))
    await asyncio.sleep(0.01)
    fake_connection.close()
    with pytest.raises(aiomysql.OperationalError) as raised:
        await asyncio.wait_for(task, 5)
    assert raised.value.args[0] == 2013


async def test_while_connecting(fake: FakeServer) -> None:
    tasks = [asyncio.ensure_future(aiomysql.connect(**fake.connect_kwargs())) for _ in range(20)]
    for number, task in enumerate(tasks):
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    for each in done:
        if isinstance(each, aiomysql.Connection):
            each.close()
        else:
            assert isinstance(each, asyncio.CancelledError)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_exception_that_stops_the_loop_loses_nobody(
    fake: FakeServer, kind: type[BaseException]
) -> None:
    finished = []

    async def work(number: int, connection: Any) -> None:
        await perform(connection)
        if number == 2:
            raise kind
        finished.append(number)

    loop = new_event_loop()
    connections = loop.run_until_complete(woken_together(fake, 8))
    tasks = [loop.create_task(work(*each)) for each in enumerate(connections)]
    loop.run_until_complete(asyncio.sleep(0.05))
    let_answers_arrive(fake)
    with pytest.raises(kind):
        loop.run_until_complete(asyncio.sleep(5))
    done = loop.run_until_complete(asyncio.wait_for(asyncio.gather(*tasks[:2], *tasks[3:]), 5))
    assert done == [None] * 7
    assert sorted(finished) == [0, 1, 3, 4, 5, 6, 7]
    assert isinstance(tasks[2].exception(), kind)
    for connection in connections:
        connection.close()
    loop.close()


async def test_a_task_that_fails_disturbs_no_other(fake: FakeServer) -> None:
    connections = await woken_together(fake, 4)

    async def work(number: int) -> int:
        await perform(connections[number])
        return 1 // number

    tasks = [asyncio.ensure_future(work(number)) for number in range(4)]
    await asyncio.sleep(0.05)
    let_answers_arrive(fake)
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in done] == [ZeroDivisionError, int, int, int]
    for connection in connections:
        connection.close()


async def test_a_busy_connection_is_not_disturbed(fake: FakeServer, fake_connection: Any) -> None:
    fake.hold()
    task = asyncio.ensure_future(perform(fake_connection))
    await asyncio.sleep(0.01)
    for intruder in (fake_connection.ping(), perform(fake_connection), fake_connection.begin()):
        with pytest.raises(RuntimeError, match="another command is running"):
            await intruder
    fake.release()
    assert await asyncio.wait_for(task, 5) is None
    await fake_connection.ping()
    assert fake.queries.count("DO 1") == 1
