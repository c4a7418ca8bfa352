"""Over a thousand seeded schedules, uniform over stage and fault: see `schedules.py`.

For each of them: an error of the right class, or the right rows; nothing takes longer than the
limits say; another connection of the pool is not disturbed; the pool is at full strength again.
After all of them: no descriptor, no task and no session is left.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections import Counter
from collections.abc import Iterator
from typing import Any

import aiomysql
import pytest

from tests.connect.certificates import TlsServer
from tests.faults.report import Tally
from tests.faults.schedules import Kind, Schedule, schedules
from tests.faults.stages import Range, Stage, answer_to, measure, statement
from tests.faults.support import at_full_strength, descriptors, eventually, no_noise
from tests.proxy import Direction, Proxy
from tests.servers import VENDORS

#: Another seed makes other schedules; failures name the one that they happened with.
SEED = int(os.environ.get("AIOMYSQL_TEST_SEED", "1"))

#: Schedules that run at the same time, each with a pool and a proxy of its own.
WORKERS = 12

#: The longest silence where something is to fail, and where nothing is.
SHORT, LONG = 0.4, 30.0

#: No schedule takes longer, on any machine.
DEADLINE = 60.0


#: What a statement may give without an error.
SUCCESSES = ("rows", "changed values", "no rows")


class Wrong(Exception):
    """What a schedule must not lead to."""


def sessions(server: TlsServer) -> list[Any]:
    return server.query(
        "SELECT id, user, command, info FROM information_schema.processlist "
        "WHERE id <> CONNECTION_ID() AND user NOT IN ('system user', 'event_scheduler')"
    )


async def fetch(connection: Any, marker: str, streamed: bool) -> tuple[Any, ...]:
    kind = aiomysql.SSCursor if streamed else aiomysql.Cursor
    async with connection.cursor(kind) as cursor:
        await cursor.execute(statement(marker))
        if not streamed:
            return tuple(await cursor.fetchall())
        rows = []
        while (row := await cursor.fetchone()) is not None:
            if row != answer_to(marker)[len(rows)]:
                raise Wrong(f"a wrong row: {row}")
            rows.append(row)
        return tuple(rows)


def is_almost(marker: str, value: object) -> bool:
    return sum(one != other for one, other in zip(marker, str(value))) <= 1


class Run:
    """One schedule, with a pool of its own."""

    def __init__(self, schedule: Schedule, proxy: Proxy, tls: Any) -> None:
        self.schedule = schedule
        self.proxy = proxy
        self.tls = tls
        self.is_over = False

    async def __call__(self, arguments: dict[str, Any]) -> str:
        """What came of the faulty connection's first statement."""
        settings = {"minsize": 1, "maxsize": 2, "autocommit": True, "connect_timeout": LONG}
        if self.schedule.stage is Stage.TLS:
            settings["ssl"] = self.tls
        async with aiomysql.create_pool(**arguments, **settings) as pool:
            try:
                return await self.in_pool(pool)
            except BaseException:
                # What was not given back would be waited for.
                pool.terminate()
                raise

    async def in_pool(self, pool: aiomysql.Pool) -> str:
        neighbour = await pool.acquire()
        undisturbed = asyncio.ensure_future(self.neighbour(neighbour))
        try:
            outcome = await self.disturbed(pool)
        finally:
            self.is_over = True
            self.proxy.heal()
            self.proxy.resume()
            await undisturbed
        pool.release(neighbour)
        await at_full_strength(pool, f"after {self.schedule.number}")
        return outcome

    async def neighbour(self, connection: Any) -> None:
        for number in range(1000):
            marker = f"n{self.schedule.number:09}{number:010}"
            if await fetch(connection, marker, number % 2 == 0) != answer_to(marker):
                raise Wrong("the neighbour got other rows")
            if self.is_over:
                return
            await asyncio.sleep(0.05)

    async def disturbed(self, pool: aiomysql.Pool) -> str:
        schedule, proxy = self.schedule, self.proxy
        limit = LONG if schedule.kind.is_harmless else SHORT
        if schedule.stage.is_connecting:
            pool._conn_kwargs["connect_timeout"] = limit
            proxy.plan(schedule.place.direction, schedule.at, schedule.fault)
        try:
            connection = await pool.acquire()
        except Exception as error:
            return self.judged(error)
        finally:
            pool._conn_kwargs["connect_timeout"] = LONG
            proxy.heal()
        connection.read_timeout = limit
        if not schedule.stage.is_connecting:
            proxy.arm(schedule.place.direction, schedule.at, schedule.fault)
        outcome = await self.attempt(connection, "first")
        # Whatever became of it, the next statement gets its own rows, or an error.
        if not connection.closed:
            await self.attempt(connection, "second")
        if outcome in SUCCESSES and outcome not in schedule.outcomes:
            raise Wrong(f"it succeeded with {outcome}")
        pool.release(connection)
        return outcome

    async def attempt(self, connection: Any, which: str) -> str:
        marker = f"{which[0]}{self.schedule.number:019}"
        try:
            rows = await fetch(connection, marker, self.schedule.streamed)
        except aiomysql.InterfaceError:
            if which == "second" and connection.closed:
                return "closed"
            raise
        except Exception as error:
            is_lost = isinstance(error, aiomysql.InternalError) or error.args[0] == 2013
            if is_lost and not connection.closed:
                raise Wrong(f"the connection is not closed after {error!r}") from error
            return self.judged(error)
        if rows == answer_to(marker):
            return "rows"
        if not rows:
            return "no rows"
        # A bit of them may have changed; but they are never what somebody else asked for.
        if len(rows) == len(answer_to(marker)) and any(is_almost(marker, row[1]) for row in rows):
            return "changed values"
        raise Wrong(f"other rows: {rows[:3]}…")

    def judged(self, error: Exception) -> str:
        if isinstance(error, Wrong) or not self.schedule.allows(error):
            raise error
        return f"{type(error).__name__} {error.args[0] if len(error.args) > 1 else ''}".strip()


@pytest.mark.seconds(300)
# A statement that was changed on its way may be one that the server warns of.
@pytest.mark.filterwarnings("ignore::pymysql.err.Warning")
async def test_schedules(lone_server: TlsServer, fault_tally: Tally) -> None:
    tls = ssl.create_default_context(cafile=lone_server.authority.file)
    address = lone_server.server.address
    proxies = [Proxy(address.host, address.port).__enter__() for _ in range(WORKERS)]
    failures: list[str] = []

    async def work(proxy: Proxy, waiting: Iterator[Schedule]) -> None:
        arguments = lone_server.connect_kwargs(host=proxy.host, port=proxy.port)
        for schedule in waiting:
            try:
                run = Run(schedule, proxy, tls)(arguments)
                outcome = await asyncio.wait_for(run, DEADLINE)
            except Exception as error:
                outcome = "WRONG"
                failures.append(f"{schedule}: {type(error).__name__}: {error}")
            fault_tally.count(lone_server.vendor, schedule.stage, schedule.kind, outcome)

    try:
        arguments = lone_server.connect_kwargs(host=proxies[0].host, port=proxies[0].port)
        # The account's password is not known to the server's cache before the first of these.
        await measure(proxies[0], arguments, tls)
        stages = await measure(proxies[0], arguments, tls)
        await eventually(lambda: not any(proxy.open for proxy in proxies))
        before, tasks = descriptors(), asyncio.all_tasks()
        waiting = schedules(stages, SEED)
        with no_noise():
            await asyncio.gather(*(work(proxy, waiting) for proxy in proxies))
        assert not failures, f"seed {SEED}:\n" + "\n".join(failures)
        await eventually(lambda: not any(proxy.open for proxy in proxies))
        await eventually(lambda: descriptors() <= before)
        assert asyncio.all_tasks() == tasks
        await eventually(lambda: not sessions(lone_server))
    finally:
        for proxy in proxies:
            proxy.__exit__(None, None, None)


def test_the_schedules_are_uniform() -> None:
    """Every pair as often as any other, at least five times; a thousand of both servers."""
    stages = {stage: [Range(Direction.TO_CLIENT, 0, 100, (0, 50))] for stage in Stage}
    made = list(schedules(stages, SEED))
    pairs = Counter((schedule.stage, schedule.kind) for schedule in made)
    assert len(pairs) == len(Stage) * len(Kind)
    assert min(pairs.values()) == max(pairs.values()) >= 5
    assert len(made) * len(VENDORS) >= 1000
    assert list(schedules(stages, SEED)) == made != list(schedules(stages, SEED + 1))
