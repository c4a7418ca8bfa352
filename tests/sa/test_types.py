"""Values on their way to the server and back, as the columns' types have them."""

import datetime
import decimal
import enum

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from .util import VERSION, select


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Cents(sa.TypeDecorator):
    """Money as Decimal here, as an integer in the table."""

    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else int(value * 100)

    def process_result_value(self, value, dialect):
        return None if value is None else decimal.Decimal(value) / 100


class Shouted(sa.TypeDecorator):
    """Upper case in the table by an SQL function, lower case here."""

    impl = sa.String(20)
    cache_ok = True

    def bind_expression(self, bindvalue):
        return sa.func.upper(bindvalue, type_=self)

    def column_expression(self, column):
        return sa.func.lower(column, type_=self)


MOMENT = datetime.datetime(2024, 2, 29, 23, 59, 58, 123456)

CASES = [
    (sa.Enum(Colour), Colour.GREEN, "GREEN"),
    (sa.Enum("small", "large"), "large", "large"),
    (sa.JSON, {"a": [1, None, "é", "%s"]}, None),
    (mysql.DATETIME(fsp=6), MOMENT, MOMENT),
    (mysql.DATETIME(fsp=3), MOMENT.replace(microsecond=123000), None),
    (sa.DateTime, MOMENT.replace(microsecond=0), None),
    (sa.Date, MOMENT.date(), MOMENT.date()),
    (mysql.TIME(fsp=6), MOMENT.time(), None),
    (sa.Time, datetime.time(1, 2, 3), datetime.timedelta(hours=1, minutes=2, seconds=3)),
    (Cents, decimal.Decimal("12.34"), 1234),
    (Shouted, "ahoy", "AHOY"),
    (sa.Unicode(20), "é€😀", "é€😀"),
    (sa.Text, "100% \\ ' \"", None),
    (sa.LargeBinary, b"\x00\xff%s'", None),
    (sa.Boolean, True, 1),
    (sa.Numeric(10, 3), decimal.Decimal("1.250"), None),
    (sa.Numeric(10, 3, asdecimal=False), 1.25, decimal.Decimal("1.250")),
    (sa.Float(53), 0.1, 0.1),
    (sa.BigInteger, -(2**63), None),
    (mysql.BIT(8), 5, b"\x05"),
    (mysql.SET("a", "b", "c"), {"a", "c"}, "a,c"),
    (mysql.YEAR, 2024, 2024),
    (sa.PickleType, {"x": (1, 2)}, None),
    (sa.Interval, datetime.timedelta(days=2, seconds=3), None),
]
if VERSION >= (2, 0):
    import uuid

    CASES.append((sa.Uuid, uuid.UUID(int=7), None))


@pytest.mark.parametrize(("type_", "value", "stored"), CASES, ids=lambda case: repr(case)[:30])
async def test_round_trip(make_engine, make_tables, observe, type_, value, stored):
    table = sa.Table(
        "sa_types",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("x", type_),
    )
    make_tables(table)
    async with make_engine(charset="utf8mb4") as engine, engine.acquire() as conn:
        await conn.execute(table.insert().values(x=value))
        await conn.execute(table.insert(), [{"x": value}, {"x": None}])
        await conn.execute(table.insert().values([{"x": value}]))
        result = await conn.execute(table.select().order_by(table.c.id))
        assert [row.x for row in await result.fetchall()] == [value, value, None, value]
        assert type(await conn.scalar(select(table.c.x))) is type(value)
        await conn.execute(table.update().where(table.c.id == 1).values(x=None))
        assert await conn.scalar(select(table.c.x).where(table.c.id == 1)) is None
    if stored is not None:
        assert observe("SELECT x FROM sa_types WHERE id = 2") == [(stored,)]


@pytest.mark.parametrize("value", ["small", "large"])
async def test_types_in_conditions(make_engine, make_tables, value):
    table = sa.Table(
        "sa_types",
        sa.MetaData(),
        sa.Column("size", sa.Enum("small", "large")),
        sa.Column("price", Cents),
    )
    make_tables(table)
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(table.insert().values(size=value, price=decimal.Decimal("1.5")))
        query = select(table.c.size).where(table.c.price == decimal.Decimal("1.5"))
        assert await conn.scalar(query) == value
        several = [decimal.Decimal("1.5"), decimal.Decimal("2.5")]
        assert await conn.scalar(select(table.c.size).where(table.c.price.in_(several))) == value
        given = select(table.c.size).where(table.c.price == sa.bindparam("p", type_=Cents))
        assert await conn.scalar(given, p=several[0]) == value
        with pytest.raises(LookupError):
            await conn.execute(table.insert().values(size=42))


async def test_json_null_and_path(make_engine, make_tables):
    table = sa.Table("sa_types", sa.MetaData(), sa.Column("x", sa.JSON))
    make_tables(table)
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(table.insert().values(x={"a": {"b": 5}}))
        assert await conn.scalar(select(table.c.x["a", "b"])) == 5
        await conn.execute(table.update().values(x=sa.JSON.NULL))
        assert await conn.scalar(select(table.c.x)) is None
        assert await conn.scalar(select(table.c.x.is_(None))) == 0


async def test_labels_keep_the_type(make_engine, make_tables):
    table = sa.Table("sa_types", sa.MetaData(), sa.Column("x", Cents))
    make_tables(table)
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(table.insert().values(x=decimal.Decimal("1.5")))
        for query in (
            select(table.c.x.label("y")),
            select(table.alias("other").c.x),
            select(sa.func.max(table.c.x)),
            select(sa.literal_column("150", type_=Cents)),
        ):
            assert await conn.scalar(query) == decimal.Decimal("1.5")


async def test_types_of_text(make_engine):
    """Columns of text() go by place if they are given by place, by name if by name."""
    text = sa.text("SELECT 150 AS a, 250 AS b")
    by_place = text.columns(sa.Column("first", Cents), sa.Column("second", sa.Integer))
    by_name = text.columns(b=Cents, a=sa.Integer)
    async with make_engine() as engine, engine.acquire() as conn:
        row = await (await conn.execute(by_place)).first()
        assert row.as_tuple() == (decimal.Decimal("1.5"), 250)
        row = await (await conn.execute(by_name)).first()
        assert row.as_tuple() == (150, decimal.Decimal("2.5"))


async def test_plain_text_is_not_converted(make_engine, make_tables):
    table = sa.Table("sa_types", sa.MetaData(), sa.Column("x", Cents))
    make_tables(table)
    async with make_engine() as engine, engine.acquire() as conn:
        await conn.execute(table.insert().values(x=decimal.Decimal("1.5")))
        row = await (await conn.execute("SELECT x FROM sa_types")).first()
        assert row[table.c.x] == 150
