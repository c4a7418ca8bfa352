"""What others do while an acquire looks at the health of its connection."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest


class Check:
    """A `check` of the application's that takes until it is told, where it is asked to."""

    def __init__(self) -> None:
        self.is_slow = False
        self.began = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.failure: Exception | None = None

    async def __call__(self, connection: Any) -> None:
        if self.is_slow:
            self.began.set()
            await self.goes_on.wait()
            if self.failure:
                raise self.failure


async def acquired(pool: Any) -> Any:
    return await pool.acquire()


async def test_closing_the_pool_ends_the_acquire_whose_check_fails(create_pool: Any) -> None:
    check = Check()
    pool = await create_pool(minsize=1, maxsize=1, check=check)
    check.is_slow, check.failure = True, ValueError("stale")
    waiting = asyncio.ensure_future(acquired(pool))
    await check.began.wait()
    pool.close()
    check.goes_on.set()
    with pytest.raises(RuntimeError, match="clos"):
        await asyncio.wait_for(waiting, 5)
    await pool.wait_closed()


async def test_a_connection_that_comes_back_meanwhile_is_lent(create_pool: Any) -> None:
    check = Check()
    pool = await create_pool(minsize=2, maxsize=2, check=check)
    first, second = await pool.acquire(), await pool.acquire()
    slow = asyncio.ensure_future(acquired(pool))
    await asyncio.sleep(0)
    check.is_slow = True
    await pool.release(first)
    await check.began.wait()
    check.is_slow = False
    await pool.release(second)
    assert await asyncio.wait_for(acquired(pool), 5) is second
    assert not slow.done()
    check.goes_on.set()
    assert await asyncio.wait_for(slow, 5) is first
    await pool.release(first)
    await pool.release(second)
