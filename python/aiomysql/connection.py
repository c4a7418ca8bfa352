"""Connections.

The session is native (:class:`aiomysql._native.Connection`). This class gives it its names,
defaults and hooks.
"""

from __future__ import annotations

import asyncio
import configparser
import getpass
import os
from typing import TYPE_CHECKING, Any
from warnings import warn as _plain_warn

from pymysql.charset import charset_by_name
from pymysql.constants import CLIENT, COMMAND, SERVER_STATUS
from pymysql.converters import decoders, encoders
from pymysql.err import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
)

from . import _native
from ._version import __version__
from .cursors import Cursor
from .utils import _ConnectionContextManager, _ContextManager

if TYPE_CHECKING:
    import ssl as _ssl
    from collections.abc import Mapping
    from types import TracebackType

try:
    DEFAULT_USER: str | None = getpass.getuser()
except (KeyError, OSError, ImportError):
    DEFAULT_USER = "unknown"

DEFAULT_CHARSET = "utf8mb4"

#: The collation that mysql_async's handshake asks for, so that no statement is needed.
_HANDSHAKE = ("utf8mb4", "utf8mb4_general_ci")

_UNSET: Any = object()


def connect(
    host: str = "localhost",
    user: str | None = None,
    password: str | bytes = "",
    db: str | None = None,
    port: int = 3306,
    unix_socket: str | None = None,
    charset: str = "",
    sql_mode: str | None = None,
    read_default_file: str | None = None,
    conv: Mapping[Any, Any] = decoders,
    use_unicode: bool | None = None,
    client_flag: int = 0,
    cursorclass: type[Cursor] = Cursor,
    init_command: str | None = None,
    connect_timeout: float | None = None,
    read_default_group: str | None = None,
    autocommit: bool | None = False,
    echo: bool = False,
    local_infile: bool = False,
    loop: asyncio.AbstractEventLoop | None = None,
    ssl: _ssl.SSLContext | Mapping[str, Any] | bool | None = None,
    auth_plugin: str = "",
    program_name: str = "",
    server_public_key: Any = None,
    *,
    database: str | None = _UNSET,
    passwd: str | bytes = _UNSET,
    read_timeout: float | None = None,
) -> _ConnectionContextManager[Connection]:
    """Open a connection: ``conn = await connect(...)`` or ``async with connect(...) as conn``.

    The arguments are those of :class:`Connection`.

    Raises:
        OperationalError: 2003 where no connection could be made, with its cause; 1045 and others
            as the server says.
    """
    coro = _connect(
        host=host,
        user=user,
        password=password,
        db=db,
        port=port,
        unix_socket=unix_socket,
        charset=charset,
        sql_mode=sql_mode,
        read_default_file=read_default_file,
        conv=conv,
        use_unicode=use_unicode,
        client_flag=client_flag,
        cursorclass=cursorclass,
        init_command=init_command,
        connect_timeout=connect_timeout,
        read_default_group=read_default_group,
        autocommit=autocommit,
        echo=echo,
        local_infile=local_infile,
        loop=loop,
        ssl=ssl,
        auth_plugin=auth_plugin,
        program_name=program_name,
        server_public_key=server_public_key,
        database=database,
        passwd=passwd,
        read_timeout=read_timeout,
    )
    return _ConnectionContextManager(coro)


async def _connect(*args: Any, **kwargs: Any) -> Connection:
    conn = Connection(*args, **kwargs)
    await conn._connect()
    return conn


class Connection(_native.Connection):
    """A session with a server. Making one does no I/O: use :func:`connect`.

    Args:
        host: the server's name or address.
        user: the account; the operating system's user where it is None.
        password: its password.
        db: the default database.
        port: the TCP port, 3306 by default.
        unix_socket: the path of a unix socket, used in place of TCP.
        charset: the character set of the session, utf8mb4 by default.
        sql_mode: the session's ``sql_mode``, as it stands after ``SET sql_mode=``.
        read_default_file: an option file whose values override these arguments.
        conv: field type → function that makes a value of text.
        use_unicode: whether text becomes str (the default) or stays bytes.
        client_flag: flags of :mod:`pymysql.constants.CLIENT`.
        cursorclass: what :meth:`cursor` makes.
        init_command: a statement to run when the session is open; a COMMIT follows it.
        connect_timeout: seconds for everything until the session is ready; None for no limit.
        read_default_group: the group of the option file to read, ``client`` by default.
        autocommit: the session's autocommit mode; None leaves the server's.
        echo: log the statements of cursors to the logger ``aiomysql``.
        local_infile: allow ``LOAD DATA LOCAL INFILE``.
        loop: ignored; the running event loop serves.
        ssl: an :class:`ssl.SSLContext`, True for the system's certificate authorities, or
            PyMySQL's dictionary.
        auth_plugin: ``mysql_clear_password`` allows sending the password as it is.
        program_name: a name for the server's list of sessions.
        server_public_key: not supported.
        database: another name of ``db``.
        passwd: another name of ``password``.
        read_timeout: seconds without a sign of the server after which a command fails and the
            connection is closed; None for no limit.

    Raises:
        ProgrammingError: the character set is unknown.
        NotSupportedError: an argument cannot be honoured; the message names it.
        TypeError: both spellings of one argument.
    """

    Warning = Warning
    Error = Error
    InterfaceError = InterfaceError
    DatabaseError = DatabaseError
    DataError = DataError
    OperationalError = OperationalError
    IntegrityError = IntegrityError
    InternalError = InternalError
    ProgrammingError = ProgrammingError
    NotSupportedError = NotSupportedError

    def __init__(
        self,
        host: str = "localhost",
        user: str | None = None,
        password: str | bytes = "",
        db: str | None = None,
        port: int = 3306,
        unix_socket: str | None = None,
        charset: str = "",
        sql_mode: str | None = None,
        read_default_file: str | None = None,
        conv: Mapping[Any, Any] = decoders,
        use_unicode: bool | None = None,
        client_flag: int = 0,
        cursorclass: type[Cursor] = Cursor,
        init_command: str | None = None,
        connect_timeout: float | None = None,
        read_default_group: str | None = None,
        autocommit: bool | None = False,
        echo: bool = False,
        local_infile: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        ssl: _ssl.SSLContext | Mapping[str, Any] | bool | None = None,
        auth_plugin: str = "",
        program_name: str = "",
        server_public_key: Any = None,
        *,
        database: str | None = _UNSET,
        passwd: str | bytes = _UNSET,
        read_timeout: float | None = None,
    ) -> None:
        self._loop = loop or asyncio.get_event_loop()
        db = _one_of("db", db, "database", database, None)
        password = _one_of("password", password, "passwd", passwd, "")
        if server_public_key is not None:
            raise NotSupportedError(
                "server_public_key cannot be honoured by this driver; use TLS (ssl=), which "
                "verifies the server and hides the password"
            )
        if read_default_file:
            options = _OptionFile(read_default_file, read_default_group or "client")
            user = options.get("user", user)
            password = options.get("password", password)
            host = options.get("host", host)
            db = options.get("database", db)
            unix_socket = options.get("socket", unix_socket)
            port = int(options.get("port", port))
            charset = options.get("default-character-set", charset)

        self._host = host
        self._port = port
        self._user = user or DEFAULT_USER
        self._password = password or ""
        self._db = db
        self._unix_socket = unix_socket
        self._echo = echo
        self._ssl_context = ssl
        self._local_infile = bool(local_infile)
        self._client_auth_plugin = auth_plugin
        self._server_auth_plugin = ""
        self._auth_plugin_used = ""
        self._secure = False
        self._connect_attrs = {
            "_client_name": "aiomysql",
            "_pid": str(os.getpid()),
            "_client_version": __version__,
        }
        if program_name:
            self._connect_attrs["program_name"] = program_name
        self.server_public_key = server_public_key
        self.salt = None
        self.host_info = "Not connected"
        self._take_charset(charset or DEFAULT_CHARSET)
        self.use_unicode = True if use_unicode is None else bool(use_unicode)

        client_flag |= CLIENT.CAPABILITIES | CLIENT.MULTI_STATEMENTS
        if ssl:
            client_flag |= CLIENT.SSL
        if self._local_infile:
            client_flag |= CLIENT.LOCAL_FILES
        if db:
            client_flag |= CLIENT.CONNECT_WITH_DB
        self.client_flag = client_flag

        self.cursorclass = cursorclass
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self.autocommit_mode = autocommit
        self.encoders = encoders
        self.decoders = conv
        self.sql_mode = sql_mode
        self.init_command = init_command

    @property
    def host(self) -> str:
        """The server's name or address."""
        return self._host

    @property
    def port(self) -> int:
        """The server's TCP port."""
        return self._port

    @property
    def unix_socket(self) -> str | None:
        """The path of the unix socket, where one is used."""
        return self._unix_socket

    @property
    def db(self) -> str | None:
        """The database that was given to :func:`connect`."""
        return self._db

    @property
    def user(self) -> str | None:
        """The account."""
        return self._user

    @property
    def echo(self) -> bool:
        """Whether the statements of cursors are logged."""
        return self._echo

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop."""
        return self._loop

    @property
    def encoding(self) -> str:
        """The Python codec of the connection's character set."""
        return self._encoding

    @property
    def charset(self) -> str:
        """The connection's character set."""
        return self._charset

    def _take_charset(self, name: str) -> None:
        charset = _find_charset(name)
        self._charset = name
        # "utf8" is another name of utf8mb4 in newer PyMySQL.
        self._session_charset = (charset.name, charset.collation)
        # Python has no codec for MySQL's "binary", in which text goes as it is.
        self._encoding = "utf8" if charset.encoding == "binary" else charset.encoding
        self._set_codec(self._encoding)

    async def _connect(self) -> None:
        """Open the session. Called by :func:`connect`, by the pool and by a reconnecting ping."""
        try:
            at_once = self._is_plain
            settings = []
            if self._session_charset != _HANDSHAKE:
                settings.append("SET NAMES {} COLLATE {}".format(*self._session_charset))
            if at_once and self.sql_mode is not None:
                settings.append(f"SET sql_mode={self.sql_mode}")
            await self._open(
                {
                    "host": self._host,
                    "port": self._port,
                    "unix_socket": self._unix_socket,
                    "user": self._user,
                    "password": _text(self._password),
                    "db": self._db,
                    "found_rows": bool(self.client_flag & CLIENT.FOUND_ROWS),
                    "cleartext": bool(self._unix_socket)
                    or self._client_auth_plugin == "mysql_clear_password",
                    "attributes": self._connect_attrs,
                    "settings": settings,
                    "autocommit": bool(self.autocommit_mode)
                    if at_once and self.init_command is None and self.autocommit_mode is not None
                    else None,
                    "connect_timeout": self.connect_timeout,
                },
                self._ssl_context,
            )
            if self._unix_socket:
                self.host_info = f"Localhost via UNIX socket: {self._unix_socket}"
            else:
                self.host_info = f"socket {self._host}:{self._port}"
            self._secure = bool(self._unix_socket or self._ssl_context)
            self.connected_time = self._loop.time()
            if not at_once and self.sql_mode is not None:
                await self.query(f"SET sql_mode={self.sql_mode}")
            if self.init_command is not None:
                await self.query(self.init_command)
                await self.commit()
            if self.autocommit_mode is not None:
                await self.autocommit(self.autocommit_mode)
        except BaseException:
            self.close()
            raise

    async def ensure_closed(self) -> None:
        """Say goodbye to the server and close. Never fails; closing again does nothing."""
        self.close()

    def _ensure_alive(self) -> None:
        self._check_alive()

    async def autocommit(self, value: bool | None) -> None:
        """Switch the session's autocommit mode, where it is not as wanted already.

        Args:
            value: whether each statement is its own transaction.
        """
        self.autocommit_mode = bool(value)
        if value != self.get_autocommit():
            await self._send_autocommit_mode()

    def get_autocommit(self) -> bool:
        """Whether the session is in autocommit mode."""
        return bool(self.server_status & SERVER_STATUS.SERVER_STATUS_AUTOCOMMIT)

    async def _send_autocommit_mode(self) -> None:
        await self._command(f"SET AUTOCOMMIT = {self.escape(self.autocommit_mode)}")

    async def _command(self, sql: str) -> None:
        """Run a statement that returns no rows."""
        if self._is_plain:
            await self._perform(sql)
        else:
            await self._execute_command(COMMAND.COM_QUERY, sql)
            await self._read_ok_packet()

    async def begin(self) -> None:
        """Begin a transaction."""
        await self._command("BEGIN")

    async def commit(self) -> None:
        """Commit the transaction."""
        await self._command("COMMIT")

    async def rollback(self) -> None:
        """Roll the transaction back."""
        await self._command("ROLLBACK")

    async def select_db(self, db: str) -> None:
        """Make ``db`` the default database."""
        await self._execute_command(COMMAND.COM_INIT_DB, db)
        await self._read_ok_packet()

    async def show_warnings(self) -> Any:
        """The warnings of the last statement: a tuple of ``(Level, Code, Message)``."""
        await self._execute_command(COMMAND.COM_QUERY, "SHOW WARNINGS")
        await self._receive()
        result = self._result
        self._result = None
        return result.rows

    def escape(self, obj: Any) -> Any:
        """The SQL literal of a value, as text."""
        return self._escape(obj)

    def literal(self, obj: Any) -> Any:
        """Another name of :meth:`escape`."""
        return self.escape(obj)

    def escape_string(self, s: str) -> str:
        """What stands between the quotes of a string literal."""
        if not isinstance(s, str):
            raise TypeError(f"escape_string() takes a str, not {type(s).__name__}")
        return self._escape(s)[1:-1]  # type: ignore[no-any-return]

    def cursor(self, *cursors: type[Cursor]) -> _ContextManager[Any]:
        """Make a cursor: ``async with conn.cursor() as cur`` or ``cur = await conn.cursor()``.

        Args:
            cursors: a class, or several to be mixed; ``cursorclass`` of the connection where none
                is given.

        Raises:
            TypeError: one of them is not a subclass of Cursor.
            InterfaceError: the connection is closed.
        """
        self._ensure_alive()
        self._touch()
        if not cursors:
            cursor_class = self.cursorclass
        elif all(isinstance(each, type) and issubclass(each, Cursor) for each in cursors):
            cursor_class = cursors[0] if len(cursors) == 1 else _mix(cursors)
        else:
            raise TypeError("Custom cursor must be subclass of Cursor")
        return _ContextManager(_native.Resolved(cursor_class(self, self._echo)))

    async def query(self, sql: str | bytes, unbuffered: bool = False) -> int:
        """Send a statement and read its answer; a cursor calls this where hooks are in play."""
        if self._is_plain:
            return await self._run(sql, unbuffered)  # type: ignore[no-any-return]
        if isinstance(sql, str):
            sql = sql.encode(self.encoding, "surrogateescape")
        await self._execute_command(COMMAND.COM_QUERY, sql)
        await self._read_query_result(unbuffered=unbuffered)
        return self._affected_rows

    async def _execute_command(self, command: int, sql: Any) -> None:
        """Send a command and wait for the first packet of its answer.

        Raises:
            NotSupportedError: the driver does not speak this command.
        """
        self._ensure_alive()
        if command == COMMAND.COM_QUERY:
            await self._send(sql)
        elif command == COMMAND.COM_PING:
            await self._ping()
        elif command == COMMAND.COM_QUIT:
            self.close()
        elif command == COMMAND.COM_INIT_DB:
            name = sql.decode(self.encoding) if isinstance(sql, (bytes, bytearray)) else sql
            await self._send("USE `{}`".format(name.replace("`", "``")))
        elif command == COMMAND.COM_PROCESS_KILL:
            number = int.from_bytes(sql, "little") if isinstance(sql, bytes) else int(sql)
            await self._send(f"KILL {number}")
        else:
            raise NotSupportedError(f"command {command} is not supported by this driver")

    async def _read_query_result(self, unbuffered: bool = False) -> None:
        await self._receive(unbuffered)

    async def _read_ok_packet(self) -> bool:
        await self._drain()
        return True

    async def next_result(self) -> int:
        """Read the next result set of the last statement; its number of rows."""
        await self._read_query_result()
        return self._affected_rows

    def affected_rows(self) -> int:
        """Rows returned or changed by the last statement."""
        return self._affected_rows

    def insert_id(self) -> int:
        """The first AUTO_INCREMENT value of the last statement; 0 where there is none."""
        return self._result.insert_id if self._result is not None else 0

    async def kill(self, thread_id: int) -> None:
        """End another session of the server.

        Args:
            thread_id: its number, see :meth:`thread_id`.
        """
        await self._command(f"KILL {int(thread_id)}")

    async def ping(self, reconnect: bool = True) -> None:
        """Ask whether the server is there.

        Args:
            reconnect: open a new session where it is not.

        Raises:
            Error: the connection is closed, and ``reconnect`` is false.
        """
        if self.closed:
            if not reconnect:
                raise Error("Already closed")
            await self._connect()
            reconnect = False
        try:
            await self._execute_command(COMMAND.COM_PING, "")
            await self._read_ok_packet()
        except Exception:
            if not reconnect:
                raise
            await self._connect()
            await self.ping(False)

    async def set_charset(self, charset: str) -> None:
        """Change the session's character set.

        Raises:
            ProgrammingError: it is unknown.
        """
        _find_charset(charset)
        await self._command(f"SET NAMES {self.escape(charset)}")
        self._take_charset(charset)

    def thread_id(self) -> int:
        """The server's number of this session."""
        return self.server_thread_id[0]  # type: ignore[index]

    def character_set_name(self) -> str:
        """The connection's character set."""
        return self._charset

    def get_host_info(self) -> str:
        """How the server is reached."""
        return self.host_info

    def get_proto_info(self) -> int:
        """The protocol's version: 10."""
        return self.protocol_version

    def get_server_info(self) -> str | None:
        """The server's version, as ``SELECT VERSION()`` gives it."""
        return self.server_version

    def get_transaction_status(self) -> bool:
        """Whether the session is in a transaction."""
        return bool(self.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS)

    #: The version of the protocol that all servers since MySQL 3.21 speak.
    protocol_version = 10

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        if exc_type is not None:
            self.close()
        else:
            await self.ensure_closed()

    def __del__(self) -> None:
        if not self.closed:
            _plain_warn(f"Unclosed connection {self!r}", ResourceWarning, source=self)
            self.close()


def _one_of(name: str, value: Any, other: str, alias: Any, default: Any) -> Any:
    """The value of an argument that has two names."""
    if alias is _UNSET:
        return value
    if value != default:
        raise TypeError(f"{name} and {other} are the same argument: give one of them")
    return alias


def _find_charset(name: str) -> Any:
    try:
        charset = charset_by_name(name)
    except KeyError:
        charset = None
    if charset is None:
        raise ProgrammingError(f"Unknown character set: {name!r}")
    return charset


def _text(password: str | bytes) -> str:
    return password.decode("utf-8") if isinstance(password, (bytes, bytearray)) else password


def _mix(cursors: tuple[type[Cursor], ...]) -> type[Cursor]:
    name = "".join(each.__name__ for each in cursors).replace("Cursor", "") + "Cursor"
    return type(name, cursors, {})


class _OptionFile:
    """One group of a MySQL option file; a missing file or group has no options."""

    def __init__(self, path: str, group: str) -> None:
        self._parser = configparser.RawConfigParser(allow_no_value=True, strict=False)
        self._parser.read(os.path.expanduser(path))
        self._group = group

    def get(self, option: str, default: Any) -> Any:
        return self._parser.get(self._group, option, fallback=default)


_native.remember_hooks(
    Connection,
    "plain",
    [
        "query",
        "_execute_command",
        "_read_query_result",
        "_read_ok_packet",
        "_send_autocommit_mode",
        "escape",
        "literal",
        "escape_string",
    ],
)
