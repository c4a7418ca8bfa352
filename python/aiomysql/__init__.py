"""asyncio access to MySQL and MariaDB, on a native driver.

The public names are those of aiomysql 0.3: :func:`connect`, :func:`create_pool`, the cursor
classes and the exceptions, which are the very classes of :mod:`pymysql.err`.
"""

from pymysql.converters import escape_dict, escape_sequence, escape_string
from pymysql.err import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    MySQLError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
)

from ._version import __version__, version
from .connection import Connection, connect
from .cursors import Cursor, DeserializationCursor, DictCursor, SSCursor, SSDictCursor
from .pool import Pool, PoolStats, PoolTimeout, TooManyRequests, create_pool

#: PEP 249: the API's level, that threads may share the module but not connections, and the
#: placeholders' style.
apilevel = "2.0"
threadsafety = 1
paramstyle = "pyformat"

__all__ = [
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "DeserializationCursor",
    "DictCursor",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "MySQLError",
    "NotSupportedError",
    "OperationalError",
    "Pool",
    "PoolStats",
    "PoolTimeout",
    "ProgrammingError",
    "SSCursor",
    "SSDictCursor",
    "TooManyRequests",
    "Warning",
    "__version__",
    "apilevel",
    "connect",
    "create_pool",
    "escape_dict",
    "escape_sequence",
    "escape_string",
    "paramstyle",
    "threadsafety",
    "version",
]
