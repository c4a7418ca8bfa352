"""LOAD DATA LOCAL INFILE: what is sent, what is not, and how the connection is afterwards."""

from __future__ import annotations

import asyncio
import builtins
import threading
from pathlib import Path
from typing import Any, Callable

import aiomysql
import pymysql.err
import pytest

from tests.connect.fake_server import Peer
from tests.fix_servers import RunningServer

pytestmark = pytest.mark.newest


def load(path: object, table: str) -> str:
    escaped = str(path).replace("\\", "\\\\").replace("'", "\\'")
    return f"LOAD DATA LOCAL INFILE '{escaped}' INTO TABLE {table} FIELDS TERMINATED BY ','"


async def run(connection: Any, sql: str) -> Any:
    async with connection.cursor() as cursor:
        await cursor.execute(sql)
        return cursor.rowcount


async def failure(connection: Any, sql: str) -> pymysql.err.OperationalError:
    with pytest.raises(pymysql.err.OperationalError) as caught:
        await run(connection, sql)
    return caught.value


async def works(connection: Any) -> bool:
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT 'marker'")
        return bool(await cursor.fetchall() == (("marker",),))


async def count(connection: Any, table: str) -> int:
    async with connection.cursor() as cursor:
        await cursor.execute(f"SELECT COUNT(*) FROM {table}")
        return int((await cursor.fetchone())[0])


@pytest.fixture
def numbers(table: Callable[..., str]) -> str:
    return table("a INT, b VARCHAR(200)")


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    path = tmp_path / "rows of it's own.csv"
    path.write_text("1,one\n2,two\n3,three\n")
    return path


async def test_a_file_is_loaded(
    numbers: str, connect: Callable[..., Any], small_file: Path
) -> None:
    connection = await connect(local_infile=True)
    assert await run(connection, load(small_file, numbers)) == 3
    assert await count(connection, numbers) == 3


async def test_an_empty_file(numbers: str, connect: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    connection = await connect(local_infile=True)
    assert await run(connection, load(tmp_path / "empty", numbers)) == 0
    assert await works(connection)


async def test_a_statement_among_others(
    numbers: str, connect: Callable[..., Any], small_file: Path
) -> None:
    connection = await connect(local_infile=True)
    async with connection.cursor() as cursor:
        await cursor.execute(f"SELECT 1; {load(small_file, numbers)}; SELECT 2")
        assert await cursor.fetchall() == ((1,),)
        assert await cursor.nextset()
        assert cursor.rowcount == 3
        assert await cursor.nextset()
        assert await cursor.fetchall() == ((2,),)


async def test_a_large_file_leaves_the_loop_free(
    numbers: str, connect: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "large.csv"
    rows = 200_000
    path.write_text("".join(f"{n},{'x' * 100}\n" for n in range(rows)))
    connection = await connect(local_infile=True)
    turns = 0
    done = False

    async def count_turns() -> None:
        nonlocal turns
        while not done:
            turns += 1
            await asyncio.sleep(0.001)

    counting = asyncio.ensure_future(count_turns())
    assert await run(connection, load(path, numbers)) == rows
    done = True
    await counting
    assert turns > 20


async def test_the_file_is_opened_by_pythons_open_in_a_thread(
    numbers: str, connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, small_file: Path
) -> None:
    seen = []
    original = builtins.open

    def spy(file: Any, *args: Any, **kwargs: Any) -> Any:
        if str(file) == str(small_file):
            seen.append((file, args, threading.current_thread()))
        return original(file, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", spy)
    connection = await connect(local_infile=True)
    assert await run(connection, load(small_file, numbers)) == 3
    ((file, arguments, thread),) = seen
    assert file == str(small_file)
    assert arguments == ("rb",)
    assert thread is not threading.main_thread()


async def test_switched_off(
    numbers: str, server: RunningServer, connect: Callable[..., Any], small_file: Path
) -> None:
    connection = await connect()
    error = await failure(connection, load(small_file, numbers))
    assert error.args[0] == (4166 if server.is_mariadb else 3948)
    assert await works(connection)
    assert await count(connection, numbers) == 0


@pytest.mark.parametrize("name", ["missing.csv", ".", "x" * 300, "loop", "rows/of a file"])
async def test_a_file_that_cannot_be_opened(
    numbers: str, connect: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    connection = await connect(local_infile=True)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "rows").touch()
    path = tmp_path / name
    error = await failure(connection, load(path, numbers))
    assert error.args == (1017, f"Can't find file '{path}'")
    assert isinstance(error.__cause__, OSError)
    assert not connection.closed
    assert await works(connection)


async def test_a_file_that_may_not_be_read(
    numbers: str, connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read anything, so it is `open` that refuses."""
    original = builtins.open

    def open_it(path: Any, *args: Any, **kwargs: Any) -> Any:
        if path == "/the/file":
            raise PermissionError(13, "Permission denied", path)
        return original(path, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", open_it)
    connection = await connect(local_infile=True)
    error = await failure(connection, load("/the/file", numbers))
    assert error.args == (1017, "Can't find file '/the/file'")
    assert isinstance(error.__cause__, PermissionError)
    assert await works(connection)


class Unreadable:
    """A file whose reading fails after so many chunks."""

    def __init__(self, chunks: int) -> None:
        self._chunks = chunks
        self.closed = False

    def read(self, size: int) -> bytes:
        if not self._chunks:
            raise OSError(5, "Input/output error")
        self._chunks -= 1
        return b"1,one\n" * 1000

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("chunks", [0, 3])
async def test_a_read_that_fails(
    numbers: str, connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, chunks: int
) -> None:
    file = Unreadable(chunks)
    original = builtins.open

    def open_it(path: Any, *args: Any, **kwargs: Any) -> Any:
        return file if path == "/the/file" else original(path, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", open_it)
    connection = await connect(local_infile=True, autocommit=True)
    error = await failure(connection, load("/the/file", numbers))
    assert error.args == (1024, "Error reading file /the/file")
    assert isinstance(error.__cause__, OSError)
    assert file.closed
    # What the server has is not taken for the whole file.
    assert connection.closed == (chunks > 0)
    witness = await connect()
    assert await count(witness, numbers) == 0


async def test_a_load_that_is_cancelled(
    numbers: str, connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = threading.Event()
    release = threading.Event()

    class Slow(Unreadable):
        def read(self, size: int) -> bytes:
            reading.set()
            release.wait(20)
            return b""

    file = Slow(0)
    original = builtins.open

    def open_it(path: Any, *args: Any, **kwargs: Any) -> Any:
        return file if path == "/the/file" else original(path, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", open_it)
    connection = await connect(local_infile=True)
    task = asyncio.ensure_future(run(connection, load("/the/file", numbers)))
    assert await asyncio.get_running_loop().run_in_executor(None, reading.wait, 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connection.closed
    release.set()
    for _ in range(500):
        if file.closed:
            break
        await asyncio.sleep(0.01)
    assert file.closed


async def test_an_init_command_may_load(
    numbers: str, connect: Callable[..., Any], small_file: Path
) -> None:
    connection = await connect(local_infile=True, init_command=load(small_file, numbers))
    assert await count(connection, numbers) == 3


@pytest.mark.parametrize("local_infile", [False, True])
@pytest.mark.parametrize("sql", ["SELECT 1", "LOAD DATA LOCAL INFILE '/another' INTO TABLE t"])
async def test_a_server_that_asks_for_a_file_unasked(
    fake_server: Callable[..., Any], tmp_path: Path, local_infile: bool, sql: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    sent: list[bytes] = []

    async def talk(peer: Peer) -> None:
        await peer.log_in()
        await peer.settle()
        await peer.receive()
        await peer.send(b"\xfb" + str(secret).encode())
        sent.append(await peer.receive())
        await peer.send(b"\x00\x00\x00\x02\x00\x00\x00")
        sent.append(await peer.rest())

    server = await fake_server(talk)
    connection = await aiomysql.connect(
        **server.connect_kwargs(local_infile=local_infile, autocommit=None)
    )
    with pytest.raises(pymysql.err.Error):
        await run(connection, sql)
    connection.close()
    await asyncio.sleep(0.1)
    assert sent[0] == b""
    assert b"secret" not in sent[-1]
