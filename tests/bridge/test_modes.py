"""asyncio's debug mode, warnings as errors, and loops that are entered again."""

from __future__ import annotations

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
import asyncio
import aiomysql, nest_asyncio
from tests.bridge import script

async def main():
    loop = asyncio.get_running_loop()
    nest_asyncio.apply(loop)
    connections = [await aiomysql.connect(**script.given) for _ in range(8)]

    async def query(connection):
        await connection._perform("DO SLEEP(0.05)")
        await connection.ping()

    # Each task runs the loop again, and waits in there for a task that was woken with it.
    tasks = []
    async def nesting(number):
        await query(connections[number])
        loop.run_until_complete(asyncio.wait_for(tasks[number + 1], 10))

    for number in range(4):
        tasks.append(asyncio.ensure_future(nesting(number)))
    tasks.append(asyncio.ensure_future(query(connections[4])))
    await asyncio.wait_for(asyncio.gather(*tasks), 20)
    loop.run_until_complete(query(connections[5]))
    print("done")

asyncio.run(main())
"""


@pytest.mark.skipif("__import__('os').environ.get('AIOMYSQL_TEST_LOOP') == 'uvloop'", reason="nest_asyncio refuses uvloop")
def test_a_loop_that_is_entered_again(script: Callable[..., str], server: Any) -> None:
    assert script(NESTED, server.connect_kwargs()) == "done\n"


@pytest.mark.skipif("__import__('os').environ.get('AIOMYSQL_TEST_LOOP') == 'uvloop'", reason="nest_asyncio refuses uvloop")
def test_a_loop_that_is_entered_again_with_tasks_woken_together(
    script: Callable[..., str], fake: FakeServer
) -> None:
    code = NESTED.replace("script.given", "given").replace(
        "import asyncio\n", "import asyncio, time\n", 1
    )
    code = code.replace('"DO SLEEP(0.05)"', '"DO 1"').replace(
        "    await asyncio.wait_for(asyncio.gather",
        "    await asyncio.sleep(0)\n    time.sleep(0.1)\n    await asyncio.wait_for(asyncio.gather",
    )
    code = code.replace("async def main", "given = script.given\nasync def main")
    assert script(code, fake.connect_kwargs()) == "done\n"
