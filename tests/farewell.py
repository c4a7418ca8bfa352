"""Whether sessions end with a farewell, by the server's own count of those that did not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.fix_servers import RunningServer

_ROUNDS = 5


async def assert_farewells(
    server: RunningServer, ended: Callable[[], Awaitable[list[int]]]
) -> None:
    """`ended` opens sessions, ends them, and returns their numbers.

    The count is one for the whole server, which may count late what an earlier test broke off: a
    single round in which it stays is enough.
    """
    rises = []
    for _ in range(_ROUNDS):
        before = _aborted(server)
        marks = ", ".join(map(str, await ended()))
        sql = f"SELECT COUNT(*) FROM information_schema.processlist WHERE id IN ({marks})"
        while server.query(sql) != [(0,)]:
            await asyncio.sleep(0.01)
        rises.append(_aborted(server) - before)
        if not rises[-1]:
            return
    raise AssertionError(f"sessions that were broken off, in each round: {rises}")


def _aborted(server: RunningServer) -> int:
    return int(server.query("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")[0][1])
