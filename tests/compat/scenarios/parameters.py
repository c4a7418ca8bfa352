"""What Python's values become in a statement."""

from __future__ import annotations

import array
import datetime
import decimal
import enum
import time
import uuid
from collections import OrderedDict, namedtuple
from typing import Any

from tests.compat.recorder import Api, Area

area = Area("parameters")


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 1


class Word(str, enum.Enum):
    YES = "yes"


class Text(str):
    __slots__ = ()


class Number(int):
    pass


class Bytes(bytes):
    pass


class Real(float):
    pass


class Day(datetime.date):
    pass


class Pairs(dict):
    pass


class Spoken:
    def __str__(self) -> str:
        return "it's spoken"


Point = namedtuple("Point", "x y")
ZONE = datetime.timezone(datetime.timedelta(hours=2))


def literal(name: str, value: Any) -> None:
    """A scenario: the value's literal, and what the server makes of it."""

    async def work(api: Api) -> None:
        connection = await api.connect()
        api.call("escape", connection.escape, value)
        api.call("literal", connection.literal, value)
        cursor = await connection.cursor()
        api.call("mogrify", cursor.mogrify, "SELECT %s", (value,))
        await api.attempt("execute", cursor.execute, "SELECT %s", (value,))
        await api.attempt("fetchall", cursor.fetchall)

    area.add(f"literal of {name}", work)


literal("None", None)
literal("True", True)
literal("a small int", 42)
literal("a negative int", -1)
literal("a large int", 2**70)
literal("a float", 1.5)
literal("a whole float", 1.0)
literal("a tiny float", 1e-7)
literal("a large float", 1e22)
literal("an inexact float", 0.1 + 0.2)
literal("negative zero", -0.0)
literal("infinity", float("inf"))
literal("minus infinity", float("-inf"))
literal("not a number", float("nan"))
literal("a Decimal", decimal.Decimal("1.50"))
literal("a Decimal with an exponent", decimal.Decimal("1E+5"))
literal("a small Decimal", decimal.Decimal("1E-10"))
literal("a Decimal that is no number", decimal.Decimal("NaN"))
literal("an empty str", "")
literal("a str", "plain")
literal("quotes", 'it\'s "quoted" `so`')
literal("control characters", "\0\b\t\n\r\x1a\\")
literal("percent signs", "100% %s %(a)s %%")
literal("text beyond ASCII", "é日😀")
literal("a semicolon and a comment", "; -- /* x */ #")
literal("empty bytes", b"")
literal("bytes", b"bytes")
literal("all bytes", bytes(range(256)))
literal("bytes that look like UTF-8", "é".encode())
literal("a bytearray", bytearray(b"ab"))
literal("a memoryview", memoryview(b"ab"))
literal("a date", datetime.date(2024, 2, 29))
literal("the first date", datetime.date.min)
literal("a datetime", datetime.datetime(2024, 2, 29, 1, 2, 3))
literal("a datetime with microseconds", datetime.datetime(2024, 2, 29, 1, 2, 3, 45))
literal("a datetime with a zone", datetime.datetime(2024, 2, 29, 1, 2, 3, tzinfo=ZONE))
literal("a time", datetime.time(1, 2, 3))
literal("a time with microseconds", datetime.time(1, 2, 3, 45))
literal("a timedelta", datetime.timedelta(hours=1, minutes=2, seconds=3))
literal("a timedelta of days", datetime.timedelta(days=2, microseconds=5))
literal("a negative timedelta", datetime.timedelta(seconds=-1))
literal("a timedelta of zero", datetime.timedelta(0))
literal("a struct_time", time.struct_time((2024, 2, 29, 1, 2, 3, 3, 60, 0)))
literal("a tuple", (1, "a", None))
literal("a list", [1, 2])
literal("an empty tuple", ())
literal("an empty list", [])
literal("a set", {7})
literal("a frozenset", frozenset({7}))
literal("a nested tuple", ((1, 2), (3, 4)))
literal("bytes in a tuple", (b"a", "b"))
literal("a namedtuple", Point(1, 2))
literal("a dict", {"a": 1})
literal("a dict's subclass", Pairs(a=1))
literal("an OrderedDict", OrderedDict(a=1))
literal("an Enum", Colour.RED)
literal("an IntEnum", Level.LOW)
literal("a str Enum", Word.YES)
literal("a str's subclass", Text("sub's"))
literal("an int's subclass", Number(5))
literal("a float's subclass", Real(1.5))
literal("a bytes' subclass", Bytes(b"x"))
literal("subclasses of bytes in a list", [Bytes(b"x")])
literal("a str Enum in a list", [Word.YES])
literal("a date's subclass", Day(2024, 1, 1))
literal("a UUID", uuid.UUID(int=5))
literal("an object with __str__", Spoken())
literal("a range", range(3))
literal("an array", array.array("i", [1, 2]))
literal("a complex number", 1 + 2j)
literal("a class", Spoken)
literal("Ellipsis", ...)
literal("an exception", ValueError("x"))
literal("a lone surrogate", "\udcff")


def statement(name: str, query: Any, *arguments: Any) -> None:
    """A scenario: how a statement and its arguments come together."""

    async def work(api: Api) -> None:
        cursor = await api.cursor()
        for args in arguments:
            api.call(f"mogrify {args!r}", cursor.mogrify, query, args)
            await api.attempt(f"execute {args!r}", cursor.execute, query, args)
            api.note("_executed", cursor._executed)
            await api.attempt("fetchall", cursor.fetchall)

    area.add(name, work)


statement("no arguments", "SELECT 1", None, (), [], {})
statement("a percent sign without arguments", "SELECT '100%'", None)
statement("two percent signs without arguments", "SELECT '100%%'", None)
statement("two percent signs with arguments", "SELECT '100%%', %s", (1,))
statement("two percent signs with no arguments", "SELECT '100%%'", (), {}, [])
statement("a LIKE pattern", "SELECT 'abc' LIKE 'a%%', %s", ("x",))
statement("a percent sign with arguments", "SELECT '100%', %s", (1,))
statement("a percent sign at the end", "SELECT %s LIKE 'a%", ("a",))
statement("a single value", "SELECT %s", 1, "text", None, b"x", 1.5, datetime.date(2024, 1, 1))
statement("a single falsy value", "SELECT %s", 0, "", False, 0.0)
statement("a tuple", "SELECT %s, %s", (1, "a"))
statement("a list", "SELECT %s, %s", [1, "a"])
statement("a dict", "SELECT %(a)s, %(b)s, %(a)s", {"a": 1, "b": "x"})
statement("a dict with more than is used", "SELECT %(a)s", {"a": 1, "b": 2})
statement("a missing key", "SELECT %(a)s, %(c)s", {"a": 1})
statement("a dict's subclass with a default", "SELECT %(a)s", Pairs(a=1))
statement("a dict for positions", "SELECT %s", {"a": 1})
statement("a tuple for names", "SELECT %(a)s", (1,))
statement("too few arguments", "SELECT %s, %s", (1,))
statement("too many arguments", "SELECT %s", (1, 2))
statement("arguments for no placeholder", "SELECT 1", (1,), 1, {"a": 1})
statement("numbers' conversions", "SELECT %d", (1,), 1)
statement("floats' conversions", "SELECT %f", (1.5,))
statement("repr's conversion", "SELECT %r", (1,), ("a",))
statement("a width", "SELECT %5s, %-5s", (1, 2))
statement("a precision", "SELECT %.1s", ("abc",))
statement("a star", "SELECT %*s", (5, 1))
statement("an unknown conversion", "SELECT %y", (1,))
statement("a conversion without a type", "SELECT %", (1,))
statement("an unclosed name", "SELECT %(a", {"a": 1})
statement("names and positions", "SELECT %(a)s, %s", {"a": 1})
statement("placeholders in quotes", "SELECT '%s', \"%s\"", (1, 2))
statement("placeholders in a comment", "SELECT 1 /* %s */, %s", (1, 2))
statement("a sequence for IN", "SELECT 2 IN %s", ([1, 2],), ((3,),))
statement("an empty sequence for IN", "SELECT 2 IN %s", ([],))
statement("a set as arguments", "SELECT %s", {1})
statement("a namedtuple as arguments", "SELECT %s, %s", Point(1, 2))
statement("an OrderedDict as arguments", "SELECT %(a)s", OrderedDict(a=1))
statement("a name with spaces", "SELECT %(a b)s", {"a b": 1})
statement("a name with brackets", "SELECT %(a(b))s", {"a(b)": 1})
statement("a number for a name", "SELECT %(1)s", {"1": 1}, {1: 1})
statement("a statement as bytes", b"SELECT 'x'", None)
statement("a statement as bytes with arguments", b"SELECT %s", (1,), {"a": 1})
statement("a statement as a bytearray", bytearray(b"SELECT 1"), None)
statement("a statement that is no text", 5, None, (1,))
statement("a statement that is None", None, None)
statement("a str's subclass as a statement", Text("SELECT %s"), (1,))
statement("an empty statement", "", None, ())
statement("spaces", "  ", None)
statement("a comment", "-- nothing", None)
statement("a semicolon", ";", None)
statement("a statement that ends in a semicolon", "SELECT 1;", None)
statement("NUL in a statement", "SELECT 'a\0b'", None)
statement("text beyond ASCII in a statement", "SELECT 'é日😀', %s", ("é日😀",))
statement("a lone surrogate in a statement", "SELECT HEX('\udcff')", None)


def mode(name: str, sql_mode: str, *values: Any) -> None:
    async def work(api: Api) -> None:
        connection = await api.connect(sql_mode=f"'{sql_mode}'")
        cursor = await connection.cursor()
        for value in values:
            api.call(f"escape {value!r}", connection.escape, value)
            api.call(f"escape_string {value!r}", connection.escape_string, value)
            await api.attempt(f"execute {value!r}", cursor.execute, "SELECT %s", (value,))
            await api.attempt("fetchall", cursor.fetchall)

    area.add(name, work)


mode("NO_BACKSLASH_ESCAPES", "NO_BACKSLASH_ESCAPES", "a\\b", "it's", '"x"', "\n\0", "\\'")
mode("NO_BACKSLASH_ESCAPES and bytes", "NO_BACKSLASH_ESCAPES", b"a\\b", b"it's", b"\0'\\")
mode("NO_BACKSLASH_ESCAPES and sequences", "NO_BACKSLASH_ESCAPES", ["a\\", "'"], {"\\"})
mode("ANSI_QUOTES", "ANSI_QUOTES", "it's", '"x"')
mode("ANSI", "ANSI", "a\\b", 1)


@area.scenario
async def the_mode_changes_later(api: Api) -> None:
    connection = await api.connect()
    cursor = await connection.cursor()
    for sql_mode in ("NO_BACKSLASH_ESCAPES", ""):
        await api.attempt(sql_mode, cursor.execute, f"SET sql_mode = '{sql_mode}'")
        api.call("escape", connection.escape, "a\\'b")
        await api.attempt("execute", cursor.execute, "SELECT %s", ("a\\'b",))
        await api.attempt("fetchall", cursor.fetchall)


@area.scenario
async def escaping_on_a_closed_connection(api: Api) -> None:
    connection = await api.connect()
    connection.close()
    for value in ("it's", 1, b"x", None, [1], {"a": 1}):
        api.call(f"escape {value!r}", connection.escape, value)
        api.call(f"literal {value!r}", connection.literal, value)
    api.call("escape_string", connection.escape_string, "it's")


@area.scenario
async def encoders_of_ones_own(api: Api) -> None:
    from pymysql.converters import encoders

    connection = await api.connect()
    cursor = await connection.cursor()
    api.note("the dictionary", connection.encoders is encoders)
    connection.encoders = {**encoders, Spoken: lambda value, mapping=None: "'heard'"}
    api.call("escape", connection.escape, Spoken())
    api.call("in a list", connection.escape, [Spoken()])
    await api.attempt("execute", cursor.execute, "SELECT %s", (Spoken(),))
    await api.attempt("fetchall", cursor.fetchall)
    connection.encoders = {**encoders, int: lambda value, mapping=None: str(value + 1)}
    api.call("escape", connection.escape, 1)
    await api.attempt("execute", cursor.execute, "SELECT %s", (1,))
    await api.attempt("fetchall", cursor.fetchall)


@area.scenario
async def escape_with_a_mapping(api: Api) -> None:
    connection = await api.connect()
    api.call("escape dict", connection.escape, {"a": 1, "b": "it's"})
    api.call("module escape_dict", api.aiomysql.escape_dict, {"a": "it's"}, "utf8")
    api.call("module escape_sequence", api.aiomysql.escape_sequence, ["it's", 1], "utf8")
    api.call("module escape_string", api.aiomysql.escape_string, "it's\n")
