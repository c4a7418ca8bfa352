"""Cells of the text protocol become the Python objects that aiomysql's users know."""

from __future__ import annotations

import contextlib
import datetime
import json
import random
from decimal import Decimal, InvalidOperation

import pytest
from aiomysql._native import decode_cell
from pymysql import converters as pymysql_converters
from pymysql.constants import FIELD_TYPE as FT

BINARY = 63
UTF8MB4 = 255

INTEGER_TYPES = [FT.TINY, FT.SHORT, FT.LONG, FT.LONGLONG, FT.INT24, FT.YEAR]
FLOAT_TYPES = [FT.FLOAT, FT.DOUBLE]
DECIMAL_TYPES = [FT.DECIMAL, FT.NEWDECIMAL]
DATETIME_TYPES = [FT.DATETIME, FT.TIMESTAMP]
STRING_TYPES = [
    FT.VARCHAR, FT.VAR_STRING, FT.STRING,
    FT.TINY_BLOB, FT.BLOB, FT.MEDIUM_BLOB, FT.LONG_BLOB,
]  # fmt: skip
VECTOR = 242
EVERY_TYPE = [*range(17), VECTOR, *range(245, 256)]


def cell(type_code, data, *, charset=BINARY, **settings):
    if isinstance(data, str):
        data = data.encode()
    return decode_cell(type_code, charset, 0, data, **settings)


def same(result, expected):
    return type(result) is type(expected) and result == expected


@pytest.mark.parametrize("use_unicode", [True, False])
@pytest.mark.parametrize("type_code", EVERY_TYPE)
def test_null_is_none(type_code, use_unicode):
    assert cell(type_code, None, use_unicode=use_unicode) is None


class TestNumbers:
    @pytest.mark.parametrize("type_code", INTEGER_TYPES)
    @pytest.mark.parametrize("use_unicode", [True, False])
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0", 0),
            ("-1", -1),
            ("00042", 42),
            ("2007", 2007),
            ("9223372036854775807", 2**63 - 1),
            ("-9223372036854775808", -(2**63)),
            ("18446744073709551615", 2**64 - 1),
            ("18446744073709551616", 2**64),
            ("-18446744073709551616", -(2**64)),
            ("0" * 30 + "7", 7),
        ],
    )
    def test_integers(self, type_code, use_unicode, text, expected):
        assert same(cell(type_code, text, use_unicode=use_unicode), expected)

    @pytest.mark.parametrize("text", ["", "abc", "1.5", "-", "+", "1 2"])
    def test_no_integer(self, text):
        with pytest.raises(ValueError, match="invalid literal for int"):
            cell(FT.LONG, text)

    @pytest.mark.parametrize("type_code", FLOAT_TYPES)
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0", 0.0),
            ("-1.5", -1.5),
            ("0.1", 0.1),
            ("3.4028235e38", 3.4028235e38),
            ("1.7976931348623157e308", 1.7976931348623157e308),
            ("2.2250738585072014e-308", 2.2250738585072014e-308),
            ("1e-400", 0.0),
        ],
    )
    def test_floats(self, type_code, text, expected):
        assert same(cell(type_code, text), expected)

    @pytest.mark.parametrize("text", ["", "abc", "1,5"])
    def test_no_float(self, text):
        with pytest.raises(ValueError, match="could not convert string to float"):
            cell(FT.DOUBLE, text)

    @pytest.mark.parametrize("type_code", DECIMAL_TYPES)
    @pytest.mark.parametrize("use_unicode", [True, False])
    @pytest.mark.parametrize("text", ["0", "1.50", "-0.000000001", "9" * 65, "0.00"])
    def test_decimals_keep_their_digits(self, type_code, use_unicode, text):
        result = cell(type_code, text, use_unicode=use_unicode)
        assert same(result, Decimal(text))
        assert str(result) == str(Decimal(text))

    @pytest.mark.parametrize("type_code", [*INTEGER_TYPES, *FLOAT_TYPES, *DECIMAL_TYPES])
    def test_bytes_that_are_no_ascii(self, type_code):
        with pytest.raises(UnicodeDecodeError, match="'ascii' codec"):
            cell(type_code, b"1\xff")


def moment(*fields):
    return datetime.datetime(*fields)


class TestDatesAndTimes:
    @pytest.mark.parametrize("type_code", DATETIME_TYPES)
    @pytest.mark.parametrize("use_unicode", [True, False])
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2007-02-25 23:06:20", moment(2007, 2, 25, 23, 6, 20)),
            ("2007-02-25T23:06:20", moment(2007, 2, 25, 23, 6, 20)),
            ("2007-02-25 23:06:20.1", moment(2007, 2, 25, 23, 6, 20, 100000)),
            ("2007-02-25 23:06:20.12", moment(2007, 2, 25, 23, 6, 20, 120000)),
            ("2007-02-25 23:06:20.123", moment(2007, 2, 25, 23, 6, 20, 123000)),
            ("2007-02-25 23:06:20.1234", moment(2007, 2, 25, 23, 6, 20, 123400)),
            ("2007-02-25 23:06:20.12345", moment(2007, 2, 25, 23, 6, 20, 123450)),
            ("2007-02-25 23:06:20.123456", moment(2007, 2, 25, 23, 6, 20, 123456)),
            ("1000-01-01 00:00:00", moment(1000, 1, 1)),
            ("9999-12-31 23:59:59.999999", datetime.datetime.max),
            ("0001-01-01 00:00:00", datetime.datetime.min),
            # Not in a server's form, and read nevertheless.
            ("7-2-5 3:6:2", moment(7, 2, 5, 3, 6, 2)),
            ("2007-02-25 23:06:20 UTC", moment(2007, 2, 25, 23, 6, 20)),
            ("2007-02-26", datetime.date(2007, 2, 26)),
            # Not to be had as an object.
            ("0000-00-00 00:00:00", "0000-00-00 00:00:00"),
            ("0000-00-00", "0000-00-00"),
            ("2007-00-10 00:00:00", "2007-00-10 00:00:00"),
            ("2007-02-31 23:06:20", "2007-02-31 23:06:20"),
            ("2007-02-31T23:06:20", "2007-02-31T23:06:20"),
            ("2007-02-25 24:00:00", "2007-02-25 24:00:00"),
            ("random crap", "random crap"),
            ("", ""),
        ],
    )
    def test_datetime(self, type_code, use_unicode, text, expected):
        assert same(cell(type_code, text, use_unicode=use_unicode), expected)

    @pytest.mark.parametrize("use_unicode", [True, False])
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2007-02-26", datetime.date(2007, 2, 26)),
            ("2000-02-29", datetime.date(2000, 2, 29)),
            ("9999-12-31", datetime.date.max),
            ("0000-00-00", "0000-00-00"),
            ("2007-02-31", "2007-02-31"),
            ("1900-02-29", "1900-02-29"),
            ("2007-01-00", "2007-01-00"),
            ("2007-02-25 23:06:20", "2007-02-25 23:06:20"),
            ("random crap", "random crap"),
            ("2007-02", "2007-02"),
            ("99999999999999999999-1-1", "99999999999999999999-1-1"),
            ("", ""),
        ],
    )
    def test_date(self, use_unicode, text, expected):
        assert same(cell(FT.DATE, text, use_unicode=use_unicode), expected)

    @pytest.mark.parametrize("use_unicode", [True, False])
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("00:00:00", datetime.timedelta(0)),
            ("25:06:17", datetime.timedelta(hours=25, minutes=6, seconds=17)),
            ("-25:06:17", -datetime.timedelta(hours=25, minutes=6, seconds=17)),
            ("838:59:59", datetime.timedelta(hours=838, minutes=59, seconds=59)),
            (
                "-838:59:59.999999",
                -datetime.timedelta(hours=838, minutes=59, seconds=59, microseconds=999999),
            ),
            ("-00:30:00", -datetime.timedelta(minutes=30)),
            ("00:00:00.1", datetime.timedelta(milliseconds=100)),
            ("-00:00:00.000001", -datetime.timedelta(microseconds=1)),
            ("1000:00:00", "1000:00:00"),
            ("random crap", "random crap"),
            ("", ""),
        ],
    )
    def test_time(self, use_unicode, text, expected):
        assert same(cell(FT.TIME, text, use_unicode=use_unicode), expected)


class TestTextAndBytes:
    @pytest.mark.parametrize("type_code", STRING_TYPES)
    def test_the_collation_tells_text_from_bytes(self, type_code):
        assert same(cell(type_code, "naïve", charset=UTF8MB4), "naïve")
        assert same(cell(type_code, "naïve", charset=BINARY), "naïve".encode())

    @pytest.mark.parametrize("type_code", STRING_TYPES)
    def test_without_unicode_all_is_bytes(self, type_code):
        assert same(cell(type_code, "naïve", charset=UTF8MB4, use_unicode=False), "naïve".encode())

    @pytest.mark.parametrize("type_code", [FT.BIT, FT.GEOMETRY, VECTOR])
    @pytest.mark.parametrize("use_unicode", [True, False])
    def test_always_bytes(self, type_code, use_unicode):
        assert same(cell(type_code, b"\x00\xff\x80", use_unicode=use_unicode), b"\x00\xff\x80")

    def test_vector_is_bytes_whatever_its_collation(self):
        assert same(cell(VECTOR, b"\x00\x00\x80?", charset=UTF8MB4), b"\x00\x00\x80?")

    @pytest.mark.parametrize("charset", [BINARY, UTF8MB4])
    def test_json_is_text_whatever_its_collation(self, charset):
        assert same(cell(FT.JSON, '{"é": 1}', charset=charset), '{"é": 1}')
        assert cell(FT.JSON, '{"é": 1}', charset=charset, use_unicode=False) == '{"é": 1}'.encode()

    @pytest.mark.parametrize(
        "text",
        [
            "", "a", "ab", "x" * 1000, "\x00", "a\x00b", "\x7f\x7f",
            "é", "ÿ", "éé", "a" * 50 + "é", "\x80\x81",
            "Ā", "水", "水と火", "a水", "\uffff\uffff", "é水",
            "🐍", "a🐍é水", "\U0010ffff" * 3, "\U00010000",
        ],
    )  # fmt: skip
    def test_every_width_of_text(self, text):
        result = cell(FT.VAR_STRING, text, charset=UTF8MB4)
        assert same(result, text)
        assert hash(result) == hash(text)
        # CPython keeps each text at its narrowest width, and compares with that in mind.
        # One character alone is shared by the process, and grows when somebody asks for its UTF-8.
        if len(text) != 1:
            assert result.__sizeof__() == text.encode().decode().__sizeof__()
        assert result + "" == text
        assert {text: 1}[result] == 1

    @pytest.mark.parametrize(
        "data",
        [b"\xff", b"a\xff", b"\xc3", b"abc\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"],
    )
    def test_invalid_utf8(self, data):
        with pytest.raises(UnicodeDecodeError) as caught:
            cell(FT.VAR_STRING, data, charset=UTF8MB4)
        with pytest.raises(UnicodeDecodeError) as expected:
            data.decode("utf-8")
        assert caught.value.args == expected.value.args

    @pytest.mark.parametrize(
        ("codec", "text"),
        [
            ("cp1252", "naïve €"), ("cp1252", "plain"), ("latin-1", "ÿ"), ("gbk", "火水a"),
            ("cp932", "表示\\"), ("big5", "功能"), ("koi8_r", "вода"), ("ascii", "plain"),
        ],
    )  # fmt: skip
    def test_other_codecs(self, codec, text):
        assert same(cell(FT.BLOB, text.encode(codec), charset=8, codec=codec), text)

    @pytest.mark.parametrize(("codec", "data"), [("cp1252", b"a\x81"), ("gbk", b"\xff\xff")])
    def test_invalid_in_another_codec(self, codec, data):
        with pytest.raises(UnicodeDecodeError):
            cell(FT.VAR_STRING, data, charset=8, codec=codec)

    def test_unknown_codec(self):
        with pytest.raises(LookupError, match="nonsense"):
            cell(FT.VAR_STRING, b"x", codec="nonsense")


class TestConverters:
    """`conv` is consulted for each result set."""

    @pytest.mark.parametrize("type_code", EVERY_TYPE)
    def test_an_empty_mapping_converts_nothing(self, type_code):
        expected = "12"
        if type_code in (FT.BIT, FT.GEOMETRY, VECTOR, *STRING_TYPES):
            expected = b"12"
        assert same(cell(type_code, "12", converters={}), expected)
        assert same(cell(type_code, "12", converters={}, use_unicode=False), b"12")

    @pytest.mark.parametrize("type_code", EVERY_TYPE)
    def test_a_function_of_the_users(self, type_code):
        seen = []
        mapping = {**pymysql_converters.decoders, type_code: lambda v: seen.append(v) or "made"}
        assert cell(type_code, "12", charset=UTF8MB4, converters=mapping) == "made"
        assert cell(type_code, "12", charset=BINARY, converters=mapping) == "made"
        assert cell(type_code, "12", use_unicode=False, converters=mapping) == "made"
        binary = b"12" if type_code in (FT.BIT, FT.GEOMETRY, *STRING_TYPES) else "12"
        text = "12"
        if type_code == VECTOR:
            binary = text = b"12"
        assert [(type(value), value) for value in seen] == [
            (type(text), text),
            (type(binary), binary),
            (bytes, b"12"),
        ]

    def test_it_never_sees_null(self):
        assert cell(FT.LONG, None, converters={FT.LONG: pytest.fail}) is None

    def test_its_error_is_the_callers(self):
        def convert(value):
            raise KeyError(value)

        with pytest.raises(KeyError, match="12"):
            cell(FT.LONG, "12", converters={FT.LONG: convert})

    def test_an_entry_changed_in_place(self, monkeypatch):
        assert same(cell(FT.NEWDECIMAL, "1.50"), Decimal("1.50"))
        monkeypatch.setitem(pymysql_converters.decoders, FT.NEWDECIMAL, str.upper)
        assert same(cell(FT.NEWDECIMAL, "1.50"), "1.50")
        monkeypatch.delitem(pymysql_converters.decoders, FT.LONG)
        assert same(cell(FT.LONG, "7"), "7")

    def test_the_functions_of_pymysql_elsewhere_in_the_mapping(self):
        through = pymysql_converters.through
        assert same(cell(FT.LONG, "7", converters={FT.LONG: through}), "7")
        assert same(cell(FT.LONG, "7", converters={FT.LONG: None}), "7")
        assert same(cell(FT.NEWDECIMAL, "1.5", converters={FT.NEWDECIMAL: float}), 1.5)
        assert same(cell(FT.TINY, "1", converters={FT.TINY: bool}), True)
        convert_time = pymysql_converters.convert_time
        noon = datetime.time(12, 0, 0)
        assert same(cell(FT.TIME, "12:00:00", converters={FT.TIME: convert_time}), noon)

    def test_numbers_in_text_columns_are_left_to_the_function(self):
        mapping = {FT.VAR_STRING: int}
        assert same(cell(FT.VAR_STRING, "\uff11\uff12", charset=UTF8MB4, converters=mapping), 12)
        assert same(cell(FT.VAR_STRING, b"12", charset=BINARY, converters=mapping), 12)

    def test_any_mapping_with_get(self):
        class Mapping:
            def get(self, key):
                return {FT.LONG: lambda text: [text]}.get(key)

        class Defaulting(dict):
            def __missing__(self, key):
                pytest.fail("upstream asks by get()")

        assert cell(FT.LONG, "7", converters=Mapping()) == ["7"]
        assert cell(FT.DATE, "x", converters=Mapping()) == "x"
        assert cell(FT.LONG, "7", converters=Defaulting()) == "7"


class TestHostileServers:
    """Whatever comes, there is a value or an ordinary exception."""

    @pytest.mark.parametrize("use_unicode", [True, False])
    @pytest.mark.parametrize("type_code", EVERY_TYPE)
    def test_noise(self, type_code, use_unicode):
        source = random.Random(type_code)
        for _ in range(300):
            alphabet = source.choice([bytes(range(256)), b"0123456789-:. T+e_\xff"])
            data = bytes(source.choices(alphabet, k=source.randrange(40)))
            with contextlib.suppress(ValueError, InvalidOperation):
                cell(type_code, data, charset=UTF8MB4, use_unicode=use_unicode)

    @pytest.mark.parametrize("type_code", EVERY_TYPE)
    @pytest.mark.parametrize("data", [b"9" * 100_000, b"-" * 100_000, b"\xc3" * 100_000])
    def test_length(self, type_code, data):
        with contextlib.suppress(ValueError, InvalidOperation):
            cell(type_code, data, charset=UTF8MB4)


class TestJson:
    @pytest.mark.parametrize("use_unicode", [True, False])
    @pytest.mark.parametrize("value", [{"é": [1, 2.5, None]}, [], 1, "text", True, None])
    def test_documents(self, value, use_unicode):
        data = json.dumps(value, ensure_ascii=False)
        result = cell(FT.JSON, data, deserialize_json=True, use_unicode=use_unicode)
        assert same(result, value)

    @pytest.mark.parametrize("data", ["", "{", "nonsense", '{"a": 1} x'])
    def test_what_is_no_json_is_kept(self, data):
        assert same(cell(FT.JSON, data, deserialize_json=True), data)

    def test_null(self):
        assert cell(FT.JSON, None, deserialize_json=True) is None

    def test_only_json_columns(self):
        assert same(cell(FT.BLOB, "[1]", charset=UTF8MB4, deserialize_json=True), "[1]")

    def test_a_converter_comes_first(self):
        mapping = {FT.JSON: lambda text: text.replace("1", "2")}
        assert cell(FT.JSON, "[1]", deserialize_json=True, converters=mapping) == [2]
        mapping = {FT.JSON: lambda _: {"already": "made"}}
        made = cell(FT.JSON, "[1]", deserialize_json=True, converters=mapping)
        assert made == {"already": "made"}

    def test_other_errors_pass(self, monkeypatch):
        def loads(_):
            raise RecursionError

        monkeypatch.setattr(json, "loads", loads)
        with pytest.raises(RecursionError):
            cell(FT.JSON, "[1]", deserialize_json=True)
