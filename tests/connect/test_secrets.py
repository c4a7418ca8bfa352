"""The password is told to the server and to nobody else: no repr, log or error shows it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import aiomysql
import pytest

from tests.bridge.fake_server import FakeServer
from tests.fix_servers import RunningServer

MARKER = "xyzzy-Marker-%s-4711"


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.fixture
def account(server: RunningServer) -> Iterator[dict[str, Any]]:
    """Arguments that log in with the marker for a password."""
    with server.admin() as admin:
        admin.execute("CREATE USER keeper IDENTIFIED BY %s", (MARKER,))
        admin.execute("GRANT ALL ON *.* TO keeper")
    yield server.connect_kwargs(user="keeper", password=MARKER, host="127.0.0.1")
    with server.admin() as admin:
        admin.execute("DROP USER keeper")


class Overheard:
    """Everything that could be shown to somebody."""

    def __init__(self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
        self._caplog, self._capfd = caplog, capfd
        self._shown: list[str] = []

    def show(self, *values: object) -> None:
        for value in values:
            self._shown += [repr(value), str(value), f"{value}"]

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        with pytest.raises(Exception) as raised:  # noqa: PT011
            yield
        error: BaseException | None = raised.value
        self._shown += traceback.format_exception(type(error), error, raised.tb)
        while error is not None:
            self.show(error, error.args, vars(error))
            error = error.__cause__ or error.__context__

    def check(self) -> None:
        self._shown += self._caplog.messages
        self._shown += [repr(vars(record)) for record in self._caplog.records]
        self._shown += self._capfd.readouterr()
        assert self._shown
        found = [text for text in self._shown if MARKER in text or MARKER[:12] in text]
        assert not found


@pytest.fixture
def overheard(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Iterator[Overheard]:
    caplog.set_level(logging.DEBUG)
    ears = Overheard(caplog, capfd)
    yield ears
    ears.check()


async def test_at_work(account: dict[str, Any], overheard: Overheard) -> None:
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    # asyncio then logs each callback, and what it belongs to.
    loop.slow_callback_duration = 0
    opening = aiomysql.connect(echo=True, **account)
    overheard.show(opening, opening._coro)
    task = asyncio.ensure_future(opening)
    overheard.show(task, task.get_coro())
    async with await task as connection:
        cursor = await connection.cursor()
        statement = cursor.execute("SELECT CURRENT_USER(), %s", ("x",))
        overheard.show(connection, cursor, statement, connection._loop)
        await statement
        overheard.show(await cursor.fetchall(), cursor, cursor._result, vars(cursor))
        with overheard.failing():
            await cursor.execute("SELECT * FROM nothing_of_that_name")
        await connection.ping(reconnect=True)
    overheard.show(connection)
    with overheard.failing():
        await connection.ping(reconnect=False)


async def test_in_a_pool(account: dict[str, Any], overheard: Overheard) -> None:
    making = aiomysql.create_pool(minsize=1, maxsize=2, echo=True, **account)
    overheard.show(making, making._coro)
    async with making as pool:
        acquiring = pool.acquire()
        overheard.show(pool, acquiring, pool._free)
        async with acquiring as connection:
            overheard.show(connection, pool._used)
            await connection.ping()
    with overheard.failing():
        await pool.acquire()
    overheard.show(pool)


async def test_in_errors_of_connecting(account: dict[str, Any], overheard: Overheard) -> None:
    for change in (
        {"user": "somebody-else"},
        {"db": "nothing_of_that_name"},
        {"port": 1},
        {"host": "no.such.host.invalid"},
        {"unix_socket": "/no/such/socket"},
        {"ssl": True},
        {"ssl": {"ca": "/no/such/file"}},
        {"ssl": {"cipher": "x"}},
        {"charset": "klingon"},
        {"auth_plugin": "dialog"},
        {"init_command": "SELECT nonsense"},
        {"port": "many"},
        {"port": -1},
        {"connect_timeout": "long"},
        {"passwd": MARKER},
        {"no_such_argument": 1},
        {"password": [MARKER]},
        {"password": {MARKER: MARKER}},
        {"password": b"\xff" + MARKER.encode()},
        {"password": MARKER + "\ud800"},
    ):
        with overheard.failing():
            connection = await aiomysql.connect(**{**account, **change})
            connection.close()
            raise AssertionError(f"{list(change)} was taken")
        with overheard.failing():
            pool = await aiomysql.create_pool(minsize=1, **{**account, **change})
            pool.terminate()
            raise AssertionError(f"{list(change)} was taken")


async def test_where_dependencies_panic(overheard: Overheard, fake: FakeServer) -> None:
    """A panic's text is that of an exception; mysql_async has the options at hand."""
    fake.answers["SELECT 'nonsense'"] = b"\x09\x00\x00\x01\xfe" + b"\xff" * 8, False
    connection = await aiomysql.connect(**fake.connect_kwargs(password=MARKER))
    cursor = await connection.cursor()
    with overheard.failing():
        await cursor.execute("SELECT 'nonsense'")
    overheard.show(connection, cursor)


def test_in_what_is_left_behind(account: dict[str, Any]) -> None:
    """Warnings and tracebacks on stderr of a program that closes nothing and then fails."""
    code = f"""
import asyncio, aiomysql, logging
logging.basicConfig(level=logging.DEBUG)

async def main():
    global kept
    given = {account!r}
    aiomysql.connect(**given)
    kept = [await aiomysql.connect(echo=True, **given), await aiomysql.create_pool(**given)]
    await kept[0].query("SELECT nonsense")

asyncio.run(main(), debug=True)
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", "import sys; exec(sys.stdin.read())"],
        input=code,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "nonsense" in done.stderr
    assert done.returncode == 1
    assert MARKER not in done.stderr + done.stdout
