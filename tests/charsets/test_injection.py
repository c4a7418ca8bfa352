"""No parameter leaves its quotes, whatever the character set and the sql_mode."""

from __future__ import annotations

from typing import Any, Callable

import pymysql.err
import pytest

from tests.charsets.samples import TEXTS, codec_of, hostile_bytes, hostile_text

pytestmark = [
    pytest.mark.newest,
    # MySQL warns of a literal that is no text of its character set.
    pytest.mark.filterwarnings("ignore::pymysql.err.Warning"),
]

MODES = ("", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES")
# In which a backslash or a quote may be the second byte of a character.
OVERLAPPING = ("big5", "gbk", "gb18030", "sjis", "cp932")
SYNTAX_ERROR = 1064

Connect = Callable[..., Any]


async def open_in(connect: Connect, name: str, mode: str) -> Any:
    """A connection with the mode as an argument, or by a statement, which the library notices."""
    try:
        if "ANSI" in mode:
            connection = await connect(charset=name, autocommit=True)
            await rows(connection, f"SET SESSION sql_mode = '{mode}'")
        else:
            connection = await connect(charset=name, sql_mode=f"'{mode}'", autocommit=True)
    except pymysql.err.OperationalError as error:
        assert error.args[0] == 1115, error
        return None
    return connection


async def rows(connection: Any, sql: str, args: Any = None) -> Any:
    async with connection.cursor() as cursor:
        await cursor.execute(sql, args)
        return await cursor.fetchall()


def each(values: list[Any]) -> str:
    return "SELECT " + ", ".join(["%s"] * len(values))


@pytest.mark.parametrize("name", TEXTS)
async def test_values_stay_values(connect: Connect, name: str) -> None:
    for mode in MODES:
        connection = await open_in(connect, name, mode)
        if connection is not None:  # MariaDB has no gb18030
            await values_stay_values(connection, codec_of(name) or "")
            connection.close()


async def values_stay_values(connection: Any, codec: str) -> None:
    def same(text: str | bytes) -> bytes:
        # The yen sign of sjis comes back as the backslash that it is there.
        return text if isinstance(text, bytes) else text.encode(codec)

    values = hostile_bytes()
    assert await rows(connection, each(values), values) == (tuple(map(bytes, values)),)
    texts = hostile_text(codec)
    (seen,) = await rows(connection, each(texts), texts)
    assert list(map(same, seen)) == list(map(same, texts))
    # As text that is sent later.
    cursor = await connection.cursor()
    (seen,) = await rows(connection, cursor.mogrify(each(texts), texts))
    assert list(map(same, seen)) == list(map(same, texts))
    (seen,) = await rows(connection, "SELECT " + ", ".join(map(connection.escape, values)))
    assert list(seen) == list(map(bytes, values))
    # In a list bytes are in the connection's character set, of which they may be no text.
    for given in (values, texts):
        try:
            assert await rows(connection, "SELECT 7 FROM DUAL WHERE 'z' NOT IN %s", (given,))
        except pymysql.err.Error as error:
            assert error.args[0] != SYNTAX_ERROR, error


@pytest.mark.parametrize("name", [*OVERLAPPING, "latin1", "utf8mb4"])
async def test_inserts_and_searches(connect: Connect, table: Any, name: str) -> None:
    made = ""
    for mode in MODES:
        connection = await open_in(connect, name, mode)
        if connection is None:
            return  # MariaDB has no gb18030
        text = f"VARCHAR(40) CHARACTER SET {name} COLLATE {name}_bin"
        made = made or table(f"n INT, b VARBINARY(40), t {text}")
        await insert_and_search(connection, codec_of(name) or "", made)
        connection.close()


async def insert_and_search(connection: Any, codec: str, table: str) -> None:
    values, texts = hostile_bytes(), hostile_text(codec)
    width = max(len(values), len(texts))
    lines = [(n, values[n % len(values)], texts[n % len(texts)]) for n in range(width)]
    async with connection.cursor() as cursor:
        await cursor.execute(f"DELETE FROM {table}")
        assert await cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s, %s)", lines) == width
    stored = await rows(connection, f"SELECT n, b, t FROM {table} ORDER BY n")
    assert [line[:2] for line in stored] == [(n, bytes(b)) for n, b, _ in lines]
    assert [t.encode(codec) for *_, t in stored] == [t.encode(codec) for *_, t in lines]
    for value in values[-6:]:
        found = await rows(connection, f"SELECT DISTINCT b FROM {table} WHERE b = %s", (value,))
        assert found == ((bytes(value),),)
        never = f"SELECT 1 FROM {table} WHERE n = -1 AND b = %s"
        assert await rows(connection, never, (value,)) == ()


@pytest.mark.parametrize("name", TEXTS)
async def test_lone_surrogates(connect: Connect, name: str) -> None:
    """They stand for raw bytes, and are refused where those could swallow what follows."""
    connection = await open_in(connect, name, "")
    if connection is None:
        return
    for byte in (0x81, 0xA1, 0xBF, 0xE0, 0xFE):
        for tail in ("'", "\\' OR 1=1 -- "):
            try:
                sql = "SELECT LOWER(CONVERT(HEX(%(a)s) USING utf8mb4))"
                ((seen,),) = await rows(connection, sql, {"a": chr(0xDC00 + byte) + tail})
            except UnicodeEncodeError:
                assert name in OVERLAPPING
                continue
            except pymysql.err.Error as error:
                # No text of this character set.
                assert error.args[0] != SYNTAX_ERROR, error
                continue
            assert name not in OVERLAPPING
            seen = seen.decode() if isinstance(seen, bytes) else seen
            assert seen in ((bytes([byte]) + tail.encode()).hex(), None)


@pytest.mark.parametrize("name", [*OVERLAPPING, "utf8mb4"])
async def test_a_charset_and_a_mode_by_statements(connect: Connect, name: str) -> None:
    connection = await connect()
    try:
        await connection.set_charset(name)
    except pymysql.err.OperationalError as error:
        assert error.args[0] == 1115
        return
    values = hostile_bytes()
    for mode in (*MODES, ""):
        await rows(connection, f"SET SESSION sql_mode = '{mode}'")
        assert await rows(connection, each(values), values) == (tuple(map(bytes, values)),)


@pytest.mark.parametrize("name", OVERLAPPING)
async def test_procedures_arguments(connect: Connect, server: Any, name: str) -> None:
    connection = await open_in(connect, name, "")
    if connection is None:
        return
    procedure = f"echo_{name}"
    server.query(f"DROP PROCEDURE IF EXISTS {procedure}")
    server.query(f"CREATE PROCEDURE {procedure}(IN v VARBINARY(99)) SELECT v")
    try:
        async with connection.cursor() as cursor:
            for value in (b"\xbf' OR 1=1 -- ", bytearray(b"\x81\\'"), b"\xbf\\"):
                await cursor.callproc(procedure, (value,))
                assert await cursor.fetchall() == ((bytes(value),),)
                assert await cursor.nextset() is True
                assert await cursor.nextset() is None
    finally:
        server.query(f"DROP PROCEDURE {procedure}")
