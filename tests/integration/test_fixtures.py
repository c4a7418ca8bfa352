"""The suite's own plugins: servers, loops, deadlines."""

from __future__ import annotations

import asyncio
import os
from typing import Any, Callable

import pytest

from tests.fix_servers import RunningServer
from tests.servers import Address


async def test_the_server_is_what_it_says(server: RunningServer, cursor: Any) -> None:
    await cursor.execute("SELECT VERSION()")
    (version,) = await cursor.fetchone()
    assert version == server.version_text
    assert ("MariaDB" in version) == server.is_mariadb


@pytest.mark.parametrize("unix_socket", [False, True], ids=["tcp", "unix"])
async def test_reaches_the_server_both_ways(connect: Callable[..., Any], unix_socket: bool) -> None:
    connection = await connect(unix_socket)
    assert ("UNIX" in connection.get_host_info()) == unix_socket


async def test_pools_are_closed_at_the_end(create_pool: Callable[..., Any]) -> None:
    pool = await create_pool(minsize=1, maxsize=2)
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await cursor.execute("SELECT 1")
        assert await cursor.fetchall() == ((1,),)


async def test_makes_tables(table: Callable[..., str], cursor: Any) -> None:
    name = table("id INT PRIMARY KEY")
    await cursor.execute(f"INSERT INTO {name} VALUES (%s)", (7,))
    await cursor.execute(f"SELECT id FROM {name}")
    assert await cursor.fetchone() == (7,)


async def test_runs_on_the_chosen_loop() -> None:
    wanted = os.environ.get("AIOMYSQL_TEST_LOOP", "asyncio")
    assert type(asyncio.get_running_loop()).__module__.split(".")[0] == wanted


@pytest.mark.vendor("mysql")
async def test_a_marker_limits_the_vendor(server: RunningServer) -> None:
    assert server.vendor == "mysql"


@pytest.mark.seconds(0.05)
@pytest.mark.xfail(raises=pytest.fail.Exception, strict=True, reason="it sleeps past its deadline")
async def test_a_deadline_ends_the_test() -> None:
    await asyncio.sleep(30)


def test_a_server_of_our_own_survives_a_kill(own_server: Callable[..., Any]) -> None:
    server = own_server("mariadb")
    first = server.pid
    server.kill()
    server.start()
    assert server.pid != first


def test_an_address_survives_its_url() -> None:
    address = Address("::1", 3307, "ro:ot", "p@ss/word?", "my db", "/tmp/s o.sock")
    assert Address.parse(address.url) == address
