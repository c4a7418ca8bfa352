"""Where the library knowingly differs from aiomysql 0.3.2, and why.

`python -m tests.compat.differences` prints docs/differences.md. What is not listed here is held
to be the same: by the scenarios (steps that differ must match an entry of BEHAVIOUR) and by the
recorded surface (SURFACE).
"""

from __future__ import annotations

import fnmatch
import re
import textwrap
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Difference:
    """A difference in behaviour, and the steps of scenarios that show it.

    `cases` are patterns of `area/case`; there are none where no scenario can show it, and a test
    elsewhere does. `steps` maps a step's label to what this library may say there, with `*` for
    anything; None stands for a step that only aiomysql 0.3.2 has.
    """

    text: str
    reason: str
    cases: tuple[str, ...] = ()
    steps: dict[str, str | tuple[str, ...] | None] = field(default_factory=dict)
    vendor: str = ""
    #: A server decides by chance whether it shows.
    by_chance: bool = False

    def explains(self, vendor: str, case: str, label: str, ours: str | None) -> bool:
        if self.vendor not in ("", vendor):
            return False
        if not any(fnmatch.fnmatchcase(case, pattern) for pattern in self.cases):
            return False
        for pattern, allowed in self.steps.items():
            if not _is_like(label, pattern):
                continue
            if ours is None:
                return allowed is None
            texts = (allowed,) if isinstance(allowed, str) else allowed or ()
            if any(_is_like(ours, text) for text in texts):
                return True
        return False


def _is_like(text: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text, re.DOTALL) is not None


NOT_CONNECTED = "pymysql.err.InterfaceError(\"(0, 'Not connected')\")"

BETTER = [
    Difference(
        "`bytearray` and `memoryview` parameters are sent as bytes.",
        "They were sent as the text of their repr.",
        ("parameters/literal of a bytearray", "parameters/literal of a memoryview"),
        {
            "escape": "\"_binary'ab'\"",
            "literal": "\"_binary'ab'\"",
            "mogrify": "\"SELECT _binary'ab'\"",
            "fetchall": "((b'ab',),)",
        },
    ),
    Difference(
        "In a sequence, subclasses of str and bytes are sent as they are outside of one.",
        "There, their `str()` was sent: the name of an Enum, the repr of bytes.",
        (
            "parameters/literal of subclasses of bytes in a list",
            "parameters/literal of a str Enum in*",
        ),
        {"escape": "*", "literal": "*", "mogrify": "*", "fetchall": "*"},
    ),
    Difference(
        "Negative `timedelta` parameters keep their value.",
        "Minus one second was sent as `-1:59:59`.",
        ("parameters/literal of a negative timedelta",),
        {"*": "*-00:00:01*"},
    ),
    Difference(
        "A `Decimal` that is not a number is refused, as a float is.",
        "`NaN` was sent as a column's name.",
        ("parameters/literal of a Decimal that is no number",),
        {"*": "pymysql.err.ProgrammingError('nan can not be used with MySQL')"},
    ),
    Difference(
        "Under `NO_BACKSLASH_ESCAPES` bytes, and values in sequences, are escaped for that mode.",
        "They were escaped with backslashes: wrong values, and a way to inject SQL.",
        ("parameters/NO_BACKSLASH_ESCAPES and bytes", "parameters/NO_BACKSLASH_ESCAPES and seq*"),
        {
            "escape b*": "\"_binary'*",
            "escape [*": "\"('*",
            "escape {*": "\"('*",
            "execute b*": "1",
            "execute [*": "pymysql.err.OperationalError(1241, *",
            "fetchall": ("((b*,),)", "(('*',),)"),
        },
    ),
    Difference(
        "`escape_string()` of anything but a str is a TypeError that says so.",
        "It was an AttributeError, or another TypeError, from within.",
        ("parameters/*",),
        {"escape_string *": "TypeError('escape_string() takes a str, not *"},
    ),
    Difference(
        "An `encoders` dictionary assigned to a connection is used.",
        "Only PyMySQL's global one was.",
        ("parameters/encoders_of_ones_own",),
        {
            "escape": ("\"'heard'\"", "'2'"),
            "in a list": "\"('heard')\"",
            "fetchall": ("(('heard',),)", "((2,),)"),
        },
    ),
    Difference(
        "`use_unicode=False` leaves DECIMAL columns Decimal.",
        "They raised TypeError.",
        ("types/decimals_as_bytes",),
        {
            "execute": "1",
            "description": "*",
            "rowcount": "1",
            "fetchall": "((Decimal('1.5'),),)",
        },
    ),
    Difference(
        "An unknown character set is a ProgrammingError that names it, and leaves the connection"
        " as it was; `charset='binary'` works.",
        "They raised AttributeError and LookupError.",
        ("charsets/unknown_ones", "charsets/binary"),
        {
            "connect": (
                "pymysql.err.ProgrammingError(\"Unknown character set: 'nonsense'\")",
                "<aiomysql.connection.Connection object>",
            ),
            "set_charset": "pymysql.err.ProgrammingError(\"Unknown character set: 'nonsense'\")",
        },
    ),
    Difference(
        "A character set that Python has no codec for is a ProgrammingError that names it.",
        "It was a LookupError, and `set_charset()` had changed the server's side by then.",
        ("charsets/connection in eucjpms",),
        {"ends with": 'pymysql.err.ProgrammingError("Python has no codec for the character set *'},
    ),
    Difference(
        "Option files may hold flags without a value and repeat an option; the last one counts.",
        "MySQL's own programs read such files; configparser's errors ended the connect.",
        ("connecting/option file: flags without values", "connecting/option file: twice the same"),
        {"connect": None, "says": None, "*": "*"},
    ),
    Difference(
        "A password may be bytes.",
        "It raised AttributeError.",
        ("connecting/a password as bytes",),
        {"connect": None, "rows": "((1,),)"},
    ),
    Difference(
        "`kill()` works on MySQL 8.4 and newer.",
        "Those servers refuse the command that was sent; `KILL` is sent in its place.",
        ("connection/killing",),
        {
            "kill": "None",
            "nobody": "pymysql.err.OperationalError(1094, 'Unknown thread id: 999999999')",
            "victim": "<class 'pymysql.err.OperationalError'>",
            "closed": "True",
        },
        vendor="mysql",
    ),
    Difference(
        "A connection that is not open yet can escape; its other methods raise InterfaceError.",
        "They raised AttributeError.",
        ("connection/before_it_is_opened",),
        {"escape": "*", "literal": "*", "escape_string": "*", "next_result": NOT_CONNECTED},
    ),
    Difference(
        "`SSCursor.nextset()` goes to the next result set and streams it.",
        "It lost the rows, or did not move where rows were unread.",
        ("streaming/many_sets*",),
        {"nextset": "True", "fetchall of the next": "[*]"},
    ),
    Difference(
        "Closing a streaming cursor after its connection was closed succeeds.",
        "It raised AttributeError.",
        ("streaming/closing_the_connection_with_rows_unread*",),
        {"close": "None"},
    ),
    Difference(
        "A pool rolls back a transaction that has only read when the connection comes back: its"
        " locks end there, and whoever comes next sees current rows.",
        "It was kept open, and lent with the connection: DDL had to wait for it, and reads were"
        " stale.",
        ("pool/releasing_after_reading",),
        {"what was inserted meanwhile": "((1,),)"},
    ),
    Difference(
        "A pool does not lend a connection again that came back with rows unread.",
        "Whoever came next had to read them, and got the warning of an incomplete result.",
        ("pool/releasing_with_rows_unread",),
        {"warning": None},
    ),
    Difference(
        "`ping()` waits no longer than `read_timeout`, else `connect_timeout`, else 10 seconds.",
        "It waited for ever for a peer that had fallen silent.",
    ),
    Difference(
        "`get_transaction_status()` also knows of transactions that a SELECT began.",
        "The status that came with rows was not looked at.",
        ("transactions/a_reading_transaction",),
        {"read: status": "(True, False)"},
    ),
]

DETAILS = [
    Difference(
        "`LOAD DATA LOCAL` of a missing file: the error names the path as it is.",
        "It named the repr of bytes.",
        ("connecting/LOAD DATA LOCAL: a missing file",),
        {"error": "*Can*t find file *"},
    ),
    Difference(
        "A character that the connection's character set lacks: the UnicodeEncodeError is about"
        " the parameter.",
        "It was about the whole statement, which may be long and hold secrets.",
        ("charsets/connection in *",),
        {"not in it": "UnicodeEncodeError(*"},
    ),
    Difference(
        "A statement that is neither str nor bytes: the TypeError says so.",
        "It said that the object has no len().",
        ("parameters/a statement that is no*", "parameters/a statement that is None"),
        {"execute None": "TypeError('a statement is str or bytes, not *"},
    ),
    Difference(
        "A wrong `sql_mode=` in `connect()`: the server's message may quote what follows it.",
        "The settings of a session are sent together, in one round trip.",
        ("connecting/an empty sql_mode",),
        {"connect": "pymysql.err.ProgrammingError(1064, *"},
    ),
    Difference(
        "`Connection.use_unicode` is True or False, whatever was given; `Pool._recycle` is a"
        " float.",
        "They are native.",
        ("connecting/use_unicode 0", "pool/its_parts"),
        {"use_unicode": "False", "recycle": "-1.0"},
    ),
    Difference(
        "`_result.message` is str without a length in front, and `has_next` is a bool.",
        "Raw bytes of the packet stood there.",
        ("connection/queries", "cursors/fields_of_the_result"),
        {"message": ("'Records: *", "'Rows matched: *"), "has_next": "False"},
    ),
    Difference(
        "After a bulk insert `_executed` and `_last_executed` are bytes.",
        "They were a bytearray.",
        ("cursors/executing_*", "cursors/logging_statements"),
        {"executed": "b*", "last executed": "b*", "logged": "\"INFO aiomysql b'*"},
    ),
    Difference(
        "`SSCursor.rowcount` is 0 after a first statement that failed.",
        "It was -1, as before any statement; buffered cursors had 0.",
        ("streaming/an_error_at_once*",),
        {"rowcount": "0"},
    ),
    Difference(
        "With warnings made errors, the rows of the statement that warned can still be fetched.",
        "They could be fetched only if the cursor had run another statement before.",
        ("warnings/made_errors",),
        {"fetchall": "((0,),)"},
    ),
    Difference(
        "`with pool:` and `with await pool as conn:` speak of `await` and in whole words.",
        "Their messages named `yield from`, and lacked a space.",
        ("pool/the_old_way",),
        {
            "with pool": "RuntimeError('\"await\" should be used as context manager expression')",
            "warning": "'DeprecationWarning: with await pool as conn is deprecated, *",
        },
    ),
    Difference(
        "`Pool._fill_free_pool(True)` opens no connection beyond `minsize`.",
        "Waiters are served as they come; nothing calls it.",
        ("pool/the_fill",),
        {"fill beyond": "None", "filled beyond": "(0, 0, 0, 0, 3)"},
    ),
]

LIMITS = [
    Difference(
        "Without `CLIENT.MULTI_STATEMENTS` a statement with a semicolon in its midst has to be one"
        " that can be prepared. On MySQL CREATE PROCEDURE with a body is not.",
        "The driver always announces the flag; where a subclass clears it, such a statement is"
        " prepared before it is sent, so that the server's own parser refuses a second one.",
        ("connecting/a_flag_cleared_before_connecting",),
        {"a procedure": "pymysql.err.OperationalError(1295, *"},
        vendor="mysql",
    ),
    Difference(
        "An account that does not exist may give `(2059, \"Authentication plugin 'sha256_password'"
        ' not configured")` on MySQL, where it gave 1045.',
        "MySQL pretends that such an account exists and picks a plugin for it, by chance; the"
        " driver does not speak this one, which MySQL 8 has deprecated.",
        ("errors/errors_of_connecting",),
        {"{'user': *": 'pymysql.err.OperationalError(2059, "Authentication plugin *'},
        vendor="mysql",
        by_chance=True,
    ),
]

BEHAVIOUR = [*BETTER, *DETAILS, *LIMITS]


def find(vendor: str, case: str, label: str, ours: str | None) -> Difference | None:
    for difference in BEHAVIOUR:
        if difference.explains(vendor, case, label, ours):
            return difference
    return None


@dataclass(frozen=True)
class SurfaceDifference:
    """Names of aiomysql 0.3.2 that are not here, or look otherwise (see surface.py)."""

    text: str
    reason: str
    names: tuple[str, ...]
    #: Whether they are missing, rather than different.
    missing: bool = True

    def explains(self, name: str, ours: str | None) -> bool:
        if (ours is None) != self.missing:
            return False
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.names)


SURFACE = [
    SurfaceDifference(
        "`Cursor.__anext__` is a native method, and what it returns an awaitable, not a coroutine.",
        "The step of `async for` need not enter the interpreter. A class that overrides `fetchone`"
        " is still asked for each row through it.",
        ("aiomysql.cursors.Cursor.__anext__",),
        missing=False,
    ),
    SurfaceDifference(
        "`Connection` has no methods that read and write packets and sockets: `write_packet`,"
        " `_read_packet`, `_read_bytes`, `_write_bytes`, `_request_authentication`,"
        " `_process_auth`, `_get_server_information`, `caching_sha2_password_auth`,"
        " `sha256_password_auth`, `_set_keep_alive`, `_set_nodelay`, `_close_on_cancel`.",
        "The native driver speaks the protocol. Statements of one's own go through `query()` or"
        " `_execute_command()`.",
        tuple(
            f"aiomysql.connection.Connection.{name}"
            for name in [
                "_close_on_cancel",
                "_get_server_information",
                "_process_auth",
                "_read_bytes",
                "_read_packet",
                "_request_authentication",
                "_set_keep_alive",
                "_set_nodelay",
                "_write_bytes",
                "caching_sha2_password_auth",
                "sha256_password_auth",
                "write_packet",
            ]
        ),
    ),
    SurfaceDifference(
        "`aiomysql.connection` lacks `MySQLResult`, `LoadLocalFile`, `_StreamReader`,"
        " `_open_connection`, `_open_unix_connection`, `MAX_PACKET_LEN`, `TEXT_TYPES`; and"
        " `aiomysql.utils` lacks `_pack_int24`, `_lenenc_int`.",
        "The same: `conn._result` and `cursor._result` are native objects with the attributes"
        " that are read from outside.",
        (
            "aiomysql.connection.MySQLResult*",
            "aiomysql.connection.LoadLocalFile*",
            "aiomysql.connection._StreamReader*",
            "aiomysql.connection._open_*",
            "aiomysql.connection.MAX_PACKET_LEN",
            "aiomysql.connection.TEXT_TYPES",
            "aiomysql.*._pack_int24",
            "aiomysql.*._lenenc_int",
        ),
    ),
    SurfaceDifference(
        "`Pool._wakeup()` is not there.",
        "Waiters are woken one by one, in their order; there is nobody to notify.",
        ("aiomysql.pool.Pool._wakeup",),
    ),
    SurfaceDifference(
        "`__aenter__` and `__aexit__` of what `connect()`, `cursor()`, `create_pool()` and"
        " `acquire()` return are plain functions that return awaitables.",
        "They are native, and take one step less.",
        ("aiomysql.utils._*ContextManager.__a*__", "aiomysql.utils._*ContextManager.__init__"),
        missing=False,
    ),
    SurfaceDifference(
        "`aiomysql.sa`: names with an underscore, `ResultMetaData`, `create_result_proxy`,"
        " `MySQLCompiler_pymysql` and the arguments of constructors that only the package itself"
        " calls are other ones.",
        "It is written for SQLAlchemy's public interfaces, 1.4 and 2.",
        (
            "aiomysql.sa.*._*",
            "aiomysql.sa.result.ResultMetaData*",
            "aiomysql.sa.*.create_result_proxy",
            "aiomysql.sa.*.MySQLCompiler_pymysql*",
            "aiomysql.sa.connection.noop",
            "aiomysql.sa.engine.SSDictCursor",
        ),
    ),
    SurfaceDifference(
        "`aiomysql.sa`: the arguments of constructors and of private methods.",
        "Only the package itself calls them.",
        (
            "aiomysql.sa.*.__init__",
            "aiomysql.sa.*.__aexit__",
            "aiomysql.sa.connection.SAConnection._execute",
            "aiomysql.sa.engine._create_engine",
        ),
        missing=False,
    ),
    SurfaceDifference(
        "`SAConnection.begin_nested()` and `begin_twophase()` return what may be awaited or"
        " entered with `async with`.",
        "As `begin()` does; they could only be awaited.",
        (
            "aiomysql.sa.connection.SAConnection.begin_nested",
            "aiomysql.sa.connection.SAConnection.begin_twophase",
        ),
        missing=False,
    ),
    SurfaceDifference(
        "`__exit__` and `__aexit__` of the old `with await pool` form name their arguments"
        " otherwise.",
        "Python passes them by position.",
        ("aiomysql.utils._PoolConnectionContextManager.__*exit__",),
        missing=False,
    ),
]

INTRODUCTION = """\
# Differences from aiomysql 0.3.2

The library is compared with aiomysql 0.3.2 and PyMySQL 1.1.2 on MariaDB and on MySQL, statement by
statement (`tests/compat`). What differs is listed here; anything else that does is a defect. This
page is written by `python -m tests.compat.differences`.
"""

ADDITIONS = """\
## What is new

* `connect()` takes arguments that aiomysql lacks, by name only and after aiomysql's own:
  `database` and `passwd`, PyMySQL's spellings of `db` and `password`, and what its documentation
  lists. So do `create_pool()` and `Pool.acquire()`: see [pool.md](pool.md). The functions and
  methods of aiomysql otherwise keep their signatures.
* `Pool.stats()`, `Connection.reset()` and `Connection.on_query`
  ([observability.md](observability.md)); `PoolTimeout`, `TooManyRequests`, `PoolStats`.
* `aiomysql.DeserializationCursor`, and PEP 249's `apilevel`, `threadsafety` and `paramstyle`.
* The result that a cursor holds, and the pool's limits and waiters, are native; see below for
  names that went with that.
"""


def page() -> str:
    """docs/differences.md."""
    parts = [INTRODUCTION, ADDITIONS]
    sections: list[tuple[str, list[Difference] | list[SurfaceDifference]]] = [
        ("What works better", BETTER),
        ("Details", DETAILS),
        ("What does not work", LIMITS),
        ("Names", SURFACE),
    ]
    for title, entries in sections:
        lines = [f"## {title}", ""]
        lines += [_item(f"{each.text} {each.reason}") for each in entries]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _item(text: str) -> str:
    return textwrap.fill(text, 98, initial_indent="* ", subsequent_indent="  ")


if __name__ == "__main__":
    print(page(), end="")
