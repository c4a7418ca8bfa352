"""A forked child leaves its parent's connections alone, and makes its own."""

from __future__ import annotations

import sys
from typing import Any, Callable

import pytest

pytestmark = pytest.mark.skipif(not hasattr(sys.modules["os"], "fork"), reason="no fork here")

# The parent's connection has a command in flight while the child runs, and another after it.
CODE = """
import asyncio, gc, os, sys, warnings
import aiomysql
from tests.bridge import script
from tests.fix_asyncio import new_event_loop

# That a process with threads is forked is what the fallback is tested for.
warnings.filterwarnings("ignore", ".*multi-threaded, use of fork", DeprecationWarning)

async def query(connection, sql="SELECT 42"):
    async with connection.cursor() as cursor:
        await cursor.execute(sql)
        return await cursor.fetchone()

def check(status):
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit("the child failed")

parent = new_event_loop()
asyncio.set_event_loop(parent)
idle = parent.run_until_complete(aiomysql.connect(**script.given))
busy = parent.run_until_complete(aiomysql.connect(**script.given))
cursor = parent.run_until_complete(idle.cursor())
flying = parent.create_task(query(busy, "SELECT SLEEP(0.5)"))
parent.run_until_complete(asyncio.sleep(0.1))

def in_child():
{child}

pid = os.fork()
if pid == 0:
    kept = flying
    try:
        in_child()
    except BaseException:
        import traceback
        traceback.print_exc()
        os._exit(1)
    # The garbage collector would close the loop, and asyncio's own close() takes the parent's
    # self-pipe out of the epoll that both share.
    parent.close = lambda: None
    if kept:
        kept._log_destroy_pending = False
    {leave}(0)

async def after():
    _, status = await asyncio.get_running_loop().run_in_executor(None, os.waitpid, pid, 0)
    check(status)
    assert await flying == (0,)
    for connection in (idle, busy):
        for _ in range(20):
            assert await query(connection) == (42,)
        await connection.ensure_closed()
    # The epoll that the child inherited is still whole: new sockets are heard on it.
    async with aiomysql.connect(**script.given) as connection:
        assert await query(connection) == (42,)

parent.run_until_complete(after())
parent.close()
print("done")
"""

CHILDREN = {
    "nothing": "pass",
    "uses": """
async def use(awaitable):
    try:
        await awaitable
    except (RuntimeError, aiomysql.InterfaceError) as error:
        return str(error)
    raise SystemExit("the parent's connection was used")

async def main():
    assert idle.closed and busy.closed
    for connection in (idle, busy):
        for each in (query(connection), connection.begin(), connection._perform("DO 1")):
            text = await use(each)
            assert "forked" in text or "Not connected" in text, text
    text = await use(flying.get_coro())
    assert "fork" in text or "already" in text, text

script.run(main())
""",
    "closes": """
idle.close()
busy.close()
cursor = None
""",
    "drops": """
global idle, busy, cursor, flying, kept
with warnings.catch_warnings():
    warnings.simplefilter("error")
    flying._log_destroy_pending = False
    idle = busy = cursor = flying = kept = None
    gc.collect()
    gc.collect()
""",
    "makes its own": """
async def main():
    async with aiomysql.connect(**script.given) as connection:
        for _ in range(50):
            assert await query(connection) == (42,)
    async with aiomysql.create_pool(minsize=2, **script.given) as pool:
        async with pool.acquire() as connection:
            assert await query(connection) == (42,)
    idle.close()

script.run(main())
""",
    "forks again": """
pid = os.fork()
if pid == 0:
    async def main():
        async with aiomysql.connect(**script.given) as connection:
            assert await query(connection) == (42,)
    script.run(main())
    idle.close()
    os._exit(0)
check(os.waitpid(pid, 0)[1])
""",
}


@pytest.mark.parametrize("leave", ["os._exit", "sys.exit"])
@pytest.mark.parametrize("child", CHILDREN)
def test_a_forked_child(script: Callable[..., str], server: Any, child: str, leave: str) -> None:
    indented = "\n".join(f"    {line}" for line in CHILDREN[child].splitlines())
    code = CODE.replace("{child}", indented).replace("{leave}", leave)
    assert script(code, server.connect_kwargs()).splitlines()[-1] == "done"


def test_multiprocessing(script: Callable[..., str], server: Any) -> None:
    code = """
import multiprocessing, warnings
import aiomysql
from tests.bridge import script

warnings.filterwarnings("ignore", ".*multi-threaded, use of fork", DeprecationWarning)

async def work():
    async with aiomysql.connect(**script.given) as connection, connection.cursor() as cursor:
        await cursor.execute("SELECT 42")
        return (await cursor.fetchone())[0]

def in_child(_):
    return script.run(work())

assert script.run(work()) == 42
with multiprocessing.get_context("fork").Pool(3) as pool:
    print(pool.map(in_child, range(6)))
assert script.run(work()) == 42
"""
    assert script(code, server.connect_kwargs()) == f"{[42] * 6}\n"


def test_a_server_that_forks_its_workers(script: Callable[..., str], server: Any) -> None:
    """A pool made before the fork is the parent's; each worker makes its own; all go on."""
    code = """
import asyncio, os, sys, warnings
import aiomysql
from tests.bridge import script
from tests.fix_asyncio import new_event_loop

warnings.filterwarnings("ignore", ".*multi-threaded, use of fork", DeprecationWarning)

async def serve(pool, requests):
    async def request(number):
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute("SELECT %s, CONNECTION_ID()", (number,))
            assert await cursor.fetchone() == (number, connection.thread_id())
    for turn in range(requests):
        await asyncio.gather(*(request(10 * turn + number) for number in range(10)))

parent = new_event_loop()
asyncio.set_event_loop(parent)
pool = parent.run_until_complete(aiomysql.create_pool(minsize=3, maxsize=5, **script.given))
parent.run_until_complete(serve(pool, 3))

async def work():
    for use in (pool.acquire, pool.clear):
        try:
            connection = await asyncio.wait_for(use(), 20)
        except (RuntimeError, aiomysql.Error) as error:
            continue
        assert use == pool.clear or connection not in inherited
    async with aiomysql.create_pool(minsize=2, maxsize=4, **script.given) as own:
        await serve(own, 10)

inherited = list(pool._free)
workers = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        # asyncio's own close() takes the parent's self-pipe out of the epoll that both share.
        parent.close = lambda: None
        script.run(work())
        sys.exit(0)
    workers.append(pid)

async def go_on():
    running = asyncio.get_running_loop()
    ends = [running.run_in_executor(None, os.waitpid, pid, 0) for pid in workers]
    while not all(end.done() for end in ends):
        await serve(pool, 1)
    for end in ends:
        assert os.waitstatus_to_exitcode((await end)[1]) == 0
    await serve(pool, 10)
    assert set(inherited) <= set(pool._free) and pool.size == pool.freesize
    pool.close()
    await pool.wait_closed()

parent.run_until_complete(go_on())
parent.run_until_complete(parent.shutdown_default_executor())
parent.close()
print("done")
"""
    assert script(code, server.connect_kwargs()) == "done\n"
