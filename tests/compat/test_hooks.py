"""Subclasses, and what they override: every hook is called, and what it returns counts."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Callable, ClassVar

import aiomysql
import pytest
from aiomysql import cursors
from pymysql.constants import COMMAND, FIELD_TYPE
from pymysql.converters import decoders, encoders

from tests.fix_servers import RunningServer

Connect = Callable[..., Any]

CLASSES = {
    "Cursor": cursors.Cursor,
    "DictCursor": cursors.DictCursor,
    "SSCursor": cursors.SSCursor,
    "SSDictCursor": cursors.SSDictCursor,
    "DeserializationCursor": cursors.DeserializationCursor,
}


@pytest.fixture(params=CLASSES)
def cursor_class(request: pytest.FixtureRequest) -> type[aiomysql.Cursor]:
    return CLASSES[request.param]


def first(row: Any) -> Any:
    return next(iter(row.values())) if isinstance(row, dict) else row[0]


async def select(cursor: Any, sql: str = "SELECT 1 AS a", args: Any = None) -> list[Any]:
    await cursor.execute(sql, args)
    return [first(row) for row in await cursor.fetchall()]


class TestCursors:
    async def test_a_subclass_without_more(self, connection: Any, cursor_class: Any) -> None:
        class Mine(cursor_class):
            pass

        cursor = await connection.cursor(Mine)
        assert type(cursor) is Mine
        assert await select(cursor, "SELECT %s AS a", (5,)) == [5]

    async def test_init_with_more_arguments(self, connection: Any, cursor_class: Any) -> None:
        class Mine(cursor_class):
            def __init__(self, connection: Any, echo: bool = False, more: str = "default") -> None:
                super().__init__(connection, echo)
                self.more = more

        assert (await connection.cursor(Mine)).more == "default"
        cursor = Mine(connection, more="given")
        assert cursor.more == "given"
        assert await select(cursor) == [1]

    async def test_execute(self, connection: Any, cursor_class: Any) -> None:
        seen = []

        class Mine(cursor_class):
            async def execute(self, query: Any, args: Any = None) -> Any:
                seen.append((query, args))
                return await super().execute(query.replace("old", "new"), args)

        cursor = await connection.cursor(Mine)
        assert await select(cursor, "SELECT 'old' AS a") == ["new"]
        await cursor.executemany("DO %s", [(1,), (2,)])
        assert [args for _, args in seen] == [None, (1,), (2,)]

    async def test_execute_is_called_by_a_bulk_insert(
        self, connect: Connect, table: Any, cursor_class: Any
    ) -> None:
        name, seen = table("a INT"), []

        class Mine(cursor_class):
            async def execute(self, query: Any, args: Any = None) -> Any:
                seen.append(bytes(query) if not isinstance(query, str) else query.encode())
                return await super().execute(query, args)

        cursor = await (await connect()).cursor(Mine)
        assert await cursor.executemany(f"INSERT INTO {name} VALUES (%s)", [(1,), (2,)]) == 2
        assert seen == [f"INSERT INTO {name} VALUES (1),(2)".encode()]

    async def test_query(self, connection: Any, cursor_class: Any) -> None:
        seen = []

        class Mine(cursor_class):
            async def _query(self, q: Any) -> Any:
                seen.append(q)
                return await super()._query(q)

        cursor = await connection.cursor(Mine)
        assert await select(cursor, "SELECT %s AS a", ("x",)) == ["x"]
        assert seen == ["SELECT 'x' AS a"]
        assert cursor._last_executed == "SELECT 'x' AS a"

    async def test_do_get_result(self, connection: Any, cursor_class: Any) -> None:
        seen = []

        class Mine(cursor_class):
            async def _do_get_result(self) -> None:
                await super()._do_get_result()
                seen.append(self._result.field_count)

        assert await select(await connection.cursor(Mine)) == [1]
        assert seen == [1]

    async def test_conv_row(self, connection: Any) -> None:
        class Mine(cursors.DictCursor):
            def _conv_row(self, row: Any) -> Any:
                return ("mine", super()._conv_row(row))

        class Streamed(cursors.SSDictCursor):
            def _conv_row(self, row: Any) -> Any:
                return ("mine", super()._conv_row(row)) if row is not None else None

        for kind in (Mine, Streamed):
            cursor = await connection.cursor(kind)
            await cursor.execute("SELECT 1 AS a UNION SELECT 2")
            assert await cursor.fetchone() == ("mine", {"a": 1})
            assert await cursor.fetchall() == [("mine", {"a": 2})]

    async def test_dict_type(self, connection: Any) -> None:
        class Row(dict[str, Any]):
            def __getattr__(self, name: str) -> Any:
                return self[name]

        for base in (cursors.DictCursor, cursors.SSDictCursor):

            class Mine(base):  # type: ignore[valid-type,misc]
                dict_type = Row

            cursor = await connection.cursor(Mine)
            await cursor.execute("SELECT 1 AS a, 2 AS b")
            row = await cursor.fetchone()
            assert (row.a, row.b, type(row)) == (1, 2, Row)
            await cursor.close()

    async def test_escape_args(self, connection: Any, cursor_class: Any) -> None:
        class Mine(cursor_class):
            def _escape_args(self, args: Any, conn: Any) -> Any:
                return super()._escape_args([arg * 2 for arg in args], conn)

        cursor = await connection.cursor(Mine)
        assert await select(cursor, "SELECT %s AS a", ["x"]) == ["xx"]
        assert cursor.mogrify("%s", ["y"]) == "'yy'"

    async def test_show_warnings(self, connection: Any, cursor_class: Any) -> None:
        seen = []

        class Mine(cursor_class):
            async def _show_warnings(self, conn: Any) -> None:
                seen.append((await conn.show_warnings())[0][1])

        cursor = await connection.cursor(Mine)
        await cursor.execute("DROP TABLE IF EXISTS no_such_table_at_all")
        assert seen == [1051]

    async def test_nextset(self, connection: Any) -> None:
        seen = []

        class Mine(cursors.Cursor):
            async def nextset(self) -> Any:
                found = await super().nextset()
                seen.append(found)
                return found

        cursor = await connection.cursor(Mine)
        await cursor.execute("SELECT 1; SELECT 2")
        await cursor.execute("SELECT 3")
        assert await cursor.fetchall() == ((3,),)
        assert True in seen

    async def test_fetchone_serves_iteration(self, connection: Any, cursor_class: Any) -> None:
        class Mine(cursor_class):
            async def fetchone(self) -> Any:
                row = await super().fetchone()
                return None if row is None else ("row", first(row))

        cursor = await connection.cursor(Mine)
        await cursor.execute("SELECT 1 AS a UNION SELECT 2")
        assert [row async for row in cursor] == [("row", 1), ("row", 2)]

    async def test_close(self, connection: Any, cursor_class: Any) -> None:
        seen = []

        class Mine(cursor_class):
            async def close(self) -> None:
                seen.append("close")
                await super().close()

        async with connection.cursor(Mine) as cursor:
            await cursor.execute("SELECT 1")
        assert seen == ["close"]
        assert cursor.closed

    async def test_a_statement_length_of_ones_own(self, connect: Connect, table: Any) -> None:
        name, seen = table("a INT"), []

        class Mine(cursors.Cursor):
            max_stmt_length = 60

            async def _query(self, q: Any) -> Any:
                seen.append(q)
                return await super()._query(q)

        cursor = await (await connect()).cursor(Mine)
        rows = [(number,) for number in range(20)]
        assert await cursor.executemany(f"INSERT INTO {name} VALUES (%s)", rows) == 20
        assert len(seen) > 1
        assert all(len(query) <= 60 for query in seen)

    async def test_do_execute_many(self, connect: Connect, table: Any) -> None:
        name, seen = table("a INT"), []

        class Mine(cursors.Cursor):
            async def _do_execute_many(self, *arguments: Any) -> Any:
                seen.append(arguments[:3])
                return await super()._do_execute_many(*arguments)

        cursor = await (await connect()).cursor(Mine)
        assert await cursor.executemany(f"INSERT INTO {name} VALUES (%s)", [(1,), (2,)]) == 2
        assert len(seen) == 1

    async def test_mixed_classes(self, connection: Any) -> None:
        seen = []

        class Watched(cursors.Cursor):
            async def _query(self, q: Any) -> Any:
                seen.append(q)
                return await super()._query(q)

        sql = "SELECT 1 AS a, 'x' AS b"
        cursor = await connection.cursor(cursors.DeserializationCursor, cursors.DictCursor, Watched)
        await cursor.execute(sql)
        assert await cursor.fetchall() == [{"a": 1, "b": "x"}]
        assert seen == [sql]

    async def test_a_stream_of_json(self, connection: Any) -> None:
        cursor = await connection.cursor(cursors.SSCursor, cursors.DeserializationCursor)
        await cursor.execute("SELECT 1 UNION SELECT 2")
        assert await cursor.fetchone() == (1,)
        assert await cursor.fetchall() == [(2,)]
        assert isinstance(cursor, (cursors.SSCursor, cursors.DeserializationCursor))

    async def test_cursorclass_of_a_connection(self, connect: Connect, cursor_class: Any) -> None:
        class Mine(cursor_class):
            pass

        connection = await connect(cursorclass=Mine)
        assert type(await connection.cursor()) is Mine
        connection.cursorclass = cursor_class
        assert type(await connection.cursor()) is cursor_class


class TestConnections:
    async def make(self, server: RunningServer, kind: type, **arguments: Any) -> Any:
        connection = kind(**server.connect_kwargs(**arguments))
        await connection._connect()
        return connection

    async def test_init_with_more_arguments(self, server: RunningServer) -> None:
        class Mine(aiomysql.Connection):
            def __init__(self, *args: Any, more: str = "", **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self.more = more

        async with await self.make(server, Mine, more="given") as connection:
            assert connection.more == "given"
            assert await select(await connection.cursor()) == [1]

    async def test_connect(self, server: RunningServer) -> None:
        class Mine(aiomysql.Connection):
            async def _connect(self) -> None:
                self.opened = getattr(self, "opened", 0) + 1
                await super()._connect()

        async with await self.make(server, Mine) as connection:
            connection.close()
            await connection.ping()
            assert connection.opened == 2

    async def test_commands(self, server: RunningServer) -> None:
        class Mine(aiomysql.Connection):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self.sent: list[Any] = []

            async def _execute_command(self, command: int, sql: Any) -> None:
                self.sent.append(
                    (command, bytes(sql) if not isinstance(sql, str) else sql.encode())
                )
                await super()._execute_command(command, sql)

        async with await self.make(
            server, Mine, sql_mode="'ANSI'", init_command="SET @a=1"
        ) as conn:
            assert (COMMAND.COM_QUERY, b"SET sql_mode='ANSI'") in conn.sent
            assert (COMMAND.COM_QUERY, b"SET @a=1") in conn.sent
            conn.sent.clear()
            cursor = await conn.cursor()
            assert await select(cursor, "SELECT %s", ("x",)) == ["x"]
            await conn.begin()
            await conn.commit()
            await conn.ping()
            sent = [sql for _, sql in conn.sent]
            assert sent == [b"SELECT 'x'", b"BEGIN", b"COMMIT", b""]

    async def test_query(self, server: RunningServer, cursor_class: Any) -> None:
        class Mine(aiomysql.Connection):
            async def query(self, sql: Any, unbuffered: bool = False) -> Any:
                self.asked = (sql, unbuffered)
                return await super().query(sql, unbuffered)

        async with await self.make(server, Mine) as connection:
            cursor = await connection.cursor(cursor_class)
            assert await select(cursor, "SELECT %s AS a", (1,)) == [1]
            streamed = issubclass(cursor_class, cursors.SSCursor)
            assert connection.asked == ("SELECT 1 AS a", streamed)

    async def test_escape(self, server: RunningServer, cursor_class: Any) -> None:
        class Mine(aiomysql.Connection):
            def escape(self, obj: Any) -> Any:
                return "'escaped'" if obj == "x" else super().escape(obj)

        async with await self.make(server, Mine) as connection:
            cursor = await connection.cursor(cursor_class)
            assert await select(cursor, "SELECT %s AS a", ("x",)) == ["escaped"]

    async def test_autocommit_mode(self, server: RunningServer) -> None:
        class Mine(aiomysql.Connection):
            async def _send_autocommit_mode(self) -> None:
                self.switched = self.autocommit_mode
                await super()._send_autocommit_mode()

        async with await self.make(server, Mine, autocommit=False) as connection:
            assert connection.switched is False
            assert not connection.get_autocommit()

    async def test_client_flag_between_init_and_connect(self, server: RunningServer) -> None:
        from pymysql.constants import CLIENT

        connection = aiomysql.Connection(**server.connect_kwargs(client_flag=CLIENT.FOUND_ROWS))
        connection.client_flag &= ~CLIENT.FOUND_ROWS
        await connection._connect()
        async with connection:
            cursor = await connection.cursor()
            await cursor.execute("CREATE TEMPORARY TABLE once (a INT)")
            await cursor.execute("INSERT INTO once VALUES (1)")
            assert await cursor.execute("UPDATE once SET a = 1") == 0

    async def test_transactions_and_warnings(self, server: RunningServer) -> None:
        class Mine(aiomysql.Connection):
            calls: ClassVar[list[str]] = []

            async def begin(self) -> None:
                self.calls.append("begin")
                await super().begin()

            async def show_warnings(self) -> Any:
                self.calls.append("warnings")
                return await super().show_warnings()

        async with await self.make(server, Mine) as connection:
            await connection.begin()
            cursor = await connection.cursor()
            with pytest.warns(aiomysql.Warning):
                await cursor.execute("DROP TABLE IF EXISTS no_such_table_at_all")
            assert connection.calls == ["begin", "warnings"]

    async def test_commands_by_hand(self, connection: Any) -> None:
        await connection._execute_command(COMMAND.COM_QUERY, "SET @a = 5")
        assert await connection._read_ok_packet()
        assert await select(await connection.cursor(), "SELECT @a") == [5]
        with pytest.raises(aiomysql.NotSupportedError, match=f"{COMMAND.COM_STATISTICS}"):
            await connection._execute_command(COMMAND.COM_STATISTICS, "")


class TestPools:
    async def make(self, server: RunningServer, kind: type, **arguments: Any) -> Any:
        return kind(1, 2, False, -1, None, **server.connect_kwargs(**arguments))

    async def test_acquire(self, server: RunningServer) -> None:
        class Mine(aiomysql.Pool):
            async def _acquire(self) -> Any:
                connection = await super()._acquire()
                connection.lent_by = self
                return connection

        async with await self.make(server, Mine) as pool:
            async with pool.acquire() as connection:
                assert connection.lent_by is pool
            pool.release(await pool.acquire())

    async def test_release(self, server: RunningServer) -> None:
        class Mine(aiomysql.Pool):
            seen: ClassVar[list[Any]] = []

            def release(self, conn: Any) -> Any:
                self.seen.append(conn)
                return super().release(conn)

        async with await self.make(server, Mine) as pool:
            async with pool.acquire() as connection:
                pass
            assert pool.seen == [connection]
            assert pool.freesize == 1

    async def test_init_with_more_arguments(self, server: RunningServer) -> None:
        class Mine(aiomysql.Pool):
            def __init__(self, *args: Any, more: str = "", **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self.more = more

        async with await self.make(server, Mine, more="given") as pool:
            assert pool.more == "given"
            async with pool.acquire() as connection:
                assert await select(await connection.cursor()) == [1]

    async def test_a_broken_reader(self, create_pool: Any) -> None:
        pool = await create_pool(minsize=2, maxsize=2)
        broken = list(pool._free)
        for connection in broken:
            connection._reader.set_exception(EOFError())
        async with pool.acquire() as connection:
            assert connection not in broken
            assert await select(await connection.cursor()) == [1]
        assert pool.size <= 2

    async def test_a_broken_writer(self, create_pool: Any) -> None:
        pool = await create_pool(minsize=1, maxsize=1)
        (broken,) = pool._free
        broken._writer._protocol.connection_lost(OSError())
        async with pool.acquire() as connection:
            assert connection is not broken
        connection._writer.transport.close()
        async with pool.acquire() as another:
            assert another is not connection
        assert connection._writer is None

    async def test_a_reader_in_order(self, connection: Any) -> None:
        assert connection._reader.exception() is None
        assert not connection._reader.at_eof()
        assert not connection._reader.eof_received
        assert not connection._writer.transport.is_closing()


class TestConverters:
    async def test_decoders(self, connect: Connect, cursor_class: Any) -> None:
        conv = {**decoders, FIELD_TYPE.LONG: lambda text: f"<{text}>"}
        conv[FIELD_TYPE.LONGLONG] = conv[FIELD_TYPE.LONG]
        cursor = await (await connect(conv=conv)).cursor(cursor_class)
        assert await select(cursor, "SELECT 5 AS a") == ["<5>"]

    async def test_encoders_changed_in_place(
        self, connection: Any, cursor_class: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Money:
            pass

        def escape(value: Any, mapping: Any = None) -> str:
            return "'money'"

        monkeypatch.setitem(encoders, Money, escape)
        cursor = await connection.cursor(cursor_class)
        assert await select(cursor, "SELECT %s AS a", (Money(),)) == ["money"]

    async def test_a_decoder_that_fails(self, connect: Connect, cursor_class: Any) -> None:
        def fail(text: Any) -> Any:
            if text == "3":
                raise LookupError("in a converter")
            return int(text)

        conv = {**decoders, FIELD_TYPE.LONG: fail, FIELD_TYPE.LONGLONG: fail}
        connection = await connect(conv=conv)
        cursor = await connection.cursor(cursor_class)
        with pytest.raises(LookupError, match="in a converter"):
            await select(cursor, "SELECT 1 AS a UNION SELECT 2 UNION SELECT 3 UNION SELECT 4")
        assert await select(cursor, "SELECT 5 AS a") == [5]
        assert await select(await connection.cursor()) == [1]

    async def test_an_encoder_that_fails(
        self, connection: Any, cursor_class: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Money:
            pass

        def fail(value: Any, mapping: Any = None) -> str:
            raise LookupError("in an encoder")

        monkeypatch.setitem(encoders, Money, fail)
        cursor = await connection.cursor(cursor_class)
        with pytest.raises(LookupError, match="in an encoder"):
            await cursor.execute("SELECT %s", (Money(),))
        assert await select(cursor) == [1]

    @pytest.mark.parametrize("hook", ["_query", "_escape_args", "_do_get_result", "_show_warnings"])
    @pytest.mark.filterwarnings("ignore:Previous unbuffered result:UserWarning")
    async def test_a_hook_that_fails(self, connection: Any, cursor_class: Any, hook: str) -> None:
        def fail(self: Any, *args: Any) -> Any:
            raise LookupError("in a hook")

        kind = type("Mine", (cursor_class,), {hook: fail})
        cursor = await connection.cursor(kind)
        sql = "SELECT %s AS a, CAST('x' AS SIGNED) AS b"
        if hook == "_show_warnings" and issubclass(kind, cursors.SSCursor):
            sql = "DROP TABLE IF EXISTS no_such_table_at_all /* %s */"
        with pytest.raises(LookupError, match="in a hook"):
            await cursor.execute(sql, (1,))
        assert await select(await connection.cursor()) == [1]

    async def test_a_class_of_dictionaries_that_fails(self, connection: Any) -> None:
        def fail(pairs: Any) -> Any:
            raise LookupError("in a class")

        for base in (cursors.DictCursor, cursors.SSDictCursor):
            kind = type("Mine", (base,), {"dict_type": staticmethod(fail)})
            with pytest.raises(LookupError, match="in a class"):
                await select(await connection.cursor(kind))
            assert await select(await connection.cursor()) == [1]

    async def test_ordered_rows(self, connection: Any) -> None:
        kind = type("Ordered", (cursors.DictCursor,), {"dict_type": OrderedDict})
        cursor = await connection.cursor(kind)
        await cursor.execute("SELECT 1 AS b, 2 AS a")
        assert await cursor.fetchall() == [OrderedDict(b=1, a=2)]
