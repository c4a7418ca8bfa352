"""Rows of decoded cells: tuples and dictionaries."""

from __future__ import annotations

import gc
from decimal import Decimal

import pytest
from aiomysql._native import Field, decode_rows
from pymysql.constants import FIELD_TYPE as FT

BINARY = 63
UTF8MB4 = 255

FIELDS = [
    Field("id", FT.LONG, table_name="t", charsetnr=BINARY),
    Field("name", FT.VAR_STRING, table_name="t", charsetnr=UTF8MB4),
    Field("price", FT.NEWDECIMAL, table_name="t", charsetnr=BINARY),
]
ROWS = [[b"1", b"pear", b"1.50"], [b"2", None, None]]


class TestRows:
    def test_tuples(self):
        assert decode_rows(FIELDS, ROWS) == [(1, "pear", Decimal("1.50")), (2, None, None)]

    def test_dictionaries(self):
        first, second = decode_rows(FIELDS, ROWS, as_dict=True)
        assert first == {"id": 1, "name": "pear", "price": Decimal("1.50")}
        assert second == {"id": 2, "name": None, "price": None}
        assert list(first) == ["id", "name", "price"]
        assert type(first) is dict
        first["more"] = 1
        assert "more" not in second

    def test_no_columns(self):
        assert decode_rows([], [[]]) == [()]
        assert decode_rows([], [[]], as_dict=True) == [{}]

    @pytest.mark.parametrize("as_dict", [True, False])
    def test_a_row_of_another_width(self, as_dict):
        with pytest.raises(ValueError, match="2 cells in a result set of 3 columns"):
            decode_rows(FIELDS, [[b"1", b"x"]], as_dict=as_dict)

    def test_a_repeated_name_is_qualified(self):
        fields = [
            Field("id", FT.LONG, table_name=table) for table in ["a", "b", "b", "c"]
        ]  # fmt: skip
        rows = [[b"1", b"2", b"3", b"4"]]
        # Both columns of `b` share a key: the last one wins, in the place of the first.
        assert decode_rows(fields, rows, as_dict=True) == [{"id": 1, "b.id": 3, "c.id": 4}]
        assert decode_rows(fields, rows) == [(1, 2, 3, 4)]

    def test_keys_are_shared(self):
        first, second = decode_rows(FIELDS, ROWS, as_dict=True)
        assert all(a is b for a, b in zip(first, second))

    def test_an_error_half_way(self):
        fields = [*FIELDS, Field("n", FT.LONG)]
        for as_dict in (True, False):
            with pytest.raises(ValueError, match="invalid literal"):
                decode_rows(fields, [[b"1", b"pear", b"1.5", b"x"]], as_dict=as_dict)


class TestGarbageCollection:
    """Rows of atoms are spared the collector's attention; others must have it."""

    def test_rows_of_atoms_are_not_tracked(self):
        (row,) = decode_rows(FIELDS[:2], [[b"1", b"pear"]])
        assert not gc.is_tracked(row)

    def test_rows_that_may_be_part_of_a_cycle_are(self):
        made = []

        def convert(_):
            value = []
            made.append(value)
            return value

        (row,) = decode_rows(FIELDS[:1], [[b"1"]], converters={FT.LONG: convert})
        assert gc.is_tracked(row)
        (row,) = decode_rows([Field("j", FT.JSON)], [[b"[1]"]], deserialize_json=True)
        assert gc.is_tracked(row)

    def test_a_cycle_through_a_row_is_collected(self):
        class Value:
            pass

        freed = []

        class Noisy(Value):
            def __del__(self):
                freed.append(self)

        (row,) = decode_rows(FIELDS[:1], [[b"1"]], converters={FT.LONG: lambda _: Noisy()})
        row[0].row = row
        del row
        gc.collect()
        assert len(freed) == 1

    def test_no_unfinished_row_is_to_be_found(self):
        found = []

        def convert(_):
            found.extend(o for o in gc.get_objects() if type(o) is tuple and holds_marker(o))

        def holds_marker(row):
            # Of whatever is in memory, only text is compared: other things may mind.
            return any(type(value) is str and value == marker for value in row)

        marker = "a-marker-that-nothing-else-has"
        fields = [Field("a", FT.STRING, charsetnr=UTF8MB4), Field("b", FT.LONG)]
        decode_rows(fields, [[marker.encode(), b"1"]], converters={FT.LONG: convert})
        assert all(len(o) != 2 or o[0] != marker for o in found)
