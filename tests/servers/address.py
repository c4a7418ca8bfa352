"""Where a server is reached, and the environment variables that tell it to a child process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

VENDORS = ("mariadb", "mysql")

# What can be started: the vendors' usual servers, and the newest MariaDB.
KINDS = (*VENDORS, "mariadb-sid")


@dataclass(frozen=True)
class Address:
    """The URL `mysql://user:password@host:port/db?socket=/path`, taken apart."""

    host: str
    port: int
    user: str
    password: str
    db: str
    socket: str | None = None

    @classmethod
    def parse(cls, url: str) -> Address:
        parts = urlsplit(url)
        if parts.scheme not in ("mysql", "mariadb") or not parts.hostname:
            raise ValueError("a server's URL looks like mysql://user:password@host:port/db")
        return cls(
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or "root"),
            password=unquote(parts.password or ""),
            db=unquote(parts.path.lstrip("/")) or "test",
            socket=parse_qs(parts.query).get("socket", [None])[0],
        )

    @property
    def url(self) -> str:
        who = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        socket = f"?socket={quote(self.socket)}" if self.socket else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mysql://{who}@{host}:{self.port}/{quote(self.db, safe='')}{socket}"

    def example_variables(self) -> dict[str, str]:
        """The environment in which the programs of `examples/` find this server."""
        return {
            "MYSQL_HOST": self.host,
            "MYSQL_PORT": str(self.port),
            "MYSQL_USER": self.user,
            "MYSQL_PASSWORD": self.password,
            "MYSQL_DATABASE": self.db,
        }

    def connect_kwargs(self, unix_socket: bool = False) -> dict[str, Any]:
        """Arguments for `connect()` and `create_pool()`, over TCP or over the unix socket."""
        who: dict[str, Any] = {"user": self.user, "password": self.password, "db": self.db}
        if not unix_socket:
            return {"host": self.host, "port": self.port, **who}
        if self.socket is None:
            raise LookupError("this server's URL names no socket")
        return {"unix_socket": self.socket, **who}


def variable(vendor: str) -> str:
    return f"AIOMYSQL_TEST_{vendor.upper().replace('-', '_')}"


def from_environment(vendor: str) -> Address | None:
    url = os.environ.get(variable(vendor))
    return Address.parse(url) if url else None
