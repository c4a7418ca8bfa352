"""What the server's types become, as literals and as columns, and their descriptions."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from tests.compat.recorder import Api, Area

area = Area("types")

area.statements(
    "SELECT 1",
    "SELECT -1, 9223372036854775807, 18446744073709551615",
    "SELECT 18446744073709551616",
    "SELECT 1 = 1, 1 = 2, NOT NULL",
    "SELECT NULL",
    "SELECT 1.5, -0.0, 0.10",
    "SELECT 1e0, 1.5e300, -2.5e-10, 1e17, 123456789.125e0",
    "SELECT CAST(1.25 AS DECIMAL(10, 4)), CAST(-1 AS DECIMAL(65, 30))",
    "SELECT 10 / 4, 10 DIV 4, 10 % 4, 1 / 3",
    "SELECT SUM(n), AVG(n), COUNT(*), MAX(n) FROM (SELECT 1 AS n UNION SELECT 2) AS t",
    "SELECT CAST(7 AS UNSIGNED), CAST(-7 AS SIGNED)",
    "SELECT CAST(1.5 AS FLOAT), CAST(0.1 AS DOUBLE)",
    "SELECT PI(), SQRT(2), EXP(1), LOG(10), RADIANS(180)",
    "SELECT CAST('2024-02-29' AS DATE)",
    "SELECT CAST('2024-02-29 23:59:59' AS DATETIME)",
    "SELECT CAST('2024-02-29 23:59:59.123456' AS DATETIME(6))",
    "SELECT CAST('2024-02-29 23:59:59.1' AS DATETIME(3))",
    "SELECT CAST('12:34:56' AS TIME), CAST('-12:34:56.5' AS TIME(1))",
    "SELECT CAST('838:59:59' AS TIME), CAST('-838:59:59' AS TIME)",
    "SELECT CAST('-00:00:01' AS TIME), CAST('00:00:00.000001' AS TIME(6))",
    "SELECT MAKEDATE(2024, 60), LAST_DAY('2024-02-01')",
    "SELECT DATE_ADD('2024-01-31', INTERVAL 1 MONTH)",
    "SELECT TIMESTAMP('2024-01-01', '12:00:00')",
    "SELECT DATE_FORMAT('2024-01-01', '%Y / %m')",
    "SELECT TIMEDIFF('12:00:00', '13:00:01')",
    "SELECT UNIX_TIMESTAMP('1970-01-02 00:00:00') - UNIX_TIMESTAMP('1970-01-01 00:00:00')",
    "SELECT FROM_UNIXTIME(0) - INTERVAL 0 SECOND IS NULL",
    "SELECT YEAR('2024-01-01'), MONTH('2024-02-01'), WEEK('2024-01-01')",
    "SELECT 'text', \"quoted\", N'national', _utf8mb4'introduced'",
    "SELECT '', ' ', 'a''b', 'back\\\\slash', 'line\\nfeed'",
    "SELECT _binary'bytes', x'00FF', b'1010', 0x41",
    "SELECT CAST('x' AS BINARY), CAST('x' AS BINARY(4)), CAST('abc' AS CHAR(2))",
    "SELECT HEX('abc'), UNHEX('616263'), TO_BASE64('abc'), FROM_BASE64('YWJj')",
    "SELECT MD5('a'), SHA1('a'), CRC32('a')",
    "SELECT CONCAT('a', 1), CONCAT('a', _binary'b'), CONCAT_WS(',', 'a', NULL, 'b')",
    "SELECT CHAR(65), CHAR(65 USING utf8mb4), ASCII('A'), ORD('é')",
    "SELECT '日本語', '😀', 'é', 'ß', 'İ'",
    "SELECT LENGTH('日本語'), CHAR_LENGTH('日本語'), REVERSE('añb')",
    "SELECT REPEAT('x', 300), REPEAT('é', 300)",
    "SELECT GROUP_CONCAT(n ORDER BY n) FROM (SELECT 1 AS n UNION SELECT 2) AS t",
    "SELECT JSON_OBJECT('a', 1, 'b', JSON_ARRAY(1, 'x', NULL))",
    "SELECT JSON_EXTRACT('{\"a\": [1, 2]}', '$.a[1]'), JSON_UNQUOTE('\"x\"')",
    "SELECT IF(1, 'a', 2), IFNULL(NULL, 1), COALESCE(NULL, 'x'), NULLIF(1, 1)",
    "SELECT CASE WHEN 1 THEN 1.5 ELSE 'x' END, GREATEST(1, 2.5), LEAST('a', 'b')",
    "SELECT INET_ATON('127.0.0.1'), INET_NTOA(2130706433), INET6_ATON('::1')",
    "SELECT ST_AsText(ST_GeomFromText('POINT(1 2)')), ST_GeomFromText('POINT(1 2)')",
    "SELECT BIT_COUNT(7), 5 & 3, 5 | 3, ~0, 1 << 40",
    "SELECT @undefined, @a := 1",
    "SELECT 1 AS a, 2 AS b, 3 AS `with space`, 4 AS ``",
    "SELECT 1 AS a, 2 AS a",
    "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT NULL",
    "SELECT 1 FROM DUAL WHERE 1 = 0",
    "SELECT NULL FROM DUAL WHERE 1 = 0",
    "SELECT 1 UNION SELECT 'x'",
    "SELECT 1.5 UNION SELECT 2 UNION SELECT 2.25",
    "VALUES ROW(1, 'a'), ROW(2, 'b')",
    "SHOW VARIABLES LIKE 'autocommit'",
    "SHOW TABLES",
    "SHOW COLLATION LIKE 'utf8mb4_bin'",
    "EXPLAIN SELECT 1",
    "DO 1",
    "SET @x = 1",
    "SELECT SLEEP(0)",
)


def column(kind: str, *values: Any, name: str = "", vendor: str = "") -> None:
    """A scenario: values go into a column of this type and come back through two cursors."""

    async def work(api: Api) -> None:
        if vendor not in ("", api.vendor):
            return
        table = await api.table(f"id INT AUTO_INCREMENT PRIMARY KEY, c {kind}")
        connection = await api.connect(autocommit=True)
        cursor = await connection.cursor()
        for value in (None, *values):
            sql = f"INSERT INTO {table} (c) VALUES (%s)"
            await api.attempt(f"insert {value!r}", cursor.execute, sql, (value,))
        await api.execute(cursor, f"SELECT c FROM {table} ORDER BY id")
        cursor = await connection.cursor(api.aiomysql.DictCursor)
        await api.execute(cursor, f"SELECT c, c AS again FROM {table} ORDER BY id LIMIT 2")
        await api.execute(cursor, f"SELECT MIN(c), MAX(c) FROM {table}")

    area.add(f"column {name or kind}", work)


column("TINYINT", -128, 127, 128, True)
column("TINYINT UNSIGNED", 0, 255, -1)
column("TINYINT(1)", True, False, 5)
column("SMALLINT", -32768, 32767, "12")
column("SMALLINT UNSIGNED", 65535)
column("MEDIUMINT", -8388608, 8388607)
column("INT", -2147483648, 2147483647, 1.5, "x")
column("INT UNSIGNED", 4294967295)
column("INT(8) ZEROFILL", 42)
column("BIGINT", -(2**63), 2**63 - 1, 2**63)
column("BIGINT UNSIGNED", 2**64 - 1)
column("BOOLEAN", True, False)
column("BIT(1)", 0, 1)
column("BIT(10)", 1023, b"\x01\x02")
column("BIT(64)", 2**64 - 1, 0)
column("FLOAT", 1.5, -0.1, 3.4028234e38, 1e-40, 16777217)
column("DOUBLE", 1.5, -0.1, 1.7976931348623157e308, 5e-324, 1 / 3)
column("DOUBLE(10,2)", 1.005)
column("DECIMAL(10,2)", Decimal("1.10"), Decimal("-99999999.99"), "1.555", 7)
column("DECIMAL(65,30)", Decimal(1) / Decimal(3), Decimal("1E+10"), Decimal("-0.0"))
column("DECIMAL(10,0)", Decimal("12345"))
column("DECIMAL(6,2) UNSIGNED", Decimal("0.01"), Decimal("-1"))
column("DATE", datetime.date(2024, 2, 29), "1000-01-01", "9999-12-31", "0000-00-00", "2024-02-30")
column("DATETIME", datetime.datetime(2024, 2, 29, 23, 59, 58), "2024-01-01", "not a date")
column("DATETIME(3)", datetime.datetime(2024, 2, 29, 23, 59, 58, 123456))
column("DATETIME(6)", datetime.datetime(2024, 2, 29, 23, 59, 58, 123456), "0001-01-01 00:00:00.1")
column("TIMESTAMP NULL", datetime.datetime(2024, 2, 29, 23, 59, 58), "2038-01-19 03:14:07")
column("TIMESTAMP(6) NULL", datetime.datetime(2024, 2, 29, 23, 59, 58, 1))
column("TIME", datetime.timedelta(hours=1), datetime.time(1, 2, 3), "838:59:59", "-12:00:00")
column("TIME(6)", datetime.timedelta(microseconds=1), datetime.time(1, 2, 3, 4), "-00:00:00.5")
column("YEAR", 2024, 1901, 2155, 0, 99)
column("CHAR(5)", "ab", "ab   ", "日本", "toolong")
column("CHAR(0)", "")
column("VARCHAR(20)", "", "text", "😀", "a'b\"c\\d%_")
column("VARCHAR(20) CHARACTER SET latin1", "é", "ÿ", "€")
column("VARCHAR(20) CHARACTER SET ascii", "plain")
column("VARCHAR(20) CHARACTER SET utf8mb3", "é日", "😀")
column("VARCHAR(20) CHARACTER SET utf16", "é日")
column("VARCHAR(20) COLLATE utf8mb4_bin", "é")
column("BINARY(4)", b"ab", b"\x00\xff\x00\xff")
column("VARBINARY(20)", b"", b"\x00'\"\\\n\r\x1a", b"\xff\xfe")
column("TINYTEXT", "text")
column("TEXT", "text", "x" * 1000, "日" * 1000)
column("MEDIUMTEXT", "y" * 70000)
column("LONGTEXT", "z")
column("TINYBLOB", b"\x00")
column("BLOB", bytes(range(256)), "text")
column("MEDIUMBLOB", b"\xfe" * 70000)
column("LONGBLOB", b"")
column("ENUM('a','b','é')", "a", "é", "c", 2)
column("SET('a','b','c')", "a", "a,c", "", "d")
column("JSON", '{"a": 1}', "[1, 2.5, null]", '"text"', "not json", "1")
column("POINT", name="POINT")
column("GEOMETRY", name="GEOMETRY")
column("INET6", "::1", "127.0.0.1", vendor="mariadb")
column("UUID", "123e4567-e89b-12d3-a456-426655440000", vendor="mariadb")
column("INT INVISIBLE", 1)
column("INT GENERATED ALWAYS AS (id + 1) VIRTUAL", 1)
column("INT NOT NULL DEFAULT 7", 8)


@area.scenario
async def a_geometry_comes_as_bytes(api: Api) -> None:
    table = await api.table("g GEOMETRY, p POINT NOT NULL")
    cursor = await api.cursor(autocommit=True)
    await api.execute(
        cursor,
        f"INSERT INTO {table} VALUES (ST_GeomFromText('LINESTRING(0 0,1 1)'), POINT(1, 2))",
    )
    await api.execute(cursor, f"SELECT g, p, ST_AsText(p), ST_X(p) FROM {table}")


@area.scenario
async def zero_dates_stay_text(api: Api) -> None:
    table = await api.table("d DATE, dt DATETIME, ts TIMESTAMP NULL, y YEAR")
    cursor = await api.cursor(autocommit=True, sql_mode="'ALLOW_INVALID_DATES'")
    await api.execute(
        cursor,
        f"INSERT INTO {table} VALUES ('0000-00-00', '0000-00-00 00:00:00', NULL, 0),"
        "('2024-02-31', '2024-02-31 10:00:00', NULL, 1999),"
        "('2024-00-00', '2024-01-00 00:00:01', NULL, 2000)",
    )
    await api.execute(cursor, f"SELECT * FROM {table}")


@area.scenario
async def the_description_knows_nullability_and_keys(api: Api) -> None:
    table = await api.table(
        "id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, a VARCHAR(10) NOT NULL UNIQUE,"
        "b TEXT, c DECIMAL(12,4) NOT NULL, d DOUBLE(8,3), e DATETIME(3) NOT NULL, f BIT(9)"
    )
    cursor = await api.cursor()
    await api.execute(cursor, f"SELECT * FROM {table}")
    await api.execute(
        cursor, f"SELECT a AS alias, COUNT(*), b + 1, NOW() FROM {table} GROUP BY a, b"
    )
    await api.execute(cursor, f"DESCRIBE {table}")


@area.scenario
async def text_as_bytes(api: Api) -> None:
    for sql in (
        "SELECT 'é', 1, NULL, _binary'x'",
        "SELECT CAST('2024-01-01' AS DATE), CAST('1:00:00' AS TIME), 1.5e0",
        "SELECT JSON_OBJECT('a', 1)",
    ):
        await api.execute(await api.cursor(use_unicode=False), sql)


@area.scenario
async def decimals_as_bytes(api: Api) -> None:
    await api.execute(await api.cursor(use_unicode=False), "SELECT 1.5")


@area.scenario
async def nothing_is_converted(api: Api) -> None:
    for sql in (
        "SELECT 1, 1.5, 1e0, 'é', NULL, _binary'x', b'1'",
        "SELECT CAST('2024-01-01' AS DATE), CAST('1:00:00' AS TIME), JSON_OBJECT('a', 1)",
    ):
        await api.execute(await api.cursor(conv={}), sql)


@area.scenario
async def converters_of_ones_own(api: Api) -> None:
    from pymysql.constants import FIELD_TYPE
    from pymysql.converters import conversions, decoders

    sql = "SELECT 1, 1.5, 1e0, 'é', _binary'b', CAST('2024-01-01' AS DATE), NULL"
    for number, conv in enumerate(
        (
            {FIELD_TYPE.LONGLONG: lambda text: f"<{text!r}>", FIELD_TYPE.LONG: float},
            {**decoders, FIELD_TYPE.NEWDECIMAL: float},
            {**decoders, FIELD_TYPE.DATE: str},
            {**decoders, FIELD_TYPE.VAR_STRING: lambda text: (type(text), text)},
            {**conversions, FIELD_TYPE.DOUBLE: Decimal},
            {FIELD_TYPE.VAR_STRING: None, FIELD_TYPE.DATE: None},
        )
    ):
        cursor = await api.cursor(conv=conv)
        await api.attempt(f"execute {number}", cursor.execute, sql)
        await api.attempt(f"rows {number}", cursor.fetchall)
