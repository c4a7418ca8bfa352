"""A connection that runs SQLAlchemy's statements."""

import random
from collections.abc import Awaitable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional

from sqlalchemy.sql.ddl import DDLElement
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.expression import Executable, FunctionElement

from aiomysql import Connection, Cursor, OperationalError

from . import exc
from .awaitable import ContextManager
from .compile import CompiledCache, Statement, Values, compile_clause, select_of
from .parameters import Group, groups_of, named_by_column, named_only
from .result import ResultContextManager, ResultProxy
from .transaction import (
    NestedTransaction,
    RootTransaction,
    Transaction,
    TransactionContextManager,
    TwoPhaseTransaction,
)

if TYPE_CHECKING:
    from .engine import Engine

# "The branch was rolled back": MariaDB's answer for one that had changed nothing, once recovered.
XA_RBROLLBACK = 1402

UNFINISHED = "Cannot release a connection with not finished transaction"


class SAConnection:
    """An ``aiomysql`` connection that takes SQLAlchemy's statements, from ``engine.acquire()``."""

    def __init__(
        self,
        connection: Connection,
        engine: "Engine",
        compiled_cache: Optional[CompiledCache] = None,
    ) -> None:
        self._connection: Optional[Connection] = connection
        self._engine = engine
        self._dialect = engine.dialect
        self._compiled_cache = compiled_cache
        self._transaction: Optional[Transaction] = None
        self._savepoints = 0

    @property
    def connection(self) -> Optional[Connection]:
        """The ``aiomysql`` connection itself; None once this one is closed."""
        return self._connection

    @property
    def closed(self) -> bool:
        """Whether it was closed or given back, or the connection below is closed."""
        return self._connection is None or self._connection.closed

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction that was begun here has not ended."""
        return self._transaction is not None and self._transaction.is_active

    def execute(self, query: Any, *multiparams: Any, **params: Any) -> ResultContextManager:
        """Run a statement; ``await``, ``async with`` or ``async for`` the object returned.

        ``query`` is SQL text, with the driver's placeholders, or a statement of SQLAlchemy.
        Parameters come by name (keywords or one mapping), by position (values or one sequence),
        or as many sets (several mappings or sequences, or one list of them), with which the
        statement runs once each; many rows of an INSERT go to the server together.

        Awaited, it gives a ``ResultProxy``. It raises ``ArgumentError`` for a query of another kind
        and for parameters that do not go with it, ``ResourceClosedError`` on a closed connection,
        SQLAlchemy's errors for a statement that does not compile, and the driver's for one that
        fails.
        """
        return ResultContextManager(self._execute(query, multiparams, params))

    async def scalar(self, query: Any, *multiparams: Any, **params: Any) -> Any:
        """Run a statement as ``execute()`` does; the first column of its first row, or None."""
        result = await self._execute(query, multiparams, params)
        return await result.scalar()

    async def _execute(
        self, query: Any, multiparams: Sequence[Any], params: Mapping[str, Any]
    ) -> ResultProxy:
        connection = self._open_connection()
        groups = groups_of(multiparams, params)
        statement: Optional[Statement] = None
        if isinstance(query, str):
            cursor = await connection.cursor()
            await _run_text(cursor, query, groups)
        elif isinstance(query, DDLElement):
            if groups:
                raise exc.ArgumentError(
                    "Don't mix sqlalchemy DDL clause and execution with parameters"
                )
            text = str(query.compile(dialect=self._dialect))
            cursor = await connection.cursor()
            await cursor.execute(text, {})  # with parameters, as the text has its % doubled
        elif isinstance(query, Executable):
            statement, rows = await self._prepare(query, groups)
            cursor = await connection.cursor()
            if len(rows) > 1:
                await cursor.executemany(*statement.render_many(rows))
            else:
                await cursor.execute(*statement.render(rows[0]))
        else:
            raise exc.ArgumentError(
                "sql statement should be str or SQLAlchemy data selection/modification clause"
            )
        result = ResultProxy(cursor, self._dialect, statement)
        if not result.returns_rows:
            await result.close()
        return result

    def _open_connection(self) -> Connection:
        if self._connection is None:
            raise exc.ResourceClosedError("This connection is closed.")
        return self._connection

    async def _prepare(
        self, query: Any, groups: Sequence[Group]
    ) -> tuple[Statement, Sequence[Values]]:
        """Compile ``query``, and collect the parameters for each time that it runs."""
        keys: Optional[list[str]] = None
        if isinstance(query, UpdateBase):
            named = named_by_column(query, groups)
            keys = list(named[0]) if named else []
        else:
            named = named_only(groups)
            if isinstance(query, FunctionElement):
                query = query.select()
        statement, carried, preset = compile_clause(
            query, self._dialect, keys, len(named) > 1, self._compiled_cache
        )
        rows = [statement.collect({**preset, **group}, carried) for group in named or ({},)]
        for name, expression in statement.defaults.expressions:
            for row in rows:
                row[name] = await self.scalar(select_of(expression))
        return statement, rows

    async def _command(self, text: str) -> None:
        async with self._open_connection().cursor() as cursor:
            await cursor.execute(text)

    def begin(self) -> TransactionContextManager:
        """Begin a transaction; ``await`` it, or let ``async with`` commit it or roll it back.

        Inside another transaction it gives a ``Transaction`` that leaves committing to the outer
        one, and rolls that one back if it is rolled back itself.

        Raises ``ResourceClosedError`` on a closed connection and the driver's errors.
        """
        return TransactionContextManager(self._begin())

    async def _begin(self) -> Transaction:
        if self._transaction is not None and self._transaction.is_active:
            return Transaction(self, self._transaction)
        await self._open_connection().begin()
        self._transaction = transaction = RootTransaction(self)
        return transaction

    def begin_nested(self) -> TransactionContextManager:
        """Set a savepoint; ``await`` it, or use ``async with``. Without a transaction, begin one.

        Rolling it back undoes what came after it; the transaction around it goes on.

        Raises ``ResourceClosedError`` on a closed connection and the driver's errors.
        """
        return TransactionContextManager(self._begin_nested())

    async def _begin_nested(self) -> Transaction:
        if self._transaction is None or not self._transaction.is_active:
            return await self._begin()
        self._savepoints += 1
        savepoint = f"aiomysql_sa_savepoint_{self._savepoints}"
        await self._command(f"SAVEPOINT {savepoint}")
        self._transaction = transaction = NestedTransaction(self, self._transaction, savepoint)
        return transaction

    def begin_twophase(self, xid: Optional[str] = None) -> TransactionContextManager:
        """Begin a two-phase (XA) transaction; ``await`` it, or use ``async with``.

        ``xid`` names it for ``recover_twophase()``; by default it is made up. The
        ``TwoPhaseTransaction`` has ``prepare()`` beside the usual methods.

        Raises ``InvalidRequestError`` inside another transaction, ``ResourceClosedError`` on a
        closed connection and the driver's errors.
        """
        return TransactionContextManager(self._begin_twophase(xid))

    async def _begin_twophase(self, xid: Optional[str]) -> Transaction:
        if self._transaction is not None and self._transaction.is_active:
            raise exc.InvalidRequestError(
                "Cannot start a two phase transaction when a transaction is already in progress."
            )
        if xid is None:
            xid = f"_sa_{random.getrandbits(128):032x}"
        await self._xa("START", xid)
        self._transaction = transaction = TwoPhaseTransaction(self, xid)
        return transaction

    async def recover_twophase(self) -> list[str]:
        """The xids of two-phase transactions that are prepared, and neither committed nor undone.

        Only those that ``commit_prepared()`` and ``rollback_prepared()`` can name: what other
        programs left with a branch qualifier or a format of their own is not listed.

        Raises ``ResourceClosedError`` on a closed connection and the driver's errors; MySQL wants
        the XA_RECOVER_ADMIN privilege.
        """
        async with self._open_connection().cursor() as cursor:
            await cursor.execute("XA RECOVER")
            rows = await cursor.fetchall()
        return [
            data.decode() if isinstance(data, bytes) else data
            for format_id, _, qualifier_length, data in rows
            if format_id == 1 and qualifier_length == 0
        ]

    async def rollback_prepared(self, xid: str, *, is_prepared: bool = True) -> None:
        """Roll back the two-phase transaction ``xid``, of this connection or recovered.

        ``is_prepared`` says whether it was prepared; if not, it has to be this connection's.

        Raises ``ResourceClosedError`` on a closed connection and the driver's errors, for one if
        there is no such transaction.
        """
        if not is_prepared:
            await self._xa("END", xid)
            await self._xa("ROLLBACK", xid)
        else:
            try:
                await self._end_prepared("ROLLBACK", xid)
            except OperationalError as error:
                if error.args[0] != XA_RBROLLBACK:
                    raise
        self._forget_twophase(xid)

    async def commit_prepared(self, xid: str, *, is_prepared: bool = True) -> None:
        """Commit the two-phase transaction ``xid``, of this connection or recovered.

        ``is_prepared`` says whether it was prepared; if not, it has to be this connection's, and is
        committed in one phase.

        Raises ``ResourceClosedError`` on a closed connection and the driver's errors, for one if
        there is no such transaction.
        """
        if not is_prepared:
            await self._xa("END", xid)
            await self._xa("COMMIT", xid, " ONE PHASE")
        else:
            await self._end_prepared("COMMIT", xid)
        self._forget_twophase(xid)

    async def _prepare_twophase_impl(self, xid: str) -> None:
        await self._xa("END", xid)
        await self._xa("PREPARE", xid)

    async def _end_prepared(self, command: str, xid: str) -> None:
        connection = self._open_connection()
        inside = self.in_transaction or connection.get_transaction_status()
        if inside or connection.get_autocommit():
            await self._xa(command, xid)
            return
        # A recovered transaction: with autocommit off MariaDB says that it is inside another one.
        await connection.autocommit(True)
        try:
            await self._xa(command, xid)
        finally:
            await connection.autocommit(False)

    async def _xa(self, command: str, xid: str, suffix: str = "") -> None:
        await self._command(f"XA {command} {self._open_connection().escape(xid)}{suffix}")

    def _forget_twophase(self, xid: str) -> None:
        root = self._transaction._root if self._transaction is not None else None
        if isinstance(root, TwoPhaseTransaction) and root.xid == xid:
            root._is_active = False
            self._transaction = None

    async def _rollback_impl(self) -> None:
        try:
            await self._open_connection().rollback()
        finally:
            self._transaction = None

    async def _commit_impl(self) -> None:
        try:
            await self._open_connection().commit()
        finally:
            self._transaction = None

    async def _rollback_to_savepoint_impl(self, name: str, parent: Transaction) -> None:
        try:
            await self._command(f"ROLLBACK TO SAVEPOINT {name}")
        finally:
            self._transaction = parent

    async def _release_savepoint_impl(self, name: str, parent: Transaction) -> None:
        try:
            await self._command(f"RELEASE SAVEPOINT {name}")
        finally:
            self._transaction = parent

    def _leave(self, transaction: Transaction, parent: Transaction) -> None:
        if self._transaction is transaction:
            self._transaction = parent

    def _detach(self) -> None:
        """Part with the connection below: from now on this one is closed."""
        self._connection = None
        self._transaction = None

    async def close(self) -> None:
        """Give the connection back to its engine; may be called again.

        A transaction that has not ended is rolled back. Raises the driver's error if that fails;
        the connection has been given back then too.
        """
        if self._connection is None:
            return
        try:
            if self._transaction is not None:
                await self._transaction._root.rollback()
        finally:
            self._transaction = None
            await self._engine.release(self)
            self._connection = None

    async def _give_back(self, exc_type: Optional[type[BaseException]]) -> None:
        """Leave ``async with engine.acquire()``.

        A transaction that has not ended is lost with its connection, unless it was prepared: that
        one is left for ``recover_twophase()``. To be told so is an error, except where another
        exception is on its way.
        """
        unfinished = self._transaction if self.in_transaction else None
        if unfinished is not None:
            unfinished._root._is_active = False
        await self._engine.release(self)  # the pool closes a connection inside a transaction
        if unfinished is not None and exc_type is None:
            raise exc.InvalidRequestError(UNFINISHED)

    async def __aenter__(self) -> "SAConnection":
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.close()


class AcquireContextManager(ContextManager[SAConnection]):
    """What ``engine.acquire()`` returns: ``async with`` gives the connection back."""

    __slots__ = ()

    def _exit(
        self,
        exc_type: Optional[type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> Awaitable[None]:
        return self._result._give_back(exc_type)


async def _run_text(cursor: Cursor, query: str, groups: Sequence[Group]) -> None:
    if len(groups) > 1:
        await cursor.executemany(query, groups)
    elif groups:
        await cursor.execute(query, groups[0])
    else:
        await cursor.execute(query)
