"""The proxy itself, without a database."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from tests.proxy import Direction, Proxy, faults


@contextlib.asynccontextmanager
async def echoing() -> AsyncIterator[Proxy]:
    """A proxy before a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(100):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    with Proxy("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
        yield proxy
    server.close()


async def answer(proxy: Proxy, data: bytes, seconds: float = 5) -> bytes:
    """What comes back of `data` until the end, or until as much has come as was sent."""
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    writer.write(data)
    got = b""
    try:
        while len(got) < len(data):
            part = await asyncio.wait_for(reader.read(100), seconds)
            if not part:
                break
            got += part
        return got
    finally:
        writer.close()


async def test_untouched() -> None:
    async with echoing() as proxy:
        assert await answer(proxy, b"hello") == b"hello"
        assert proxy.accepted == 1


@pytest.mark.parametrize("at", [0, 1, 3])
@pytest.mark.parametrize("direction", list(Direction))
async def test_a_cut(direction: Direction, at: int) -> None:
    async with echoing() as proxy:
        proxy.cut(direction, at)
        got = b""
        # Where bytes of ours were not read any more, the end is a reset.
        with contextlib.suppress(ConnectionResetError):
            got = await answer(proxy, b"hello")
        if direction is Direction.TO_CLIENT:
            assert got == b"hello"[:at]
        else:
            assert b"hello"[:at].startswith(got)
        proxy.heal()
        assert await answer(proxy, b"hello") == b"hello"


async def test_a_reset() -> None:
    async with echoing() as proxy:
        proxy.cut(Direction.TO_CLIENT, 0, reset=True)
        with pytest.raises(ConnectionResetError):
            await answer(proxy, b"hello")


async def test_a_half_close() -> None:
    async with echoing() as proxy:
        proxy.half_close(Direction.TO_CLIENT, 2)
        assert await answer(proxy, b"hello") == b"he"


async def test_a_stall_and_its_end() -> None:
    async with echoing() as proxy:
        proxy.stall(Direction.TO_CLIENT, 2)
        waiting = asyncio.ensure_future(answer(proxy, b"hello"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        assert proxy.passed(Direction.TO_CLIENT) == 2
        proxy.resume()
        assert await waiting == b"hello"


async def test_a_delay() -> None:
    async with echoing() as proxy:
        proxy.delay(Direction.TO_SERVER, 0.1)
        began = time.monotonic()
        assert await answer(proxy, b"hello") == b"hello"
        assert time.monotonic() - began >= 0.1


async def test_throttling() -> None:
    async with echoing() as proxy:
        proxy.throttle(Direction.TO_CLIENT, 1)
        assert await answer(proxy, b"hello") == b"hello"


async def test_open_connections() -> None:
    async with echoing() as proxy:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert proxy.open == 1
        proxy.cut_latest_after(Direction.TO_CLIENT, 3)
        writer.write(b"world")
        assert await reader.read() == b"wor"
        writer.close()
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        proxy.cut_all()
        assert proxy.open == 0
        assert await reader.read() == b""
        writer.close()


async def test_dropped_bytes() -> None:
    async with echoing() as proxy:
        proxy.plan(Direction.TO_SERVER, 1, faults.drop(3))
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        writer.write(b"hello there")
        assert await reader.readexactly(8) == b"ho there"
        writer.close()


async def test_a_flipped_bit() -> None:
    async with echoing() as proxy:
        proxy.plan(Direction.TO_CLIENT, 1, faults.flip(0x20))
        assert await answer(proxy, b"hello") == b"hEllo"


async def test_what_passed_is_remembered() -> None:
    async with echoing() as proxy:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert proxy.tape(Direction.TO_SERVER) == proxy.tape(Direction.TO_CLIENT) == b"hello"
        writer.close()
