"""Servers with TLS, and a server that says what a test makes it say."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any, Callable

import pytest

from tests.connect.certificates import TlsServer
from tests.connect.fake_server import FakeServer
from tests.servers import VENDORS, PackagesUnavailable


@pytest.fixture(scope="session")
def _tls_servers() -> Iterator[dict[str, TlsServer]]:
    servers: dict[str, TlsServer] = {}
    yield servers
    for server in servers.values():
        server.stop()


@pytest.fixture(params=VENDORS)
def tls_server(
    request: pytest.FixtureRequest, _tls_servers: dict[str, TlsServer]
) -> Iterator[TlsServer]:
    """Each server with TLS in turn, with a certificate for localhost and 127.0.0.1."""
    kind: str = request.param
    wanted = request.config.getoption("--server")
    if wanted and kind not in wanted:
        pytest.skip("not among --server")
    if kind not in _tls_servers:
        try:
            _tls_servers[kind] = TlsServer(kind)
        except PackagesUnavailable as error:
            if os.environ.get("CI"):
                pytest.fail(str(error), pytrace=False)
            pytest.skip(str(error))
    server = _tls_servers[kind]
    yield server
    server.restore()


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
