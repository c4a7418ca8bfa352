"""A server that says what a test makes it say, packet by packet."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable
from typing import Any, Callable

from pymysql.constants import CLIENT

OK = b"\x00\x00\x00\x02\x00\x00\x00"
CAPABILITIES = (
    CLIENT.CAPABILITIES | CLIENT.MULTI_STATEMENTS | CLIENT.LOCAL_FILES | CLIENT.CONNECT_WITH_DB
)


def greeting(
    version: bytes = b"8.0.99-fake",
    plugin: bytes = b"mysql_native_password",
    capabilities: int = CAPABILITIES,
) -> bytes:
    return (
        b"\x0a"
        + version
        + b"\0"
        + struct.pack("<I", 7)
        + b"12345678\0"
        + struct.pack("<HBHH", capabilities & 0xFFFF, 45, 2, capabilities >> 16)
        + b"\x15"
        + bytes(10)
        + b"123456789012\0"
        + plugin
        + b"\0"
    )


def error(code: int, text: bytes, state: bytes = b"") -> bytes:
    return b"\xff" + struct.pack("<H", code) + state + text


class Peer:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._sequence = 0

    async def send(self, *payloads: bytes) -> None:
        for payload in payloads:
            header = struct.pack("<I", len(payload))[:3] + bytes([self._sequence])
            self.writer.write(header + payload)
            self._sequence = (self._sequence + 1) % 256
        await self.writer.drain()

    async def receive(self) -> bytes:
        header = await self._reader.readexactly(4)
        self._sequence = (header[3] + 1) % 256
        return await self._reader.readexactly(int.from_bytes(header[:3], "little"))

    async def log_in(self, **options: Any) -> bytes:
        """Greet, and let anybody in; the client's answer to the greeting."""
        await self.send(greeting(**options))
        answer = await self.receive()
        await self.send(OK)
        return answer

    async def settle(self) -> None:
        """Answer the statements that bring the session up: the last asks for the version."""
        statement = await self.receive()
        for _ in range(statement.count(b";")):
            await self.send(b"\x00\x00\x00\x0a\x00\x00\x00")
        await self.send(*one_row(b"8.0.99-fake"))

    async def rest(self) -> bytes:
        """What the client sends until it closes."""
        return await self._reader.read()


def one_row(value: bytes) -> list[bytes]:
    """A result set of one text column and one row."""
    name = b"\x03def\0\0\0\x01v\0\x0c" + struct.pack("<HIBHB", 45, 255, 0xFD, 0, 0) + b"\0\0"
    end = b"\xfe\x00\x00\x02\x00"
    return [b"\x01", name, end, bytes([len(value)]) + value, end]


class FakeServer:
    """Runs `talk` for each connection. Close it when the test ends."""

    def __init__(self, talk: Callable[[Peer], Awaitable[None]]) -> None:
        self._talk = talk
        self._server: asyncio.AbstractServer | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._server = server

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def connect_kwargs(self, **changes: Any) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "user": "u", "password": "p", **changes}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._talk(Peer(reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
