"""Pools of connections.

Limits, order, health and shutdown are native (:class:`aiomysql._native.Pool`); here are the
names. New connections are opened by calling this module's :func:`connect`, looked up each time.
"""

from __future__ import annotations

import asyncio
import collections
import warnings
from typing import TYPE_CHECKING, Any, Callable

from . import _native
from ._arguments import UNSET
from ._pool_types import PoolStats, PoolTimeout, TooManyRequests
from ._types import CursorT
from .connection import connect
from .utils import (
    _PoolAcquireContextManager,
    _PoolConnectionContextManager,
    _PoolContextManager,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from ._types import ConnectArguments
    from .connection import Connection

__all__ = ["Pool", "PoolStats", "PoolTimeout", "TooManyRequests", "connect", "create_pool"]


def create_pool(
    minsize: int = 1,
    maxsize: int = 10,
    echo: bool = False,
    pool_recycle: float = -1,
    loop: asyncio.AbstractEventLoop | None = None,
    *,
    acquire_timeout: float | None = None,
    max_waiting: int = 0,
    max_lifetime: float | None = None,
    max_idle: float | None = None,
    check: float | Callable[[Connection[CursorT]], Any] | None = 1.0,
    reset: bool = False,
    init: Callable[[Connection[CursorT]], Any] | None = None,
    keep_minsize: bool = False,
    **kwargs: Unpack[ConnectArguments[CursorT]],
) -> _PoolContextManager[Pool[CursorT]]:
    """Make a pool: ``pool = await create_pool(...)`` or ``async with create_pool(...) as pool``.

    Args:
        minsize: connections that are opened at once.
        maxsize: the most connections that are open at a time; 0 for no limit.
        echo: log the statements of cursors to the logger ``aiomysql``.
        pool_recycle: seconds of idleness after which a connection is replaced; -1 for never.
        loop: ignored; the running event loop serves.
        acquire_timeout: seconds that :meth:`Pool.acquire` waits at most, where it is given no
            ``timeout`` of its own; None for no limit.
        max_waiting: how many may wait for a connection at a time; 0 for no limit.
        max_lifetime: seconds after which a connection is replaced, less up to a twentieth by
            chance; never while it is lent. None for no limit.
        max_idle: seconds after which a connection that nobody uses is closed while there are more
            than ``minsize``; None for never.
        check: a connection that was idle for longer than this many seconds is pinged before it is
            lent; 0 for always, None for never. Or a function, a coroutine function too, that is
            called with the connection before it is lent; one for which it raises is replaced.
        reset: whether sessions are reset when they come back, in the background, as by
            :meth:`Connection.reset`. A transaction that is open then is rolled back.
        init: a function, a coroutine function too, that is called with each new connection, and
            again after each reset. Where it raises the connection is closed.
        keep_minsize: whether ``minsize`` connections are kept open in the background, rather than
            by the next :meth:`Pool.acquire`.
        kwargs: the arguments of :func:`aiomysql.connect` for each connection.

    Raises:
        ValueError: the limits make no sense.
        TypeError: ``check`` is a bool, or an argument is unknown.
        Error: one of the first ``minsize`` connections could not be opened.
    """
    coro = _create_pool(
        minsize=minsize,
        maxsize=maxsize,
        echo=echo,
        pool_recycle=pool_recycle,
        loop=loop,
        acquire_timeout=acquire_timeout,
        max_waiting=max_waiting,
        max_lifetime=max_lifetime,
        max_idle=max_idle,
        check=check,
        reset=reset,
        init=init,
        keep_minsize=keep_minsize,
        **kwargs,
    )
    return _PoolContextManager(coro)


async def _create_pool(
    minsize: int = 1,
    maxsize: int = 10,
    echo: bool = False,
    pool_recycle: float = -1,
    loop: asyncio.AbstractEventLoop | None = None,
    **kwargs: Any,
) -> Pool[Any]:
    pool: Pool[Any] = Pool(
        minsize, maxsize, echo, pool_recycle, loop or asyncio.get_running_loop(), **kwargs
    )
    try:
        await pool._fill_free_pool(False)
    except BaseException:
        pool.terminate()
        raise
    return pool


def _check_limits(**limits: float | None) -> None:
    for name, limit in limits.items():
        if limit is not None and not limit >= 0:
            raise ValueError(f"{name} should be zero or greater")


class Pool(_native.Pool[CursorT], asyncio.AbstractServer):
    """A pool of connections. Made by :func:`create_pool`.

    Who waits for a connection is served in order. A connection that the server has closed is not
    lent; one that comes back in a transaction is closed.
    """

    def __init__(
        self,
        minsize: int,
        maxsize: int,
        echo: bool,
        pool_recycle: float,
        loop: asyncio.AbstractEventLoop | None,
        *,
        acquire_timeout: float | None = None,
        max_waiting: int = 0,
        max_lifetime: float | None = None,
        max_idle: float | None = None,
        check: float | Callable[[Connection[CursorT]], Any] | None = 1.0,
        reset: bool = False,
        init: Callable[[Connection[CursorT]], Any] | None = None,
        keep_minsize: bool = False,
        **kwargs: Unpack[ConnectArguments[CursorT]],
    ) -> None:
        if minsize < 0:
            raise ValueError("minsize should be zero or greater")
        if maxsize < minsize and maxsize != 0:
            raise ValueError("maxsize should be not less than minsize")
        if isinstance(check, bool):
            raise TypeError("check should be a number of seconds, None or a function")
        _check_limits(
            acquire_timeout=acquire_timeout,
            max_waiting=max_waiting,
            max_lifetime=max_lifetime,
            max_idle=max_idle,
            check=None if callable(check) else check,
        )
        self._loop = loop
        self._acquire_timeout = acquire_timeout
        self._echo = echo
        self._conn_kwargs = kwargs
        self._cond = asyncio.Condition()
        self._set_limits(minsize, maxsize, pool_recycle, collections.deque(maxlen=maxsize or None))
        self._set_policy(
            {
                "max_waiting": max_waiting,
                "max_lifetime": max_lifetime,
                "max_idle": max_idle,
                "check": check,
                "reset": reset,
                "init": init,
                "keep_minsize": keep_minsize,
            }
        )

    @property
    def echo(self) -> bool:
        """Whether the statements of cursors are logged."""
        return self._echo

    @property
    def minsize(self) -> int:
        """How many connections are opened at once."""
        return self._minsize

    @property
    def maxsize(self) -> int | None:
        """The most connections that are open at a time; None for no limit."""
        return self._free.maxlen

    @property
    def size(self) -> int:
        """Connections that are free, lent, or being opened."""
        return self._size

    @property
    def freesize(self) -> int:
        """Connections that are free."""
        return len(self._free)

    @property
    def closed(self) -> bool:
        """Whether the pool is closed and its last connection too."""
        return self._closed

    def stats(self) -> PoolStats:
        """What the pool holds now, and what has happened in it so far."""
        return PoolStats(**self._stats())

    def acquire(
        self, *, timeout: float | None = UNSET
    ) -> _PoolAcquireContextManager[Connection[CursorT]]:
        """Get a connection: ``async with pool.acquire() as conn`` or ``await pool.acquire()``.

        Args:
            timeout: seconds to wait at most, for a connection to come back or to be opened; None
                for no limit. ``acquire_timeout`` where it is not given.

        Raises:
            PoolTimeout: none could be lent in time.
            TooManyRequests: as many as ``max_waiting`` wait already.
            RuntimeError: the pool is closing.
            OperationalError: a connection was needed and could not be opened.
        """
        limit = self._acquire_timeout if timeout is UNSET else timeout
        if type(self)._acquire is _ACQUIRE and "_acquire" not in self.__dict__:
            return _PoolAcquireContextManager(self._checkout(limit), self)
        if timeout is UNSET:
            return _PoolAcquireContextManager(self._acquire(), self)
        return _PoolAcquireContextManager(self._acquire(timeout=timeout), self)

    async def _acquire(self, *, timeout: float | None = UNSET) -> Connection[CursorT]:
        limit = self._acquire_timeout if timeout is UNSET else timeout
        return await self._checkout(limit)  # type: ignore[no-any-return]

    async def _fill_free_pool(self, override_min: bool) -> None:
        await self._fill()

    def release(self, conn: Connection[Any]) -> Awaitable[None]:
        """Give a connection back. Not a coroutine; what it returns may be awaited.

        Raises:
            AssertionError: the pool has not lent this connection.
        """
        return super().release(conn)

    async def clear(self) -> None:
        """Close all free connections."""
        await self._close_free()

    def close(self) -> None:
        """Lend nothing any more, and close what comes back. See :meth:`wait_closed`."""
        super().close()

    def terminate(self) -> None:
        """Close the pool and all its connections at once, also those that are lent."""
        super().terminate()

    async def wait_closed(self) -> None:
        """Wait until all connections are closed.

        Raises:
            RuntimeError: :meth:`close` was not called.
        """
        await self._wait_closed()

    def __enter__(self) -> None:
        raise RuntimeError('"await" should be used as context manager expression')

    def __exit__(self, *args: object) -> None:
        """Only there because ``__enter__`` is, which always raises."""

    def __await__(self) -> Generator[Any, Any, _PoolConnectionContextManager]:
        warnings.warn(
            "with await pool as conn is deprecated, use async with pool.acquire() as conn",
            DeprecationWarning,
            stacklevel=2,
        )
        conn = yield from self.acquire().__await__()
        return _PoolConnectionContextManager(self, conn)

    __iter__ = __await__

    async def __aenter__(self) -> Self:
        return self

    # A server's takes two arguments.
    async def __aexit__(  # type: ignore[override]  # pyright: ignore
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.close()
        await self.wait_closed()

    if TYPE_CHECKING:
        # As the base class has them: a pool is no server.
        def get_loop(self) -> asyncio.AbstractEventLoop: ...
        def is_serving(self) -> bool: ...
        async def serve_forever(self) -> None: ...
        async def start_serving(self) -> None: ...


# While nobody has put a method of theirs in its place, its coroutine can be left out.
_ACQUIRE = Pool._acquire
