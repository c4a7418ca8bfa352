"""Results of ``SAConnection.execute()`` and their rows."""

from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Optional

from sqlalchemy.engine.interfaces import Dialect

from aiomysql import Cursor

from . import exc
from .awaitable import ContextManager
from .compile import Statement
from .layout import Layout


class RowProxy(Mapping[Any, Any]):
    """A row: a mapping of column names to values.

    ``row["name"]``, ``row[0]``, ``row[table.c.name]`` and ``row.name`` give the same value.
    Iteration and ``keys()`` give the names, as for any mapping; ``as_tuple()`` gives the values.
    A row equals another row, or a tuple, of the same values.
    """

    __slots__ = ("_layout", "_values")

    def __init__(self, layout: Layout, values: Sequence[Any]) -> None:
        self._layout = layout
        self._values = values

    def __iter__(self) -> Iterator[str]:
        return iter(self._layout.keys)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, key: Any) -> Any:
        """The value of the column named, numbered or given by ``key``.

        Raises ``NoSuchColumnError`` if there is none and ``InvalidRequestError`` if there are
        several.
        """
        try:
            return self._values[self._layout.places[key]]
        except KeyError:
            return self._values[self._layout.locate(key)]

    def __getattr__(self, name: str) -> Any:
        """The value of the column ``name``.

        Raises ``AttributeError`` if there is none and ``InvalidRequestError`` if there are several.
        """
        try:
            return self._values[self._layout.places[name]]
        except KeyError:
            pass
        try:
            return self._values[self._layout.locate(name)]
        except exc.NoSuchColumnError as error:
            raise AttributeError(error.args[0]) from None

    def __contains__(self, key: object) -> bool:
        return self._layout.find(key) is not None

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy, or a row that was pickled, finds its values by name and place.
        return _row_of, (self._layout.keys, self.as_tuple())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RowProxy):
            return self.as_tuple() == other.as_tuple()
        if isinstance(other, tuple):
            return self.as_tuple() == other
        return NotImplemented

    # It equals tuples, whose hash it cannot always have.
    __hash__ = None  # type: ignore[assignment]

    def as_tuple(self) -> tuple[Any, ...]:
        """The values alone."""
        return tuple(self._values)

    def __repr__(self) -> str:
        return repr(self.as_tuple())


def _row_of(keys: Sequence[str], values: Sequence[Any]) -> RowProxy:
    return RowProxy(Layout([(key, None) for key in keys], (), None), values)


class ResultProxy:
    """What a statement gave: rows, or the number of rows it changed.

    It closes itself, and its cursor with it, when the last row has been fetched, and at once
    where there are no rows to come.
    """

    def __init__(self, cursor: Cursor, dialect: Dialect, statement: Optional[Statement]) -> None:
        self._cursor: Optional[Cursor] = cursor
        self._dialect = dialect
        self._rowcount: int = cursor.rowcount
        self._lastrowid: Optional[int] = cursor.lastrowid
        self._layout: Optional[Layout] = None
        self._rows: Optional[Iterator[Sequence[Any]]] = None
        description = cursor.description
        if description is not None:
            if statement is None:
                self._layout = Layout(description, (), None)
            else:
                self._layout = statement.layout(description)

    @property
    def dialect(self) -> Dialect:
        """SQLAlchemy's dialect, as the engine has it."""
        return self._dialect

    @property
    def cursor(self) -> Optional[Cursor]:
        """The cursor that the rows come from; None once the result is closed."""
        return self._cursor

    @property
    def rowcount(self) -> int:
        """The number of rows that were changed or, for a SELECT, found."""
        return self._rowcount

    @property
    def lastrowid(self) -> Optional[int]:
        """The AUTO_INCREMENT value of the first row that an INSERT made; None after a SELECT."""
        return self._lastrowid

    @property
    def returns_rows(self) -> bool:
        """Whether the statement gives rows, be it none this time."""
        return self._layout is not None

    @property
    def closed(self) -> bool:
        """Whether there is nothing more to fetch."""
        return self._cursor is None

    def keys(self) -> tuple[str, ...]:
        """The names of the columns, in order; empty if the statement gives no rows."""
        return self._layout.keys if self._layout is not None else ()

    async def close(self) -> None:
        """Close the result and its cursor, and drop the rows that are left; may be called again."""
        cursor, self._cursor = self._cursor, None
        self._rows = None
        if cursor is not None:
            await cursor.close()

    async def _pending(self) -> tuple[Layout, Iterator[Sequence[Any]]]:
        """How to read rows, and those that are left.

        Raises ``ResourceClosedError`` if there cannot be any.
        """
        if self._layout is None:
            raise exc.ResourceClosedError(
                "This result object does not return rows. It has been closed automatically."
            )
        if self._cursor is None:
            raise exc.ResourceClosedError("This result object is closed.")
        if self._rows is None:
            # The cursor holds all rows already: taking them once is cheaper than one by one.
            self._rows = iter(await self._cursor.fetchall())
        return self._layout, self._rows

    async def fetchone(self) -> Optional[RowProxy]:
        """The next row, or None after the last one, when the result closes.

        Raises ``ResourceClosedError`` if the result is closed or the statement gives no rows.
        """
        layout, rows = await self._pending()
        for row in rows:
            return RowProxy(layout, layout.convert(row))
        await self.close()
        return None

    async def fetchmany(self, size: Optional[int] = None) -> list[RowProxy]:
        """The next ``size`` rows (by default the cursor's ``arraysize``, 1), if as many.

        An empty list closes the result. Raises ``ResourceClosedError`` as ``fetchone()`` does.
        """
        layout, rows = await self._pending()
        wanted = size or (self._cursor.arraysize if self._cursor is not None else 1)
        found = [RowProxy(layout, layout.convert(row)) for _, row in zip(range(wanted), rows)]
        if not found:
            await self.close()
        return found

    async def fetchall(self) -> list[RowProxy]:
        """All rows that are left; the result closes.

        Raises ``ResourceClosedError`` as ``fetchone()`` does.
        """
        layout, rows = await self._pending()
        found = [RowProxy(layout, layout.convert(row)) for row in rows]
        await self.close()
        return found

    async def first(self) -> Optional[RowProxy]:
        """The next row, or None; the result closes, whatever else it has.

        Raises ``ResourceClosedError`` as ``fetchone()`` does.
        """
        row = await self.fetchone()
        await self.close()
        return row

    async def scalar(self) -> Any:
        """The first column of the next row, or None; the result closes, whatever else it has.

        Raises ``ResourceClosedError`` as ``fetchone()`` does.
        """
        row = await self.first()
        return row[0] if row is not None else None

    def __aiter__(self) -> "ResultProxy":
        return self

    async def __anext__(self) -> RowProxy:
        row = await self.fetchone()
        if row is None:
            raise StopAsyncIteration
        return row


class ResultContextManager(ContextManager[ResultProxy]):
    """What ``execute()`` returns; ``async with`` closes the result, ``async for`` gives rows."""

    __slots__ = ()

    def _exit(
        self,
        exc_type: Optional[type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> Awaitable[None]:
        return self._result.close()

    async def __aiter__(self) -> AsyncIterator[RowProxy]:
        result = await self._coro
        async for row in result:
            yield row
