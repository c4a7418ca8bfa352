"""What pools raise and tell of themselves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from pymysql.err import OperationalError

if TYPE_CHECKING:
    from collections.abc import Mapping


class PoolTimeout(OperationalError, asyncio.TimeoutError):
    """No connection could be lent in time. Its arguments are ``(0, message)``."""

    def __str__(self) -> str:
        # From Python 3.11 on TimeoutError is an OSError, whose text is about an errno.
        return str(self.args)


class TooManyRequests(OperationalError):
    """As many wait for a connection as ``max_waiting`` allows.

    Its arguments are ``(0, message)``.
    """


# Made in a third of the time of a dataclass, which was a quarter of the library's own import.
class PoolStats(NamedTuple):
    """What a pool holds now, and what has happened in it so far."""

    #: Connections that are free, lent, or being opened.
    size: int
    free: int
    used: int
    opening: int
    #: Calls of ``acquire()`` that wait now.
    waiting: int
    #: Connections that were opened, and attempts that failed.
    opened: int
    failed: int
    #: Connections that were closed, by reason: ``lost`` (found closed, or the server does not
    #: answer), ``check``, ``returned`` (closed by whoever had it), ``transaction`` and ``unread``
    #: (came back in that state), ``reset`` (which failed), ``recycle``, ``lifetime``, ``idle``,
    #: ``clear``, ``shutdown``.
    closed: Mapping[str, int]
    #: Calls of ``acquire()`` that got a connection, that timed out, and that were refused because
    #: of ``max_waiting``.
    acquired: int
    timed_out: int
    refused: int
    #: Seconds that those who got a connection have waited for it, in all.
    wait_seconds: float
    #: How many of them waited no longer than the bound of the same index, in seconds, and longer
    #: than the one before; the last count has no bound.
    wait_bounds: tuple[float, ...]
    wait_counts: tuple[int, ...]
