"""SAConnection.execute() and scalar(): the forms of parameters, the errors, the object returned."""

import pymysql
import pytest
import sqlalchemy as sa
from aiomysql.sa import ArgumentError, ResourceClosedError, SAConnection
from aiomysql.sa.engine import _dialect
from sqlalchemy.schema import CreateTable

from .util import select

things = sa.Table(
    "sa_execute_things",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(50)),
    sa.Column("size", sa.Integer),
)


@pytest.mark.parametrize(
    ("multiparams", "params"),
    [
        ((1, 2), {}),
        (((1, 2),), {}),
        (([1, 2],), {}),
        (({"one": 1, "two": 2},), {}),
        (([{"one": 1, "two": 2}],), {}),
        ((), {"one": 1, "two": 2}),
    ],
)
async def test_text_with_parameters(make_engine, multiparams, params):
    named = bool(params) or "keys" in dir(multiparams[0]) or isinstance(multiparams[0], list)
    named = named and multiparams != ([1, 2],)
    text = "SELECT %(one)s + 10 * %(two)s" if named else "SELECT %s + 10 * %s"
    async with make_engine() as engine, engine.acquire() as conn:
        assert await conn.scalar(text, *multiparams, **params) == 21


async def test_text_with_one_plain_parameter(make_engine):
    async with make_engine() as engine, engine.acquire() as conn:
        assert await conn.scalar("SELECT %s", "it's") == "it's"
        assert await conn.scalar("SELECT %s", None) is None
        assert await conn.scalar("SELECT CONCAT(%s, %s)", b"a", b"b") == b"ab"
        assert await conn.scalar("SELECT %s", b"\xff") == b"\xff"


async def test_percent_signs_in_text(make_engine):
    async with make_engine() as engine, engine.acquire() as conn:
        assert await conn.scalar("SELECT '100%%'") == "100%%"
        assert await conn.scalar("SELECT '100%%', %s", 1) == "100%"
        assert await conn.scalar(sa.text("SELECT '100%'")) == "100%"


@pytest.mark.parametrize(
    ("text", "multiparams"),
    [
        ("%s", (("a",), ("b",))),
        ("%s", ([("a",), ("b",)],)),
        ("%(name)s", ({"name": "a"}, {"name": "b"})),
        ("%(name)s", ([{"name": "a"}, {"name": "b"}],)),
    ],
)
async def test_text_with_many_rows(make_engine, make_tables, observe, text, multiparams):
    make_tables(things)
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(
            f"INSERT INTO sa_execute_things (name) VALUES ({text})", *multiparams
        )
    assert result.rowcount == 2
    assert observe("SELECT name FROM sa_execute_things ORDER BY id") == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("multiparams", "params", "expected"),
    [
        ((), {"name": "a"}, [("a", None)]),
        (({"name": "a", "size": 2},), {}, [("a", 2)]),
        (({"name": "a"}, {"name": "b"}), {}, [("a", None), ("b", None)]),
        (([{"name": "a"}, {"name": "b"}],), {}, [("a", None), ("b", None)]),
        (((1, "a", 3),), {}, [("a", 3)]),
        ((1, "a", 3), {}, [("a", 3)]),
        (((1, "a"),), {}, [("a", None)]),
        (((1, "a", 3), (2, "b", 4)), {}, [("a", 3), ("b", 4)]),
    ],
)
async def test_insert_with_parameters(
    make_engine, make_tables, observe, multiparams, params, expected
):
    make_tables(things)
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(things.insert(), *multiparams, **params)
    assert result.rowcount == len(expected)
    assert observe("SELECT name, size FROM sa_execute_things ORDER BY id") == expected


async def test_values_and_parameters_together(make_engine, make_tables, observe):
    make_tables(things)
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(things.insert().values(name="a"), size=7)
    assert observe("SELECT name, size FROM sa_execute_things") == [("a", 7)]


async def test_update_and_delete_with_many_parameters(make_engine, make_tables, observe):
    make_tables(things)
    observe("INSERT INTO sa_execute_things VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)")
    update = (
        things.update()
        .where(things.c.id == sa.bindparam("wanted"))
        .values(name=sa.bindparam("new_name"))
    )
    delete = things.delete().where(things.c.size == sa.bindparam("wanted"))
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(
            update, [{"wanted": 1, "new_name": "x"}, {"wanted": 2, "new_name": "y"}]
        )
        assert result.rowcount == 2
        assert (await conn.execute(delete, wanted=3)).rowcount == 1
    assert observe("SELECT name FROM sa_execute_things ORDER BY id") == [("x",), ("y",)]


async def test_select_with_parameters(make_engine):
    query = select(sa.bindparam("a", type_=sa.Integer) + sa.bindparam("b", type_=sa.Integer))
    async with make_engine() as engine, engine.acquire() as conn:
        assert await conn.scalar(query, a=1, b=2) == 3
        assert await conn.scalar(query, {"a": 3, "b": 4}) == 7
        assert await conn.scalar(query, {"a": 3, "b": 4, "unknown": 5}) == 7
        with pytest.raises(sa.exc.InvalidRequestError, match="bind parameter 'b'"):
            await conn.scalar(query, a=1)


async def test_parameters_held_by_the_statement(make_engine):
    query = select(sa.bindparam("a", type_=sa.Integer)).params(a=5)
    async with make_engine() as engine, engine.acquire() as conn:
        for value in (5, 6):
            assert await conn.scalar(query.params(a=value)) == value
        assert await conn.scalar(query, a=7) == 7


async def test_positional_parameters_of_a_select_refused(make_engine):
    async with make_engine() as engine, engine.acquire() as conn:
        for query in (select(things.c.id), sa.text("SELECT :x")):
            with pytest.raises(
                ArgumentError,
                match=r"^Don't mix sqlalchemy SELECT clause with positional parameters$",
            ):
                await conn.execute(query, 1)


async def test_parameters_of_ddl_refused(make_engine):
    async with make_engine() as engine, engine.acquire() as conn:
        for multiparams, params in (((1,), {}), (({"a": 1},), {}), ((), {"a": 1})):
            with pytest.raises(
                ArgumentError,
                match=r"^Don't mix sqlalchemy DDL clause and execution with parameters$",
            ):
                await conn.execute(CreateTable(things), *multiparams, **params)


@pytest.mark.parametrize("query", [42, None, b"SELECT 1", things, things.c.id])
async def test_other_objects_refused(make_engine, query):
    async with make_engine() as engine, engine.acquire() as conn:
        with pytest.raises(
            ArgumentError,
            match=r"^sql statement should be str or SQLAlchemy data selection/modification clause$",
        ):
            await conn.execute(query)


async def test_too_many_positional_parameters_refused(make_engine):
    async with make_engine() as engine, engine.acquire() as conn:
        with pytest.raises(ArgumentError, match="4 parameters for a table of 3 columns"):
            await conn.execute(things.insert(), (1, 2, 3, 4))


async def test_function(make_engine):
    async with make_engine() as engine, engine.acquire() as conn:
        assert await conn.scalar(sa.func.concat("a", "b")) == "ab"


async def test_errors_of_the_server_are_the_drivers(make_engine):
    async with make_engine() as engine, engine.acquire() as conn:
        with pytest.raises(pymysql.err.ProgrammingError) as caught:
            await conn.execute("SELECT * FROM sa_no_such_table")
        assert caught.value.args[0] == 1146
        assert await conn.scalar("SELECT 1") == 1


async def test_async_with_closes_the_result(make_engine):
    async with make_engine() as engine, engine.acquire() as conn:
        async with conn.execute("SELECT 1 UNION SELECT 2") as result:
            assert (await result.fetchone()).as_tuple() == (1,)
            assert not result.closed
        assert result.closed


async def test_async_for_runs_the_statement(make_engine):
    async with make_engine() as engine, engine.acquire() as conn:
        rows = [row async for row in conn.execute("SELECT 1 AS n UNION SELECT 2")]
        assert [row.n for row in rows] == [1, 2]


async def test_scalar_without_rows(make_engine):
    async with make_engine() as engine, engine.acquire() as conn:
        assert await conn.scalar("SELECT 1 FROM DUAL WHERE 1 = 0") is None
        with pytest.raises(ResourceClosedError, match="does not return rows"):
            await conn.scalar("SET @x = 1")


async def test_closed_connection(make_engine):
    async with make_engine() as engine:
        conn = await engine.acquire()
        assert not conn.closed
        await conn.close()
        await conn.close()
        assert conn.closed
        assert conn.connection is None
        for call in (
            conn.execute("SELECT 1"),
            conn.scalar("SELECT 1"),
            conn.begin(),
            conn.begin_twophase(),
            conn.recover_twophase(),
        ):
            with pytest.raises(ResourceClosedError, match="connection is closed"):
                await call
        assert (engine.size, engine.freesize) == (1, 1)


async def test_connection_as_context_manager(make_engine):
    async with make_engine() as engine:
        async with await engine.acquire() as conn:
            assert await conn.scalar("SELECT 1") == 1
        assert conn.closed
        assert engine.freesize == 1


async def test_connection_made_by_hand(make_engine):
    """Applications wrap a connection of their own, with little behind it for an engine."""

    class Stand:
        dialect = _dialect

        async def release(self, conn):
            pass

    async with make_engine() as engine, engine.acquire() as conn:
        own = SAConnection(conn.connection, Stand())
        assert await own.scalar(select(sa.literal(1))) == 1
        await own.close()
        assert own.closed


async def test_lost_connection_shows(make_engine, observe):
    async with make_engine() as engine:
        conn = await engine.acquire()
        observe("KILL %s", (await conn.scalar("SELECT CONNECTION_ID()"),))
        with pytest.raises(pymysql.err.Error):
            await conn.scalar("SELECT 1")
        await conn.close()
        async with engine.acquire() as conn:
            assert await conn.scalar("SELECT 1") == 1


async def test_lost_connection_is_not_hidden_by_the_rollback(make_engine, observe):
    async with make_engine() as engine, engine.acquire() as conn:
        transaction = await conn.begin()
        observe("KILL %s", (await conn.scalar("SELECT CONNECTION_ID()"),))

        async def fail():
            async with transaction:
                await conn.scalar("SELECT 1")

        with pytest.raises(pymysql.err.OperationalError) as caught:
            await fail()
        assert caught.value.args[0] in (2006, 2013, 4031, 1927)
        assert not transaction.is_active
        assert not conn.in_transaction
