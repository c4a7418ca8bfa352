"""What cursors tell of their columns."""

from __future__ import annotations

import pytest
from aiomysql._native import Field, describe_fields
from pymysql.constants import FIELD_TYPE as FT
from pymysql.constants import FLAG

LATIN1_SWEDISH = 8
UTF8MB3_GENERAL = 33
UTF8MB4_GENERAL = 45
BINARY = 63


def test_the_seven_items():
    fields = [
        Field("id", FT.LONG, charsetnr=BINARY, length=11, flags=FLAG.NOT_NULL | FLAG.PRI_KEY),
        Field("price", FT.NEWDECIMAL, charsetnr=BINARY, length=12, scale=2),
        Field("note", FT.BLOB, charsetnr=UTF8MB4_GENERAL, length=262140, flags=FLAG.BLOB),
        Field("doc", FT.JSON, charsetnr=BINARY, length=4294967295, scale=0),
        Field("ratio", FT.DOUBLE, charsetnr=BINARY, length=22, scale=31),
    ]
    assert describe_fields(fields) == (
        ("id", 3, None, 11, 11, 0, False),
        ("price", 246, None, 12, 12, 2, True),
        ("note", 252, None, 262140, 262140, 0, True),
        ("doc", 245, None, 4294967295, 4294967295, 0, True),
        ("ratio", 5, None, 22, 22, 31, True),
    )
    assert describe_fields(fields) == tuple(field.description() for field in fields)


def test_types_of_the_items():
    ((name, *numbers, null_ok),) = describe_fields([Field("a", FT.LONG, length=11)])
    assert type(name) is str
    assert [type(number) for number in numbers] == [int, type(None), int, int, int]
    assert type(null_ok) is bool


@pytest.mark.parametrize(
    ("collation", "expected"),
    [
        (UTF8MB3_GENERAL, 40),
        (88, 60),
        (91, 60),
        (LATIN1_SWEDISH, 120),
        (UTF8MB4_GENERAL, 120),
        (255, 120),
        (BINARY, 120),
    ],
)
def test_length_of_varchar_in_characters(collation, expected):
    field = Field("a", FT.VAR_STRING, charsetnr=collation, length=120)
    assert field.get_column_length() == expected
    assert field.description()[3:5] == (expected, expected)


@pytest.mark.parametrize("type_code", [FT.STRING, FT.BLOB, FT.VARCHAR, FT.JSON])
def test_length_of_other_types_as_the_server_counts(type_code):
    field = Field("a", type_code, charsetnr=UTF8MB3_GENERAL, length=121)
    assert field.get_column_length() == 121


def test_no_fields():
    assert describe_fields([]) == ()


def test_attributes():
    field = Field(
        "alias",
        FT.VAR_STRING,
        table_name="t",
        org_table="things",
        org_name="name",
        db=b"shop",
        charsetnr=45,
        length=80,
        flags=4097,
        scale=3,
    )
    assert field.name == "alias"
    assert field.table_name == "t"
    assert field.org_table == "things"
    assert field.org_name == "name"
    assert field.db == b"shop"
    assert field.catalog == b"def"
    assert field.charsetnr == 45
    assert field.length == 80
    assert field.type_code == 253
    assert field.flags == 4097
    assert field.scale == 3
    assert repr(field) == "<Field 'alias' of 't', type_code=253, flags=0x1001>"
    with pytest.raises(AttributeError):
        field.name = "other"


def test_defaults():
    field = Field("a", FT.LONG)
    assert (field.table_name, field.org_table, field.org_name, field.db) == ("", "", "", b"")


@pytest.mark.parametrize(("encoding", "name"), [("utf-8", "größe🐍"), ("cp1252", "größe €")])
def test_names_in_the_connections_codec(encoding, name):
    field = Field(name, FT.LONG, table_name=name, encoding=encoding)
    assert field.name == name
    assert field.table_name == name
    assert describe_fields([field], codec=encoding)[0][0] == name


def test_a_name_that_is_no_text_does_not_fail_the_query():
    field = Field("\udcff", FT.LONG)
    assert field.name == "\udcff"
    assert field.description()[0] == "\udcff"


def test_unknown_type():
    with pytest.raises(ValueError, match="unknown field type 100"):
        Field("a", 100)
