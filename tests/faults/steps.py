"""Cancelling a coroutine at its n-th step.

A step is one `send` of the coroutine. The sweep drives it by hand, so that the n-th step is the
n-th, and throws CancelledError where a task would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from typing import Any, Callable

MANY_STEPS = 400


class Steps:
    """Awaits a coroutine for `most` steps, then cancels it; `completed` if it ended before."""

    def __init__(self, work: Awaitable[Any], most: int) -> None:
        self._work = work
        self._most = most
        self.completed = False

    def __await__(self) -> Generator[Any, Any, Any]:
        stepping = self._work.__await__()
        for _ in range(self._most):
            try:
                waiter = next(stepping)
            except StopIteration as end:
                self.completed = True
                return end.value
            yield waiter
        try:
            waiter = stepping.throw(asyncio.CancelledError())
            for _ in range(MANY_STEPS):
                # What it does on its way out, such as reading a stream to its end.
                yield waiter
                waiter = next(stepping)
        except asyncio.CancelledError:
            return None
        except StopIteration:
            raise AssertionError("the cancellation was swallowed") from None
        raise AssertionError("the cancelled coroutine goes on")


async def sweep(round_: Callable[[int], Awaitable[bool]]) -> int:
    """Rounds with n = 0, 1, 2… until the work completes; how many there were."""
    for steps in range(MANY_STEPS):
        if await round_(steps):
            return steps
    raise AssertionError("it never completes")


async def awaited(steps: Steps) -> None:
    await steps
