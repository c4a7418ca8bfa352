"""Every authentication plugin over every transport, on every server."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from tests.connect.accounts import current_user, over, quoted, refusal, without
from tests.connect.certificates import TlsServer
from tests.connect.pam import SERVICE, Pam
from tests.page.tables import PLUGINS

pytestmark = pytest.mark.newest

TRANSPORTS = PLUGINS.keys["over"]
PASSWORDS = ("throw-away", "pä ss'wörd \\ 密码 🔑", "x" * 200)
Account = Callable[..., None]

# How an account for a plugin is made, with {} for the password, and the servers that have it.
MADE = {
    "mysql_native_password": "VIA mysql_native_password USING PASSWORD('{}')",
    "client_ed25519": "VIA ed25519 USING PASSWORD('{}')",
    "parsec": "VIA parsec USING PASSWORD('{}')",
}


def made(plugin: str, server: TlsServer) -> str:
    if plugin == "caching_sha2_password":
        how = "WITH {} BY '{{}}'" if server.vendor == "mysql" else "VIA {} USING PASSWORD('{{}}')"
        return how.format(plugin)
    return MADE[plugin]


def has(plugin: str, server: TlsServer) -> bool:
    return PLUGINS.hole((plugin, TRANSPORTS[0]), server.kind) is None


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("plugin", MADE)
async def test_a_password(
    tls_server: TlsServer, account: Account, record: Any, plugin: str, transport: str
) -> None:
    if not has(plugin, tls_server):
        without(plugin, tls_server)
        return
    arguments = over(transport, tls_server, user="somebody")
    if plugin == "client_ed25519":
        # Without its name one login in 256 is refused.
        arguments["auth_plugin"] = plugin
    for password in PASSWORDS:
        account("somebody", made(plugin, tls_server).format(quoted(password)))
        assert await current_user(**arguments, password=password) == "somebody"
        assert await current_user(**arguments, password=password.encode()) == "somebody"
        assert await refusal(**arguments, password="wrong") == 1045
    assert await refusal(**arguments, password="") == (2061 if plugin == "parsec" else 1045)
    record(PLUGINS, tls_server, (plugin, transport), "logs in")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_caching_sha2_password(
    tls_server: TlsServer, account: Account, record: Any, transport: str
) -> None:
    """The first login tells the server the password, in the clear with its RSA key."""
    plugin = "caching_sha2_password"
    if not has(f"{plugin}, cached", tls_server):
        without(plugin, tls_server)
        return
    arguments = over(transport, tls_server, user="somebody")
    for password in PASSWORDS:
        account("somebody", made(plugin, tls_server).format(quoted(password)))
        assert await current_user(**arguments, password=password) == "somebody"
    record(PLUGINS, tls_server, (f"{plugin}, first login", transport), "logs in")
    for _ in range(2):
        assert await current_user(**arguments, password=password.encode()) == "somebody"
        assert await refusal(**arguments, password="wrong") == 1045
        assert await refusal(**arguments, password="") == 1045
    record(PLUGINS, tls_server, (f"{plugin}, cached", transport), "logs in")


@pytest.fixture
def socket_account(tls_server: TlsServer, account: Account) -> Iterator[str]:
    """The account of whoever runs the tests, known by the socket; else it has its password."""
    name = pwd.getpwuid(os.geteuid()).pw_name
    if tls_server.vendor == "mysql":
        account("socket", f"WITH auth_socket AS '{name}'")
        yield "socket"
        return
    who = f"'{name}'@'localhost'"
    password = "mysql_native_password USING PASSWORD('throw-away')"
    tls_server.query(
        f"CREATE USER IF NOT EXISTS {who}",
        f"ALTER USER {who} IDENTIFIED VIA unix_socket OR {password}",
    )
    yield name
    tls_server.query(f"ALTER USER {who} IDENTIFIED VIA {password}")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_the_sockets_own_account(
    tls_server: TlsServer,
    account: Account,
    record: Any,
    request: pytest.FixtureRequest,
    transport: str,
) -> None:
    row = ("unix_socket, auth_socket", transport)
    if tls_server.vendor == "mysql":
        install(tls_server, "auth_socket")
    if transport == "unix socket":
        name = request.getfixturevalue("socket_account")
        for password in ("", "whatever"):
            user = await current_user(**over(transport, tls_server, user=name, password=password))
            assert user == name
        record(PLUGINS, tls_server, row, "logs in")
        return
    account("somebody", "WITH auth_socket" if tls_server.vendor == "mysql" else "VIA unix_socket")
    code = await refusal(**over(transport, tls_server, user="somebody", password="whatever"))
    assert code == 1698
    record(PLUGINS, tls_server, row, str(code))


def install(server: TlsServer, plugin: str) -> None:
    present = server.query("SELECT PLUGIN_NAME FROM information_schema.PLUGINS")
    if (plugin,) not in present:
        server.query(f"INSTALL PLUGIN {plugin} SONAME '{plugin}.so'")


@pytest.mark.vendor("mariadb")
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_pam(
    tls_server: TlsServer, account: Account, record: Any, pam: Pam, transport: str
) -> None:
    """The password goes as it is where the server is proven, on the machine, or where it is said.

    One server asks with mysql_clear_password, the other with dialog.
    """
    if pam.missing:
        pytest.skip(pam.missing)
    account("somebody", f"VIA pam USING '{SERVICE}'")
    arguments = over(transport, tls_server, user="somebody", password="throw-away")
    if tls_server.kind == "mariadb-sid":
        assert await refusal(**arguments, naming="dialog") == 2059
        record(PLUGINS, tls_server, ("dialog (PAM)", transport), "2059")
        return
    by_name = {**arguments, "auth_plugin": "mysql_clear_password"}
    assert await current_user(**by_name) == "somebody"
    assert await refusal(**{**by_name, "password": "wrong"}) == 1045
    record(PLUGINS, tls_server, ("the same, named by `auth_plugin`", transport), "logs in")
    row = ("mysql_clear_password (PAM)", transport)
    if transport in ("unix socket", "TLS"):
        assert await current_user(**arguments) == "somebody"
        assert await refusal(**{**arguments, "password": "wrong"}) == 1045
        record(PLUGINS, tls_server, row, "logs in")
    else:
        assert await refusal(**arguments, naming="mysql_clear_password") == 2059
        record(PLUGINS, tls_server, row, "2059")


@pytest.mark.vendor("mysql")
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_plugins_that_let_nobody_in(
    tls_server: TlsServer, account: Account, record: Any, transport: str
) -> None:
    arguments = over(transport, tls_server, user="somebody", password="throw-away")
    account("somebody", "WITH sha256_password BY 'throw-away'")
    assert await refusal(**arguments, naming="sha256_password") == 2059
    record(PLUGINS, tls_server, ("sha256_password", transport), "2059")
    install(tls_server, "mysql_no_login")
    account("somebody", "WITH mysql_no_login")
    assert await refusal(**arguments) == 1045
    record(PLUGINS, tls_server, ("mysql_no_login", transport), "1045")
