"""What aiomysql.sa costs over the bare cursor, beside SQLAlchemy's own async engine.

    python benches/python/sa.py --port 3306 --user root --db test

All three send the same SELECTs over one connection of the installed aiomysql and read one column of
each row. Their rounds take turns, so that what else the machine does falls on all of them alike;
printed are the medians of the rounds, and their ratios to the cursor's.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiomysql
import sqlalchemy as sa
from aiomysql.sa import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

ROWS = 1000

table = sa.Table(
    "aiomysql_bench_sa",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(50)),
    sa.Column("price", sa.Numeric(10, 2)),
    sa.Column("sold", sa.DateTime),
)
everything = sa.select(table)
by_id = sa.select(table).where(table.c.id == sa.bindparam("wanted"))
columns = ", ".join(f"{table.name}.{column.name}" for column in table.c)

# A case is a coroutine function that sends one SELECT; `n` is the row that it wants, if only one.
Case = Callable[[int], Awaitable[int]]
CASES = {
    f"{ROWS} rows": 20,
    "1 row": 400,
    "1 row, statement made anew": 400,
}


@asynccontextmanager
async def cursor_cases(arguments: dict[str, Any]) -> AsyncIterator[list[Case]]:
    conn = await aiomysql.connect(**arguments, autocommit=True)

    async def fetch(text: str, parameters: Any) -> int:
        async with conn.cursor() as cursor:
            await cursor.execute(text, parameters)
            return sum(row[0] for row in await cursor.fetchall())

    async def all_rows(n: int) -> int:
        return await fetch(f"SELECT {columns} FROM {table.name}", None)

    async def one_row(n: int) -> int:
        return await fetch(f"SELECT {columns} FROM {table.name} WHERE id = %s", (n,))

    yield [all_rows, one_row, one_row]
    conn.close()


@asynccontextmanager
async def sa_cases(arguments: dict[str, Any]) -> AsyncIterator[list[Case]]:
    async with create_engine(**arguments, autocommit=True) as engine, engine.acquire() as conn:

        async def all_rows(n: int) -> int:
            result = await conn.execute(everything)
            return sum(row.id for row in await result.fetchall())

        async def one_row(n: int) -> int:
            result = await conn.execute(by_id, wanted=n)
            return sum(row.id for row in await result.fetchall())

        async def one_row_anew(n: int) -> int:
            result = await conn.execute(sa.select(table).where(table.c.id == n))
            return sum(row.id for row in await result.fetchall())

        yield [all_rows, one_row, one_row_anew]


@asynccontextmanager
async def sqlalchemy_cases(arguments: dict[str, Any]) -> AsyncIterator[list[Case]]:
    url = sa.URL.create(
        "mysql+aiomysql",
        username=arguments["user"],
        password=arguments["password"],
        host=arguments["host"],
        port=arguments["port"],
        database=arguments["db"],
    )
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as conn:

        async def all_rows(n: int) -> int:
            result = await conn.execute(everything)
            return sum(row.id for row in result.fetchall())

        async def one_row(n: int) -> int:
            result = await conn.execute(by_id, {"wanted": n})
            return sum(row.id for row in result.fetchall())

        async def one_row_anew(n: int) -> int:
            result = await conn.execute(sa.select(table).where(table.c.id == n))
            return sum(row.id for row in result.fetchall())

        yield [all_rows, one_row, one_row_anew]
    await engine.dispose()


async def fill(arguments: dict[str, Any]) -> None:
    rows = [
        {"id": n, "name": f"article {n}", "price": n, "sold": f"2024-01-01 00:{n % 60:02}:00"}
        for n in range(1, ROWS + 1)
    ]
    async with create_engine(**arguments, autocommit=True) as engine, engine.acquire() as conn:
        await conn.execute(sa.schema.CreateTable(table))
        await conn.execute(
            f"INSERT INTO {table.name} VALUES (%(id)s, %(name)s, %(price)s, %(sold)s)", rows
        )


async def drop(arguments: dict[str, Any]) -> None:
    async with create_engine(**arguments) as engine, engine.acquire() as conn:
        await conn.execute(f"DROP TABLE {table.name}")


async def seconds(case: Case, times: int) -> float:
    """The time of one SELECT, by the mean of `times`."""
    started = time.perf_counter()
    for n in range(1, times + 1):
        assert await case(n)
    return (time.perf_counter() - started) / times


async def measure(arguments: dict[str, Any], rounds: int) -> None:
    await fill(arguments)
    try:
        await compare(arguments, rounds)
    finally:
        await drop(arguments)


async def compare(arguments: dict[str, Any], rounds: int) -> None:
    async with AsyncExitStack() as stack:
        subjects = {
            "cursor": await stack.enter_async_context(cursor_cases(arguments)),
            "aiomysql.sa": await stack.enter_async_context(sa_cases(arguments)),
            "SQLAlchemy's engine": await stack.enter_async_context(sqlalchemy_cases(arguments)),
        }
        print(f"aiomysql {aiomysql.__version__}, SQLAlchemy {sa.__version__}, {rounds} rounds")
        for index, (title, times) in enumerate(CASES.items()):
            taken: dict[str, list[float]] = {name: [] for name in subjects}
            for cases in subjects.values():
                await seconds(cases[index], times)  # to warm up
            for _ in range(rounds):
                for name, cases in subjects.items():
                    taken[name].append(await seconds(cases[index], times))
            medians = {name: statistics.median(values) for name, values in taken.items()}
            print(f"\n{title}")
            for name, median in medians.items():
                print(f"  {name:20} {median * 1e6:9.1f} µs  {median / medians['cursor']:5.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3306)
    parser.add_argument("--user", default="root")
    parser.add_argument("--password", default="")
    parser.add_argument("--db", default="test")
    parser.add_argument("--rounds", type=int, default=30)
    arguments = vars(parser.parse_args())
    asyncio.run(measure(arguments, arguments.pop("rounds")))


if __name__ == "__main__":
    main()
