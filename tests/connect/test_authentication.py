"""Authentication: what `auth_plugin` does, and plugins that a server asks for."""

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

from tests.connect.accounts import current_user, over, refused
from tests.connect.certificates import Authority, Folder, TlsServer
from tests.connect.fake_server import CAPABILITIES, OK, Peer, error, greeting, one_row
from tests.fix_servers import RunningServer


async def test_the_plugin_named_is_only_a_hint(tls_server: TlsServer) -> None:
    for name in ("mysql_native_password", "caching_sha2_password", "client_ed25519", "parsec"):
        arguments = over("TLS", tls_server, password="throw-away", auth_plugin=name)
        assert await current_user(**arguments) == "root"


@pytest.mark.parametrize("name", ["sha256_password", "dialog", "nonsense"])
async def test_a_plugin_that_is_not_ours(tls_server: TlsServer, name: str) -> None:
    caught = await refused(**over("TCP", tls_server, password="throw-away", auth_plugin=name))
    assert caught.args == (2059, f"Authentication plugin '{name}' not configured")


async def test_server_public_key() -> None:
    with pytest.raises(pymysql.err.NotSupportedError, match="server_public_key"):
        await aiomysql.connect(server_public_key=b"-----BEGIN PUBLIC KEY-----")


async def test_passwords_in_bytes_are_utf8(tls_server: TlsServer) -> None:
    with pytest.raises(pymysql.err.NotSupportedError, match="password"):
        await current_user(**over("TCP", tls_server, password=b"\xe4"))


async def test_mariadbs_own_prefix_of_its_version(
    server: RunningServer, connect: Callable[..., Any]
) -> None:
    connection = await connect()
    prefix = "5.5.5-" if server.is_mariadb and server.version < (11,) else ""
    assert connection.get_server_info() == prefix + server.version_text


# The clear text plugin, with a server that tells what it was told.


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
    caught = await refused(**clear_server.connect_kwargs(ssl=wishes))
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
    caught = await refused(**server.connect_kwargs())
    assert caught.args == (2059, f"Authentication plugin '{plugin}' not configured")


# Logins that the driver spoils: a challenge whose last byte is zero loses it.

SWITCH = b"\xfe%b\0" + bytes(range(1, 32)) + b"\0"


DENIED = error(1045, b"Access denied for user 'u'@'h'", b"#28000")


def ed25519(verdicts: list[bytes]) -> tuple[Any, list[int]]:
    """A server that answers each login with the next of `verdicts`, and the logins' sizes."""
    sizes: list[int] = []

    async def talk(peer: Peer) -> None:
        await peer.send(greeting())
        await peer.receive()
        await peer.send(SWITCH % b"client_ed25519")
        sizes.append(len(await peer.receive()))
        await peer.send(verdicts[len(sizes) - 1])
        await peer.settle()
        await peer.rest()

    return talk, sizes


def parsec(spoilt: int) -> tuple[Any, list[int]]:
    """A server that spoils so many logins, and then lets the client in, and the logins' sizes."""
    sizes: list[int] = []

    async def talk(peer: Peer) -> None:
        await peer.send(greeting())
        sizes.append(len(await peer.receive()))
        if len(sizes) > spoilt:
            await peer.send(OK)
            await peer.settle()
        else:
            await peer.send(SWITCH % b"parsec")
            await peer.receive()
            # What is to be mixed with the password; the driver gives up here.
            await peer.send(b"\x01P\0" + bytes(18))
        await peer.rest()

    return talk, sizes


@pytest.mark.parametrize("named", [True, False])
async def test_a_spoilt_login_by_ed25519(fake_server: Callable[..., Any], named: bool) -> None:
    talk, sizes = ed25519([DENIED, DENIED, OK])
    server = await fake_server(talk)
    arguments = server.connect_kwargs(autocommit=None)
    if named:
        connection = await aiomysql.connect(**arguments, auth_plugin="client_ed25519")
        connection.close()
        assert sizes == [64, 64, 64]
    else:
        assert (await refused(**arguments)).args[0] == 1045
        assert sizes == [64]


async def test_a_wrong_password_by_ed25519(fake_server: Callable[..., Any]) -> None:
    talk, sizes = ed25519([DENIED] * 3)
    server = await fake_server(talk)
    arguments = server.connect_kwargs(autocommit=None, auth_plugin="client_ed25519")
    assert (await refused(**arguments)).args == (1045, "Access denied for user 'u'@'h'")
    assert len(sizes) == 3


async def test_a_spoilt_login_by_parsec(fake_server: Callable[..., Any]) -> None:
    talk, sizes = parsec(spoilt=2)
    server = await fake_server(talk)
    connection = await aiomysql.connect(**server.connect_kwargs(autocommit=None))
    connection.close()
    assert len(sizes) == 3


async def test_parsec_with_an_empty_password(fake_server: Callable[..., Any]) -> None:
    talk, sizes = parsec(spoilt=2)
    server = await fake_server(talk)
    caught = await refused(**server.connect_kwargs(autocommit=None, password=""))
    text = "Authentication plugin 'parsec' reported error: the password is empty"
    assert caught.args == (2061, text)
    assert len(sizes) == 1
