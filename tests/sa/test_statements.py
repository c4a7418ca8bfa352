"""Core statements, compiled by SQLAlchemy's dialect and run on the server."""

import warnings

import pymysql
import pytest
import sqlalchemy as sa
from aiomysql.sa import ArgumentError
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.schema import DDL, CreateIndex, CreateTable, DropTable

from .util import VERSION, labelled, select

metadata = sa.MetaData()
people = sa.Table(
    "sa_people",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(50), unique=True),
    sa.Column("boss", sa.Integer),
)
pets = sa.Table(
    "sa_pets",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("owner", sa.Integer),
    sa.Column("name", sa.String(50)),
)


@pytest.fixture
def filled(make_tables, observe):
    make_tables(people, pets)
    observe("INSERT INTO sa_people VALUES (1, 'Ann', NULL), (2, 'Bob', 1), (3, 'Cid', 1)")
    observe("INSERT INTO sa_pets VALUES (1, 2, 'Rex'), (2, 2, 'Tom'), (3, 3, 'Kit')")


async def rows_of(conn, query, *multiparams, **params):
    return [row.as_tuple() async for row in conn.execute(query, *multiparams, **params)]


async def test_select(make_engine, filled):
    query = select(people.c.id, people.c.name).where(people.c.boss == 1).order_by(people.c.id)
    async with make_engine() as engine, engine.acquire() as conn:
        assert await rows_of(conn, query) == [(2, "Bob"), (3, "Cid")]
        assert await rows_of(conn, query.limit(1).offset(1)) == [(3, "Cid")]
        assert await conn.scalar(select(sa.func.count()).select_from(people)) == 3
        assert await rows_of(conn, query.where(people.c.name.like("%i%"))) == [(3, "Cid")]


async def test_join_with_labels(make_engine, filled):
    query = labelled(
        select(people, pets)
        .select_from(people.join(pets, people.c.id == pets.c.owner))
        .order_by(pets.c.id)
    )
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(query)
        assert result.keys() == (
            "sa_people_id",
            "sa_people_name",
            "sa_people_boss",
            "sa_pets_id",
            "sa_pets_owner",
            "sa_pets_name",
        )
        row = await result.first()
        assert (row.sa_people_name, row["sa_pets_name"]) == ("Bob", "Rex")
        assert (row[people.c.name], row[pets.c.name]) == ("Bob", "Rex")


async def test_self_join_by_aliases(make_engine, filled):
    boss = people.alias("boss")
    query = select(people.c.name.label("who"), boss.c.name.label("whom")).where(
        people.c.boss == boss.c.id
    )
    async with make_engine() as engine, engine.acquire() as conn:
        assert sorted(await rows_of(conn, query)) == [("Bob", "Ann"), ("Cid", "Ann")]


async def test_common_table_expression(make_engine, filled):
    reports = select(people.c.boss, sa.func.count().label("n")).group_by(people.c.boss)
    reports = reports.cte("reports")
    query = select(people.c.name, reports.c.n).where(people.c.id == reports.c.boss)
    async with make_engine() as engine, engine.acquire() as conn:
        row = await (await conn.execute(query)).first()
        assert (row[people.c.name], row[reports.c.n]) == ("Ann", 2)


async def test_in_lists(make_engine, filled):
    query = select(people.c.name).order_by(people.c.id)
    async with make_engine() as engine, engine.acquire() as conn:
        assert await rows_of(conn, query.where(people.c.id.in_([1, 3]))) == [("Ann",), ("Cid",)]
        assert await rows_of(conn, query.where(people.c.id.in_([2]))) == [("Bob",)]
        assert await rows_of(conn, query.where(people.c.name.in_(["it's", "Bob"]))) == [("Bob",)]
        assert await rows_of(conn, query.where(people.c.id.notin_([1, 3]))) == [("Bob",)]
        pairs = sa.tuple_(people.c.id, people.c.name).in_([(1, "Ann"), (2, "nobody")])
        assert await rows_of(conn, query.where(pairs)) == [("Ann",)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sa.exc.SAWarning)  # 1.3 warns of the empty list
            assert await rows_of(conn, query.where(people.c.id.in_([]))) == []


@pytest.mark.skipif(VERSION < (1, 4), reason="1.3 renders IN lists when it compiles")
async def test_expanding_parameter(make_engine, filled):
    wanted = sa.bindparam("wanted", expanding=True)
    query = select(people.c.name).where(people.c.id.in_(wanted)).order_by(people.c.id)
    async with make_engine() as engine, engine.acquire() as conn:
        assert await rows_of(conn, query, wanted=[1, 2]) == [("Ann",), ("Bob",)]
        assert await rows_of(conn, query, {"wanted": [3]}) == [("Cid",)]
        assert await rows_of(conn, query, wanted=[]) == []
        delete = people.delete().where(people.c.id.in_(wanted))
        with pytest.raises(ArgumentError, match="one set of parameters at a time"):
            await conn.execute(delete, {"wanted": [1]}, {"wanted": [2]})
        assert (await conn.execute(delete, wanted=[1, 2])).rowcount == 2


@pytest.mark.skipif(VERSION < (1, 4), reason="new in 1.4")
async def test_literal_execute_parameter(make_engine, filled, caplog):
    query = select(people.c.name, sa.bindparam("b", 7, literal_execute=True).label("seven"))
    query = query.where(people.c.name == sa.bindparam("n", "Bob", literal_execute=True))
    async with make_engine() as engine, engine.acquire() as conn:
        assert await rows_of(conn, query) == [("Bob", 7)]
        assert await rows_of(conn, query, b=8, n="Ann") == [("Ann", 8)]


@pytest.mark.skipif(VERSION < (1, 4), reason="escapes names since 1.4")
async def test_parameter_names_that_need_escaping(make_engine, make_tables, observe):
    table = sa.Table("sa_odd", sa.MetaData(), sa.Column("a b%(c)", sa.Integer, default=4))
    make_tables(table)
    column = table.c["a b%(c)"]
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(table.insert().values({"a b%(c)": 3}))
        await conn.execute(table.insert(), [{"a b%(c)": 1}, {"a b%(c)": 2}])
        await conn.execute(table.insert())
        for least, expected in ((1, [(3,), (4,)]), (3, [(4,)])):  # a compilation for both
            query = select(column).where(column.in_([1, 3, 4])).where(column > least)
            assert await rows_of(conn, query.order_by(column)) == expected
        named = select(column).where(column == sa.bindparam("x y"))
        for query in (named, named.where(column.in_([1, 2]))):
            assert await rows_of(conn, query, {"x y": 2}) == [(2,)]


async def test_insert_one_row(make_engine, filled, observe):
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(people.insert().values(name="Dot"))
        assert (result.rowcount, result.lastrowid) == (1, 4)
        assert (result.returns_rows, result.closed) == (False, True)
    assert observe("SELECT name, boss FROM sa_people WHERE id = 4") == [("Dot", None)]


async def test_insert_of_many_rows_by_values(make_engine, filled, observe):
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(people.insert().values([{"name": "Dot"}, {"name": "Eve"}]))
    assert (result.rowcount, result.lastrowid) == (2, 4)
    assert observe("SELECT name FROM sa_people WHERE id > 3 ORDER BY id") == [("Dot",), ("Eve",)]


async def test_insert_of_many_rows_by_parameters_is_one_statement(make_engine, filled, observe):
    count = "SHOW GLOBAL STATUS LIKE 'Com_insert'"
    async with make_engine() as engine, engine.acquire() as conn:
        before = int(observe(count)[0][1])
        rows = [{"name": f"n{i}", "boss": i} for i in range(100)]
        assert (await conn.execute(people.insert(), rows)).rowcount == 100
        assert int(observe(count)[0][1]) - before < 10
    assert observe("SELECT COUNT(*), SUM(boss) FROM sa_people WHERE id > 3") == [(100, 4950)]


async def test_insert_from_select(make_engine, filled, observe):
    source = select(people.c.name, people.c.id).where(people.c.id > 1)
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(pets.insert().from_select(["name", "owner"], source))
    assert observe("SELECT name, owner FROM sa_pets WHERE id > 3 ORDER BY owner") == [
        ("Bob", 2),
        ("Cid", 3),
    ]


async def test_insert_or_update(make_engine, filled, observe):
    upsert = insert(people).values(id=2, name="Bob", boss=5)
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(upsert.on_duplicate_key_update(boss=sa.text("boss + 10")))
        assert observe("SELECT boss FROM sa_people WHERE id = 2") == [(11,)]
        with warnings.catch_warnings():  # MySQL >= 8.0.20 would rather not see VALUES()
            warnings.simplefilter("ignore", pymysql.err.Warning)
            await conn.execute(upsert.on_duplicate_key_update(boss=upsert.inserted.boss))
    assert observe("SELECT boss FROM sa_people WHERE id = 2") == [(5,)]


async def test_update_and_delete(make_engine, filled, observe):
    async with make_engine() as engine, engine.acquire() as conn:
        update = people.update().where(people.c.boss == 1).values(boss=people.c.boss + 1)
        assert (await conn.execute(update)).rowcount == 2
        delete = people.delete().where(people.c.boss == 2)
        assert (await conn.execute(delete)).rowcount == 2
    assert observe("SELECT id FROM sa_people") == [(1,)]


async def test_update_by_parameters_sets_only_those_columns(make_engine, filled, observe):
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(people.update().where(people.c.id == 2), boss=9)
    assert observe("SELECT name, boss FROM sa_people WHERE id = 2") == [("Bob", 9)]


async def test_text(make_engine, filled):
    text = sa.text("SELECT id, name FROM sa_people WHERE id = :id")
    typed = text.columns(sa.Column("id", sa.Integer), sa.Column("name", sa.String))
    async with make_engine() as engine, engine.acquire() as conn:
        for query in (text, typed, text.bindparams(id=0)):
            assert await rows_of(conn, query, id=2) == [(2, "Bob")]
        assert await rows_of(conn, text.bindparams(id=3)) == [(3, "Cid")]


async def test_text_among_columns(make_engine, filled):
    query = select(sa.text("name, id AS number"), people.c.boss).where(people.c.id == 2)
    async with make_engine() as engine, engine.acquire() as conn:
        row = await (await conn.execute(query)).first()
        assert row.as_tuple() == ("Bob", 2, 1)
        assert (row["number"], row[people.c.boss]) == (2, 1)


async def test_union(make_engine, filled):
    query = sa.union_all(select(people.c.name), select(pets.c.name))
    async with make_engine() as engine, engine.acquire() as conn:
        assert len(await rows_of(conn, query)) == 6


async def test_ddl(make_engine, observe):
    table = sa.Table(
        "sa_ddl",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("share", sa.String(10), comment="in %", server_default=sa.text("'5%'")),
    )
    index = sa.Index("sa_ddl_share", table.c.share)
    observe("DROP TABLE IF EXISTS sa_ddl")
    async with make_engine() as engine, engine.acquire() as conn:
        result = await conn.execute(CreateTable(table))
        assert not result.returns_rows
        await conn.execute(CreateIndex(index))
        await conn.execute(table.insert())
        assert await conn.scalar(select(table.c.share)) == "5%"
        assert observe("SHOW INDEX FROM sa_ddl WHERE Key_name = 'sa_ddl_share'")
        comment = "SELECT COLUMN_COMMENT FROM information_schema.COLUMNS WHERE TABLE_NAME='sa_ddl'"
        assert ("in %",) in observe(comment)
        described = DDL("ALTER TABLE sa_ddl COMMENT 'all of %(what)s'", context={"what": "it"})
        await conn.execute(described)
        await conn.execute(DropTable(table))
    assert not observe("SHOW TABLES LIKE 'sa_ddl'")


@pytest.mark.vendor("mariadb")
@pytest.mark.skipif(VERSION < (2, 0), reason="SQLAlchemy has it since 2.0")
async def test_returning_with_mariadbs_dialect(make_engine, filled):
    dialect = sa.engine.make_url("mariadb+pymysql://").get_dialect()(paramstyle="pyformat")
    query = people.insert().values(name="Dot").returning(people.c.id, people.c.name)
    async with make_engine(dialect=dialect) as engine, engine.acquire() as conn:
        assert engine.name == "mariadb"
        assert await rows_of(conn, query) == [(4, "Dot")]
