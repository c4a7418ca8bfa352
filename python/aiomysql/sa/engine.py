"""A pool of connections for SQLAlchemy's statements."""

from collections.abc import Awaitable
from types import TracebackType
from typing import Any, Optional

from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.engine.interfaces import Dialect

import aiomysql
from aiomysql import Cursor, DictCursor, Pool, SSCursor
from aiomysql.cursors import DeserializationCursor

from .awaitable import ContextManager, Done
from .compile import CompiledCache, RecentlyUsed
from .connection import UNFINISHED, AcquireContextManager, SAConnection
from .exc import ArgumentError, InvalidRequestError

_dialect = MySQLDialect_pymysql(paramstyle="pyformat")


def create_engine(
    minsize: int = 1,
    maxsize: int = 10,
    loop: object = None,
    dialect: Dialect = _dialect,
    pool_recycle: int = -1,
    compiled_cache: Optional[CompiledCache] = None,
    **kwargs: Any,
) -> "EngineContextManager":
    """Make an ``Engine``; ``await`` it, or let ``async with`` close it at the end.

    ``minsize``, ``maxsize``, ``pool_recycle`` and all other arguments are those of
    ``aiomysql.create_pool()``. ``dialect`` is the dialect of SQLAlchemy that statements are
    compiled with; its parameter style has to be "pyformat". ``compiled_cache`` is a mapping that
    keeps compiled statements, for several engines to share or for one without a limit; by default
    each engine keeps its 500 most recently used. ``loop`` is ignored.

    Raises ``ArgumentError`` for a cursor class whose rows are not plain tuples held in memory,
    and for a dialect of another parameter style; otherwise what ``create_pool()`` raises.
    """
    return EngineContextManager(
        _create_engine(minsize, maxsize, dialect, pool_recycle, compiled_cache, kwargs)
    )


async def _create_engine(
    minsize: int,
    maxsize: int,
    dialect: Dialect,
    pool_recycle: int,
    compiled_cache: Optional[CompiledCache],
    kwargs: dict[str, Any],
) -> "Engine":
    cursorclass = kwargs.get("cursorclass", Cursor)
    refused = (DeserializationCursor, DictCursor, SSCursor)
    if not issubclass(cursorclass, Cursor) or issubclass(cursorclass, refused):
        raise ArgumentError("SQLAlchemy engine does not support this cursor class")
    if dialect.paramstyle != "pyformat":
        raise ArgumentError(f"the dialect's paramstyle is {dialect.paramstyle!r}, not 'pyformat'")
    pool = await aiomysql.create_pool(
        minsize=minsize, maxsize=maxsize, pool_recycle=pool_recycle, **kwargs
    )
    return Engine(dialect, pool, compiled_cache)


class Engine:
    """A pool of connections that run SQLAlchemy's statements, from ``create_engine()``.

    ``async with engine`` closes it at the end.
    """

    def __init__(
        self, dialect: Dialect, pool: Pool, compiled_cache: Optional[CompiledCache] = None
    ) -> None:
        self._dialect = dialect
        self._pool = pool
        self._compiled_cache = RecentlyUsed() if compiled_cache is None else compiled_cache

    @property
    def dialect(self) -> Dialect:
        """SQLAlchemy's dialect that statements are compiled with."""
        return self._dialect

    @property
    def name(self) -> str:
        """The dialect's name: ``mysql``."""
        return self._dialect.name

    @property
    def driver(self) -> str:
        """The name of the dialect's driver: ``pymysql``."""
        return self._dialect.driver

    @property
    def minsize(self) -> int:
        """The number of connections that the pool keeps open at least."""
        return self._pool.minsize

    @property
    def maxsize(self) -> Optional[int]:
        """The number of connections that the pool opens at most; None for no limit."""
        return self._pool.maxsize

    @property
    def size(self) -> int:
        """The number of connections: free, used and being opened."""
        return self._pool.size

    @property
    def freesize(self) -> int:
        """The number of free connections."""
        return self._pool.freesize

    def close(self) -> None:
        """Close the free connections now, those in use as they come back; give out no more."""
        self._pool.close()

    def terminate(self) -> None:
        """Close all connections now, those in use too."""
        self._pool.terminate()

    async def wait_closed(self) -> None:
        """Wait until all connections have come back and are closed.

        Raises ``RuntimeError`` if neither ``close()`` nor ``terminate()`` was called before.
        """
        await self._pool.wait_closed()

    def acquire(self) -> AcquireContextManager:
        """Get a connection; ``await`` it and ``release()`` it, or use ``async with``.

        Leaving ``async with`` while a transaction has not ended drops the connection, and raises
        ``InvalidRequestError`` unless another exception is on its way. Awaiting raises
        ``RuntimeError`` once the engine is closed, and the driver's errors where a connection has
        to be opened.
        """
        return AcquireContextManager(self._acquire())

    async def _acquire(self) -> SAConnection:
        connection = await self._pool.acquire()
        return SAConnection(connection, self, compiled_cache=self._compiled_cache)

    def release(self, conn: SAConnection) -> Awaitable[None]:
        """Give ``conn`` back; what is returned may be awaited, but need not be.

        ``conn`` is closed by it; a closed one is ignored. Raises ``InvalidRequestError`` if its
        transaction has not ended, and ``AssertionError`` if it is another engine's.
        """
        if conn.in_transaction:
            raise InvalidRequestError(UNFINISHED)
        if conn.connection is None:
            return Done()
        released: Awaitable[None] = self._pool.release(conn.connection)
        conn._detach()
        return released

    async def __aenter__(self) -> "Engine":
        return self

    async def __aexit__(
        self,
        exc_type: Optional[type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()
        await self.wait_closed()


class EngineContextManager(ContextManager[Engine]):
    """What ``create_engine()`` returns: ``async with`` closes the engine and waits for that."""

    __slots__ = ()
