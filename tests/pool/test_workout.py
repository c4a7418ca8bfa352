"""Many tasks do with one pool whatever a pool allows, at random, while an oracle watches."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

import aiomysql
import pytest

from tests.fix_servers import RunningServer
from tests.pool.support import Connects, CreatePool, counts, no_complaints

pytestmark = pytest.mark.bridge


class Workout:
    """Knows which connections are lent, and to whom."""

    def __init__(self, pool: aiomysql.Pool, seed: int, connects: Connects) -> None:
        self.pool = pool
        self.random = random.Random(seed)
        self.connects = connects
        self.lent: dict[Any, int] = {}
        self.served = 0
        self.refusals: list[Any] = []

    async def worker(self, number: int) -> None:
        for turn in range(12):
            deadline = self.random.choice([None, None, None, 0.0, 0.0005, 0.002, 0.01])
            work = asyncio.ensure_future(self.turn(number, f"{number}/{turn}"))
            if deadline is not None:
                await asyncio.wait({work}, timeout=deadline)
                work.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomysql.Error):
                await work
            self.check()

    async def turn(self, number: int, mark: str) -> None:
        try:
            connection = await self.pool.acquire()
        except aiomysql.OperationalError as error:
            self.refusals.append(error.args)
            raise
        # Lent to one at a time, and in step.
        assert connection not in self.lent
        self.lent[connection] = number
        try:
            await self.use(connection, mark)
        finally:
            del self.lent[connection]
            self.pool.release(connection)

    async def use(self, connection: Any, mark: str) -> None:
        async with connection.cursor() as cursor:
            # No rows of anybody's cancelled command.
            await cursor.execute("SELECT %s, CONNECTION_ID()", (mark,))
            assert await cursor.fetchall() == ((mark, connection.thread_id()),)
            self.served += 1
            deed = self.random.randrange(12)
            if deed == 0:
                connection.close()
            elif deed == 1:
                await connection.begin()
            elif deed == 2:
                await cursor.execute("SELECT SLEEP(0.003)")
            elif deed == 3:
                await cursor.execute("SELECT 1; SELECT 2; SELECT 3")
                await cursor.nextset()
            elif deed == 4:
                async with connection.cursor(aiomysql.SSCursor) as stream:
                    await stream.execute("SELECT 1 UNION SELECT 2")
                    await stream.fetchone()
            elif deed == 5:
                with pytest.raises(aiomysql.ProgrammingError):
                    await cursor.execute("SELEKT")
            elif deed == 6:
                await asyncio.sleep(self.random.random() / 200)
            elif deed == 7:
                # Its answer is on the way when the session has ended.
                await connection.kill(connection.thread_id())

    async def nuisance(self) -> None:
        """What happens to a pool from outside."""
        while True:
            await asyncio.sleep(self.random.random() / 50)
            deed = self.random.randrange(6)
            free = list(self.pool._free)
            if deed == 0 and free:
                self.random.choice(free).close()
            elif deed == 1 and free:
                taken = self.random.choice(free)
                self.pool._free.remove(taken)
                taken.close()
            elif deed == 2:
                await self.pool.clear()
            elif deed == 3:
                self.connects.failing = self.random.randrange(3)
            elif deed == 4:
                self.connects.delay = self.random.choice([0, 0, 0.002, 0.01])
            self.check()

    def check(self) -> None:
        size, _, used = counts(self.pool)
        assert self.pool.maxsize is None or size <= self.pool.maxsize
        assert used >= len(self.lent)
        assert set(self.lent) <= self.pool._used


@pytest.mark.parametrize("seed", range(4))
async def test_a_workout(
    server: RunningServer, create_pool: CreatePool, connects: Connects, seed: int
) -> None:
    maxsize = (1, 2, 5, 0)[seed]
    pool = await create_pool(minsize=min(maxsize, 1), maxsize=maxsize, pool_recycle=0.05)
    workout = Workout(pool, seed, connects)
    with no_complaints():
        nuisance = asyncio.ensure_future(workout.nuisance())
        workers = [workout.worker(number) for number in range(20)]
        await asyncio.wait_for(asyncio.gather(*workers), 30)
        assert not nuisance.done()
        nuisance.cancel()
        # The server closes a killed session a little after it has answered the KILL.
        await asyncio.sleep(0.2)
        connects.failing = 0
        connects.delay = 0
        assert workout.served > 50
        assert set(workout.refusals) <= {(2003, "refused by the test")}
        # Nothing was lost: the pool has its full strength.
        limit = maxsize or 10
        lent = [await asyncio.wait_for(pool.acquire(), 5) for _ in range(limit)]
        assert counts(pool)[2] == limit
        for number, connection in enumerate(lent):
            async with connection.cursor() as cursor:
                await cursor.execute("SELECT %s", (number,))
                assert await cursor.fetchall() == ((number,),)
            pool.release(connection)
        assert counts(pool) == (limit, limit, 0)
        pool.close()
        await asyncio.wait_for(pool.wait_closed(), 5)
        assert counts(pool) == (0, 0, 0)
