"""The servers that the tests run on: `server` is each of them in turn.

--server (repeatable) limits them. Servers named by AIOMYSQL_TEST_MARIADB and AIOMYSQL_TEST_MYSQL
are used as they are; else throw-away ones are started when the first test asks. Tests marked
`newest` also run on the newest MariaDB that Debian has.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Callable

import pymysql
import pytest

from tests.servers import KINDS, VENDORS, Address, Fleet, Server, throw_away
from tests.servers.apt import PackagesUnavailable


@dataclass(frozen=True)
class RunningServer:
    """A server as the tests see it."""

    kind: str
    address: Address

    @property
    def vendor(self) -> str:
        return self.kind.split("-")[0]

    def connect_kwargs(self, unix_socket: bool = False, **changes: Any) -> dict[str, Any]:
        """Arguments for `connect()`; skips the test where the server has no unix socket here."""
        if unix_socket and self.address.socket is None:
            pytest.skip(f"the {self.vendor} server is reached over TCP only")
        return {**self.address.connect_kwargs(unix_socket), **changes}

    @contextmanager
    def admin(self) -> Iterator[Any]:
        """A PyMySQL cursor: an observer that is independent of the library under test."""
        unix_socket = self.address.socket is not None
        connection = pymysql.connect(**self.connect_kwargs(unix_socket), autocommit=True)
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def query(self, sql: str, args: Any = None) -> list[Any]:
        with self.admin() as cursor:
            cursor.execute(sql, args)
            return list(cursor.fetchall())

    @cached_property
    def version_text(self) -> str:
        """`VERSION()`, e.g. `10.11.14-MariaDB-0+deb12u2`."""
        return str(self.query("SELECT VERSION()")[0][0])

    @property
    def version(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version_text.split("-")[0].split("."))

    @property
    def is_mariadb(self) -> bool:
        return self.vendor == "mariadb"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--server", action="append", choices=KINDS, help="a server to test on (default: all)"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "vendor(name): for this server alone, mariadb or mysql")
    config.addinivalue_line("markers", "newest: runs on the newest MariaDB, too")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" in metafunc.fixturenames:
        metafunc.parametrize("server", _kinds_for(metafunc), indirect=True, scope="session")
    if "tls_server" in metafunc.fixturenames:
        metafunc.parametrize("tls_server", _kinds_for(metafunc), indirect=True)


def _kinds_for(metafunc: pytest.Metafunc) -> list[str]:
    newest = metafunc.definition.get_closest_marker("newest")
    kinds = metafunc.config.getoption("--server") or [
        *VENDORS,
        *(["mariadb-sid"] if newest else []),
    ]
    marker = metafunc.definition.get_closest_marker("vendor")
    return [kind for kind in kinds if not marker or kind.split("-")[0] in marker.args]


@pytest.fixture(scope="session")
def _fleets() -> Iterator[dict[str, Fleet]]:
    fleets: dict[str, Fleet] = {}
    yield fleets
    for fleet in fleets.values():
        fleet.stop()


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, _fleets: dict[str, Fleet]) -> RunningServer:
    kind: str = request.param
    if kind not in _fleets:
        _fleets[kind] = Fleet([kind]).__enter__()
    fleet = _fleets[kind]
    if kind in fleet.missing:
        _refuse(fleet.missing[kind])
    return RunningServer(kind, fleet.addresses[kind])


@pytest.fixture
def own_server() -> Iterator[Callable[..., Server]]:
    """Starts servers that the test may stop, kill and restart: `own_server("mysql")`."""
    started: list[Server] = []

    def start(kind: str, *options: str) -> Server:
        try:
            started.append(throw_away(kind, options))
        except PackagesUnavailable as error:
            _refuse(str(error))
        started[-1].start()
        return started[-1]

    yield start
    for server in started:
        server.stop()


_numbers = itertools.count(1)


@pytest.fixture
def table(server: RunningServer) -> Iterator[Callable[..., str]]:
    """Makes tables for this test: `name = table("id INT PRIMARY KEY")`."""
    made: list[str] = []

    def make(columns: str, options: str = "") -> str:
        name = f"t_{os.getpid()}_{next(_numbers)}"
        server.query(f"CREATE TABLE {name} ({columns}) {options}")
        made.append(name)
        return name

    yield make
    with server.admin() as cursor:
        # A transaction that a test left open must not hold up the end.
        cursor.execute("SET lock_wait_timeout = 5")
        for name in made:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")


def _refuse(reason: str) -> None:
    """A missing server is no reason to fail on a laptop; it is one where CI is set."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
