"""What the documentation shows works: on both servers, as the account that it speaks of."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import aiomysql
import pytest

from tests.docs.blocks import RUN, Block, blocks
from tests.fix_asyncio import Runner
from tests.fix_servers import RunningServer

ACCOUNTS = ("'app'@'localhost'", "'app'@'%'")
TABLES = (
    "CREATE TABLE users (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100), email VARCHAR(100))",
    "INSERT INTO users (id, name, email) VALUES (41, 'Ada', 'ada@x.org'), (42, 'Zoë', NULL)",
    "CREATE TABLE accounts (id INT PRIMARY KEY, balance DECIMAL(10, 2) NOT NULL)",
    "INSERT INTO accounts VALUES (1, 100), (2, 5)",
    "CREATE TABLE readings (id INT AUTO_INCREMENT PRIMARY KEY, taken DATETIME(6), value DOUBLE)",
)


@pytest.fixture(autouse=True)
def _database(server: RunningServer) -> Iterator[None]:
    """The database, the account and the tables of the documentation."""
    with server.admin() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS mydb")
        cursor.execute("CREATE DATABASE mydb CHARACTER SET utf8mb4")
        for account in ACCOUNTS:
            cursor.execute(f"CREATE USER {account} IDENTIFIED BY 'secret'")
            cursor.execute(f"GRANT ALL ON mydb.* TO {account}")
            cursor.execute(f"GRANT {_for_recovery(server)} ON *.* TO {account}")
        cursor.execute("USE mydb")
        for statement in TABLES:
            cursor.execute(statement)
    yield
    with server.admin() as cursor:
        cursor.execute("DROP DATABASE mydb")
        for account in ACCOUNTS:
            cursor.execute(f"DROP USER {account}")


def _for_recovery(server: RunningServer) -> str:
    """MySQL lists the transactions that wait for their end to those alone who may see them."""
    return "USAGE" if server.is_mariadb else "XA_RECOVER_ADMIN"


class Reader:
    """Who types the blocks of a page in, one after another."""

    def __init__(self, server: RunningServer) -> None:
        self._address = server.address
        self._runner = Runner()
        self._names: dict[str, Any] = {
            "__name__": "__main__",
            "aiomysql": aiomysql,
            "asyncio": asyncio,
        }

    def read(self, page: str) -> None:
        wanted = [block for block in blocks(page) if block.reason is None]
        fragments = [block for block in wanted if not block.is_program]
        for block in wanted:
            if block.is_program:
                block = block.on(self._address.host, self._address.port)
                exec(block.compiled(), self._names)
        # A program's loop takes the place of the one that was set.
        asyncio.set_event_loop(self._runner.loop)
        if fragments:
            self._runner.run(self._run(fragments))

    async def _run(self, fragments: list[Block]) -> None:
        arguments = {"host": self._address.host, "port": self._address.port}
        async with (
            aiomysql.create_pool(
                **arguments, user="app", password="secret", db="mydb", autocommit=True
            ) as pool,
            pool.acquire() as conn,
            conn.cursor() as cur,
        ):
            self._names.update(pool=pool, conn=conn, cur=cur)
            for block in fragments:
                code = block.on(self._address.host, self._address.port).compiled()
                work = eval(code, self._names)
                if inspect.isawaitable(work):
                    await work

    def close(self) -> None:
        self._runner.close()


@pytest.fixture
def reader(server: RunningServer) -> Iterator[Reader]:
    reader = Reader(server)
    yield reader
    reader.close()


@pytest.mark.parametrize("page", RUN)
def test_a_page(reader: Reader, page: str) -> None:
    assert list(blocks(page))
    reader.read(page)
