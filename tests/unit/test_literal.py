"""Python values as SQL literals. The constants are what aiomysql 0.3.2 with PyMySQL 1.1.2 gives,
except where a test says that it was wrong."""

import collections
import datetime as dt
import decimal
import enum
import re
import subprocess
import sys
import time
import uuid

import pymysql
import pytest
from aiomysql import _native
from hypothesis import example, given
from hypothesis import strategies as st
from pymysql.converters import encoders as pymysql_encoders


def escape(value, *, encoders=pymysql_encoders, codec="utf8", no_backslash=False):
    return _native.escape_value(value, encoders, codec, no_backslash)


def wire(value, *, encoders=pymysql_encoders, codec="utf8", no_backslash=False):
    """The literal as the server gets it."""
    return _native.interpolate("%s", (value,), encoders, codec, no_backslash)


class Text(str):
    def __str__(self):
        return "shown"


class Colour(enum.Enum):
    RED = "r"


class TextColour(str, enum.Enum):
    RED = "r"


class Number(int):
    pass


class Timestamp(dt.datetime):
    pass


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "NULL"),
        (True, "1"),
        (False, "0"),
        (0, "0"),
        (-5, "-5"),
        (2**63 - 1, "9223372036854775807"),
        (-(2**63), "-9223372036854775808"),
        (2**63, "9223372036854775808"),
        (-(10**30), "-1000000000000000000000000000000"),
        (1.0, "1.0e0"),
        (-0.0, "-0.0e0"),
        (0.1, "0.1e0"),
        (1e16, "1e+16"),
        (1e-7, "1e-07"),
        (5e-324, "5e-324"),
        (decimal.Decimal("1.10"), "1.10"),
        (decimal.Decimal("1E+5"), "100000"),
        (decimal.Decimal("-1.5E-10"), "-0.00000000015"),
        (decimal.Decimal("0E-7"), "0.0000000"),
        (decimal.Decimal("-0"), "-0"),
        ("", "''"),
        ("é😀 %s", "'é😀 %s'"),
        ("\0\n\r\x1a\"'\\\t", r"""'\0\n\r\Z\"\'\\""" + "\t'"),
        ("\udcff", "'\udcff'"),
        (b"a'\xff\0", "_binary'a\\'\udcff\\0'"),
        (dt.datetime(2020, 1, 2, 3, 4, 5), "'2020-01-02 03:04:05'"),
        (dt.datetime(1, 1, 1, 0, 0, 0, 42), "'0001-01-01 00:00:00.000042'"),
        (dt.datetime(2020, 1, 2, tzinfo=dt.timezone.utc), "'2020-01-02 00:00:00'"),
        (dt.date(987, 1, 2), "'0987-01-02'"),
        (dt.time(1, 2, 3), "'01:02:03'"),
        (dt.time(1, 2, 3, 4), "'01:02:03.000004'"),
        (dt.timedelta(0), "'00:00:00'"),
        (dt.timedelta(hours=838, minutes=59, seconds=59), "'838:59:59'"),
        (dt.timedelta(microseconds=1), "'00:00:00.000001'"),
        (time.gmtime(0), "'1970-01-01 00:00:00'"),
        ((1, "a'", None), "(1,'a\\'',NULL)"),
        ([b"a", 1.5], "('a',1.5e0)"),
        ({7}, "(7)"),
        (frozenset([7]), "(7)"),
        ([[1, 2], (3,)], "((1,2),(3))"),
        ((), "()"),
        (uuid.UUID(int=1), "'00000000-0000-0000-0000-000000000001'"),
        (Text("content"), "'content'"),
        (Colour.RED, "'Colour.RED'"),
        (TextColour.RED, "'r'"),
        (Number(5), "'5'"),
        (Timestamp(2020, 1, 2), "'2020-01-02 00:00:00'"),
        (collections.OrderedDict(), f"'{collections.OrderedDict()!s}'"),
        (2 + 1j, "'(2+1j)'"),
    ],
    ids=repr,
)
def test_as_upstream(value, expected):
    assert escape(value) == expected
    assert wire(value) == expected.encode("utf8", "surrogateescape")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (bytearray(b"a'\xff"), "_binary'a\\'\udcff'"),
        (memoryview(b"abcd")[::2], "_binary'ac'"),
        ([bytearray(b"a"), memoryview(b"b")], "('a','b')"),
        (dt.timedelta(seconds=-1), "'-00:00:01'"),
        (dt.timedelta(hours=-838, microseconds=-1), "'-838:00:00.000001'"),
        ([Text("content"), TextColour.RED], "('content','r')"),
    ],
    ids=repr,
)
def test_better_than_upstream(value, expected):
    """Upstream sent str() of these, or the wrong time."""
    assert escape(value) == expected


def test_numpy_scalars():
    numpy = pytest.importorskip("numpy")
    assert escape(numpy.int64(5)) == "'5'"
    assert escape(numpy.float64(1.5)) == "'1.5'"
    assert escape(numpy.str_("a'b")) == "'a\\'b'"
    # Upstream sent 'True', which the server reads as 0.
    assert escape([numpy.bool_(True), numpy.bool_(False)]) == "(1,0)"


@pytest.mark.parametrize(
    "value", [float("inf"), float("-inf"), float("nan"), [float("nan")]], ids=repr
)
def test_floats_that_mysql_does_not_know(value):
    number = value[0] if isinstance(value, list) else value
    with pytest.raises(pymysql.err.ProgrammingError) as raised:
        escape(value)
    assert raised.value.args == (f"{number!r} can not be used with MySQL",)


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_decimals_that_mysql_does_not_know(text):
    """Upstream sent them unquoted, as the names of columns."""
    with pytest.raises(pymysql.err.ProgrammingError, match=f"^{text.lower()} can not be used"):
        escape(decimal.Decimal(text))


@pytest.mark.parametrize("value", [{}, {"a": 1}, [{"a": 1}]], ids=repr)
def test_dict_is_refused(value):
    with pytest.raises(TypeError, match=r"^dict can not be used as parameter$"):
        escape(value)


def test_impossible_struct_time():
    with pytest.raises(ValueError, match="second must be in"):
        escape(time.struct_time((2020, 1, 2, 3, 4, 61, 0, 0, 0)))


def test_a_list_that_holds_itself():
    loop = []
    loop.append(loop)
    with pytest.raises(RecursionError):
        escape(loop)
    with pytest.raises(RecursionError):
        wire((loop, loop))


def test_deep_but_finite():
    value = 1
    for _ in range(200):
        value = [value]
    assert escape(value) == "(" * 200 + "1" + ")" * 200


def test_an_error_of_str_is_passed_on():
    class Broken:
        def __str__(self):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        escape(Broken())


def test_surrogates_that_stand_for_no_byte():
    with pytest.raises(UnicodeEncodeError):
        wire("\ud800")
    assert escape("\ud800'") == "'\ud800\\''"


class TestNoBackslashEscapes:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("a'\\\"\n\0", "'a''\\\"\n\0'"),
            # Upstream used backslashes for all of these, which let a quote through.
            (b"a'\\\xff", "_binary'a''\\\udcff'"),
            (["a'", b"'"], "('a''','''')"),
            (range(1), "'range(0, 1)'"),
        ],
        ids=repr,
    )
    def test_quotes_are_doubled(self, value, expected):
        assert escape(value, no_backslash=True) == expected
        wired = wire(value, no_backslash=True)
        assert wired == expected.encode("utf8", "surrogateescape")


class TestEncoders:
    def test_one_for_a_new_type(self):
        class Point:
            pass

        seen = []

        def encode(value, mapping):
            seen.append((value, mapping))
            return "POINT(1,2)"

        encoders = {**pymysql_encoders, Point: encode}
        point = Point()
        assert escape(point, encoders=encoders) == "POINT(1,2)"
        assert seen == [(point, encoders)]
        assert seen[0][1] is encoders
        assert escape([point, 1], encoders=encoders) == "(POINT(1,2),1)"

    def test_one_that_replaces_pymysqls_takes_effect_and_goes_again(self):
        encoders = dict(pymysql_encoders)
        assert escape(5, encoders=encoders) == "5"
        encoders[int] = lambda value, mapping: f"<{value}>"
        assert escape(5, encoders=encoders) == "<5>"
        assert wire(5, encoders=encoders) == b"<5>"
        encoders[int] = pymysql_encoders[int]
        assert escape(5, encoders=encoders) == "5"

    def test_the_global_dictionary(self, monkeypatch):
        monkeypatch.setitem(pymysql_encoders, bool, lambda value, mapping: str(value).upper())
        assert escape(True) == "TRUE"

    def test_str_and_bytes_are_not_asked_for_at_the_top(self):
        encoders = {**pymysql_encoders, str: lambda v, m: "S", bytes: lambda v, m: "B"}
        assert escape("a", encoders=encoders) == "'a'"
        assert escape(b"a", encoders=encoders) == "_binary'a'"
        assert escape(["a", b"a", Text("a"), Colour.RED], encoders=encoders) == "(S,B,S,S)"

    def test_pymysqls_own_for_another_type(self):
        encoders = dict(pymysql_encoders)
        encoders[collections.deque] = pymysql.converters.escape_sequence
        encoders[Number] = pymysql.converters.escape_int
        assert escape(collections.deque([1, b"\xff"]), encoders=encoders) == "(1,'\udcff')"
        assert escape(Number(5), encoders=encoders) == "5"

    def test_a_missing_one_falls_back_to_that_of_str(self):
        encoders = {str: pymysql_encoders[str]}
        assert escape(5, encoders=encoders) == "'5'"
        assert escape(5, encoders={**encoders, int: None}) == "'5'"
        with pytest.raises(TypeError, match=r"^no default type converter defined$"):
            escape(5, encoders={})

    def test_a_result_that_is_no_str(self):
        encoders = {**pymysql_encoders, complex: lambda v, m: 7}
        assert escape(1j, encoders=encoders) == 7
        assert wire(1j, encoders=encoders) == b"7"
        assert _native.interpolate("%5d|", (1j,), encoders, "utf8", False) == b"    7|"

    def test_an_error_is_passed_on(self):
        def encode(value, mapping):
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            wire([1j], encoders={**pymysql_encoders, complex: encode})

    def test_one_that_changes_what_is_being_encoded(self):
        items = [1j, 1, 2]

        def shrink(value, mapping):
            items.clear()
            return "x"

        def grow(value, mapping):
            group.add(len(group))
            return "x"

        group = {1j}
        assert escape(items, encoders={**pymysql_encoders, complex: shrink}) == "(x)"
        with pytest.raises(RuntimeError):
            escape(group, encoders={**pymysql_encoders, complex: grow})

    def test_one_replaced_before_the_import_is_the_users(self):
        program = (
            "from pymysql.converters import encoders\n"
            "encoders[int] = lambda value, mapping: 'mine'\n"
            "encoders[float] = encoders[str]\n"
            "from aiomysql import _native\n"
            "print(_native.escape_value([1, 1.5], encoders, 'utf8', False))\n"
        )
        printed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
        assert printed.stdout.split() == [b"(mine,'1.5')"]


class TestCharacterSets:
    def test_single_bytes(self):
        assert wire("é€'", codec="cp1252") == b"'\xe9\x80\\''"
        assert wire(b"\x81'", codec="cp1252") == b"_binary'\x81\\''"
        assert escape("é€'", codec="cp1252") == "'é€\\''"
        with pytest.raises(UnicodeEncodeError):
            wire("😀", codec="cp1252")

    @pytest.mark.parametrize("codec", ["gbk", "big5", "sjis", "cp932", "gb18030"])
    def test_bytes_are_hexadecimal_where_characters_overlap_ascii(self, codec):
        """Raw, b"\\xbf'" would open the quotes: the server reads 0xbf5c as one character."""
        assert wire(b"\xbf' OR 1 -- ", codec=codec) == b"_binary x'bf27204f522031202d2d20'"
        assert wire([b"\xbf'"], codec=codec) == b"(x'bf27')"
        assert escape(b"\xbf'", codec=codec) == "_binary x'bf27'"

    def test_characters_that_end_in_a_backslash(self):
        assert "誠".encode("gbk") == b"\xd5\x5c"
        assert wire("誠'", codec="gbk") == b"'\xd5\x5c\\''"
        assert escape("誠'", codec="gbk") == "'誠\\''"
        assert wire("表\\", codec="sjis") == b"'\x95\x5c\\\\'"

    @pytest.mark.parametrize("codec", ["sjis", "ujis"])
    def test_the_yen_sign_is_no_way_out(self, codec):
        """Python encodes it as a backslash, which upstream sent before the escaped quote."""
        assert wire("¥'", codec=codec) == b"'\\\\\\''"
        assert wire("あ¥'\\", codec=codec) == b"'" + "あ".encode(codec) + b"\\\\\\'\\\\'"
        assert wire("¥'", codec=codec, no_backslash=True) == b"'\\'''"
        assert escape("¥'", codec=codec).encode(codec) == b"'\\\\\\''"
        assert escape("あ'", codec=codec) == "'あ\\''"

    def test_raw_bytes_in_text_are_refused_where_they_could_swallow_a_backslash(self):
        with pytest.raises(UnicodeEncodeError):
            wire("\udcbf' OR 1 -- ", codec="gbk")
        with pytest.raises(UnicodeEncodeError):
            escape("\udcbf'", codec="gbk")
        assert wire("\udcbf'", codec="euc_kr") == b"'\xbf\\''"


LITERAL = re.compile(rb"'(?:[^'\\]|\\.)*'", re.DOTALL)
LITERAL_DOUBLED = re.compile(rb"'(?:[^']|'')*'", re.DOTALL)
LETTERS = {b"0": b"\0", b"n": b"\n", b"r": b"\r", b"Z": b"\x1a"}


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_text_reads_back(text):
    written = wire(text)
    assert LITERAL.fullmatch(written)
    read = re.sub(rb"\\(.)", lambda m: LETTERS.get(m[1], m[1]), written[1:-1], flags=re.DOTALL)
    assert read == text.encode()
    assert escape(text).encode() == written


@given(st.binary(), st.booleans())
def test_bytes_read_back(data, no_backslash):
    written = wire(data, no_backslash=no_backslash).removeprefix(b"_binary")
    if no_backslash:
        assert LITERAL_DOUBLED.fullmatch(written)
        read = written[1:-1].replace(b"''", b"'")
    else:
        assert LITERAL.fullmatch(written)
        read = re.sub(rb"\\(.)", lambda m: LETTERS.get(m[1], m[1]), written[1:-1], flags=re.DOTALL)
    assert read == data


@example(dt.timedelta.min)
@example(dt.timedelta.max)
@given(st.timedeltas())
def test_timedeltas_read_back(delta):
    sign, hours, minutes, seconds = re.fullmatch(
        r"'(-?)(\d{2,}):(\d\d):(\d\d(?:\.\d{6})?)'", escape(delta)
    ).groups()
    micros = int(decimal.Decimal(seconds) * 1_000_000)
    read = dt.timedelta(hours=int(hours), minutes=int(minutes), microseconds=micros)
    assert (-read if sign else read) == delta


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_written_as_repr_does(number):
    digits = repr(number)
    assert escape(number) == (digits if "e" in digits else f"{digits}e0")


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_are_in_fixed_notation(number):
    assert escape(number) == format(number, "f")
