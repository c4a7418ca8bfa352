"""Logging in to accounts that a test makes."""

from __future__ import annotations

import re
from typing import Any

import aiomysql
import pymysql.err
import pytest

from tests.connect.certificates import TlsServer


def over(transport: str, server: TlsServer, **changes: Any) -> dict[str, Any]:
    """Arguments of `connect()`, without a password and a database."""
    arguments = server.server.address.connect_kwargs(transport == "unix socket")
    if transport == "TLS":
        arguments["ssl"] = {"ca": server.authority.file}
    elif transport == "TLS, not verified":
        arguments["ssl"] = {}
    del arguments["password"]
    return {**arguments, "db": None, **changes}


async def current_user(**arguments: Any) -> str:
    connection = await aiomysql.connect(**arguments)
    try:
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT CURRENT_USER()")
            return str((await cursor.fetchone())[0]).split("@")[0]
    finally:
        connection.close()


async def refusal(naming: str = "", **arguments: Any) -> int:
    """The number of the OperationalError with which connecting fails."""
    number, text = (await refused(**arguments)).args
    assert re.search(naming, text)
    if number == 1045:
        assert f"Access denied for user '{arguments['user']}'" in text
    return int(number)


async def refused(**arguments: Any) -> pymysql.err.OperationalError:
    with pytest.raises(pymysql.err.OperationalError) as caught:
        await current_user(**arguments)
    return caught.value


def quoted(password: str) -> str:
    return password.replace("\\", "\\\\").replace("'", "\\'")


def without(plugin: str, server: TlsServer) -> None:
    """The server is as the page says: it has no such plugin."""
    names = server.query("SELECT PLUGIN_NAME FROM information_schema.PLUGINS")
    # The server's side of client_ed25519 is called ed25519.
    assert (plugin.replace("client_", ""),) not in names
