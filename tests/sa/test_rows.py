"""RowProxy and ResultProxy."""

import copy
import pickle
from collections.abc import Mapping

import aiomysql
import pytest
import sqlalchemy as sa
from aiomysql.sa import InvalidRequestError, NoSuchColumnError, ResourceClosedError

from .util import VERSION, labelled, select

NO_ROWS = "^This result object does not return rows. It has been closed automatically.$"
CLOSED = "^This result object is closed.$"

metadata = sa.MetaData()
one = sa.Table(
    "sa_one", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text)
)
two = sa.Table(
    "sa_two", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text)
)
renamed = sa.Table(
    "sa_one",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, key="title"),
)


@pytest.fixture
def filled(make_tables, observe):
    make_tables(one, two)
    observe("INSERT INTO sa_one VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    observe("INSERT INTO sa_two VALUES (1, 'x')")


async def first(conn, query):
    return await (await conn.execute(query)).first()


def pick(row, key):
    return row[key]


async def test_access(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        row = await first(conn, one.select().order_by(one.c.id))
        assert isinstance(row, Mapping)
        assert (row["id"], row[0], row[one.c.id], row.id) == (1, 1, 1, 1)
        assert (row["name"], row[1], row[one.c.name], row.name) == ("a", "a", "a", "a")
        assert row.as_tuple() == (1, "a")
        assert repr(row) == "(1, 'a')"


async def test_mapping(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        row = await first(conn, one.select().order_by(one.c.id))
        assert len(row) == 2
        assert list(row) == ["id", "name"]
        assert dict(row) == {"id": 1, "name": "a"}
        assert (list(row.values()), row.get("nothing", 5)) == ([1, "a"], 5)
        for key in ("id", one.c.id, 0, 1):
            assert key in row
        for key in ("nothing", two.c.id, 2, -1, None, 1.5):
            assert key not in row


async def test_equality(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        row = await first(conn, one.select().order_by(one.c.id))
        same = await first(conn, "SELECT 1, 'a'")
        assert row == same
        assert row == (1, "a")
        assert row != (1, "b")
        assert row != [1, "a"]
        assert row != 5
        with pytest.raises(TypeError, match="unhashable"):
            hash(row)


@pytest.mark.parametrize("key", ["nothing", "ID", 2, -1, None, 1.5, two.c.name])
async def test_missing_columns(make_engine, filled, key):
    async with make_engine() as engine, engine.acquire() as conn:
        row = await first(conn, one.select())
        with pytest.raises(NoSuchColumnError) as caught:
            pick(row, key)
        assert caught.value.args == (f"Could not locate column in row for column '{key}'",)


async def test_missing_attribute(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        row = await first(conn, one.select())
        with pytest.raises(
            AttributeError, match=r"^Could not locate column in row for column 'nothing'$"
        ):
            _ = row.nothing
        with pytest.raises(AttributeError):
            row.name = "b"


async def test_copies(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        row = await first(conn, one.select().order_by(one.c.id))
        for copied in (copy.copy(row), copy.deepcopy(row), pickle.loads(pickle.dumps(row))):
            assert copied == row
            assert (copied.name, copied["name"], copied[1]) == ("a", "a", "a")


async def test_ambiguous_columns(make_engine, filled):
    text = "SELECT sa_one.id, sa_two.id, sa_two.name FROM sa_one JOIN sa_two USING (id)"
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(text)
        assert result.keys() == ("id", "id", "name")
        row = await result.first()
        for key in ("id", one.c.id):
            with pytest.raises(InvalidRequestError) as caught:
                pick(row, key)
            assert caught.value.args == (
                f"Ambiguous column name '{key}' in result set! "
                "try 'use_labels' option on select statement.",
            )
            assert key in row
        with pytest.raises(InvalidRequestError, match="Ambiguous"):
            _ = row.id
        assert (row[0], row[1], row["name"]) == (1, 1, "x")
        assert row.as_tuple() == (1, 1, "x")
        assert repr(row) == "(1, 1, 'x')"


async def test_columns_of_a_join_are_told_apart(make_engine, filled):
    join = one.join(two, one.c.id == two.c.id)
    async with make_engine() as engine, engine.acquire() as conn:
        for query in (select(one, two).select_from(join),
                      labelled(select(one, two).select_from(join))):  # fmt: skip
            row = await first(conn, query)
            assert (row[one.c.name], row[two.c.name]) == ("a", "x")


async def test_columns_of_aliases_and_subqueries(make_engine, filled):
    alias = one.alias("a")
    inner = select(one.c.name.label("n")).where(one.c.id == 2).alias("inner_one")
    async with make_engine() as engine, engine.acquire() as conn:
        row = await first(conn, select(alias).where(alias.c.id == 1))
        assert (row[alias.c.name], row[one.c.name]) == ("a", "a")
        row = await first(conn, select(inner))
        assert (row[inner.c.n], row.n) == ("b", "b")
        other = one.alias("b")
        row = await first(conn, select(alias.c.id.label("x"), other.c.id.label("y")))
        assert alias.c.id not in row  # a label is what it is called


async def test_column_of_two_aliases_is_ambiguous(make_engine, filled):
    a, b = one.alias("a"), one.alias("b")
    query = labelled(select(a, b).where(a.c.id == 1).where(b.c.id == 2))
    async with make_engine() as engine, engine.acquire() as conn:
        row = await first(conn, query)
        assert (row[a.c.name], row[b.c.name]) == ("a", "b")
        with pytest.raises(InvalidRequestError, match="Ambiguous"):
            pick(row, one.c.name)


async def test_column_with_a_key(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        row = await first(conn, renamed.select().where(renamed.c.id == 1))
        assert (row[renamed.c.title], row.name) == ("a", "a")


async def test_columns_go_by_name_in_plain_text(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        row = await first(conn, "SELECT name, id FROM sa_one WHERE id = 1")
        assert (row[one.c.id], row[one.c.name], row[two.c.name]) == (1, "a", "a")


async def test_star(make_engine, filled):
    query = select(sa.literal_column("*")).select_from(one).where(one.c.id == 1)
    async with make_engine() as engine, engine.acquire() as conn:
        row = await first(conn, query)
        assert (row.id, row[one.c.name]) == (1, "a")


async def test_names_that_rows_have_themselves(make_engine):
    async with make_engine() as engine, engine.acquire() as conn:
        row = await first(conn, "SELECT 1 AS `keys`, 2 AS `as_tuple`, 3 AS `class`")
        assert (row["keys"], row["as_tuple"], row["class"]) == (1, 2, 3)
        assert row.as_tuple() == (1, 2, 3)


async def test_result_with_rows(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(one.select().order_by(one.c.id))
        assert result.returns_rows
        assert result.keys() == ("id", "name")
        assert (result.rowcount, result.lastrowid) == (3, None)
        assert isinstance(result.cursor, aiomysql.Cursor)
        assert result.dialect is engine.dialect
        assert not result.closed
        assert (await result.fetchone()).id == 1
        assert [row.id for row in await result.fetchmany()] == [2]
        assert [row.id for row in await result.fetchall()] == [3]
        assert result.closed
        assert result.cursor is None
        assert result.keys() == ("id", "name")
        assert (result.rowcount, result.returns_rows) == (3, True)


async def test_result_without_rows(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(one.update().values(name="z"))
        assert (result.rowcount, result.lastrowid) == (3, 0)
        assert (result.returns_rows, result.closed, result.cursor) == (False, True, None)
        assert result.keys() == ()
        for fetch in (
            result.fetchone,
            result.fetchmany,
            result.fetchall,
            result.first,
            result.scalar,
            result.__anext__,
        ):
            with pytest.raises(ResourceClosedError, match=NO_ROWS):
                await fetch()


async def test_closed_result(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(one.select())
        cursor = result.cursor
        await result.close()
        await result.close()
        assert result.closed
        with pytest.raises(aiomysql.ProgrammingError, match="Cursor closed"):
            await cursor.execute("SELECT 1")
        for fetch in (
            result.fetchone,
            result.fetchmany,
            result.fetchall,
            result.first,
            result.scalar,
            result.__anext__,
        ):
            with pytest.raises(ResourceClosedError, match=CLOSED):
                await fetch()


async def test_fetchone_closes_after_the_last_row(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(one.select().where(one.c.id == 1))
        assert await result.fetchone() is not None
        assert not result.closed
        assert await result.fetchone() is None
        assert result.closed


async def test_fetchmany(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(one.select().order_by(one.c.id))
        assert [row.id for row in await result.fetchmany(2)] == [1, 2]
        assert [row.id for row in await result.fetchmany(2)] == [3]
        assert not result.closed
        assert await result.fetchmany(2) == []
        assert result.closed
        result = await conn.execute(one.select())
        result.cursor.arraysize = 3
        assert len(await result.fetchmany()) == 3


async def test_first_and_scalar_close(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(one.select().order_by(one.c.id))
        assert (await result.first()).id == 1
        assert result.closed
        result = await conn.execute(one.select().order_by(one.c.id))
        assert await result.scalar() == 1
        assert result.closed
        nothing = one.select().where(one.c.id == 9)
        assert await first(conn, nothing) is None
        assert await (await conn.execute(nothing)).scalar() is None
        assert await (await conn.execute(nothing)).fetchall() == []


async def test_async_for(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(one.select().order_by(one.c.id))
        async for row in result:
            assert row.id == 1
            break
        assert not result.closed
        assert [row.id async for row in result] == [2, 3]
        assert result.closed


async def test_rows_outlive_the_connection(make_engine, filled):
    async with make_engine() as engine:
        async with engine.acquire() as conn:
            rows = await (await conn.execute(one.select().order_by(one.c.id))).fetchall()
        assert [row.name for row in rows] == ["a", "b", "c"]


async def test_several_statements_in_one_text(make_engine):
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute("SELECT 1 AS a; SELECT 2 AS b")
        assert (await result.fetchall())[0].a == 1
        assert await conn.scalar("SELECT 3") == 3


@pytest.mark.skipif(VERSION < (1, 4), reason="1.3 gives one column for both")
async def test_the_same_column_twice(make_engine, filled):
    async with make_engine() as engine, engine.acquire() as conn:
        row = await first(conn, select(one.c.id, one.c.id).where(one.c.id == 2))
        assert row.as_tuple() == (2, 2)
        assert row[one.c.id] == 2
