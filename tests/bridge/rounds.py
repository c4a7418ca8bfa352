"""What loops do again and again, in a process of its own, whose memory must stop growing.

A process that has run a whole suite has MBs of freed memory, in which a leak would hide.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import warnings
import weakref
from typing import Any, Callable

import aiomysql

from tests.bridge import process
from tests.bridge.fake_server import FakeServer
from tests.fix_asyncio import new_event_loop
from tests.soak.work import PHASES

Kwargs = dict[str, Any]


async def one_query(kwargs: Kwargs, close: bool = True) -> Any:
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


def settles(one_round: Callable[[], object], rounds: int = 12) -> None:
    """Runs rounds until two in succession grow resident memory by less than a MiB each.

    A leak grows in every round; one round may shrink, by what an allocator gives back for once.
    Fails where none do, or where descriptors or threads are more than after the first.
    """
    one_round()
    gc.collect()
    before = len(process.descriptors()), len(process.threads())
    growth: list[int] = []
    while len(growth) < rounds:
        kib = process.resident_kib()
        one_round()
        gc.collect()
        growth.append(process.resident_kib() - kib)
        if max(growth[-2:]) < 1024 and len(growth) > 1:
            break

    def is_back() -> bool:
        now = len(process.descriptors()), len(process.threads())
        return now[0] <= before[0] and now[1] <= before[1]

    assert process.eventually(is_back), (before, process.descriptors(), process.threads())
    assert max(growth[-2:]) < 1024, f"each round grew, in KiB: {growth}"


def loops(kwargs: Kwargs) -> None:
    """A thousand, a fifth of them with a connection."""

    def one_round() -> None:
        for number in range(500):
            use_loop(one_query(kwargs) if number % 5 == 0 else asyncio.sleep(0))

    settles(one_round)


def threads(kwargs: Kwargs) -> None:
    """Eight at once, each with five loops of three connections."""
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
        started = [threading.Thread(target=in_thread, args=(barrier,)) for _ in range(8)]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
        assert not failures, failures

    settles(one_round)


def left_open(kwargs: Kwargs) -> None:
    """Connections that are open when their loop closes, and are collected then."""

    def one_round() -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(30):
                use_loop(one_query(kwargs, close=False))
                gc.collect()
        said = [str(each.message) for each in caught if "Unclosed connection" in str(each.message)]
        assert len(said) == 30, caught

    settles(one_round)


def never_closed(kwargs: Kwargs) -> None:
    """Loops that nobody closes."""

    def once() -> weakref.ref[Any]:
        loop = new_event_loop()
        loop.run_until_complete(one_query(kwargs))
        return weakref.ref(loop)

    def one_round() -> None:
        made = [once() for _ in range(30)]
        # The fallback's thread may be in the middle of waking the last one.
        assert process.eventually(lambda: not any(loop() for loop in made))

    settles(one_round)


def in_flight(closed: bool) -> None:
    """Loops that are closed, or dropped, while a query waits for its answer."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)

    def once(fake: FakeServer) -> weakref.ref[Any]:
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

    def one_round() -> None:
        gone = [once(fake) for _ in range(20)]
        # The fallback's thread may be in the middle of waking the last one.
        assert process.eventually(lambda: not any(task() for task in gone))

    with FakeServer() as fake:
        settles(one_round)
    # What asyncio says about any task that is left behind, and nothing else.
    assert all(line.startswith("Task was destroyed but it is pending!") for line in said), said


def long_work(given: dict[str, Any]) -> None:
    """What `make soak` does, for a moment."""
    loop = new_event_loop()
    work = PHASES[given["phase"]]
    settles(lambda: loop.run_until_complete(work(given["kwargs"], given["count"])))
    loop.close()
