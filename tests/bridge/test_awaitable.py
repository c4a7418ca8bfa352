"""The coroutine and future protocols of our awaitables, driven by hand and by asyncio."""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
import time
import warnings
import weakref
from collections.abc import Coroutine
from typing import Any

import aiomysql
import pytest
from aiomysql import _native
from pymysql.converters import decoders

from tests.bridge.fake_server import FakeServer


async def held(fake: FakeServer, connection: Any) -> tuple[Any, Any]:
    """An operation that waits for its answer, and what it yielded."""
    fake.hold()
    operation = connection._perform("DO 1")
    return operation, operation.send(None)


# Operations


async def test_an_operation_looks_like_a_coroutine(fake_connection: Any) -> None:
    operation = fake_connection._ping()
    assert isinstance(operation, Coroutine)
    assert inspect.isawaitable(operation)
    assert asyncio.iscoroutine(operation)
    assert not asyncio.isfuture(operation)
    assert operation.__name__ == operation.__qualname__ == "Connection.ping"
    assert operation.__await__() is operation
    assert "suspended" in repr(operation)
    await operation
    assert "finished" in repr(operation)


async def test_awaited_twice(fake_connection: Any) -> None:
    operation = fake_connection._ping()
    await operation
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        await operation
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        operation.send(None)


async def test_two_tasks_awaiting_one_operation(fake: FakeServer, fake_connection: Any) -> None:
    fake.hold()
    operation = fake_connection._perform("DO 1")
    first = asyncio.ensure_future(operation)
    await asyncio.sleep(0.01)

    async def second() -> None:
        await operation

    with pytest.raises(RuntimeError, match="coroutine is being awaited already"):
        await second()
    with pytest.raises(RuntimeError, match="coroutine is being awaited already"):
        await asyncio.ensure_future(operation)
    fake.release()
    assert await asyncio.wait_for(first, 5) is None
    await fake_connection.ping()


async def test_closed_before_its_first_step(fake: FakeServer, fake_connection: Any) -> None:
    operation = fake_connection._perform("DO 1")
    operation.close()
    operation.close()
    with pytest.raises(RuntimeError, match="cannot reuse"):
        await operation
    await fake_connection.ping()
    assert "DO 1" not in fake.queries


async def test_dropped_before_its_first_step(fake: FakeServer, fake_connection: Any) -> None:
    fake_connection._perform("DO 1")
    await fake_connection.ping()
    assert "DO 1" not in fake.queries


async def test_closed_while_it_waits(fake: FakeServer, fake_connection: Any) -> None:
    operation, _ = await held(fake, fake_connection)
    operation.close()
    assert fake_connection.closed
    with pytest.raises(aiomysql.InterfaceError, match="Cancelled during execution"):
        fake_connection._check_alive()


async def test_dropped_while_it_waits(fake: FakeServer, fake_connection: Any) -> None:
    operation, waiter = await held(fake, fake_connection)
    gone = weakref.ref(operation), weakref.ref(waiter)
    del operation, waiter
    # Only the answer that nobody waits for any more ends it.
    fake.release()
    for _ in range(100):
        await asyncio.sleep(0.01)
        if gone[0]() is None:
            break
    assert [each() for each in gone] == [None, None]
    assert fake_connection.closed


@pytest.mark.parametrize(
    "thrown",
    [
        (ValueError("text"),),
        (ValueError,),
        (ValueError, "text"),
        (ValueError, ValueError("text")),
        (ValueError, ValueError("text"), None),
        (GeneratorExit,),
        (asyncio.CancelledError("text"),),
        (KeyboardInterrupt,),
    ],
    ids=repr,
)
@pytest.mark.parametrize("begun", [False, True])
async def test_throw(fake: FakeServer, fake_connection: Any, thrown: Any, begun: bool) -> None:
    fake.hold()
    operation = fake_connection._perform("DO 1")
    if begun:
        operation.send(None)
    kind = thrown[0] if isinstance(thrown[0], type) else type(thrown[0])
    with pytest.raises(kind) as raised:
        operation.throw(*thrown)
    if len(thrown) > 1 or thrown[0] is not kind:
        assert str(raised.value) == "text"
    assert fake_connection.closed == begun
    with pytest.raises(RuntimeError, match="cannot reuse"):
        operation.send(None)


async def test_throw_takes_exceptions_alone(fake_connection: Any) -> None:
    with pytest.raises(TypeError):
        fake_connection._ping().throw(42)
    with pytest.raises(TypeError):
        fake_connection._ping().throw(int)


async def test_a_stop_iteration_from_inside_is_no_return(connect: Any) -> None:
    def converter(_: str) -> None:
        raise StopIteration("not a value")

    connection = await connect(conv={**decoders, 3: converter, 8: converter})
    cursor = await connection.cursor()
    with pytest.raises(RuntimeError, match="StopIteration") as raised:
        await cursor.execute("SELECT 1")
    assert isinstance(raised.value.__cause__, StopIteration)
    await cursor.execute("SELECT 'well'")
    assert await cursor.fetchone() == ("well",)


def test_an_operation_needs_a_running_loop(fake: FakeServer) -> None:
    connection = aiomysql.Connection(**fake.connect_kwargs())
    with pytest.raises(RuntimeError, match="no running event loop"):
        connection._connect().send(None)


# Ready, Resolved


@pytest.mark.parametrize("value", [None, 1, (), (1, 2), ((1, 2),), ValueError("a value"), [1]])
async def test_values_come_back_as_they_are(value: Any) -> None:
    resolved = _native.Resolved(value)
    for _ in range(2):
        assert await resolved is value
    with pytest.raises(StopIteration) as stop:
        resolved.__await__().send(None)
    assert stop.value.value is value
    with pytest.raises(StopIteration) as stop:
        resolved.send(None)
    assert stop.value.value is value


async def test_ready_is_awaited_once() -> None:
    ready = _native.Resolved(1).__await__()
    assert isinstance(ready, _native.Ready)
    assert await asyncio.ensure_future(ready) == 1
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        await ready


async def test_ready_closed_and_thrown_into() -> None:
    ready = _native.Resolved(1).__await__()
    ready.close()
    with pytest.raises(RuntimeError, match="cannot reuse"):
        ready.send(None)
    ready = _native.Resolved(1).__await__()
    with pytest.raises(ZeroDivisionError):
        ready.throw(ZeroDivisionError)
    with pytest.raises(RuntimeError, match="cannot reuse"):
        ready.__next__()


async def test_a_ready_value_does_not_yield() -> None:
    order = []
    asyncio.get_running_loop().call_soon(order.append, "loop")
    await _native.Resolved(1)
    order.append("task")
    await asyncio.sleep(0)
    assert order == ["task", "loop"]


# Waiters


async def test_a_waiter_looks_like_a_future(fake: FakeServer, fake_connection: Any) -> None:
    operation, waiter = await held(fake, fake_connection)
    assert asyncio.isfuture(waiter)
    assert waiter._asyncio_future_blocking is True
    waiter._asyncio_future_blocking = False
    assert waiter._asyncio_future_blocking is False
    assert waiter.get_loop() is asyncio.get_running_loop()
    assert not waiter.done()
    assert not waiter.cancelled()
    for ask in (waiter.result, waiter.exception):
        with pytest.raises(asyncio.InvalidStateError):
            ask()
    fake.release()
    called = asyncio.Event()
    waiter.add_done_callback(lambda done: called.set())
    await asyncio.wait_for(called.wait(), 5)
    assert waiter.done()
    assert waiter.result() is None
    assert waiter.exception() is None
    assert waiter.cancel() is False
    with pytest.raises(StopIteration):
        operation.send(None)


async def test_callbacks_of_a_waiter(fake: FakeServer, fake_connection: Any) -> None:
    _operation, waiter = await held(fake, fake_connection)
    calls: list[Any] = []
    waiter.add_done_callback(calls.append)
    waiter.add_done_callback(print)
    waiter.add_done_callback(calls.append)
    waiter.add_done_callback(lambda done: calls.append("last"))
    assert waiter.remove_done_callback(print) == 1
    assert waiter.remove_done_callback(print) == 0
    assert calls == []
    fake.release()
    for _ in range(100):
        await asyncio.sleep(0.01)
        if "last" in calls:
            break
    assert calls == [waiter, waiter, "last"]
    waiter.add_done_callback(calls.append)
    assert len(calls) == 3
    await asyncio.sleep(0)
    assert calls[3:] == [waiter]


async def test_remove_done_callback_survives_a_hostile_comparison(
    fake: FakeServer, fake_connection: Any
) -> None:
    class Hostile:
        def __call__(self, done: Any) -> None:
            calls.append("hostile")

        def __eq__(self, other: Any) -> bool:
            raise ZeroDivisionError

        __hash__ = None  # type: ignore[assignment]

    calls: list[Any] = []
    _operation, waiter = await held(fake, fake_connection)
    waiter.add_done_callback(lambda done: calls.append("first"))
    waiter.add_done_callback(Hostile())
    with pytest.raises(ZeroDivisionError):
        waiter.remove_done_callback(print)
    waiter.cancel()
    await asyncio.sleep(0)
    assert calls == ["first", "hostile"]


async def test_an_error_in_a_callback_goes_to_the_handler(
    fake: FakeServer, fake_connection: Any
) -> None:
    contexts: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: contexts.append(context))
    _operation, waiter = await held(fake, fake_connection)
    called = asyncio.Event()
    waiter.add_done_callback(lambda done: 1 / 0)
    waiter.add_done_callback(lambda done: called.set())
    fake.release()
    await asyncio.wait_for(called.wait(), 5)
    assert [type(context["exception"]) for context in contexts] == [ZeroDivisionError]


async def test_cancelling_a_waiter(fake: FakeServer, fake_connection: Any) -> None:
    _operation, waiter = await held(fake, fake_connection)
    assert waiter.cancel(msg="enough") is True
    assert waiter.cancel("again") is False
    assert waiter.cancelled()
    assert waiter.done()
    for ask in (waiter.result, waiter.exception):
        with pytest.raises(asyncio.CancelledError, match="enough"):
            ask()


# Garbage


async def test_cycles_are_collected(fake: FakeServer, fake_connection: Any) -> None:
    class Node:
        pass

    def cycle() -> list[weakref.ref[Any]]:
        node: Any = Node()
        node.resolved = _native.Resolved(node)
        node.ready = node.resolved.__await__()
        node.operation = fake_connection._ping()
        return [weakref.ref(each) for each in (node, node.resolved, node.ready, node.operation)]

    gone = cycle()
    gc.collect()
    assert [each() for each in gone] == [None] * 4


async def test_a_finished_task_and_its_operation_go(fake_connection: Any) -> None:
    async def ping() -> None:
        await fake_connection._ping()

    gc.collect()
    gc.disable()
    try:
        task = asyncio.ensure_future(ping())
        gone = weakref.ref(task)
        await task
        del task
        await asyncio.sleep(0)
        assert gone() is None
    finally:
        gc.enable()


async def test_a_cancelled_task_and_its_operation_go(
    fake: FakeServer, fake_connection: Any
) -> None:
    fake.hold()
    operation = fake_connection._perform("DO 1")
    task = asyncio.ensure_future(operation)
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task})
    gone = weakref.ref(task), weakref.ref(operation)
    del task, operation
    await asyncio.sleep(0)
    gc.collect()
    assert [each() for each in gone] == [None, None]


async def test_a_waiting_task_is_not_collected(fake: FakeServer, fake_connection: Any) -> None:
    """A task that nobody refers to but the command it waits for goes on."""
    fake.hold()
    done = []

    async def work() -> None:
        await fake_connection._perform("DO 1")
        done.append(True)

    asyncio.ensure_future(work())  # noqa: RUF006
    await asyncio.sleep(0.01)
    gc.collect()
    fake.release()
    for _ in range(100):
        await asyncio.sleep(0.01)
    assert done == [True]


async def test_operations_cost_no_memory_in_the_end(fake_connection: Any) -> None:
    async def count() -> int:
        for _ in range(50):
            await fake_connection.ping()
        gc.collect()
        return sys.getallocatedblocks()

    await count()
    before = await count()
    for _ in range(10):
        after = await count()
    assert after - before < 200


async def test_never_awaited_is_no_warning_of_ours(fake_connection: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fake_connection._ping()
        gc.collect()


# Fairness


@pytest.mark.seconds(60)
async def test_many_ready_tasks_do_not_starve_the_loop(fake: FakeServer) -> None:
    connections = await asyncio.gather(
        *(aiomysql.connect(**fake.connect_kwargs()) for _ in range(500))
    )
    fake.hold()
    finished = 0

    async def work(connection: Any) -> None:
        nonlocal finished
        await connection._perform("DO 1")
        finished += 1

    tasks = [asyncio.ensure_future(work(each)) for each in connections]
    await asyncio.sleep(0.1)
    fake.release()
    time.sleep(0.5)  # noqa: ASYNC251 (all answers are to be there at once)
    seen = []
    while finished < 500:
        seen.append(finished)
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    for connection in connections:
        connection.close()
    steps = [after - before for before, after in zip(seen, [*seen[1:], 500])]
    assert max(steps) <= 64
