"""Every character set that PyMySQL knows: what the session has, and text there and back."""

from __future__ import annotations

from typing import Any, Callable

import pymysql.charset
import pymysql.err
import pytest

from tests.charsets.samples import TEXTS, codec_of
from tests.fix_servers import RunningServer
from tests.page.tables import CHARSETS

pytestmark = pytest.mark.newest

NAMES = CHARSETS.keys["charset"]
Connect = Callable[..., Any]

SETS = "SELECT @@character_set_client, @@character_set_connection, @@character_set_results"
CLIENT_AS_UTF8 = "SELECT HEX(CONVERT(%s USING utf8mb4)), CHAR_LENGTH(%s)"


async def ask(connection: Any, sql: str, *args: Any) -> Any:
    async with connection.cursor() as cursor:
        await cursor.execute(sql, args or None)
        return await cursor.fetchone()


def test_the_page_has_every_charset() -> None:
    known = {charset.name for charset in pymysql.charset._charsets._by_id.values()}
    # Older versions of PyMySQL spell utf8mb3 so; some know character sets that no server serves.
    assert known - {"utf8", "ucs2", "utf16", "utf16le", "utf32"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_a_charset(
    server: RunningServer, connect: Connect, table: Any, record: Any, name: str
) -> None:
    row = (name,)
    codec = codec_of(name)
    if codec is None:
        await without_a_codec(connect, name)
        record(CHARSETS, server, row, "Python has no codec")
        return
    try:
        connection = await connect(charset=name, autocommit=True)
    except pymysql.err.OperationalError as error:
        assert error.args == (1115, f"Unknown character set: '{name}'")
        record(CHARSETS, server, row, "1115")
        return
    sets = (name,) * 3
    collation = (await ask(connection, "SELECT @@collation_connection"))[0]
    if name == "binary":
        assert await ask(connection, SETS) == (b"binary",) * 3
        record(CHARSETS, server, row, collation.decode())
        return
    assert await ask(connection, SETS) == sets
    await connection.reset()
    assert await ask(connection, SETS) == sets
    assert await ask(connection, "SELECT @@collation_connection") == (collation,)
    text = TEXTS[name]
    assert await ask(connection, "SELECT %s", text) == (text,)
    as_utf8 = text.encode().hex().upper()
    assert await ask(connection, CLIENT_AS_UTF8, text, text) == (as_utf8, len(text))
    await through_a_column(connect, connection, table, name)
    raw = await connect(charset=name, use_unicode=False)
    assert await ask(raw, "SELECT %s", text) == (text.encode(codec),)
    other = await connect()
    await other.set_charset(name)
    assert await ask(other, SETS) == sets
    assert (other.charset, other.encoding) == (connection.charset, connection.encoding)
    assert await ask(other, CLIENT_AS_UTF8, text, text) == (as_utf8, len(text))
    record(CHARSETS, server, row, collation)


async def without_a_codec(connect: Connect, name: str) -> None:
    with pytest.raises(pymysql.err.ProgrammingError, match=name):
        await connect(charset=name)
    connection = await connect()
    with pytest.raises(pymysql.err.ProgrammingError, match=name):
        await connection.set_charset(name)
    # Nothing was sent: both sides have the character set that they had.
    assert connection.charset == "utf8mb4"
    assert await ask(connection, SETS) == ("utf8mb4",) * 3
    assert await ask(connection, "SELECT 'é'") == ("é",)


async def through_a_column(connect: Connect, connection: Any, table: Any, name: str) -> None:
    """Written in the connection's character set, read in another, and the reverse."""
    text = TEXTS[name]
    made = table(f"own VARCHAR(20) CHARACTER SET {name}, utf8 VARCHAR(20) CHARACTER SET utf8mb4")
    await ask(connection, f"INSERT INTO {made} VALUES (%s, %s)", text, text)
    other = await connect(autocommit=True)
    assert await ask(other, f"SELECT * FROM {made}") == (text, text)
    await ask(other, f"UPDATE {made} SET own = %s, utf8 = %s", text[::-1], text[::-1])
    assert await ask(connection, f"SELECT * FROM {made}") == (text[::-1], text[::-1])


async def test_columns_that_the_connection_cannot_show(connect: Connect, table: Any) -> None:
    """The server puts question marks for what the connection's character set lacks."""
    made = table("a VARCHAR(9) CHARACTER SET utf8mb4, b VARCHAR(9) CHARACTER SET sjis")
    writer = await connect(autocommit=True)
    await ask(writer, f"INSERT INTO {made} VALUES (%s, %s)", "é日😀", "é日".replace("é", "e"))
    reader = await connect(charset="latin1")
    assert await ask(reader, f"SELECT a, b, HEX(b) FROM {made}") == ("é??", "e?", "6593FA")


async def test_bytes_that_are_no_text_of_the_charset(connect: Connect) -> None:
    """They come through a statement as what surrogateescape makes of them."""
    connection = await connect(charset="latin1")
    assert await ask(connection, "SELECT HEX('\udc81\udcff'), HEX(%s)", "\udc81") == ("81FF", "81")
    connection = await connect()
    assert await ask(connection, "SELECT HEX(_latin1'\udce9')") == ("E9",)
    assert await ask(connection, "SELECT HEX(_binary'\udcff\udc80')") == ("FF80",)


async def test_a_charset_set_again_and_again(connect: Connect) -> None:
    connection = await connect()
    for name in ("gbk", "latin1", "sjis", "utf8mb4", "big5", "utf8mb4"):
        await connection.set_charset(name)
        assert await ask(connection, "SELECT %s", TEXTS[name]) == (TEXTS[name],)
