"""Which driver serves a loop, and that the loop-driven one involves no other thread."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import Any, Callable

import aiomysql
import pytest

from tests.bridge import process
from tests.bridge.fake_server import FakeServer

EXPECTED = os.environ.get("AIOMYSQL_TEST_DRIVER") or (
    "loop" if sys.platform == "linux" else "fallback"
)


class BlindLoop(asyncio.SelectorEventLoop):
    """A loop that watches no descriptors, as the Proactor loop."""

    def add_reader(self, *_: Any) -> Any:
        raise NotImplementedError


def driver_on(loop: asyncio.AbstractEventLoop, fake: FakeServer) -> str | None:
    async def main() -> str | None:
        async with aiomysql.connect(**fake.connect_kwargs()) as connection:
            await connection.ping()
            return connection._driver  # type: ignore[no-any-return]

    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


async def test_the_expected_driver_is_active(connection: Any) -> None:
    assert connection._driver == EXPECTED


async def test_all_connections_of_a_loop_share_one_driver(fake: FakeServer) -> None:
    def epolls() -> int:
        return list(process.descriptors().values()).count("anon_inode:[eventpoll]")

    before = epolls()
    connections = [await aiomysql.connect(**fake.connect_kwargs()) for _ in range(5)]
    made = epolls() - before
    for connection in connections:
        connection.close()
    if EXPECTED == "loop":
        # The runtime's epoll, mio's duplicate of it, and ours.
        assert made == 3


def test_the_switch_forces_the_fallback(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOMYSQL_DRIVER", "fallback")
    assert driver_on(asyncio.new_event_loop(), fake) == "fallback"


def test_an_unknown_driver_is_refused(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOMYSQL_DRIVER", "warp")
    with pytest.raises(RuntimeError, match='AIOMYSQL_DRIVER is "warp"'):
        driver_on(asyncio.new_event_loop(), fake)


def test_a_loop_that_watches_nothing_falls_back(
    fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIOMYSQL_DRIVER", raising=False)
    assert driver_on(BlindLoop(), fake) == "fallback"


def test_a_loop_that_watches_nothing_cannot_be_made_to_drive(
    fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOMYSQL_DRIVER", "loop")
    before = process.descriptors()
    with pytest.raises(RuntimeError, match="AIOMYSQL_DRIVER=loop") as raised:
        driver_on(BlindLoop(), fake)
    assert isinstance(raised.value.__cause__, NotImplementedError)
    del raised
    assert process.eventually(lambda: process.descriptors().keys() <= before.keys())


@process.linux_only
@pytest.mark.skipif(EXPECTED != "loop", reason="the fallback has a thread")
async def test_a_thousand_queries_involve_no_other_thread(
    table: Callable[..., str], cursor: Any, server: Any
) -> None:
    name = table("id INT PRIMARY KEY, v INT")
    server.query(f"INSERT INTO {name} VALUES (1, 42)")
    await cursor.execute(f"SELECT v FROM {name} WHERE id = %s", (1,))
    # Threads of earlier tests (name resolution) may still be ending; none may begin.
    others = process.threads().keys() - {threading.get_native_id()}
    before = {thread: process.voluntary_switches(thread) for thread in others}
    for _ in range(1000):
        await cursor.execute(f"SELECT v FROM {name} WHERE id = %s", (1,))
        assert await cursor.fetchone() == (42,)
    now = process.threads()
    assert now.keys() - {threading.get_native_id()} <= others
    ours = {thread for thread in others & now.keys() if now[thread].startswith("aiomysql")}
    assert {thread: process.voluntary_switches(thread) for thread in ours} == {
        thread: before[thread] for thread in ours
    }


@process.linux_only
@pytest.mark.skipif(EXPECTED != "loop", reason="the fallback has a thread")
def test_the_loop_driven_runtime_has_no_thread_at_all(
    script: Callable[..., str], server: Any
) -> None:
    code = """
import aiomysql
from tests.bridge import process, script

async def main():
    # uvloop has one of its own.
    before = len(process.threads())
    async with aiomysql.connect(**script.given) as connection:
        cursor = await connection.cursor()
        for _ in range(100):
            await cursor.execute("SELECT 1")
    print(len(process.threads()) - before)

script.run(main())
"""
    assert script(code, server.connect_kwargs()) == "0\n"


@process.linux_only
async def test_every_descriptor_closes_on_exec(fake_connection: Any) -> None:
    await fake_connection.ping()
    for number, kind in process.descriptors().items():
        if kind.startswith(("anon_inode", "socket")):
            assert not os.get_inheritable(number), kind
