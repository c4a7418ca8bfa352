"""What a hostile server answers to a query, and what comes of it.

`python -m tests.bridge.nonsense` prints the table of SECURITY.md.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tests.bridge.fake_server import packet

_EOF = b"\xfe\x00\x00\x02\x00"
_MORE = b"\xfe\x00\x00\x0a\x00"


def column(name: bytes = b"v", type_code: int = 253, charset: int = 45, flags: int = 0) -> bytes:
    names = b"".join(bytes([len(each)]) + each for each in (b"def", b"", b"", b"", name, b""))
    return names + b"\x0c" + struct.pack("<HIBHB", charset, 100, type_code, flags, 0) + bytes(2)


def packets(*payloads: bytes) -> bytes:
    return b"".join(packet(1 + number, payload) for number, payload in enumerate(payloads))


def rows(*payloads: bytes, columns: tuple[bytes, ...] = (column(),)) -> bytes:
    return packets(bytes([len(columns)]), *columns, _EOF, *payloads, _EOF)


@dataclass(frozen=True)
class Nonsense:
    """An answer, and the exception that comes of it; None where it is taken as it is."""

    answer: bytes
    raises: str | None
    #: Whether the connection can go on.
    usable: bool = False


_LOST = "OperationalError"
_PANIC = "InternalError"
_OK = b"\x00\x00\x00\x02\x00\x00\x00"
_ROW = b"\x011"
_EVERY_BIT = b"\xfe" + b"\xff" * 8

ANSWERS = {
    "an empty packet": Nonsense(packets(b""), _LOST),
    "an OK packet of one byte": Nonsense(packets(b"\x00"), None, usable=True),
    "an OK packet whose counts are cut": Nonsense(packets(b"\x00\xfe\x01"), None, usable=True),
    "an OK packet of 2^64-1 affected rows": Nonsense(
        packets(b"\x00" + _EVERY_BIT + b"\x00\x02\x00\x00\x00"), None, usable=True
    ),
    "an error packet without a number": Nonsense(packets(b"\xff"), _LOST),
    "an error packet of invalid UTF-8": Nonsense(
        packets(b"\xff\x28\x04#42000\xff\xfe\x80"), "ProgrammingError", usable=True
    ),
    "a column count of 2^64-1": Nonsense(packets(_EVERY_BIT), _PANIC),
    "a column count whose bytes are cut": Nonsense(packets(b"\xfd\x01"), _LOST),
    "65,535 columns, and no row": Nonsense(
        packets(b"\xfc\xff\xff", *[column()] * 65535, _EOF), _LOST
    ),
    "fewer columns than announced": Nonsense(packets(b"\xfc\xff\xff", *[column()] * 9), _LOST),
    "a column whose name is longer than its packet": Nonsense(
        packets(b"\x01", b"\x03def\xfc\xff\xff", _EOF), _LOST
    ),
    "a column whose name has 2^64-1 bytes": Nonsense(
        packets(b"\x01", b"\x03def" + _EVERY_BIT, _EOF), _LOST
    ),
    "a column of an unknown type": Nonsense(rows(_ROW, columns=(column(type_code=99),)), _LOST),
    "a column of an unknown character set": Nonsense(
        rows(_ROW, columns=(column(charset=0xFFFF),)), None, usable=True
    ),
    "a column of every flag": Nonsense(
        rows(_ROW, columns=(column(flags=0xFFFF),)), None, usable=True
    ),
    "a column whose name is invalid UTF-8": Nonsense(
        rows(_ROW, columns=(column(name=b"\xff\xfe"),)), None, usable=True
    ),
    "an empty column": Nonsense(packets(b"\x01", b"", _EOF), _LOST),
    "an empty row": Nonsense(rows(b""), _PANIC),
    "a row of too few cells": Nonsense(rows(_ROW, columns=(column(), column(b"w"))), _LOST),
    "a row of too many cells": Nonsense(rows(_ROW * 3), None, usable=True),
    "a cell that is longer than its packet": Nonsense(rows(b"\x7fabc"), _LOST),
    "a cell of 2^64-1 bytes": Nonsense(rows(_EVERY_BIT + b"abc"), _LOST),
    "a cell whose length is cut": Nonsense(rows(b"\xfd\x01"), _LOST),
    "text of invalid UTF-8": Nonsense(rows(b"\x03\xff\xfe\x80"), "UnicodeDecodeError", usable=True),
    "an integer that is none": Nonsense(
        rows(b"\x03abc", columns=(column(type_code=3, charset=63),)), "ValueError", usable=True
    ),
    "a date that is none": Nonsense(
        rows(b"\x0a2024-99-99", columns=(column(type_code=10, charset=63),)), None, usable=True
    ),
    "an error in place of a row": Nonsense(
        packets(b"\x01", column(), _EOF, b"\xff\x28\x04#42000no"), "ProgrammingError", usable=True
    ),
    "no end of rows": Nonsense(packets(b"\x01", column(), _EOF, *[_ROW] * 1000), _LOST),
    "no end of result sets": Nonsense(
        packets(*[b"\x01", column(), _EOF, _ROW, _MORE] * 1000), _LOST
    ),
    "a packet that is longer than what comes": Nonsense(b"\xff\xff\x7f\x01abc", _LOST),
    "a packet with a wrong number": Nonsense(packet(9, _OK), _LOST),
    "an end of rows in place of an answer": Nonsense(packets(_EOF), _LOST),
    "a request for a file": Nonsense(
        packets(b"\xfb/etc/passwd") + packet(3, _OK), _LOST, usable=True
    ),
}


def table() -> str:
    """Each answer and its outcome, in Markdown."""
    lines = ["| the server answers | the application sees | the connection |", "|---|---|---|"]
    for name, nonsense in ANSWERS.items():
        outcome = f"`{nonsense.raises}`" if nonsense.raises else "a result"
        lines.append(f"| {name} | {outcome} | {'goes on' if nonsense.usable else 'is closed'} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
