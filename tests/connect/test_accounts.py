"""What else may be with an account: right result or right error."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.connect.accounts import current_user, over, refusal, without
from tests.connect.certificates import TlsServer
from tests.page.tables import ACCOUNTS

pytestmark = pytest.mark.newest

Account = Callable[..., None]

EMPTY = {
    "mysql_native_password": "VIA mysql_native_password USING PASSWORD('')",
    "client_ed25519": "VIA ed25519 USING PASSWORD('')",
    "parsec": "VIA parsec USING PASSWORD('')",
}


@pytest.mark.parametrize("plugin", [*EMPTY, "caching_sha2_password"])
async def test_an_empty_password(
    tls_server: TlsServer, account: Account, record: Any, plugin: str
) -> None:
    row = (f"{plugin}, empty password",)
    if ACCOUNTS.hole(row, tls_server.kind) is not None:
        without(plugin, tls_server)
        return
    on_mysql = tls_server.vendor == "mysql"
    how = "WITH caching_sha2_password BY ''" if on_mysql else f"VIA {plugin} USING PASSWORD('')"
    account("nobody", EMPTY.get(plugin, how))
    for transport in ("TCP", "unix socket", "TLS"):
        arguments = over(transport, tls_server, user="nobody")
        assert await refusal(**arguments, password="wrong") == 1045
        if plugin == "parsec":
            assert await refusal(**arguments, password="", naming="parsec") == 2061
        elif plugin == "client_ed25519":
            # MariaDB takes the hash of the empty password for one that nobody knows.
            assert await refusal(**arguments, password="") == 1045
        else:
            assert await current_user(**arguments, password="") == "nobody"
    outcome = {"parsec": "2061", "client_ed25519": "1045"}.get(plugin, "logs in")
    record(ACCOUNTS, tls_server, row, outcome)


async def test_a_locked_account(tls_server: TlsServer, account: Account, record: Any) -> None:
    account("locked", "BY 'throw-away'", "ACCOUNT LOCK")
    arguments = over("TCP", tls_server, user="locked", password="throw-away")
    code = await refusal(**arguments, naming="(?i)locked")
    assert code == (3118 if tls_server.vendor == "mysql" else 4151)
    record(ACCOUNTS, tls_server, ("locked",), str(code))


async def test_an_expired_password(tls_server: TlsServer, account: Account, record: Any) -> None:
    account("expired", "BY 'throw-away'", "PASSWORD EXPIRE")
    arguments = over("TCP", tls_server, user="expired", password="throw-away")
    code = await refusal(**arguments, naming="(?i)password")
    assert code == (1862 if tls_server.vendor == "mysql" else 1820)
    record(ACCOUNTS, tls_server, ("password expired",), str(code))


async def test_an_account_that_is_not_there(tls_server: TlsServer, record: Any) -> None:
    code = await refusal(**over("TCP", tls_server, user="absent", password="throw-away"))
    if tls_server.vendor == "mysql":
        assert code in (1045, 2059)  # the page tells why
    else:
        record(ACCOUNTS, tls_server, ("not there",), str(code))


async def test_an_account_for_another_host(
    tls_server: TlsServer, account: Account, record: Any
) -> None:
    account("distant", "BY 'throw-away'", host="192.0.2.1")
    code = await refusal(**over("TCP", tls_server, user="distant", password="throw-away"))
    if tls_server.vendor == "mysql":
        assert code in (1045, 2059)  # as for one that is not there
    else:
        record(ACCOUNTS, tls_server, ("named host, from another",), str(code))
