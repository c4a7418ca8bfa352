"""Text of each character set, and values that try to leave their quotes."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any

from pymysql.charset import charset_by_name

TEXTS = {
    "utf8mb4": "é日😀",
    "utf8mb3": "é日",
    "ascii": "plain",
    "binary": "é日😀",
    "latin1": "é€ÿ",
    "latin2": "řž",
    "latin5": "şığ",
    "latin7": "ąč",
    "cp850": "éü",
    "cp852": "řž",
    "cp866": "Привет",
    "cp1250": "řž",
    "cp1251": "Привет",
    "cp1256": "سلام",
    "cp1257": "ąč",
    "koi8r": "Привет",
    "koi8u": "їжак",
    "greek": "αβγ",
    "hebrew": "שלום",
    "macroman": "éü",
    "tis620": "ไทย",
    "big5": "中文功",
    "euckr": "한국",
    "gb2312": "中文",
    "gbk": "中文誠",
    "gb18030": "中文誠",
    "sjis": "日本表",
    "cp932": "日本①表",
    "ujis": "日本",
}

QUOTES = b"'\\\"`"
# Yen, won, overline; wide backslash and apostrophe; modifier apostrophe, right quote.
LOOK_ALIKES = "\u00a5\u20a9\u203e\uff3c\uff07\u02bc\u2019é中"


def codec_of(charset: str) -> str | None:
    """Python's codec for a character set of MySQL's; None where it has none."""
    if charset == "binary":
        return "utf-8"
    known: Any = charset_by_name(charset)
    try:
        return codecs.lookup(known.encoding).name
    except LookupError:
        return None


def hostile_bytes() -> list[bytes | bytearray | memoryview]:
    """Each byte that may begin a character, before what ends a literal or escapes its end."""
    kinds = (bytes, bytearray, memoryview)
    values = [bytes([lead]) + end for lead in range(0x80, 0x100) for end in (b"'", b"\\", b"\\'")]
    values += [b"\xbf' OR 1=1 -- ", b"\x81\\' OR 1=1 -- ", b"'", b"\\", b"\\'", b"\0\n\r\x1a\"'\\"]
    return [kinds[number % 3](value) for number, value in enumerate(values)]


def hostile_text(codec: str) -> list[str]:
    """Characters that end in a quote or a backslash, or become one, before and after those."""
    values = ["'", "\\", "\\'", "\\\\'", "' OR 1=1 -- ", "\0\n\r\x1a\"'\\"]
    for one in sorted({*_last_byte_quotes(codec), *_encodable(LOOK_ALIKES, codec)}):
        values += [f"{one}'", f"{one}\\", f"{one}\\' OR 1=1 -- ", f"\\{one}"]
    return values


def _last_byte_quotes(codec: str) -> Iterator[str]:
    for lead in range(0x80, 0x100):
        for last in QUOTES:
            try:
                text = bytes([lead, last]).decode(codec)
            except UnicodeDecodeError:
                continue
            if len(text) == 1:
                yield text


def _encodable(text: str, codec: str) -> Iterator[str]:
    for character in text:
        try:
            character.encode(codec)
        except UnicodeEncodeError:
            continue
        yield character
