"""A worker that sums up readings by the hour: `python -m examples.streaming_worker`.

It streams one table and writes another in bulk, on two connections, and holds a batch at a time,
however large the table is. SIGTERM ends it after the batch that is under way; the next run goes on
from there, as each row that is written says up to which reading it counts.
"""

from __future__ import annotations

import asyncio
import signal
from collections import defaultdict
from datetime import datetime

import aiomysql

from examples.settings import server

BATCH = 1000

#: The tables that the worker needs.
SCHEMA = (
    "CREATE TABLE worker_readings"
    " (id BIGINT AUTO_INCREMENT PRIMARY KEY, taken DATETIME(6) NOT NULL, value DOUBLE NOT NULL)",
    "CREATE TABLE worker_hours"
    " (hour DATETIME, up_to BIGINT, total DOUBLE NOT NULL, PRIMARY KEY (up_to, hour))",
)


async def main() -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    try:
        async with aiomysql.create_pool(**server(), minsize=2, maxsize=2) as pool:
            print(f"{await work(pool, stopping)} readings were added", flush=True)
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def work(pool: aiomysql.Pool, stopping: asyncio.Event) -> int:
    added = 0
    async with pool.acquire() as source, pool.acquire() as sink:
        place = await where_it_was(sink)
        async with source.cursor(aiomysql.SSCursor) as stream:
            await stream.execute(
                "SELECT id, taken, value FROM worker_readings WHERE id > %s ORDER BY id", (place,)
            )
            while not stopping.is_set():
                batch = await stream.fetchmany(BATCH)
                if not batch:
                    break
                await add(sink, batch)
                added += len(batch)
            else:
                # What is left of the stream is not wanted: reading it could take hours.
                source.close()
    return added


async def where_it_was(sink: aiomysql.Connection) -> int:
    async with sink.cursor() as cur:
        await cur.execute("SELECT COALESCE(MAX(up_to), 0) FROM worker_hours")
        row = await cur.fetchone()
    return row[0] if row else 0


async def add(sink: aiomysql.Connection, batch: list[tuple[int, datetime, float]]) -> None:
    totals: defaultdict[datetime, float] = defaultdict(float)
    for _, taken, value in batch:
        totals[taken.replace(minute=0, second=0, microsecond=0)] += value
    up_to = batch[-1][0]
    async with sink.cursor() as cur:
        await cur.executemany(
            "INSERT INTO worker_hours (hour, up_to, total) VALUES (%s, %s, %s)",
            [(hour, up_to, total) for hour, total in sorted(totals.items())],
        )
    await sink.commit()


if __name__ == "__main__":
    asyncio.run(main())
