"""Peers that say nothing and take nothing: a silenced network, a server that hangs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from pathlib import Path
from typing import Any

import aiomysql
import pytest
from pymysql.constants import COMMAND

from tests.faults.support import answers, at_full_strength, eventually, no_noise, through
from tests.fix_servers import RunningServer
from tests.proxy import Direction, Proxy

#: More than all the sockets on the way keep.
LARGE = 32 << 20

#: What may never be reached; a silent peer would else be waited for until the test's deadline.
SECONDS = 20


async def lost(work: Any, seconds: float) -> None:
    """It fails because the time was up, and says which time."""
    with pytest.raises(aiomysql.OperationalError) as caught:
        await asyncio.wait_for(work, SECONDS)
    assert caught.value.args[0] == 2013
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert str(caught.value.__cause__) == f"timed out after {seconds} s"


# write_timeout


def large_statement() -> str:
    return f"SELECT LENGTH('{'x' * LARGE}')"


async def test_a_statement_that_is_not_taken(server: RunningServer, proxy: Proxy) -> None:
    async with aiomysql.connect(**through(server, proxy, write_timeout=0.3)) as connection:
        proxy.stall_all()
        cursor = await connection.cursor()
        await lost(cursor.execute(large_statement()), 0.3)
        assert connection.closed


async def test_a_file_that_is_not_taken(
    server: RunningServer, proxy: Proxy, table: Any, tmp_path: Path
) -> None:
    name = table("v VARCHAR(100)")
    file = tmp_path / "large"
    file.write_text(f"{'x' * 99}\n" * (LARGE // 100))
    arguments = through(server, proxy, write_timeout=0.3, local_infile=True)
    async with aiomysql.connect(**arguments) as connection:
        proxy.arm(Direction.TO_SERVER, 1 << 20, stalled)
        cursor = await connection.cursor()
        await lost(cursor.execute(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {name}"), 0.3)
        assert connection.closed
    proxy.cut_all()
    # The server has rolled back what it got, and lets go of the table.
    await eventually(lambda: server.query(f"SELECT COUNT(*) FROM {name}") == [(0,)])


async def stalled(_link: Any, stream: Any) -> None:
    stream.flowing.clear()


async def test_write_timeout_does_not_bound_the_answer(server: RunningServer, connect: Any) -> None:
    connection = await connect(write_timeout=0.05)
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT SLEEP(0.3), 'marker'")
        assert await cursor.fetchall() == ((0, "marker"),)


@pytest.mark.vendor("mariadb")
async def test_read_timeout_does_not_bound_what_write_timeout_does(
    server: RunningServer, proxy: Proxy
) -> None:
    arguments = through(server, proxy, read_timeout=3, write_timeout=60)
    async with aiomysql.connect(**arguments) as connection, connection.cursor() as cursor:
        proxy.stall_all()
        running = asyncio.ensure_future(cursor.execute(large_statement()))
        await asyncio.sleep(4)
        assert not running.done()
        proxy.resume()
        await running
        assert await cursor.fetchall() == ((LARGE,),)


async def test_read_timeout_alone_bounds_sending_too(server: RunningServer, proxy: Proxy) -> None:
    async with aiomysql.connect(**through(server, proxy, read_timeout=0.3)) as connection:
        proxy.stall_all()
        cursor = await connection.cursor()
        await lost(cursor.execute(large_statement()), 0.3)


async def test_timeouts_are_assigned_on_the_connection(server: RunningServer, proxy: Proxy) -> None:
    async with aiomysql.connect(**through(server, proxy)) as connection:
        assert connection.read_timeout is connection.write_timeout is None
        connection.write_timeout = 0.2
        connection.read_timeout = 60
        proxy.stall_all()
        cursor = await connection.cursor()
        await lost(cursor.execute(large_statement()), 0.2)


# ping


@pytest.mark.parametrize("name", ["read_timeout", "connect_timeout"])
async def test_a_ping_that_is_not_answered(server: RunningServer, proxy: Proxy, name: str) -> None:
    async with aiomysql.connect(**through(server, proxy)) as connection:
        setattr(connection, name, 0.3)
        proxy.stall_all()
        await lost(connection.ping(reconnect=False), 0.3)
        assert connection.closed


async def test_a_ping_that_is_not_answered_connects_again(
    server: RunningServer, proxy: Proxy
) -> None:
    async with aiomysql.connect(**through(server, proxy)) as connection:
        before = connection.thread_id()
        connection.read_timeout = 0.3
        proxy.stall_all()
        await asyncio.wait_for(connection.ping(), SECONDS)
        connection.read_timeout = None
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT CONNECTION_ID()")
            ((number,),) = await cursor.fetchall()
        assert number == connection.thread_id() != before


async def test_a_ping_is_bounded_by_default(
    server: RunningServer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    waits = []
    call_later = loop.call_later

    def spy(delay: float, *arguments: Any, **context: Any) -> Any:
        waits.append(delay)
        return call_later(delay, *arguments, **context)

    async with aiomysql.connect(**through(server, proxy)) as connection:
        proxy.stall_all()
        monkeypatch.setattr(loop, "call_later", spy)
        ping = asyncio.ensure_future(connection.ping())
        await asyncio.sleep(0)
        monkeypatch.undo()
        assert waits == [10]
        ping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ping


# Closing


async def test_closing_waits_for_nobody(server: RunningServer, proxy: Proxy) -> None:
    async def closed(connection: Any) -> None:
        connection.close()

    async def ensured(connection: Any) -> None:
        await connection.ensure_closed()

    async def quit_(connection: Any) -> None:
        await connection._execute_command(COMMAND.COM_QUIT, b"")

    async def left(connection: Any) -> None:
        async with connection:
            pass

    with no_noise():
        for close in (closed, ensured, quit_, left):
            connection = await aiomysql.connect(**through(server, proxy))
            proxy.stall_all()
            work = close(connection)
            # It never yields: a coroutine that has to wait for something does.
            with pytest.raises(StopIteration):
                work.send(None)
            assert connection.closed
    # Our ends are closed, whoever is silent: the proxy sees it.
    proxy.resume()
    await eventually(lambda: proxy.open == 0)


async def test_closing_in_the_middle_of_a_command(server: RunningServer, proxy: Proxy) -> None:
    connection = await aiomysql.connect(**through(server, proxy))
    proxy.stall_all()
    for sql in ("SELECT 1", large_statement()):
        if connection.closed:
            connection = await aiomysql.connect(**through(server, proxy))
            proxy.stall_all()
        cursor = await connection.cursor()
        running = asyncio.ensure_future(cursor.execute(sql))
        await asyncio.sleep(0.05)
        connection.close()
        with pytest.raises(aiomysql.OperationalError) as caught:
            await asyncio.wait_for(running, SECONDS)
        assert caught.value.args[0] == 2013


async def test_a_pool_closes_although_its_peers_are_silent(
    server: RunningServer, proxy: Proxy
) -> None:
    pool = await aiomysql.create_pool(minsize=3, maxsize=5, **through(server, proxy))
    lent = await pool.acquire()
    cursor = await lent.cursor()
    running = asyncio.ensure_future(cursor.execute("SELECT 1"))
    await asyncio.sleep(0)
    proxy.stall_all()
    pool.terminate()
    await asyncio.wait_for(pool.wait_closed(), SECONDS)
    assert lent.closed
    assert pool.size == 0
    # It may have been answered before the silence.
    with contextlib.suppress(aiomysql.OperationalError):
        await asyncio.wait_for(running, SECONDS)
    proxy.resume()
    await eventually(lambda: proxy.open == 0)


async def test_a_pool_goes_on_when_its_network_comes_back(
    server: RunningServer, proxy: Proxy
) -> None:
    arguments = through(server, proxy, read_timeout=0.3, connect_timeout=5)
    async with aiomysql.create_pool(minsize=3, maxsize=3, **arguments) as pool:
        proxy.stall_all()
        with no_noise():
            outcomes = await asyncio.gather(
                *(answers(pool, f"in silence {number}", SECONDS) for number in range(6)),
                return_exceptions=True,
            )
            failed = [each for each in outcomes if each is not None]
            assert len(failed) == 3
            assert all(each.args[0] == 2013 for each in failed)
            await at_full_strength(pool)


# Keepalive


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
async def test_the_kernel_asks_a_silent_peer(server: RunningServer, connect: Any) -> None:
    """After a minute of silence, every ten seconds, six times: then the connection is lost."""
    connection = await connect()
    ((host,),) = server.query(
        f"SELECT host FROM information_schema.processlist WHERE id = {connection.thread_id()}"
    )
    port = int(host.rpartition(":")[2])
    found = 0
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(number))) as sock:
            if sock.getsockname()[1:2] != (port,):
                continue
            found += 1
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            tcp = socket.IPPROTO_TCP
            names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            assert [sock.getsockopt(tcp, name) for name in names] == [60, 10, 6]
    assert found == 1
