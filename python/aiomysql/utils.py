"""What ``connect()``, ``conn.cursor()``, ``create_pool()`` and ``pool.acquire()`` return.

Each is a coroutine that also serves as an asynchronous context manager. Tracing libraries build
them from coroutines of their own and drive them with ``send`` and ``throw``, so they are plain
classes over any coroutine or awaitable.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import _native

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator
    from types import TracebackType

    from .connection import Connection
    from .pool import Pool

_T = TypeVar("_T")


class _ContextManager(_native.ContextManager, Coroutine[Any, Any, _T], Generic[_T]):
    """Await it for the object, or use it with ``async with``: then the object is closed."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __init__(self, coro: Awaitable[_T]) -> None: ...
        def __await__(self) -> Generator[Any, Any, _T]: ...
        def __aenter__(self) -> Awaitable[_T]: ...

    @property
    def gi_frame(self) -> Any:
        return self._coro.gi_frame

    @property
    def gi_running(self) -> Any:
        return self._coro.gi_running

    @property
    def gi_code(self) -> Any:
        return self._coro.gi_code

    # Type checkers would take it for a generator, and lose what it returns.
    if not TYPE_CHECKING:

        def __next__(self) -> Any:
            return self.send(None)


class _ConnectionContextManager(_ContextManager[_T]):
    """Closes the connection: with a farewell, or at once where an exception passes through."""

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        obj, self._obj = self._obj, None
        if exc_type is not None:
            obj.close()
        else:
            await obj.ensure_closed()


class _PoolContextManager(_ContextManager[_T]):
    """Closes the pool and waits until its connections are closed."""

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        obj, self._obj = self._obj, None
        obj.close()
        await obj.wait_closed()


class _PoolAcquireContextManager(_ContextManager[_T]):
    """Lends a connection of a pool and gives it back. Made of a coroutine and the pool."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __init__(self, coro: Awaitable[_T], pool: Pool[Any]) -> None: ...

    @property
    def _conn(self) -> Any:
        return self._obj


class _PoolConnectionContextManager:
    """The old ``with (await pool) as conn`` form."""

    __slots__ = ("_conn", "_pool")

    def __init__(self, pool: Pool[Any], conn: Connection[Any] | None) -> None:
        self._pool: Any = pool
        self._conn: Any = conn

    def __enter__(self) -> Connection[Any]:
        assert self._conn
        return self._conn  # type: ignore[no-any-return]

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        pool, self._pool = self._pool, None
        conn, self._conn = self._conn, None
        pool.release(conn)

    async def __aenter__(self) -> Connection[Any]:
        assert not self._conn
        self._conn = await self._pool.acquire()
        return self._conn  # type: ignore[no-any-return]

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        pool, self._pool = self._pool, None
        conn, self._conn = self._conn, None
        await pool.release(conn)


class _SAConnectionContextManager(_ContextManager[_T]):
    """A result that is awaited, entered, or iterated directly; exhausted, it is closed."""

    def __aiter__(self) -> _SAConnectionContextManager[_T]:
        return self

    async def __anext__(self) -> Any:
        if self._obj is None:
            self._obj = await self._coro
        try:
            return await self._obj.__anext__()
        except StopAsyncIteration:
            obj, self._obj = self._obj, None
            await obj.close()
            raise


class _TransactionContextManager(_ContextManager[_T]):
    """Commits the transaction, or rolls it back where an exception passes through."""

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        obj, self._obj = self._obj, None
        if exc_type is not None:
            await obj.rollback()
        elif obj.is_active:
            await obj.commit()
