"""asyncio's debug mode, warnings as errors, and loops that are entered again."""

from __future__ import annotations

import os
from typing import Any, Callable

import pytest

from tests.bridge.fake_server import FakeServer

WORKLOAD = """
import asyncio
import aiomysql
from tests.bridge import script

async def query(connection, n):
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT %s", (n,))
        return await cursor.fetchone()

async def main():
    # A busy machine may take long for any step, and this is not about that.
    asyncio.get_running_loop().slow_callback_duration = 60
    async with aiomysql.create_pool(minsize=2, maxsize=4, **script.given) as pool:
        async def lend(n):
            async with pool.acquire() as connection:
                return await query(connection, n)
        assert await asyncio.gather(*map(lend, range(20))) == [(n,) for n in range(20)]
    async with aiomysql.connect(**script.given) as connection:
        assert await asyncio.wait_for(query(connection, 1), 10) == (1,)
        try:
            await query(connection, object)
            await asyncio.wait_for(connection._perform("DO SLEEP(20)"), 0.05)
        except asyncio.TimeoutError:
            pass
        assert connection.closed
    print("done")

script.run(main())
"""


def test_debug_mode_and_warnings_as_errors(script: Callable[..., str], server: Any) -> None:
    out = script(WORKLOAD, server.connect_kwargs(), ("-W", "error"), PYTHONASYNCIODEBUG="1")
    assert out == "done\n"


def test_development_mode(script: Callable[..., str], server: Any) -> None:
    assert script(WORKLOAD, server.connect_kwargs(), ("-X", "dev", "-W", "error")) == "done\n"


NESTED = """
import asyncio, time
import aiomysql, nest_asyncio
from tests.bridge import script

async def main():
    loop = asyncio.get_running_loop()
    nest_asyncio.apply(loop)
    connections = [await aiomysql.connect(**script.given) for _ in range(12)]

    async def query(connection):
        await connection._perform("DO SLEEP(0.05)")
        await connection.ping()

    # Tasks run the loop again, and wait in there for another command, and for a task that was
    # woken in the same moment.
    async def nest(number):
        await query(connections[number])
        loop.run_until_complete(query(connections[number + 4]))
        # No wait_for: from 3.14 on asyncio does not know nest_asyncio's tasks as current ones.
        loop.run_until_complete(asyncio.wait({plain}, timeout=10))
        plain.result()

    tasks = [asyncio.ensure_future(nest(number)) for number in range(4)]
    plain = asyncio.ensure_future(query(connections[8]))
    await asyncio.sleep(0)
    time.sleep(0.2)
    await asyncio.wait_for(asyncio.gather(*tasks), 20)
    loop.run_until_complete(query(connections[9]))
    print("done")

asyncio.run(main())
"""


@pytest.mark.skipif(
    os.environ.get("AIOMYSQL_TEST_LOOP") == "uvloop", reason="nest_asyncio refuses uvloop"
)
def test_a_loop_that_is_entered_again(script: Callable[..., str], fake: FakeServer) -> None:
    assert script(NESTED, fake.connect_kwargs()) == "done\n"


@pytest.mark.skipif(
    os.environ.get("AIOMYSQL_TEST_LOOP") == "uvloop", reason="nest_asyncio refuses uvloop"
)
def test_a_loop_that_is_entered_again_on_a_server(script: Callable[..., str], server: Any) -> None:
    assert script(NESTED, server.connect_kwargs()) == "done\n"
