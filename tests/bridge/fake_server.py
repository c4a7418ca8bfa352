"""A server that speaks just enough MySQL to log in and to say OK, when it is told to.

It runs in a thread of its own, so it answers while the loop under test is blocked, closed or gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
from concurrent.futures import Future
from typing import Any, Callable

_CAPABILITIES = 0x003FA20D  # 4.1 protocol, plugin authentication, multi statements; no TLS
_AUTOCOMMIT = 2
_MORE_RESULTS = 8
_EOF = b"\xfe\x00\x00" + struct.pack("<H", _AUTOCOMMIT)

GREETING = (
    b"\x0a8.0.0-fake\x00"
    + struct.pack("<I", 7)
    + b"12345678\x00"
    + struct.pack("<H", _CAPABILITIES & 0xFFFF)
    + b"\x2d"
    + struct.pack("<HH", _AUTOCOMMIT, _CAPABILITIES >> 16)
    + b"\x15"
    + bytes(10)
    + b"abcdefghijkl\x00mysql_native_password\x00"
)


def packet(number: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number % 256]) + payload


def ok(status: int = _AUTOCOMMIT) -> bytes:
    return b"\x00\x00\x00" + struct.pack("<HH", status, 0)


def _text(value: bytes) -> bytes:
    return bytes([len(value)]) + value


def _result(first: int, value: bytes) -> bytes:
    """A result set of one text."""
    names = b"".join(map(_text, (b"def", b"", b"", b"", b"v", b"")))
    column = names + b"\x0c" + struct.pack("<HIBHB", 45, 100, 253, 0, 0) + b"\x00\x00"
    payloads = (b"\x01", column, _EOF, _text(value), _EOF)
    return b"".join(packet(first + index, payload) for index, payload in enumerate(payloads))


class FakeServer:
    def __init__(self) -> None:
        self.port = 0
        #: The statements that it was sent.
        self.queries: list[str] = []
        #: What it answers to a statement in place of OK, as raw bytes, and whether it goes on
        #: after that.
        self.answers: dict[str, tuple[bytes, bool]] = {}
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-server")

    def connect_kwargs(self, **changes: Any) -> dict[str, Any]:
        settings = {"host": "127.0.0.1", "port": self.port, "user": "u", "autocommit": True}
        return {**settings, **changes}

    def __enter__(self) -> FakeServer:
        self._thread.start()
        self.port = self._run(self._listen())
        self.release()
        self._call(self._idle.set)
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        # Transports that were closed let go of their sockets in the next iterations.
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    def hold(self) -> None:
        """Answer no more statements."""
        self._call(self._open.clear)

    def release(self) -> None:
        """Answer the statements that were held, and those to come."""
        self._call(self._open.set)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _call(self, function: Callable[[], None]) -> None:
        done: Future[None] = Future()
        self._loop.call_soon_threadsafe(lambda: done.set_result(function()))
        done.result(10)

    async def _listen(self) -> int:
        # Up to 3.9 an event belongs to the loop in which it is made.
        self._open = asyncio.Event()
        #: Nobody is being served.
        self._idle = asyncio.Event()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _stop(self) -> None:
        # A server that is closed between accepting a connection and making its transport never
        # closes that socket: accept no more, and let the transports be made.
        for listening in self._server.sockets:
            self._loop.remove_reader(listening.fileno())
        for _ in range(2):
            await asyncio.sleep(0)
        self._server.close()
        self._open.set()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.wait_for(self._idle.wait(), 5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self._idle.clear()
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._talk(reader, writer)
        finally:
            self._writers.discard(writer)
            if not self._writers:
                self._idle.set()
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(packet(0, GREETING))
        await _read(reader)
        writer.write(packet(2, ok()))
        while True:
            command = await _read(reader)
            if command[:1] == b"\x01":
                return
            if command[:1] == b"\x03":
                self.queries.append(command[1:].decode())
                answer, goes_on = self.answers.get(self.queries[-1], (b"", False))
                if answer:
                    writer.write(answer)
                    if not goes_on:
                        writer.write_eof()
                    continue
            is_version = command.endswith(b"VERSION()")
            if not is_version:
                await self._open.wait()
            writer.write(_result(1, b"8.0.0-fake") if is_version else packet(1, ok()))


async def _read(reader: asyncio.StreamReader) -> bytes:
    size = int.from_bytes((await reader.readexactly(4))[:3], "little")
    return await reader.readexactly(size)
