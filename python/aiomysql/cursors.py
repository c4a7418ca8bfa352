"""Cursors: statements, and the rows that they return.

The machinery is native (:class:`aiomysql._native.Cursor`). A method here first offers the whole
step to it; where a subclass or an assignment has replaced one of the hooks that the step would
skip, the native half declines, and the step is taken through the hooks, one by one.
"""

from __future__ import annotations

import contextlib
from types import GenericAlias
from typing import TYPE_CHECKING, Any

from pymysql.constants import FIELD_TYPE
from pymysql.cursors import RE_INSERT_VALUES
from pymysql.err import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
)

from . import _native
from ._types import Row
from ._warn import warn
from .log import logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from ._types import Column
    from .connection import Connection

# What :meth:`Cursor.executemany` rewrites into statements of many rows when it was replaced;
# untouched, the native parser decides, which knows more forms.
_RE_INSERT_VALUES = RE_INSERT_VALUES


class Cursor(_native.Cursor[Row]):
    """Runs statements on a connection and holds the rows of the last one.

    Made by :meth:`Connection.cursor`; follows PEP 249 with coroutines in place of functions.

    Args:
        connection: the connection to work on.
        echo: log each statement to the logger ``aiomysql``.
    """

    #: The longest statement that :meth:`executemany` makes, in bytes.
    max_stmt_length: int = 1024000

    Warning = Warning
    Error = Error
    InterfaceError = InterfaceError
    DatabaseError = DatabaseError
    DataError = DataError
    OperationalError = OperationalError
    IntegrityError = IntegrityError
    InternalError = InternalError
    ProgrammingError = ProgrammingError
    NotSupportedError = NotSupportedError

    def __init__(self, connection: Connection[Any], echo: bool = False) -> None:
        self._connection = connection
        self._echo = echo

    @property
    def _loop(self) -> Any:
        return self._get_db().loop

    @property
    def connection(self) -> Connection[Any] | None:
        """The connection; None once the cursor is closed."""
        return self._connection  # type: ignore[no-any-return]

    @property
    def description(self) -> tuple[Column, ...] | None:
        """PEP 249: a 7-tuple for each column, or None where the statement returned no rows."""
        return self._description  # type: ignore[no-any-return]

    @property
    def rowcount(self) -> int:
        """Rows returned or changed by the last statement; -1 before the first."""
        return self._rowcount

    @property
    def rownumber(self) -> int:
        """The 0-based index of the next row to fetch."""
        return self._rownumber

    @property
    def arraysize(self) -> int:
        """How many rows :meth:`fetchmany` returns by default: 1."""
        return self._arraysize

    @arraysize.setter
    def arraysize(self, value: int) -> None:
        self._arraysize = value

    @property
    def lastrowid(self) -> int | None:
        """The first AUTO_INCREMENT value of the last INSERT; None after a SELECT."""
        return self._lastrowid

    @property
    def echo(self) -> bool:
        """Whether statements are logged."""
        return self._echo

    @property
    def closed(self) -> bool:
        """Whether the cursor was closed."""
        return self._connection is None

    async def close(self) -> None:
        """Read and drop what is left of the last result. Closing again does nothing."""
        conn = self._connection
        if conn is None:
            return
        try:
            if self._has_unread and not conn.closed:
                while await self.nextset():
                    pass
        finally:
            self._connection = None

    def _get_db(self) -> Any:
        if self._connection is None:
            raise ProgrammingError("Cursor closed")
        return self._connection

    def _conv_row(self, row: Any) -> Any:
        return row

    def setinputsizes(self, *args: Any) -> None:
        """Do nothing (PEP 249 asks for the method)."""

    def setoutputsizes(self, *args: Any) -> None:
        """Do nothing (PEP 249 asks for the method)."""

    async def nextset(self) -> bool | None:
        """Go to the next result set of the last statement.

        Returns:
            True, or None where there is no further set.

        Raises:
            Error: the statement that this set belongs to failed.
        """
        operation = self._nextset()
        if operation is not None:
            found: bool | None = await operation
            if found and self._has_warnings:
                await self._show_warnings(self._connection)
            return found
        conn = self._get_db()
        result = self._result
        if result is None or result is not conn._result or not result.has_next:
            return None
        self._result = None
        self._clear_result()
        await conn.next_result()
        await self._do_get_result()
        return True

    def _escape_args(self, args: Any, conn: Any) -> Any:
        if isinstance(args, (tuple, list)):
            return tuple(conn.escape(arg) for arg in args)
        if isinstance(args, dict):
            return {key: conn.escape(value) for key, value in args.items()}
        return conn.escape(args)

    def mogrify(self, query: str, args: Any = None) -> str:
        """The statement that :meth:`execute` would send.

        Args:
            query: a statement with ``%s`` or ``%(name)s`` placeholders.
            args: a tuple or list, a dict, or a single value.

        Raises:
            ProgrammingError: the cursor is closed.
            TypeError, KeyError: the arguments do not fit the placeholders.
        """
        conn = self._get_db()
        if args is not None:
            query = query % self._escape_args(args, conn)
        return query

    async def execute(self, query: str | bytes, args: Any = None) -> int:
        """Send a statement and read its answer.

        Args:
            query: a statement; with ``args``, ``%s`` or ``%(name)s`` stand for the parameters.
            args: a tuple or list, a dict, or a single value; each becomes an SQL literal.

        Returns:
            The number of rows returned or changed.

        Raises:
            ProgrammingError: the cursor is closed, or the statement is wrong.
            TypeError, KeyError: the arguments do not fit the placeholders.
            Error: what else the server says, as a class of :mod:`pymysql.err`.
        """
        operation = self._execute(query, args)
        if operation is not None:
            rows: int = await operation
            if self._has_warnings:
                await self._show_warnings(self._connection)
            return rows
        conn = self._get_db()
        while await self.nextset():
            pass
        if args is not None:
            query = query % self._escape_args(args, conn)
        await self._query(query)
        self._executed = query
        if self._echo:
            logger.info(query)
            logger.info("%r", args)
        return self._rowcount

    async def _query(self, q: Any) -> Any:
        conn = self._get_db()
        self._last_executed = q
        self._clear_result()
        await conn.query(q)
        await self._do_get_result()

    async def _do_get_result(self) -> None:
        conn = self._get_db()
        self._adopt_result(conn._result)
        if conn._result.warning_count > 0:
            await self._show_warnings(conn)

    async def _show_warnings(self, conn: Any) -> None:
        """Turn the server's warnings into Python's; called when there are any."""
        if self._result is not None and self._result.has_next:
            return
        for row in await conn.show_warnings() or ():
            warn(str(row[-1]), Warning)

    async def executemany(self, query: str, args: Iterable[Any]) -> int | None:
        """Run a statement for each of many rows of parameters.

        ``INSERT`` and ``REPLACE`` with a row of placeholders after ``VALUES`` become statements
        of many rows, each at most :attr:`max_stmt_length` bytes long; others run row by row.

        Returns:
            The number of rows changed, in all; None where ``args`` is empty.
        """
        if not args:
            return None
        if self._echo:
            logger.info("CALL %s", query)
            logger.info("%r", args)
        parts = _bulk_insert_parts(query)
        if parts is None:
            rows = 0
            for arg in args:
                await self.execute(query, arg)
                rows += self._rowcount
            self._rowcount = rows
            return rows
        insertion = self._bulk(parts, args, self.max_stmt_length)
        if insertion is None:
            encoding = self._get_db().encoding
            return await self._do_execute_many(*parts, args, self.max_stmt_length, encoding)
        rows = 0
        while True:
            operation = insertion.next()
            if operation is None:
                self._rowcount = rows
                return rows
            rows += await operation
            if self._has_warnings:
                await self._show_warnings(self._connection)

    async def _do_execute_many(
        self,
        prefix: Any,
        values: Any,
        postfix: Any,
        args: Iterable[Any],
        max_stmt_length: int,
        encoding: str,
    ) -> int:
        """Send the statements of a bulk insert through :meth:`execute`, for its overriders."""
        conn = self._get_db()
        head, tail = (
            part.encode(encoding) if isinstance(part, str) else part for part in (prefix, postfix)
        )
        rows = 0
        statement = bytearray(head)
        for arg in args:
            row = values % self._escape_args(arg, conn)
            if isinstance(row, str):
                row = row.encode(encoding, "surrogateescape")
            if len(statement) > len(head):
                if len(statement) + len(row) + len(tail) + 1 > max_stmt_length:
                    rows += await self.execute(bytes(statement + tail))
                    statement = bytearray(head)
                else:
                    statement += b","
            statement += row
        if len(statement) > len(head):
            rows += await self.execute(bytes(statement + tail))
        self._rowcount = rows
        return rows

    async def callproc(self, procname: str, args: Sequence[Any] = ()) -> Sequence[Any]:
        """Call a stored procedure.

        The parameters are the session variables ``@_procname_0``, ``@_procname_1``…; the values of
        OUT and INOUT parameters can be selected from them once all result sets are read.

        Returns:
            ``args``, unchanged.
        """
        conn = self._get_db()
        if self._echo:
            logger.info("CALL %s", procname)
            logger.info("%r", args)
        for index, arg in enumerate(args):
            await self._query(f"SET @_{procname}_{index}={conn.escape(arg)}")
            await self.nextset()
        names = ",".join(f"@_{procname}_{index}" for index in range(len(args)))
        query = f"CALL {procname}({names})"
        await self._query(query)
        self._executed = query
        return args

    def fetchone(self) -> Awaitable[Row | None]:
        """The next row, or None (awaitable)."""
        return self._fetchone()

    def fetchmany(self, size: int | None = None) -> Awaitable[Sequence[Row]]:
        """The next ``size`` rows, ``arraysize`` where it is None (awaitable)."""
        return self._fetchmany(size)

    def fetchall(self) -> Awaitable[Sequence[Row]]:
        """All rows that are left (awaitable)."""
        return self._fetchall()

    def scroll(self, value: int, mode: str = "relative") -> Awaitable[None]:
        """Move to another row (awaitable of None).

        Raises:
            IndexError: there is no such row; the position stays.
            ProgrammingError: ``mode`` is neither "relative" nor "absolute".
        """
        return self._scroll(value, mode)

    def __aiter__(self) -> Self:
        return self

    async def _next_row(self) -> Row:
        """The step of ``async for`` where :meth:`fetchone` is overridden."""
        row = await self.fetchone()
        if row is None:
            raise StopAsyncIteration
        return row

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.close()


# What the mixins find in the classes that they are mixed with.
if TYPE_CHECKING:

    class _Mixed(Cursor[Row]): ...
else:

    class _Mixed:
        def __class_getitem__(cls, rows: Any) -> type:
            return object


class _DeserializationCursorMixin(_Mixed[Row]):
    """JSON columns become the objects that they describe; bad JSON stays as it is."""

    async def _do_get_result(self) -> None:
        await super()._do_get_result()
        if self._rows:
            self._rows = [self._deserialization_row(row) for row in self._rows]

    if not TYPE_CHECKING:
        __class_getitem__ = classmethod(GenericAlias)

    def _deserialization_row(self, row: Any) -> Any:
        if row is None:
            return None
        is_dict = isinstance(row, dict)
        if not is_dict:
            row = list(row)
        for index, column in enumerate(self._description):
            if column[1] == FIELD_TYPE.JSON:
                key = column[0] if is_dict else index
                with contextlib.suppress(ValueError, TypeError):
                    row[key] = _loads(row[key])
        return row if is_dict else tuple(row)

    def _conv_row(self, row: Any) -> Any:
        if row is None:
            return None
        return self._deserialization_row(super()._conv_row(row))


def _loads(text: Any) -> Any:
    # Few deserialize in Python; all import the library.
    import json

    return json.loads(text)


class _DictCursorMixin(_Mixed[dict[str, Any]]):
    """Rows are dictionaries by column name; a repeated name becomes ``table.name``."""

    #: May be replaced by another class of mappings.
    dict_type: Any = dict

    async def _do_get_result(self) -> None:
        await super()._do_get_result()
        names: list[str] = []
        if self._description:
            for field in self._result.fields:
                taken = field.name in names
                names.append(f"{field.table_name}.{field.name}" if taken else field.name)
            self._fields = names
        if names and self._rows:
            self._rows = [self._conv_row(row) for row in self._rows]

    def _conv_row(self, row: Any) -> Any:
        if row is None:
            return None
        row = super()._conv_row(row)
        return self.dict_type(zip(self._fields, row))


class DeserializationCursor(_DeserializationCursorMixin[Row], Cursor[Row]):
    """A cursor whose JSON columns become Python objects."""


class DictCursor(_DictCursorMixin, Cursor[dict[str, Any]]):
    """A cursor whose rows are dictionaries."""


class SSCursor(Cursor[Row]):
    """A cursor that streams its rows: they come off the network as they are fetched.

    At most 256 rows, or 1 MiB, are held; the server waits for a reader that is slow. How many rows
    there are is not known until the last one is fetched: :attr:`rowcount` is 2^64-1. Until then
    the connection serves no other statement.
    """

    async def close(self) -> None:
        """Read and drop what is left of the last result. Closing again does nothing."""
        conn = self._connection
        if conn is None:
            return
        try:
            if self._has_unread and self._result is conn._result and not conn.closed:
                await self._finish()
                while await self.nextset():
                    await self._finish()
        finally:
            self._connection = None

    async def _finish(self) -> None:
        operation = self._finish_streamed()
        if operation is not None:
            await operation

    async def _query(self, q: Any) -> Any:
        conn = self._get_db()
        self._last_executed = q
        await conn.query(q, unbuffered=True)
        await self._do_get_result()
        return self._rowcount

    async def nextset(self) -> bool | None:
        """Go to the next result set of the last statement; what is left of this one is dropped.

        Returns:
            True, or None where there is no further set.
        """
        operation = self._nextset()
        if operation is not None:
            return await operation
        conn = self._get_db()
        result = self._result
        if result is None or result is not conn._result:
            return None
        await self._finish()
        if not result.has_next:
            return None
        self._clear_result()
        await conn._read_query_result(unbuffered=True)
        await self._do_get_result()
        return True

    async def _read_next(self) -> Any:
        return self._converted(await self._next_streamed())

    def _converted(self, row: Any) -> Any:
        """A row as the hooks want it; rows that the fast path made are as they should be."""
        return row if self._made_rows else self._conv_row(row)

    async def fetchone(self) -> Row | None:
        """The next row, or None after the last."""
        step = self._fetchone_streamed()
        if step is not None:
            return await step
        self._check_executed()
        row: Row | None = await self._read_next()
        if row is not None:
            self._rownumber += 1
        return row

    async def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next ``size`` rows, :attr:`arraysize` where it is None, in a list."""
        self._check_executed()
        return await self._read_rows(self._arraysize if size is None else size)

    async def fetchall(self) -> list[Row]:
        """All rows that are left, in a list."""
        self._check_executed()
        return await self._read_rows(None)

    async def _read_rows(self, count: int | None) -> list[Row]:
        if self._made_rows:
            rows: list[Any] = await self._next_streamed_rows(count)
            self._rownumber += len(rows)
            return rows
        rows = []
        while count is None or len(rows) < count:
            row = await self._read_next()
            if row is None:
                break
            rows.append(row)
            self._rownumber += 1
        return rows

    async def scroll(self, value: int, mode: str = "relative") -> None:
        """Skip rows.

        Raises:
            NotSupportedError: the row is behind.
            ProgrammingError: ``mode`` is neither "relative" nor "absolute".
        """
        self._check_executed()
        if mode not in ("relative", "absolute"):
            raise ProgrammingError(f"unknown scroll mode {mode}")
        count = value if mode == "relative" else value - self._rownumber
        if count < 0:
            raise NotSupportedError("Backwards scrolling not supported by this cursor")
        for _ in range(count):
            await self._read_next()
        self._rownumber += count


class SSDictCursor(_DictCursorMixin, SSCursor[dict[str, Any]]):
    """A cursor that streams its rows as dictionaries."""


def _bulk_insert_parts(query: Any) -> tuple[str, str, str] | None:
    """A bulk insert's text before its row of placeholders, the row, and the text after it."""
    if RE_INSERT_VALUES is _RE_INSERT_VALUES:
        return _native.bulk_insert_parts(query) if isinstance(query, str) else None
    match = RE_INSERT_VALUES.match(query)
    if match is None:
        return None
    return match.group(1) % (), match.group(2).rstrip(), match.group(3) or ""


_HOOKS = [
    "_query",
    "_do_get_result",
    "_escape_args",
    "_conv_row",
    "_clear_result",
    "_get_db",
    "_deserialization_row",
    "dict_type",
    "nextset",
    "_read_next",
]
_BULK_HOOKS = ["execute", "_do_execute_many"]
_FETCH_HOOKS = ["fetchone"]
for _class, _role in (
    (Cursor, "plain"),
    (DeserializationCursor, "plain"),
    (DictCursor, "plain"),
    (SSCursor, "streamed"),
    (SSDictCursor, "plain"),
    (_DeserializationCursorMixin, "json"),
    (_DictCursorMixin, "dicts"),
):
    _native.remember_hooks(_class, _role, _HOOKS, _BULK_HOOKS, _FETCH_HOOKS)
