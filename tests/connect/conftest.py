"""Servers with TLS, and a server that says what a test makes it say."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any, Callable

import pytest

from tests.connect.certificates import TlsServer
from tests.connect.fake_server import FakeServer
from tests.connect.pam import Pam
from tests.servers import PackagesUnavailable

# Plugins of authentication that are not there by themselves.
OPTIONS = {
    "mariadb": ("--plugin-load-add=auth_pam_v1", "--loose-pam-use-cleartext-plugin"),
    "mariadb-sid": ("--plugin-load-add=auth_mysql_sha2", "--plugin-load-add=auth_pam_v1"),
    "mysql": (),
}


@pytest.fixture(scope="session")
def _tls_servers() -> Iterator[dict[str, TlsServer]]:
    servers: dict[str, TlsServer] = {}
    yield servers
    for server in servers.values():
        server.stop()


@pytest.fixture(scope="session")
def pam() -> Iterator[Pam]:
    made = Pam()
    yield made
    made.remove()


@pytest.fixture
def tls_server(
    request: pytest.FixtureRequest, _tls_servers: dict[str, TlsServer], pam: Pam
) -> Iterator[TlsServer]:
    """Each server with TLS in turn, with a certificate for localhost and 127.0.0.1."""
    kind: str = request.param
    with pam.preloaded():
        server = _started(_tls_servers, kind, kind, *OPTIONS[kind])
    yield server
    server.restore()


@pytest.fixture
def account(tls_server: TlsServer) -> Iterator[Callable[..., None]]:
    """`account("somebody", "BY 'secret'", "ACCOUNT LOCK")`: made anew, gone with the test."""
    made: list[str] = []

    def make(name: str, identified: str, more: str = "", host: str = "%") -> None:
        who = f"'{name}'@'{host}'"
        tls_server.query(
            f"DROP USER IF EXISTS {who}", f"CREATE USER {who} IDENTIFIED {identified} {more}"
        )
        made.append(who)

    yield make
    for who in made:
        tls_server.query(f"DROP USER IF EXISTS {who}")


@pytest.fixture
def restricted(_tls_servers: dict[str, TlsServer]) -> Callable[[TlsServer, str], TlsServer]:
    """`restricted(tls_server, "TLSv1.2")`: a server that speaks this alone; "": no TLS at all."""

    def restrict(server: TlsServer, versions: str) -> TlsServer:
        if server.vendor == "mysql":
            server.restrict(versions)
            return server
        # MariaDB is told at its start.
        option = f"--tls-version={versions}" if versions else "--skip-ssl"
        return _started(_tls_servers, server.kind + option, server.kind, option)

    return restrict


def _started(servers: dict[str, TlsServer], name: str, kind: str, *options: str) -> TlsServer:
    if name not in servers:
        try:
            servers[name] = TlsServer(kind, *options)
        except PackagesUnavailable as error:
            if os.environ.get("CI"):
                pytest.fail(str(error), pytrace=False)
            pytest.skip(str(error))
    return servers[name]


@pytest.fixture
async def fake_server() -> AsyncIterator[Callable[..., Any]]:
    """`server = await fake_server(talk)`: `talk(peer)` is a coroutine function."""
    servers: list[FakeServer] = []

    async def start(talk: Any) -> FakeServer:
        server = FakeServer(talk)
        await server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop()
