"""Engines and tables for the tests of aiomysql.sa, on whatever SQLAlchemy is installed."""

import pymysql
import pytest
from aiomysql.sa import create_engine
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.schema import CreateTable


@pytest.fixture
def make_engine(server):
    """`make_engine(**changes)`: an engine on the server, to be awaited or entered."""

    def make(**changes):
        return create_engine(**{**server.connect_kwargs(), "autocommit": True, **changes})

    return make


@pytest.fixture
def observe(server):
    """`observe(sql)`: the rows, as a client that is independent of the library sees them."""
    with pymysql.connect(**server.connect_kwargs(), autocommit=True) as connection:

        def query(sql, args=None):
            with connection.cursor() as cursor:
                cursor.execute(sql, args)
                return list(cursor.fetchall())

        yield query


@pytest.fixture
def make_tables(observe):
    """`make_tables(*tables)`: they exist, empty, until the test ends."""
    made = []

    def make(*tables):
        for table in tables:
            observe(f"DROP TABLE IF EXISTS {table.name}")
            observe(str(CreateTable(table).compile(dialect=MySQLDialect_pymysql())), ())
            made.append(table.name)

    yield make
    for name in made:
        observe(f"DROP TABLE IF EXISTS {name}")
