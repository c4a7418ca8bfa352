"""What administrators do to a server in use: limits, read-only, and going away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import aiomysql
import pytest

from tests.connect.certificates import TlsServer
from tests.faults.support import answers, at_full_strength, no_noise


@contextlib.contextmanager
def setting(server: TlsServer, name: str, value: int) -> Iterator[None]:
    """A global variable, for a while."""
    ((before,),) = server.query(f"SELECT @@GLOBAL.{name}")
    server.query(f"SET GLOBAL {name} = {value}")
    try:
        yield
    finally:
        server.query(f"SET GLOBAL {name} = {before}")


@pytest.fixture
def account(lone_server: TlsServer) -> Iterator[dict[str, Any]]:
    """Arguments for an ordinary account: limits and read-only spare administrators."""
    lone_server.query(
        "CREATE USER ordinary IDENTIFIED BY 'password'", "GRANT ALL ON test.* TO ordinary"
    )
    yield lone_server.connect_kwargs(user="ordinary", password="password")
    lone_server.query("DROP USER ordinary")


async def test_max_connections(lone_server: TlsServer, account: dict[str, Any]) -> None:
    """A pool that may be larger than the server allows: some are told so, and it recovers."""
    held = [await aiomysql.connect(**account) for _ in range(7)]
    async with aiomysql.create_pool(minsize=0, maxsize=20, **account) as pool:
        with setting(lone_server, "max_connections", 10), no_noise():
            outcomes = await asyncio.gather(
                *(held_for_a_while(pool) for _ in range(20)), return_exceptions=True
            )
            refused = [each for each in outcomes if each is not None]
            assert 0 < len(refused) < 20
            for each in refused:
                assert type(each) is aiomysql.OperationalError
                assert each.args == (1040, "Too many connections")
            assert not pool._used
            assert pool.size == pool.freesize
            # Those that it has got serve on.
            await asyncio.gather(*(answers(pool, "served") for _ in range(pool.size)))
        for connection in held:
            await connection.ensure_closed()
        await at_full_strength(pool)


async def held_for_a_while(pool: aiomysql.Pool) -> None:
    async with pool.acquire():
        await asyncio.sleep(0.3)


async def test_max_user_connections(lone_server: TlsServer, account: dict[str, Any]) -> None:
    lone_server.query("ALTER USER ordinary WITH MAX_USER_CONNECTIONS 2")
    async with aiomysql.connect(**account), aiomysql.connect(**account):
        with pytest.raises(aiomysql.OperationalError) as caught:
            await aiomysql.connect(**account)
        assert caught.value.args[0] == 1226


async def test_a_switch_to_read_only(lone_server: TlsServer, account: dict[str, Any]) -> None:
    """As at a failover: writing is refused, reading and the connection go on."""
    lone_server.query("CREATE TABLE test.switched (id INT PRIMARY KEY)")
    insert = "INSERT INTO switched VALUES (%s)"
    try:
        async with aiomysql.create_pool(minsize=1, maxsize=1, **account) as pool:
            async with pool.acquire() as connection, connection.cursor() as cursor:
                await cursor.execute(insert, (1,))
                await connection.commit()
                with setting(lone_server, "read_only", 1):
                    for _ in range(2):
                        with pytest.raises(aiomysql.OperationalError) as caught:
                            await cursor.execute(insert, (2,))
                        assert caught.value.args[0] == 1290
                        assert not connection.closed
                    await connection.rollback()
                    await cursor.execute("SELECT * FROM switched")
                    assert await cursor.fetchall() == ((1,),)
                await cursor.execute(insert, (3,))
                await connection.commit()
            await at_full_strength(pool)
        assert lone_server.query("SELECT * FROM test.switched") == [(1,), (3,)]
    finally:
        lone_server.query("DROP TABLE test.switched")


async def test_an_account_that_is_locked_or_changed(
    lone_server: TlsServer, account: dict[str, Any]
) -> None:
    """Open sessions go on; new ones are refused, as the server says."""
    async with aiomysql.create_pool(minsize=1, maxsize=2, **account) as pool:
        async with pool.acquire():
            lone_server.query("ALTER USER ordinary IDENTIFIED BY 'another'")
            with pytest.raises(aiomysql.OperationalError) as caught:
                await pool.acquire()
            assert caught.value.args[0] == 1045
        lone_server.query("ALTER USER ordinary IDENTIFIED BY 'password'")
        await at_full_strength(pool)


async def test_a_shutdown_in_the_middle_of_everything(own_server: Any) -> None:
    """In a stream, in a statement, in a transaction and idle: an error each, none of them hangs."""
    server = own_server("mariadb")
    arguments = {**server.address.connect_kwargs(), "connect_timeout": 5}
    pool = await aiomysql.create_pool(minsize=4, maxsize=4, **arguments)
    connections = [await pool.acquire() for _ in range(4)]
    cursors = [await each.cursor() for each in connections[:3]]
    stream = await connections[3].cursor(aiomysql.SSCursor)
    await stream.execute(
        "WITH RECURSIVE t (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < 900) "
        "SELECT a.i, REPEAT('x', 2000) FROM t AS a, t AS b"
    )
    assert (await stream.fetchone())[1] == "x" * 2000
    sleeping = asyncio.ensure_future(cursors[0].execute("SELECT SLEEP(60)"))
    await connections[1].begin()
    await asyncio.sleep(0.05)
    with no_noise():
        await asyncio.get_running_loop().run_in_executor(None, server.terminate)

        async def rest() -> None:
            while await stream.fetchone() is not None:
                pass

        works = [sleeping, connections[1].commit(), cursors[2].execute("SELECT 1"), rest()]
        outcomes = await asyncio.wait_for(asyncio.gather(*works, return_exceptions=True), 30)
        for outcome in outcomes:
            assert isinstance(outcome, aiomysql.OperationalError), outcomes
            # 1053: the server is shutting down; 1927: the connection was killed.
            assert outcome.args[0] in (2013, 2006, 1053, 1317, 1927)
        for connection in connections:
            pool.release(connection)
        with pytest.raises(aiomysql.OperationalError) as caught:
            await pool.acquire()
        assert caught.value.args[0] == 2003
        await asyncio.get_running_loop().run_in_executor(None, server.start)
        await at_full_strength(pool)
    pool.close()
    await pool.wait_closed()
