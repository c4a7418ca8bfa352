"""Connecting to servers that misbehave, or are not there."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import aiomysql
import pymysql.err
import pytest

from tests.bridge.process import linux_only
from tests.connect.fake_server import OK, Peer, error, greeting, one_row
from tests.servers.process import free_port


async def failure(**arguments: Any) -> pymysql.err.Error:
    with pytest.raises(pymysql.err.Error) as caught:
        await aiomysql.connect(**arguments)
    return caught.value


def cannot_connect(caught: BaseException, host: str) -> BaseException:
    """The cause of a 2003."""
    assert isinstance(caught, pymysql.err.OperationalError)
    assert caught.args == (2003, f"Can't connect to MySQL server on {host!r}")
    assert caught.__cause__ is not None
    return caught.__cause__


async def test_refused() -> None:
    caught = await failure(host="127.0.0.1", port=free_port())
    cause = cannot_connect(caught, "127.0.0.1")
    assert isinstance(cause, ConnectionRefusedError)
    assert str(cause) == "[Errno 111] Connection refused"


async def test_a_name_that_does_not_exist() -> None:
    cause = cannot_connect(await failure(host="nosuch.invalid"), "nosuch.invalid")
    assert isinstance(cause, socket.gaierror)
    assert cause.errno in (socket.EAI_NONAME, socket.EAI_AGAIN)


async def test_a_socket_that_does_not_exist(tmp_path: Path) -> None:
    cause = cannot_connect(await failure(unix_socket=str(tmp_path / "none")), "localhost")
    assert isinstance(cause, FileNotFoundError)
    assert str(cause) == "[Errno 2] No such file or directory"


@pytest.fixture
def full(tmp_path: Path) -> Iterator[tuple[socket.socket, list[socket.socket]]]:
    """A unix socket that takes no more connections, and those that it has taken."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "full"))
        listener.listen(0)
        earlier: list[socket.socket] = []
        with contextlib.suppress(BlockingIOError):
            while len(earlier) < 100:
                earlier.append(socket.socket(socket.AF_UNIX))
                earlier[-1].setblocking(False)
                earlier[-1].connect(str(tmp_path / "full"))
        assert 1 < len(earlier) < 100
        yield listener, earlier
        for each in earlier:
            each.close()


@linux_only
async def test_a_full_unix_socket_is_waited_for(
    full: tuple[socket.socket, list[socket.socket]],
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await peer.log_in()
            await peer.settle()
            await peer.rest()
        writer.close()

    listener, earlier = full
    connecting = asyncio.ensure_future(_connect(listener.getsockname()))
    await asyncio.sleep(0.1)
    assert not connecting.done()
    for each in earlier:
        each.close()
    server = await asyncio.start_unix_server(serve, sock=listener)
    connection = await asyncio.wait_for(connecting, 10)
    assert connection.get_server_info() == "8.0.99-fake"
    connection.close()
    server.close()


@linux_only
async def test_a_full_unix_socket_and_the_timeout(
    full: tuple[socket.socket, list[socket.socket]],
) -> None:
    listener, _ = full
    caught = await failure(unix_socket=listener.getsockname(), connect_timeout=0.2)
    assert isinstance(cannot_connect(caught, "localhost"), TimeoutError)


async def _connect(path: str) -> aiomysql.Connection:
    return await aiomysql.connect(unix_socket=path, autocommit=True)


@pytest.mark.parametrize("greeted", [False, True])
async def test_silence(fake_server: Callable[..., Any], greeted: bool) -> None:
    async def talk(peer: Peer) -> None:
        if greeted:
            await peer.send(greeting())
        await peer.rest()

    server = await fake_server(talk)
    began = time.monotonic()
    caught = await failure(**server.connect_kwargs(connect_timeout=0.2))
    assert time.monotonic() - began < 5
    assert isinstance(cannot_connect(caught, "127.0.0.1"), (TimeoutError, asyncio.TimeoutError))


async def test_the_timeout_covers_the_init_command(connect: Callable[..., Any]) -> None:
    with pytest.raises(pymysql.err.OperationalError) as caught:
        await connect(connect_timeout=1, init_command="SELECT SLEEP(30)")
    assert caught.value.args[0] == 2003


async def test_the_timeout_covers_a_second_switch_of_autocommit(
    fake_server: Callable[..., Any],
) -> None:
    """A server that says OK to the first, and that autocommit is off all the same."""

    async def talk(peer: Peer) -> None:
        await peer.log_in()
        await peer.receive()
        off = [
            packet.replace(b"\xfe\0\0\2\0", b"\xfe\0\0\0\0") for packet in one_row(b"8.0.99-fake")
        ]
        await peer.send(b"\0\0\0\x08\0\0\0", *off)
        await peer.rest()

    server = await fake_server(talk)
    caught = await failure(**server.connect_kwargs(autocommit=True, connect_timeout=0.3))
    assert isinstance(cannot_connect(caught, "127.0.0.1"), asyncio.TimeoutError)


async def test_a_server_that_answers_with_less_than_was_asked(
    fake_server: Callable[..., Any],
) -> None:
    async def talk(peer: Peer) -> None:
        await peer.log_in()
        await peer.receive()
        await peer.send(OK)
        await peer.rest()

    server = await fake_server(talk)
    caught = await failure(**server.connect_kwargs(connect_timeout=5))
    cause = cannot_connect(caught, "127.0.0.1")
    assert str(cause) == "the server did not tell its version"


@pytest.mark.parametrize("seconds", [0, -1])
async def test_a_timeout_that_leaves_no_time(
    fake_server: Callable[..., Any], seconds: float
) -> None:
    async def talk(peer: Peer) -> None:
        await peer.rest()

    server = await fake_server(talk)
    caught = await failure(**server.connect_kwargs(connect_timeout=seconds))
    cannot_connect(caught, "127.0.0.1")


@pytest.mark.parametrize("state", [b"", b"#08004"])
@pytest.mark.parametrize(
    ("code", "text"),
    [(1040, "Too many connections"), (1129, "Host '127.0.0.1' is blocked"), (1130, "No")],
)
async def test_an_error_in_place_of_the_greeting(
    fake_server: Callable[..., Any], code: int, text: str, state: bytes
) -> None:
    async def talk(peer: Peer) -> None:
        await peer.send(error(code, text.encode(), state))

    server = await fake_server(talk)
    caught = await failure(**server.connect_kwargs())
    assert isinstance(caught, pymysql.err.OperationalError)
    assert caught.args == (code, text)


@pytest.mark.seconds(120)
async def test_too_many_connections(own_server: Callable[..., Any]) -> None:
    server = own_server("mariadb", "--max-connections=10", "--extra-max-connections=1")
    arguments = {**server.address.connect_kwargs(), "user": "test_native"}
    made = await asyncio.gather(
        *(aiomysql.connect(**arguments) for _ in range(20)), return_exceptions=True
    )
    refused = [each for each in made if isinstance(each, BaseException)]
    assert refused
    for each in refused:
        assert isinstance(each, pymysql.err.OperationalError)
        assert each.args == (1040, "Too many connections")
    for connection in set(made) - set(refused):
        assert isinstance(connection, aiomysql.Connection)
        connection.close()


@pytest.mark.parametrize("sent", [0, 1, 4, 20, 70])
async def test_a_server_that_leaves_in_the_greeting(
    fake_server: Callable[..., Any], sent: int
) -> None:
    async def talk(peer: Peer) -> None:
        whole = greeting()
        peer.writer.write((len(whole).to_bytes(3, "little") + b"\0" + whole)[:sent])

    server = await fake_server(talk)
    caught = await failure(**server.connect_kwargs())
    assert isinstance(caught, pymysql.err.OperationalError)
    assert caught.args[0] == 2013
    assert caught.args[1].startswith("Lost connection to MySQL server during query")


async def test_a_server_that_leaves_after_the_greeting(fake_server: Callable[..., Any]) -> None:
    async def talk(peer: Peer) -> None:
        await peer.send(greeting())
        await peer.receive()

    server = await fake_server(talk)
    caught = await failure(**server.connect_kwargs())
    assert caught.args[0] == 2013


@pytest.mark.parametrize(
    "payload",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n" + b" " * 100,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00" * 64,
        b"\xff" * 64,
        b"\x01\x00\x00\x00\x0a",
        b"\x05\x00\x00\x00\x0a8.0\x00",
    ],
)
async def test_garbage(fake_server: Callable[..., Any], payload: bytes) -> None:
    async def talk(peer: Peer) -> None:
        peer.writer.write(payload)

    server = await fake_server(talk)
    caught = await failure(**server.connect_kwargs(connect_timeout=5))
    assert isinstance(caught, (pymysql.err.OperationalError, pymysql.err.InternalError))


@pytest.mark.parametrize(
    "answer",
    [
        b"\xfe",
        b"\xfe\x00",
        b"\xfecaching_sha2_password\x00",
        b"\xfemysql_native_password\x00",
        b"\x01",
        b"\x01\x04",
        b"",
        b"\x0b",
    ],
)
async def test_garbage_in_the_authentication(
    fake_server: Callable[..., Any], answer: bytes
) -> None:
    async def talk(peer: Peer) -> None:
        await peer.send(greeting(plugin=b"caching_sha2_password"))
        await peer.receive()
        await peer.send(answer)
        await peer.receive()
        await peer.send(b"\x01")

    server = await fake_server(talk)
    caught = await failure(**server.connect_kwargs(connect_timeout=5))
    assert isinstance(caught, (pymysql.err.OperationalError, pymysql.err.InternalError))


async def test_a_cancelled_connect_leaves_nothing_open(fake_server: Callable[..., Any]) -> None:
    left = asyncio.Event()

    async def talk(peer: Peer) -> None:
        await peer.send(greeting())
        await peer.receive()
        await peer.rest()
        left.set()

    server = await fake_server(talk)
    task = asyncio.ensure_future(aiomysql.connect(**server.connect_kwargs()))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(left.wait(), 5)
