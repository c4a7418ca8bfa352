"""Defaults of columns: of Python, of SQL and of the server."""

import itertools

import pytest
import sqlalchemy as sa
from aiomysql.sa.compile import compile_clause
from aiomysql.sa.engine import _dialect

from .util import VERSION, select

counter = itertools.count()


def doubled(context):
    return context.get_current_parameters()["given"] * 2


table = sa.Table(
    "sa_defaults",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("given", sa.Integer),
    sa.Column("scalar", sa.Integer, default=5, onupdate=6),
    sa.Column("counted", sa.Integer, default=lambda: next(counter)),
    sa.Column("seen", sa.Integer, default=doubled, onupdate=doubled),
    sa.Column(
        "expression", sa.String(20), default=sa.func.upper("abc"), onupdate=sa.func.upper("d")
    ),
    sa.Column("server", sa.Integer, server_default=sa.text("9")),
)
key = sa.Table(
    "sa_default_key",
    sa.MetaData(),
    sa.Column(
        "id", sa.String(36), primary_key=True, default=sa.func.concat("k", sa.func.length("ab"))
    ),
    sa.Column("n", sa.Integer),
)


@pytest.fixture
def stored(make_tables, observe):
    global counter
    counter = itertools.count()
    make_tables(table)
    columns = "given, scalar, counted, seen, expression, server"
    return lambda: observe(f"SELECT {columns} FROM sa_defaults ORDER BY id")


async def test_one_row(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(table.insert().values(given=1))
        await conn.execute(table.insert(), given=2)
    assert stored() == [(1, 5, 0, 2, "ABC", 9), (2, 5, 1, 4, "ABC", 9)]


async def test_values_given_instead(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(
            table.insert().values(given=1, scalar=None, counted=8, seen=7, expression="x", server=3)
        )
    assert stored() == [(1, None, 8, 7, "x", 3)]


async def test_many_rows_by_parameters(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(table.insert(), [{"given": 1}, {"given": 2}, {"given": 3}])
    assert stored() == [(n, 5, n - 1, 2 * n, "ABC", 9) for n in (1, 2, 3)]


async def test_many_rows_by_values(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(table.insert().values([{"given": n} for n in range(1, 13)]))
    assert stored() == [(n, 5, n - 1, 2 * n, "ABC", 9) for n in range(1, 13)]


async def test_insert_from_select(make_engine, stored):
    plain = sa.Table("sa_defaults", sa.MetaData(), *[
        sa.Column(name, sa.Integer, default=default)
        for name, default in (("given", None), ("scalar", 5), ("counted", lambda: 3))
    ])  # fmt: skip
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(plain.insert().from_select(["given"], select(sa.literal(4))))
    assert [row[:3] for row in stored()] == [(4, 5, 3)]


async def test_update(make_engine, stored):
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(table.insert().values(given=1))
        await conn.execute(table.update().values(given=4))
        assert stored() == [(4, 6, 0, 8, "D", 9)]
        await conn.execute(table.update().values(given=5, scalar=1, seen=1, expression="e"))
        assert stored() == [(5, 1, 0, 1, "e", 9)]
        by_parameters = table.update().where(table.c.given == sa.bindparam("old"))
        await conn.execute(by_parameters, [{"old": 5, "given": 6}, {"old": 6, "given": 7}])
        assert stored() == [(7, 6, 0, 14, "D", 9)]


async def test_update_of_two_tables(make_engine, stored, make_tables, observe):
    other = sa.Table(
        "sa_default_other",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("n", sa.Integer),
        sa.Column("scalar", sa.Integer, onupdate=lambda: 77),
    )
    make_tables(other)
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(table.insert().values(given=1))
        await conn.execute(other.insert().values(id=1, n=1))
        update = table.update().values({table.c.seen: 3, other.c.n: 2})
        await conn.execute(update.where(table.c.given == other.c.n))
    assert [row[:2] for row in stored()] == [(1, 6)]
    assert observe("SELECT n, scalar FROM sa_default_other") == [(2, 77)]


async def test_expression_for_the_primary_key(make_engine, make_tables, observe):
    make_tables(key)
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(key.insert().values(n=1))
        await conn.execute(key.delete())
        await conn.execute(key.insert(), [{"n": 2}])
        assert observe("SELECT id, n FROM sa_default_key") == [("k2", 2)]


async def test_what_a_default_is_told(make_engine, make_tables, observe):
    told = []

    def tell(context):
        told.append(context)
        return 1

    watched = sa.Table(
        "sa_default_key",
        sa.MetaData(),
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("n", sa.Integer, default=tell),
    )
    make_tables(watched)
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(watched.insert().values(id="a"))
        await conn.execute(watched.insert().values([{"id": "b"}, {"id": "c"}]))
        assert told[0].dialect is engine.dialect
    assert (told[0].isinsert, told[0].isupdate) == (True, False)
    assert told[0].current_column is watched.c.n
    assert told[0].current_parameters["id"] == "a"
    assert [one.get_current_parameters()["id"] for one in told] == ["a", "b", "c"]
    assert all(set(one.get_current_parameters()) == {"id", "n"} for one in told)
    everything = told[2].get_current_parameters(isolate_multiinsert_groups=False)
    assert (everything["id_m0"], everything["id_m1"]) == ("b", "c")
    assert observe("SELECT SUM(n) FROM sa_default_key") == [(3,)]


def test_expression_for_many_primary_keys_stands_in_the_statement():
    for many, expected in ((False, ["id"]), (True, [])):
        statement, _, _ = compile_clause(key.insert(), _dialect, ["n"], many, None)
        assert [name for name, _ in statement.defaults.expressions] == expected


@pytest.mark.skipif(VERSION < (1, 4), reason="statements share a compilation since 1.4")
async def test_defaults_of_a_cached_statement_are_made_anew(make_engine, stored):
    async with make_engine(compiled_cache={}) as engine, engine.acquire() as conn:
        for n in (1, 2):
            await conn.execute(table.insert().values(given=n))
    assert [row[2:4] for row in stored()] == [(0, 2), (1, 4)]
