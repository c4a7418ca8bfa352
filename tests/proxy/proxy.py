"""A proxy in a thread and a loop of its own: the client's loop may be blocked or gone.

What is to happen to the next connections is said beforehand, as a fault at a byte offset of one
direction; what happens to those that are open is said at any time.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Callable, TypeVar

from . import faults
from .stream import Cut, Direction, Fault, Link, Stream

T = TypeVar("T")

_CHUNK = 65536


class Proxy:
    """`with Proxy("127.0.0.1", 3306) as proxy:` listens on `proxy.port`."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._listening = threading.Event()
        self._links: list[Link] = []
        self._plans: list[Callable[[Stream], None]] = []
        self.host = "127.0.0.1"
        self.port = 0
        #: Connections that were made, in all.
        self.accepted = 0

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._listening.wait(10)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    # What is to happen to new connections.

    def plan(self, direction: Direction, at: int, fault: Fault) -> None:
        """New connections meet `fault` at the byte `at` of a direction."""

        def plan(stream: Stream) -> None:
            if stream.direction is direction:
                stream.at, stream.fault = at, fault

        self._plans.append(plan)

    def cut(self, direction: Direction, at: int, reset: bool = False) -> None:
        """The byte `at` of a direction, and what follows, does not pass: both sides see the end."""
        self.plan(direction, at, faults.cut(reset))

    def half_close(self, direction: Direction, at: int) -> None:
        """From the byte `at` on, the receiver sees the end of the stream; the other way goes on."""
        self.plan(direction, at, faults.half_close())

    def stall(self, direction: Direction, at: int) -> None:
        """From the byte `at` on, nothing passes until `resume()`."""
        self.plan(direction, at, faults.stall())

    def delay(self, direction: Direction, seconds: float) -> None:
        """Each chunk comes this much later."""
        self.plan(direction, 0, faults.delay(seconds))

    def throttle(self, direction: Direction, chunk: int) -> None:
        """No more than `chunk` bytes pass at a time."""
        self.plan(direction, 0, faults.throttle(chunk))

    def heal(self) -> None:
        """New connections pass untouched."""
        self._plans.clear()

    # What happens to those that are open.

    @property
    def open(self) -> int:
        return self._call(self._count())

    def passed(self, direction: Direction) -> int:
        """Bytes that have passed in the latest connection."""
        return self._call(self._passed(direction))

    def tape(self, direction: Direction) -> bytes:
        """The first bytes of the latest connection."""
        return self._call(self._tape(direction))

    def cut_all(self, reset: bool = False) -> None:
        self._call(self._cut_all(reset))

    def stall_all(self) -> None:
        self._call(self._set_flowing(False))

    def resume(self) -> None:
        self._call(self._set_flowing(True))

    def arm(self, direction: Direction, count: int, fault: Fault) -> None:
        """The latest connection meets `fault` when `count` more bytes have passed."""
        self._call(self._arm_latest(direction, count, fault))

    def cut_latest_after(self, direction: Direction, count: int, reset: bool = False) -> None:
        self.arm(direction, count, faults.cut(reset))

    def stall_latest_after(self, direction: Direction, count: int) -> None:
        self.arm(direction, count, faults.stall())

    # In the proxy's thread.

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, self.host, 0))
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        try:
            self._loop.run_forever()
        finally:
            server.close()
            for link in self._links:
                link.end()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            # Transports that were closed let go of their sockets in the next iterations.
            self._loop.run_until_complete(asyncio.sleep(0.01))
            self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _count(self) -> int:
        return len(self._links)

    async def _passed(self, direction: Direction) -> int:
        return self._links[-1].streams[direction].passed

    async def _tape(self, direction: Direction) -> bytes:
        return bytes(self._links[-1].streams[direction].tape)

    async def _cut_all(self, reset: bool) -> None:
        for link in list(self._links):
            link.end(reset)
        while self._links:
            await asyncio.sleep(0.001)

    async def _set_flowing(self, flowing: bool) -> None:
        for link in self._links:
            for stream in link.streams.values():
                if flowing:
                    stream.flowing.set()
                else:
                    stream.flowing.clear()

    async def _arm_latest(self, direction: Direction, count: int, fault: Fault) -> None:
        stream = self._links[-1].streams[direction]
        stream.at, stream.fault = stream.passed + count, fault

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        streams = {direction: Stream(direction) for direction in Direction}
        for stream in streams.values():
            stream.flowing.set()
            for plan in self._plans:
                plan(stream)
        link = Link(writer, server_writer, streams)
        self._links.append(link)
        with contextlib.suppress(asyncio.CancelledError):
            await self._pass_on(link, reader, server_reader)

    async def _pass_on(
        self, link: Link, reader: asyncio.StreamReader, server_reader: asyncio.StreamReader
    ) -> None:
        try:
            await asyncio.gather(
                self._pump(link, reader, link.streams[Direction.TO_SERVER]),
                self._pump(link, server_reader, link.streams[Direction.TO_CLIENT]),
            )
        finally:
            link.end()
            self._links.remove(link)

    async def _pump(self, link: Link, reader: asyncio.StreamReader, stream: Stream) -> None:
        writer = link.writer(stream.direction)
        try:
            while True:
                if stream.at == stream.passed and stream.fault is not None:
                    # At the very offset, before any further byte is awaited.
                    fault, stream.fault = stream.fault, None
                    await fault(link, stream)
                data = await reader.read(_CHUNK)
                if not data:
                    # One side is done: so is the connection, as MySQL's protocol has no half ends.
                    link.end()
                    return
                stream.record(data)
                while data:
                    if stream.delay:
                        await asyncio.sleep(stream.delay)
                    await stream.flowing.wait()
                    if link.ended:
                        return
                    part, data = stream.next_part(data)
                    if part:
                        writer.write(part)
                        await writer.drain()
                    if stream.fault is not None and stream.at == stream.passed:
                        fault, stream.fault = stream.fault, None
                        await fault(link, stream)
                    if stream.chunk:
                        # So that small parts leave one by one.
                        await asyncio.sleep(0)
        except Cut:
            return
        except (ConnectionError, OSError):
            link.end()
