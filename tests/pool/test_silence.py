"""Connections that nobody answers on."""

from __future__ import annotations

import asyncio

import aiomysql
import pytest

from tests.faults.support import through
from tests.fix_servers import RunningServer
from tests.pool.support import eventually_closed, settled
from tests.proxy import Proxy


@pytest.mark.vendor("mariadb")
async def test_silent_connections_are_asked_together(server: RunningServer, proxy: Proxy) -> None:
    pool = await aiomysql.create_pool(minsize=4, maxsize=4, **through(server, proxy))
    silent = list(pool._free)
    for connection in silent:
        connection.connect_timeout = 2
    # From here on it is not known whether their peers are there.
    await asyncio.sleep(1.1)
    proxy.stall_all()
    waiting = asyncio.ensure_future(pool.acquire())
    await eventually_closed(silent[0])
    await settled()
    for connection in silent[1:]:
        with pytest.raises((RuntimeError, aiomysql.Error)) as caught:
            await connection.ping(reconnect=False)
        # Busy, or closed already: not that this ping was sent and failed.
        assert caught.type in (RuntimeError, aiomysql.Error)
    connection = await waiting
    assert connection not in silent
    pool.release(connection)
    for each in silent:
        await eventually_closed(each)
    pool.close()
    await pool.wait_closed()
