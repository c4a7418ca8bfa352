"""What ``connect()``, ``conn.cursor()``, ``create_pool()`` and ``pool.acquire()`` return.

Each is a coroutine that also serves as an asynchronous context manager. Tracing libraries build
them from coroutines of their own and drive them with ``send`` and ``throw``, so they are plain
classes over any coroutine or awaitable.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from types import TracebackType

    from .connection import Connection
    from .pool import Pool

_T = TypeVar("_T")


class _ContextManager(Coroutine[Any, Any, _T], Generic[_T]):
    """Await it for the object, or use it with ``async with``: then the object is closed."""

    __slots__ = ("_coro", "_obj")

    def __init__(self, coro: Awaitable[_T]) -> None:
        self._coro: Any = coro
        self._obj: Any = None

    def send(self, value: Any) -> Any:
        return self._coro.send(value)

    def throw(self, typ: Any, val: Any = None, tb: Any = None) -> Any:
        if val is None and tb is None:
            return self._coro.throw(typ)
        return self._coro.throw(typ, val, tb)

    def close(self) -> None:
        self._coro.close()

    @property
    def gi_frame(self) -> Any:
        return self._coro.gi_frame

    @property
    def gi_running(self) -> Any:
        return self._coro.gi_running

    @property
    def gi_code(self) -> Any:
        return self._coro.gi_code

    def __next__(self) -> Any:
        return self.send(None)

    def __iter__(self) -> Generator[Any, Any, _T]:
        return self._coro.__await__()  # type: ignore[no-any-return]

    def __await__(self) -> Generator[Any, Any, _T]:
        return self._coro.__await__()  # type: ignore[no-any-return]

    async def __aenter__(self) -> _T:
        self._obj = await self._coro
        return self._obj  # type: ignore[no-any-return]

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        obj, self._obj = self._obj, None
        await obj.close()


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
    """Lends a connection of a pool and gives it back."""

    __slots__ = ("_conn", "_pool")

    def __init__(self, coro: Awaitable[_T], pool: Pool) -> None:
        super().__init__(coro)
        self._conn: Any = None
        self._pool: Any = pool

    async def __aenter__(self) -> _T:
        self._conn = await self._coro
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


class _PoolConnectionContextManager:
    """The old ``with (await pool) as conn`` form."""

    __slots__ = ("_conn", "_pool")

    def __init__(self, pool: Pool, conn: Connection | None) -> None:
        self._pool: Any = pool
        self._conn: Any = conn

    def __enter__(self) -> Connection:
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

    async def __aenter__(self) -> Connection:
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
