"""Coroutines that ``async with`` takes too: what ``execute``, ``begin``, ``acquire`` return."""

from collections.abc import Awaitable, Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, Optional, TypeVar, cast

T = TypeVar("T")


class ContextManager(Coroutine[Any, Any, T], Generic[T]):
    """A coroutine whose result can also be had, and ended, by ``async with``.

    It is a ``collections.abc.Coroutine``, so that tasks, ``gather`` and ``wait_for`` take it as
    they take any other.
    """

    __slots__ = ("_coro", "_result")

    _result: T

    def __init__(self, coro: Coroutine[Any, Any, T]) -> None:
        self._coro = coro

    def send(self, value: Any) -> Any:
        """Resume the coroutine with ``value``."""
        return self._coro.send(value)

    def throw(self, *args: Any) -> Any:
        """Raise an exception inside the coroutine."""
        return self._coro.throw(*args)

    def close(self) -> None:
        """End the coroutine; one that never ran does nothing."""
        self._coro.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._coro.__await__()

    async def __aenter__(self) -> T:
        self._result = await self._coro
        return self._result

    async def __aexit__(
        self,
        exc_type: Optional[type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self._exit(exc_type, exc, traceback)

    def _exit(
        self,
        exc_type: Optional[type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> Awaitable[None]:
        """End the result: by its own ``__aexit__``, unless a subclass says otherwise."""
        ended: Awaitable[None] = cast("Any", self._result).__aexit__(exc_type, exc, traceback)
        return ended


class Done:
    """An awaitable of nothing, which need not be awaited."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, None]:
        yield from ()
