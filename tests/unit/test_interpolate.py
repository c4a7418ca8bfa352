"""`query % args`, with each argument as a literal."""

import collections
import enum

import pytest
from aiomysql import _native
from hypothesis import given
from hypothesis import strategies as st
from pymysql.converters import encoders


def interpolate(query, args, *, codec="utf8", encoders=encoders):
    return _native.interpolate(query, args, encoders, codec, False)


class Row(tuple):
    pass


class Query(str):
    pass


class Default(dict):
    def __missing__(self, key):
        return "made up"


Pair = collections.namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    ("query", "args", "expected"),
    [
        ("a", (), b"a"),
        ("a", {}, b"a"),
        ("a%%b", (), b"a%b"),
        ("%s", (1,), b"1"),
        ("a %s b %s", (1, "x'"), b"a 1 b 'x\\''"),
        ("a %s b %s", [1, None], b"a 1 b NULL"),
        ("%s", 5, b"5"),
        ("%s", "x", b"'x'"),
        ("%s", b"\xff\xc3\xa9", b"_binary'\xff\xc3\xa9'"),
        ("%s", {1}, b"(1)"),
        ("%s", ([1, 2],), b"(1,2)"),
        ("%s%%%s", (1, 2), b"1%2"),
        ("%%s%%%%", (), b"%s%%"),
        ("'%%%s'", (1,), b"'%1'"),
        ("%s", ("%s %% %(a)s",), b"'%s %% %(a)s'"),
        ("%(a)s %(b)s %(a)s", {"a": 1, "b": "x"}, b"1 'x' 1"),
        ("%()s %( a b )s", {"": 1, " a b ": 2}, b"1 2"),
        ("%(a)s", {"a": "%(a)s", "unused": 1}, b"'%(a)s'"),
        ("é %s", ("é",), "é 'é'".encode()),
        ("\udcff%s", ("\udcfe",), b"\xff'\xfe'"),
        # Python's own %.
        ("%5s|%-5s|", (1, "a"), b"    1|'a'  |"),
        ("%.2s", ("abc",), b"'a"),
        ("%r", ("a",), b"\"'a'\""),
        ("%(a(b))s", {"a(b)": 1}, b"1"),
        ("%(a)5s", {"a": 1}, b"    1"),
        ("%s", {"a": 1}, b"{'a': '1'}"),
        ("%s %s", Row((1, 2)), b"1 2"),
        ("%s %s", Pair(1, 2), b"1 2"),
        ("%(a)s", collections.OrderedDict(a=1), b"1"),
        (Query("%s"), (1,), b"1"),
        (b"a", (), b"a"),
        (b"%%", (), b"%"),
        (bytearray(b"a"), (), b"a"),
    ],
    ids=repr,
)
def test_as_upstream(query, args, expected):
    assert interpolate(query, args) == expected


@pytest.mark.parametrize(
    ("query", "args", "error", "text"),
    [
        ("%s%s", (1,), TypeError, "not enough arguments for format string"),
        ("%s%s", 1, TypeError, "not enough arguments for format string"),
        ("%s", (), TypeError, "not enough arguments for format string"),
        ("%s", (1, 2), TypeError, "not all arguments converted during string formatting"),
        ("a", 1, TypeError, "not all arguments converted during string formatting"),
        ("%%s", [1], TypeError, "not all arguments converted during string formatting"),
        ("%(a)s", {}, KeyError, "'a'"),
        ("%(a)s", Default(), KeyError, "'a'"),
        ("%(a)s", collections.defaultdict(int), KeyError, "'a'"),
        ("%(a)s", (1,), TypeError, "format requires a mapping"),
        ("%(a)s", collections.ChainMap({"a": 1}), TypeError, "format requires a mapping"),
        ("%(a", {"a": 1}, ValueError, "incomplete format key"),
        ("100%", (), ValueError, "incomplete format"),
        ("%y", (1,), ValueError, "unsupported format character 'y' (0x79) at index 1"),
        ("%s", ({},), TypeError, "dict can not be used as parameter"),
    ],
    ids=repr,
)
def test_errors_are_pythons(query, args, error, text):
    with pytest.raises(error) as raised:
        interpolate(query, args)
    assert str(raised.value) == text


def test_integers_are_no_numbers_once_escaped():
    # Python 3.9 leaves out the "real".
    with pytest.raises(TypeError, match=r"^%d format: a (real )?number is required, not str$"):
        interpolate("%d", (1,))


@pytest.mark.parametrize("query", [b"%s", 5, None], ids=repr)
def test_a_query_that_is_no_text(query):
    with pytest.raises(TypeError):
        interpolate(query, (1,))


def test_a_query_with_its_own_percent():
    class Own:
        def __mod__(self, args):
            return f"own {args}"

    class Wrong:
        def __mod__(self, args):
            return 5

    assert interpolate(Own(), (1,)) == b"own ('1',)"
    with pytest.raises(TypeError, match="must be str or bytes, not int"):
        interpolate(Wrong(), (1,))


def test_character_sets():
    assert interpolate("é %s %%", ("é'",), codec="cp1252") == b"\xe9 '\xe9\\'' %"
    assert interpolate("誠 %5s", ("誠",), codec="gbk") == b"\xd5\\   '\xd5\\'"
    assert interpolate("%9s", ("¥'",), codec="sjis").strip() == b"'\\\\\\''"


def test_a_list_that_an_encoder_shortens():
    class Shrink(enum.Enum):
        NOW = 1

    args = [Shrink.NOW, 1, 2]

    def shrink(value, mapping):
        args.clear()
        return "x"

    with pytest.raises(TypeError, match="not enough arguments"):
        interpolate("%s %s %s", args, encoders={**encoders, Shrink: shrink})


def test_encoders_are_not_asked_twice_where_only_python_can_format():
    calls = []

    def encode(value, mapping):
        calls.append(value)
        return "x"

    assert interpolate("%5s", (1j,), encoders={**encoders, complex: encode}) == b"    x"
    assert calls == [1j]


def by_python(query, args):
    def escape(value):
        return _native.escape_value(value, encoders, "utf8", False)

    try:
        if isinstance(args, tuple):
            return (query % tuple(map(escape, args))).encode()
        if isinstance(args, dict):
            return (query % {key: escape(value) for key, value in args.items()}).encode()
        return (query % escape(args)).encode()
    except (TypeError, ValueError, KeyError) as error:
        return repr(error)


def by_us(query, args):
    try:
        return interpolate(query, args)
    except (TypeError, ValueError, KeyError) as error:
        return repr(error)


templates = st.lists(
    st.sampled_from(["%s", "%(a)s", "%(é)s", "%%", "%", "%5s", "s", "(", ")", "x'é", "%()s", "%d"])
).map("".join)
values = st.one_of(st.integers(), st.text(st.sampled_from("a%s'é\\")), st.none())
arguments = st.one_of(
    st.lists(values, max_size=4).map(tuple),
    st.dictionaries(st.sampled_from(["a", "é", "", "b"]), values),
    values,
)


@given(templates, arguments)
def test_no_template_is_read_otherwise_than_python_reads_it(query, args):
    assert by_us(query, args) == by_python(query, args)
