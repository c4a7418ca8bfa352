"""What is measured: each workload is a row of one table, run by one of three functions."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

SELECT_1 = "SELECT 1"
POINT = "SELECT id, name, city, score, created, note FROM bench_point WHERE id = %s"
ROWS = "SELECT * FROM bench_rows"
INSERT = "INSERT INTO bench_many (id, name, score, created) VALUES (%s, %s, %s, %s)"
POOL_SIZE = 10


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    # sequence: one query awaited after another; pool: by many tasks; rows: one large result;
    # stream: the same, unbuffered; many: a bulk insert; connect: connections opened and closed.
    kind: str
    sql: str
    args: tuple[Any, ...] | None = None
    # How many queries make one round.
    count: int = 2000
    tasks: int = 1
    dicts: bool = False
    # How many rows a stream fetches at a time; 0: one by one, by `async for`.
    chunk: int = 0
    # The pool's connections.
    connections: int = POOL_SIZE
    # How many rows a statement gives, where figures are for each of them.
    rows: int = 0

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Workload:
        """From fields that came as JSON, where a tuple is a list."""
        args = fields["args"]
        return cls(**{**fields, "args": args and tuple(args)})

    @property
    def unit(self) -> str:
        if self.rows:
            return "µs per row"
        if self.is_one_statement:
            return "ms"
        return "µs each" if self.kind == "connect" else "µs per query"

    @property
    def is_one_statement(self) -> bool:
        return self.kind in ("rows", "stream", "many")

    @property
    def scale(self) -> float:
        """From seconds of a round to the unit."""
        if self.rows:
            return 1e6 / (self.count * self.rows)
        return 1e3 if self.is_one_statement else 1e6 / self.count


WORKLOADS = {
    work.name: work
    for work in (
        Workload("select_1", "SELECT 1", "sequence", SELECT_1),
        Workload("point", "row by primary key", "sequence", POINT, (42,)),
        Workload("pool_10_select_1", "SELECT 1, 10 tasks", "pool", SELECT_1, tasks=10),
        Workload("pool_50_select_1", "SELECT 1, 50 tasks", "pool", SELECT_1, tasks=50),
        Workload("pool_10_point", "row, 10 tasks", "pool", POINT, (42,), tasks=10),
        Workload("pool_50_point", "row, 50 tasks", "pool", POINT, (42,), tasks=50),
        Workload("rows_tuples", "100,000 rows of 8", "rows", ROWS, count=1),
        Workload("rows_dicts", "100,000 rows of 8, as dicts", "rows", ROWS, count=1, dicts=True),
        Workload("stream", "100,000 rows of 8, streamed", "stream", ROWS, count=1),
        Workload(
            "stream_dicts",
            "100,000 rows of 8, streamed as dicts",
            "stream",
            ROWS,
            count=1,
            dicts=True,
        ),
        Workload(
            "stream_chunks",
            "100,000 rows of 8, streamed by fetchmany(1000)",
            "stream",
            ROWS,
            count=1,
            chunk=1000,
        ),
        Workload("executemany", "executemany of 10,000 rows", "many", INSERT, count=1),
        Workload("connect", "connect and close", "connect", "", count=200),
    )
}

_DIGITS = "(SELECT 0 d" + "".join(f" UNION ALL SELECT {d}" for d in range(1, 10)) + ")"
_NUMBERS = (
    "(SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n FROM "
    + ", ".join(f"{_DIGITS} {name}" for name in "abcef")
    + ") numbers"
)

# Statements that fill the database; the same on both servers.
TABLES = (
    "DROP TABLE IF EXISTS bench_point, bench_rows, bench_many",
    "CREATE TABLE bench_many (id INT, name VARCHAR(40), score DOUBLE, created DATETIME)",
    "CREATE TABLE bench_point (id INT PRIMARY KEY, name VARCHAR(40), city VARCHAR(40),"
    " score DOUBLE, created DATETIME, note VARCHAR(80))",
    "INSERT INTO bench_point SELECT n, CONCAT('name ', n), 'Zürich', n / 7,"
    f" '2024-02-29 12:34:56', REPEAT('x', 40) FROM {_NUMBERS} WHERE n <= 1000",
    "CREATE TABLE bench_rows (id INT PRIMARY KEY, big BIGINT, name VARCHAR(40), text VARCHAR(60),"
    " price DECIMAL(12, 2), created DATETIME, day DATE, ratio DOUBLE)",
    "INSERT INTO bench_rows SELECT n, n * 7000000001, CONCAT('name ', n),"
    " CONCAT('žluťoučký kůň ', n), n / 100, TIMESTAMPADD(SECOND, n, '2024-01-01'),"
    " DATE(TIMESTAMPADD(HOUR, n, '2024-01-01')), IF(n % 10 = 0, NULL, n / 3)"
    f" FROM {_NUMBERS}",
)


_START = datetime.datetime(2024, 2, 29, 12, 34, 56)
MANY = [
    (number, f"name {number}", number / 7, _START + datetime.timedelta(seconds=number))
    for number in range(10_000)
]


async def sequence(connection: Any, work: Workload, count: int) -> None:
    async with connection.cursor() as cursor:
        for _ in range(count):
            await cursor.execute(work.sql, work.args)
            await cursor.fetchone()


async def pooled(pool: Any, work: Workload, count: int) -> None:
    async def task() -> None:
        for _ in range(count // work.tasks):
            async with pool.acquire() as connection, connection.cursor() as cursor:
                await cursor.execute(work.sql, work.args)
                await cursor.fetchone()

    await asyncio.gather(*(task() for _ in range(work.tasks)))


async def rows(connection: Any, work: Workload, cursor_class: Any, count: int) -> Any:
    for _ in range(count):
        fetched = None
        async with connection.cursor(cursor_class) as cursor:
            await cursor.execute(work.sql)
            fetched = await cursor.fetchall()
    return fetched


async def stream(connection: Any, work: Workload, cursor_class: Any, count: int) -> None:
    for _ in range(count):
        async with connection.cursor(cursor_class) as cursor:
            await cursor.execute(work.sql)
            if work.chunk:
                while await cursor.fetchmany(work.chunk):
                    pass
            else:
                async for _ in cursor:
                    pass


async def many(connection: Any, work: Workload) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute("TRUNCATE TABLE bench_many")
        await cursor.executemany(work.sql, MANY)


async def connects(connect: Callable[[], Awaitable[Any]], count: int) -> None:
    for _ in range(count):
        connection = await connect()
        await connection.ensure_closed()
