"""Random parameters and statements."""

from __future__ import annotations

import datetime as dt
import decimal
import string
import time
import uuid
from typing import Any

from hypothesis import strategies as st

from tests.compat import subclasses

#: What escaping looks at, more often than chance would have it.
_SPECIAL = st.sampled_from("\0\n\r\x1a\"'\\%\t;` \ud800\udc80\udcff\U0001f600é\u2028")
texts = st.text(st.one_of(st.characters(codec=None), _SPECIAL, st.sampled_from(string.printable)))
contents = st.one_of(st.binary(), st.lists(st.sampled_from(b"\0\n\r\x1a\"'\\\xff%a")).map(bytes))

zones = st.sampled_from([None, dt.timezone.utc, dt.timezone(dt.timedelta(hours=-3, minutes=30))])
#: Negative ones were sent wrong.
spans = st.timedeltas(min_value=dt.timedelta(0), max_value=dt.timedelta(days=400))
#: Those that are no number went out as a column's name.
amounts = st.decimals(allow_nan=False, allow_infinity=False)

plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**40), 10**40),
    st.floats(),
    amounts,
    texts,
    contents,
    st.dates(),
    st.times(timezones=zones),
    st.datetimes(timezones=zones),
    spans,
    st.uuids(),
    st.complex_numbers(),
    st.integers(0, 2**31).map(time.gmtime),
)


def _made_of_parts(made: type, strategy: st.SearchStrategy[Any], *names: str) -> Any:
    return strategy.map(lambda value: made(*(getattr(value, name) for name in names)))


_DATE = ("year", "month", "day")
_TIME = ("hour", "minute", "second", "microsecond")
#: In a sequence their str() was sent.
_text_of_ones_own = st.one_of(
    texts.map(subclasses.Text),
    contents.map(subclasses.Bytes),
    st.just(subclasses.Mood.GLAD),
)
_of_ones_own = st.one_of(
    st.integers().map(subclasses.Number),
    st.floats().map(subclasses.Ratio),
    amounts.map(subclasses.Amount),
    _made_of_parts(subclasses.Day, st.dates(), *_DATE),
    _made_of_parts(subclasses.Moment, st.datetimes(), *_DATE, *_TIME),
    _made_of_parts(subclasses.Hour, st.times(), *_TIME),
    _made_of_parts(subclasses.Span, spans, "days", "seconds", "microseconds"),
    texts.map(subclasses.Shown),
    st.sampled_from(
        [
            subclasses.Colour.RED,
            subclasses.Level.HIGH,
            subclasses.Flags.A | subclasses.Flags.B,
            uuid.UUID(int=0),
            decimal.Decimal("1E+400"),
            range(3),
            Ellipsis,
            int,
        ]
    ),
)

_scalars = st.one_of(plain, _of_ones_own)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, max_size=4)
    # Small integers, or one element: a set that is pickled may else come out in another order.
    one = st.one_of(st.integers(), texts, contents, amounts).map(lambda value: [value])
    members = st.one_of(st.lists(st.integers(0, 7), max_size=4), one)
    return st.one_of(
        some,
        some.map(tuple),
        some.map(subclasses.Row),
        st.tuples(inner, inner).map(lambda pair: subclasses.Point(*pair)),
        members.map(set),
        members.map(frozenset),
        st.dictionaries(texts, inner, max_size=3),
    )


values = st.one_of(_scalars, _text_of_ones_own, st.recursive(_scalars, _containers, max_leaves=8))

_NAMES = ("id", "name", "a b", "ä", "")
_PIECES = st.one_of(
    st.sampled_from(["SELECT ", ",", " %% ", "'%%'", " LIKE '%%x'", "\\", "/* é */", "☃"]),
    st.text(st.characters(codec="utf-8", exclude_characters="%"), max_size=6),
)
_UNUSUAL = st.sampled_from(["%", "%d", "%r", "%5s", "%(id)r", "%-3s", "%.2s", "%*s", "%(", "%c"])


@st.composite
def statements(draw: st.DrawFn) -> tuple[str, Any]:
    """A statement with placeholders, and arguments that mostly fit them."""
    by_name = draw(st.booleans())
    placeholders = [f"%({name})s" for name in _NAMES] if by_name else ["%s"]
    pieces = st.one_of(_PIECES, st.sampled_from(placeholders))
    # One in eight has something that only Python's own % knows, or that it refuses.
    if not draw(st.integers(0, 7)):
        pieces = st.one_of(pieces, _UNUSUAL)
    query = "".join(draw(st.lists(pieces, max_size=6)))
    if by_name:
        arguments: Any = draw(st.dictionaries(st.sampled_from(_NAMES), values))
    else:
        wanted = query.count("%s")
        count = wanted if draw(st.integers(0, 7)) else draw(st.integers(0, 4))
        arguments = draw(st.lists(values, min_size=count, max_size=count))
        arguments = draw(st.sampled_from([arguments, tuple(arguments)]))
    if not draw(st.integers(0, 7)):
        arguments = draw(st.one_of(st.none(), values))
    return query, arguments
