"""Every authentication plugin, over every transport, and how each refusal reads."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any, Callable

import aiomysql
import pymysql.err
import pytest
from pymysql.constants import CLIENT

from tests.connect.certificates import Authority, Folder, TlsServer
from tests.connect.fake_server import CAPABILITIES, OK, Peer, error, greeting, one_row
from tests.fix_servers import RunningServer
from tests.servers import Server

ODD = "pä ss'wörd \\ 密码 🔑"
TRANSPORTS = ["tcp", "unix", "tls"]


async def current_user(**arguments: Any) -> str:
    connection = await aiomysql.connect(**arguments)
    try:
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT CURRENT_USER()")
            return str((await cursor.fetchone())[0]).split("@")[0]
    finally:
        connection.close()


async def refusal(**arguments: Any) -> pymysql.err.OperationalError:
    with pytest.raises(pymysql.err.OperationalError) as caught:
        await current_user(**arguments)
    return caught.value


def over(transport: str, server: TlsServer, **changes: Any) -> dict[str, Any]:
    """Arguments of `connect()`; the account has no database."""
    arguments = server.server.address.connect_kwargs(transport == "unix")
    if transport == "tls":
        arguments["ssl"] = {"ca": server.authority.file}
    return {**arguments, "db": None, **changes}


def plugins(server: TlsServer) -> dict[str, str]:
    """Each plugin of this server, and how an account for it is made, with {} for the password."""
    if server.vendor == "mysql":
        return {"caching_sha2_password": "WITH caching_sha2_password BY '{}'"}
    made = {"mysql_native_password": "VIA mysql_native_password USING PASSWORD('{}')"}
    if server.server._installation.has_plugin("auth_ed25519"):
        made["client_ed25519"] = "VIA ed25519 USING PASSWORD('{}')"
    return made


@pytest.fixture
def account(tls_server: TlsServer) -> Iterator[Callable[..., None]]:
    made: list[str] = []

    def make(name: str, identified: str, more: str = "") -> None:
        tls_server.query(
            f"DROP USER IF EXISTS '{name}'@'%'",
            f"CREATE USER '{name}'@'%' IDENTIFIED {identified} {more}",
        )
        made.append(name)

    yield make
    for name in made:
        tls_server.query(f"DROP USER IF EXISTS '{name}'@'%'")


def quoted(password: str) -> str:
    return password.replace("\\", "\\\\").replace("'", "\\'")


@pytest.mark.parametrize("password", ["throw-away", ODD, "x" * 200], ids=["ascii", "odd", "long"])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_every_plugin(
    tls_server: TlsServer, account: Callable[..., None], transport: str, password: str
) -> None:
    for plugin, identified in plugins(tls_server).items():
        account("somebody", identified.format(quoted(password)))
        arguments = over(transport, tls_server, user="somebody")
        # The first login is a full one, where the plugin keeps a cache; the second is from it.
        for _ in range(2):
            assert await current_user(**{**arguments, "password": password}) == "somebody", plugin
        bad = await refusal(**{**arguments, "password": "wrong"})
        assert bad.args[0] == 1045, plugin
        assert "Access denied for user 'somebody'" in bad.args[1]
        bad = await refusal(**{**arguments, "password": ""})
        assert bad.args[0] == 1045, plugin
        assert await current_user(**{**arguments, "password": password.encode()}) == "somebody", (
            plugin
        )


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_empty_passwords(
    tls_server: TlsServer, account: Callable[..., None], transport: str
) -> None:
    for plugin, identified in plugins(tls_server).items():
        if plugin == "client_ed25519":
            continue  # MariaDB has no empty password for it.
        account("nobody", identified.format(""))
        arguments = over(transport, tls_server, user="nobody")
        assert await current_user(**{**arguments, "password": ""}) == "nobody", plugin
        assert (await refusal(**{**arguments, "password": "wrong"})).args[0] == 1045


async def test_the_plugin_named_is_only_a_hint(tls_server: TlsServer) -> None:
    for name in ("mysql_native_password", "caching_sha2_password", "client_ed25519", "parsec"):
        arguments = over("tls", tls_server, auth_plugin=name)
        assert await current_user(**arguments) == "root"


@pytest.mark.parametrize("name", ["sha256_password", "dialog", "nonsense"])
async def test_a_plugin_that_is_not_ours(tls_server: TlsServer, name: str) -> None:
    caught = await refusal(**over("tcp", tls_server, auth_plugin=name))
    assert caught.args == (2059, f"Authentication plugin '{name}' not configured")


async def test_an_account_with_sha256_password(
    tls_server: TlsServer, account: Callable[..., None]
) -> None:
    try:
        account("old_sha", "WITH sha256_password BY 'throw-away'")
    except pymysql.err.Error:
        pytest.skip("this server has no sha256_password")
    caught = await refusal(**over("tls", tls_server, user="old_sha"))
    assert caught.args == (2059, "Authentication plugin 'sha256_password' not configured")


async def test_server_public_key() -> None:
    with pytest.raises(pymysql.err.NotSupportedError, match="server_public_key"):
        await aiomysql.connect(server_public_key=b"-----BEGIN PUBLIC KEY-----")


async def test_a_locked_account(tls_server: TlsServer, account: Callable[..., None]) -> None:
    account("locked", "BY 'throw-away'", "ACCOUNT LOCK")
    caught = await refusal(**over("tcp", tls_server, user="locked"))
    assert caught.args[0] == (3118 if tls_server.vendor == "mysql" else 4151)
    assert "locked" in caught.args[1].lower()


async def test_an_expired_password(tls_server: TlsServer, account: Callable[..., None]) -> None:
    account("expired", "BY 'throw-away'", "PASSWORD EXPIRE")
    caught = await refusal(**over("tcp", tls_server, user="expired"))
    assert caught.args[0] == (1862 if tls_server.vendor == "mysql" else 1820)


async def test_passwords_in_bytes_are_utf8(tls_server: TlsServer) -> None:
    with pytest.raises(pymysql.err.NotSupportedError, match="password"):
        await current_user(**over("tcp", tls_server, password=b"\xe4"))


@pytest.mark.vendor("mysql")
async def test_rsa_where_nothing_else_hides_the_password(server: RunningServer) -> None:
    """In the clear, with an empty cache: the server's public key encrypts it."""
    server.query("FLUSH PRIVILEGES")
    for _ in range(2):
        arguments = server.connect_kwargs(user="test_sha2", ssl=None)
        assert await current_user(**arguments) == "test_sha2"


@pytest.mark.seconds(120)
async def test_parsec(own_server: Callable[..., Any]) -> None:
    server: Server = own_server("mariadb-sid")
    for unix_socket in (False, True):
        arguments = server.address.connect_kwargs(unix_socket)
        for user in ("test_parsec", "test_ed25519", "test_native"):
            assert await current_user(**{**arguments, "user": user}) == user
            caught = await refusal(**{**arguments, "user": user, "password": "wrong"})
            assert caught.args[0] == 1045
    # It makes its own certificate, which nobody has signed.
    arguments = {**server.address.connect_kwargs(), "user": "test_parsec"}
    assert await current_user(**arguments, ssl={}) == "test_parsec"
    connection = await aiomysql.connect(**arguments)
    assert connection.server_version == server.version or connection.server_version.startswith("1")
    assert not connection.server_version.startswith("5.5.5-")
    connection.close()


async def test_mariadbs_own_prefix_of_its_version(
    server: RunningServer, connect: Callable[..., Any]
) -> None:
    connection = await connect()
    prefix = "5.5.5-" if server.is_mariadb and server.version < (11,) else ""
    assert connection.get_server_info() == prefix + server.version_text


# The clear text plugin, which the servers at hand do not have.


@pytest.fixture
def certificates() -> Iterator[tuple[Authority, tuple[str, str]]]:
    folder = Folder()
    authority = Authority(folder, "ca")
    yield authority, authority.issue("server", "127.0.0.1")
    folder.remove()


class ClearServer:
    """Asks for the password as it is. In a thread, because asyncio's streams would read the first
    bytes of TLS before it begins."""

    def __init__(self, cert: str, key: str) -> None:
        self.seen: list[bytes] = []
        self._shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._shown.load_cert_chain(cert, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def connect_kwargs(self, **changes: Any) -> dict[str, Any]:
        port = self._listener.getsockname()[1]
        return {"host": "127.0.0.1", "port": port, "user": "u", "password": "p", **changes}

    def stop(self) -> None:
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        plain, _ = self._listener.accept()
        plain.settimeout(20)
        with contextlib.suppress(OSError), plain:
            _send(plain, 0, greeting(capabilities=CAPABILITIES | CLIENT.SSL))
            number, payload = _receive(plain)
            if len(payload) > 32:
                return self._ask(plain, number)
            with self._shown.wrap_socket(plain, server_side=True) as secured:
                number, _ = _receive(secured)
                self._ask(secured, number)
        return None

    def _ask(self, peer: socket.socket, number: int) -> None:
        _send(peer, number + 1, b"\xfemysql_clear_password\x00")
        number, answer = _receive(peer)
        self.seen.append(answer)
        _send(peer, number + 1, OK)
        _receive(peer)
        for number, payload in enumerate(one_row(b"8.0.99-fake"), 1):
            _send(peer, number, payload)
        peer.recv(100)


def _send(peer: socket.socket, number: int, payload: bytes) -> None:
    peer.sendall(len(payload).to_bytes(3, "little") + bytes([number]) + payload)


def _receive(peer: socket.socket) -> tuple[int, bytes]:
    header = _read(peer, 4)
    return header[3], _read(peer, int.from_bytes(header[:3], "little"))


def _read(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = peer.recv(size - len(data))
        if not more:
            raise ConnectionResetError
        data += more
    return data


@pytest.fixture
def clear_server(certificates: tuple[Authority, tuple[str, str]]) -> Iterator[ClearServer]:
    server = ClearServer(*certificates[1])
    yield server
    server.stop()


async def test_clear_text_over_verified_tls(
    clear_server: ClearServer, certificates: tuple[Authority, Any]
) -> None:
    wishes = ssl.create_default_context(cafile=certificates[0].file)
    arguments = clear_server.connect_kwargs(ssl=wishes, autocommit=None)
    connection = await aiomysql.connect(**arguments)
    connection.close()
    assert clear_server.seen == [b"p\0"]


@pytest.mark.parametrize("checks", ["nothing", "chain", "no tls"])
async def test_clear_text_where_the_server_may_be_anybody(
    clear_server: ClearServer, certificates: tuple[Authority, Any], checks: str
) -> None:
    wishes: Any = {
        "nothing": {},
        "chain": {"ca": certificates[0].file, "check_hostname": False},
        "no tls": None,
    }[checks]
    caught = await refusal(**clear_server.connect_kwargs(ssl=wishes))
    assert caught.args == (2059, "Authentication plugin 'mysql_clear_password' not configured")
    await asyncio.sleep(0.05)
    assert clear_server.seen == []


async def test_clear_text_that_is_asked_for_by_name(clear_server: ClearServer) -> None:
    arguments = clear_server.connect_kwargs(auth_plugin="mysql_clear_password", autocommit=None)
    connection = await aiomysql.connect(**arguments)
    connection.close()
    assert clear_server.seen == [b"p\0"]


@pytest.mark.parametrize("plugin", ["mysql_old_password", "sha256_password", "dialog", "gssapi"])
async def test_a_server_that_asks_for_another_plugin(
    fake_server: Callable[..., Any], plugin: str
) -> None:
    async def talk(peer: Peer) -> None:
        await peer.send(greeting())
        await peer.receive()
        await peer.send(b"\xfe" + plugin.encode() + b"\x0012345678901234567890\x00")
        await peer.receive()
        await peer.send(error(1045, b"no", b"#28000"))

    server = await fake_server(talk)
    caught = await refusal(**server.connect_kwargs())
    assert caught.args == (2059, f"Authentication plugin '{plugin}' not configured")
