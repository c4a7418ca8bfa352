"""Use that cannot work: clear errors, nothing sent, nothing left behind, no noise."""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import Any, Callable

import aiomysql
import pytest

from tests.bridge import process
from tests.bridge.fake_server import FakeServer
from tests.bridge.test_other_loops import on_another_loop
from tests.fix_asyncio import new_event_loop

# Two tasks on one connection


async def test_two_tasks_on_one_connection(fake: FakeServer, fake_connection: Any) -> None:
    """The second is told so, whatever it calls; the first goes on."""
    cursor = await fake_connection.cursor()
    other = await fake_connection.cursor()
    fake.hold()
    first = asyncio.ensure_future(cursor.execute("DO 1"))
    await asyncio.sleep(0)
    uses: list[Callable[[], Any]] = [
        lambda: other.execute("DO 2"),
        lambda: other.executemany("INSERT INTO t VALUES (%s)", [(1,), (2,)]),
        lambda: other.callproc("p"),
        fake_connection.ping,
        fake_connection.begin,
        fake_connection.commit,
        fake_connection.rollback,
        fake_connection.show_warnings,
        lambda: fake_connection.autocommit(False),
        lambda: fake_connection.query("DO 2"),
        lambda: fake_connection.select_db("d"),
        lambda: fake_connection.set_charset("utf8mb4"),
        lambda: fake_connection.kill(1),
    ]
    for use in uses:
        with pytest.raises(RuntimeError, match="a connection serves one task at a time"):
            await use()
    fake.release()
    await asyncio.wait_for(first, 10)
    assert fake.queries[-1] == "DO 1"
    assert not fake_connection.closed
    fake_connection.autocommit_mode = True
    await other.execute("DO 2")


# After close


async def test_after_close(fake: FakeServer) -> None:
    connection = await aiomysql.connect(**fake.connect_kwargs())
    cursor = await connection.cursor()
    connection.close()
    sent = len(fake.queries)
    uses: list[Callable[[], Any]] = [
        lambda: cursor.execute("DO 1"),
        lambda: cursor.executemany("INSERT INTO t VALUES (%s)", [(1,), (2,)]),
        lambda: cursor.callproc("p"),
        connection.begin,
        connection.commit,
        connection.rollback,
        connection.show_warnings,
        connection.reset,
        lambda: connection.query("DO 1"),
        lambda: connection.select_db("d"),
        lambda: connection.set_charset("utf8mb4"),
        lambda: connection.kill(1),
    ]
    for use in uses:
        with pytest.raises(aiomysql.InterfaceError):
            await use()
    with pytest.raises(aiomysql.InterfaceError):
        connection.cursor()
    with pytest.raises(aiomysql.Error, match="Already closed"):
        await connection.ping(reconnect=False)
    await cursor.close()
    connection.close()
    await connection.ensure_closed()
    assert len(fake.queries) == sent


async def test_a_pool_after_close(fake: FakeServer) -> None:
    pool = await aiomysql.create_pool(**fake.connect_kwargs())
    lent = await pool.acquire()
    pool.close()
    with pytest.raises(RuntimeError, match="after closing pool"):
        await pool.acquire()
    with pytest.raises(RuntimeError, match="after closing pool"):
        async with pool.acquire():
            pass
    # What was lent before is still good, until it comes back.
    await lent.ping()
    pool.release(lent)
    await asyncio.wait_for(pool.wait_closed(), 10)
    assert lent.closed
    pool.close()
    pool.terminate()
    await pool.wait_closed()


# Another loop


async def test_a_pool_belongs_to_its_loop(fake: FakeServer) -> None:
    async with aiomysql.create_pool(minsize=1, maxsize=2, **fake.connect_kwargs()) as pool:

        async def use() -> None:
            async with pool.acquire() as connection:
                await connection.ping()

        error = on_another_loop(use)
        assert isinstance(error, RuntimeError), error
        # Whatever became of that one, the pool's own loop is served.
        await asyncio.wait_for(asyncio.gather(use(), use()), 10)
        assert not pool._used


def test_after_its_loop_is_closed(fake: FakeServer) -> None:
    first = new_event_loop()

    async def make() -> Any:
        pool = await aiomysql.create_pool(minsize=2, **fake.connect_kwargs())
        connection = await pool.acquire()
        return pool, connection, await connection.cursor()

    pool, connection, cursor = first.run_until_complete(make())
    first.close()

    async def borrow() -> None:
        async with pool.acquire() as lent:
            await lent.ping()

    async def use() -> None:
        uses: list[Callable[[], Any]] = [
            connection.ping,
            lambda: cursor.execute("DO 1"),
            borrow,
        ]
        for each in uses:
            with pytest.raises(RuntimeError, match=r"another event loop|Event loop is closed"):
                await asyncio.wait_for(each(), 10)

    second = new_event_loop()
    second.run_until_complete(use())
    second.close()
    pool.terminate()
    connection.close()
    assert connection.closed


# Never awaited, never closed


async def test_what_is_never_awaited_does_nothing(fake: FakeServer, fake_connection: Any) -> None:
    pool = await aiomysql.create_pool(minsize=1, maxsize=1, **fake.connect_kwargs())
    cursor = await fake_connection.cursor()
    sent = len(fake.queries)
    with warnings.catch_warnings():
        # Python's own warning, for those that are `async def`.
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        for _ in range(20):
            aiomysql.connect(**fake.connect_kwargs())
            aiomysql.create_pool(**fake.connect_kwargs())
            pool.acquire()
            fake_connection.cursor()
            fake_connection.ping()
            fake_connection.begin()
            fake_connection.query("DO 1")
            cursor.execute("DO 1")
            cursor.executemany("INSERT INTO t VALUES (%s)", [(1,), (2,)])
            cursor.close()
        gc.collect()
    assert len(fake.queries) == sent
    assert (pool.size, pool.freesize, len(pool._used)) == (1, 1, 0)
    await cursor.execute("DO 2")
    async with pool.acquire() as connection:
        await connection.ping()
    pool.close()
    await pool.wait_closed()


@process.linux_only
async def test_a_pool_that_is_dropped(fake: FakeServer) -> None:
    """Its connections are closed, each with Python's warning of what was left open."""
    await (await aiomysql.connect(**fake.connect_kwargs())).ensure_closed()
    before = len(process.descriptors())
    for lent in (False, True):
        pool = await aiomysql.create_pool(minsize=3, **fake.connect_kwargs())
        held = [await pool.acquire()] if lent else []
        with pytest.warns(ResourceWarning, match="Unclosed connection"):
            del pool
            held.clear()
            gc.collect()
        for _ in range(200):
            if len(process.descriptors()) <= before:
                break
            await asyncio.sleep(0.01)
        # The server's ends are in this process, too.
        assert len(process.descriptors()) <= before


# The end of the program


END = """
import asyncio, atexit, sys, threading, warnings
import aiomysql
from tests.bridge import script

warnings.simplefilter("ignore", ResourceWarning)

async def main():
    global pool, connection, cursor
    pool = await aiomysql.create_pool(minsize=2, **script.given)
    connection = await pool.acquire()
    cursor = await connection.cursor()
    await cursor.execute("SELECT 1")

{end}
"""

ENDS = {
    "atexit closes": """
def close():
    connection.close()
    pool.release(connection)
    pool.terminate()

atexit.register(close)
script.run(main())
""",
    "a finaliser closes": """
class Holder:
    def __del__(self):
        self.connection.close()
        self.pool.terminate()

script.run(main())
holder = Holder()
holder.pool, holder.connection = pool, connection
sys.modules["holder"] = holder
""",
    "a daemon thread runs on": """
started = threading.Event()

async def forever():
    await main()
    started.set()
    while True:
        await cursor.execute("SELECT 1")

def run():
    script.run(forever())

threading.Thread(target=run, daemon=True).start()
started.wait(20)
""",
    "a loop that is not closed": """
loop = script.new_event_loop()
loop.run_until_complete(main())
waiting = loop.create_task(cursor.execute("SELECT SLEEP(20)"))
waiting._log_destroy_pending = False
loop.run_until_complete(asyncio.sleep(0.02))
sys.modules["kept"] = loop
""",
    "an error that nobody catches": """
async def fail():
    await main()
    raise SystemExit(0)

script.run(fail())
""",
}


@pytest.mark.parametrize("end", ENDS)
def test_at_the_end_of_the_program(script: Callable[..., str], fake: FakeServer, end: str) -> None:
    assert script(END.replace("{end}", ENDS[end]), fake.connect_kwargs()) == ""
