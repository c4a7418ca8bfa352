"""connect_timeout and read_timeout."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, Callable

import aiomysql
import pytest

from tests.bridge import process
from tests.bridge.fake_server import GREETING, packet
from tests.bridge.test_asyncio import execute


@contextlib.contextmanager
def listener(
    speaks: bytes, hangs_up: bool = False, accepted: list[socket.socket] | None = None
) -> Iterator[int]:
    """Accepts connections, says its piece, and then nothing more."""
    accepted = [] if accepted is None else accepted
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    accepted.append(connection)
                    connection.sendall(speaks)
                    if hangs_up:
                        connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in accepted:
                connection.close()


GREETED = packet(0, GREETING)


@pytest.mark.parametrize(
    "speaks",
    [b"", GREETED[:2], GREETED[:20], GREETED, GREETED + packet(2, b"\x01\x04")[:3]],
    ids=["silent", "half a header", "half a greeting", "no answer to the login", "half an answer"],
)
async def test_connect_timeout_covers_the_handshake(speaks: bytes) -> None:
    accepted: list[socket.socket] = []
    with listener(speaks, accepted=accepted) as port:
        began = time.monotonic()
        with pytest.raises(aiomysql.OperationalError) as raised:
            await aiomysql.connect(host="127.0.0.1", port=port, user="u", connect_timeout=0.2)
        assert 0.19 < time.monotonic() - began < 1
        assert raised.value.args == (2003, "Can't connect to MySQL server on '127.0.0.1'")
        assert isinstance(raised.value.__cause__, TimeoutError)
        # The descriptor is closed: this end of it hears so, at once.
        accepted[0].settimeout(0.1)
        while accepted[0].recv(1000):
            pass


async def test_connect_timeout_again_and_again() -> None:
    async def fail(port: int) -> None:
        with pytest.raises(aiomysql.OperationalError):
            await aiomysql.connect(host="127.0.0.1", port=port, user="u", connect_timeout=0.05)

    with listener(b"") as port:
        await fail(port)
    before = len(process.descriptors())
    with listener(b"") as port:
        for _ in range(5):
            await asyncio.gather(*(fail(port) for _ in range(20)))
    assert len(process.descriptors()) <= before


async def test_the_event_loop_runs_on_meanwhile() -> None:
    with listener(b"") as port:
        ticks = 0
        task = asyncio.ensure_future(
            aiomysql.connect(host="127.0.0.1", port=port, user="u", connect_timeout=0.2)
        )
        while not task.done():
            ticks += 1
            await asyncio.sleep(0.01)
        with pytest.raises(aiomysql.OperationalError):
            await task
        assert ticks > 10


async def test_connect_timeout_that_is_not_reached(connect: Callable[..., Any]) -> None:
    connection = await connect(connect_timeout=0.5)
    await asyncio.sleep(0.6)
    assert await execute(connection, "SELECT 1") == ((1,),)


async def test_read_timeout(connect: Callable[..., Any]) -> None:
    connection = await connect(read_timeout=0.2)
    assert await execute(connection, "SELECT 1") == ((1,),)
    began = time.monotonic()
    with pytest.raises(aiomysql.OperationalError, match="Lost connection") as raised:
        await execute(connection, "SELECT SLEEP(20)")
    assert 0.19 < time.monotonic() - began < 1
    assert raised.value.args[0] == 2013
    assert isinstance(raised.value.__cause__, TimeoutError)
    assert connection.closed
    with pytest.raises(aiomysql.InterfaceError):
        await execute(connection, "SELECT 1")


async def test_read_timeout_measures_silence(
    connect: Callable[..., Any], table: Callable[..., str]
) -> None:
    """A result that keeps arriving may take longer, in all, than the limit."""
    connection = await connect(read_timeout=1)
    # Each row is longer than a socket's buffers, so it is sent on before the next is made.
    rows = " UNION ALL ".join(
        f"SELECT REPEAT('x', 1000000), SLEEP({0.5 if n else 0}) + {n}" for n in range(5)
    )
    began = time.monotonic()
    result = await execute(connection, rows)
    assert time.monotonic() - began > 1.9
    assert [row[1] for row in result] == [0, 1, 2, 3, 4]
    assert not connection.closed


async def test_read_timeout_on_an_idle_connection(connect: Callable[..., Any]) -> None:
    connection = await connect(read_timeout=0.1)
    for _ in range(3):
        assert await execute(connection, "SELECT 1") == ((1,),)
        await asyncio.sleep(0.2)
    assert not connection.closed
