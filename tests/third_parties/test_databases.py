"""encode/databases' `mysql+aiomysql://`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

databases = pytest.importorskip("databases")

from tests.fix_servers import RunningServer  # noqa: E402


@pytest.fixture
async def database(server: RunningServer) -> AsyncIterator[Any]:
    address = server.address
    url = f"mysql+aiomysql://{address.user}:{address.password}@{address.host}:{address.port}"
    database = databases.Database(f"{url}/{address.db}", min_size=1, max_size=2)
    server.query("DROP TABLE IF EXISTS databases_notes")
    server.query(
        "CREATE TABLE databases_notes (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(50) UNIQUE)"
    )
    await database.connect()
    yield database
    await database.disconnect()
    server.query("DROP TABLE databases_notes")


INSERT = "INSERT INTO databases_notes (text) VALUES (:text)"
SELECT = "SELECT text FROM databases_notes ORDER BY id"


async def texts(database: Any) -> list[str]:
    return [row.text for row in await database.fetch_all(SELECT)]


async def test_writes_and_reads(database: Any) -> None:
    assert await database.execute(INSERT, {"text": "日本's"}) == 1
    await database.execute_many(INSERT, [{"text": "two"}, {"text": "100%"}])
    assert await texts(database) == ["日本's", "two", "100%"]
    row = await database.fetch_one(f"{SELECT} LIMIT 1")
    assert row["text"] == "日本's"
    assert await database.fetch_val("SELECT COUNT(*) FROM databases_notes") == 3
    assert [row.text async for row in database.iterate(SELECT)] == ["日本's", "two", "100%"]


async def test_rolls_back(database: Any) -> None:
    with pytest.raises(LookupError):
        async with database.transaction():
            await database.execute(INSERT, {"text": "gone"})
            raise LookupError
    async with database.transaction():
        await database.execute(INSERT, {"text": "kept"})
        with pytest.raises(Exception, match="Duplicate"):
            async with database.transaction():
                await database.execute(INSERT, {"text": "kept"})
    assert await texts(database) == ["kept"]


async def test_meets_a_disconnect_and_reconnects(database: Any, server: RunningServer) -> None:
    number = await database.fetch_val("SELECT CONNECTION_ID()")
    server.query(f"KILL {number}")
    assert await database.fetch_val("SELECT CONNECTION_ID()") != number
    await database.execute(INSERT, {"text": "after"})
    assert await texts(database) == ["after"]
