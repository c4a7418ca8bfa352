"""Cursors: statements, and the rows that they return.

The machinery is native (:class:`aiomysql._native.Cursor`). A method here first offers the whole
step to it; where a subclass or an assignment has replaced one of the hooks that the step would
skip, the native half declines, and the step is taken through the hooks, one by one.
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Any

from pymysql.constants import FIELD_TYPE
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
from ._warn import warn
from .log import logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence
    from types import TracebackType

    from .connection import Connection

#: What :meth:`Cursor.executemany` rewrites into statements of many rows when it was replaced;
#: untouched, the native parser decides, which knows more forms.
RE_INSERT_VALUES = re.compile(
    r"\s*((?:INSERT|REPLACE)\b.+\bVALUES?\s*)"
    r"(\(\s*(?:%s|%\(.+\)s)\s*(?:,\s*(?:%s|%\(.+\)s)\s*)*\))"
    r"(\s*(?:ON\s+DUPLICATE\b.*)?);?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)


class Cursor(_native.Cursor):
    """Runs statements on a connection and holds the rows of the last one.

    Made by :meth:`Connection.cursor`; follows PEP 249 with coroutines in place of functions.

    Args:
        connection: the connection to work on.
        echo: log each statement to the logger ``aiomysql``.
    """

    #: The longest statement that :meth:`executemany` makes, in bytes.
    max_stmt_length = 1024000

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

    def __init__(self, connection: Connection, echo: bool = False) -> None:
        self._connection = connection
        self._echo = echo

    @property
    def _loop(self) -> Any:
        return self._get_db().loop

    @property
    def connection(self) -> Any:
        """The connection; None once the cursor is closed."""
        return self._connection

    @property
    def description(self) -> tuple[tuple[Any, ...], ...] | None:
        """PEP 249: a 7-tuple for each column, or None where the statement returned no rows."""
        return self._description

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
        if self._connection is None:
            return
        try:
            if self._has_unread:
                while await self.nextset():
                    pass
        finally:
            self._connection = None

    def _get_db(self) -> Any:
        if self._connection is None:
            raise ProgrammingError("Cursor closed")
        return self._connection

    def _check_executed(self) -> None:
        if not self._executed:
            raise ProgrammingError("execute() first")

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
            query = query % self._escape_args(args, conn)  # type: ignore[operator]
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
        rows = 0
        for arg in args:
            await self.execute(query, arg)
            rows += self._rowcount
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

    def fetchone(self) -> Awaitable[Any]:
        """The next row, or None (awaitable)."""
        return self._fetchone()

    def fetchmany(self, size: int | None = None) -> Awaitable[Any]:
        """The next ``size`` rows, ``arraysize`` where it is None (awaitable)."""
        return self._fetchmany(size)

    def fetchall(self) -> Awaitable[Any]:
        """All rows that are left (awaitable)."""
        return self._fetchall()

    def scroll(self, value: int, mode: str = "relative") -> Awaitable[None]:
        """Move to another row (awaitable of None).

        Raises:
            IndexError: there is no such row; the position stays.
            ProgrammingError: ``mode`` is neither "relative" nor "absolute".
        """
        return self._scroll(value, mode)

    def __aiter__(self) -> Cursor:
        return self

    async def __anext__(self) -> Any:
        row = await self.fetchone()
        if row is None:
            raise StopAsyncIteration
        return row

    async def __aenter__(self) -> Cursor:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.close()


class _DeserializationCursorMixin:
    """JSON columns become the objects that they describe; bad JSON stays as it is."""

    async def _do_get_result(self) -> None:
        await super()._do_get_result()  # type: ignore[misc]
        if self._rows:
            self._rows = [self._deserialization_row(row) for row in self._rows]

    def _deserialization_row(self, row: Any) -> Any:
        if row is None:
            return None
        is_dict = isinstance(row, dict)
        if not is_dict:
            row = list(row)
        for index, column in enumerate(self._description):  # type: ignore[attr-defined]
            if column[1] == FIELD_TYPE.JSON:
                key = column[0] if is_dict else index
                with contextlib.suppress(ValueError, TypeError):
                    row[key] = json.loads(row[key])
        return row if is_dict else tuple(row)

    def _conv_row(self, row: Any) -> Any:
        if row is None:
            return None
        return self._deserialization_row(super()._conv_row(row))  # type: ignore[misc]


class _DictCursorMixin:
    """Rows are dictionaries by column name; a repeated name becomes ``table.name``."""

    #: May be replaced by another class of mappings.
    dict_type: Any = dict

    async def _do_get_result(self) -> None:
        await super()._do_get_result()  # type: ignore[misc]
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
        row = super()._conv_row(row)  # type: ignore[misc]
        return self.dict_type(zip(self._fields, row))


class DeserializationCursor(_DeserializationCursorMixin, Cursor):
    """A cursor whose JSON columns become Python objects."""


class DictCursor(_DictCursorMixin, Cursor):
    """A cursor whose rows are dictionaries."""


class SSCursor(Cursor):
    """A cursor that streams its rows."""


class SSDictCursor(_DictCursorMixin, SSCursor):
    """A cursor that streams its rows as dictionaries."""


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
for _class, _role in (
    (Cursor, "plain"),
    (DeserializationCursor, "plain"),
    (DictCursor, "plain"),
    (SSCursor, "streamed"),
    (SSDictCursor, "plain"),
    (_DeserializationCursorMixin, "json"),
    (_DictCursorMixin, "dicts"),
):
    _native.remember_hooks(_class, _role, _HOOKS)
