"""A connection through the proxy: two streams of bytes, and what is set to happen to each."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import socket
import struct
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Callable

#: How much of each direction is remembered.
_TAPE = 1 << 16


class Direction(enum.Enum):
    TO_SERVER = "to the server"
    TO_CLIENT = "to the client"


class Cut(Exception):
    """The stream ends here."""


@dataclass(eq=False)
class Stream:
    """One direction of one connection."""

    direction: Direction
    #: Bytes that have passed, or were dropped.
    passed: int = 0
    #: At this many passed bytes `fault` happens, once.
    at: int | None = None
    fault: Fault | None = None
    #: Seconds before each chunk.
    delay: float = 0.0
    #: The most bytes that pass at a time; 0 for no limit.
    chunk: int = 0
    #: So many of the next bytes do not pass.
    drop: int = 0
    #: These bits of the next byte are turned over.
    flip: int = 0
    #: Cleared while nothing passes.
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    #: The first bytes of the stream, as they came.
    tape: bytearray = field(default_factory=bytearray)

    def record(self, data: bytes) -> None:
        self.tape += data[: max(_TAPE - len(self.tape), 0)]

    def next_part(self, data: bytes) -> tuple[bytes, bytes]:
        """What passes next of `data`, and what is left then."""
        if self.drop:
            dropped = min(self.drop, len(data))
            self.drop -= dropped
            self.passed += dropped
            return b"", data[dropped:]
        room = len(data)
        if self.fault is not None and self.at is not None:
            room = min(room, max(self.at - self.passed, 0))
        if self.chunk:
            room = min(room, self.chunk)
        part, rest = data[:room], data[room:]
        if self.flip and part:
            part = bytes([part[0] ^ self.flip]) + part[1:]
            self.flip = 0
        self.passed += len(part)
        return part, rest


@dataclass(eq=False)
class Link:
    """One connection through the proxy."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    streams: dict[Direction, Stream]
    ended: bool = False

    def writer(self, direction: Direction) -> asyncio.StreamWriter:
        return self.server if direction is Direction.TO_SERVER else self.client

    def end(self, reset: bool = False) -> None:
        """Both sides see the end: of a stream in order, or of one that was reset."""
        self.ended = True
        for stream in self.streams.values():
            stream.flowing.set()
        for writer in (self.client, self.server):
            if reset:
                linger = struct.pack("ii", 1, 0)
                sock = writer.get_extra_info("socket")
                if sock is not None and sock.fileno() >= 0:
                    with contextlib.suppress(OSError):
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            transport = writer.transport
            transport.abort() if reset else transport.close()


#: Happens at a byte of a stream; raises Cut where the stream ends by it.
Fault = Callable[[Link, Stream], Awaitable[None]]
