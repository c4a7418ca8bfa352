"""Loops come and go: nothing of them stays behind, and they end in silence."""

from __future__ import annotations

import asyncio
import gc
import os
import warnings
from typing import Any, Callable

import pytest

from tests.bridge import process
from tests.bridge.fake_server import FakeServer
from tests.bridge.rounds import one_query, use_loop
from tests.fix_asyncio import new_event_loop

pytestmark = process.linux_only
is_uvloop = os.environ.get("AIOMYSQL_TEST_LOOP") == "uvloop"

SCRIPT = "from tests.bridge import rounds, script; rounds.{}(script.given)"


@pytest.mark.parametrize("what", ["loops", "threads"])
def test_leave_nothing(server: Any, script: Callable[..., str], what: str) -> None:
    assert script(SCRIPT.format(what), server.connect_kwargs(host="127.0.0.1")) == ""


@pytest.mark.vendor("mariadb")
@pytest.mark.parametrize(
    ("phase", "count"), [("queries", 1000), ("connects", 100), ("cancels", 50), ("pools", 20)]
)
def test_long_work_leaves_nothing(
    server: Any, script: Callable[..., str], phase: str, count: int
) -> None:
    kwargs = server.connect_kwargs(host="127.0.0.1", autocommit=True)
    given = {"phase": phase, "count": count, "kwargs": kwargs}
    assert script(SCRIPT.format("long_work"), given) == ""


@pytest.mark.parametrize("what", ["left_open", "never_closed"])
def test_loops_with_connections_leave_nothing(
    fake: FakeServer, script: Callable[..., str], what: str
) -> None:
    if is_uvloop and what == "never_closed":
        pytest.skip("uvloop keeps its loops until they are closed")
    assert script(SCRIPT.format(what), fake.connect_kwargs()) == ""


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "dropped"])
def test_a_loop_may_die_with_a_query_in_flight(script: Callable[..., str], closed: bool) -> None:
    if is_uvloop and not closed:
        pytest.skip("uvloop keeps its loops until they are closed")
    assert script(SCRIPT.format("in_flight"), closed) == ""


@pytest.mark.skipif(is_uvloop, reason="uvloop's methods cannot be overridden")
def test_a_collection_in_any_thread_closes_connections(fake: FakeServer) -> None:
    """Also in the fallback driver's own, when it wakes the loop."""

    class Loop(asyncio.SelectorEventLoop):
        def call_soon_threadsafe(self, *args: Any, **kwargs: Any) -> Any:
            gc.collect()
            return super().call_soon_threadsafe(*args, **kwargs)

    async def leave_open() -> None:
        connection = await one_query(fake.connect_kwargs(), close=False)
        cycle = [connection]
        cycle.append(cycle)

    async def main() -> None:
        working = await one_query(fake.connect_kwargs(), close=False)
        before = len(process.descriptors())
        for _ in range(5):
            await leave_open()
        for _ in range(5):
            await working.ping()
        gc.collect()
        assert process.eventually(lambda: len(process.descriptors()) <= before)
        working.close()

    gc.disable()
    loop = Loop()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            loop.run_until_complete(main())
    finally:
        gc.enable()
        loop.close()


def test_a_connection_whose_loop_is_closed_says_so(fake: FakeServer) -> None:
    first = new_event_loop()
    connection = first.run_until_complete(one_query(fake.connect_kwargs(), close=False))
    first.close()
    with pytest.raises(RuntimeError, match=r"another event loop|Event loop is closed"):
        use_loop(connection.ping())
    connection.close()
    assert connection.closed


def test_ends_in_silence(script: Callable[..., str], fake: FakeServer) -> None:
    """Connections, cursors and pools left open at the end of the program print nothing."""
    code = """
import aiomysql
from tests.bridge import script

async def main():
    global kept
    pool = await aiomysql.create_pool(minsize=2, **script.given)
    lent = await pool.acquire()
    kept = await aiomysql.connect(**script.given), pool, lent, await lent.cursor()
    await kept[0].ping()

script.run(main())
"""
    for _ in range(3):
        assert script(code, fake.connect_kwargs()) == ""


def test_exits_in_silence_in_the_middle_of_things(
    script: Callable[..., str], fake: FakeServer
) -> None:
    """SystemExit from a task, with queries in flight."""
    code = """
import asyncio, logging
import aiomysql
from tests.bridge import script

# asyncio itself complains of tasks that are left behind.
logging.disable(logging.CRITICAL)

async def main():
    connections = [await aiomysql.connect(**script.given) for _ in range(5)]
    tasks = [asyncio.ensure_future(each._perform("DO 1")) for each in connections]
    await asyncio.sleep(0)
    raise SystemExit(0)

script.run(main())
"""
    for _ in range(5):
        assert script(code, fake.connect_kwargs()) == ""


@pytest.mark.vendor("mariadb")
@pytest.mark.parametrize("turns", [0, 3])
def test_a_loop_that_ends_while_a_cancelled_query_is_being_killed(
    script: Callable[..., str], server: Any, turns: int
) -> None:
    code = """
import asyncio
import aiomysql
from tests.bridge import script

async def main():
    connection = await aiomysql.connect(cancel="kill", **script.given["connect"])
    cursor = await connection.cursor()
    task = asyncio.ensure_future(cursor.execute("SELECT SLEEP(20)"))
    await asyncio.sleep(0.05)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    for _ in range(script.given["turns"]):
        await asyncio.sleep(0)

script.run(main())
"""
    assert script(code, {"connect": server.connect_kwargs(), "turns": turns}) == ""
