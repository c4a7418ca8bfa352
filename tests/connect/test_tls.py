"""`ssl=`: what is honoured, what is refused, and what each failure looks like."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Callable

import aiomysql
import pymysql.err
import pytest

from tests.connect.certificates import TlsServer
from tests.fix_servers import RunningServer
from tests.servers.server import PASSWORD


@contextlib.asynccontextmanager
async def connected(server: TlsServer, **arguments: Any) -> AsyncIterator[aiomysql.Connection]:
    connection = await aiomysql.connect(**server.connect_kwargs(**arguments))
    try:
        yield connection
    finally:
        connection.close()


async def status(connection: aiomysql.Connection, name: str) -> str:
    async with connection.cursor() as cursor:
        await cursor.execute(f"SHOW SESSION STATUS LIKE '{name}'")
        return str((await cursor.fetchone())[1])


async def tls_version(server: TlsServer, **arguments: Any) -> str:
    async with connected(server, **arguments) as connection:
        assert connection._secure
        return await status(connection, "Ssl_version")


async def refusal(server: TlsServer, **arguments: Any) -> BaseException:
    """The cause of the 2003 with which connecting fails."""
    with pytest.raises(pymysql.err.OperationalError) as caught:
        async with connected(server, **arguments):
            pass
    assert caught.value.args[0] == 2003
    assert caught.value.args[1].startswith("Can't connect to MySQL server on ")
    assert caught.value.__cause__ is not None
    return caught.value.__cause__


def run(command: list[str], changes: dict[str, str] | None = None) -> Any:
    environment = {**os.environ, **(changes or {})}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def context(server: TlsServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.authority.file)


# What is honoured.


def test_true_in_a_process_whose_system_knows_the_authority(tls_server: TlsServer) -> None:
    program = (
        "import asyncio, sys, aiomysql\n"
        "async def main():\n"
        "    connection = await aiomysql.connect(ssl=True, **eval(sys.argv[1]))\n"
        "    async with connection.cursor() as cursor:\n"
        "        await cursor.execute(\"SHOW STATUS LIKE 'Ssl_version'\")\n"
        "        print((await cursor.fetchone())[1])\n"
        "    connection.close()\n"
        "asyncio.run(main())\n"
    )
    done = run(
        [sys.executable, "-c", program, repr(tls_server.connect_kwargs())],
        {"SSL_CERT_FILE": tls_server.authority.file, "SSL_CERT_DIR": "/nowhere"},
    )
    assert done.stdout == "TLSv1.3\n", done.stderr


async def test_the_minimum_version_is_checked_before_any_statement(
    tls_server: TlsServer, restricted: Callable[[TlsServer, str], TlsServer]
) -> None:
    old_server = restricted(tls_server, "TLSv1.2")
    wishes = context(old_server)
    wishes.minimum_version = ssl.TLSVersion.TLSv1_3
    old_server.query("DROP TABLE IF EXISTS test.witness", "CREATE TABLE test.witness (n INT)")
    insert = "INSERT INTO witness VALUES (1)"
    cause = await refusal(old_server, ssl=wishes, init_command=insert)
    assert isinstance(cause, ssl.SSLError)
    assert "TLSv1.2" in str(cause)
    assert old_server.query("SELECT COUNT(*) FROM test.witness") == [(0,)]


async def test_a_pool_keeps_its_connections(tls_server: TlsServer) -> None:
    """What the server sends of its own in TLS 1.3 does not pass for a farewell."""
    arguments = tls_server.connect_kwargs(ssl=context(tls_server))
    async with aiomysql.create_pool(**arguments, minsize=1, maxsize=1) as pool:
        seen = set()
        for _ in range(5):
            async with pool.acquire() as connection:
                seen.add(connection.thread_id())
                await connection.ping()
            await asyncio.sleep(0.01)
        assert len(seen) == 1


async def test_a_large_parameter_and_result(tls_server: TlsServer) -> None:
    text = "x" * 20_000_000
    async with connected(tls_server, ssl=context(tls_server)) as connection:
        cursor = await connection.cursor()
        await cursor.execute("SELECT %s", (text,))
        assert await cursor.fetchone() == (text,)


# PyMySQL's dictionary.


async def test_a_dictionary_with_an_authority_verifies(tls_server: TlsServer) -> None:
    wishes = {"ca": tls_server.authority.file}
    assert await tls_version(tls_server, ssl=wishes) == "TLSv1.3"
    cause = await refusal(tls_server, ssl={"ca": tls_server.stranger.file})
    assert isinstance(cause, ssl.SSLCertVerificationError)
    tls_server.show(tls_server.authority, "elsewhere.example")
    cause = await refusal(tls_server, ssl=wishes)
    assert isinstance(cause, ssl.SSLCertVerificationError)
    assert await tls_version(tls_server, ssl={**wishes, "check_hostname": False}) == "TLSv1.3"


@pytest.mark.parametrize("wishes", [{}, {"fake_flag_to_enable_tls": True}, {"ca": None}])
async def test_a_dictionary_without_an_authority_only_encrypts(
    tls_server: TlsServer, wishes: dict[str, Any]
) -> None:
    tls_server.show(tls_server.stranger, "elsewhere.example")
    assert await tls_version(tls_server, ssl=wishes) == "TLSv1.3"


@pytest.mark.parametrize("verify_mode", ["none", "No", False, 0, ssl.CERT_NONE])
async def test_a_dictionary_that_asks_for_no_verification(
    tls_server: TlsServer, verify_mode: Any
) -> None:
    tls_server.show(tls_server.stranger, "elsewhere.example")
    wishes = {"ca": tls_server.authority.file, "verify_mode": verify_mode}
    assert await tls_version(tls_server, ssl=wishes) == "TLSv1.3"


@pytest.mark.parametrize("verify_mode", ["required", "optional", True, ssl.CERT_REQUIRED])
async def test_a_dictionary_that_asks_for_verification(
    tls_server: TlsServer, verify_mode: Any
) -> None:
    cause = await refusal(tls_server, ssl={"verify_mode": verify_mode})
    assert isinstance(cause, ssl.SSLCertVerificationError)
    cause = await refusal(tls_server, ssl={"check_hostname": True})
    assert isinstance(cause, ssl.SSLCertVerificationError)


async def test_a_folder_of_authorities(tls_server: TlsServer, tmp_path: Path) -> None:
    shutil.copy(tls_server.authority.file, tmp_path / "0123abcd.0")
    (tmp_path / "README").write_text("not a certificate")
    assert await tls_version(tls_server, ssl={"capath": str(tmp_path)}) == "TLSv1.3"


async def test_a_client_certificate(tls_server: TlsServer) -> None:
    cert, key = tls_server.authority.issue("client", "client.example")
    tls_server.query(
        "CREATE USER IF NOT EXISTS 'x509'@'%' IDENTIFIED BY 'throw-away' REQUIRE X509",
        "GRANT ALL ON test.* TO 'x509'@'%'",
    )
    wishes = {"ca": tls_server.authority.file, "cert": cert, "key": key}
    assert await tls_version(tls_server, ssl=wishes, user="x509") == "TLSv1.3"
    both = tls_server.folder.join("both.pem", key, cert)
    wishes = {"ca": tls_server.authority.file, "cert": both}
    assert await tls_version(tls_server, ssl=wishes, user="x509") == "TLSv1.3"
    with pytest.raises(pymysql.err.OperationalError) as caught:
        await tls_version(tls_server, ssl={"ca": tls_server.authority.file}, user="x509")
    assert caught.value.args[0] == 1045


# Failures.


@pytest.mark.parametrize("key", ["ca", "capath", "cert", "key"])
async def test_files_that_are_missing(tls_server: TlsServer, key: str) -> None:
    cert, _ = tls_server.authority.issue("client", "client.example")
    wishes = {"ca": tls_server.authority.file, "cert": cert, key: "/nowhere/file.pem"}
    cause = await refusal(tls_server, ssl=wishes)
    assert isinstance(cause, FileNotFoundError)
    assert cause.filename == "/nowhere/file.pem"


@pytest.mark.parametrize("key", ["ca", "cert", "key"])
async def test_files_that_hold_something_else(
    tls_server: TlsServer, key: str, tmp_path: Path
) -> None:
    cert, private = tls_server.authority.issue("client", "client.example")
    junk = tmp_path / "junk.pem"
    junk.write_text("nothing of use")
    wishes = {"ca": tls_server.authority.file, "cert": cert, "key": private, key: str(junk)}
    cause = await refusal(tls_server, ssl=wishes)
    assert isinstance(cause, ssl.SSLError)


@pytest.mark.vendor("mysql")
async def test_mysqls_own_certificates(server: RunningServer, connect: Callable[..., Any]) -> None:
    """They are made out to no host at all."""
    ca = Path(server.query("SELECT @@datadir")[0][0]) / "ca.pem"
    if not ca.exists():
        pytest.skip("the server's files cannot be read from here")
    connection = await connect(ssl={"ca": str(ca), "check_hostname": False})
    assert await status(connection, "Ssl_version") == "TLSv1.3"


# Refusals by name.


async def test_a_context_that_trusts_nobody_it_shows(tls_server: TlsServer, tmp_path: Path) -> None:
    wishes = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    wishes.load_verify_locations(capath=str(tmp_path))
    with pytest.raises(pymysql.err.NotSupportedError, match="capath"):
        async with connected(tls_server, ssl=wishes):
            pass


async def test_a_context_for_the_servers_side(tls_server: TlsServer) -> None:
    wishes = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.raises(pymysql.err.NotSupportedError, match="server's side"):
        async with connected(tls_server, ssl=wishes):
            pass


@pytest.mark.parametrize(
    ("wishes", "named"),
    [
        ({"cipher": "AES128-SHA"}, "cipher"),
        ({"ssl_ca": "/some/ca.pem"}, "ssl_ca"),
        ({"password": "secret"}, "password"),
    ],
)
async def test_keys_of_the_dictionary_that_cannot_be_honoured(
    tls_server: TlsServer, wishes: dict[str, Any], named: str
) -> None:
    with pytest.raises(pymysql.err.NotSupportedError, match=named):
        async with connected(tls_server, ssl=wishes):
            pass


@pytest.mark.parametrize(
    ("wishes", "exception"),
    [
        ({"verify_mode": "perhaps"}, ValueError),
        ({"verify_mode": "none", "check_hostname": True}, ValueError),
        ({"key": "/some/key.pem"}, ValueError),
        ("/some/ca.pem", TypeError),
        (1, TypeError),
    ],
)
async def test_values_that_make_no_sense(
    tls_server: TlsServer, wishes: Any, exception: type[Exception]
) -> None:
    with pytest.raises(exception, match="ssl"):
        async with connected(tls_server, ssl=wishes):
            pass


async def test_an_encrypted_key(tls_server: TlsServer) -> None:
    cert, key = tls_server.authority.issue("client", "client.example")
    locked = f"{key}.locked"
    command = ["openssl", "pkcs8", "-topk8", "-in", key, "-out", locked, "-passout", "pass:x"]
    assert run(command).returncode == 0
    wishes = {"ca": tls_server.authority.file, "cert": cert, "key": locked}
    with pytest.raises(pymysql.err.NotSupportedError, match="encrypted key"):
        async with connected(tls_server, ssl=wishes):
            pass


async def test_tls_on_a_unix_socket(tls_server: TlsServer) -> None:
    arguments = tls_server.server.address.connect_kwargs(True)
    with pytest.raises(pymysql.err.NotSupportedError, match="unix socket"):
        await aiomysql.connect(**arguments, ssl=context(tls_server))


async def test_who_kills_a_cancelled_query_has_tls_too(tls_server: TlsServer) -> None:
    create = f"CREATE USER with_tls IDENTIFIED BY '{PASSWORD}' REQUIRE SSL"
    tls_server.query(create, "GRANT SELECT ON test.* TO with_tls")
    try:
        arguments = {"user": "with_tls", "ssl": context(tls_server), "cancel": "kill"}
        # This one does not look for its client while it runs.
        sql = "SELECT COUNT(*) FROM " + ", ".join(
            f"information_schema.collations AS c{number}" for number in range(8)
        )
        session = "SELECT id FROM information_schema.processlist WHERE user = 'with_tls'"
        async with connected(tls_server, **arguments) as connection:
            cursor = await connection.cursor()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(cursor.execute(sql), 0.3)
        deadline = time.monotonic() + 20
        while tls_server.query(session):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
    finally:
        tls_server.query("DROP USER with_tls")
