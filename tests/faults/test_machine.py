"""A pool driven by hypothesis: any order of acquire, release, cancel, kill and close.

The oracle knows who has a connection and who waits for one. After every step the counts add up,
waiters are served in order as far as there is room, and what is lent works. It waits for the
machinery to get there; that somebody waits for ever shows as a deadline that passes.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar

import aiomysql
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.faults.support import eventually
from tests.fix_asyncio import new_event_loop
from tests.fix_servers import RunningServer
from tests.pool.support import counts, killed, settled

T = TypeVar("T")

MOST = 3

#: Nobody waits longer, on any machine.
SECONDS = 30

which = st.integers(0, 5)
turns = st.integers(0, 12)


@dataclass(eq=False)
class Lent:
    connection: Any
    #: Its session was ended, here or at the server.
    dead: bool = False


class PoolMachine(RuleBasedStateMachine):
    def __init__(self, server: RunningServer) -> None:
        super().__init__()
        self.server = server
        self.loop = new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.noise: list[Any] = []
        self.loop.set_exception_handler(lambda _loop, context: self.noise.append(context))
        self.lent: list[Lent] = []
        self.waiting: list[asyncio.Task[Any]] = []
        self.markers = (f"marker {number}" for number in itertools.count())
        self.sessions: set[int] = set()
        self.killed: set[Any] = set()
        self.pool: Any = None

    @initialize(autocommit=st.booleans())
    def create(self, autocommit: bool) -> None:
        """Without autocommit, every release has a transaction to end first."""

        async def step() -> Any:
            arguments = self.server.connect_kwargs(autocommit=autocommit)
            return await aiomysql.create_pool(minsize=1, maxsize=MOST, **arguments)

        self.pool = self.run(step())

    def run(self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(asyncio.wait_for(work, SECONDS))

    # What the oracle expects.

    async def settle(self) -> None:
        """Whoever has a right to a connection gets one, and nobody else does."""
        while self.waiting and len(self.lent) < MOST:
            await self.served(self.waiting.pop(0))
        await settled(3)
        assert not any(task.done() for task in self.waiting)

    async def served(self, task: asyncio.Task[Any]) -> None:
        connection = await asyncio.wait_for(asyncio.shield(task), SECONDS)
        assert connection not in [each.connection for each in self.lent]
        self.lent.append(Lent(connection))
        self.sessions.add(connection.thread_id())
        await self.asked(connection)

    async def asked(self, connection: Any, streamed: bool = False) -> None:
        """Its own answer, and nobody else's."""
        marker = next(self.markers)
        kind = aiomysql.SSCursor if streamed else aiomysql.Cursor
        async with connection.cursor(kind) as cursor:
            await cursor.execute("SELECT %s, CONNECTION_ID()", (marker,))
            assert list(await cursor.fetchall()) == [(marker, connection.thread_id())]

    def pick(self, number: int) -> Lent:
        return self.lent[number % len(self.lent)]

    @invariant()
    def the_counts_add_up(self) -> None:
        size, free, used = counts(self.pool)
        assert size <= MOST
        assert used == len(self.lent)
        assert self.pool._used == {each.connection for each in self.lent}
        assert free + used <= size
        assert self.noise == []

    # Steps.

    @rule()
    def acquire(self) -> None:
        async def step() -> None:
            self.waiting.append(asyncio.ensure_future(self.pool._acquire()))
            await self.settle()

        self.run(step())

    @rule(after=turns)
    def acquire_and_cancel(self, after: int) -> None:
        """Cancelled in the queue, while its connection is opened, or too late."""

        async def step() -> None:
            task = asyncio.ensure_future(self.pool._acquire())
            await settled(after)
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                await self.served(task)
            await self.settle()

        self.run(step())

    @rule(number=which)
    def cancel_a_waiter(self, number: int) -> None:
        if not (self.waiting):
            return

        async def step() -> None:
            task = self.waiting.pop(number % len(self.waiting))
            task.cancel()
            await asyncio.wait({task})
            assert task.cancelled()
            await self.settle()

        self.run(step())

    @rule(number=which)
    def release(self, number: int) -> None:
        if not (self.lent):
            return

        async def step() -> None:
            self.pool.release(self.lent.pop(number % len(self.lent)).connection)
            await self.settle()

        self.run(step())

    @rule(number=which, after=turns)
    def release_and_cancel_the_next(self, number: int, after: int) -> None:
        """Its turn has come, but it does not want it any more: it is the next one's."""

        if not (self.waiting and self.lent):
            return

        async def step() -> None:
            self.pool.release(self.lent.pop(number % len(self.lent)).connection)
            task = self.waiting.pop(0)
            await settled(after)
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                await self.served(task)
            await self.settle()

        self.run(step())

    @rule(number=which, streamed=st.booleans())
    def query(self, number: int, streamed: bool) -> None:
        if not (self.lent):
            return
        lent = self.pick(number)
        if lent.dead:
            with pytest.raises((aiomysql.OperationalError, aiomysql.InterfaceError)):
                self.run(self.asked(lent.connection, streamed))
        else:
            self.run(self.asked(lent.connection, streamed))

    @rule(number=which, after=turns, sql=st.sampled_from(["SELECT 1", "SELECT SLEEP(0.01)"]))
    def cancel_a_query(self, number: int, after: int, sql: str) -> None:
        if not (self.lent):
            return
        lent = self.pick(number)

        async def step() -> None:
            cursor = await lent.connection.cursor()
            task = asyncio.ensure_future(cursor.execute(sql))
            await settled(after)
            task.cancel()
            await asyncio.wait({task})
            if task.cancelled():
                # One that had not begun costs nothing.
                lent.dead = lent.connection.closed
                assert lent.dead or after == 0
            else:
                assert await task == 1

        if not lent.dead:
            self.run(step())

    @rule(number=which)
    def leave_something_behind(self, number: int) -> None:
        """A transaction, and a stream that is not read to its end."""

        if not (self.lent):
            return
        lent = self.pick(number)

        async def step() -> None:
            await lent.connection.begin()
            cursor = await lent.connection.cursor(aiomysql.SSCursor)
            await cursor.execute("SELECT 1 UNION SELECT 2; SELECT 3")
            await cursor.fetchone()
            await cursor.close()

        if not lent.dead:
            self.run(step())

    @rule(number=which)
    def close(self, number: int) -> None:
        if not (self.lent):
            return
        lent = self.pick(number)
        lent.connection.close()
        lent.dead = True

    @rule(number=which)
    def kill(self, number: int) -> None:
        """An administrator ends a session: one that is lent, or one that is free."""

        if not (self.lent or self.pool._free):
            return

        async def step(connection: Any) -> None:
            self.killed.add(connection)
            await killed(self.server, connection)
            await eventually(lambda: connection.closed or connection._has_hung_up is not False)

        choice = [*self.lent, *self.pool._free]
        chosen = choice[number % len(choice)]
        if isinstance(chosen, Lent):
            if not chosen.dead:
                self.run(step(chosen.connection))
                chosen.dead = True
        elif chosen not in self.killed and not chosen.closed:
            self.run(step(chosen))

    @rule()
    def clear(self) -> None:
        async def step() -> None:
            await self.pool.clear()
            await self.settle()

        self.run(step())

    # The end.

    def teardown(self) -> None:
        try:
            if self.pool is not None:
                self.run(self.finish())
            assert asyncio.all_tasks(self.loop) == set()
            assert self.noise == []
        finally:
            asyncio.set_event_loop(None)
            self.loop.close()

    async def finish(self) -> None:
        """Those who wait are told, and all sessions end."""
        if len(self.lent) % 2:
            self.pool.terminate()
        else:
            self.pool.close()
        for each in self.lent:
            self.pool.release(each.connection)
        for task in self.waiting:
            with pytest.raises(RuntimeError, match="after closing pool"):
                await asyncio.wait_for(task, SECONDS)
        await asyncio.wait_for(self.pool.wait_closed(), SECONDS)
        assert counts(self.pool) == (0, 0, 0)
        marks = ", ".join(map(str, self.sessions)) or "0"
        sql = f"SELECT COUNT(*) FROM information_schema.processlist WHERE id IN ({marks})"
        await eventually(lambda: self.server.query(sql) == [(0,)])


def test_any_order(server: RunningServer) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: PoolMachine(server),
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
            # Whoever waits for ever does so for SECONDS, in every smaller example too.
            phases=[Phase.generate],
        ),
    )
