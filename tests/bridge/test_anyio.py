"""anyio on asyncio: its cancel scopes know their own cancellations by the message."""

from __future__ import annotations

from typing import Any, Callable

import anyio
import pytest

from tests.bridge.test_asyncio import execute


async def test_move_on_after(connect: Callable[..., Any]) -> None:
    connection = await connect()
    with anyio.move_on_after(0.05) as scope:
        await execute(connection, "SELECT SLEEP(20)")
    assert scope.cancelled_caught
    assert connection.closed
    again = await connect()
    with anyio.move_on_after(10) as scope:
        assert await execute(again, "SELECT 1") == ((1,),)
    assert not scope.cancelled_caught


async def test_fail_after(connect: Callable[..., Any]) -> None:
    connection = await connect()
    with pytest.raises(TimeoutError):
        with anyio.fail_after(0.05):
            await execute(connection, "SELECT SLEEP(20)")
    assert connection.closed


async def test_cancelling_a_task_group(connect: Callable[..., Any]) -> None:
    connections = [await connect() for _ in range(3)]
    async with anyio.create_task_group() as group:
        for connection in connections:
            group.start_soon(execute, connection, "SELECT SLEEP(20)")
        await anyio.sleep(0.05)
        group.cancel_scope.cancel()
    assert all(connection.closed for connection in connections)


async def test_a_shielded_scope_finishes_its_query(connect: Callable[..., Any]) -> None:
    connection = await connect()
    rows = None
    with anyio.move_on_after(0.05):
        with anyio.CancelScope(shield=True):
            rows = await execute(connection, "SELECT SLEEP(0.2)")
    assert rows == ((0,),)
    assert await execute(connection, "SELECT 1") == ((1,),)


async def test_nested_scopes_leak_nothing(connect: Callable[..., Any]) -> None:
    connection = await connect()
    with anyio.move_on_after(0.05) as outer:
        with anyio.move_on_after(10) as inner:
            await execute(connection, "SELECT SLEEP(20)")
    assert outer.cancelled_caught
    assert not inner.cancelled_caught
    assert await execute(await connect(), "SELECT 1") == ((1,),)
