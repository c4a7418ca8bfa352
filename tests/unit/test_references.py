"""Decoding and encoding keep no reference, and drop none that is not theirs."""

from __future__ import annotations

import datetime as dt
import gc
import sys
from decimal import Decimal
from typing import Any, Callable

import pytest
from aiomysql._native import (
    Field,
    bulk_insert_statements,
    decode_rows,
    describe_fields,
    interpolate,
)
from pymysql.constants import FIELD_TYPE as FT
from pymysql.converters import encoders

BINARY = 63
#: Column types with a value that nothing else holds: none is cached by Python.
CELLS = [
    (FT.LONG, BINARY, b"123456789"),
    (FT.LONGLONG, BINARY, b"18446744073709551616"),
    (FT.DOUBLE, BINARY, b"1.25e10"),
    (FT.NEWDECIMAL, BINARY, b"12345.6789"),
    (FT.VAR_STRING, 255, b"some ascii text"),
    (FT.VAR_STRING, 255, "größer als ASCII".encode()),
    (FT.VAR_STRING, 255, "漢字 and more".encode()),
    (FT.VAR_STRING, 255, "\N{SNOWMAN}\N{PILE OF POO} and more".encode()),
    (FT.BLOB, BINARY, b"\x00\xff bytes"),
    (FT.DATE, BINARY, b"2024-02-29"),
    (FT.DATETIME, BINARY, b"2024-02-29 12:34:56.789"),
    (FT.DATETIME, BINARY, b"0000-00-00 00:00:00"),
    (FT.TIME, BINARY, b"-838:59:59.000001"),
    (FT.YEAR, BINARY, b"2024"),
    (FT.BIT, BINARY, b"\x01\x02\x03"),
    (FT.JSON, 255, b'{"a": [1, 2.5, "x"]}'),
]
FIELDS = [
    Field(f"column_{number}", type_code, charsetnr=charset)
    for number, (type_code, charset, _) in enumerate(CELLS)
]
ROW = [data for _, _, data in CELLS]
#: What Python shares: a reference too many or too few shows in its count, before it is immortal.
SHARED = [None, True, 1, 5, "", "a", b"", b"a", (), Decimal, dt.date]
TIMES = 1000


@pytest.mark.parametrize("use_unicode", [True, False])
@pytest.mark.parametrize("json", [True, False])
def test_a_row_holds_the_only_reference(use_unicode: bool, json: bool) -> None:
    """The tuple's, and that of the call that counts."""
    (row,) = decode_rows(FIELDS, [ROW], use_unicode=use_unicode, deserialize_json=json)
    assert [sys.getrefcount(row[number]) for number in range(len(row))] == [2] * len(row)
    (row,) = decode_rows(
        FIELDS, [ROW], as_dict=True, use_unicode=use_unicode, deserialize_json=json
    )
    assert [sys.getrefcount(row[name]) for name in list(row)] == [2] * len(row)


def decode(**settings: Any) -> Callable[[], Any]:
    return lambda: decode_rows(FIELDS, [ROW] * 3, **settings)


def decode_shared() -> Any:
    fields = [Field("a", FT.LONG, charsetnr=BINARY), Field("b", FT.VAR_STRING, charsetnr=255)]
    rows = [[b"1", b"a"], [b"5", b""], [None, None]]
    return decode_rows(fields, rows), decode_rows(fields, rows, as_dict=True), describe_fields([])


def decode_and_fail() -> None:
    fields = [*FIELDS, Field("bad", FT.LONG, charsetnr=BINARY)]
    for as_dict in (True, False):
        with pytest.raises(ValueError, match="invalid literal"):
            decode_rows(fields, [[*ROW, b"no number"]], as_dict=as_dict)


def converted() -> Any:
    return decode_rows(FIELDS, [ROW], converters={FT.LONG: lambda text: SHARED[3]})


def encode() -> Any:
    values = (None, True, 1, "a", b"a", 1.5, Decimal("1.5"), dt.date(2024, 1, 1), [1, "a"], {"a"})
    query = "SELECT " + ", ".join(["%s"] * len(values))
    return interpolate(query, values, encoders, "utf-8", False)


def encode_named() -> Any:
    return interpolate("SELECT %(a)s, %(b)s", {"a": 1, "b": "a"}, encoders, "cp1252", False)


def encode_and_fail() -> None:
    for wrong in ((1, "a", object()), (1, "a", {}), (1, "a"), {"x": 1}):
        with pytest.raises((TypeError, AttributeError, KeyError)):
            interpolate("SELECT %s, %s, %(b)s %%", wrong, encoders, "utf-8", False)


def insert() -> Any:
    rows = [(1, "a"), (None, b"a")] * 5
    parts = ("INSERT INTO t VALUES ", "(%s, %s)", "")
    return bulk_insert_statements(parts, rows, encoders, "utf-8", False, 64)


@pytest.mark.parametrize(
    "work",
    [
        decode(),
        decode(as_dict=True),
        decode(use_unicode=False),
        decode(deserialize_json=True),
        decode(codec="cp1252", use_unicode=False),
        decode_shared,
        decode_and_fail,
        converted,
        encode,
        encode_named,
        encode_and_fail,
        insert,
    ],
    ids=lambda work: getattr(work, "__qualname__", None),
)
def test_nothing_is_kept(work: Callable[[], Any]) -> None:
    """Neither objects of ours, nor counts of what is shared with everybody."""

    def held() -> list[int]:
        gc.collect()
        return [sys.getallocatedblocks(), *map(sys.getrefcount, SHARED)]

    def growth() -> list[int]:
        before = held()
        for _ in range(TIMES):
            work()
        return [abs(after - count) for count, after in zip(before, held())]

    # What the tests before have left, and Python's own caches, may come and go in one round; a
    # reference for each time shows in every round.
    least = growth()
    for _ in range(4):
        if max(least) < TIMES / 4:
            break
        least = [min(pair) for pair in zip(least, growth())]
    assert max(least) < TIMES / 4, dict(zip(["blocks", *map(repr, SHARED)], least))
