"""What tracing libraries do: assign to classes, modules and instances, and wrap in proxies."""

from __future__ import annotations

import asyncio
import functools
from typing import Any, Callable

import aiomysql
import aiomysql.connection
import aiomysql.cursors
import aiomysql.pool
import pytest
import wrapt

from tests.fix_servers import RunningServer

Connect = Callable[..., Any]


@pytest.fixture
def calls() -> list[Any]:
    return []


def watched(calls: list[Any], method: Any) -> Any:
    """A method that notes its arguments and goes on."""

    @functools.wraps(method)
    async def watching(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append((method.__name__, args))
        return await method(self, *args, **kwargs)

    return watching


async def value(cursor: Any, sql: str = "SELECT 1", args: Any = None) -> Any:
    await cursor.execute(sql, args)
    return (await cursor.fetchall())[0][0]


class TestClasses:
    @pytest.mark.parametrize(
        "name", ["execute", "_query", "_do_get_result", "nextset", "_show_warnings"]
    )
    async def test_of_cursors(
        self, connection: Any, monkeypatch: pytest.MonkeyPatch, calls: list[Any], name: str
    ) -> None:
        cursor = await connection.cursor()
        sql = "SELECT CAST('x' AS SIGNED)" if name == "_show_warnings" else "SELECT 5 - 5"
        monkeypatch.setattr(aiomysql.Cursor, name, watched(calls, getattr(aiomysql.Cursor, name)))
        with pytest.warns() if name == "_show_warnings" else _nothing():
            assert await value(cursor, sql) == 0
        assert calls
        monkeypatch.undo()
        calls.clear()
        assert await value(cursor) == 1
        assert not calls

    async def test_execute_and_executemany(
        self, connect: Connect, table: Any, monkeypatch: pytest.MonkeyPatch, calls: list[Any]
    ) -> None:
        name = table("a INT")
        cursor = await (await connect()).cursor()
        for method in ("execute", "executemany"):
            monkeypatch.setattr(
                aiomysql.Cursor, method, watched(calls, getattr(aiomysql.Cursor, method))
            )
        sql = f"INSERT INTO {name} VALUES (%s)"
        assert await cursor.executemany(sql, [(1,), (2,)]) == 2
        assert [call[0] for call in calls] == ["executemany", "execute"]

    @pytest.mark.parametrize("name", ["query", "_execute_command", "_read_query_result"])
    async def test_of_connections(
        self, connection: Any, monkeypatch: pytest.MonkeyPatch, calls: list[Any], name: str
    ) -> None:
        cursor = await connection.cursor()
        monkeypatch.setattr(
            aiomysql.Connection, name, watched(calls, getattr(aiomysql.Connection, name))
        )
        assert await value(cursor) == 1
        assert calls

    async def test_connect(
        self, connect: Connect, create_pool: Any, monkeypatch: pytest.MonkeyPatch, calls: list[Any]
    ) -> None:
        before = await connect()
        monkeypatch.setattr(
            aiomysql.Connection, "_connect", watched(calls, aiomysql.Connection._connect)
        )
        await connect()
        assert len(calls) == 1
        await create_pool(minsize=2)
        assert len(calls) == 3
        before.close()
        await before.ping()
        assert len(calls) == 4

    async def test_of_subclasses_that_exist(
        self, connection: Any, monkeypatch: pytest.MonkeyPatch, calls: list[Any]
    ) -> None:
        cursor = await connection.cursor(aiomysql.DictCursor)
        monkeypatch.setattr(aiomysql.Cursor, "_query", watched(calls, aiomysql.Cursor._query))
        await cursor.execute("SELECT 1 AS a")
        assert await cursor.fetchall() == [{"a": 1}]
        assert calls

    async def test_pools(
        self, create_pool: Any, monkeypatch: pytest.MonkeyPatch, calls: list[Any]
    ) -> None:
        pool = await create_pool()
        monkeypatch.setattr(aiomysql.Pool, "_acquire", watched(calls, aiomysql.Pool._acquire))
        async with pool.acquire():
            pass
        assert len(calls) == 1

    async def test_pools_by_wrapt(self, create_pool: Any, calls: list[Any]) -> None:
        """As tracing libraries do: its wrappers answer for what they wrap."""
        wrapt = pytest.importorskip("wrapt")

        def wrapper(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            calls.append(instance)
            return wrapped(*args, **kwargs)

        pool = await create_pool()
        original = aiomysql.Pool.__dict__["_acquire"]
        wrapt.wrap_function_wrapper(aiomysql.Pool, "_acquire", wrapper)
        try:
            async with pool.acquire():
                pass
        finally:
            aiomysql.Pool._acquire = original
        assert calls == [pool]


class _nothing:
    def __enter__(self) -> None:
        pass

    def __exit__(self, *args: object) -> None:
        pass


class TestInstances:
    @pytest.mark.parametrize("name", ["query", "_execute_command", "escape"])
    async def test_of_a_connection(self, connect: Connect, calls: list[Any], name: str) -> None:
        connection, other = await connect(), await connect()
        cursor = await connection.cursor()
        assert await value(cursor) == 1
        original = getattr(connection, name)

        def watching(*args: Any, **kwargs: Any) -> Any:
            calls.append(args)
            return original(*args, **kwargs)

        setattr(connection, name, watching)
        assert await value(cursor, "SELECT %s", ("x",)) == "x"
        assert len(calls) == 1
        assert await value(await other.cursor(), "SELECT %s", ("x",)) == "x"
        assert len(calls) == 1
        delattr(connection, name)
        assert await value(cursor, "SELECT %s", ("x",)) == "x"
        assert len(calls) == 1

    @pytest.mark.parametrize("name", ["_query", "_do_get_result", "nextset"])
    async def test_of_a_cursor(self, connection: Any, calls: list[Any], name: str) -> None:
        cursor = await connection.cursor()
        original = getattr(cursor, name)

        async def watching(*args: Any) -> Any:
            calls.append(args)
            return await original(*args)

        setattr(cursor, name, watching)
        assert await value(cursor) == 1
        assert len(calls) == 1
        assert await value(await connection.cursor()) == 1
        assert len(calls) == 1

    async def test_attributes_of_ones_own(self, connection: Any) -> None:
        cursor = await connection.cursor()
        cursor._sentry_skip_next_execute = True
        assert vars(cursor)["_sentry_skip_next_execute"]
        del cursor._sentry_skip_next_execute
        with pytest.raises(AttributeError):
            cursor._sentry_skip_next_execute  # noqa: B018
        with pytest.raises(AttributeError):
            del connection.missing
        with pytest.raises(AttributeError):
            cursor.rowcount = 5


class TestModules:
    async def test_connection_connect(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch, calls: list[Any]
    ) -> None:
        original = aiomysql.connection._connect

        async def watching(*args: Any, **kwargs: Any) -> Any:
            calls.append(kwargs["host"])
            return await original(*args, **kwargs)

        monkeypatch.setattr(aiomysql.connection, "_connect", watching)
        connection = await connect()
        assert calls == [connection.host]

    async def test_a_class_of_connections(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Mine(aiomysql.Connection):
            pass

        monkeypatch.setattr(aiomysql.connection, "Connection", Mine)
        assert type(await connect()) is Mine

    async def test_pool_connect(
        self, create_pool: Any, monkeypatch: pytest.MonkeyPatch, calls: list[Any]
    ) -> None:
        original = aiomysql.pool.connect

        def watching(*args: Any, **kwargs: Any) -> Any:
            calls.append(sorted(kwargs))
            return original(*args, **kwargs)

        pool = await create_pool(maxsize=2)
        monkeypatch.setattr(aiomysql.pool, "connect", watching)
        async with pool.acquire(), pool.acquire():
            pass
        assert len(calls) == 1
        assert "echo" in calls[0]
        assert "minsize" not in calls[0]

    async def test_a_class_of_pools(
        self, create_pool: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Mine(aiomysql.Pool):
            pass

        monkeypatch.setattr(aiomysql.pool, "Pool", Mine)
        assert type(await create_pool()) is Mine

    async def test_the_pattern_of_inserts(
        self, connect: Connect, table: Any, monkeypatch: pytest.MonkeyPatch, calls: list[Any]
    ) -> None:
        import re

        name = table("a INT")
        monkeypatch.setattr(aiomysql.cursors, "RE_INSERT_VALUES", re.compile("never"))
        monkeypatch.setattr(aiomysql.Cursor, "_query", watched(calls, aiomysql.Cursor._query))
        cursor = await (await connect()).cursor()
        await cursor.executemany(f"INSERT INTO {name} VALUES (%s)", [(1,), (2,)])
        assert len(calls) == 2


class TracedCursor(wrapt.ObjectProxy):  # type: ignore[misc]
    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        self.__wrapped__.traced = args
        return await self.__wrapped__.execute(*args, **kwargs)

    async def __aenter__(self) -> Any:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(self, *args: Any) -> Any:
        return await self.__wrapped__.__aexit__(*args)

    def __aiter__(self) -> Any:
        return self.__wrapped__.__aiter__()


class TracedConnection(wrapt.ObjectProxy):  # type: ignore[misc]
    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        made = self.__wrapped__.cursor(*args, **kwargs)

        async def trace() -> Any:
            return TracedCursor(await made)

        return type(made)(trace())


class TestProxies:
    async def test_of_a_connection_and_its_cursors(self, connect: Connect) -> None:
        connection = TracedConnection(await connect())
        async with connection.cursor() as cursor:
            assert await value(cursor, "SELECT %s", (5,)) == 5
            assert cursor.traced == ("SELECT %s", (5,))
            assert [row async for row in cursor] == []
        assert cursor.closed
        cursor = await connection.cursor(aiomysql.DictCursor)
        await cursor.execute("SELECT 1 AS a")
        assert await cursor.fetchone() == {"a": 1}

    async def test_cursors_over_a_proxy(self, connect: Connect) -> None:
        connection = wrapt.ObjectProxy(await connect())
        cursor = aiomysql.Cursor(connection)
        assert await value(cursor, "SELECT %s", ("x",)) == "x"
        rows = aiomysql.DictCursor(connection)
        await rows.execute("SELECT 1 AS a; SELECT 2 AS b")
        assert await rows.nextset()
        assert await rows.fetchall() == [{"b": 2}]
        await rows.close()
        with pytest.raises(aiomysql.ProgrammingError):
            await cursor.execute("SELEC 1")
        assert await value(cursor) == 1

    async def test_streams_over_a_proxy(self, connect: Connect) -> None:
        connection = wrapt.ObjectProxy(await connect())
        cursor = aiomysql.SSCursor(connection)
        await cursor.execute("SELECT 1 UNION SELECT 2")
        assert await cursor.fetchone() == (1,)
        assert await cursor.fetchall() == [(2,)]
        await cursor.close()

    async def test_of_a_pool(self, create_pool: Any) -> None:
        pool = wrapt.ObjectProxy(await create_pool())
        async with pool.acquire() as connection, connection.cursor() as cursor:
            assert await value(cursor) == 1
        connection = await pool.acquire()
        await pool.release(connection)
        assert isinstance(pool, aiomysql.Pool)

    async def test_a_pool_of_proxies(
        self, create_pool: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = aiomysql.pool.connect

        def connect(*args: Any, **kwargs: Any) -> Any:
            made = original(*args, **kwargs)

            async def trace() -> Any:
                return TracedConnection(await made)

            return type(made)(trace())

        monkeypatch.setattr(aiomysql.pool, "connect", connect)
        pool = await create_pool(minsize=1, maxsize=2)
        async with pool.acquire() as connection:
            assert isinstance(connection, TracedConnection)
            async with connection.cursor() as cursor:
                assert await value(cursor) == 1
        async with pool.acquire() as again:
            assert again is connection
        again.close()
        async with pool.acquire() as another:
            assert another is not again

    async def test_context_managers_made_of_other_coroutines(self, connection: Any) -> None:
        made = connection.cursor()

        async def another() -> Any:
            await asyncio.sleep(0)
            return await made

        async with type(made)(another()) as cursor:
            assert await value(cursor) == 1
        assert cursor.closed

    async def test_driven_by_hand(self, server: RunningServer) -> None:
        waiting = aiomysql.connect(**server.connect_kwargs())

        class Driven:
            def __await__(self) -> Any:
                steps = waiting.__await__()
                result = None
                while True:
                    try:
                        result = yield steps.send(result)
                    except StopIteration as end:
                        return end.value

        connection = await Driven()
        assert await value(await connection.cursor()) == 1
        connection.close()
