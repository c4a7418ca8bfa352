"""Character sets of the connection, and text in them."""

from __future__ import annotations

from tests.compat.recorder import Api, Area

area = Area("charsets")

VARIABLES = (
    "SELECT @@character_set_client, @@character_set_connection, @@character_set_results,"
    " @@collation_connection"
)

TEXTS = {
    "utf8mb4": "é日😀",
    "utf8": "é日",
    "utf8mb3": "é日",
    "latin1": "é€ÿ",
    "latin2": "řž",
    "ascii": "plain",
    "cp1251": "Привет",
    "koi8r": "Привет",
    "greek": "αβγ",
    "hebrew": "שלום",
    "sjis": "日本",
    "cp932": "日本①",
    "ujis": "日本",
    "eucjpms": "日本",
    "gbk": "中文",
    "gb2312": "中文",
    "big5": "中文",
    "euckr": "한국",
    "latin5": "şığ",
    "latin7": "ąč",
    "tis620": "ไทย",
    "macroman": "éü",
    "cp850": "éü",
    "cp852": "řž",
    "cp866": "Привет",
    "cp1250": "řž",
    "cp1256": "سلام",
    "cp1257": "ąč",
}


def connection_in(charset: str, text: str) -> None:
    async def work(api: Api) -> None:
        connection = await api.connect(charset=charset)
        for name in ("charset", "encoding"):
            api.note(name, getattr(connection, name))
        api.call("character_set_name", connection.character_set_name)
        await api.rows(connection, VARIABLES)
        cursor = await connection.cursor()
        await api.execute(cursor, "SELECT %s AS a, HEX(%s) AS b", (text, text))
        await api.execute(cursor, f"SELECT '{text}' AS `{text}`")
        await api.attempt("not in it", cursor.execute, "SELECT %s", ("\u2603",))
        await api.attempt("an error", cursor.execute, f"SELECT * FROM `{text}`")
        await api.attempt("bytes", cursor.execute, "SELECT %s", (b"\x00\xff'",))
        await api.attempt("fetchall", cursor.fetchall)

    area.add(f"connection in {charset}", work)


for charset, text in TEXTS.items():
    connection_in(charset, text)


def set_charset(charset: str, text: str) -> None:
    async def work(api: Api) -> None:
        connection = await api.connect()
        await api.attempt("set_charset", connection.set_charset, charset)
        for name in ("charset", "encoding"):
            api.note(name, getattr(connection, name))
        await api.rows(connection, VARIABLES)
        cursor = await connection.cursor()
        await api.execute(cursor, "SELECT %s AS a", (text,))

    area.add(f"set_charset {charset}", work)


for charset in ("utf8mb4", "utf8", "latin1", "cp1251", "sjis", "gbk", "ascii"):
    set_charset(charset, TEXTS[charset])


@area.scenario
async def the_default(api: Api) -> None:
    connection = await api.connect()
    api.note("charset", connection.charset)
    await api.rows(connection, VARIABLES)


@area.scenario
async def unknown_ones(api: Api) -> None:
    await api.attempt("connect", api.connect, charset="nonsense")
    connection = await api.connect()
    await api.attempt("set_charset", connection.set_charset, "nonsense")
    await api.attempt("afterwards", connection.query, "SELECT 1")
    api.note("charset", connection.charset)


@area.scenario
async def binary(api: Api) -> None:
    await api.attempt("connect", api.connect, charset="binary")


@area.scenario
async def columns_in_many_charsets(api: Api) -> None:
    names = (
        "latin1",
        "latin2",
        "cp1251",
        "greek",
        "sjis",
        "gbk",
        "euckr",
        "utf8mb4",
        "ucs2",
        "utf16",
    )
    columns = ", ".join(
        f"c{number} VARCHAR(9) CHARACTER SET {name}" for number, name in enumerate(names)
    )
    table = await api.table(columns)
    cursor = await api.cursor(autocommit=True)
    texts = [TEXTS.get(name, "é日") for name in names]
    await api.attempt(
        "insert",
        cursor.execute,
        f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(texts))})",
        texts,
    )
    await api.execute(cursor, f"SELECT * FROM {table}")
    cursor = await api.cursor(charset="latin1")
    await api.execute(cursor, f"SELECT * FROM {table}")


@area.scenario
async def names_of_columns_and_tables(api: Api) -> None:
    await api.run("CREATE TABLE IF NOT EXISTS `été 日` (`clé 日` INT)", "TRUNCATE `été 日`")
    cursor = await api.cursor(api.aiomysql.DictCursor, autocommit=True)
    await api.execute(cursor, "INSERT INTO `été 日` (`clé 日`) VALUES (%s)", (1,))
    await api.execute(cursor, "SELECT * FROM `été 日`")
    api.note("table", [(field.table_name, field.name) for field in cursor._result.fields])


@area.scenario
async def text_in_use_unicode_false(api: Api) -> None:
    cursor = await api.cursor(use_unicode=False, charset="latin1")
    await api.execute(cursor, "SELECT 'é' AS a")


@area.scenario
async def names_by_statement(api: Api) -> None:
    cursor = await api.cursor()
    await cursor.execute("SET NAMES latin1")
    api.note("charset", cursor.connection.charset)
    await api.execute(cursor, "SELECT 'abc'")


@area.scenario
async def column_bytes_that_are_no_text(api: Api) -> None:
    cursor = await api.cursor()
    await api.execute(cursor, "SELECT CAST(x'ff61' AS CHAR CHARACTER SET latin1) AS a")
    await api.execute(cursor, "SELECT CONVERT(x'e9' USING latin1) AS a")
