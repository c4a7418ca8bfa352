"""Type variables and the types of arguments, for type checkers.

At run time the type variables are plain ones: their defaults need Python 3.13.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl as _ssl
    from collections.abc import Awaitable, Mapping
    from typing import Callable, Generic, Literal, TypedDict

    from typing_extensions import TypeAlias, TypeVar

    from .connection import Connection
    from .cursors import Cursor

    #: What a cursor fetches.
    Row = TypeVar("Row", default="tuple[Any, ...]")
    #: The class of cursors that ``conn.cursor()`` makes.
    CursorT = TypeVar("CursorT", bound="Cursor[Any]", default="Cursor")

    #: PEP 249: name, type code, None, internal size twice, scale, may it be NULL.
    Column: TypeAlias = "tuple[str, int, None, int, int, int, bool]"

    #: What ``password`` may be: itself, or a function that gives it.
    Password: TypeAlias = "str | bytes | Callable[[], str | bytes | Awaitable[str | bytes]]"

    #: Called with the connection, the statement, its seconds, its rows and its error.
    OnQuery: TypeAlias = (
        "Callable[[Connection[Any], str, float, int | None, BaseException | None], object]"
    )

    #: What ``ssl`` may be.
    TLS: TypeAlias = "_ssl.SSLContext | Mapping[str, Any] | bool | None"

    class ConnectArguments(TypedDict, Generic[CursorT], total=False):
        """The arguments of ``connect()``, as ``create_pool()`` takes them too."""

        host: str
        user: str | None
        password: Password
        db: str | None
        port: int
        unix_socket: str | None
        charset: str
        sql_mode: str | None
        read_default_file: str | None
        conv: Mapping[Any, Any]
        use_unicode: bool | None
        client_flag: int
        cursorclass: type[CursorT]
        init_command: str | None
        connect_timeout: float | None
        read_default_group: str | None
        autocommit: bool | None
        local_infile: bool
        ssl: TLS
        auth_plugin: str
        program_name: str
        server_public_key: Any
        database: str | None
        passwd: Password
        read_timeout: float | None
        write_timeout: float | None
        cancel: Literal["close", "kill"]
        on_query: OnQuery | None

else:
    from typing import TypeVar

    Row = TypeVar("Row")
    CursorT = TypeVar("CursorT")
