"""The cache of compiled statements, and the private names of SQLAlchemy behind it."""

import pytest
import sqlalchemy as sa
from aiomysql.sa.compile import RecentlyUsed, Statement
from aiomysql.sa.engine import _dialect
from sqlalchemy.sql.compiler import SQLCompiler

from .util import VERSION, select

table = sa.Table(
    "sa_cached",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(20)),
)
since_14 = pytest.mark.skipif(VERSION < (1, 4), reason="statements share a compilation since 1.4")


@pytest.fixture
def compilations(monkeypatch):
    """What was compiled: the SQL, one for each time."""
    made = []
    init = Statement.__init__

    def note(self, compiled, dialect):
        made.append(str(compiled))
        init(self, compiled, dialect)

    monkeypatch.setattr(Statement, "__init__", note)
    return made


async def test_a_statement_is_compiled_once(make_engine, compilations):
    query = select(sa.literal("a").label("x"))
    async with make_engine() as engine:
        for _ in range(3):
            async with engine.acquire() as conn:
                assert await conn.scalar(query) == "a"
    assert len(compilations) == 1


@since_14
async def test_statements_of_one_shape_keep_their_own_values(
    make_engine, make_tables, compilations
):
    make_tables(table)
    async with make_engine() as engine, engine.acquire() as conn:
        for n in range(1, 4):
            await conn.execute(table.insert().values(id=n, name=f"n{n}"))
        for n in range(1, 4):
            query = select(table.c.name).where(table.c.id == n).limit(n)
            assert await conn.scalar(query) == f"n{n}"
            others = select(table.c.id).where(table.c.id.in_(range(n))).order_by(table.c.id)
            rows = await (await conn.execute(others)).fetchall()
            assert [row.id for row in rows] == list(range(1, n))
            update = table.update().where(table.c.id == n).values(name=f"m{n}")
            assert (await conn.execute(update)).rowcount == 1
            assert await conn.scalar(select(table.c.name).where(table.c.id == n)) == f"m{n}"
    assert len(compilations) == 5


@since_14
async def test_parameters_by_name_are_not_mixed_up(make_engine, make_tables, compilations):
    make_tables(table)
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(table.insert(), {"id": 1, "name": "a"})
        await conn.execute(table.insert(), {"id": 2})
        await conn.execute(table.insert(), {"id": 3, "name": "c"})
        await conn.execute(table.insert(), [{"id": 4, "name": "d"}, {"id": 5, "name": "e"}])
        rows = await (await conn.execute(select(table.c.name).order_by(table.c.id))).fetchall()
    assert [row.name for row in rows] == ["a", None, "c", "d", "e"]
    assert len(compilations) == 4


@since_14
async def test_aliases_of_one_shape(make_engine, make_tables):
    """The columns of a clause find their place in the rows of a compilation made for another."""
    make_tables(table)
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(table.insert().values(id=1, name="a"))
        for _ in range(3):
            alias = table.alias("x")
            row = await (await conn.execute(select(alias.c.name, alias.c.id))).first()
            assert (row[alias.c.name], row[alias.c.id], row[table.c.id]) == ("a", 1, 1)


async def test_own_cache(make_engine, compilations):
    cache = {}
    query = select(sa.literal(1).label("x"))
    for _ in range(2):
        async with make_engine(compiled_cache=cache) as engine, engine.acquire() as conn:
            assert await conn.scalar(query) == 1
            await conn.execute("SELECT 1")
    assert len(cache) == len(compilations) == 1


@since_14
async def test_what_cannot_be_cached(make_engine, make_tables):
    make_tables(table)
    cache = {}
    async with make_engine(compiled_cache=cache) as engine, engine.acquire() as conn:
        for names in (["a", "b"], ["c", "d", "e"]):
            await conn.execute(table.insert().values([{"name": name} for name in names]))
        assert await conn.scalar(select(sa.func.count()).select_from(table)) == 5
    assert len(cache) == 1


async def test_default_cache_is_limited(make_engine):
    async with make_engine() as engine, engine.acquire() as conn:
        for n in range(1, 600):
            await conn.scalar(select(sa.literal(n).label(f"x{n}")))
        assert 1 < len(engine._compiled_cache) <= 500


def test_recently_used():
    cache = RecentlyUsed(limit=2)
    cache["a"], cache["b"] = 1, 2
    assert cache.get("a") == 1
    cache["c"] = 3
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_private_names_that_we_rely_on():
    """If this fails on a new SQLAlchemy, see aiomysql.sa.compile for what the names are for."""
    query = select(table.c.id, table.c.name.label("n"))
    compiled = query.compile(dialect=_dialect)
    described = [(name, type(type_)) for _, name, _, type_ in compiled._result_columns]
    assert described == [("id", sa.Integer), ("n", sa.String)]
    assert table.c.id in compiled._result_columns[0][2]
    if VERSION >= (1, 4):
        key = query.where(table.c.id == 5)._generate_cache_key()
        assert key[0] == query.where(table.c.id == 6)._generate_cache_key()[0]
        assert [bind.value for bind in key[1]] == [5]
    if VERSION == (1, 4):
        assert callable(SQLCompiler._process_parameters_for_postcompile)
    if VERSION >= (2, 0):
        assert callable(SQLCompiler.construct_expanded_state)
