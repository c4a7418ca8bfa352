"""Parameters of types of one's own; importable without Hypothesis, for the reference has none."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import enum


class Text(str):
    pass


class Bytes(bytes):
    pass


class Number(int):
    pass


class Ratio(float):
    pass


class Amount(decimal.Decimal):
    pass


class Day(dt.date):
    pass


class Moment(dt.datetime):
    pass


class Hour(dt.time):
    pass


class Span(dt.timedelta):
    pass


class Row(list):  # type: ignore[type-arg]
    pass


Point = collections.namedtuple("Point", "x y")


class Colour(enum.Enum):
    RED = "it's red"


class Level(enum.IntEnum):
    HIGH = 3


class Mood(str, enum.Enum):
    GLAD = 'so "glad"'


class Flags(enum.Flag):
    A = 1
    B = 2


class Shown:
    """An object that only str() knows how to send."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    # The address in the usual one differs between processes.
    __repr__ = __str__
