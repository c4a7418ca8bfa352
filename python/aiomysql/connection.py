"""Connections.

The session is native (:class:`aiomysql._native.Connection`). This class gives it its names,
defaults and hooks.
"""

from __future__ import annotations

import asyncio
import getpass
import inspect
import os
import time
from typing import TYPE_CHECKING, Any, Literal, cast, overload
from warnings import warn as _plain_warn

from pymysql.constants import CLIENT, COMMAND, CR, SERVER_STATUS
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

from . import _client_flag, _native, _streams
from ._arguments import UNSET, OptionFile, codec_of, find_charset, one_of, text
from ._types import CursorT
from ._version import __version__
from .cursors import Cursor
from .utils import _ConnectionContextManager, _ContextManager

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self, TypeVar

    from ._types import TLS, OnQuery, Password

    _AnyCursor = TypeVar("_AnyCursor", bound=Cursor[Any])

try:
    DEFAULT_USER: str | None = getpass.getuser()
except (KeyError, OSError, ImportError):
    DEFAULT_USER = "unknown"

DEFAULT_CHARSET = "utf8mb4"

#: Values of auth_plugin. Which of them is used is for the account on the server to say.
_AUTH_PLUGINS = (
    "",
    "mysql_native_password",
    "caching_sha2_password",
    "mysql_clear_password",
    "client_ed25519",
    "parsec",
)


def connect(
    host: str = "localhost",
    user: str | None = None,
    password: Password = "",
    db: str | None = None,
    port: int = 3306,
    unix_socket: str | None = None,
    charset: str = "",
    sql_mode: str | None = None,
    read_default_file: str | None = None,
    conv: Mapping[Any, Any] = decoders,
    use_unicode: bool | None = None,
    client_flag: int = 0,
    cursorclass: type[CursorT] = Cursor,  # type: ignore[assignment]
    init_command: str | None = None,
    connect_timeout: float | None = None,
    read_default_group: str | None = None,
    autocommit: bool | None = False,
    echo: bool = False,
    local_infile: bool = False,
    loop: asyncio.AbstractEventLoop | None = None,
    ssl: TLS = None,
    auth_plugin: str = "",
    program_name: str = "",
    server_public_key: Any = None,
    *,
    database: str | None = UNSET,
    passwd: Password = UNSET,
    read_timeout: float | None = None,
    write_timeout: float | None = None,
    cancel: Literal["close", "kill"] = "close",
    on_query: OnQuery | None = None,
) -> _ConnectionContextManager[Connection[CursorT]]:
    """Open a connection: ``conn = await connect(...)`` or ``async with connect(...) as conn``.

    The arguments are those of :class:`Connection`.

    Raises:
        OperationalError: 2003 where no connection could be made, with its cause; 1045 and others
            as the server says.
    """
    coro = _connect(**locals())
    return _ConnectionContextManager(coro)


async def _connect(*args: Any, **kwargs: Any) -> Connection[Any]:
    conn: Connection[Any] = Connection(*args, **kwargs)
    await conn._connect()
    return conn


class Connection(_native.Connection[CursorT]):
    """A session with a server. Making one does no I/O: use :func:`connect`.

    Args:
        host: the server's name or address.
        user: the account; the operating system's user where it is None.
        password: its password; or a function, a coroutine function too, that is called for it each
            time a session is opened. Its time does not count for ``connect_timeout``.
        db: the default database.
        port: the TCP port, 3306 by default.
        unix_socket: the path of a unix socket, used in place of TCP; not together with ``ssl``.
        charset: the character set of the session, utf8mb4 by default.
        sql_mode: the session's ``sql_mode``, as it stands after ``SET sql_mode=``.
        read_default_file: an option file whose values override these arguments.
        conv: field type → function that makes a value of text.
        use_unicode: whether text becomes str (the default) or stays bytes.
        client_flag: flags of :mod:`pymysql.constants.CLIENT`; FOUND_ROWS, IGNORE_SPACE and
            INTERACTIVE have an effect. MULTI_STATEMENTS is always added; a subclass may clear it
            before the session is opened.
        cursorclass: what :meth:`cursor` makes.
        init_command: a statement to run when the session is open; a COMMIT follows it.
        connect_timeout: seconds for everything until the session is ready; None for no limit.
        read_default_group: the group of the option file to read, ``client`` by default.
        autocommit: the session's autocommit mode; None leaves the server's.
        echo: log the statements of cursors to the logger ``aiomysql``.
        local_infile: allow ``LOAD DATA LOCAL INFILE``.
        loop: ignored; the running event loop serves.
        ssl: an :class:`ssl.SSLContext`, True for the system's certificate authorities, or a
            dictionary with ``ca``, ``capath``, ``cert``, ``key``, ``check_hostname`` and
            ``verify_mode``. A client certificate is taken from the dictionary only: that of a
            context cannot be seen. A server without TLS is refused.
        auth_plugin: ``mysql_clear_password`` allows sending the password as it is, which else
            only a verified TLS connection or a unix socket does; ``client_ed25519`` tries a login
            that was refused twice more, because the driver spoils one in 256; others name what
            the account on the server decides anyway.
        program_name: a name for the server's list of sessions.
        server_public_key: not supported.
        database: another name of ``db``.
        passwd: another name of ``password``.
        read_timeout: seconds without a sign of the server after which a command fails with 2013
            and the connection is closed; None for no limit. It bounds each wait and not the whole
            command: rows that keep arriving may take longer. Opening is not bounded by it.
        write_timeout: the same for waits in which the server takes nothing of what is sent (a
            large statement, a file), which ``read_timeout`` then does not bound; None leaves them
            to ``read_timeout``. Both may be assigned on the connection.
        cancel: what becomes of a command that is cancelled, or that one of these timeouts ends.
            ``"close"`` closes the connection: the server rolls back when it notices, which may be
            after the statement. ``"kill"`` also sends KILL for the session, by a second
            connection in the background, with the same arguments, within 5 seconds or
            ``connect_timeout`` if that is shorter; its failure is not reported. Not for a load
            balancer, where the second connection may reach another server.
        on_query: a function that is called with each statement that has run:
            ``on_query(connection, sql, duration, rows, error)``. ``sql`` is the statement as it
            was sent, parameters in it; ``duration`` the seconds until its answer was read;
            ``rows`` how many were returned or changed, None where that is not known: rows are
            still to be streamed, or the statement failed; ``error`` the exception, or None. Also
            an attribute, to be set at any time. What it raises goes to ``sys.unraisablehook``.

    Raises:
        ProgrammingError: the character set is unknown, or Python has no codec for it.
        NotSupportedError: an argument cannot be honoured; the message names it.
        OperationalError: 2059 where ``auth_plugin`` is none of this driver's.
        TypeError: both spellings of one argument.
        ValueError: ``cancel`` is neither.
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
        password: Password = "",
        db: str | None = None,
        port: int = 3306,
        unix_socket: str | None = None,
        charset: str = "",
        sql_mode: str | None = None,
        read_default_file: str | None = None,
        conv: Mapping[Any, Any] = decoders,
        use_unicode: bool | None = None,
        client_flag: int = 0,
        cursorclass: type[CursorT] = Cursor,  # type: ignore[assignment]
        init_command: str | None = None,
        connect_timeout: float | None = None,
        read_default_group: str | None = None,
        autocommit: bool | None = False,
        echo: bool = False,
        local_infile: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        ssl: TLS = None,
        auth_plugin: str = "",
        program_name: str = "",
        server_public_key: Any = None,
        *,
        database: str | None = UNSET,
        passwd: Password = UNSET,
        read_timeout: float | None = None,
        write_timeout: float | None = None,
        cancel: Literal["close", "kill"] = "close",
        on_query: OnQuery | None = None,
    ) -> None:
        db = one_of("db", db, "database", database, None)
        password = one_of("password", password, "passwd", passwd, "")
        if server_public_key is not None:
            raise NotSupportedError(
                "server_public_key cannot be honoured by this driver; use TLS (ssl=), which "
                "verifies the server and hides the password"
            )
        if auth_plugin not in _AUTH_PLUGINS:
            raise OperationalError(
                CR.CR_AUTH_PLUGIN_CANNOT_LOAD,
                f"Authentication plugin '{auth_plugin}' not configured",
            )
        if read_default_file:
            options = OptionFile(read_default_file, read_default_group or "client")
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
        self._ssl_context = None if ssl is False else ssl
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
        # What the driver does not tell of the server's greeting.
        self.salt: str | None = None
        self.server_language: int | None = None
        self.server_charset: str | None = None
        self.server_capabilities: int | None = None
        self.host_info: str = "Not connected"
        #: When the session was opened, by the event loop's clock.
        self.connected_time: float | None = None
        self._given = (charset or DEFAULT_CHARSET, autocommit)
        self._take_charset(charset or DEFAULT_CHARSET)
        self.use_unicode: bool = True if use_unicode is None else bool(use_unicode)

        client_flag |= CLIENT.CAPABILITIES | CLIENT.MULTI_STATEMENTS
        if self._ssl_context is not None:
            client_flag |= CLIENT.SSL
        if self._local_infile:
            client_flag |= CLIENT.LOCAL_FILES
        if db:
            client_flag |= CLIENT.CONNECT_WITH_DB
        self.client_flag = client_flag

        self.cursorclass: type[CursorT] = cursorclass
        self.connect_timeout: float | None = connect_timeout
        self.read_timeout: float | None = read_timeout
        self.write_timeout: float | None = write_timeout
        if cancel not in ("close", "kill"):
            raise ValueError(f"cancel is 'close' or 'kill', not {cancel!r}")
        self._cancel = cancel
        self.on_query: OnQuery | None = on_query
        self.autocommit_mode = autocommit
        self.encoders = encoders
        self.decoders = conv
        self.sql_mode: str | None = sql_mode
        self.init_command: str | None = init_command

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
        """The event loop that the connection was opened on; before that, the running one."""
        return cast("asyncio.AbstractEventLoop", self._loop)

    @property
    def encoding(self) -> str:
        """The Python codec of the connection's character set."""
        return self._encoding

    @property
    def charset(self) -> str:
        """The connection's character set."""
        return self._charset

    #: The exception that somebody has broken the connection with.
    _broken_by: BaseException | None = None

    @property
    def _reader(self) -> _streams.Reader | None:
        return None if self.closed else _streams.Reader(self)

    @property
    def _writer(self) -> _streams.Writer | None:
        return None if self.closed else _streams.Writer(self)

    def _take_charset(self, name: str) -> None:
        charset = find_charset(name)
        self._charset = name
        # The server's name of it: PyMySQL takes "utf8" for utf8mb4.
        self._server_charset = charset.name
        self._collation = charset.collation
        self._encoding = codec_of(charset)
        self._set_codec(self._encoding)

    async def _connect(self) -> None:
        """Open the session. Called by :func:`connect`, by the pool and by a reconnecting ping."""
        try:
            password: Any = self._password
            if callable(password):
                password = password()
                if inspect.isawaitable(password):
                    password = await password
            began = time.monotonic()
            at_once = self._is_plain
            has_tls = self._ssl_context is not None
            await self._open(
                {
                    "host": self._host or "localhost",
                    "port": self._port,
                    "unix_socket": self._unix_socket or None,
                    "user": text(self._user or "", "user"),
                    "password": text(password or "", "password"),
                    "db": self._db,
                    "found_rows": bool(self.client_flag & CLIENT.FOUND_ROWS),
                    "takes_several": bool(self.client_flag & CLIENT.MULTI_STATEMENTS),
                    "cleartext": bool(self._unix_socket)
                    or self._client_auth_plugin == "mysql_clear_password",
                    "ed25519": self._client_auth_plugin == "client_ed25519",
                    "local_infile": self._local_infile
                    and bool(self.client_flag & CLIENT.LOCAL_FILES),
                    "attributes": self._connect_attrs,
                    "charset": self._server_charset,
                    "settings": self._settings(at_once),
                    "autocommit": self._early_autocommit(at_once),
                    "connect_timeout": self.connect_timeout,
                    "kill_cancelled": self._cancel == "kill",
                },
                self._ssl_context,
            )
            if self._unix_socket:
                self.host_info = f"Localhost via UNIX socket: {self._unix_socket}"
            else:
                self.host_info = f"socket {self._host}:{self._port}"
            self._secure = bool(self._unix_socket) or has_tls
            self.server_capabilities = _client_flag.capabilities(self.client_flag, has_tls)
            self.connected_time = self.loop.time()
            settling = self._settle(at_once)
            if at_once and self.init_command is None and self._has_wanted_autocommit():
                # Nothing to wait for, so nothing to bound.
                await settling
            else:
                await self._within(began, settling)
        except BaseException:
            self.close()
            raise

    def _settings(self, at_once: bool) -> list[str]:
        """The statements that bring a session to our settings, but for charset and autocommit."""
        settings = _client_flag.statements(self.client_flag, self._ssl_context is not None)
        if at_once and self.sql_mode is not None:
            settings.append(f"SET sql_mode={self.sql_mode}")
        return settings

    def _early_autocommit(self, at_once: bool) -> bool | None:
        """The autocommit mode to be set with the settings; None where that has to come later."""
        if not at_once or self.init_command is not None or self.autocommit_mode is None:
            return None
        return bool(self.autocommit_mode)

    async def reset(self) -> None:
        """Make the session as it was when it was opened, without a new login.

        The server rolls back and forgets temporary tables, user variables, locks and settings
        (COM_RESET_CONNECTION). Then the session gets the settings of this connection again, and
        its ``init_command``. The default database becomes ``db`` again where one was given.

        Raises:
            NotSupportedError: the server is older than MySQL 5.7.3 or MariaDB 10.2.4.
        """
        at_once = self._is_plain
        charset, self.autocommit_mode = self._given
        self._take_charset(charset)
        statements = [self._names_of_a_login()]
        if self._db:
            statements.append("USE `{}`".format(self._db.replace("`", "``")))
        statements += self._settings(at_once)
        autocommit = self._early_autocommit(at_once)
        if autocommit is not None:
            statements.append(f"SET AUTOCOMMIT = {int(autocommit)}")
        await self._reset(";".join(statements))
        await self._settle(at_once)

    def _names_of_a_login(self) -> str:
        """The statement that gives the session the collation that a login gets."""
        names = f"SET NAMES {self._server_charset}"
        # MySQL's own default for utf8mb4 is another one than that of the handshake; MariaDB puts
        # what it prefers today in place of both.
        on_mariadb = "MariaDB" in (self.server_version or "")
        return names if on_mariadb else f"{names} COLLATE {self._collation}"

    async def _within(self, began: float, work: Coroutine[Any, Any, None]) -> None:
        """Await the last part of connecting in what is left of connect_timeout."""
        if self.connect_timeout is None:
            return await work
        left = began + self.connect_timeout - time.monotonic()
        try:
            await asyncio.wait_for(work, max(left, 0))
        except asyncio.TimeoutError as error:
            raise OperationalError(
                CR.CR_CONN_HOST_ERROR, f"Can't connect to MySQL server on {self._host!r}"
            ) from error
        return None

    async def _settle(self, at_once: bool) -> None:
        """Run what may be the user's own code or statements, in upstream's order."""
        if not at_once and self.sql_mode is not None:
            await self.query(f"SET sql_mode={self.sql_mode}")
        if self.init_command is not None:
            await self.query(self.init_command)
            await self.commit()
        if self.autocommit_mode is not None:
            await self.autocommit(self.autocommit_mode)

    def _has_wanted_autocommit(self) -> bool:
        return self.autocommit_mode is None or self.autocommit_mode == self.get_autocommit()

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

    async def show_warnings(self) -> Sequence[tuple[str, int, str]] | None:
        """The warnings of the last statement: a tuple of ``(Level, Code, Message)``."""
        await self._execute_command(COMMAND.COM_QUERY, "SHOW WARNINGS")
        await self._receive()
        result = self._result
        self._result = None
        return result.rows if result is not None else None

    def escape(self, obj: Any) -> str:
        """The SQL literal of a value, as text."""
        return self._escape(obj)

    def literal(self, obj: Any) -> str:
        """Another name of :meth:`escape`."""
        return self.escape(obj)

    def escape_string(self, s: str) -> str:
        """What stands between the quotes of a string literal."""
        if not isinstance(s, str):
            raise TypeError(f"escape_string() takes a str, not {type(s).__name__}")
        return self._escape(s)[1:-1]

    @overload
    def cursor(self) -> _ContextManager[CursorT]: ...
    @overload
    def cursor(self, cursor: type[_AnyCursor], /) -> _ContextManager[_AnyCursor]: ...
    @overload
    def cursor(self, *cursors: type[Cursor[Any]]) -> _ContextManager[Any]: ...
    def cursor(self, *cursors: type[Cursor[Any]]) -> _ContextManager[Any]:
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
        cursor_class: type[Cursor[Any]]
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
            return await self._run(sql, unbuffered)
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

    def insert_id(self) -> int | None:
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

        It waits for an answer for ``read_timeout`` seconds, else for ``connect_timeout``, else for
        10 seconds.

        Args:
            reconnect: open a new session where it is not.

        Raises:
            Error: the connection is closed, and ``reconnect`` is false.
            OperationalError: 2013 where it does not answer, and ``reconnect`` is false.
        """
        if self.closed:
            if not reconnect:
                raise Error("Already closed")
            await self._connect()
            reconnect = False
        try:
            await self._execute_command(COMMAND.COM_PING, "")
            await self._read_ok_packet()
        except RuntimeError:
            # The mistake of a caller (another task's command is running; another event loop):
            # the session is well.
            raise
        except (Error, OSError):
            if not reconnect:
                raise
            await self._connect()
            await self.ping(False)

    async def set_charset(self, charset: str) -> None:
        """Change the session's character set.

        Raises:
            ProgrammingError: it is unknown, or Python has no codec for it.
        """
        find_charset(charset)
        await self._command(f"SET NAMES {self.escape(charset)}")
        self._take_charset(charset)

    def thread_id(self) -> int:
        """The server's number of this session."""
        return cast("tuple[int]", self.server_thread_id)[0]

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
    protocol_version: int = 10

    async def __aenter__(self) -> Self:
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
            _plain_warn(f"Unclosed connection {self!r}", ResourceWarning, 2, source=self)
            self.close()


def _mix(cursors: tuple[type[Cursor[Any]], ...]) -> type[Cursor[Any]]:
    name = "".join(each.__name__ for each in cursors).replace("Cursor", "") + "Cursor"
    return type(name, cursors, {})


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
