"""Transactions of an ``SAConnection``: root, inner, savepoint and two-phase."""

from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Optional

from aiomysql import Error

from . import exc
from .awaitable import ContextManager

if TYPE_CHECKING:
    from .connection import SAConnection


class Transaction:
    """A block inside another transaction, as a second ``begin()`` gives it.

    It has no SQL of its own: committing it leaves the decision to the transaction around it,
    rolling it back rolls that one back. It is also the base of the other three. Used with ``async
    with`` it commits at the end, or rolls back on an exception.
    """

    def __init__(self, connection: "SAConnection", parent: Optional["Transaction"]) -> None:
        self._connection = connection
        self._parent: Transaction = parent or self
        self._is_active = True

    @property
    def is_active(self) -> bool:
        """Whether neither this transaction nor one around it has ended."""
        return self._is_active and (self._parent is self or self._parent.is_active)

    @property
    def _root(self) -> "Transaction":
        """The outermost transaction around this one, or itself."""
        return self if self._parent is self else self._parent._root

    @property
    def connection(self) -> "SAConnection":
        """The connection that it runs on."""
        return self._connection

    async def close(self) -> None:
        """End the block without committing it.

        The outermost transaction is rolled back if it is still active; an inner one is only left,
        and the transaction around it goes on.
        """
        if not self._parent.is_active:
            return
        if self._parent is self:
            await self.rollback()
        else:
            self._is_active = False

    async def rollback(self) -> None:
        """Roll back; nothing happens where the transaction around it has already ended.

        Raises the driver's error if the server refuses or is gone; the transaction has ended then
        too.
        """
        if not self._parent.is_active:
            return
        try:
            await self._do_rollback()
        finally:
            self._is_active = False

    async def _do_rollback(self) -> None:
        await self._parent.rollback()

    async def commit(self) -> None:
        """Commit.

        Raises ``InvalidRequestError`` if the transaction, or the one around it, has already
        ended, and the driver's error if the server refuses or is gone.
        """
        if not self._parent.is_active:
            raise exc.InvalidRequestError("This transaction is inactive")
        await self._do_commit()
        self._is_active = False

    async def _do_commit(self) -> None:
        pass

    async def __aenter__(self) -> "Transaction":
        return self

    async def __aexit__(
        self,
        exc_type: Optional[type[BaseException]],
        exc_value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if exc_type is None:
            if self.is_active:
                await self.commit()
        elif self.is_active:
            # If that fails the connection is gone, and the transaction with it. The exception that
            # brought us here says why; a second one would only hide it.
            with suppress(Error):
                await self.rollback()


class RootTransaction(Transaction):
    """The outermost transaction of a connection: ``BEGIN`` to ``COMMIT`` or ``ROLLBACK``."""

    def __init__(self, connection: "SAConnection") -> None:
        super().__init__(connection, None)

    async def _do_rollback(self) -> None:
        await self._connection._rollback_impl()

    async def _do_commit(self) -> None:
        try:
            await self._connection._commit_impl()
        finally:
            # After a COMMIT that failed there is nothing left to commit or to roll back.
            self._is_active = False


class NestedTransaction(Transaction):
    """A savepoint: rolling it back undoes what came after it and leaves the rest."""

    def __init__(self, connection: "SAConnection", parent: Transaction, savepoint: str) -> None:
        super().__init__(connection, parent)
        self._savepoint = savepoint

    async def close(self) -> None:
        """Leave the savepoint: what came after it goes with the transaction around it."""
        self._is_active = False
        self._connection._leave(self, self._parent)

    async def _do_rollback(self) -> None:
        if self._is_active:
            await self._connection._rollback_to_savepoint_impl(self._savepoint, self._parent)

    async def _do_commit(self) -> None:
        if self._is_active:
            await self._connection._release_savepoint_impl(self._savepoint, self._parent)


class TwoPhaseTransaction(Transaction):
    """An XA transaction: ``prepare()`` makes it durable, ``commit()`` or ``rollback()`` decides it.

    Without ``prepare()``, ``commit()`` commits in one phase.
    """

    def __init__(self, connection: "SAConnection", xid: str) -> None:
        super().__init__(connection, None)
        self._is_prepared = False
        self._xid = xid

    @property
    def xid(self) -> str:
        """The identifier that ``recover_twophase()`` lists once the transaction is prepared."""
        return self._xid

    async def prepare(self) -> None:
        """Make the transaction durable, so that it can still be committed after a crash.

        Raises ``InvalidRequestError`` if it has already ended, and the driver's error if the server
        refuses, as it does the second time.
        """
        if not self.is_active:
            raise exc.InvalidRequestError("This transaction is inactive")
        await self._connection._prepare_twophase_impl(self._xid)
        self._is_prepared = True

    async def _do_rollback(self) -> None:
        await self._connection.rollback_prepared(self._xid, is_prepared=self._is_prepared)

    async def _do_commit(self) -> None:
        await self._connection.commit_prepared(self._xid, is_prepared=self._is_prepared)


class TransactionContextManager(ContextManager[Transaction]):
    """What ``begin()`` and its kin return: ``async with`` commits or rolls back."""

    __slots__ = ()
