"""tortoise-orm's MySQL backend."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

pytest.importorskip("tortoise")
# It would rather take asyncmy, where that is installed.
try:
    sys.modules["asyncmy"] = None  # type: ignore[assignment]
    import tortoise.backends.mysql.client
finally:
    del sys.modules["asyncmy"]
import aiomysql
from tortoise import Tortoise, fields
from tortoise.exceptions import IntegrityError, OperationalError
from tortoise.models import Model
from tortoise.transactions import in_transaction

from tests.fix_servers import RunningServer


class Team(Model):
    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=50, unique=True)
    settings: Any = fields.JSONField(default=dict)
    share = fields.DecimalField(max_digits=8, decimal_places=2, default=0)

    class Meta:
        table = "tortoise_teams"


@pytest.fixture
async def database(server: RunningServer) -> AsyncIterator[Any]:
    address = server.address
    credentials = {
        "host": address.host,
        "port": address.port,
        "user": address.user,
        "password": address.password,
        "database": address.db,
        "minsize": 1,
        "maxsize": 2,
    }
    server.query("DROP TABLE IF EXISTS tortoise_teams")
    await Tortoise.init(
        {
            "connections": {
                "default": {"engine": "tortoise.backends.mysql", "credentials": credentials}
            },
            "apps": {"models": {"models": [__name__], "default_connection": "default"}},
        }
    )
    await Tortoise.generate_schemas()
    yield Tortoise.get_connection("default")
    await Tortoise.close_connections()
    server.query("DROP TABLE IF EXISTS tortoise_teams")


async def test_it_uses_this_library(database: Any) -> None:
    assert tortoise.backends.mysql.client.mysql is aiomysql
    assert isinstance(database._pool, aiomysql.Pool)


async def test_writes_and_reads(database: Any) -> None:
    team = await Team.create(name="日本", settings={"a": [1, None]}, share="1.50")
    assert team.id == 1
    await Team.bulk_create([Team(name=f"team {number}") for number in range(50)])
    found = await Team.get(name="日本")
    assert (found.settings, str(found.share)) == ({"a": [1, None]}, "1.50")
    assert await Team.filter(name__contains="team 1").count() == 11
    assert await Team.filter(id__in=[1, 2]).update(share=2) == 2
    assert await Team.all().order_by("-id").limit(1).values_list("name", flat=True) == ["team 49"]
    await found.delete()
    assert await Team.all().count() == 50
    rows = await database.execute_query_dict("SELECT COUNT(*) AS n FROM tortoise_teams")
    assert rows == [{"n": 50}]
    await database.execute_script("SET @a = 1; SET @b = 2;")


async def test_rolls_back(database: Any) -> None:
    with pytest.raises(LookupError):
        async with in_transaction():
            await Team.create(name="gone")
            raise LookupError
    await Team.create(name="kept")
    with pytest.raises(IntegrityError):
        await Team.create(name="kept")
    with pytest.raises(OperationalError):
        await database.execute_query("SELECT * FROM no_such_table_at_all")
    assert await Team.all().values_list("name", flat=True) == ["kept"]


async def test_nested_transactions(database: Any) -> None:
    async with in_transaction() as outer:
        await Team.create(name="outer", using_db=outer)
        with pytest.raises(LookupError):
            async with outer._in_transaction() as inner:
                await Team.create(name="inner", using_db=inner)
                raise LookupError
    assert await Team.all().values_list("name", flat=True) == ["outer"]


async def test_meets_a_disconnect_and_reconnects(database: Any, server: RunningServer) -> None:
    await Team.create(name="before")
    for (number,) in server.query(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()"
        " AND USER = %s AND DB = %s",
        (server.address.user, server.address.db),
    ):
        server.query(f"KILL {number}")
    assert await Team.all().count() == 1


async def test_a_broken_reader(database: Any) -> None:
    """As its own tests break connections."""
    await Team.create(name="before")
    for connection in database._pool._free:
        connection._reader.set_exception(EOFError())
    assert await Team.all().count() == 1
