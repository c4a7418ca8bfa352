"""What can happen at a byte of a stream."""

from __future__ import annotations

from typing import Any

from .stream import Cut, Fault, Link, Stream


def cut(reset: bool = False) -> Fault:
    """The byte, and what follows, does not pass: both sides see the end, or a reset."""

    async def fault(link: Link, _stream: Stream) -> None:
        link.end(reset)
        raise Cut

    return fault


def half_close() -> Fault:
    """From this byte on, the receiver sees the end of the stream; the other way goes on."""

    async def fault(link: Link, stream: Stream) -> None:
        writer = link.writer(stream.direction)
        if writer.can_write_eof():
            writer.write_eof()
        raise Cut

    return fault


def stall() -> Fault:
    """From this byte on, nothing passes until `resume()`."""

    async def fault(_link: Link, stream: Stream) -> None:
        stream.flowing.clear()

    return fault


def delay(seconds: float) -> Fault:
    """From this byte on, each chunk comes this much later."""
    return _set(delay=seconds)


def throttle(chunk: int, pause: float = 0.0) -> Fault:
    """From this byte on, no more than `chunk` bytes pass at a time, with pauses of seconds."""
    return _set(chunk=chunk, delay=pause)


def drop(count: int) -> Fault:
    """This byte and the next ones, `count` in all, do not pass; those after them do."""
    return _set(drop=count)


def flip(mask: int) -> Fault:
    """These bits of this byte are turned over."""
    return _set(flip=mask)


def _set(**attributes: Any) -> Fault:
    async def fault(_link: Link, stream: Stream) -> None:
        for name, value in attributes.items():
            setattr(stream, name, value)

    return fault
