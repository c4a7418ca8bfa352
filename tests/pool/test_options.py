"""What pools do beyond aiomysql's, each seen on the server."""

from __future__ import annotations

import asyncio
import gc
import warnings
import weakref
from typing import Any

import aiomysql
import pytest

from tests.fix_servers import RunningServer
from tests.pool.support import (
    MANY_ROWS,
    Connects,
    CreatePool,
    counts,
    eventually_closed,
    killed,
    session,
    settled,
)
from tests.proxy import Direction, Proxy


async def scalar(connection: Any, sql: str) -> Any:
    async with connection.cursor() as cursor:
        await cursor.execute(sql)
        row = await cursor.fetchone()
        return row[0]


def sessions(server: RunningServer, *connections: Any) -> int:
    """How many of the connections the server still knows."""
    marks = ", ".join(str(connection.thread_id()) for connection in connections)
    sql = f"SELECT COUNT(*) FROM information_schema.processlist WHERE id IN ({marks})"
    return int(server.query(sql)[0][0])


async def eventually(condition: Any, seconds: float = 20) -> None:
    for _ in range(int(seconds * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


# Waiting


async def test_acquire_gives_up_in_time(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1, acquire_timeout=0.05)
    held = await pool.acquire()
    with pytest.raises(aiomysql.PoolTimeout, match="1 of 1 are lent") as caught:
        await pool.acquire()
    assert isinstance(caught.value, asyncio.TimeoutError)
    assert isinstance(caught.value, aiomysql.OperationalError)
    assert caught.value.args[0] == 0
    with pytest.raises(aiomysql.PoolTimeout, match=r"within 0\.01 s"):
        async with pool.acquire(timeout=0.01):
            pass
    patient = asyncio.ensure_future(pool.acquire(timeout=None))
    with pytest.raises(asyncio.TimeoutError):
        await pool.acquire(timeout=0)
    pool.release(held)
    assert await patient is held
    pool.release(held)
    assert counts(pool) == (1, 1, 0)
    assert pool.stats().timed_out == 3


async def test_the_limit_covers_opening(
    server: RunningServer, create_pool: CreatePool, proxy: Proxy
) -> None:
    pool = await create_pool(
        minsize=1, maxsize=2, host=proxy.host, port=proxy.port, autocommit=True
    )
    held = await pool.acquire()
    proxy.delay(Direction.TO_CLIENT, 5.0)
    with pytest.raises(aiomysql.PoolTimeout, match="1 are being opened"):
        await pool.acquire(timeout=0.1)
    pool.release(held)
    pool.terminate()


async def test_max_waiting(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1, max_waiting=2)
    held = await pool.acquire()
    waiting = [asyncio.ensure_future(pool.acquire()) for _ in range(2)]
    await settled()
    with pytest.raises(aiomysql.TooManyRequests, match="2 wait"):
        await pool.acquire()
    assert pool.stats().waiting == 2
    pool.release(held)
    for task in waiting:
        assert await task is held
        pool.release(held)
    assert (pool.stats().refused, pool.stats().waiting) == (1, 0)


@pytest.mark.parametrize(
    "option", ["acquire_timeout", "max_waiting", "max_lifetime", "max_idle", "check"]
)
async def test_options_that_make_no_sense(server: RunningServer, option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} should be zero or greater"):
        await aiomysql.create_pool(**server.connect_kwargs(), **{option: -1})


async def test_a_check_that_is_neither(server: RunningServer) -> None:
    with pytest.raises(TypeError, match="check should be a number of seconds"):
        await aiomysql.create_pool(**server.connect_kwargs(), check=False)


# Age


async def test_max_lifetime(server: RunningServer, create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=2, maxsize=2, max_lifetime=0.5)
    old = list(pool._free)
    held = await pool.acquire()
    # The free one goes while nobody uses the pool; the one that is lent, when it comes back.
    await eventually(lambda: old[1].closed)
    await asyncio.sleep(0.6)
    assert await session(held) == held.thread_id()
    pool.release(held)
    assert held.closed
    async with pool.acquire() as connection:
        assert connection not in old
    await eventually(lambda: sessions(server, *old) == 0)
    assert pool.stats().closed["lifetime"] >= 2


async def test_max_idle(server: RunningServer, create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=4, max_idle=0.3)
    lent = [await pool.acquire() for _ in range(4)]
    for connection in lent:
        pool.release(connection)
    await eventually(lambda: counts(pool) == (1, 1, 0))
    await eventually(lambda: sessions(server, *lent) == 1)
    assert list(pool._free) == lent[3:]
    assert pool.stats().closed["idle"] == 3
    # The last one stays: there are no more than minsize.
    await asyncio.sleep(0.5)
    assert counts(pool) == (1, 1, 0)


# Health


@pytest.mark.parametrize("check", [0, None, 0.3])
async def test_when_connections_are_pinged(create_pool: CreatePool, check: Any) -> None:
    pool = await create_pool(minsize=1, maxsize=1, check=check, autocommit=True)
    (connection,) = pool._free
    usage = connection.last_usage
    async with pool.acquire():
        at_once = connection.last_usage > usage
    await asyncio.sleep(0.4 if check else 0.01)
    usage = connection.last_usage
    async with pool.acquire() as lent:
        assert lent is connection
        later = connection.last_usage > usage
    assert later == (check is not None)
    if check in (0, None):
        assert at_once == later


async def test_a_check_of_ones_own(create_pool: CreatePool) -> None:
    asked: list[Any] = []

    async def check(connection: Any) -> None:
        asked.append(connection)
        if len(asked) == 1:
            raise ValueError("not this one")
        await scalar(connection, "SELECT 1")

    pool = await create_pool(minsize=2, maxsize=2, check=check, autocommit=True)
    first, second = pool._free
    async with pool.acquire() as connection:
        assert connection is second
    assert asked == [first, second]
    assert first.closed
    assert pool.stats().closed["check"] == 1


async def test_a_check_that_is_no_coroutine(create_pool: CreatePool) -> None:
    asked: list[Any] = []
    pool = await create_pool(minsize=1, check=asked.append)
    async with pool.acquire() as connection:
        assert asked == [connection]


async def test_acquire_is_cancelled_while_it_checks(create_pool: CreatePool) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def check(_connection: Any) -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    pool = await create_pool(minsize=1, maxsize=1, check=check)
    with pytest.raises(aiomysql.PoolTimeout):
        await pool.acquire(timeout=0.05)
    assert begun.is_set()
    await ended.wait()
    assert counts(pool) == (0, 0, 0)


# The session


@pytest.mark.parametrize("autocommit", [False, True, None])
async def test_reset_on_return(
    server: RunningServer, create_pool: CreatePool, table: Any, autocommit: Any
) -> None:
    name = table("id INT PRIMARY KEY")
    pool = await create_pool(
        minsize=1,
        maxsize=1,
        reset=True,
        autocommit=autocommit,
        charset="latin1",
        sql_mode="'NO_BACKSLASH_ESCAPES'",
        init_command="SET @mine = 'init'",
    )
    probes = (
        "SELECT @mine",
        "SELECT @theirs",
        "SELECT @@sql_mode",
        "SELECT @@autocommit",
        "SELECT @@character_set_client",
        "SELECT @@collation_connection",
        "SELECT DATABASE()",
    )
    async with pool.acquire() as connection:
        before = [await scalar(connection, sql) for sql in probes]
        await connection.query("SET @mine = 'changed', @theirs = 1, sql_mode = ''")
        await connection.query(f"CREATE TEMPORARY TABLE temporary_{name} (a INT)")
        await connection.query("USE information_schema")
        await connection.set_charset("utf8mb4")
        await connection.begin()
        await connection.query(f"INSERT INTO {connection._db}.{name} VALUES (1)")
    async with pool.acquire() as again:
        assert again is connection
        assert [await scalar(again, sql) for sql in probes] == before
        assert again.charset == "latin1"
        assert again.escape("a\\") == "'a\\'"
        assert await scalar(again, f"SELECT COUNT(*) FROM {name}") == 0
        with pytest.raises(aiomysql.ProgrammingError):
            await again.query(f"SELECT * FROM temporary_{name}")
    assert pool.stats().opened == 1


async def test_the_reset_is_over_before_the_next_has_it(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1, reset=True)

    async def use(number: int) -> None:
        async with pool.acquire() as connection:
            assert await scalar(connection, "SELECT @number") is None
            await connection.query(f"SET @number = {number}")

    await asyncio.gather(*map(use, range(20)))
    assert pool.stats().opened == 1


async def test_a_reset_that_fails(
    server: RunningServer, create_pool: CreatePool, proxy: Proxy
) -> None:
    pool = await create_pool(minsize=1, maxsize=1, reset=True, host=proxy.host, port=proxy.port)
    async with pool.acquire() as connection:
        # Its patience; opening another is to have all the time it needs.
        connection.connect_timeout = 0.5
        proxy.stall_all()
    await eventually_closed(connection)
    async with pool.acquire() as other:
        assert await session(other)
    assert pool.stats().closed["reset"] == 1


def test_a_program_that_ends_in_a_reset(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def use() -> None:
        pool = await aiomysql.create_pool(minsize=1, reset=True, **server.connect_kwargs())
        async with pool.acquire() as connection:
            await session(connection)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        asyncio.run(use())
        gc.collect()
    assert not caplog.records


async def test_connections_can_be_reset_by_hand(connect: Any) -> None:
    connection = await connect(autocommit=True)
    await connection.query("SET @mine = 1")
    await connection.autocommit(False)
    await connection.reset()
    assert await scalar(connection, "SELECT @mine") is None
    assert await scalar(connection, "SELECT @@autocommit") == 1
    connection.close()
    with pytest.raises(aiomysql.InterfaceError):
        await connection.reset()


@pytest.mark.parametrize("reset", [False, True])
async def test_init(create_pool: CreatePool, reset: bool) -> None:
    inited: list[Any] = []

    async def init(connection: Any) -> None:
        inited.append(connection)
        await connection.query("SET @greeting = 'hello'")

    pool = await create_pool(minsize=2, maxsize=2, init=init, reset=reset, autocommit=True)
    assert set(inited) == set(pool._free)
    for _ in range(4):
        async with pool.acquire() as connection:
            assert await scalar(connection, "SELECT @greeting") == "hello"
            await connection.query("SET @other = 1")
    assert pool.stats().opened == 2
    assert (len(inited) > 2) == reset


async def test_init_that_fails(server: RunningServer, create_pool: CreatePool) -> None:
    inited: list[Any] = []

    def init(connection: Any) -> None:
        inited.append(connection)
        raise KeyError("init")

    with pytest.raises(KeyError, match="init"):
        await create_pool(minsize=1, init=init)
    pool = await create_pool(minsize=0, maxsize=1, init=init)
    for _ in range(2):
        with pytest.raises(KeyError, match="init"):
            await pool.acquire()
    assert len(inited) == 3
    assert all(connection.closed for connection in inited)
    assert counts(pool) == (0, 0, 0)
    assert pool.stats().failed == 2


# The minimum


async def test_keep_minsize(server: RunningServer, create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=2, maxsize=4, keep_minsize=True)
    old = list(pool._free)
    await killed(server, *old)
    await eventually(lambda: counts(pool) == (2, 2, 0) and not set(old) & set(pool._free))
    assert sessions(server, *pool._free) == 2
    # And at once where the pool itself has closed one.
    async with pool.acquire() as connection:
        await connection.begin()
    await eventually(lambda: counts(pool) == (2, 2, 0) and connection not in pool._free)


async def test_without_it_the_next_acquire_fills_up(create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=2, maxsize=4)
    await pool.clear()
    await asyncio.sleep(0.1)
    assert counts(pool) == (0, 0, 0)


async def test_attempts_are_put_off(create_pool: CreatePool, connects: Connects) -> None:
    pool = await create_pool(minsize=1, maxsize=2, keep_minsize=True)
    connects.failing = 1000
    before = len(connects.calls)
    await pool.clear()
    await eventually(lambda: pool.stats().failed == 1)
    for _ in range(200):
        await pool.clear()
        await settled()
    # Whatever else happens, the next attempt is waited for.
    assert len(connects.calls) - before < 20
    # Whoever needs a connection does not wait for that.
    with pytest.raises(aiomysql.OperationalError, match="refused by the test"):
        await pool.acquire()
    connects.failing = 0
    async with pool.acquire() as connection:
        assert await session(connection)
    assert counts(pool) == (1, 1, 0)


async def test_a_server_that_comes_back(create_pool: CreatePool, connects: Connects) -> None:
    pool = await create_pool(minsize=1, keep_minsize=True)
    connects.failing = 1
    await pool.clear()
    await eventually(lambda: pool.stats().failed == 1)
    await eventually(lambda: counts(pool) == (1, 1, 0))


async def test_a_pool_with_a_timer_can_be_forgotten(server: RunningServer) -> None:
    pool = await aiomysql.create_pool(
        minsize=1, keep_minsize=True, max_idle=60, max_lifetime=600, **server.connect_kwargs()
    )
    known = weakref.ref(pool)
    with pytest.warns(ResourceWarning, match="Unclosed connection"):
        del pool
        gc.collect()
    assert known() is None


# Figures


async def test_stats(server: RunningServer, create_pool: CreatePool) -> None:
    pool = await create_pool(minsize=1, maxsize=1, check=None)
    fresh = pool.stats()
    assert (fresh.size, fresh.free, fresh.used, fresh.opening, fresh.waiting) == (1, 1, 0, 0, 0)
    assert (fresh.opened, fresh.acquired, sum(fresh.closed.values())) == (1, 0, 0)
    held = await pool.acquire()
    waiting = asyncio.ensure_future(pool.acquire())
    await asyncio.sleep(0.02)
    assert (pool.stats().used, pool.stats().waiting) == (1, 1)
    await held.begin()
    pool.release(held)
    connection = await waiting
    connection.close()
    pool.release(connection)
    stats = pool.stats()
    assert isinstance(stats, aiomysql.PoolStats)
    assert (stats.opened, stats.acquired, stats.failed) == (2, 2, 0)
    assert {name: count for name, count in stats.closed.items() if count} == {
        "transaction": 1,
        "returned": 1,
    }
    assert len(stats.wait_counts) == len(stats.wait_bounds) + 1
    assert sum(stats.wait_counts) == stats.acquired
    # One had none to wait for, the other waited for longer than the first bound.
    assert stats.wait_counts[0] == 1
    assert stats.wait_seconds > 0.01
    async with pool.acquire() as connection:
        await killed(server, connection)
    async with pool.acquire() as connection:
        cursor = await connection.cursor(aiomysql.SSCursor)
        await cursor.execute(MANY_ROWS)
    await pool.acquire()
    pool.terminate()
    closed = pool.stats().closed
    assert (closed["lost"], closed["unread"], closed["shutdown"]) == (1, 1, 1)


# Passwords


@pytest.mark.parametrize("kind", ["function", "coroutine function"])
async def test_a_password_that_rotates(
    server: RunningServer, create_pool: CreatePool, connect: Any, kind: str
) -> None:
    given = ["wrong"]
    real = server.connect_kwargs()["password"]

    def plain() -> str:
        return given[-1]

    async def asynchronous() -> str:
        await asyncio.sleep(0)
        return given[-1]

    password = plain if kind == "function" else asynchronous
    with pytest.raises(aiomysql.OperationalError) as caught:
        await connect(password=password)
    assert caught.value.args[0] == 1045
    given.append(real)
    connection = await connect(password=password)
    connection.close()
    await connection.ping()
    assert await session(connection)
    pool = await create_pool(minsize=0, password=password)
    async with pool.acquire() as connection:
        assert await session(connection)


async def test_a_password_function_that_fails(connect: Any) -> None:
    def password() -> str:
        raise LookupError("no token")

    with pytest.raises(LookupError, match="no token"):
        await connect(password=password)
