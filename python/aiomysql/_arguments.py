"""What the arguments of :func:`aiomysql.connect` mean: aliases, option files, character sets."""

from __future__ import annotations

import codecs
import configparser
import os
from typing import Any

from pymysql.charset import charset_by_name
from pymysql.err import NotSupportedError, ProgrammingError

#: An argument that was not given.
UNSET: Any = object()


def one_of(name: str, value: Any, other: str, alias: Any, default: Any) -> Any:
    """The value of an argument that has two names."""
    if alias is UNSET:
        return value
    if value != default:
        raise TypeError(f"{name} and {other} are the same argument: give one of them")
    return alias


def find_charset(name: str) -> Any:
    try:
        charset = charset_by_name(name)
    except KeyError:
        charset = None
    if charset is None:
        raise ProgrammingError(f"Unknown character set: {name!r}")
    try:
        codecs.lookup(codec_of(charset))
    except LookupError as error:
        raise ProgrammingError(f"Python has no codec for the character set {name!r}") from error
    return charset


def codec_of(charset: Any) -> str:
    """Python's codec; it has none for MySQL's "binary", in which text goes as it is."""
    return "utf8" if charset.encoding == "binary" else str(charset.encoding)


def text(value: str | bytes, name: str) -> str:
    try:
        text = value if isinstance(value, str) else value.decode("utf-8")
        # A lone surrogate has no UTF-8.
        text.encode("utf-8")
        return text
    except UnicodeError:
        pass
    # Not inside the handler: that error holds the value, which may be a password.
    raise NotSupportedError(f"{name} that is not UTF-8 is not supported")


class OptionFile:
    """One group of a MySQL option file; a missing file or group has no options."""

    def __init__(self, path: str, group: str) -> None:
        self._parser = configparser.RawConfigParser(allow_no_value=True, strict=False)
        self._parser.read(os.path.expanduser(path))
        self._group = group

    def get(self, option: str, default: Any) -> Any:
        return self._parser.get(self._group, option, fallback=default)
