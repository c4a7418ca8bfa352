"""Many rows as few statements. Which statements qualify is tested with the parser itself; here,
that what is sent is right, and cut where it should be."""

import collections

import pytest
from aiomysql import _native
from hypothesis import given
from hypothesis import strategies as st
from pymysql.converters import encoders

DEFAULT_LENGTH = 1_024_000


def statements(query, rows, *, length=DEFAULT_LENGTH, codec="utf8", encoders=encoders):
    parts = _native.bulk_insert_parts(query)
    assert parts is not None
    return _native.bulk_insert_statements(parts, rows, encoders, codec, False, length)


def test_parts():
    assert _native.bulk_insert_parts("INSERT INTO t (a) VALUES (%s, 5 %% 2) ;") == (
        "INSERT INTO t (a) VALUES ",
        "(%s, 5 %% 2)",
        "",
    )
    assert _native.bulk_insert_parts("insert t values(upper(%(a)s)) as n on duplicate key x=1") == (
        "insert t values",
        "(upper(%(a)s))",
        " as n on duplicate key x=1",
    )
    assert _native.bulk_insert_parts("INSERT INTO t SELECT %s") is None


@pytest.mark.parametrize(
    ("query", "rows", "expected"),
    [
        ("INSERT t VALUES (%s)", [(1,), [2], 3], b"INSERT t VALUES (1),(2),(3)"),
        ("INSERT t VALUES(%s,'%%')", [(1,), ("a'",)], b"INSERT t VALUES(1,'%'),('a\\'','%')"),
        (
            "INSERT t VALUES (%(a)s)",
            [{"a": 1}, {"a": b"\xff"}],
            b"INSERT t VALUES (1),(_binary'\xff')",
        ),
        (
            "INSERT `%%` VALUES (%s) ON DUPLICATE KEY UPDATE a='%%';",
            [(1,)],
            b"INSERT `%` VALUES (1) ON DUPLICATE KEY UPDATE a='%'",
        ),
        (
            "INSERT t VALUES (%s, now())",
            iter([(1,), (2,)]),
            b"INSERT t VALUES (1, now()),(2, now())",
        ),
        ("INSERT t VALUES (%s, %s)", {(1, 2): "ignored"}, b"INSERT t VALUES (1, 2)"),
        ("INSERT t VALUES (%s)", "ab", b"INSERT t VALUES ('a'),('b')"),
        ("INSERT t VALUES (%(a)s)", [collections.OrderedDict(a=1)], b"INSERT t VALUES (1)"),
    ],
    ids=repr,
)
def test_rows_become_one_statement(query, rows, expected):
    [(sql, count)] = statements(query, rows)
    assert sql == expected
    assert count == (expected.count(b"),(") + 1)


def test_character_set():
    [(sql, _)] = statements("INSERT tà VALUES (%s, 'é')", [("€",)], codec="cp1252")
    assert sql == b"INSERT t\xe0 VALUES ('\x80', '\xe9')"


def test_no_rows():
    assert statements("INSERT t VALUES (%s)", iter([])) == []


def test_rows_are_not_an_iterable():
    with pytest.raises(TypeError):
        statements("INSERT t VALUES (%s)", 5)


def test_a_statement_is_as_long_as_allowed():
    query = "INSERT t VALUES (%s) ON DUPLICATE KEY UPDATE a=1"
    whole = b"INSERT t VALUES (1),(2) ON DUPLICATE KEY UPDATE a=1"
    rows = [(1,), (2,), (3,)]
    assert statements(query, rows, length=len(whole)) == [
        (whole, 2),
        (b"INSERT t VALUES (3) ON DUPLICATE KEY UPDATE a=1", 1),
    ]
    assert [count for _, count in statements(query, rows, length=len(whole) - 1)] == [1, 1, 1]


def test_a_row_longer_than_allowed_goes_alone():
    sent = statements("INSERT t VALUES (%s)", [("x" * 50,), (1,), ("y" * 50,)], length=30)
    assert [count for _, count in sent] == [1, 1, 1]


def test_an_error_in_a_row_is_pythons():
    with pytest.raises(TypeError, match="not enough arguments for format string"):
        statements("INSERT t VALUES (%s, %s)", [(1, 2), (1,)])
    with pytest.raises(TypeError, match="not all arguments converted"):
        statements("INSERT t VALUES (%s)", [(1, 2)])
    with pytest.raises(KeyError, match="'b'"):
        statements("INSERT t VALUES (%(a)s, %(b)s)", [{"a": 1}])


def test_an_error_of_the_iterable_is_passed_on():
    def rows():
        yield (1,)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        statements("INSERT t VALUES (%s)", rows())


def test_encoders_that_change_while_rows_are_written():
    class Switch:
        pass

    changing = dict(encoders)

    def switch(value, mapping):
        mapping[int] = lambda value, mapping: "other"
        return "switch"

    changing[Switch] = switch
    [(sql, _)] = statements("INSERT t VALUES (%s)", [1, Switch(), 1], encoders=changing)
    assert sql == b"INSERT t VALUES (1),(switch),(other)"


def upstream(prefix, values, postfix, rows, length):
    """PyMySQL's rule for cutting."""
    sql, count = None, 0
    for row in rows:
        value = _native.interpolate(values, row, encoders, "utf8", False)
        if sql is None:
            sql, count = prefix + value, 1
        elif len(sql) + len(value) + len(postfix) + 1 > length:
            yield sql + postfix, count
            sql, count = prefix + value, 1
        else:
            sql, count = sql + b"," + value, count + 1
    if sql is not None:
        yield sql + postfix, count


@given(
    st.lists(st.tuples(st.integers(), st.text(max_size=20)), max_size=30),
    st.integers(min_value=0, max_value=200),
)
def test_cut_as_pymysql_cuts(rows, length):
    query = "INSERT INTO t VALUES (%s, %s) ON DUPLICATE KEY UPDATE a=1"
    prefix, values, postfix = _native.bulk_insert_parts(query)
    expected = list(upstream(prefix.encode(), values, postfix.encode(), rows, length))
    assert statements(query, rows, length=length) == expected


@given(st.lists(st.sampled_from([*"%s'\"`\\()#-*/! ,;@", "VALUES", "SELECT"])).map("".join))
def test_the_parser_takes_any_text(row):
    """Whatever it accepts is put together again without a change."""
    query = f"INSERT INTO t VALUES (%s, {row})"
    parts = _native.bulk_insert_parts(query)
    if parts is not None:
        prefix, values, _ = parts
        assert prefix == "INSERT INTO t VALUES "
        assert query.startswith(prefix + values)
