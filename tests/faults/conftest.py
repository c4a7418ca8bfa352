"""Fixtures of the fault tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.connect.certificates import TlsServer
from tests.faults.report import fault_tally, pytest_terminal_summary
from tests.fix_servers import RunningServer
from tests.proxy import Proxy
from tests.servers import VENDORS, PackagesUnavailable

__all__ = ["fault_tally", "lone_server", "proxy", "pytest_terminal_summary"]


@pytest.fixture
def proxy(server: RunningServer) -> Iterator[Proxy]:
    """A proxy before the server; connect with `**through(server, proxy)`."""
    with Proxy(server.address.host, server.address.port) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def _lone_servers() -> Iterator[dict[str, TlsServer]]:
    servers: dict[str, TlsServer] = {}
    yield servers
    for server in servers.values():
        server.stop()


@pytest.fixture(params=VENDORS)
def lone_server(request: pytest.FixtureRequest, _lone_servers: dict[str, TlsServer]) -> TlsServer:
    """Each server in turn, with TLS, and with no sessions but a test's own."""
    kind: str = request.param
    wanted = request.config.getoption("--server")
    if wanted and kind not in wanted:
        pytest.skip("not among --server")
    if kind not in _lone_servers:
        try:
            _lone_servers[kind] = TlsServer(kind)
        except PackagesUnavailable as error:
            if os.environ.get("CI"):
                pytest.fail(str(error), pytrace=False)
            pytest.skip(str(error))
    return _lone_servers[kind]
