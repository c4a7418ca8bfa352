"""Loops come and go: nothing of them stays behind, and they end in silence."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import weakref
from typing import Any, Callable

import aiomysql
import pytest

from tests.bridge import process
from tests.bridge.fake_server import FakeServer
from tests.fix_asyncio import new_event_loop

pytestmark = process.linux_only
is_uvloop = os.environ.get("AIOMYSQL_TEST_LOOP") == "uvloop"


async def one_query(kwargs: dict[str, Any], close: bool = True) -> Any:
    connection = await aiomysql.connect(**kwargs)
    cursor = await connection.cursor()
    await cursor.execute("SELECT 1")
    if close:
        await connection.ensure_closed()
    return connection


def use_loop(work: Any) -> None:
    loop = new_event_loop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


def assert_flat(before: tuple[int, int], kib: int, growth_kib: int) -> None:
    def is_back() -> bool:
        return len(process.descriptors()) <= before[0] and len(process.threads()) <= before[1]

    assert process.eventually(is_back), (before, process.descriptors(), process.threads())
    assert process.resident_kib() - kib < growth_kib


def footprint() -> tuple[tuple[int, int], int]:
    gc.collect()
    return (len(process.descriptors()), len(process.threads())), process.resident_kib()


def test_a_thousand_loops_leave_nothing(server: Any) -> None:
    kwargs = server.connect_kwargs(host="127.0.0.1")
    for _ in range(20):
        use_loop(one_query(kwargs))
    before, kib = footprint()
    for number in range(1000):
        use_loop(one_query(kwargs) if number % 5 == 0 else asyncio.sleep(0))
    assert_flat(before, kib, 8 * 1024)


def test_eight_threads_with_a_loop_each_leave_nothing(server: Any) -> None:
    kwargs = server.connect_kwargs(host="127.0.0.1")
    failures: list[BaseException] = []

    async def several() -> None:
        await asyncio.gather(*(one_query(kwargs) for _ in range(3)))

    def in_thread(barrier: threading.Barrier) -> None:
        barrier.wait(10)
        try:
            for _ in range(5):
                use_loop(several())
        except BaseException as error:
            failures.append(error)

    def one_round() -> None:
        barrier = threading.Barrier(8)
        threads = [threading.Thread(target=in_thread, args=(barrier,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures

    one_round()
    before, kib = footprint()
    for _ in range(4):
        one_round()
    assert_flat(before, kib, 24 * 1024)


def test_connections_left_open_end_with_their_loop(fake: FakeServer) -> None:
    def leave_open() -> None:
        use_loop(one_query(fake.connect_kwargs(), close=False))
        gc.collect()

    def once() -> None:
        with pytest.warns(ResourceWarning, match="Unclosed connection"):
            leave_open()

    # In a process that has run a whole suite the allocators take a while to settle.
    for _ in range(30):
        once()
    before, kib = footprint()
    for _ in range(50):
        once()
    assert_flat(before, kib, 4 * 1024)


@pytest.mark.skipif(is_uvloop, reason="uvloop keeps its loops until they are closed")
@pytest.mark.filterwarnings("ignore:unclosed event loop:ResourceWarning")
def test_loops_that_are_never_closed_leave_nothing(fake: FakeServer) -> None:
    def once() -> weakref.ref[Any]:
        loop = new_event_loop()
        loop.run_until_complete(one_query(fake.connect_kwargs()))
        return weakref.ref(loop)

    once()
    before, kib = footprint()
    loops = [once() for _ in range(50)]
    # The fallback's thread may be in the middle of waking the last one.
    assert process.eventually(lambda: not any(loop() for loop in loops))
    assert_flat(before, kib, 4 * 1024)


@pytest.mark.filterwarnings("ignore:unclosed event loop:ResourceWarning")
@pytest.mark.parametrize("closed", [True, False], ids=["closed", "dropped"])
def test_a_loop_may_die_with_a_query_in_flight(
    fake: FakeServer, caplog: pytest.LogCaptureFixture, closed: bool
) -> None:
    if is_uvloop and not closed:
        pytest.skip("uvloop keeps its loops until they are closed")

    def once() -> weakref.ref[Any]:
        loop = new_event_loop()
        connection = loop.run_until_complete(one_query(fake.connect_kwargs(), close=False))
        fake.hold()
        task = loop.create_task(connection._perform("DO 1"))
        loop.run_until_complete(asyncio.sleep(0.01))
        assert not task.done()
        if closed:
            loop.close()
        gone = weakref.ref(task)
        del loop, task
        connection.close()
        fake.release()
        return gone

    gone = [once()]
    before, kib = footprint()
    for _ in range(20):
        gone.append(once())
    gc.collect()
    assert [task() for task in gone] == [None] * 21
    assert_flat(before, kib, 4 * 1024)
    # What asyncio says about any task that is left behind, and nothing else.
    assert {record.message for record in caplog.records} <= {
        line for line in caplog.messages if line.startswith("Task was destroyed but it is pending!")
    }


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
