"""Connections, cursors and pools of the library under test, closed when the test ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Callable

import pytest

if TYPE_CHECKING:
    import aiomysql

    from tests.fix_servers import RunningServer


@pytest.fixture
async def connect(
    server: RunningServer, table: Callable[..., str]
) -> AsyncIterator[Callable[..., Any]]:
    """`await connect(autocommit=True)`; arguments are added to the server's own.

    Asks for `table` so that connections, and the locks of their transactions, go before tables.
    """
    import aiomysql

    made: list[aiomysql.Connection] = []

    async def connect(unix_socket: bool = False, **arguments: Any) -> aiomysql.Connection:
        connection = await aiomysql.connect(**server.connect_kwargs(unix_socket, **arguments))
        made.append(connection)
        return connection

    yield connect
    for connection in made:
        connection.close()


@pytest.fixture
async def connection(connect: Callable[..., Any]) -> aiomysql.Connection:
    made: aiomysql.Connection = await connect()
    return made


@pytest.fixture
async def cursor(connection: aiomysql.Connection) -> AsyncIterator[aiomysql.Cursor]:
    async with connection.cursor() as cursor:
        yield cursor


@pytest.fixture
async def create_pool(
    server: RunningServer, table: Callable[..., str]
) -> AsyncIterator[Callable[..., Any]]:
    """`await create_pool(maxsize=2)`; arguments are added to the server's own."""
    import aiomysql

    made: list[aiomysql.Pool] = []

    async def create_pool(unix_socket: bool = False, **arguments: Any) -> aiomysql.Pool:
        pool = await aiomysql.create_pool(**server.connect_kwargs(unix_socket, **arguments))
        made.append(pool)
        return pool

    yield create_pool
    for pool in made:
        pool.terminate()
        await pool.wait_closed()
