"""Fixtures of the fault tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.report import fault_tally, pytest_terminal_summary
from tests.fix_servers import RunningServer
from tests.proxy import Proxy

__all__ = ["fault_tally", "proxy", "pytest_terminal_summary"]


@pytest.fixture
def proxy(server: RunningServer) -> Iterator[Proxy]:
    """A proxy before the server; connect with `**through(server, proxy)`."""
    with Proxy(server.address.host, server.address.port) as proxy:
        yield proxy
