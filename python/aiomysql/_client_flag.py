"""``client_flag``: which flags are kept, how, and which are refused."""

from __future__ import annotations

from pymysql.constants import CLIENT
from pymysql.err import NotSupportedError

#: Set on every connection, or without a meaning to the servers of today.
_KEPT = (
    CLIENT.CAPABILITIES
    | CLIENT.MULTI_STATEMENTS
    | CLIENT.PS_MULTI_RESULTS
    | CLIENT.CONNECT_WITH_DB
    | CLIENT.FOUND_ROWS
    # Told by the argument local_infile.
    | CLIENT.LOCAL_FILES
    # DEPRECATE_EOF, which PyMySQL has no name for in all its versions.
    | 1 << 24
    # For the client's side alone.
    | CLIENT.ODBC
    | CLIENT.IGNORE_SIGPIPE
)

#: What the server would do for a flag, as statements.
_EMULATED = {
    CLIENT.IGNORE_SPACE: "SET sql_mode = CONCAT(@@sql_mode, ',IGNORE_SPACE')",
    CLIENT.INTERACTIVE: "SET wait_timeout = @@interactive_timeout",
}

#: What a session of this driver has.
_CAPABILITIES = _KEPT & ~(CLIENT.ODBC | CLIENT.IGNORE_SIGPIPE | CLIENT.FOUND_ROWS)


def statements(flags: int, tls: bool) -> list[str]:
    """What the session needs for the flags that the handshake does not carry.

    Raises:
        NotSupportedError: one of them cannot be honoured; the message names it.
    """
    kept = _KEPT | (CLIENT.SSL if tls else 0)
    wanted = []
    for bit in range(flags.bit_length()):
        flag = 1 << bit
        if not flags & flag or kept & flag:
            continue
        if flag not in _EMULATED:
            raise NotSupportedError(f"client_flag {_name(flag)} is not supported by this driver")
        wanted.append(_EMULATED[flag])
    return wanted


def capabilities(flags: int, tls: bool) -> int:
    """What the session has: the nearest to the server's own flags."""
    cleared = CLIENT.MULTI_STATEMENTS & ~flags
    return _CAPABILITIES & ~cleared | (CLIENT.SSL if tls else 0)


def _name(flag: int) -> str:
    for name, value in vars(CLIENT).items():
        if name.isupper() and value == flag:
            return name
    return hex(flag)
