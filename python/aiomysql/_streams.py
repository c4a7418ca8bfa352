"""Stand-ins for the streams of a connection.

aiomysql 0.3 works on asyncio's streams, and applications reach for them: to see whether the
server has gone, and in tests to pretend that it has. The native driver has no such streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .connection import Connection


class Reader:
    """What is asked of ``connection._reader``."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn = conn

    def exception(self) -> BaseException | None:
        return self._conn._broken_by

    def set_exception(self, exc: BaseException) -> None:
        """Break the connection: it is closed, and a pool drops it."""
        self._conn._broken_by = exc
        self._conn.close()

    def at_eof(self) -> bool:
        return bool(self._conn.closed or self._conn._has_hung_up)

    @property
    def eof_received(self) -> bool:
        return self.at_eof()

    def feed_eof(self) -> None:
        self._conn.close()


class Writer:
    """What is asked of ``connection._writer``, and of its transport and protocol."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn = conn

    @property
    def transport(self) -> Writer:
        return self

    @property
    def _protocol(self) -> Writer:
        return self

    def connection_lost(self, exc: BaseException | None) -> None:
        """Break the connection: it is closed, and a pool drops it."""
        self._conn._broken_by = exc
        self._conn.close()

    def close(self) -> None:
        self._conn.close()

    abort = close

    def is_closing(self) -> bool:
        return bool(self._conn.closed)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "peername" and self._conn.unix_socket is None:
            return (self._conn.host, self._conn.port)
        return default
