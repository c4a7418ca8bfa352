"""The libraries under measurement, and the floor below them, behind one shape."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from benches.python import bare, workloads
from benches.python.clock import Clock
from benches.python.workloads import Workload

# In the order of the report; the reference is aiomysql 0.3.2 in an environment of its own.
DRIVERS = ("ours", "asyncmy", "reference", "mysqlclient", "bare")
# Without autocommit a SELECT opens a transaction; asyncmy's pool then throws the connection away
# at release (197 new ones for 200 queries), and the pool workloads would measure handshakes.
SETTINGS: dict[str, Any] = {"autocommit": True, "charset": "utf8mb4"}
MODULES = {"ours": "aiomysql", "reference": "aiomysql", "asyncmy": "asyncmy"}


def version(driver: str) -> str:
    others = {"mysqlclient": "MySQLdb", "bare": "pymysql"}
    module = importlib.import_module({**MODULES, **others}[driver])
    return str(getattr(module, "__version__", "?"))


def fits(driver: str, work: Workload, loop: str) -> bool:
    """mysqlclient has no pool; it has no loop either, so it is measured beside asyncio alone."""
    if driver == "bare":
        return work.kind == "sequence"
    return driver != "mysqlclient" or (work.kind != "pool" and loop == "asyncio")


async def measure(
    driver: str,
    work: Workload,
    connect_kwargs: dict[str, Any],
    prepare: Callable[[], None],
) -> Clock:
    """One round: connect and warm up, `prepare`, measure, close."""
    if driver == "bare":
        return await bare.measure(work, {**SETTINGS, **connect_kwargs}, prepare)
    async with opened(driver, work, connect_kwargs) as run:
        if work.count > 1:
            await run(max(work.count // 10, 1))
        prepare()
        with Clock() as clock:
            await run(work.count)
    return clock


@contextlib.asynccontextmanager
async def opened(
    driver: str, work: Workload, connect_kwargs: dict[str, Any]
) -> AsyncIterator[Callable[[int], Awaitable[Any]]]:
    module = importlib.import_module(MODULES[driver])
    if work.kind == "pool":
        size = work.connections
        pool = await module.create_pool(minsize=size, maxsize=size, **SETTINGS, **connect_kwargs)
        try:
            yield lambda count: workloads.pooled(pool, work, count)
        finally:
            pool.close()
            await pool.wait_closed()
        return
    if work.kind == "connect":
        yield lambda count: workloads.connects(
            lambda: module.connect(**SETTINGS, **connect_kwargs), count
        )
        return
    cursors = importlib.import_module(f"{MODULES[driver]}.cursors")
    connection = await module.connect(**SETTINGS, **connect_kwargs)
    try:
        if work.kind == "rows":
            cursor_class = cursors.DictCursor if work.dicts else cursors.Cursor
            yield lambda count: workloads.rows(connection, work, cursor_class, count)
        elif work.kind == "stream":
            cursor_class = cursors.SSDictCursor if work.dicts else cursors.SSCursor
            yield lambda count: workloads.stream(connection, work, cursor_class, count)
        elif work.kind == "many":
            yield lambda _: workloads.many(connection, work)
        else:
            yield lambda count: workloads.sequence(connection, work, count)
    finally:
        await connection.ensure_closed()


def measure_mysqlclient(
    work: Workload, connect_kwargs: dict[str, Any], prepare: Callable[[], None]
) -> Clock:
    """The floor: C, synchronous, without a loop."""
    import MySQLdb  # type: ignore[import-untyped, import-not-found, unused-ignore]
    from MySQLdb import cursors

    if work.kind == "connect":
        prepare()
        with Clock() as clock:
            for _ in range(work.count):
                MySQLdb.connect(**SETTINGS, **connect_kwargs).close()
        return clock
    connection = MySQLdb.connect(**SETTINGS, **connect_kwargs)
    kinds = {
        ("stream", True): cursors.SSDictCursor,
        ("stream", False): cursors.SSCursor,
        ("rows", True): cursors.DictCursor,
    }
    cursor = connection.cursor(kinds.get((work.kind, work.dicts), cursors.Cursor))
    prepare()
    with Clock() as clock:
        for _ in range(work.count):
            if work.kind == "many":
                cursor.execute("TRUNCATE TABLE bench_many")
                cursor.executemany(work.sql, workloads.MANY)
                continue
            cursor.execute(work.sql, work.args)
            if work.kind == "rows":
                cursor.fetchall()
            elif work.kind == "stream":
                while work.chunk and cursor.fetchmany(work.chunk):
                    pass
                for _ in cursor:
                    pass
            else:
                cursor.fetchone()
    cursor.close()
    connection.close()
    return clock
